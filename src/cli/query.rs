//! `fer-index query`.

use std::path::PathBuf;
#[cfg(unix)]
use std::time::Duration;

use clap::{Args, ValueEnum};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::Outcome;
use super::context::Context;
use super::date::{DateSpan, parse_span};
use super::json::{JsonHit, date};
use super::output::Stdout;
#[cfg(unix)]
use crate::config::Config;
#[cfg(unix)]
use crate::daemon;
use crate::emotion::Emotion;
use crate::error::{Error, Result};
use crate::store::{Hit, Query, Store};

#[derive(Debug, Args)]
pub(super) struct QueryArgs {
    /// angry, disgust, fear, happy, sad, surprise, neutral or contempt
    #[arg(long, short, value_name = "EMOTION")]
    emotion: Emotion,
    /// How many photos at most [default: the setting query.limit, at first 20]
    #[arg(long, short = 'n', value_name = "N")]
    limit: Option<usize>,
    /// Taken then or later: 2019, 2019-07, 2019-07-14 or "2019-07-14 12:30"
    #[arg(long, value_name = "DATE", value_parser = parse_span)]
    since: Option<DateSpan>,
    /// Taken then or earlier; a year, month or day counts to its end
    #[arg(long, value_name = "DATE", value_parser = parse_span)]
    until: Option<DateSpan>,
    /// In or below this folder
    #[arg(long, value_name = "DIR")]
    under: Option<PathBuf>,
    /// Least probability of the emotion, 0 to 1
    #[arg(long, value_name = "P", default_value = "0", value_parser = parse_probability)]
    min_score: f32,
    /// Least detection score of a face that counts, 0 to 1 [default: the setting, at first 0.6]
    #[arg(long, value_name = "P", value_parser = parse_probability)]
    min_detection: Option<f32>,
    /// First wait until everything that was closed before now is in the index; needs the daemon
    #[cfg(unix)]
    #[arg(long)]
    fresh: bool,
    /// For how many seconds to wait at most with --fresh
    #[cfg(unix)]
    #[arg(long, value_name = "SECONDS", default_value = "30", requires = "fresh")]
    fresh_within: u32,
    /// How to print [default: table on a terminal, else paths]
    #[arg(long, short, value_enum)]
    format: Option<Format>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Aligned columns for a person
    Table,
    /// One array
    Json,
    /// One object a line
    Jsonl,
    /// A header and a row each
    Csv,
    /// One path a line
    Paths,
}

fn parse_probability(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => Err("a probability lies between 0 and 1".to_owned()),
    }
}

pub(super) fn run(args: &QueryArgs, context: &Context, out: &mut Stdout) -> Result<Outcome> {
    let config = context.config();
    #[cfg(unix)]
    if args.fresh {
        wait_until_fresh(config, args.fresh_within)?;
    }
    let store = Store::open_existing(&config.database)?;
    let query = Query {
        min_score: args.min_score,
        since: args.since.map(|span| span.start),
        until: args.until.map(|span| span.end),
        under: args.under.clone().map(resolve).transpose()?,
        limit: args.limit.unwrap_or(config.query.limit),
        min_detection: args.min_detection.unwrap_or(config.query.min_detection),
        ..Query::for_emotion(args.emotion)
    };
    let hits = store.query(&query)?;
    let default = if Stdout::is_terminal() {
        Format::Table
    } else {
        Format::Paths
    };
    match args.format.unwrap_or(default) {
        Format::Table if hits.is_empty() => {}
        Format::Table => table(&hits, out)?,
        Format::Json => out.json_array(hits.iter().map(JsonHit::of))?,
        Format::Jsonl => hits
            .iter()
            .try_for_each(|hit| out.json(&JsonHit::of(hit)))?,
        Format::Csv => csv(&hits, out)?,
        Format::Paths => hits.iter().try_for_each(|hit| out.path(&hit.path))?,
    }
    if hits.is_empty() {
        tracing::warn!("no photo matches");
        return Ok(Outcome::Nothing);
    }
    Ok(Outcome::Found)
}

#[cfg(unix)]
fn wait_until_fresh(config: &Config, seconds: u32) -> Result<()> {
    let limit = Duration::from_secs(seconds.max(1).into());
    daemon::wait_until_fresh(&config.database, limit)?.ok_or_else(|| {
        Error::Usage(
            "no daemon runs that could tell; start fer-index watch, or run fer-index index".into(),
        )
    })
}

/// A folder as the index names it: absolute and without links, or as it was if it is gone.
pub(super) fn resolve(folder: PathBuf) -> Result<PathBuf> {
    folder.canonicalize().or_else(|_| {
        std::path::absolute(&folder).map_err(|source| Error::Io {
            path: folder,
            source,
        })
    })
}

/// Prints photos as aligned columns.
pub(super) fn table(hits: &[Hit], out: &mut Stdout) -> Result<()> {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(["score", "taken", "faces", "path"]);
    for hit in hits {
        let taken = hit
            .scan
            .capture
            .taken_at
            .map(|taken| taken.local.date().to_string());
        table.add_row([
            hit.shown
                .map(|shown| format!("{:.1} %", 100.0 * shown.score))
                .unwrap_or_default(),
            taken.unwrap_or_default(),
            hit.scan.faces.len().to_string(),
            hit.path.display().to_string(),
        ]);
    }
    for column in [0, 2] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    out.line(table.trim_fmt())
}

fn csv(hits: &[Hit], out: &mut Stdout) -> Result<()> {
    out.with(|stdout| {
        let mut writer = csv::Writer::from_writer(stdout);
        writer.write_record([
            "path", "score", "emotion", "taken_at", "width", "height", "faces",
        ])?;
        for hit in hits {
            let taken_at = hit
                .scan
                .capture
                .taken_at
                .as_ref()
                .map(date)
                .unwrap_or_default();
            writer.write_record([
                hit.path.as_os_str().as_encoded_bytes(),
                hit.shown
                    .map(|shown| shown.score.to_string())
                    .unwrap_or_default()
                    .as_bytes(),
                hit.shown
                    .map_or("", |shown| shown.emotion.name())
                    .as_bytes(),
                taken_at.as_bytes(),
                hit.scan.width.to_string().as_bytes(),
                hit.scan.height.to_string().as_bytes(),
                hit.scan.faces.len().to_string().as_bytes(),
            ])?;
        }
        writer.flush()
    })
}
