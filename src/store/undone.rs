//! Stores the faces whose corrections a person undid, so that no correction is carried over to them again.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::face::BoundingBox;
use crate::photo::{ContentHash, Picture};

use super::codec::{bounding_box_from_columns, orientation_from_column, picture_from_columns};
use super::faces;
use super::lost_paths::LostContent;
use super::record::FaceId;
use super::same_picture::Turns;

/// A face whose correction a person undid, so that none is carried over to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UndoneFace {
    /// The hash of the content.
    pub content: ContentHash,
    /// The picture, if it is known, with the orientation in which the box is given.
    pub picture: Option<Picture>,
    /// The face's box, in upright pixels.
    pub at: BoundingBox,
    /// When the correction was undone, if that is known.
    pub undone_at: Option<Timestamp>,
}

impl UndoneFace {
    /// Reads the columns `hash, picture, orientation, x, y, width, height, undone_at`.
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            content: row.get(0)?,
            picture: picture_from_columns(row, 1)?,
            at: bounding_box_from_columns(row, 3)?,
            undone_at: row
                .get::<_, Option<i64>>(7)?
                .and_then(|ms| Timestamp::from_millisecond(ms).ok()),
        })
    }
}

/// The record that the correction of a face is undone now. Its time is later than that of the correction, even if the
/// clock of the machine on which that was made was ahead.
pub(super) fn of_face(db: &Connection, face: FaceId) -> rusqlite::Result<Option<UndoneFace>> {
    db.prepare_cached(
        "SELECT p.hash, p.picture, p.orientation, f.x, f.y, f.width, f.height, max(?2, coalesce(c.made_at, 0) + 1)
         FROM faces f JOIN photos p ON p.id = f.photo_id LEFT JOIN corrections c ON c.id = f.correction
         WHERE f.id = ?1",
    )?
    .query_row(params![face, now()], UndoneFace::from_row)
    .optional()
}

/// The same for the face on which a correction was made.
pub(super) fn of_correction(db: &Connection, correction: i64) -> rusqlite::Result<UndoneFace> {
    db.prepare_cached(
        "SELECT hash, picture, orientation, x, y, width, height, max(?2, made_at + 1) FROM corrections
         WHERE id = ?1",
    )?
    .query_row(params![correction, now()], UndoneFace::from_row)
}

fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

/// Stores a face. A content and bounding box is stored once, with the last time at which a correction of it was undone.
pub(super) fn add(db: &Connection, face: &UndoneFace) -> rusqlite::Result<()> {
    let UndoneFace {
        content,
        picture,
        at,
        undone_at,
    } = face;
    let undone_at = undone_at.map(Timestamp::as_millisecond);
    let known = db
        .prepare_cached(
            "UPDATE undone_corrections SET undone_at = max(coalesce(undone_at, ?6), coalesce(?6, undone_at))
             WHERE hash = ?1 AND x = ?2 AND y = ?3 AND width = ?4 AND height = ?5",
        )?
        .execute(params![content, at.x, at.y, at.width, at.height, undone_at])?;
    if known == 0 {
        db.prepare_cached(
            "INSERT INTO undone_corrections (hash, picture, orientation, x, y, width, height, undone_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            content,
            picture.map(|picture| picture.hash),
            picture.map(|picture| picture.orientation.exif()),
            at.x,
            at.y,
            at.width,
            at.height,
            undone_at,
        ])?;
    }
    Ok(())
}

/// Notes which correction a person undid where it had been carried over.
pub(super) fn decline(db: &Connection, face: &UndoneFace, leader: i64) -> rusqlite::Result<()> {
    let UndoneFace { content, at, .. } = face;
    db.prepare_cached(
        "UPDATE undone_corrections SET declined = ?
         WHERE hash = ? AND x = ? AND y = ? AND width = ? AND height = ?",
    )?
    .execute(params![leader, content, at.x, at.y, at.width, at.height])?;
    Ok(())
}

/// Stores that a person undid a correction, or the one from which that was carried over, on a face: they did on the face in
/// an earlier version of the photo. Another index can know it only of the face itself, since it has not seen that version.
pub(super) fn again(db: &Connection, face: FaceId, correction: i64) -> rusqlite::Result<()> {
    let undone: Option<(i64, Option<i64>)> = db
        .prepare_cached(
            "SELECT u.declined, max(u.undone_at) FROM corrections c
                 JOIN undone_corrections u ON u.declined = coalesce(c.carried_from, c.id)
             WHERE c.id = ? GROUP BY u.declined",
        )?
        .query_row([correction], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let (Some((leader, undone_at)), Some(face)) = (undone, of_face(db, face)?) {
        let undone_at = undone_at.and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let face = UndoneFace { undone_at, ..face };
        add(db, &face)?;
        decline(db, &face, leader)?;
    }
    Ok(())
}

/// The corrections that a person undid on a content, or on another one with its picture, to which they had been carried over.
pub(super) fn declined(db: &Connection, of: &LostContent) -> rusqlite::Result<Vec<i64>> {
    db.prepare_cached(
        "SELECT declined FROM undone_corrections WHERE (hash = ? OR picture = ?) AND declined IS NOT NULL",
    )?
    .query_map(params![of.hash, of.picture], |row| row.get(0))?
    .collect()
}

/// When a correction of a face was last undone; Unix time, ms, and 0 if the time is not known.
pub(super) fn last(
    db: &Connection,
    content: &ContentHash,
    picture: Option<&Picture>,
    at: &BoundingBox,
) -> rusqlite::Result<Option<i64>> {
    let turns = Turns::to(db, picture)?;
    let mut last = None;
    let mut statement = db.prepare_cached(
        "SELECT x, y, width, height, orientation, undone_at FROM undone_corrections
         WHERE hash = ?1 OR picture = ?2",
    )?;
    let mut rows = statement.query(params![content, picture.map(|picture| picture.hash)])?;
    while let Some(row) = rows.next()? {
        let other = bounding_box_from_columns(row, 0)?;
        let other = turns.bounding_box(&other, orientation_from_column(row, 4)?);
        if other.is_some_and(|other| other.iou(at) >= faces::SAME_FACE) {
            let undone_at: Option<i64> = row.get(5)?;
            last = last.max(Some(undone_at.unwrap_or_default()));
        }
    }
    Ok(last)
}

/// When a person last undid a correction of this face, in any file with its picture; as [`last`].
pub(super) fn last_of_face(db: &Connection, face: FaceId) -> rusqlite::Result<Option<i64>> {
    of_face(db, face)?.map_or(Ok(None), |face| {
        last(db, &face.content, face.picture.as_ref(), &face.at)
    })
}

/// All such faces, sorted by content.
pub(super) fn all(db: &Connection) -> rusqlite::Result<Vec<UndoneFace>> {
    db.prepare(
        "SELECT hash, picture, orientation, x, y, width, height, undone_at FROM undone_corrections
         ORDER BY hash, x, y",
    )?
    .query_map([], UndoneFace::from_row)?
    .collect()
}
