//! `fer-index export`: writes emotions as keywords into XMP sidecars.

use std::path::Path;

use clap::Args;

use super::Outcome;
use super::context::Context;
use super::filter_args::{FILTERS, FilterArgs};
use super::index::count;
use super::query::{hint, print_undated};
use super::stdout::Stdout;
use crate::emotion::{Emotion, EmotionSet};
use crate::error::Result;
use crate::export::write_sidecar;
use crate::sidecar::{self, Naming};
use crate::store::{EMOTION_THRESHOLD, Hit, Store};

#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(super) struct ExportArgs {
    /// Write the emotions of each photo as keywords into its XMP sidecar, in the form that digiKam and
    /// Lightroom read; the photos themselves are never changed
    #[arg(long, required_unless_present = "everything")]
    xmp: bool,
    /// Print everything that the index holds as JSON, one row a line, and write no file
    #[arg(long, conflicts_with_all = ["xmp", "dry_run", "lightroom", FILTERS])]
    everything: bool,
    /// Print what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Name new sidecars photo.xmp, as Lightroom does, instead of photo.jpg.xmp, where no other photo has this stem
    #[arg(long)]
    lightroom: bool,
    #[command(flatten)]
    filters: FilterArgs,
}

pub(super) fn run(args: &ExportArgs, context: &Context, out: &mut Stdout) -> Result<Outcome> {
    if args.everything {
        return super::everything::run(context, out);
    }
    let config = context.config();
    let store = Store::open_existing(&config.database)?;
    let filter = args.filters.filter();
    let query = filter.resolve(&store, (&config.query).into(), None)?;
    let naming = if args.lightroom {
        Naming::Stem
    } else {
        Naming::Full
    };
    let least = filter.min_score.unwrap_or(EMOTION_THRESHOLD);
    let (mut written, mut current, mut failed) = (0_u64, 0_u64, 0_u64);
    let hits = store.query(&query)?;
    for hit in &hits {
        let emotions = emotions(hit, least);
        // Each copy of a photo has its own sidecar; if one were omitted, it would keep outdated emotions.
        let photo = store.photo(hit.photo)?;
        let mut copies = photo.map_or_else(Vec::new, |photo| photo.paths);
        copies.retain(|copy| {
            let is_below = query
                .under
                .as_ref()
                .is_none_or(|under| copy.starts_with(under));
            *copy == hit.path || is_below && query.album.is_none()
        });
        // No sidecar can be written for a copy that is absent, as on an unplugged disk.
        if copies.iter().any(|copy| copy.exists()) {
            copies.retain(|copy| copy.exists());
        }
        for copy in copies {
            let path = sidecar::path_to_write(&copy, naming);
            match write_sidecar(&path, &copy, emotions, args.dry_run) {
                Ok(false) => current += 1,
                Ok(true) => {
                    written += 1;
                    print(&path, emotions, args.dry_run, out)?;
                }
                Err(error) => {
                    tracing::error!("{error}");
                    failed += 1;
                }
            }
        }
    }
    out.flush()?;
    print_undated(&query, &store)?;
    let verb = if args.dry_run {
        "would be written"
    } else {
        "written"
    };
    let failures = match failed {
        0 => String::new(),
        failed => format!(", {failed} failed"),
    };
    hint(format_args!(
        "{} found: {written} sidecars {verb}, {current} need no change{failures}",
        count(hits.len() as u64, "photo")
    ));
    Ok(match (failed, hits.is_empty()) {
        (1.., _) => Outcome::PartialFailure,
        (0, false) => Outcome::Found,
        (0, true) => Outcome::Nothing,
    })
}

/// The most probable or corrected emotion of each face, if its score is at least `least`.
fn emotions(hit: &Hit, least: f32) -> EmotionSet {
    let faces = hit.analysis.faces.iter();
    faces
        .filter_map(|face| {
            let emotion = face.top()?;
            (face.score(emotion)? >= f64::from(least)).then_some(emotion)
        })
        .collect()
}

fn print(path: &Path, emotions: EmotionSet, dry: bool, out: &mut Stdout) -> Result<()> {
    let names: Vec<_> = emotions.iter().map(Emotion::name).collect();
    let names = if names.is_empty() {
        "no emotion any more".to_owned()
    } else {
        names.join(", ")
    };
    let would = if dry { "would write " } else { "" };
    out.line(format_args!("{would}{}: {names}", path.display()))
}
