//! `fer-index correct`, `reject` and `undo`: corrections of faces.

use clap::Args;

use super::Outcome;
use super::context::Context;
use super::stdout::Stdout;
use crate::emotion::Emotion;
use crate::error::{Error, Result};
use crate::face::Correction;
use crate::pipeline::carry_over;
use crate::store::{FaceId, Store};

#[derive(Debug, Args)]
pub(super) struct FaceArgs {
    /// Numbers of faces, as printed by `fer-index show PHOTO`
    #[arg(value_name = "FACE", required = true)]
    faces: Vec<i64>,
}

#[derive(Debug, Args)]
pub(super) struct CorrectArgs {
    #[command(flatten)]
    faces: FaceArgs,
    /// The emotion that the faces show: angry, disgust, fear, happy, sad, surprise, neutral or contempt
    #[arg(long, short, value_name = "EMOTION")]
    emotion: Emotion,
}

pub(super) fn correct(args: &CorrectArgs, context: &Context, out: &mut Stdout) -> Result<Outcome> {
    let correction = Correction::Emotion(args.emotion);
    save(&args.faces, correction, context, out)
}

pub(super) fn reject(args: &FaceArgs, context: &Context, out: &mut Stdout) -> Result<Outcome> {
    save(args, Correction::NotAFace, context, out)
}

fn save(
    args: &FaceArgs,
    correction: Correction,
    context: &Context,
    out: &mut Stdout,
) -> Result<Outcome> {
    let mut store = open(context)?;
    for &face in &args.faces {
        if !store.correct(FaceId(face), correction)? {
            return Err(Error::Usage(format!(
                "there is no face {face}; `fer-index show PHOTO` prints the numbers of a photo's faces"
            )));
        }
        tracing::info!(face, "corrected to: {}", correction.name());
    }
    let faces: Vec<_> = args.faces.iter().copied().map(FaceId).collect();
    match carry_over(&mut store, &faces, &context.limits())? {
        0 => {}
        1 => out.line("Carried over to 1 face in an edit or export of the same picture")?,
        more => out.line(format_args!(
            "Carried over to {more} faces in edits or exports of the same picture"
        ))?,
    }
    Ok(Outcome::Found)
}

pub(super) fn undo(args: &FaceArgs, context: &Context) -> Result<Outcome> {
    let mut store = open(context)?;
    let mut outcome = Outcome::Found;
    for &face in &args.faces {
        if !store.undo(FaceId(face))? {
            tracing::warn!(face, "the face has no correction that could be removed");
            outcome = Outcome::Nothing;
        }
    }
    Ok(outcome)
}

/// Opens the database, which must exist.
fn open(context: &Context) -> Result<Store> {
    Store::open_existing(&context.config().database)
}
