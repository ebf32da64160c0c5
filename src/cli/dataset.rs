//! `fer-index dataset import`: FER2013 and FER+ become one file.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use comfy_table::{Table, presets};

use crate::emotion::Emotion;
use crate::error::Error;
use crate::train::dataset::{ImportOptions, Summary, import};

/// Work with data sets.
#[derive(Debug, Args)]
pub struct DatasetArgs {
    #[command(subcommand)]
    command: DatasetCommand,
}

#[derive(Debug, Subcommand)]
enum DatasetCommand {
    /// Check fer2013.csv (plain, .xz or .gz) and write it as one file for `train` and `evaluate`.
    Import(ImportArgs),
}

#[derive(Debug, Args)]
struct ImportArgs {
    /// Kaggle's fer2013.csv.
    fer2013: PathBuf,
    /// FER+'s fer2013new.csv.
    #[arg(long, value_name = "FILE")]
    ferplus: Option<PathBuf>,
    /// Keep only these emotions, such as angry,happy,sad,neutral.
    #[arg(long, value_delimiter = ',', value_name = "EMOTION,…")]
    emotions: Vec<Emotion>,
    /// Divide all rows anew: this share becomes training rows, the rest validation rows.
    #[arg(long, value_name = "SHARE")]
    train_fraction: Option<f64>,
    /// Seed of the new division.
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,
    /// The file to write.
    #[arg(long, default_value = "fer2013.safetensors", value_name = "FILE")]
    out: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// If the input is not as it must be, or the output cannot be written.
pub fn run(args: &DatasetArgs) -> Result<ExitCode, Error> {
    let DatasetCommand::Import(args) = &args.command;
    let options = ImportOptions {
        ferplus: args.ferplus.clone(),
        emotions: args.emotions.clone(),
        train_fraction: args.train_fraction,
        seed: args.seed,
    };
    let dataset = import(&args.fer2013, &options)?;
    dataset.save(&args.out)?;
    print_summary(&dataset.summary());
    println!("written to {}", args.out.display());
    Ok(ExitCode::SUCCESS)
}

fn print_summary(summary: &Summary) {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    let names = summary.emotions.iter().copied();
    table.set_header(["part", "rows"].into_iter().chain(names));
    for (part, counts) in &summary.parts {
        let total = counts.iter().sum::<usize>().to_string();
        let counts = counts.iter().map(usize::to_string);
        table.add_row([(*part).to_owned(), total].into_iter().chain(counts));
    }
    println!("{table}");
    println!("{} rows have FER+ votes", summary.with_votes);
    for leak in &summary.duplicates {
        println!(
            "{} {} rows have the pixels of a {} row",
            leak.rows, leak.of, leak.also_in
        );
    }
}
