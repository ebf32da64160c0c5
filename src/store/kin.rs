//! Carries corrections over to edits and exports of the photo on which they were made.
//!
//! A correction belongs to one picture, and an edit has another one. So each correction keeps the moment, the camera
//! and a small picture of the face, by which the pipeline recognises the same face in another file. A correction that
//! is carried over is a row of its own, which follows the correction that the person made: it is changed and removed
//! with that one, until the person corrects the very face to which it was carried over.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, named_params, params};

use crate::face::{BoundingBox, Correction, DetectedFace};
use crate::likeness::FacePicture;
use crate::photo::{Capture, ContentHash};

use super::codec::{civil_ms, detected_from_columns};
use super::exchange::CorrectionRecord;
use super::lost_paths::LostContent;
use super::path::encode;
use super::record::{
    CarriedFrom, FaceId, KinCorrection, KinCorrections, KinFace, KinId, Occasion, PhotoId,
};
use super::shots::Shot;
use super::{
    corrections, exchange, faces, files, kin_due, lost_paths, raw_pairs, same_picture, shots,
    undone,
};

/// Reads the corrections made on photos that one camera took in one second. A correction keeps the date that its photo had when
/// it was made; the second part finds those whose photo has another date now, by the present dates of all files with
/// the same picture.
pub(super) const CORRECTIONS: &str = "
    SELECT id, hash, taken_local, crop, picture, carried_from, carried_from IS NOT NULL AS is_carried FROM corrections
    WHERE camera = ?1 AND taken_local BETWEEN ?2 AND ?3 AND crop IS NOT NULL AND hash <> ?4
    UNION ALL
    SELECT c.id, p.hash, p.exif_local, c.crop, c.picture, c.carried_from, c.carried_from IS NOT NULL
    FROM photos p CROSS JOIN corrections c ON c.picture = p.picture
    WHERE p.exif_camera = ?1 AND p.exif_local BETWEEN ?2 AND ?3 AND p.hash <> ?4 AND c.crop IS NOT NULL
    ORDER BY is_carried, id";

/// A row of [`CORRECTIONS`].
struct Candidate {
    id: i64,
    of: LostContent,
    at: i64,
    crop: Vec<u8>,
    carried_from: Option<i64>,
}

/// See [`Store::kin_corrections`](super::Store::kin_corrections). `capture` is what the content alone says.
pub(super) fn corrections(
    db: &Connection,
    hash: &ContentHash,
    occasion: Occasion<'_>,
    capture: &Capture,
    size: (u32, u32),
) -> rusqlite::Result<KinCorrections> {
    let Some(Shot {
        local: taken,
        camera: Some(camera),
    }) = Shot::of(capture)
    else {
        return Ok(KinCorrections::default());
    };
    let second = second_of(taken);
    let rows: Vec<Candidate> = db
        .prepare_cached(CORRECTIONS)?
        .query_map(params![camera, second, second + 999, hash], |row| {
            Ok(Candidate {
                id: row.get(0)?,
                of: LostContent {
                    hash: row.get(1)?,
                    picture: row.get(4)?,
                },
                at: row.get(2)?,
                crop: row.get(3)?,
                carried_from: row.get(5)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    let mut kin = KinCorrections::default();
    if rows.is_empty() {
        return Ok(kin);
    }
    let others = sizes(db, hash, &camera, taken)?;
    let path = occasion.path();
    let of_shot = raw_pairs::contents_of_shot(db, hash, path)?;
    let replaced = path.map_or(Ok(Vec::new()), |path| replaced_at(db, path, hash))?;
    for row in rows {
        let Some(picture) = FacePicture::from_bytes(&row.crop) else {
            continue;
        };
        let has_left = |lost: &LostContent| {
            lost.hash == row.of.hash || lost.picture.is_some() && lost.picture == row.of.picture
        };
        let replaced = replaced.iter().position(has_left);
        if !same_moment(row.at, taken) {
            continue;
        }
        let is_same_shot = has_fraction(row.at) && row.at == taken
            || replaced.is_some()
            || of_shot.contains(&row.of.hash);
        if !is_same_shot && !occasion.is_everything_stored() {
            kin.is_undecided = true;
            continue;
        }
        // Nothing shows that it is the same photo but that there is no other one of its size. A correction that was carried
        // over for that reason is no reason to carry it on.
        let may_be_same =
            row.carried_from.is_none() && !has_repeated_size(size, picture.photo_size(), &others);
        if is_same_shot || may_be_same {
            // The content on which a correction was made and another one with its picture may both be of this moment.
            match kin.corrections.iter_mut().find(|known| known.id == row.id) {
                Some(known) => known.replaced = known.replaced.or(replaced),
                None => kin.corrections.push(KinCorrection {
                    id: row.id,
                    face: row.carried_from.unwrap_or(row.id),
                    picture,
                    replaced,
                }),
            }
        }
    }
    Ok(kin)
}

/// The contents that the content `hash` replaces at a path, the last one first: those that are or were there. If it is in the index itself, the
/// files may only have been renamed, and a photo counts as replaced only if [`lost_paths::replaced`] says so.
fn replaced_at(
    db: &Connection,
    path: &Path,
    hash: &ContentHash,
) -> rusqlite::Result<Vec<LostContent>> {
    let is_analysed = db
        .prepare_cached("SELECT 1 FROM photos WHERE hash = ? AND skip_reason IS NULL")?
        .exists([hash])?;
    if is_analysed {
        return lost_paths::replaced(db, path, hash);
    }
    let mut replaced = Vec::from_iter(content_at(db, path)?);
    replaced.extend(lost_paths::contents(db, path)?);
    Ok(replaced)
}

/// The content of the file at a path, as far as the index knows.
fn content_at(db: &Connection, path: &Path) -> rusqlite::Result<Option<LostContent>> {
    db.prepare_cached(
        "SELECT p.hash, p.picture FROM files f JOIN photos p ON p.id = f.photo_id WHERE f.path = ?",
    )?
    .query_row([encode(path)], |row| {
        Ok(LostContent {
            hash: row.get(0)?,
            picture: row.get(1)?,
        })
    })
    .optional()
}

/// See [`Store::lacks_picture`](super::Store::lacks_picture).
pub(super) fn lacks_picture(db: &Connection, hash: &ContentHash) -> rusqlite::Result<bool> {
    db.prepare_cached(
        "SELECT 1 FROM corrections WHERE hash = ?1 AND crop IS NULL AND camera IS NOT NULL
         UNION ALL
         SELECT 1 FROM photos p JOIN corrections c ON c.picture = p.picture
         WHERE p.hash = ?1 AND c.crop IS NULL AND c.camera IS NOT NULL",
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
pub(super) fn photos(db: &Connection, photo: PhotoId) -> rusqlite::Result<BTreeSet<PhotoId>> {
    let siblings = same_picture::siblings(db, photo)?;
    let mut kin = BTreeSet::new();
    for of in siblings.iter().chain([&photo]) {
        if let Some(shot) = shots::stored(db, *of)? {
            kin.extend(of_shot(db, &shot)?);
        }
    }
    for same in siblings.iter().chain([&photo]) {
        kin.remove(same);
    }
    Ok(kin)
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
        if record.face_picture.is_none() {
            continue;
        }
        let mut all = Vec::new();
        if let (Some(taken), Some(camera)) = (record.taken, &record.camera) {
            all.push(Shot {
                local: civil_ms(taken),
                camera: Some(camera.clone()),
            });
        }
        // The dates of all files with the picture count, as for a correction that is made here.
        for photo in exchange::photos_with(db, record)? {
            all.extend(shots::stored(db, photo)?);
        }
        for shot in all {
            for photo in of_shot(db, &shot)? {
                if uncorrected.exists([photo])? {
                    photos.insert(photo);
                }
            }
        }
    }
    Ok(photos)
}

/// The photos with faces that may be of the same shot, if its camera is known; also those whose files are gone, since these
/// may come back.
fn of_shot(db: &Connection, shot: &Shot) -> rusqlite::Result<Vec<PhotoId>> {
    let second = second_of(shot.local);
    let rows: Vec<(PhotoId, i64)> = db
        .prepare_cached(
            "SELECT id, exif_local FROM photos
             WHERE exif_local BETWEEN :second AND :second + 999 AND exif_camera = :camera
               AND skip_reason IS NULL AND face_count > 0",
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
    let changed = db
        .prepare_cached(
            "UPDATE corrections SET crop = ? WHERE id = ? AND crop IS NULL AND camera IS NOT NULL",
        )?
        .execute(params![picture.to_bytes(), correction])?;
    if changed > 0 {
        kin_due::note_edits(db, correction)?;
    }
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

/// Notes when and with what camera a photo was taken with each correction of its faces that does not have it.
pub(super) fn date_all(db: &Connection, photo: PhotoId) -> rusqlite::Result<()> {
    let of_photo: Vec<i64> = db
        .prepare_cached(
            "SELECT correction FROM faces WHERE photo_id = ? AND correction IS NOT NULL",
        )?
        .query_map([photo], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    of_photo
        .into_iter()
        .try_for_each(|correction| date(db, correction))
}

/// Gives a face a correction that follows another one; `false` if that one is gone, or if a person undid
/// a correction of this face.
fn carry(
    db: &Connection,
    face: FaceId,
    from: i64,
    picture: &FacePicture,
) -> rusqlite::Result<bool> {
    if undone::contains(db, face)? {
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

/// See [`Store::correct`](super::Store::correct).
pub(super) fn correct(
    db: &Connection,
    face: FaceId,
    correction: Correction,
) -> rusqlite::Result<bool> {
    let before = correction_of(db, face)?;
    let leader = before.map_or(Ok(None), |before| leader_without_file(db, before))?;
    let crop: Option<Vec<u8>> = db
        .prepare_cached("SELECT crop FROM corrections WHERE id = ?")?
        .query_row([before], |row| row.get(0))
        .optional()?
        .flatten();
    let followers = leave(db, before)?;
    if !corrections::put(db, face, correction)? {
        return Ok(false);
    }
    let Some(made) = correction_of(db, face)? else {
        return Ok(false);
    };
    date(db, made)?;
    // The file may be away now.
    db.prepare_cached("UPDATE corrections SET crop = ? WHERE id = ? AND camera IS NOT NULL")?
        .execute(params![crop, made])?;
    for follower in followers {
        db.prepare_cached(
            "UPDATE corrections SET (emotion, carried_from) = (SELECT emotion, id FROM corrections WHERE id = ?)
             WHERE id = ?",
        )?
        .execute([made, follower])?;
    }
    if let Some(leader) = leader {
        // Nobody can correct it where it was made, and it would be carried over to the next edit.
        db.prepare_cached(
            "UPDATE corrections SET (emotion, made_at) = (SELECT emotion, made_at FROM corrections WHERE id = ?1)
             WHERE id = ?2 OR carried_from = ?2",
        )?
        .execute([made, leader])?;
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
        undone::add(db, &undone::of_correction(db, leader)?)?;
        corrections::delete(db, leader)?;
    }
    if let Some(face) = undone::of_face(db, face)? {
        undone::add(db, &face)?;
    }
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
