//! Remembers the faces whose corrections a person undid, so that no correction is carried over to them again.

use rusqlite::{Connection, params};

use crate::face::BoundingBox;
use crate::photo::ContentHash;

use super::codec::bounding_box_from_columns;
use super::faces;

/// A face of which a person undid a correction, so that none is carried over to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UndoneFace {
    /// The content.
    pub content: ContentHash,
    /// The face's box.
    pub at: BoundingBox,
}

/// Remembers a face by the content of its photo and by its bounding box; once, however often it is undone.
pub(super) fn add(db: &Connection, hash: &ContentHash, at: &BoundingBox) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO undone_corrections (hash, x, y, width, height) SELECT ?1, ?2, ?3, ?4, ?5
         WHERE NOT EXISTS (SELECT 1 FROM undone_corrections
                           WHERE hash = ?1 AND x = ?2 AND y = ?3 AND width = ?4 AND height = ?5)",
    )?
    .execute(params![hash, at.x, at.y, at.width, at.height])?;
    Ok(())
}

/// Whether a person undid a correction of the face that a photo has here.
pub(super) fn contains(
    db: &Connection,
    hash: &ContentHash,
    at: &BoundingBox,
) -> rusqlite::Result<bool> {
    let undone: Vec<BoundingBox> = db
        .prepare_cached("SELECT x, y, width, height FROM undone_corrections WHERE hash = ?")?
        .query_map([hash], |row| bounding_box_from_columns(row, 0))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(undone.iter().any(|other| other.iou(at) >= faces::SAME_FACE))
}

/// All such faces, by content.
pub(super) fn all(db: &Connection) -> rusqlite::Result<Vec<UndoneFace>> {
    db.prepare("SELECT hash, x, y, width, height FROM undone_corrections ORDER BY hash, x, y")?
        .query_map([], |row| {
            Ok(UndoneFace {
                content: row.get(0)?,
                at: bounding_box_from_columns(row, 1)?,
            })
        })?
        .collect()
}
