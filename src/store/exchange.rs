//! Exports all corrections, so that they can be kept outside of the database, and imports them.

mod import;

use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::DateTime;
use rusqlite::{Connection, params};

use crate::face::{BoundingBox, Correction};
use crate::photo::{ContentHash, Picture};

use super::codec::{
    bounding_box_from_columns, correction_from_column, from_civil_ms, picture_from_columns,
};
use super::path::decode;
use super::record::PhotoId;
use super::undone::{self, UndoneFace};

pub use import::Imported;
pub(super) use import::take;

/// A correction with everything by which its face is recognised.
#[derive(Debug, Clone, PartialEq)]
pub struct CorrectionRecord {
    /// Its number in the database that it is from; [`carried_from`](Self::carried_from) refers to such numbers.
    pub number: i64,
    /// The number of the correction from which it was carried over.
    pub carried_from: Option<i64>,
    /// The content on which it was made.
    pub content: ContentHash,
    /// The picture to which it belongs, if that is known, with the orientation in which the box is given.
    pub picture: Option<Picture>,
    /// The face's box, in upright pixels.
    pub at: BoundingBox,
    /// What a person said.
    pub correction: Correction,
    /// When the person said it.
    pub made_at: Timestamp,
    /// When the photo was taken, by its camera's clock.
    pub taken: Option<DateTime>,
    /// The camera.
    pub camera: Option<String>,
    /// The bytes of the [`FacePicture`](crate::likeness::FacePicture).
    pub face_picture: Option<Vec<u8>>,
    /// Where the content is, for people who read the exported file.
    pub paths: Vec<PathBuf>,
}

/// See [`Store::corrections`](super::Store::corrections).
pub(super) fn all(db: &Connection) -> rusqlite::Result<(Vec<CorrectionRecord>, Vec<UndoneFace>)> {
    let mut paths = db.prepare(
        "SELECT f.path FROM files f JOIN photos p ON p.id = f.photo_id WHERE p.hash = ? ORDER BY f.path",
    )?;
    let mut records: Vec<CorrectionRecord> = db
        .prepare(
            "SELECT id, carried_from, hash, picture, orientation, x, y, width, height, emotion, made_at,
                    taken_local, camera, crop
             FROM corrections ORDER BY id",
        )?
        .query_map([], |row| {
            let made_at = Timestamp::from_millisecond(row.get(10)?).unwrap_or_default();
            Ok(CorrectionRecord {
                number: row.get(0)?,
                carried_from: row.get(1)?,
                content: row.get(2)?,
                picture: picture_from_columns(row, 3)?,
                at: bounding_box_from_columns(row, 5)?,
                correction: correction_from_column(row, 9)?,
                made_at,
                taken: row.get::<_, Option<_>>(11)?.and_then(from_civil_ms),
                camera: row.get(12)?,
                face_picture: row.get(13)?,
                paths: Vec::new(),
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    for record in &mut records {
        record.paths = paths
            .query_map([record.content], |row| {
                Ok(decode(row.get_ref(0)?.as_blob()?))
            })?
            .collect::<rusqlite::Result<_>>()?;
    }
    Ok((records, undone_in_force(db)?))
}

/// The faces whose last word is that their correction was undone. One that was corrected again is none of them: its
/// correction may follow another one by now (`kin::correct`), and an import would take it for one that was undone.
fn undone_in_force(db: &Connection) -> rusqlite::Result<Vec<UndoneFace>> {
    let mut in_force = Vec::new();
    for face in undone::all(db)? {
        let undone_at = face.undone_at.map(Timestamp::as_millisecond);
        let same = import::same_faces(db, &face.content, face.picture.as_ref(), &face.at)?;
        if same.iter().all(|row| Some(row.made_at) <= undone_at) {
            in_force.push(face);
        }
    }
    Ok(in_force)
}

/// The photos to which a correction of a content and its picture applies.
pub(super) fn photos_with(
    db: &Connection,
    content: &ContentHash,
    picture: Option<&Picture>,
) -> rusqlite::Result<Vec<PhotoId>> {
    db.prepare_cached("SELECT id FROM photos WHERE hash = ? OR picture = ?")?
        .query_map(
            params![content, picture.map(|picture| picture.hash)],
            |row| row.get(0),
        )?
        .collect()
}

#[cfg(test)]
mod tests;
