//! `fer-index evaluate album`: measures the whole pipeline on labelled photos.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use comfy_table::{Table, presets};
use indicatif::ProgressBar;

use super::Outcome;
use super::context::Context;
use super::stdout::Stdout;
use crate::error::Result;
use crate::evaluation::{AlbumFigures, AlbumLabels, evaluate_album};

/// The detector returns faces with at least this score, so that higher thresholds can be compared.
const LOWEST_THRESHOLD: f32 = 0.3;

/// The form in which `evaluate` and `evaluate album` print their figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FiguresFormat {
    /// Tables to read.
    Table,
    /// Every figure, for programs.
    Json,
}

#[derive(Debug, Args)]
pub(super) struct AlbumArgs {
    /// The folder of the photos.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// CSV file with a column `file`, and either 0/1 columns named after emotions (`smile` is happy) or
    /// columns xmin, ymin, xmax, ymax and optionally state, with one face a row.
    #[arg(long, value_name = "FILE")]
    labels: PathBuf,
    /// How to print the figures.
    #[arg(long, value_enum, default_value_t = FiguresFormat::Table)]
    format: FiguresFormat,
    /// The same as --format json.
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

pub(super) fn run(args: &AlbumArgs, context: &Context, out: &mut Stdout) -> Result<Outcome> {
    let labels = AlbumLabels::read(&args.labels)?;
    let analyser = context.analyser_from(LOWEST_THRESHOLD)?;
    let bar = if context.quiet() {
        ProgressBar::hidden()
    } else {
        ProgressBar::new(labels.len())
    };
    let threshold = context.config().detector.threshold;
    let figures = evaluate_album(&analyser, &args.folder, &labels, threshold, || bar.inc(1));
    bar.finish_and_clear();
    let figures = figures?;
    let format = if args.json {
        FiguresFormat::Json
    } else {
        args.format
    };
    match format {
        FiguresFormat::Table => print_figures(&figures, out)?,
        FiguresFormat::Json => out.json(&figures)?,
    }
    Ok(Outcome::Found)
}

/// Prints the figures as text, and as a table those of the labelled boxes.
fn print_figures(figures: &AlbumFigures, out: &mut Stdout) -> Result<()> {
    let percent = |part: usize, whole: usize| 100.0 * part as f64 / whole.max(1) as f64;
    out.line(format_args!(
        "a face is found in {} of {} photos = {:.2} %; {} could not be read",
        figures.with_face,
        figures.photos,
        percent(figures.with_face, figures.photos),
        figures.unreadable,
    ))?;
    for ranking in &figures.ranking {
        out.line(format_args!(
            "{}: average precision {:.4} over {} photos that show it",
            ranking.emotion, ranking.average_precision, ranking.positives,
        ))?;
    }
    let Some(first) = figures.boxes.first() else {
        return Ok(());
    };
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    let kinds = first
        .found
        .keys()
        .map(|kind| if kind.is_empty() { "faces" } else { kind });
    let header = std::iter::once("score from")
        .chain(kinds)
        .chain(["unlabelled a photo"]);
    table.set_header(header);
    for row in &figures.boxes {
        let found = row
            .found
            .values()
            .map(|&(found, all)| format!("{found}/{all} = {:.1} %", percent(found, all)));
        let cells = std::iter::once(format!("{:.1}", row.threshold)).chain(found);
        table.add_row(cells.chain([format!("{:.3}", row.unlabelled_per_photo)]));
    }
    out.line(&table)
}
