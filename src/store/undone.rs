//! Remembers the faces whose corrections a person undid, so that no correction is carried over to them again.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::face::BoundingBox;
use crate::photo::{ContentHash, Picture};

use super::codec::{bounding_box_from_columns, orientation_from_column, picture_from_columns};
use super::record::{FaceId, PhotoId};
use super::{faces, same_picture};

/// A face of which a person undid a correction, so that none is carried over to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UndoneFace {
    /// The content.
    pub content: ContentHash,
    /// The picture, if it is known, in the orientation in which the box is upright.
    pub picture: Option<Picture>,
    /// The face's box.
    pub at: BoundingBox,
}

impl UndoneFace {
    /// Reads the columns `hash, picture, orientation, x, y, width, height`.
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            content: row.get(0)?,
            picture: picture_from_columns(row, 1)?,
            at: bounding_box_from_columns(row, 3)?,
        })
    }
}

/// A face of the index.
pub(super) fn of_face(db: &Connection, face: FaceId) -> rusqlite::Result<Option<UndoneFace>> {
    db.prepare_cached(
        "SELECT p.hash, p.picture, p.orientation, f.x, f.y, f.width, f.height
         FROM faces f JOIN photos p ON p.id = f.photo_id WHERE f.id = ?",
    )?
    .query_row([face], UndoneFace::from_row)
    .optional()
}

/// The face on which a correction was made.
pub(super) fn of_correction(db: &Connection, correction: i64) -> rusqlite::Result<UndoneFace> {
    db.prepare_cached(
        "SELECT hash, picture, orientation, x, y, width, height FROM corrections WHERE id = ?",
    )?
    .query_row([correction], UndoneFace::from_row)
}

/// Remembers a face by its picture and bounding box; once, however often it is undone.
pub(super) fn add(db: &Connection, face: &UndoneFace) -> rusqlite::Result<()> {
    let (picture, at) = (face.picture, face.at);
    db.prepare_cached(
        "INSERT INTO undone_corrections (hash, picture, orientation, x, y, width, height)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7
         WHERE NOT EXISTS (SELECT 1 FROM undone_corrections
                           WHERE hash = ?1 AND x = ?4 AND y = ?5 AND width = ?6 AND height = ?7)",
    )?
    .execute(params![
        face.content,
        picture.map(|picture| picture.hash),
        picture.map(|picture| picture.orientation.exif()),
        at.x,
        at.y,
        at.width,
        at.height,
    ])?;
    Ok(())
}

/// Whether a person undid a correction of a face, in any file with its picture.
pub(super) fn contains(db: &Connection, face: FaceId) -> rusqlite::Result<bool> {
    let place: Option<(PhotoId, BoundingBox)> = db
        .prepare_cached("SELECT photo_id, x, y, width, height FROM faces WHERE id = ?")?
        .query_row([face], |row| {
            Ok((row.get(0)?, bounding_box_from_columns(row, 1)?))
        })
        .optional()?;
    let Some((photo, at)) = place else {
        return Ok(false);
    };
    let Some(frame) = same_picture::frame_of(db, photo)? else {
        return Ok(false);
    };
    let undone: Vec<BoundingBox> = db
        .prepare_cached(
            "SELECT x, y, width, height, orientation FROM undone_corrections WHERE hash = ?1 OR picture = ?2",
        )?
        .query_map(
            params![frame.hash, frame.picture.map(|picture| picture.hash)],
            |row| {
                let at = bounding_box_from_columns(row, 0)?;
                Ok(frame.bounding_box(&at, orientation_from_column(row, 4)?))
            },
        )?
        .collect::<rusqlite::Result<_>>()?;
    Ok(undone
        .iter()
        .any(|other| other.iou(&at) >= faces::SAME_FACE))
}

/// All such faces, by content.
pub(super) fn all(db: &Connection) -> rusqlite::Result<Vec<UndoneFace>> {
    db.prepare(
        "SELECT hash, picture, orientation, x, y, width, height FROM undone_corrections ORDER BY hash, x, y",
    )?
    .query_map([], UndoneFace::from_row)?
    .collect()
}
