//! `fer-index correct`, `reject` and `undo`: a person's word on a face.

use clap::Args;

use super::Outcome;
use super::context::Context;
use crate::emotion::Emotion;
use crate::error::{Error, Result};
use crate::face::Correction;
use crate::store::{FaceId, Store};

#[derive(Debug, Args)]
pub(super) struct FaceArgs {
    /// The face's number, as `fer-index show PHOTO` tells it; several may be given
    #[arg(value_name = "FACE", required = true)]
    faces: Vec<i64>,
}

#[derive(Debug, Args)]
pub(super) struct CorrectArgs {
    #[command(flatten)]
    faces: FaceArgs,
    /// angry, disgust, fear, happy, sad, surprise, neutral or contempt
    #[arg(long, short, value_name = "EMOTION")]
    emotion: Emotion,
}

pub(super) fn correct(args: &CorrectArgs, context: &Context) -> Result<Outcome> {
    say(&args.faces, Correction::Emotion(args.emotion), context)
}

pub(super) fn reject(args: &FaceArgs, context: &Context) -> Result<Outcome> {
    say(args, Correction::NotAFace, context)
}

fn say(args: &FaceArgs, correction: Correction, context: &Context) -> Result<Outcome> {
    let mut store = open(context)?;
    for &face in &args.faces {
        if !store.correct(FaceId(face), correction)? {
            return Err(Error::Usage(format!(
                "there is no face {face}; `fer-index show PHOTO` tells the numbers of a photo's faces"
            )));
        }
        tracing::info!(face, "kept as: {}", correction.name());
    }
    Ok(Outcome::Found)
}

pub(super) fn undo(args: &FaceArgs, context: &Context) -> Result<Outcome> {
    let mut store = open(context)?;
    let mut outcome = Outcome::Found;
    for &face in &args.faces {
        if !store.undo(FaceId(face))? {
            tracing::warn!(face, "there is nothing to take back");
            outcome = Outcome::Nothing;
        }
    }
    Ok(outcome)
}

/// The database, which must be there.
fn open(context: &Context) -> Result<Store> {
    Store::open_existing(&context.config().database)
}
