//! `fer-index evaluate`: measures a model on labelled faces.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use comfy_table::{Table, presets};
use serde::Serialize;

use super::Outcome;
use super::context::Context;
use super::evaluate_album::{self, FiguresFormat};
use super::force::ForceArgs;
use super::model_use::is_built_in;
use super::stdout::Stdout;
use crate::classify::BUILT_IN;
use crate::error::{Error, Result};
use crate::output::Rule;
use fer_train::dataset::{Dataset, Usage};
use fer_train::evaluate::{Evaluation, Figures, Proportion, evaluate};
use fer_train::model_info::ModelInfo;
use fer_train::network::read_network;
use fer_train::plots::{ConfusionMatrix, Plot, ReliabilityDiagram, plot_files};
use fer_train::weights;

/// Measure a model on labelled faces.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct EvaluateArgs {
    #[command(subcommand)]
    command: Option<EvaluateCommand>,
    /// The model file, or `built-in`; by default the model of the settings, which is the built-in one unless
    /// changed.
    model: Option<PathBuf>,
    /// The data set, as `dataset import` writes it.
    #[arg(long, default_value = "fer2013.safetensors", value_name = "FILE")]
    data: PathBuf,
    /// The part of the data: training, public, private or all.
    #[arg(long, default_value = "public", value_name = "PART", value_parser = part)]
    usage: Part,
    /// Predict the face alone, without its mirror image.
    #[arg(long)]
    no_flip: bool,
    /// Folder for confusion matrices and reliability diagrams, as PNG and SVG.
    #[arg(long, value_name = "FOLDER")]
    plots: Option<PathBuf>,
    #[command(flatten)]
    force: ForceArgs,
    /// How to print the figures.
    #[arg(long, value_enum, default_value_t = FiguresFormat::Table)]
    format: FiguresFormat,
    /// The same as --format json.
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum EvaluateCommand {
    /// Measure the whole pipeline, from the file to the scores, on labelled photos
    Album(evaluate_album::AlbumArgs),
}

pub(super) fn run(args: &EvaluateArgs, context: &Context, out: &mut Stdout) -> Result<Outcome> {
    if let Some(EvaluateCommand::Album(args)) = &args.command {
        return evaluate_album::run(args, context, out);
    }
    let chosen = &context.config().classifier.model;
    let chosen = Some(chosen).filter(|model| !model.as_os_str().is_empty());
    let model = args.model.as_ref().or(chosen);
    let (bytes, name) = match model.filter(|model| !is_built_in(model)) {
        Some(model) => (
            Cow::Owned(weights::read_bytes(model)?),
            model.display().to_string(),
        ),
        None => (Cow::Borrowed(BUILT_IN.0), BUILT_IN.1.to_owned()),
    };
    let network = read_network(&bytes, &name)?;
    let info = ModelInfo::parse(&bytes, &name)?;
    // The metadata of another program's model do not state the training rows; assume those of FER2013.
    let trained_on = match info.train_on.as_slice() {
        [] => &[Usage::Training],
        parts => parts,
    };
    let dataset = Dataset::load(&args.data)?;
    let is_this = |hash: &str| hash == dataset.digest().to_string();
    let is_other_data = info.dataset.is_some_and(|trained_on| !is_this(&trained_on));
    let evaluation = evaluate(&network, &dataset, trained_on, args.usage.0, !args.no_flip)?;
    if let Some(folder) = &args.plots {
        let inputs = args.model.iter().chain([&args.data]).cloned();
        save_plots(&evaluation, folder, &args.force.rule(context, inputs))?;
    }
    let format = if args.json {
        FiguresFormat::Json
    } else {
        args.format
    };
    match format {
        FiguresFormat::Table => {
            if evaluation.learned {
                out.line(warning(args.usage, trained_on))?;
            }
            if is_other_data {
                out.line(OTHER_DATA)?;
            }
            print_tables(&evaluation, out)?;
        }
        FiguresFormat::Json => {
            let figures = JsonEvaluation {
                evaluation: &evaluation,
                other_data: is_other_data,
            };
            let json = serde_json::to_string_pretty(&figures)
                .map_err(|e| Error::Model(format!("cannot write the figures: {e}")))?;
            out.line(&json)?;
        }
    }
    Ok(Outcome::Found)
}

/// Printed if the model was trained on another data set, with an empty line after it.
const OTHER_DATA: &str = "The model was trained on another data set than this one. If they share faces, as two divisions of \
                          the same rows do, these figures count faces that it was trained on, and do not show how it does \
                          on other faces.\n";

#[derive(Debug, Serialize)]
struct JsonEvaluation<'a> {
    #[serde(flatten)]
    evaluation: &'a Evaluation,
    /// Whether the model file states that it was trained on another data set, which may share faces with this one.
    other_data: bool,
}

/// A part of the data set; `None` for all of it.
#[derive(Debug, Clone, Copy)]
struct Part(Option<Usage>);

/// Parses a part or `all`.
fn part(text: &str) -> std::result::Result<Part, String> {
    if text.eq_ignore_ascii_case("all") {
        return Ok(Part(None));
    }
    // The error of a part does not name `all`, which is none.
    let part = text.parse::<Usage>().map_err(|_| {
        format!("unknown part \"{text}\"; use one of training, public, private, all")
    })?;
    Ok(Part(Some(part)))
}

/// What figures on rows that a model was trained on are worth, with an empty line after it.
fn warning(measured: Part, trained_on: &[Usage]) -> String {
    let (parts, measured) = if let Some(part) = measured.0 {
        (part.to_string(), "these rows")
    } else {
        let parts: Vec<&str> = trained_on.iter().map(|part| part.name()).collect();
        (parts.join(" and "), "some of these rows")
    };
    let part = if parts.contains(" and ") {
        "parts"
    } else {
        "part"
    };
    format!(
        "The model was trained on the {part} {parts} of its data set: if {measured} are from there, the figures do not \
         show how it does on other faces.\n"
    )
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
            ConfusionMatrix::new(&title, &result.all).save(&stem("confusion", name))?;
            ReliabilityDiagram::new(&title, &result.all).save(&stem("calibration", name))
        })
    })
}

fn print_tables(evaluation: &Evaluation, out: &mut Stdout) -> Result<()> {
    for result in &evaluation.results {
        out.line(format_args!(
            "{} on {}",
            result.protocol.title(),
            evaluation.usage
        ))?;
        print_figures(&result.all, out)?;
        if let Some(unique) = &result.without_duplicates {
            out.line(format_args!(
                "without rows that it was trained on: {}",
                headline(unique)
            ))?;
        }
        out.line("")?;
    }
    Ok(())
}

/// Prints accuracy, F1 and confusion of a list of predictions.
pub(super) fn print_figures(figures: &Figures, out: &mut Stdout) -> Result<()> {
    out.line(format_args!("{}", headline(figures)))?;
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    let names: Vec<&str> = figures.emotions.iter().map(|e| e.emotion).collect();
    let columns = ["true", "correct/total", "recall", "precision", "F1"];
    table.set_header(columns.into_iter().chain(names));
    for (emotion, predicted) in figures.emotions.iter().zip(&figures.confusion) {
        let recall = &emotion.recall;
        let cells = [
            emotion.emotion.to_owned(),
            format!("{}/{}", recall.correct, recall.total),
            percent(recall),
            percent(&emotion.precision),
            format!("{:.3}", emotion.f1),
        ];
        let predicted = predicted.iter().map(usize::to_string);
        table.add_row(cells.into_iter().chain(predicted));
    }
    out.line(&table)
}

/// Accuracy, F1, recall and calibration error in one line.
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

/// A proportion with its 95 % interval, in per cent.
pub(super) fn percent(p: &Proportion) -> String {
    format!(
        "{:.1} % ({:.1}–{:.1})",
        100.0 * p.value,
        100.0 * p.low,
        100.0 * p.high
    )
}
