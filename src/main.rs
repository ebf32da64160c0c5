//! The temporary entry of this branch.
#![allow(clippy::print_stderr)]

use std::process::ExitCode;

use clap::Parser;
use fer_index::cli::{dataset, evaluate, train};

#[derive(Parser)]
enum Cli {
    Dataset(dataset::DatasetArgs),
    Train(train::TrainArgs),
    Evaluate(evaluate::EvaluateArgs),
}

fn main() -> ExitCode {
    let result = match Cli::parse() {
        Cli::Dataset(args) => dataset::run(&args),
        Cli::Train(args) => train::run(&args),
        Cli::Evaluate(args) => evaluate::run(&args),
    };
    result.unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::FAILURE
    })
}
