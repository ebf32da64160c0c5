//! `fer-index correct`, `reject` and `undo`: corrections of faces.

use std::collections::BTreeSet;

use clap::Args;

use super::Outcome;
use super::context::Context;
use super::filter_args::EmotionName;
use super::learn;
use super::stdout::Stdout;
use crate::emotion::Emotion;
use crate::error::{Error, Result};
use crate::face::Correction;
use crate::pipeline::carry_over;
use crate::store::{FaceId, Store};

#[derive(Debug, Args)]
pub(super) struct FaceArgs {
    /// Numbers of faces, as printed by `fer-index show PHOTO`
    #[arg(value_name = "FACE", required = true, value_parser = face_number)]
    faces: Vec<i64>,
}

fn face_number(text: &str) -> std::result::Result<i64, String> {
    text.parse().map_err(|_| {
        "a face is named by its number, which `fer-index show PHOTO` prints; the emotion comes after --emotion"
            .to_owned()
    })
}

impl FaceArgs {
    /// The faces, each once.
    fn ids(&self) -> Vec<FaceId> {
        let mut ids: Vec<_> = self.faces.iter().copied().map(FaceId).collect();
        let mut seen = BTreeSet::new();
        ids.retain(|face| seen.insert(face.0));
        ids
    }
}

#[derive(Debug, Args)]
pub(super) struct CorrectArgs {
    #[command(flatten)]
    faces: FaceArgs,
    /// The emotion that the faces show: angry, disgust, fear, happy, sad, surprise, neutral or contempt
    #[arg(long, short, value_name = "EMOTION", value_parser = EmotionName, hide_possible_values = true)]
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
    let faces = args.ids();
    let before = named(&store, &faces)?;
    if let Some(unknown) = store.correct_all(&faces, correction)? {
        return Err(match store.face(unknown)? {
            None => no_such_face(unknown),
            Some(_) => Error::Usage(format!(
                "the photo of face {unknown} was deleted or changed, so nothing was changed; `fer-index show PHOTO` \
                 prints the numbers that its faces have now"
            )),
        });
    }
    for (face, name) in faces.iter().zip(before) {
        let now = match correction {
            Correction::Emotion(emotion) => format!("corrected to {emotion}"),
            Correction::NotAFace => "marked as not a face".to_owned(),
        };
        out.line(format_args!("face {face} {name}: {now}"))?;
    }
    let carried = carry_over(&mut store, &faces, &context.decoder()?)?;
    print_carried(carried, out)?;
    follow(&mut store, context, out)?;
    Ok(Outcome::Found)
}

/// Prints to how many faces corrections were carried over.
pub(super) fn print_carried(faces: u64, out: &mut Stdout) -> Result<()> {
    match faces {
        0 => Ok(()),
        1 => out.line("Carried over to 1 face in an edit or export of the same picture"),
        more => out.line(format_args!(
            "Carried over to {more} faces in edits or exports of the same picture"
        )),
    }
}

pub(super) fn undo(args: &FaceArgs, context: &Context, out: &mut Stdout) -> Result<Outcome> {
    let mut store = open(context)?;
    let faces = args.ids();
    let before = named(&store, &faces)?;
    let undone = store.undo_all(&faces)?.map_err(no_such_face)?;
    let mut outcome = Outcome::Found;
    for (face, name) in faces.iter().zip(before) {
        if undone.contains(face) {
            out.line(format_args!(
                "face {face} {name}: correction removed, the model decides again"
            ))?;
        } else {
            tracing::warn!("face {face} {name} has no correction that could be removed");
            outcome = Outcome::Nothing;
        }
    }
    follow(&mut store, context, out)?;
    Ok(outcome)
}

/// Updates the personal layer and the scores of other faces, and prints a line if they follow the corrections.
fn follow(store: &mut Store, context: &Context, out: &mut Stdout) -> Result<()> {
    learn::follow(store, context)?;
    let learning = store.learning()?;
    if learning.is_in_force {
        out.line(format_args!("The {learning}"))?;
    } else if learning.is_human_in_force {
        out.line(&learning)?;
    }
    Ok(())
}

/// For each face, the name of its photo and what it counted as before: `in beach.jpg (happy)`.
///
/// # Errors
/// If a face does not exist; nothing has been changed then.
fn named(store: &Store, faces: &[FaceId]) -> Result<Vec<String>> {
    let name = |face: &FaceId| {
        let (photo, known) = store.face(*face)?.ok_or_else(|| no_such_face(*face))?;
        let counted = match (known.correction, known.top()) {
            (Some(Correction::NotAFace), _) => "not a face".to_owned(),
            (Some(Correction::Emotion(emotion)), _) => format!("corrected to {emotion}"),
            (None, Some(emotion)) => {
                format!("{emotion} {:.0} %", 100.0 * known.scores[emotion])
            }
            (None, None) => "not a human face".to_owned(),
        };
        let path = store
            .photo(photo)?
            .and_then(|photo| photo.paths.into_iter().next());
        let path = path.map_or_else(
            || "a deleted photo".to_owned(),
            |path| path.display().to_string(),
        );
        Ok(format!("in {path} (until now: {counted})"))
    };
    faces.iter().map(name).collect()
}

fn no_such_face(face: FaceId) -> Error {
    Error::Usage(format!(
        "there is no face {face}, so nothing was changed; `fer-index show PHOTO` prints the numbers of a photo's \
         faces"
    ))
}

/// Opens the database, which must exist.
fn open(context: &Context) -> Result<Store> {
    Store::open_existing(&context.config().database)
}
