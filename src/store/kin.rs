//! Carries corrections over to edits and exports of the photo on which they were made.
//!
//! A correction belongs to one picture, and an edit has another one. So each correction keeps the moment, the camera
//! and a small picture of the face, by which the pipeline recognises the same face in another file. A correction that
//! is carried over is a row of its own, which follows the correction that the person made: it is changed and removed
//! with that one, until the person corrects the very face to which it was carried over.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, named_params, params};

use crate::face::{BoundingBox, Correction, DetectedFace};
use crate::likeness::FacePicture;
use crate::photo::{Capture, ContentHash};

use super::codec::{bounding_box_from_columns, civil_ms, detected_from_columns};
use super::exchange::CorrectionRecord;
use super::path::encode;
use super::record::{CarriedFrom, FaceId, KinCorrection, KinFace, KinId, PhotoId};
use super::shots::Shot;
use super::{corrections, faces, files, raw_pairs, shots, undone};

/// Reads the corrections made on photos that one camera took in one second. A correction keeps the date that its photo had when
/// it was made; the second part finds those whose photo has another date now, by the present dates of all files with
/// the same picture.
pub(super) const CORRECTIONS: &str = "
    SELECT id, hash, taken_local, crop, carried_from IS NOT NULL AS is_carried FROM corrections
    WHERE camera = ?1 AND taken_local BETWEEN ?2 AND ?3 AND crop IS NOT NULL AND hash <> ?4
    UNION ALL
    SELECT c.id, p.hash, p.exif_local, c.crop, c.carried_from IS NOT NULL
    FROM photos p CROSS JOIN corrections c ON c.picture = p.picture
    WHERE p.exif_camera = ?1 AND p.exif_local BETWEEN ?2 AND ?3 AND p.hash <> ?4 AND c.crop IS NOT NULL
    ORDER BY is_carried, id";

/// See [`Store::kin_corrections`](super::Store::kin_corrections). `capture` is what the content alone says.
pub(super) fn corrections(
    db: &Connection,
    hash: &ContentHash,
    path: Option<&Path>,
    capture: &Capture,
    size: (u32, u32),
) -> rusqlite::Result<Vec<KinCorrection>> {
    let Some(Shot {
        local: taken,
        camera: Some(camera),
    }) = Shot::of(capture)
    else {
        return Ok(Vec::new());
    };
    let second = second_of(taken);
    let rows: Vec<(i64, ContentHash, i64, Vec<u8>)> = db
        .prepare_cached(CORRECTIONS)?
        .query_map(params![camera, second, second + 999, hash], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let others = sizes(db, hash, &camera, taken)?;
    let mut same_shot = raw_pairs::contents_of_shot(db, hash, path)?;
    same_shot.extend(path.map_or(Ok(None), |path| content_at(db, path))?);
    let kin = rows.into_iter().filter_map(|(id, of, at, crop)| {
        let picture = FacePicture::from_bytes(&crop)?;
        let is_same_moment = has_fraction(at) && at == taken
            || same_moment(at, taken)
                && (same_shot.contains(&of)
                    || !has_repeated_size(size, picture.photo_size(), &others));
        is_same_moment.then_some(KinCorrection { id, picture })
    });
    // The content on which a correction was made and another one with its picture may both be of this moment.
    let mut seen = HashSet::new();
    Ok(kin.filter(|kin| seen.insert(kin.id)).collect())
}

/// The content of the file at a path, as far as the index knows.
fn content_at(db: &Connection, path: &Path) -> rusqlite::Result<Option<ContentHash>> {
    db.prepare_cached(
        "SELECT p.hash FROM files f JOIN photos p ON p.id = f.photo_id WHERE f.path = ?",
    )?
    .query_row([encode(path)], |row| row.get(0))
    .optional()
}

/// See [`Store::lacks_picture`](super::Store::lacks_picture).
pub(super) fn lacks_picture(db: &Connection, hash: &ContentHash) -> rusqlite::Result<bool> {
    db.prepare_cached(
        "SELECT 1 FROM corrections WHERE hash = ? AND crop IS NULL AND camera IS NOT NULL",
    )?
    .exists([hash])
}

/// The first millisecond of a second.
const fn second_of(ms: i64) -> i64 {
    ms - ms.rem_euclid(1000)
}

/// The sizes of the photos in the index that were taken with this camera in the same second, other than the
/// one with this content.
fn sizes(
    db: &Connection,
    hash: &ContentHash,
    camera: &str,
    taken: i64,
) -> rusqlite::Result<Vec<(u32, u32)>> {
    let second = second_of(taken);
    db.prepare_cached(
        "SELECT width, height FROM photos
         WHERE exif_local BETWEEN ? AND ? AND exif_camera = ? AND hash <> ?",
    )?
    .query_map(params![second, second + 999, camera, hash], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?
    .collect()
}

/// Whether any two of these photos of one moment have the same size, upright or on its side: a photo, the corrected
/// one, and the `others` in the index, among which the corrected one may be. The photos of a burst have the same size,
/// so if no two sizes are equal, there is no burst.
fn has_repeated_size(photo: (u32, u32), corrected: (u32, u32), others: &[(u32, u32)]) -> bool {
    let area = |(width, height): (u32, u32)| (width.min(height), width.max(height));
    let mut sizes: Vec<_> = others.iter().copied().map(area).collect();
    if !sizes.contains(&area(corrected)) {
        sizes.push(area(corrected));
    }
    sizes.push(area(photo));
    sizes.sort_unstable();
    sizes.windows(2).any(|pair| pair[0] == pair[1])
}

/// Whether a time in ms has a fraction of a second; a camera that writes none seems to take all photos at the
/// full second.
const fn has_fraction(ms: i64) -> bool {
    ms.rem_euclid(1000) != 0
}

/// Whether two times in ms within one second may be the same moment. Many programs drop the fraction of the second
/// when they write an edit.
const fn same_moment(a: i64, b: i64) -> bool {
    a == b || !has_fraction(a) || !has_fraction(b)
}

/// See [`Store::kin_photos`](super::Store::kin_photos).
pub(super) fn photos(db: &Connection, photo: PhotoId) -> rusqlite::Result<Vec<PhotoId>> {
    let Some(shot) = shots::stored(db, photo)? else {
        return Ok(Vec::new());
    };
    let mut same = of_shot(db, &shot)?;
    same.retain(|other| *other != photo);
    Ok(same)
}

/// See [`Store::kin_of_corrections`](super::Store::kin_of_corrections).
pub(super) fn of_corrections(
    db: &Connection,
    records: &[CorrectionRecord],
) -> rusqlite::Result<BTreeSet<PhotoId>> {
    let mut uncorrected =
        db.prepare_cached("SELECT 1 FROM faces WHERE photo_id = ? AND correction IS NULL")?;
    let mut photos = BTreeSet::new();
    for record in records {
        let (Some(taken), Some(camera), Some(_)) =
            (record.taken, &record.camera, &record.face_picture)
        else {
            continue;
        };
        let shot = Shot {
            local: civil_ms(taken),
            camera: Some(camera.clone()),
        };
        for photo in of_shot(db, &shot)? {
            if uncorrected.exists([photo])? {
                photos.insert(photo);
            }
        }
    }
    Ok(photos)
}

/// The photos with files and faces that may be of the same shot, if its camera is known.
fn of_shot(db: &Connection, shot: &Shot) -> rusqlite::Result<Vec<PhotoId>> {
    let second = second_of(shot.local);
    let rows: Vec<(PhotoId, i64)> = db
        .prepare_cached(
            "SELECT id, exif_local FROM photos
             WHERE exif_local BETWEEN :second AND :second + 999 AND exif_camera = :camera
               AND skip_reason IS NULL AND face_count > 0
               AND EXISTS (SELECT 1 FROM files WHERE photo_id = photos.id)",
        )?
        .query_map(
            named_params! {":second": second, ":camera": shot.camera},
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?
        .collect::<rusqlite::Result<_>>()?;
    let same = rows
        .into_iter()
        .filter(|(_, at)| same_moment(*at, shot.local));
    Ok(same.map(|(id, _)| id).collect())
}

/// See [`Batch::put_kin`](super::Batch::put_kin).
pub(super) fn put(db: &Connection, photo: PhotoId, kin: &[KinFace]) -> rusqlite::Result<u64> {
    let mut carried = 0;
    for face in kin {
        let Some((id, correction)) = face_at(db, photo, &face.at)? else {
            continue;
        };
        match (correction, face.correction) {
            (Some(correction), _) => set_picture(db, correction, &face.picture)?,
            (None, Some(KinId(from))) => {
                if carry(db, id, from, &face.picture)? {
                    carried += 1;
                }
            }
            (None, None) => {}
        }
    }
    Ok(carried)
}

/// The face of a photo in a box, and its correction.
fn face_at(
    db: &Connection,
    photo: PhotoId,
    at: &BoundingBox,
) -> rusqlite::Result<Option<(FaceId, Option<i64>)>> {
    let faces: Vec<(FaceId, DetectedFace, Option<i64>)> = db
        .prepare_cached(
            "SELECT id, x, y, width, height, landmarks, detection_score, correction
             FROM faces WHERE photo_id = ?",
        )?
        .query_map([photo], |row| {
            Ok((row.get(0)?, detected_from_columns(row, 1)?, row.get(7)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    let overlapping = faces
        .into_iter()
        .map(|(id, face, correction)| (face.bounding_box.iou(at), id, correction))
        .filter(|(overlap, ..)| *overlap >= faces::SAME_FACE)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    Ok(overlapping.map(|(_, id, correction)| (id, correction)))
}

/// Gives a correction that was made without one the picture of its face, and when and with what it was taken.
fn set_picture(db: &Connection, correction: i64, picture: &FacePicture) -> rusqlite::Result<()> {
    date(db, correction)?;
    // Without a moment and a camera it would never be compared, and a person's face is not kept for nothing.
    db.prepare_cached(
        "UPDATE corrections SET crop = ? WHERE id = ? AND crop IS NULL AND camera IS NOT NULL",
    )?
    .execute(params![picture.to_bytes(), correction])?;
    Ok(())
}

/// Notes when and with what camera the photo of a correction was taken.
fn date(db: &Connection, correction: i64) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE corrections SET (taken_local, camera) = (
             SELECT p.exif_local, p.exif_camera FROM faces f JOIN photos p ON p.id = f.photo_id
             WHERE f.correction = corrections.id AND p.exif_camera IS NOT NULL
         )
         WHERE id = ? AND taken_local IS NULL",
    )?
    .execute([correction])?;
    Ok(())
}

/// Gives a face a correction that follows another one; `false` if that one is gone, or if a person undid
/// a correction of this face.
fn carry(
    db: &Connection,
    face: FaceId,
    from: i64,
    picture: &FacePicture,
) -> rusqlite::Result<bool> {
    let (hash, at) = place(db, face)?;
    if undone::contains(db, &hash, &at)? {
        return Ok(false);
    }
    let id: Option<i64> = db
        .prepare_cached(
            "INSERT INTO corrections (hash, x, y, width, height, emotion, made_at, picture,
                                      orientation, taken_local, camera, crop, carried_from)
             SELECT p.hash, f.x, f.y, f.width, f.height, c.emotion, :now, p.picture,
                    p.orientation, p.exif_local, p.exif_camera, :crop, coalesce(c.carried_from, c.id)
             FROM faces f JOIN photos p ON p.id = f.photo_id, corrections c
             WHERE f.id = :face AND f.correction IS NULL AND c.id = :from
             RETURNING id",
        )?
        .query_row(
            named_params! {
                ":now": Timestamp::now().as_millisecond(),
                ":crop": picture.to_bytes(),
                ":face": face,
                ":from": from,
            },
            |row| row.get(0),
        )
        .optional()?;
    if let Some(id) = id {
        db.prepare_cached("UPDATE faces SET correction = ? WHERE id = ?")?
            .execute(params![id, face])?;
    }
    Ok(id.is_some())
}

/// The content and the box of a face.
fn place(db: &Connection, face: FaceId) -> rusqlite::Result<(ContentHash, BoundingBox)> {
    db.prepare_cached(
        "SELECT p.hash, x, y, f.width, f.height FROM faces f JOIN photos p ON p.id = f.photo_id
         WHERE f.id = ?",
    )?
    .query_row([face], |row| {
        Ok((row.get(0)?, bounding_box_from_columns(row, 1)?))
    })
}

/// See [`Store::correct`](super::Store::correct).
pub(super) fn correct(
    db: &Connection,
    face: FaceId,
    correction: Correction,
) -> rusqlite::Result<bool> {
    let before = correction_of(db, face)?;
    let followers = leave(db, before)?;
    if !corrections::put(db, face, correction)? {
        return Ok(false);
    }
    let Some(made) = correction_of(db, face)? else {
        return Ok(false);
    };
    date(db, made)?;
    for follower in followers {
        db.prepare_cached(
            "UPDATE corrections SET (emotion, carried_from) = (SELECT emotion, id FROM corrections WHERE id = ?)
             WHERE id = ?",
        )?
        .execute([made, follower])?;
    }
    Ok(true)
}

/// See [`Store::undo`](super::Store::undo).
pub(super) fn undo(db: &Connection, face: FaceId) -> rusqlite::Result<bool> {
    let Some(before) = correction_of(db, face)? else {
        return Ok(false);
    };
    for follower in leave(db, Some(before))? {
        corrections::delete(db, follower)?;
    }
    if let Some(leader) = leader_without_file(db, before)? {
        // Nobody can undo it where it was made, and it would be carried over to the next edit.
        for follower in leave(db, Some(leader))? {
            if follower != before {
                corrections::delete(db, follower)?;
            }
        }
        let (hash, at) = db
            .prepare_cached("SELECT hash, x, y, width, height FROM corrections WHERE id = ?")?
            .query_row([leader], |row| {
                Ok((row.get(0)?, bounding_box_from_columns(row, 1)?))
            })?;
        undone::add(db, &hash, &at)?;
        corrections::delete(db, leader)?;
    }
    let (hash, at) = place(db, face)?;
    undone::add(db, &hash, &at)?;
    corrections::undo(db, face)
}

/// The correction from which another one was carried over, if no file has its content or its picture any more.
fn leader_without_file(db: &Connection, follower: i64) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached(
        "SELECT leader.id FROM corrections c JOIN corrections leader ON leader.id = c.carried_from
         WHERE c.id = ? AND NOT EXISTS (
             SELECT 1 FROM photos p JOIN files f ON f.photo_id = p.id
             WHERE p.hash = leader.hash OR p.picture = leader.picture
         )",
    )?
    .query_row([follower], |row| row.get(0))
    .optional()
}

/// The correction of a face.
fn correction_of(db: &Connection, face: FaceId) -> rusqlite::Result<Option<i64>> {
    let row: Option<Option<i64>> = db
        .prepare_cached("SELECT correction FROM faces WHERE id = ?")?
        .query_row([face], |row| row.get(0))
        .optional()?;
    Ok(row.flatten())
}

/// Makes the corrections that follow `leader` follow none, and returns them.
fn leave(db: &Connection, leader: Option<i64>) -> rusqlite::Result<Vec<i64>> {
    db.prepare_cached(
        "UPDATE corrections SET carried_from = NULL WHERE carried_from = ? RETURNING id",
    )?
    .query_map([leader], |row| row.get(0))?
    .collect()
}

/// See [`Store::carried`](super::Store::carried).
pub(super) fn carried(
    db: &Connection,
    photo: PhotoId,
) -> rusqlite::Result<Vec<(FaceId, CarriedFrom)>> {
    let rows: Vec<(FaceId, ContentHash, Option<PhotoId>)> = db
        .prepare_cached(
            "SELECT f.id, source.hash, p.id
             FROM faces f JOIN corrections c ON c.id = f.correction
                          JOIN corrections source ON source.id = c.carried_from
                          LEFT JOIN photos p ON p.hash = source.hash
             WHERE f.photo_id = ? ORDER BY f.position",
        )?
        .query_map([photo], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<rusqlite::Result<_>>()?;
    rows.into_iter()
        .map(|(face, content, photo)| {
            let paths = photo.map_or(Ok(Vec::new()), |photo| files::as_answered(db, photo))?;
            let path = paths.into_iter().next();
            Ok((face, CarriedFrom { content, path }))
        })
        .collect()
}

#[cfg(test)]
mod tests;
