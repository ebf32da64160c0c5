//! Stores photos by the hashes of their contents.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::error::SkipReason;
use crate::face::ScoredFace;
use crate::facts::{self, Statements};
use crate::features::Features;
use crate::photo::ContentHash;

use super::codec::{picture_from_columns, skip_from_columns};
use super::forgotten_people::Names;
use super::lost_paths::LostContent;
use super::record::{FaceId, KnownPhoto, Models, Photo, PhotoAnalysis, PhotoId, PhotoRecord};
use super::stored_face::StoredFace;
use super::{effective, faces, features, files, incomplete, lost_paths, people, unread};

/// See [`Store::photo_by_hash`](super::Store::photo_by_hash).
pub(super) fn known(db: &Connection, hash: &ContentHash) -> rusqlite::Result<Option<KnownPhoto>> {
    db.prepare_cached(
        "SELECT p.id, p.skip_reason, d.name, c.name
         FROM photos p LEFT JOIN models d ON d.id = p.detector
                       LEFT JOIN models c ON c.id = p.classifier
         WHERE p.hash = ?",
    )?
    .query_row([hash], |row| {
        Ok(KnownPhoto {
            id: row.get(0)?,
            outcome: match row.get(1)? {
                Some(reason) => Err(reason),
                None => Ok(Models {
                    detector: row.get(2)?,
                    classifier: row.get(3)?,
                }),
            },
        })
    })
    .optional()
}

/// See [`Store::record`](super::Store::record); the facts are those by its content alone.
pub(super) fn record(db: &Connection, id: PhotoId) -> rusqlite::Result<Option<PhotoRecord>> {
    let Some(photo) = load(db, id)? else {
        return Ok(None);
    };
    let features = features::of_photo(db, id)?;
    Ok(Some(PhotoRecord {
        hash: photo.hash,
        bytes: photo.bytes,
        picture: photo.picture,
        content: photo
            .content
            .map(|analysis| found_by_models(analysis, features)),
    }))
}

/// An analysis as the models made it: without the faces that only a person has vouched for.
fn found_by_models(
    analysis: PhotoAnalysis<StoredFace>,
    mut features: HashMap<FaceId, Features>,
) -> PhotoAnalysis<ScoredFace> {
    let is_found = |face: &StoredFace| face.face.score > 0.0 || face.face.landmarks.is_some();
    let found = analysis.faces.into_iter().filter(is_found);
    let faces = found.map(|face| face.read(features.remove(&face.id)));
    PhotoAnalysis {
        format: analysis.format,
        width: analysis.width,
        height: analysis.height,
        capture: facts::of_content(&analysis.statements),
        statements: analysis.statements,
        people: Vec::new(),
        models: analysis.models,
        faces: faces.collect(),
        unread: analysis.unread,
        incomplete: analysis.incomplete,
    }
}

/// See [`Store::photo`](super::Store::photo).
pub(super) fn load(db: &Connection, id: PhotoId) -> rusqlite::Result<Option<Photo>> {
    let Some(mut photo) = bare(db, id)? else {
        return Ok(None);
    };
    photo.paths = files::as_answered(db, id)?;
    if let Ok(analysis) = &mut photo.content {
        analysis.faces = faces::of_photo(db, id)?;
        analysis.unread = unread::of_photo(db, id)?;
        analysis.people = people::of_photo(db, id)?;
        analysis.incomplete = incomplete::of(db, id)?;
    }
    Ok(Some(photo))
}

/// The photo without its paths, faces and people.
pub(super) fn bare(db: &Connection, id: PhotoId) -> rusqlite::Result<Option<Photo>> {
    const ROW: &str = concat!(
        "SELECT skip_reason, skip_detail, hash, bytes, indexed_at, picture, orientation,
                format, width, height, d.name, c.name, facts, ",
        effective::columns!(),
        " FROM photos p LEFT JOIN models d ON d.id = p.detector
                       LEFT JOIN models c ON c.id = p.classifier
         WHERE p.id = ?"
    );
    db.prepare_cached(ROW)?
        .query_row([id], |row| {
            let reason: Option<SkipReason> = row.get(0)?;
            Ok(Photo {
                id,
                hash: row.get(2)?,
                bytes: row.get::<_, i64>(3)? as u64,
                picture: picture_from_columns(row, 5)?,
                indexed_at: Timestamp::from_millisecond(row.get(4)?).unwrap_or_default(),
                paths: Vec::new(),
                content: match reason {
                    Some(_) => Err(skip_from_columns(row, 0)?),
                    None => Ok(analysis_columns(row, 7)?),
                },
            })
        })
        .optional()
}

fn analysis_columns(row: &Row<'_>, first: usize) -> rusqlite::Result<PhotoAnalysis<StoredFace>> {
    let column = |offset| first + offset;
    let statements: Option<String> = row.get(column(5))?;
    Ok(PhotoAnalysis {
        format: row.get(column(0))?,
        width: row.get(column(1))?,
        height: row.get(column(2))?,
        models: Models {
            detector: row.get(column(3))?,
            classifier: row.get(column(4))?,
        },
        statements: Statements::from_json(&statements.unwrap_or_default()),
        capture: effective::from_columns(row, column(6))?,
        people: Vec::new(),
        faces: Vec::new(),
        unread: Vec::new(),
        incomplete: None,
    })
}

/// The ID of the photo with this content.
pub(super) fn id_of(db: &Connection, hash: &ContentHash) -> rusqlite::Result<Option<PhotoId>> {
    db.prepare_cached("SELECT id FROM photos WHERE hash = ?")?
        .query_row([hash], |row| row.get(0))
        .optional()
}

/// The content of a photo.
pub(super) fn hash_of(db: &Connection, id: PhotoId) -> rusqlite::Result<ContentHash> {
    Ok(content_of(db, id)?.hash)
}

/// The content of a photo and its picture.
pub(super) fn content_of(db: &Connection, id: PhotoId) -> rusqlite::Result<LostContent> {
    db.prepare_cached("SELECT hash, picture FROM photos WHERE id = ?")?
        .query_row([id], LostContent::from_row)
}

/// Gives a photo another content, which no photo may have yet, and moves its corrections to that content. Its row must
/// then be written with [`put`].
pub(super) fn set_hash(db: &Connection, id: PhotoId, hash: &ContentHash) -> rusqlite::Result<()> {
    move_corrections(db, &hash_of(db, id)?, hash)?;
    db.prepare_cached("UPDATE photos SET hash = ? WHERE id = ?")?
        .execute(params![hash, id])?;
    Ok(())
}

/// A photo with the picture of a content that has no file itself; `None` if the content has one.
pub(super) fn with_picture_of(
    db: &Connection,
    of: &LostContent,
) -> rusqlite::Result<Option<ContentHash>> {
    db.prepare_cached(
        "SELECT p.hash FROM photos p JOIN files f ON f.photo_id = p.id
         WHERE p.picture = ?2 AND NOT EXISTS (SELECT 1 FROM photos o JOIN files g ON g.photo_id = o.id WHERE o.hash = ?1)
         ORDER BY p.id",
    )?
    .query_row(params![of.hash, of.picture], |row| row.get(0))
    .optional()
}

/// Moves what a person said of a content's faces to another content with its picture.
pub(super) fn move_corrections(
    db: &Connection,
    from: &ContentHash,
    to: &ContentHash,
) -> rusqlite::Result<()> {
    for update in [
        "UPDATE corrections SET hash = ?2 WHERE hash = ?1",
        "UPDATE undone_corrections SET hash = ?2 WHERE hash = ?1",
    ] {
        db.prepare_cached(update)?.execute(params![from, to])?;
    }
    lost_paths::set_hash(db, from, to)
}

/// The values in the row of a photo that do not come from its record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Derived {
    /// IDs of detector and classifier; `None` if the photo was skipped.
    pub models: Option<(i64, i64)>,
    /// Number of faces that count.
    pub faces: usize,
}

/// Stores the row of a photo, in place of an earlier row for the same content.
pub(super) fn put(db: &Connection, record: &PhotoRecord, derived: Derived) -> rusqlite::Result<()> {
    let analysis = record.content.as_ref().ok();
    let skip = record.content.as_ref().err();
    let forgotten = Names::of(db)?;
    let statements = analysis.map(|analysis| forgotten.without(&analysis.statements));
    let picture = record.picture.filter(|_| analysis.is_some());
    db.prepare_cached(
        "INSERT INTO photos (hash, bytes, indexed_at, skip_reason, skip_detail, format, width, height,
            facts, facts_version, detector, classifier, face_count, picture, orientation)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
         ON CONFLICT (hash) DO UPDATE SET
            (bytes, indexed_at, skip_reason, skip_detail, format, width, height,
            facts, facts_version, detector, classifier, face_count, picture, orientation) =
            (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    )?
    .execute(params![
        record.hash,
        record.bytes as i64,
        Timestamp::now().as_millisecond(),
        skip.map(|skip| skip.reason),
        skip.map(|skip| &skip.detail),
        analysis.map(|analysis| &analysis.format),
        analysis.map(|analysis| analysis.width),
        analysis.map(|analysis| analysis.height),
        statements.as_deref().map(Statements::to_json),
        statements.as_deref().map_or(0, |statements| statements.version),
        derived.models.map(|(detector, _)| detector),
        derived.models.map(|(_, classifier)| classifier),
        derived.faces as i64,
        picture.map(|picture| picture.hash),
        picture.map(|picture| picture.orientation.exif()),
    ])?;
    Ok(())
}

/// Stores since when no path has led to a photo, in Unix time in ms; `None` if one does.
pub(super) fn set_lost(db: &Connection, id: PhotoId, since: Option<i64>) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE photos SET lost_at = ? WHERE id = ?")?
        .execute(params![since, id])?;
    Ok(())
}

/// See [`Store::prune`](super::Store::prune).
pub(super) fn prune(db: &Connection, grace: Duration) -> rusqlite::Result<u64> {
    let grace = i64::try_from(grace.as_millis()).unwrap_or(i64::MAX);
    let removed = db
        .prepare_cached(
            "DELETE FROM photos
             WHERE lost_at <= ? AND NOT EXISTS (SELECT 1 FROM files WHERE photo_id = photos.id)",
        )?
        .execute([Timestamp::now().as_millisecond().saturating_sub(grace)])?;
    lost_paths::prune(db)?;
    Ok(removed as u64)
}
