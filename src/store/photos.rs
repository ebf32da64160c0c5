//! Photos by their content.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, named_params, params};

use crate::error::SkipReason;
use crate::face::Correction;
use crate::photo::{Capture, ContentHash, GeoPoint, TakenAt};

use super::codec::{taken_columns, taken_from_columns};
use super::record::{KnownPhoto, Models, Photo, PhotoId, PhotoRecord, Scan, StoredFace};
use super::{faces, files, scores, unread, words};

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
    let Some(mut photo) = bare(db, id)? else {
        return Ok(None);
    };
    photo.paths = files::of_photo(db, id)?;
    if let Ok(scan) = &mut photo.content {
        scan.faces = faces::of_photo(db, id)?;
        scan.unread = unread::of_photo(db, id)?;
    }
    Ok(Some(photo))
}

/// The photo without its paths and faces.
pub(super) fn bare(db: &Connection, id: PhotoId) -> rusqlite::Result<Option<Photo>> {
    db.prepare_cached(
        "SELECT skip_reason, skip_detail, hash, bytes, indexed_at,
                format, width, height, taken_local, taken_offset, taken_source,
                latitude, longitude, camera, lens, description, keywords, d.name, c.name
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
            indexed_at: Timestamp::from_millisecond(row.get(4)?).unwrap_or_default(),
            paths: Vec::new(),
            content: match reason {
                Some(_) => Err(files::skip_columns(row, 0)?),
                None => Ok(scan_columns(row, 5)?),
            },
        })
    })
    .optional()
}

fn scan_columns(row: &Row<'_>, first: usize) -> rusqlite::Result<Scan<StoredFace>> {
    let column = |offset| first + offset;
    let source: Option<String> = row.get(column(5))?;
    let latitude: Option<f64> = row.get(column(6))?;
    let longitude: Option<f64> = row.get(column(7))?;
    let keywords: String = row.get::<_, Option<_>>(column(11))?.unwrap_or_default();
    Ok(Scan {
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
    })
}

/// See [`Batch::put_photo`](super::Batch::put_photo).
pub(super) fn put(db: &Connection, record: &PhotoRecord) -> rusqlite::Result<PhotoId> {
    let scan = record.content.as_ref().ok();
    let skip = record.content.as_ref().err();
    let capture = scan.map(|scan| &scan.capture);
    let (taken_local, taken_offset, taken_source) =
        taken_columns(capture.and_then(|capture| capture.taken_at.as_ref()));
    let position = capture.and_then(|capture| capture.position);
    let (detector, classifier) = match scan {
        Some(scan) => (
            Some(model_number(db, &scan.models.detector)?),
            Some(model_number(db, &scan.models.classifier)?),
        ),
        None => (None, None),
    };
    let id = db
        .prepare_cached(
            "INSERT INTO photos (hash, bytes, indexed_at, skip_reason, skip_detail, format, width,
                height, taken_local, taken_offset, taken_source, latitude, longitude, camera, lens,
                description, keywords, detector, classifier)
             VALUES (:hash, :bytes, :indexed_at, :skip_reason, :skip_detail, :format, :width,
                :height, :taken_local, :taken_offset, :taken_source, :latitude, :longitude, :camera,
                :lens, :description, :keywords, :detector, :classifier)
             ON CONFLICT (hash) DO UPDATE SET
                (bytes, indexed_at, skip_reason, skip_detail, format, width, height, taken_local,
                 taken_offset, taken_source, latitude, longitude, camera, lens, description,
                 keywords, detector, classifier) =
                (:bytes, :indexed_at, :skip_reason, :skip_detail, :format, :width, :height,
                 :taken_local, :taken_offset, :taken_source, :latitude, :longitude, :camera, :lens,
                 :description, :keywords, :detector, :classifier)
             RETURNING id",
        )?
        .query_row(
            named_params! {
                ":hash": record.hash,
                ":bytes": record.bytes as i64,
                ":indexed_at": Timestamp::now().as_millisecond(),
                ":skip_reason": skip.map(|skip| skip.reason),
                ":skip_detail": skip.map(|skip| &skip.detail),
                ":format": scan.map(|scan| &scan.format),
                ":width": scan.map(|scan| scan.width),
                ":height": scan.map(|scan| scan.height),
                ":taken_local": taken_local,
                ":taken_offset": taken_offset,
                ":taken_source": taken_source,
                ":latitude": position.map(|position| position.latitude),
                ":longitude": position.map(|position| position.longitude),
                ":camera": capture.map(|capture| &capture.camera),
                ":lens": capture.map(|capture| &capture.lens),
                ":description": capture.map(|capture| &capture.description),
                ":keywords": capture.map(|capture| capture.keywords.join("\n")),
                ":detector": detector,
                ":classifier": classifier,
            },
            |row| row.get(0),
        )?;
    match scan {
        Some(scan) => faces::replace(db, id, &record.hash, &scan.faces)?,
        None => faces::remove_all(db, id)?,
    }
    unread::replace(db, id, scan.map_or(&[], |scan| &scan.unread))?;
    rank(db, id)?;
    words::refresh(db, id)?;
    Ok(id)
}

/// Counts the faces of a photo and puts it and them in their places, by models and corrections.
pub(super) fn rank(db: &Connection, id: PhotoId) -> rusqlite::Result<()> {
    let mut faces = faces::of_photo(db, id)?;
    faces::place(db, &faces)?;
    faces.retain(|face| face.correction != Some(Correction::NotAFace));
    let taken_local = db
        .prepare_cached("UPDATE photos SET face_count = ? WHERE id = ? RETURNING taken_local")?
        .query_row(params![faces.len() as i64, id], |row| row.get(0))?;
    scores::replace(db, id, taken_local, &faces)
}

/// The number under which a model's name is kept.
fn model_number(db: &Connection, name: &str) -> rusqlite::Result<i64> {
    let known = db
        .prepare_cached("SELECT id FROM models WHERE name = ?")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    match known {
        Some(number) => Ok(number),
        None => db
            .prepare_cached("INSERT INTO models (name) VALUES (?) RETURNING id")?
            .query_row([name], |row| row.get(0)),
    }
}

/// Gives a photo that does not tell its date that of its file, unless an older file has dated it.
pub(super) fn date_by_file(
    db: &Connection,
    id: PhotoId,
    modified: &TakenAt,
) -> rusqlite::Result<()> {
    let (local, offset, source) = taken_columns(Some(modified));
    let changed = db
        .prepare_cached(
            "UPDATE photos SET taken_local = :local, taken_offset = :offset, taken_source = :source
             WHERE id = :id AND skip_reason IS NULL
               AND (taken_source IS NULL OR taken_source = 'file' AND taken_local > :local)",
        )?
        .execute(named_params! {
            ":local": local, ":offset": offset, ":source": source, ":id": id,
        })?;
    if changed > 0 {
        db.prepare_cached("UPDATE photo_scores SET taken = ? WHERE photo_id = ?")?
            .execute(params![local, id])?;
    }
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

/// Notes when a photo lost its last path, if it has.
pub(super) fn note_loss(db: &Connection, id: PhotoId) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE photos SET lost_at = :now
         WHERE id = :id AND NOT EXISTS (SELECT 1 FROM files WHERE photo_id = :id)",
    )?
    .execute(named_params! {":now": Timestamp::now().as_millisecond(), ":id": id})?;
    Ok(())
}
