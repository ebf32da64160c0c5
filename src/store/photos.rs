//! Stores photos, keyed by their content.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::error::SkipReason;
use crate::photo::{Capture, ContentHash, GeoPoint, TakenAt};

use super::codec::{picture_from_columns, skip_from_columns, taken_columns, taken_from_columns};
use super::record::{KnownPhoto, Models, Photo, PhotoAnalysis, PhotoId, PhotoRecord};
use super::stored_face::StoredFace;
use super::{faces, files, incomplete, sidecars, unread};

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

/// See [`Store::photo`](super::Store::photo).
pub(super) fn load(db: &Connection, id: PhotoId) -> rusqlite::Result<Option<Photo>> {
    let Some(mut photo) = load_embedded(db, id)? else {
        return Ok(None);
    };
    if let Ok(analysis) = &mut photo.content {
        sidecars::add_keywords(db, id, &mut analysis.capture.keywords)?;
        analysis.incomplete = incomplete::of(db, id)?;
    }
    Ok(Some(photo))
}

/// The photo with what its content says alone, without the keywords of its sidecars.
pub(super) fn load_embedded(db: &Connection, id: PhotoId) -> rusqlite::Result<Option<Photo>> {
    let Some(mut photo) = row_of(db, id)? else {
        return Ok(None);
    };
    photo.paths = files::of_photo(db, id)?;
    if let Ok(analysis) = &mut photo.content {
        analysis.faces = faces::of_photo(db, id)?;
        analysis.unread = unread::of_photo(db, id)?;
    }
    Ok(Some(photo))
}

/// The photo without its paths and faces.
pub(super) fn bare(db: &Connection, id: PhotoId) -> rusqlite::Result<Option<Photo>> {
    let mut photo = row_of(db, id)?;
    if let Some(Ok(analysis)) = photo.as_mut().map(|photo| photo.content.as_mut()) {
        sidecars::add_keywords(db, id, &mut analysis.capture.keywords)?;
    }
    Ok(photo)
}

/// The row of a photo.
fn row_of(db: &Connection, id: PhotoId) -> rusqlite::Result<Option<Photo>> {
    db.prepare_cached(
        "SELECT skip_reason, skip_detail, hash, bytes, indexed_at,
                format, width, height, taken_local, taken_offset, taken_source,
                latitude, longitude, camera, lens, description, keywords, d.name, c.name,
                picture, orientation
         FROM photos p LEFT JOIN models d ON d.id = p.detector
                       LEFT JOIN models c ON c.id = p.classifier
         WHERE p.id = ?",
    )?
    .query_row([id], |row| {
        let reason: Option<SkipReason> = row.get(0)?;
        Ok(Photo {
            id,
            hash: row.get(2)?,
            bytes: row.get::<_, i64>(3)? as u64,
            picture: picture_from_columns(row, 19)?,
            indexed_at: Timestamp::from_millisecond(row.get(4)?).unwrap_or_default(),
            paths: Vec::new(),
            content: match reason {
                Some(_) => Err(skip_from_columns(row, 0)?),
                None => Ok(analysis_columns(row, 5)?),
            },
        })
    })
    .optional()
}

fn analysis_columns(row: &Row<'_>, first: usize) -> rusqlite::Result<PhotoAnalysis<StoredFace>> {
    let column = |offset| first + offset;
    let source: Option<String> = row.get(column(5))?;
    let latitude: Option<f64> = row.get(column(6))?;
    let longitude: Option<f64> = row.get(column(7))?;
    let keywords: String = row.get::<_, Option<_>>(column(11))?.unwrap_or_default();
    Ok(PhotoAnalysis {
        format: row.get(column(0))?,
        width: row.get(column(1))?,
        height: row.get(column(2))?,
        capture: Capture {
            taken_at: taken_from_columns(
                row.get(column(3))?,
                row.get(column(4))?,
                source.as_deref(),
            ),
            position: latitude
                .zip(longitude)
                .map(|(latitude, longitude)| GeoPoint {
                    latitude,
                    longitude,
                }),
            camera: row.get(column(8))?,
            lens: row.get(column(9))?,
            description: row.get(column(10))?,
            keywords: keywords.lines().map(str::to_owned).collect(),
        },
        models: Models {
            detector: row.get(column(12))?,
            classifier: row.get(column(13))?,
        },
        faces: Vec::new(),
        unread: Vec::new(),
        incomplete: None,
    })
}

/// The id of the photo with this content.
pub(super) fn id_of(db: &Connection, hash: &ContentHash) -> rusqlite::Result<Option<PhotoId>> {
    db.prepare_cached("SELECT id FROM photos WHERE hash = ?")?
        .query_row([hash], |row| row.get(0))
        .optional()
}

/// Gives a photo another content, which no photo has, and its corrections with it. Its row must then be written with
/// [`put`].
pub(super) fn set_hash(db: &Connection, id: PhotoId, hash: &ContentHash) -> rusqlite::Result<()> {
    for follow in [
        "UPDATE corrections SET hash = ?1 WHERE hash = (SELECT hash FROM photos WHERE id = ?2)",
        "UPDATE undone_corrections SET hash = ?1 WHERE hash = (SELECT hash FROM photos WHERE id = ?2)",
        "UPDATE photos SET hash = ?1 WHERE id = ?2",
    ] {
        db.prepare_cached(follow)?.execute(params![hash, id])?;
    }
    Ok(())
}

/// The values in the row of a photo that do not come from its record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Derived<'a> {
    /// When it was taken, according to the photo or else its files.
    pub taken: Option<&'a TakenAt>,
    /// Ids of detector and classifier; `None` if the photo was skipped.
    pub models: Option<(i64, i64)>,
    /// How many faces count; those that a person rejected do not.
    pub faces: usize,
}

/// Stores the row of a photo, in place of an earlier row for the same content.
pub(super) fn put(
    db: &Connection,
    record: &PhotoRecord,
    derived: Derived<'_>,
) -> rusqlite::Result<()> {
    let analysis = record.content.as_ref().ok();
    let skip = record.content.as_ref().err();
    let capture = analysis.map(|analysis| &analysis.capture);
    let (taken_local, taken_offset, taken_source) = taken_columns(derived.taken);
    let position = capture.and_then(|capture| capture.position);
    let picture = record.picture.filter(|_| analysis.is_some());
    db.prepare_cached(
        "INSERT INTO photos (hash, bytes, indexed_at, skip_reason, skip_detail, format, width, height,
            taken_local, taken_offset, taken_source, latitude, longitude, camera, lens, description,
            keywords, detector, classifier, face_count, picture, orientation)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
            ?19, ?20, ?21, ?22)
         ON CONFLICT (hash) DO UPDATE SET
            (bytes, indexed_at, skip_reason, skip_detail, format, width, height,
            taken_local, taken_offset, taken_source, latitude, longitude, camera, lens, description,
            keywords, detector, classifier, face_count, picture, orientation) =
            (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,
            ?21, ?22)",
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
        taken_local,
        taken_offset,
        taken_source,
        position.map(|position| position.latitude),
        position.map(|position| position.longitude),
        capture.map(|capture| &capture.camera),
        capture.map(|capture| &capture.lens),
        capture.map(|capture| &capture.description),
        capture.map(|capture| capture.keywords.join("\n")),
        derived.models.map(|(detector, _)| detector),
        derived.models.map(|(_, classifier)| classifier),
        derived.faces as i64,
        picture.map(|picture| picture.hash),
        picture.map(|picture| picture.orientation.exif()),
    ])?;
    Ok(())
}

/// Stores the date of a photo that is dated by its files. The dates in its ranking follow by a trigger.
pub(super) fn set_date(
    db: &Connection,
    id: PhotoId,
    taken: Option<&TakenAt>,
) -> rusqlite::Result<()> {
    let (local, offset, source) = taken_columns(taken);
    db.prepare_cached(
        "UPDATE photos SET taken_local = ?, taken_offset = ?, taken_source = ? WHERE id = ?",
    )?
    .execute(params![local, offset, source, id])?;
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
    Ok(removed as u64)
}
