//! `fer-index export`: writes emotions as keywords into XMP sidecars.

use std::path::Path;

use clap::Args;

use super::Outcome;
use super::context::Context;
use super::filter_args::FilterArgs;
use super::stdout::Stdout;
use crate::emotion::{Emotion, EmotionSet};
use crate::error::Result;
use crate::export::{Naming, sidecar, write_sidecar};
use crate::store::{EMOTION_THRESHOLD, Hit, Store};

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// Write the emotions of each photo as keywords into its XMP sidecar, in the form that digiKam and
    /// Lightroom read; the photos themselves are never changed
    #[arg(long, required = true)]
    xmp: bool,
    /// Print what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Name new sidecars photo.xmp, as Lightroom does, instead of photo.jpg.xmp
    #[arg(long)]
    lightroom: bool,
    #[command(flatten)]
    filters: FilterArgs,
}

pub(super) fn run(args: &ExportArgs, context: &Context, out: &mut Stdout) -> Result<Outcome> {
    let config = context.config();
    let store = Store::open_existing(&config.database)?;
    let filter = args.filters.filter();
    let query = filter.resolve(&store, config.query.min_detection, None)?;
    let naming = if args.lightroom {
        Naming::Stem
    } else {
        Naming::Full
    };
    let least = filter.min_score.unwrap_or(EMOTION_THRESHOLD);
    let (mut written, mut failed) = (0, false);
    let hits = store.query(&query)?;
    for hit in &hits {
        let path = sidecar(&hit.path, naming);
        match write_sidecar(&path, emotions(hit, least), args.dry_run) {
            Ok(false) => {}
            Ok(true) => {
                written += 1;
                tell(&path, emotions(hit, least), out)?;
            }
            Err(error) => {
                tracing::error!("{error}");
                failed = true;
            }
        }
    }
    let verb = if args.dry_run { "would be" } else { "were" };
    tracing::info!("{written} of {} sidecars {verb} written", hits.len());
    Ok(match (failed, hits.is_empty()) {
        (true, _) => Outcome::PartialFailure,
        (false, false) => Outcome::Found,
        (false, true) => Outcome::Nothing,
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

fn tell(path: &Path, emotions: EmotionSet, out: &mut Stdout) -> Result<()> {
    let names: Vec<_> = emotions.iter().map(Emotion::name).collect();
    out.line(format_args!("{}: {}", path.display(), names.join(", ")))
}
