//! The command line: one file per command, and the only place that prints.
#![allow(clippy::print_stderr, reason = "errors and hints go to standard error")]

mod classify;
mod completions;
mod config;
mod context;
mod correct;
#[cfg(feature = "train")]
mod dataset;
mod detect;
mod draw;
mod drawings;
#[cfg(feature = "train")]
mod epochs;
#[cfg(feature = "train")]
mod evaluate;
#[cfg(feature = "train")]
mod evaluate_album;
mod export;
mod filter_args;
#[cfg(unix)]
mod fresh;
mod gallery;
mod index;
mod json;
mod model;
#[cfg(feature = "train")]
mod model_list;
#[cfg(feature = "train")]
mod model_tools;
mod model_use;
mod output;
mod outputs;
mod progress;
mod query;
mod results;
#[cfg(unix)]
mod service;
mod show;
mod stats;
#[cfg(unix)]
mod status;
#[cfg(feature = "train")]
mod sweep;
mod terminal;
#[cfg(feature = "train")]
mod train;
#[cfg(unix)]
mod watch;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::error::{Error, Result};
use context::Context;
use output::Stdout;

/// Finds the faces in your photos, reads their apparent expression, and answers at once which
/// photos look happiest. Private: nothing leaves this machine.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    global: GlobalArgs,
    #[command(subcommand)]
    command: Command,
}

/// Options that every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Everywhere")]
struct GlobalArgs {
    /// The index database [default: in the data folder of this system]
    #[arg(long, global = true, value_name = "FILE")]
    database: Option<PathBuf>,
    /// A configuration file to read in place of the user's
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// An emotion model to use in place of the built-in one or the setting
    #[arg(
        id = "emotion_model",
        long = "model",
        global = true,
        value_name = "FILE"
    )]
    model: Option<PathBuf>,
    /// Worker threads; 0 for one per processor
    #[arg(long, global = true, value_name = "N")]
    threads: Option<usize>,
    /// Say more on standard error; twice for still more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Say nothing on standard error but errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Index photos: what is new or changed is looked at, what is gone leaves the results
    Index(index::IndexArgs),
    /// Look at every photo again, as after a new model
    Reindex(index::IndexArgs),
    /// Follow folders: what changes on the disk is in the index moments later
    #[cfg(unix)]
    Watch(watch::WatchArgs),
    /// Have the folders followed from every login on
    #[cfg(unix)]
    Service(service::ServiceArgs),
    /// Tell whether the folders are followed, what is left to do, and how much there is
    #[cfg(unix)]
    Status(status::StatusArgs),
    /// Find photos by what their faces show, where, when and much more
    Query(query::QueryArgs),
    /// Find photos in plain words: happy vacation photos in italy last summer
    Find(query::FindArgs),
    /// Count what faces show, by year, month, folder or place
    Stats(stats::StatsArgs),
    /// Write what was found where other programs read it: keywords in XMP sidecars
    Export(export::ExportArgs),
    /// Read the faces of files, without the index
    Classify(classify::ClassifyArgs),
    /// Look at the photos in a browser, and say what a face shows
    Gallery(gallery::GalleryArgs),
    /// Find the faces of files, without reading them, and draw them
    Detect(detect::DetectArgs),
    /// Tell everything that is known of a photo
    Show(show::ShowArgs),
    /// Say what emotion a face shows; it holds whatever a model says
    Correct(correct::CorrectArgs),
    /// Say that a face is none
    Reject(correct::FaceArgs),
    /// Take back what was said of a face: the model's reading holds again
    Undo(correct::FaceArgs),
    /// Work with training data
    #[cfg(feature = "train")]
    Dataset(dataset::DatasetArgs),
    /// Train a network by a recipe; goes on where an interrupted run was left
    #[cfg(feature = "train")]
    Train(train::TrainArgs),
    /// Train every combination of some settings, with a table and overlaid plots of all runs
    #[cfg(feature = "train")]
    Sweep(sweep::SweepArgs),
    /// Measure a model on labelled faces
    #[cfg(feature = "train")]
    Evaluate(evaluate::EvaluateArgs),
    /// Look at models: layers, shapes, parameters, and which there are
    Model(model::ModelArgs),
    /// Show the settings in force, or where they come from
    Config(config::ConfigArgs),
    /// Write a completion script for a shell
    Completions(completions::CompletionsArgs),
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// It found what was asked for.
    Found,
    /// It worked, and there is nothing.
    Nothing,
    /// It worked but for some files, which it has named.
    Partly,
}

/// A folder as the index names it: absolute and without links, or as it was if it is gone.
fn resolve(folder: PathBuf) -> Result<PathBuf> {
    folder.canonicalize().or_else(|_| {
        std::path::absolute(&folder).map_err(|source| Error::Io {
            path: folder,
            source,
        })
    })
}

/// Runs the command line of this process.
///
/// Exit codes: 0 done or found, 1 nothing found, 2 error. A closed pipe is no error.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    start_logging(&cli);
    let mut stdout = Stdout::new();
    let result = run(cli, &mut stdout).and_then(|outcome| {
        stdout.flush()?;
        Ok(outcome)
    });
    if stdout.is_closed() {
        return ExitCode::SUCCESS;
    }
    match result {
        Ok(Outcome::Found) => ExitCode::SUCCESS,
        Ok(Outcome::Nothing) => ExitCode::from(1),
        Ok(Outcome::Partly) => ExitCode::from(2),
        Err(error) => {
            eprintln!("fer-index: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(cli: Cli, out: &mut Stdout) -> Result<Outcome> {
    let global = cli.global;
    let context = Context::new(global.clone())?;
    match cli.command {
        Command::Index(args) => index::run(&args, false, &context, out),
        Command::Reindex(args) => index::run(&args, true, &context, out),
        #[cfg(unix)]
        Command::Watch(args) => watch::run(&args, &context, global),
        #[cfg(unix)]
        Command::Service(args) => service::run(&args, &context, &global, out),
        #[cfg(unix)]
        Command::Status(args) => status::run(&args, &context, out),
        Command::Query(args) => query::run(&args, &context, out),
        Command::Find(args) => query::find(&args, &context, out),
        Command::Stats(args) => stats::run(&args, &context, out),
        Command::Export(args) => export::run(&args, &context, out),
        Command::Classify(args) => classify::run(&args, &context, out),
        Command::Gallery(args) => gallery::run(&args, &context, out),
        Command::Detect(args) => detect::run(&args, &context, out),
        Command::Show(args) => show::run(&args, &context, out),
        Command::Correct(args) => correct::correct(&args, &context),
        Command::Reject(args) => correct::reject(&args, &context),
        Command::Undo(args) => correct::undo(&args, &context),
        #[cfg(feature = "train")]
        Command::Dataset(args) => dataset::run(&args, &context, out),
        #[cfg(feature = "train")]
        Command::Train(args) => train::run(&args, out),
        #[cfg(feature = "train")]
        Command::Sweep(args) => sweep::run(&args, out),
        #[cfg(feature = "train")]
        Command::Evaluate(args) => evaluate::run(&args, &context, out),
        Command::Model(args) => model::run(&args, &context, out),
        Command::Config(args) => config::run(&args, &context, out),
        Command::Completions(args) => completions::run(&args, out),
    }
}

/// Logs go to standard error: warnings, with `-v` what happens, with `-vv` details. The daemon has
/// nobody else to tell what happens.
/// `FER_INDEX_LOG` holds a filter in the syntax of `tracing-subscriber` and wins.
fn start_logging(cli: &Cli) {
    #[cfg(unix)]
    let is_daemon = matches!(cli.command, Command::Watch(_));
    #[cfg(not(unix))]
    let is_daemon = false;
    let level = match (cli.global.quiet, cli.global.verbose + u8::from(is_daemon)) {
        (true, _) => "error",
        (false, 0) => "warn",
        (false, 1) => "info",
        (false, _) => "debug",
    };
    let filter = std::env::var("FER_INDEX_LOG")
        .unwrap_or_else(|_| format!("fer_index={level},fer_core={level},fer_train={level}"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .without_time()
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}
