//! `fer-index dataset`: imports FER2013 and FER+ into one file, and cuts faces from labelled photos.

use std::path::PathBuf;
use std::slice::from_ref;

use clap::{Args, Subcommand};
use comfy_table::{Table, presets};
use indicatif::ProgressBar;

use super::Outcome;
use super::context::Context;
use super::evaluate_album::print_unreadable;
use super::force::ForceArgs;
use super::stdout::Stdout;
use crate::emotion::Emotion;
use crate::error::{Error, Result};
use crate::evaluation::{AlbumLabels, cut_faces};
use fer_train::dataset::{ImportOptions, Summary, import};

/// Import data sets for training and evaluation.
#[derive(Debug, Args)]
pub(super) struct DatasetArgs {
    #[command(subcommand)]
    command: DatasetCommand,
}

#[derive(Debug, Subcommand)]
enum DatasetCommand {
    /// Check Kaggle's fer2013.csv or `icml_face_data.csv` (plain, .xz, .gz, .tar.gz or .zip), or folders of pictures by
    /// emotion, and write them as one file for `train` and `evaluate`.
    Import(ImportArgs),
    /// Cut the largest face from each of some labelled photos, for `model photo-head`.
    Photos(PhotosArgs),
}

#[derive(Debug, Args)]
struct PhotosArgs {
    /// The folder of the photos.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// CSV file with a column `file`, and a column `emotion` or a 0/1 column `smile`; optionally `person`.
    #[arg(long, value_name = "FILE")]
    labels: PathBuf,
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    force: ForceArgs,
}

#[derive(Debug, Args)]
struct ImportArgs {
    /// Kaggle's fer2013.csv, or a folder such as one with train/angry and test/angry.
    fer2013: PathBuf,
    /// FER+'s fer2013new.csv.
    #[arg(long, value_name = "FILE")]
    ferplus: Option<PathBuf>,
    /// Keep only these emotions, such as angry,happy,sad,neutral.
    #[arg(long, value_delimiter = ',', value_name = "EMOTION,…")]
    emotions: Vec<Emotion>,
    /// Divide all rows at random: this share becomes training rows, the rest validation rows.
    #[arg(long, value_name = "SHARE")]
    train_fraction: Option<f64>,
    /// Seed of the random division.
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,
    /// The file to write.
    #[arg(long, default_value = "fer2013.safetensors", value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    force: ForceArgs,
}

pub(super) fn run(args: &DatasetArgs, context: &Context, out: &mut Stdout) -> Result<Outcome> {
    match &args.command {
        DatasetCommand::Import(args) => import_csv(args, context, out),
        DatasetCommand::Photos(args) => photos(args, context, out),
    }
}

fn photos(args: &PhotosArgs, context: &Context, out: &mut Stdout) -> Result<Outcome> {
    let labels = AlbumLabels::read(&args.labels)?;
    let threshold = context.config().detector.threshold;
    let analyser = context.local_analyser(threshold)?;
    let bar = if context.quiet() {
        ProgressBar::hidden()
    } else {
        ProgressBar::new(labels.len())
    };
    let rule = args.force.rule(context, [args.labels.clone()]);
    let (count, unreadable, faceless) = rule.around(from_ref(&args.out), || {
        let done = || bar.inc(1);
        let cut = cut_faces(&analyser, &args.folder, &labels, threshold, done);
        bar.finish_and_clear();
        let (faces, unreadable, faceless) = cut?;
        print_unreadable(&args.folder, &unreadable);
        if faces.0.is_empty() {
            return Err(Error::Usage(format!(
                "none of the photos that {} names was found in {} with a face; name the folder from which its paths start",
                args.labels.display(),
                args.folder.display()
            )));
        }
        faces.save(&args.out)?;
        Ok((faces.0.len(), unreadable.len(), faceless))
    })?;
    let file = args.out.display();
    out.line(format_args!(
        "{count} faces written to {file}; {unreadable} photos could not be read, and {faceless} show no face"
    ))?;
    Ok(Outcome::Found)
}

fn import_csv(args: &ImportArgs, context: &Context, out: &mut Stdout) -> Result<Outcome> {
    let options = ImportOptions {
        ferplus: args.ferplus.clone(),
        emotions: args.emotions.clone(),
        train_fraction: args.train_fraction,
        seed: args.seed,
    };
    let inputs = args.ferplus.iter().chain([&args.fer2013]).cloned();
    let rule = args.force.rule(context, inputs);
    let dataset = rule.around(from_ref(&args.out), || {
        let dataset = import(&args.fer2013, &options)?;
        dataset.save(&args.out)?;
        Ok(dataset)
    })?;
    print_summary(&dataset.summary(), out)?;
    out.line(format_args!("written to {}", args.out.display()))?;
    Ok(Outcome::Found)
}

fn print_summary(summary: &Summary, out: &mut Stdout) -> Result<()> {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    let names = summary.emotions.iter().copied();
    table.set_header(["part", "rows"].into_iter().chain(names));
    for (part, counts) in &summary.parts {
        let total = counts.iter().sum::<usize>().to_string();
        let counts = counts.iter().map(usize::to_string);
        table.add_row([(*part).to_owned(), total].into_iter().chain(counts));
    }
    out.line(&table)?;
    out.line(format_args!("{} rows have FER+ votes", summary.with_votes))?;
    for leak in &summary.duplicates {
        out.line(format_args!(
            "{} {} rows have the pixels of a {} row",
            leak.rows, leak.of, leak.also_in
        ))?;
    }
    Ok(())
}
