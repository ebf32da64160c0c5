//! Takes back a correction as if it had not been made.
//!
//! [`undo`](super::undo) is a person's word on a face: no correction is carried over to it again. To take a correction back
//! leaves no word, and gives the face what it had before.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::face::Correction;

use super::super::codec::correction_from_column;
use super::super::record::{EarlierCorrection, TakenBack};
use super::{FaceId, correct, correction_of, corrections, detach_followers, faces, follow};

/// See [`Store::take_back`](super::super::Store::take_back).
pub(in super::super) fn take_back(
    db: &Connection,
    face: FaceId,
    made: Correction,
    earlier: EarlierCorrection,
) -> rusqlite::Result<TakenBack> {
    if !faces::has_file(db, face)? {
        return Ok(TakenBack::NoFace);
    }
    let now = stated(db, face)?;
    if now == earlier {
        // As after that of another file with the same picture.
        return Ok(TakenBack::Done);
    }
    if now != EarlierCorrection::Own(made) {
        return Ok(TakenBack::Changed);
    }
    match earlier {
        EarlierCorrection::None => remove(db, face)?,
        EarlierCorrection::Own(correction) => {
            correct(db, face, correction)?;
        }
        EarlierCorrection::Carried { from, correction } => carry_again(db, face, from, correction)?,
    }
    Ok(TakenBack::Done)
}

/// What is said of a face now.
fn stated(db: &Connection, face: FaceId) -> rusqlite::Result<EarlierCorrection> {
    let now: Option<(Correction, Option<i64>)> = db
        .prepare_cached(
            "SELECT c.emotion, c.carried_from FROM faces f JOIN corrections c ON c.id = f.correction WHERE f.id = ?",
        )?
        .query_row([face], |row| {
            Ok((correction_from_column(row, 0)?, row.get(1)?))
        })
        .optional()?;
    Ok(match now {
        None => EarlierCorrection::None,
        Some((correction, None)) => EarlierCorrection::Own(correction),
        Some((correction, Some(from))) => EarlierCorrection::Carried { from, correction },
    })
}

/// Removes the correction of a face and those that follow it.
fn remove(db: &Connection, face: FaceId) -> rusqlite::Result<()> {
    for follower in detach_followers(db, correction_of(db, face)?)? {
        corrections::delete(db, follower)?;
    }
    corrections::undo(db, face)?;
    Ok(())
}

/// Makes the correction of a face follow `from` again, which was `correction` then.
fn carry_again(
    db: &Connection,
    face: FaceId,
    from: i64,
    correction: Correction,
) -> rusqlite::Result<()> {
    let made = correction_of(db, face)?;
    let (Some(made), true) = (made, is_own(db, from, made)?) else {
        // It was undone meanwhile, and with it what followed it.
        return remove(db, face);
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
    follow(db, made, from)
}

/// Whether a correction is there, and follows none but perhaps `other`.
fn is_own(db: &Connection, correction: i64, other: Option<i64>) -> rusqlite::Result<bool> {
    let leader: Option<Option<i64>> = db
        .prepare_cached("SELECT carried_from FROM corrections WHERE id = ?")?
        .query_row([correction], |row| row.get(0))
        .optional()?;
    Ok(leader.is_some_and(|leader| leader.is_none() || leader == other))
}
