//! `fer-index doctor`: checks the database, and repairs what is derived from other rows in it.

use std::path::Path;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::Outcome;
use super::backup::lock_out_daemon;
use super::context::Context;
#[cfg(unix)]
use super::decoder::Decoding;
use super::index::count;
use super::index_lock::IndexLock;
use super::stdout::Stdout;
use crate::error::Result;
use crate::store::{
    DerivedPart, Diagnosis, Difference, DifferenceKind, DoctorObserver, DoubtfulClock, Store,
    is_damage,
};

#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    /// Repair the rows that differ, in one transaction
    #[arg(long)]
    repair: bool,
    /// Rebuild the database from what can be read of a damaged one, which is kept under another name
    #[arg(long, conflicts_with = "repair")]
    recover: bool,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &DoctorArgs, context: &Context, out: &mut Stdout) -> Result<Outcome> {
    let database = &context.config().database;
    if args.recover {
        return recover(database, args.json, out);
    }
    let progress = Progress::new(context.quiet());
    let examined = Store::open_existing(database).and_then(|mut store| {
        if args.repair {
            store.repair(&progress)
        } else {
            store.diagnose(&progress)
        }
    });
    progress.0.finish_and_clear();
    let diagnosis = match examined {
        // Damage that makes the examination impossible is a result as well.
        Err(error) if is_damage(&error) => Diagnosis {
            damage: vec![error.to_string()],
            ..Diagnosis::default()
        },
        Err(error) if args.json => {
            out.json(&json!({"error": error.to_string()}))?;
            return Ok(Outcome::PartialFailure);
        }
        examined => examined?,
    };
    let clocks = if diagnosis.damage.is_empty() {
        Store::open_existing(database)?.doubtful_clocks()?
    } else {
        Vec::new()
    };
    if args.json {
        out.json(&as_json(&diagnosis, &clocks, args.repair))?;
    } else {
        print(&diagnosis, args.repair, out)?;
        for clock in &clocks {
            out.line(describe_doubtful_clock(clock))?;
        }
        #[cfg(unix)]
        out.line(format_args!(
            "Photos are decoded {}.",
            Decoding::of(context).sentence()
        ))?;
    }
    let is_repaired = args.repair || diagnosis.differences.is_empty();
    Ok(if is_repaired && diagnosis.damage.is_empty() {
        Outcome::Found
    } else {
        Outcome::Faulty
    })
}

fn recover(database: &Path, as_json: bool, out: &mut Stdout) -> Result<Outcome> {
    if !database.is_file() {
        // Says why, before the lock files are made.
        Store::open_existing(database)?;
    }
    let _daemon = lock_out_daemon(database)?;
    let _run = IndexLock::take(database)?;
    let recovered = Store::recover(database)?;
    let (contents, kept) = (recovered.restored.contents, &recovered.restored.kept);
    if as_json {
        out.json(&json!({
            "photos": contents.photos,
            "corrections": contents.corrections,
            "incomplete": recovered.incomplete,
            "kept": kept.as_ref().map(|path| path.display().to_string()),
        }))?;
        return Ok(Outcome::Found);
    }
    out.line(format_args!(
        "{} and {} were recovered; fer-index index adds what is missing",
        count(contents.photos, "photo"),
        count(contents.corrections, "correction")
    ))?;
    if !recovered.incomplete.is_empty() {
        let tables = recovered.incomplete.join(", ");
        out.line(format_args!("Some rows of {tables} could not be read"))?;
    }
    if let Some(kept) = kept {
        out.line(format_args!(
            "The damaged database is kept as {}",
            kept.display()
        ))?;
    }
    Ok(Outcome::Found)
}

fn print(diagnosis: &Diagnosis, is_repair: bool, out: &mut Stdout) -> Result<()> {
    for sentence in &diagnosis.damage {
        out.line(format_args!("damaged   {sentence}"))?;
    }
    let label = if is_repair { "mended" } else { "differs" };
    for difference in &diagnosis.differences {
        out.line(format_args!("{label:<9} {}", sentence(difference)))?;
        for example in &difference.examples {
            out.line(format_args!("              {example}"))?;
        }
        let others = difference.count - difference.examples.len() as u64;
        if others > 0 {
            out.line(format_args!("              … and {others} more"))?;
        }
    }
    if !diagnosis.damage.is_empty() {
        return out.line(
            "This cannot be mended. fer-index doctor --recover makes a sound database of what can be read, and keeps \
             this one; fer-index index then adds what is missing",
        );
    }
    match (diagnosis.differences.is_empty(), is_repair) {
        (true, _) => out.line("The database is sound, and everything in it agrees."),
        (false, true) => out.line("Everything in the database agrees now."),
        (false, false) => out.line("fer-index doctor --repair mends this."),
    }
}

/// A difference in plain words, with its number.
fn sentence(difference: &Difference) -> String {
    use DerivedPart as Part;
    use DifferenceKind::{Extra, Missing, Wrong};
    let number = difference.count;
    let what = match (difference.part, difference.kind) {
        (Part::Notes, _) => "changes are noted whose consequences were not stored",
        (Part::Loss, Missing | Wrong) => "photos without a file are not marked as such",
        (Part::Loss, Extra) => "photos with a file are marked as having none",
        (Part::RawPairs, _) => {
            "raw files are stored with another picture than the one of the same shot beside them"
        }
        (Part::Facts, _) => {
            "photos have another date, place or text than their metadata, sidecars and files say"
        }
        (Part::Estimates, _) => "estimated positions differ from those of the photos near in time",
        (Part::People, _) => {
            "photos name other people than their metadata and sidecars, or on other faces"
        }
        (Part::Words, Missing) => "photos are not found by their words",
        (Part::Words, Extra) => "photos are found by words although no file leads to them",
        (Part::Words, Wrong) => {
            "photos are found by other words than those of their paths, descriptions and keywords"
        }
        (Part::Folders, Missing | Wrong) => {
            "folders with photos are missing from the list of folders"
        }
        (Part::Folders, Extra) => "folders in the list of folders hold no photo",
        (Part::Cells, Missing | Wrong) => "photos with a position are not found by it",
        (Part::Cells, Extra) => "photos are found at a position where they were not taken",
        (Part::Places, Missing) => "places with photos are missing from the list of places",
        (Part::Places, Extra) => "places in the list of places have no photo",
        (Part::Places, Wrong) => "places are stored with a wrong number of photos",
        (Part::Areas, _) => "photos are stored with wrong countries or regions",
        (Part::Bursts, _) => "photos are stored with a wrong burst",
        (Part::FaceCounts, _) => "photos are stored with a wrong number of faces",
        (Part::FaceRanks, _) => "photos have faces with wrong ranks by size or confidence",
        (Part::Scores, Missing) => "photos are missing from the ranking, or from a part of it",
        (Part::Scores, Extra) => "photos have rows in the ranking that they should not have",
        (Part::Scores, Wrong) => "photos are ranked by a wrong score or date",
        (Part::Learned, _) => {
            "photos have faces whose scores do not follow the corrections, or do although they should not"
        }
    };
    format!("{number}: {what}")
}

/// Why a camera's clock is doubtful, and how to correct its times.
fn describe_doubtful_clock(clock: &DoubtfulClock) -> String {
    let minutes = clock.seconds.unsigned_abs() / 60;
    let (sign, way) = if clock.seconds < 0 {
        ('-', "fast")
    } else {
        ('+', "slow")
    };
    let (camera, hours) = (
        &clock.camera,
        format!("{}:{:02}", minutes / 60, minutes % 60),
    );
    let (with, without) = clock.coinciding;
    format!(
        "clock     {camera} seems to be {hours} hours {way}: {with} of its times then coincide with those of other cameras, \
         {without} as they are; clock_offsets = [\"{camera}: {sign}{hours}\"] in [facts] of the settings puts them right"
    )
}

fn as_json(diagnosis: &Diagnosis, clocks: &[DoubtfulClock], is_repair: bool) -> serde_json::Value {
    let differences = diagnosis.differences.iter().map(|difference| {
        json!({
            "part": difference.part.name(),
            "kind": difference.kind.name(),
            "count": difference.count,
            "examples": difference.examples,
        })
    });
    json!({
        "damage": diagnosis.damage,
        "differences": differences.collect::<Vec<_>>(),
        "clocks": clocks.iter().map(|clock| json!({
            "camera": clock.camera,
            "seconds": clock.seconds,
            "coinciding": clock.coinciding.0,
            "coinciding_as_they_are": clock.coinciding.1,
        })).collect::<Vec<_>>(),
        "repaired": is_repair && diagnosis.damage.is_empty(),
    })
}

/// Shows the running check on standard error.
struct Progress(ProgressBar);

impl Progress {
    fn new(quiet: bool) -> Self {
        if quiet {
            return Self(ProgressBar::hidden());
        }
        let style = ProgressStyle::with_template("{bar:30} {human_pos}/{human_len}  {msg}")
            .expect("the template is valid");
        Self(ProgressBar::no_length().with_style(style))
    }
}

impl DoctorObserver for Progress {
    fn begins(&self, what: &'static str, number: u64) {
        self.0.set_position(0);
        self.0.set_length(number);
        self.0.set_message(what);
    }

    fn advanced(&self, by: u64) {
        self.0.inc(by);
    }
}
