//! `fer-index status`: prints the state of the daemon and the contents of the index.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::Outcome;
use super::context::Context;
use super::decoder::Decoding;
use super::index::count;
use super::json::JsonPath;
use super::learn::JsonLearning;
use super::sources::{date_source_in_words, source_in_words};
use super::stdout::Stdout;
use crate::daemon::{self, Activity, RootState, RootStatus, Status};
use crate::error::{Result, Skip};
use crate::store::Store;

#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    /// Also print the skipped files, each with the reason
    #[arg(long)]
    skipped: bool,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &StatusArgs, context: &Context, out: &mut Stdout) -> Result<Outcome> {
    let database = &context.config().database;
    let store = Store::open_existing(database)?;
    // What the database says is worth printing beside a daemon that does not answer.
    let (activity, unanswered) = match daemon::activity(database) {
        Ok(activity) => (activity, None),
        Err(error) => (None, Some(error.to_string())),
    };
    let mut status = Status::of(&store, activity)?;
    status.running |= unanswered.is_some();
    let learning = store.learning()?;
    let skipped = if args.skipped {
        Some(store.skipped()?)
    } else {
        None
    };
    if args.json {
        let skipped_files = skipped.map(|files| files.iter().map(JsonSkipped::of).collect());
        out.json(&JsonStatus {
            status,
            unanswered: unanswered.as_deref(),
            learning: JsonLearning::of(&learning),
            decoding: Decoding::of(context),
            skipped_files,
        })?;
    } else {
        match (&status.daemon, &unanswered) {
            (Some(daemon), _) => print_daemon(daemon, out)?,
            (None, Some(sentence)) => out.line(format_args!("daemon    {sentence}"))?,
            (None, None) => out.line("daemon    not running; start it with fer-index watch")?,
        }
        print(&status, &Decoding::of(context), skipped.is_some(), out)?;
        if learning.has_corrections() {
            out.line(format_args!("learning  {learning}"))?;
        }
        for (path, skip) in skipped.into_iter().flatten() {
            out.line(format_args!("          {}: {skip}", path.display()))?;
        }
    }
    if unanswered.is_some() {
        return Ok(Outcome::PartialFailure);
    }
    Ok(Outcome::Found)
}

/// The status, with the skipped files if they were asked for.
#[derive(Serialize)]
struct JsonStatus<'a> {
    #[serde(flatten)]
    status: Status,
    /// Why a daemon that runs has told nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    unanswered: Option<&'a str>,
    learning: JsonLearning,
    decoding: Decoding,
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped_files: Option<Vec<JsonSkipped>>,
}

/// A file that was skipped, and why.
#[derive(Serialize)]
struct JsonSkipped {
    #[serde(flatten)]
    path: JsonPath,
    reason: &'static str,
    detail: String,
}

impl JsonSkipped {
    fn of((path, skip): &(PathBuf, Skip)) -> Self {
        Self {
            path: JsonPath::of(path),
            reason: skip.reason.name(),
            detail: skip.detail.clone(),
        }
    }
}

fn print(
    status: &Status,
    decoding: &Decoding,
    names_skipped: bool,
    out: &mut Stdout,
) -> Result<()> {
    for root in &status.roots {
        out.line(format_args!("root      {}: {}", root.path, state(root)))?;
    }
    out.line(format_args!(
        "index     {}, {}, {}",
        count(status.photos, "photo"),
        count(status.faces, "face"),
        count(status.files, "file")
    ))?;
    print_sources("dates", &status.dates, date_source_in_words, out)?;
    print_sources("places", &status.positions, source_in_words, out)?;
    for models in &status.models {
        out.line(format_args!(
            "models    {}, {}: {}",
            models.detector,
            models.classifier,
            count(models.photos, "photo")
        ))?;
    }
    out.line(format_args!("decoding  {}", decoding.sentence()))?;
    if status.incomplete > 0 {
        out.line(format_args!(
            "photos    {} incomplete: only a part of each can be decoded",
            status.incomplete
        ))?;
    }
    for (reason, count) in &status.skipped {
        out.line(format_args!("skipped   {count}: {reason}"))?;
    }
    if !status.skipped.is_empty() && !names_skipped {
        out.line("          (fer-index status --skipped names these files)")?;
    }
    Ok(())
}

/// Prints how many photos have a fact from each source, most first.
fn print_sources<S: Copy + Ord>(
    label: &str,
    photos: &BTreeMap<S, u64>,
    in_words: fn(S) -> &'static str,
    out: &mut Stdout,
) -> Result<()> {
    let mut sources: Vec<(S, u64)> = photos
        .iter()
        .map(|(&source, &count)| (source, count))
        .collect();
    sources.sort_by_key(|(source, count)| (std::cmp::Reverse(*count), *source));
    for (source, count) in sources {
        out.line(format_args!("{label:<9} {count} by: {}", in_words(source)))?;
    }
    Ok(())
}

fn print_daemon(daemon: &Activity, out: &mut Stdout) -> Result<()> {
    let state = if daemon.is_ready {
        "running"
    } else {
        "comparing the folders with the index"
    };
    out.line(format_args!(
        "daemon    {state}, process {}, version {}",
        daemon.pid, daemon.version
    ))?;
    if let Some(trouble) = &daemon.trouble {
        out.line(format_args!("trouble   {trouble}"))?;
    }
    out.line(format_args!(
        "queue     {} files; {:.1} files a second over the last minute",
        daemon.queue, daemon.photos_per_second
    ))?;
    let polled = match daemon.polled_folders {
        0 => String::new(),
        count => format!(", {count} polled (see max_watches in the settings)"),
    };
    out.line(format_args!(
        "folders   {} watched{polled}",
        daemon.watched_folders
    ))
}

fn state(root: &RootStatus) -> String {
    let state = match root.state {
        RootState::Watching => "watching".to_owned(),
        RootState::Polling => "polling".to_owned(),
        RootState::Idle => "not watched".to_owned(),
        RootState::Offline => match &root.offline_since {
            Some(moment) => format!("offline since {moment}"),
            // No run and no daemon has recorded yet that the root is absent.
            None => "offline".to_owned(),
        },
    };
    match &root.reconciled_at {
        Some(moment) => format!("{state}; compared with the index {moment}"),
        None => state,
    }
}
