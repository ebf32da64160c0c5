//! The command line: one file per command. No other module prints.

mod backup;
mod bench;
mod classify;
mod complete;
mod completions;
mod config;
mod context;
mod correct;
mod corrections;
#[cfg(feature = "train")]
mod dataset;
#[cfg(unix)]
mod decoder;
mod detect;
mod doctor;
mod draw;
mod drawings;
#[cfg(feature = "train")]
mod epochs;
#[cfg(feature = "train")]
mod evaluate;
#[cfg(feature = "train")]
mod evaluate_album;
mod everything;
mod export;
#[cfg(unix)]
mod file_limit;
mod filter_args;
mod force;
mod forget;
#[cfg(unix)]
mod fresh;
mod gallery;
mod index;
mod index_lock;
mod interrupt;
mod json;
mod learn;
mod man;
mod model;
#[cfg(feature = "train")]
mod model_list;
#[cfg(feature = "train")]
mod model_tools;
mod model_use;
mod path_list;
mod progress;
mod query;
mod results;
#[cfg(unix)]
mod service;
mod show;
mod sources;
mod stats;
#[cfg(unix)]
mod status;
mod stderr;
mod stdout;
mod suggest;
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

use clap::{Args, CommandFactory as _, Parser, Subcommand};

use crate::error::{Error, Result};
use crate::real_path::meant_path;
use context::Context;
use stdout::Stdout;

/// Finds the faces in your photos, classifies their apparent expressions, and searches the photos by
/// them. Everything runs on this machine; nothing leaves it.
///
/// Exit codes: 0 success, 1 nothing found, 2 error, 3 `doctor` found faults, 130 interrupted.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    global: GlobalArgs,
    #[command(subcommand)]
    command: Command,
}

/// The options of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options of all commands")]
struct GlobalArgs {
    /// The database of the index [default: the setting database, initially
    /// ~/.local/share/fer-index/index.sqlite3 on Linux]
    #[arg(long, global = true, value_name = "FILE")]
    database: Option<PathBuf>,
    /// Read the settings from this file instead of your settings file
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "FER_INDEX_CONFIG",
        hide_env_values = true
    )]
    config: Option<PathBuf>,
    /// The emotion model, a .safetensors file [default: the setting classifier.model, initially the
    /// built-in model]
    #[arg(
        id = "emotion_model",
        long = "model",
        global = true,
        value_name = "FILE"
    )]
    model: Option<PathBuf>,
    /// Number of worker threads; 0 for one per processor [default: the setting threads, initially 0]
    #[arg(long, global = true, value_name = "N")]
    threads: Option<usize>,
    /// Print more messages to standard error; given twice, also details
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Print only errors to standard error
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Index photos: process new and changed files, remove deleted files from the results
    Index(index::IndexArgs),
    /// Process all photos again, even unchanged ones, such as after a change of settings
    Reindex(index::IndexArgs),
    /// Watch folders and keep the index up to date until Ctrl-C
    #[cfg(unix)]
    Watch(watch::WatchArgs),
    /// Install `watch` as a service that starts at every login
    #[cfg(unix)]
    Service(service::ServiceArgs),
    /// Print whether the folders are watched, how many files are queued, and what the index contains
    #[cfg(unix)]
    Status(status::StatusArgs),
    /// Check the database; --repair corrects derived rows, --recover saves what can be read of a damaged one
    Doctor(doctor::DoctorArgs),
    /// Write a copy of the index to a file, also while `watch` is running
    Backup(backup::BackupArgs),
    /// Replace the index by a copy that `backup` has written
    Restore(backup::RestoreArgs),
    /// Find photos by emotion, date, place, camera, words and more
    Query(query::QueryArgs),
    /// Find photos by a description in plain words: happy vacation photos in italy last summer
    Find(query::FindArgs),
    /// Count the faces that show each emotion, by year, month, folder or place
    Stats(stats::StatsArgs),
    /// Write the emotions of photos as keywords into XMP sidecars, for other programs
    Export(export::ExportArgs),
    /// Find and classify the faces in files, without the index
    Classify(classify::ClassifyArgs),
    /// Browse, search and correct the photos in a web browser
    Gallery(gallery::GalleryArgs),
    /// Find the faces in files without classifying them; --draw draws them
    Detect(detect::DetectArgs),
    /// Print everything that the index holds on a photo
    Show(show::ShowArgs),
    /// Correct the emotion of faces; a correction takes precedence over every model
    Correct(correct::CorrectArgs),
    /// Mark faces as not being faces
    Reject(correct::FaceArgs),
    /// Remove the corrections of faces, so that the model's scores apply again
    Undo(correct::FaceArgs),
    /// Adjust the scores of all faces to your corrections, or restore those of the network
    Learn(learn::LearnArgs),
    /// Remove every trace of a folder, photo or person's name from the index, and keep it from coming back
    Forget(forget::ForgetArgs),
    /// Write all corrections to a file, or read them from one
    Corrections(corrections::CorrectionsArgs),
    /// Import training data
    #[cfg(feature = "train")]
    Dataset(dataset::DatasetArgs),
    /// Train a network from a recipe; resumes an interrupted run
    #[cfg(feature = "train")]
    Train(train::TrainArgs),
    /// Train with every combination of some settings, and compare the runs in a table and plots
    #[cfg(feature = "train")]
    Sweep(sweep::SweepArgs),
    /// Measure a model on labelled faces
    #[cfg(feature = "train")]
    Evaluate(evaluate::EvaluateArgs),
    /// List, inspect and choose emotion models
    Model(model::ModelArgs),
    /// Measure the time per photo on this machine, stage by stage, without touching the index
    Bench(bench::BenchArgs),
    /// Print the settings in effect and their origins, or the path of your settings file
    Config(config::ConfigArgs),
    /// Decode photos for another fer-index, which starts this command itself
    #[cfg(unix)]
    #[command(hide = true)]
    Decoder,
    /// Propose values of a flag, for completion scripts
    #[command(hide = true)]
    Complete(complete::CompleteArgs),
    /// Print a completion script for a shell
    Completions(completions::CompletionsArgs),
    /// Print a manual page: fer-index man fer-index-query | man -l -
    Man(man::ManArgs),
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Success, with a result.
    Found,
    /// Success, but there was nothing to find or to do.
    Nothing,
    /// Some files failed, each with a message; the others were processed.
    PartialFailure,
    /// The database was examined and has faults.
    Faulty,
    /// Ctrl-C ended the work before all was done; what was done is kept.
    Interrupted,
}

/// The path under which `index` would store a new folder or file: absolute, with symbolic links resolved and, as far as it
/// exists, each name as its folder spells it.
/// [`Store::find_path`](crate::store::Store::find_path) finds paths that are stored already.
fn resolve(folder: PathBuf) -> Result<PathBuf> {
    meant_path(&folder).map_err(|source| Error::Io {
        path: folder,
        source,
    })
}

/// Runs the command line of this process.
///
/// Exit codes: 0 success, 1 nothing found, 2 error, 3 `doctor` found faults, 130 interrupted. A closed pipe is not an
/// error.
pub fn main() -> ExitCode {
    let cli = Cli::try_parse().unwrap_or_else(|error| {
        suggest::explained(error, &Cli::command(), std::env::args_os().skip(1)).exit()
    });
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
        Ok(Outcome::PartialFailure) => ExitCode::from(2),
        Ok(Outcome::Faulty) => ExitCode::from(3),
        Ok(Outcome::Interrupted) => ExitCode::from(130),
        Err(error) => {
            stderr::print(format_args!("fer-index: {error}"));
            ExitCode::from(2)
        }
    }
}

fn run(cli: Cli, out: &mut Stdout) -> Result<Outcome> {
    let global = cli.global;
    #[cfg(unix)]
    if matches!(cli.command, Command::Decoder) {
        // Before anything else is read or opened, since a decoding process has neither settings nor a home folder.
        return crate::pipeline::serve(None).map(|()| Outcome::Found);
    }
    #[cfg(unix)]
    file_limit::report();
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
        Command::Doctor(args) => doctor::run(&args, &context, out),
        Command::Backup(args) => backup::backup(&args, &context, out),
        Command::Restore(args) => backup::restore(&args, &context, out),
        Command::Query(args) => query::run(&args, &context, out),
        Command::Find(args) => query::find(&args, &context, out),
        Command::Stats(args) => stats::run(&args, &context, out),
        Command::Export(args) => export::run(&args, &context, out),
        Command::Classify(args) => classify::run(&args, &context, out),
        Command::Gallery(args) => gallery::run(&args, &context, out),
        Command::Detect(args) => detect::run(&args, &context, out),
        Command::Show(args) => show::run(&args, &context, out),
        Command::Correct(args) => correct::correct(&args, &context, out),
        Command::Reject(args) => correct::reject(&args, &context, out),
        Command::Undo(args) => correct::undo(&args, &context, out),
        Command::Learn(args) => learn::run(&args, &context, out),
        Command::Forget(args) => forget::run(&args, &context, out),
        Command::Corrections(args) => corrections::run(&args, &context, out),
        #[cfg(feature = "train")]
        Command::Dataset(args) => dataset::run(&args, &context, out),
        #[cfg(feature = "train")]
        Command::Train(args) => train::run(&args, out),
        #[cfg(feature = "train")]
        Command::Sweep(args) => sweep::run(&args, out),
        #[cfg(feature = "train")]
        Command::Evaluate(args) => evaluate::run(&args, &context, out),
        Command::Model(args) => model::run(&args, &context, out),
        Command::Bench(args) => bench::run(&args, &context, out),
        Command::Config(args) => config::run(&args, &context, out),
        #[cfg(unix)]
        Command::Decoder => Ok(Outcome::Found),
        Command::Complete(args) => complete::run(&args, &context, out),
        Command::Completions(args) => completions::run(&args, out),
        Command::Man(args) => man::run(&args, out),
    }
}

/// Whether the environment asks for output without colours (<https://no-color.org>). clap and the progress bar
/// check this themselves.
fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// Starts logging to standard error: warnings, with `-v` also information, with `-vv` also details. The daemon logs
/// one level more, since its log is its only output. A filter in `FER_INDEX_LOG`, in the syntax of
/// `tracing-subscriber`, takes precedence.
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
        // Reporting an unwritable standard error to standard error itself would end the process.
        .log_internal_errors(false)
        .with_target(false)
        .without_time()
        .with_ansi(std::io::stderr().is_terminal() && !no_color())
        .init();
}
