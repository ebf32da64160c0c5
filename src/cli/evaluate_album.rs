//! `fer-index evaluate album`: measures the whole pipeline on labelled photos.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use comfy_table::{Table, presets};
use indicatif::ProgressBar;

use super::Outcome;
use super::context::Context;
use super::evaluate::{percent, print_figures as print_all};
use super::stderr;
use super::stdout::Stdout;
use crate::emotion::Emotion;
use crate::error::Result;
use crate::evaluation::{
    AlbumFigures, AlbumLabels, AlbumMeasures, BoxFigures, GroupFigures, UnreadablePhoto,
    evaluate_album,
};
use fer_train::evaluate::{Estimate, ExpressionFigures};

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
    /// CSV file with a column `file`, and any of: a column `emotion` (of the largest face) and optionally `person`;
    /// 0/1 columns named after emotions (`smile` is happy); columns xmin, ymin, xmax, ymax and optionally state,
    /// with one face a row, and optionally the eyes (`left_eye_x` to `right_eye_y`) and the emotion of the face. Values are
    /// separated by commas or semicolons.
    #[arg(long, value_name = "FILE")]
    labels: PathBuf,
    /// Also print the figures of each group by this column of the labels; a column of many numbers is
    /// divided into quarters.
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    by: Vec<String>,
    /// Leave photos with these labels in the column `emotion` out of its figures.
    #[arg(long, value_name = "EMOTION", value_delimiter = ',')]
    leave_out: Vec<Emotion>,
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
    let measures = AlbumMeasures {
        by: args.by.clone(),
        leave_out: args.leave_out.clone(),
    };
    let done = || bar.inc(1);
    let figures = evaluate_album(&analyser, &args.folder, &labels, threshold, &measures, done);
    bar.finish_and_clear();
    let figures = figures?;
    let format = if args.json {
        FiguresFormat::Json
    } else {
        args.format
    };
    match format {
        FiguresFormat::Table => {
            print_unreadable(&args.folder, &figures.unreadable_photos);
            print_figures(&figures, threshold, out)?;
        }
        FiguresFormat::Json => out.json(&figures)?,
    }
    Ok(if figures.unreadable == 0 {
        Outcome::Found
    } else {
        Outcome::PartialFailure
    })
}

/// Names the labelled photos of a folder that could not be read, and says why.
pub(super) fn print_unreadable(folder: &Path, photos: &[UnreadablePhoto]) {
    for photo in photos {
        let path = folder.join(&photo.file);
        stderr::print(format_args!(
            "fer-index: {}: {}",
            path.display(),
            photo.reason
        ));
    }
}

/// Prints the figures as text, and as tables those of the labelled boxes.
fn print_figures(figures: &AlbumFigures, threshold: f32, out: &mut Stdout) -> Result<()> {
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
    if let Some(expressions) = &figures.expressions {
        print_expressions(expressions, out)?;
    }
    if !figures.groups.is_empty() {
        out.line(groups_table(&figures.groups))?;
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
    out.line(&table)?;
    match figures.boxes.iter().find(|row| row.threshold >= threshold) {
        Some(row) if !row.marks.is_empty() => out.line(marks_table(row)),
        _ => Ok(()),
    }
}

/// A row for each kind of labelled faces with eyes: how many are found with them, and with the labelled emotion.
fn marks_table(row: &BoxFigures) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    let from = format!("found from {:.1}", row.threshold);
    table.set_header(["faces", &from, "eyes", "emotion"]);
    for (kind, marks) in &row.marks {
        let share = |part| {
            let percent = 100.0 * part as f64 / marks.faces.max(1) as f64;
            format!("{part}/{} = {percent:.1} %", marks.faces)
        };
        let found = row.found[kind].0;
        table.add_row([
            kind.clone(),
            share(found),
            share(marks.eyes),
            share(marks.emotion),
        ]);
    }
    table
}

/// Prints how well the scores of the largest faces agree with the labelled emotions.
pub(super) fn print_expressions(figures: &ExpressionFigures, out: &mut Stdout) -> Result<()> {
    out.line(format_args!(
        "\nlargest faces: {} with a labelled emotion, of {} people; intervals are 95 % over people",
        figures.faces, figures.people
    ))?;
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header([
        "figure",
        "value",
        "95 % interval",
        "five folds of people",
        "faces",
        "highest score",
    ]);
    let row = |name: String, estimate: &Estimate, faces: String, highest: String| {
        let folds: Vec<String> = estimate.folds.iter().map(|v| format!("{v:.3}")).collect();
        [
            name,
            format!("{:.3}", estimate.value),
            format!("{:.3}–{:.3}", estimate.low, estimate.high),
            folds.join(" "),
            faces,
            highest,
        ]
    };
    let recall = "macro recall of angry, happy, sad, neutral".to_owned();
    table.add_row(row(
        recall,
        &figures.macro_recall,
        String::new(),
        String::new(),
    ));
    for ranked in &figures.ranking {
        let name = format!("average precision of {}", ranked.emotion);
        let (faces, highest) = (
            ranked.positives.to_string(),
            format!("{:.3}", ranked.highest),
        );
        table.add_row(row(name, &ranked.average_precision, faces, highest));
    }
    let ece = "calibration error (ECE) of the top emotion".to_owned();
    table.add_row(row(ece, &figures.ece, String::new(), String::new()));
    out.line(&table)?;
    print_all(&figures.all, out)?;
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(["mean score of the top emotion", "correct", "faces"]);
    for bin in &figures.all.calibration {
        table.add_row([
            format!("{:.3}", bin.confidence),
            format!("{:.3}", bin.accuracy),
            bin.rows.to_string(),
        ]);
    }
    out.line(&table)
}

/// A row for each group and label, with the shares of the faces that are read as each emotion.
fn groups_table(groups: &[GroupFigures]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    let names = Emotion::ALL.iter().map(|emotion| emotion.name());
    table.set_header(
        ["group", "labelled", "faces"]
            .into_iter()
            .chain(names.clone()),
    );
    for group in groups {
        let cells = [
            format!("{} {}", group.column, group.group),
            group.labelled.clone(),
            group.faces.to_string(),
        ];
        let shares = names.clone().map(|name| percent(&group.read[name]));
        table.add_row(cells.into_iter().chain(shares));
    }
    table
}
