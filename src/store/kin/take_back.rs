//! Takes back a correction as if it had not been made.
//!
//! [`undo`](super::undo) is a person's word on a face: no correction is carried over to it again. To take a correction back
//! leaves no word, and gives the face what it had before.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::face::Correction;

use super::super::record::EarlierCorrection;
use super::{FaceId, correct, correction_of, corrections, detach_followers, faces, follow};

/// See [`Store::take_back`](super::super::Store::take_back).
pub(in super::super) fn take_back(
    db: &Connection,
    face: FaceId,
    earlier: EarlierCorrection,
) -> rusqlite::Result<bool> {
    match earlier {
        EarlierCorrection::None => remove(db, face),
        EarlierCorrection::Own(correction) => correct(db, face, correction),
        EarlierCorrection::Carried { from, correction } => carry_again(db, face, from, correction),
    }
}

/// Removes the correction of a face and those that follow it.
fn remove(db: &Connection, face: FaceId) -> rusqlite::Result<bool> {
    if !faces::has_file(db, face)? {
        return Ok(false);
    }
    for follower in detach_followers(db, correction_of(db, face)?)? {
        corrections::delete(db, follower)?;
    }
    corrections::undo(db, face)?;
    Ok(true)
}

/// Makes the correction of a face follow `from` again, which was `correction` then.
fn carry_again(
    db: &Connection,
    face: FaceId,
    from: i64,
    correction: Correction,
) -> rusqlite::Result<bool> {
    let made = correction_of(db, face)?;
    let (Some(made), true) = (made, is_own(db, from, made)?) else {
        // What was carried over is gone, but not what it said.
        return correct(db, face, correction);
    };
    let followers = detach_followers(db, Some(made))?;
    if followers.contains(&from) {
        // The photo of `from` has no file, so that `from` and what was carried over from it have followed the face.
        let emotion = match correction {
            Correction::Emotion(emotion) => Some(emotion.index() as i64),
            Correction::NotAFace => None,
        };
        db.prepare_cached("UPDATE corrections SET emotion = ? WHERE id = ?")?
            .execute(params![emotion, from])?;
        for follower in followers {
            follow(db, follower, from)?;
        }
    } else {
        for follower in followers {
            corrections::delete(db, follower)?;
        }
    }
    follow(db, made, from)?;
    Ok(true)
}

/// Whether a correction is there, and follows none but perhaps `other`.
fn is_own(db: &Connection, correction: i64, other: Option<i64>) -> rusqlite::Result<bool> {
    let leader: Option<Option<i64>> = db
        .prepare_cached("SELECT carried_from FROM corrections WHERE id = ?")?
        .query_row([correction], |row| row.get(0))
        .optional()?;
    Ok(leader.is_some_and(|leader| leader.is_none() || leader == other))
}
