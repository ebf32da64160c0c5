//! `fer-index index` and `reindex`: run the pipeline once and print a summary.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use jiff::Timestamp;

use super::context::Context;
use super::index_lock::IndexLock;
use super::interrupt::Interrupt;
use super::learn;
use super::path_list::{ListArgs, is_list};
use super::progress::Progress;
use super::stdout::Stdout;
use super::{Outcome, results, stderr};
use crate::album::resolve_root;
use crate::emotion::Emotion;
use crate::error::{Error, Result, SkipReason};
use crate::file::has_name;
use crate::pipeline::{IndexOptions, Summary, index};
use crate::store::{EMOTION_THRESHOLD, FactRules, Query, Store};

/// Number of the happiest photos printed at the end of a run.
const HAPPIEST: usize = 5;

#[derive(Debug, Args)]
pub(super) struct IndexArgs {
    /// Folders or files; - for a list on standard input [default: the setting album.roots, initially
    /// ~/Pictures]
    #[arg(value_name = "DIR", value_hint = ValueHint::AnyPath)]
    roots: Vec<PathBuf>,
    #[command(flatten)]
    list: ListArgs,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(
    args: &IndexArgs,
    again: bool,
    context: &Context,
    out: &mut Stdout,
) -> Result<Outcome> {
    let config = context.config();
    let is_from_settings = args.roots.is_empty();
    let roots = if is_from_settings {
        config.album.roots.clone()
    } else {
        args.list.expand(&args.roots)?
    };
    if roots.is_empty() {
        tracing::warn!("there is nothing to index: the list on standard input is empty");
        return Ok(Outcome::Nothing);
    }
    // Checked before the database is created, so that a mistyped folder leaves no file behind.
    let (mut present, mut absent, mut unreadable) = (Vec::new(), Vec::new(), Vec::new());
    for root in roots {
        let Err(error) = resolve_root(&root) else {
            present.push(root);
            continue;
        };
        let sentence = format!(
            "{} is not there; its photos stay in the index",
            root.display()
        );
        match Known::of(&root, &config.database)? {
            Known::Present => present.push(root),
            Known::Absent(path) if is_from_settings => absent.push((path, sentence)),
            Known::Absent(_) => unreadable.push(Error::Usage(sentence)),
            Known::No => unreadable.push(error),
        }
    }
    let roots = present;
    // A mistyped folder must be reported before hours of work; but one unreadable file in a list must not prevent the
    // others from being processed.
    let is_partial = !unreadable.is_empty();
    let is_refused = if is_from_settings {
        roots.is_empty() && absent.is_empty()
    } else {
        roots.is_empty() || !args.roots.iter().any(|root| is_list(root))
    };
    for error in unreadable {
        if is_refused {
            return Err(error);
        }
        stderr::print(format_args!("fer-index: {error}"));
    }
    let filter = context.filter()?;
    let analyser = context.analyser()?;
    let mut store = Store::open(&config.database)?;
    let _lock = IndexLock::take(store.path())?;
    for root in &roots {
        if store.is_forgotten(&super::resolve(root.clone())?)? {
            return Err(Error::Usage(format!(
                "{} was forgotten and is not indexed; fer-index forget --undo allows it again",
                root.display()
            )));
        }
    }
    for (path, sentence) in &absent {
        tracing::warn!("{sentence}");
        store.mark_offline(path)?;
    }
    store.set_fact_rules(&FactRules::from(&config.facts))?;
    let progress = Progress::new(context.quiet(), Interrupt::watch()?);
    let options = IndexOptions {
        threads: context.threads(),
        reanalyse: again,
    };
    let start = Timestamp::now();
    let result = index(&mut store, &analyser, &roots, &filter, options, &progress);
    progress.finish();
    let summary = result?;
    let interrupted = progress.interrupted();
    if interrupted.is_none() {
        // Corrections may belong to faces that were found or read anew.
        learn::follow(&mut store, context)?;
    }
    if args.json {
        out.json(&json(&summary, interrupted.is_some()))?;
    } else {
        print(&summary, out)?;
        print_skipped_before(&roots, &store, &summary, out)?;
        print_left_behind(&store, start, out)?;
    }
    if let Some((done, planned)) = interrupted {
        out.flush()?;
        stderr::print(format_args!(
            "fer-index: stopped after {done} of {}; their results are kept, and the same command continues with \
             the other {}",
            count(planned, "file"),
            planned - done
        ));
        return Ok(Outcome::Interrupted);
    }
    if !args.json && Stdout::is_terminal() {
        happiest(&store, out)?;
    }
    if is_partial {
        return Ok(Outcome::PartialFailure);
    }
    Ok(Outcome::Found)
}

/// Prints which corrections did not carry over to the pictures that have replaced theirs since a moment.
fn print_left_behind(store: &Store, since: Timestamp, out: &mut Stdout) -> Result<()> {
    const NAMED: usize = 3;
    let left = store.corrections_left_behind(since)?;
    if left.is_empty() {
        return Ok(());
    }
    let named = left
        .iter()
        .take(NAMED)
        .map(|(path, _)| path.display().to_string());
    let mut names = named.collect::<Vec<_>>().join(", ");
    if left.len() > NAMED {
        names += ", …";
    }
    out.line(format_args!(
        "{} did not carry over to what is now in place of the corrected {}: {names}; they are kept for the pictures \
         on which they were made",
        count(left.iter().map(|(_, number)| u64::from(*number)).sum(), "correction"),
        if left.len() == 1 { "photo" } else { "photos" },
    ))
}

/// What the index knows about a folder or file that does not exist, or cannot be read, at the typed path.
enum Known {
    /// It exists at the stored path; the accents of the typed one may be encoded differently.
    Present,
    /// The index has photos at this path, as of a disk that is not mounted.
    Absent(PathBuf),
    /// The index does not have it.
    No,
}

impl Known {
    fn of(root: &Path, database: &Path) -> Result<Self> {
        if !database.is_file() {
            return Ok(Self::No);
        }
        let store = Store::open_existing(database)?;
        Ok(match store.find_path(root)? {
            Some(path) if path.exists() => Self::Present,
            Some(path) if !has_name(&path) => Self::Absent(path),
            _ => Self::No,
        })
    }
}

/// Prints why an earlier run has skipped files that were named one by one; the summary only counts them as unchanged.
fn print_skipped_before(
    roots: &[PathBuf],
    store: &Store,
    summary: &Summary,
    out: &mut Stdout,
) -> Result<()> {
    if summary.unchanged == 0 {
        return Ok(());
    }
    for file in roots.iter().filter(|root| root.is_file()) {
        let stored = store.find_path(file)?;
        let outcome = stored.map(|path| store.file(&path)).transpose()?.flatten();
        let skip = match outcome {
            None => None,
            Some(Err(skip)) => Some(skip),
            Some(Ok(photo)) => store.photo(photo)?.and_then(|photo| photo.content.err()),
        };
        let Some(skip) = skip else { continue };
        let printed = summary.skipped.values().flat_map(|files| &files.first);
        if printed.clone().all(|file| file.skip != skip) {
            out.line(format_args!(
                "{} is as it was when it was skipped: {skip}",
                file.display()
            ))?;
        }
    }
    Ok(())
}

fn print(summary: &Summary, out: &mut Stdout) -> Result<()> {
    let seconds = summary.elapsed.as_secs_f64();
    let rate = if summary.photos > 0 && seconds > 0.0 {
        format!(" ({:.1} a second)", summary.photos as f64 / seconds)
    } else {
        String::new()
    };
    out.line(format_args!(
        "{} processed{rate}, {} in them; {:.1} s",
        count(summary.photos, "photo"),
        count(summary.faces, "face"),
        seconds,
    ))?;
    for (number, what) in [
        (summary.unchanged, "unchanged"),
        (summary.known - summary.metadata, "with known content"),
        (
            summary.metadata,
            "with a known picture; only their metadata were read",
        ),
        (summary.gone, "gone"),
        (summary.passed_over, "passed over: no photos by their names"),
    ] {
        if number > 0 {
            out.line(format_args!("{} {what}", count(number, "file")))?;
        }
    }
    for (reason, files) in &summary.skipped {
        out.line(format_args!(
            "{} skipped: {reason}",
            count(files.count, "file")
        ))?;
        for file in &files.first {
            out.line(format_args!(
                "    {}: {}",
                file.path.display(),
                file.skip.detail
            ))?;
        }
        let unnamed = files.count - files.first.len() as u64;
        if unnamed > 0 {
            out.line(format_args!("    … and {unnamed} more"))?;
        }
    }
    Ok(())
}

fn happiest(store: &Store, out: &mut Stdout) -> Result<()> {
    let query = Query {
        min_score: Some(EMOTION_THRESHOLD),
        limit: Some(HAPPIEST),
        ..Query::for_emotion(Emotion::Happy)
    };
    let hits = store.query(&query)?;
    if hits.is_empty() {
        return Ok(());
    }
    out.line("\nThe happiest:")?;
    results::table(&hits, out)?;
    out.line("\nMore of them: fer-index query --emotion happy --limit 20")
}

/// A number with its noun.
pub(super) fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

fn json(summary: &Summary, is_interrupted: bool) -> serde_json::Value {
    let skipped: serde_json::Map<_, _> = SkipReason::ALL
        .iter()
        .filter_map(|reason| {
            let files = summary.skipped.get(reason)?;
            Some((reason.name().to_owned(), files.count.into()))
        })
        .collect();
    let mut value = serde_json::json!({
        "photos": summary.photos,
        "faces": summary.faces,
        "known": summary.known,
        "metadata": summary.metadata,
        "unchanged": summary.unchanged,
        "gone": summary.gone,
        "passed_over": summary.passed_over,
        "skipped": skipped,
        "seconds": summary.elapsed.as_secs_f64(),
    });
    if is_interrupted {
        value["interrupted"] = true.into();
    }
    value
}
