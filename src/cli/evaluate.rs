//! `fer-index evaluate`: measures a model on labelled faces.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use comfy_table::{Table, presets};

use super::Outcome;
use super::context::Context;
use super::evaluate_album;
use super::output::Stdout;
use super::outputs::ForceArgs;
use crate::classify::BUILT_IN;
use crate::error::{Error, Result};
use crate::output::Rule;
use fer_train::dataset::{Dataset, Usage};
use fer_train::evaluate::{Evaluation, Figures, Proportion, evaluate};
use fer_train::network::read_network;
use fer_train::plots::{Calibration, Confusion, Plot, plot_files};
use fer_train::weights;

/// Measure a model on labelled faces.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct EvaluateArgs {
    #[command(subcommand)]
    command: Option<EvaluateCommand>,
    /// The model's weights; without, the model of the settings, at first the built-in one.
    model: Option<PathBuf>,
    /// The data set, as `dataset import` writes it.
    #[arg(long, default_value = "fer2013.safetensors", value_name = "FILE")]
    data: PathBuf,
    /// The part of the data: training, public or private.
    #[arg(long, default_value = "public", value_name = "PART")]
    usage: Usage,
    /// Do not average over each face and its mirror image.
    #[arg(long)]
    no_flip: bool,
    /// Folder for plots of confusion and calibration, as PNG and SVG.
    #[arg(long, value_name = "FOLDER")]
    plots: Option<PathBuf>,
    #[command(flatten)]
    force: ForceArgs,
    /// How to print the figures.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Debug, Subcommand)]
enum EvaluateCommand {
    /// Measure everything from the file to the scores on labelled photos
    Album(evaluate_album::AlbumArgs),
}

/// How figures are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Tables to read.
    Table,
    /// Every figure, for programs.
    Json,
}

pub(super) fn run(args: &EvaluateArgs, context: &Context, out: &mut Stdout) -> Result<Outcome> {
    if let Some(EvaluateCommand::Album(args)) = &args.command {
        return evaluate_album::run(args, context, out);
    }
    let chosen = &context.config().classifier.model;
    let chosen = Some(chosen).filter(|model| !model.as_os_str().is_empty());
    let (bytes, name) = match args.model.as_ref().or(chosen) {
        Some(model) => (
            Cow::Owned(weights::read(model)?),
            model.display().to_string(),
        ),
        None => (Cow::Borrowed(BUILT_IN.0), BUILT_IN.1.to_owned()),
    };
    let network = read_network(&bytes, &name)?;
    let info = weights::describe(&bytes, &name)?;
    // A model of another program does not tell; FER2013's own division is the best guess.
    let learned = match info.train_on.as_slice() {
        [] => &[Usage::Training],
        told => told,
    };
    let dataset = Dataset::load(&args.data)?;
    let evaluation = evaluate(&network, &dataset, learned, args.usage, !args.no_flip)?;
    if let Some(folder) = &args.plots {
        let inputs = args.model.iter().chain([&args.data]).cloned();
        save_plots(&evaluation, folder, &args.force.rule(context, inputs))?;
    }
    match args.format {
        Format::Table => print_tables(&evaluation, out)?,
        Format::Json => {
            let json = serde_json::to_string_pretty(&evaluation)
                .map_err(|e| Error::Model(format!("cannot write the figures: {e}")))?;
            out.line(&json)?;
        }
    }
    Ok(Outcome::Found)
}

fn save_plots(evaluation: &Evaluation, folder: &Path, rule: &Rule<'_>) -> Result<()> {
    let stem = |plot: &str, name: &str| folder.join(format!("{plot}-{name}"));
    let names = evaluation
        .results
        .iter()
        .map(|result| result.protocol.name());
    let files: Vec<_> = names
        .flat_map(|name| ["confusion", "calibration"].map(|plot| stem(plot, name)))
        .flat_map(|stem| plot_files(&stem))
        .collect();
    rule.around(&files, || {
        evaluation.results.iter().try_for_each(|result| {
            let name = result.protocol.name();
            let title = format!("{} on {}", result.protocol.title(), evaluation.usage);
            Confusion::new(&title, &result.all).save(&stem("confusion", name))?;
            Calibration::new(&title, &result.all).save(&stem("calibration", name))
        })
    })
}

fn print_tables(evaluation: &Evaluation, out: &mut Stdout) -> Result<()> {
    if evaluation.learned {
        out.line("The model has learned from these rows: this is what it remembers, not how well it does.\n")?;
    }
    for result in &evaluation.results {
        out.line(format_args!(
            "{} on {}",
            result.protocol.title(),
            evaluation.usage
        ))?;
        print_figures(&result.all, out)?;
        if let Some(unique) = &result.without_duplicates {
            out.line(format_args!(
                "without rows that it has learned from: {}",
                headline(unique)
            ))?;
        }
        out.line("")?;
    }
    Ok(())
}

fn print_figures(figures: &Figures, out: &mut Stdout) -> Result<()> {
    out.line(format_args!("{}", headline(figures)))?;
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    let names: Vec<&str> = figures.emotions.iter().map(|e| e.emotion).collect();
    let columns = ["true", "correct/total", "recall", "precision", "F1"];
    table.set_header(columns.into_iter().chain(names));
    for (emotion, answers) in figures.emotions.iter().zip(&figures.confusion) {
        let recall = &emotion.recall;
        let cells = [
            emotion.emotion.to_owned(),
            format!("{}/{}", recall.correct, recall.total),
            percent(recall),
            percent(&emotion.precision),
            format!("{:.3}", emotion.f1),
        ];
        let answers = answers.iter().map(usize::to_string);
        table.add_row(cells.into_iter().chain(answers));
    }
    out.line(&table)
}

fn headline(figures: &Figures) -> String {
    let [low, high] = figures.macro_f1_interval;
    format!(
        "accuracy {}/{} = {}, macro-F1 {:.3} ({low:.3}–{high:.3}), macro recall {:.3}, ECE {:.3}",
        figures.accuracy.correct,
        figures.accuracy.total,
        percent(&figures.accuracy),
        figures.macro_f1,
        figures.macro_recall,
        figures.ece
    )
}

fn percent(p: &Proportion) -> String {
    format!(
        "{:.1} % ({:.1}–{:.1})",
        100.0 * p.value,
        100.0 * p.low,
        100.0 * p.high
    )
}
