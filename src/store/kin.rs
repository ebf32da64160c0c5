//! Carries corrections over to edits and exports of the photo on which they were made.
//!
//! A correction belongs to one picture, and an edit has another one. So each correction keeps the face picture, and the
//! moment and the camera if they are known, by which the pipeline recognises the same face in another file. A correction
//! that is carried over is a row of its own (the follower), which follows the correction that the person made (its leader):
//! it is changed and removed with the leader, until the person corrects the face to which it was carried over.

mod candidates;
mod take_back;

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension as _, named_params, params};

use crate::face::{BoundingBox, Correction, DetectedFace};
use crate::likeness::FacePicture;
use crate::photo::ContentHash;

use super::codec::{civil_ms, detected_from_columns};
use super::exchange::CorrectionRecord;
use super::record::{CarriedFrom, FaceId, KinFace, KinId, PhotoId};
use super::shots::Shot;
use super::{corrections, exchange, faces, files, kin_due, same_picture, shots, undone};

pub(super) use candidates::{are_newer, corrections as candidates, second_of};
use candidates::{has_fraction, same_moment};
pub(super) use take_back::take_back;

/// See [`Store::lacks_picture`](super::Store::lacks_picture).
pub(super) fn lacks_picture(db: &Connection, hash: &ContentHash) -> rusqlite::Result<bool> {
    db.prepare_cached(
        "SELECT 1 FROM corrections WHERE hash = ?1 AND crop IS NULL
         UNION ALL
         SELECT 1 FROM photos p JOIN corrections c ON c.picture = p.picture
         WHERE p.hash = ?1 AND c.crop IS NULL",
    )?
    .exists([hash])
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
        // The dates of all photos with the picture count, as for a correction that is made in this database.
        for photo in exchange::photos_with(db, &record.content, record.picture.as_ref())? {
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

/// The photos with faces that may be of this shot; none if its camera is not known. Lost photos are included, since their
/// files may come back.
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

/// Whether two photos may be of one shot.
pub(super) fn is_same_shot(a: &Shot, b: &Shot) -> bool {
    a.camera == b.camera
        && second_of(a.local) == second_of(b.local)
        && same_moment(a.local, b.local)
}

/// Whether two photos are certainly of one shot, since their camera writes fractions of the second.
pub(super) fn is_exactly_same_shot(a: &Shot, b: &Shot) -> bool {
    a == b && has_fraction(a.local)
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
            (None, Some(from)) if from.is_declined => undone::again(db, id, from.id)?,
            (None, Some(from)) => {
                if carry(db, id, from, &face.picture)? {
                    carried += 1;
                }
            }
            (None, None) => {}
        }
    }
    Ok(carried)
}

/// The face of a photo that overlaps a box most, if it is the same face, and its correction.
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

/// Stores the face picture of a correction that has none, and when and with what camera its photo was taken.
fn set_picture(db: &Connection, correction: i64, picture: &FacePicture) -> rusqlite::Result<()> {
    date(db, correction)?;
    let changed = db
        .prepare_cached("UPDATE corrections SET crop = ? WHERE id = ? AND crop IS NULL")?
        .execute(params![picture.to_bytes(), correction])?;
    if changed > 0 {
        kin_due::note_edits(db, correction)?;
    }
    Ok(())
}

/// Stores with a correction when and with what camera its photo was taken, if that is not known yet.
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

/// Stores with each correction of a photo's faces when and with what camera the photo was taken, if that is not known
/// yet.
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

/// Gives a face a correction that follows another one, or the leader of that one; `false` if that one is gone, if the
/// face has a correction, or if a person undid a correction of this face.
fn carry(
    db: &Connection,
    face: FaceId,
    from: KinId,
    picture: &FacePicture,
) -> rusqlite::Result<bool> {
    if undone::last_of_face(db, face)?.is_some() || !is_there(db, from)? {
        return Ok(false);
    }
    let id: Option<i64> = db
        .prepare_cached(
            "INSERT INTO corrections (hash, x, y, width, height, emotion, made_at, picture,
                                      orientation, taken_local, camera, crop, carried_from)
             SELECT p.hash, f.x, f.y, f.width, f.height, c.emotion, c.made_at, p.picture,
                    p.orientation, p.exif_local, p.exif_camera, :crop, coalesce(c.carried_from, c.id)
             FROM faces f JOIN photos p ON p.id = f.photo_id, corrections c
             WHERE f.id = :face AND f.correction IS NULL AND c.id = :from
             RETURNING id",
        )?
        .query_row(
            named_params! {
                ":crop": picture.to_bytes(),
                ":face": face,
                ":from": from.id,
            },
            |row| row.get(0),
        )
        .optional()?;
    let Some(id) = id else {
        return Ok(false);
    };
    db.prepare_cached("UPDATE faces SET correction = ? WHERE id = ?")?
        .execute(params![id, face])?;
    let photo: PhotoId = db
        .prepare_cached("SELECT photo_id FROM faces WHERE id = ?")?
        .query_row([face], |row| row.get(0))?;
    // It belongs to the picture, like one that a person makes.
    for sibling in same_picture::siblings(db, photo)? {
        corrections::apply(db, sibling)?;
    }
    Ok(true)
}

/// Whether a correction is still there, or has replaced one of the same face.
fn is_there(db: &Connection, KinId { id, picture, .. }: KinId) -> rusqlite::Result<bool> {
    let crop: Option<Option<Vec<u8>>> = db
        .prepare_cached("SELECT crop FROM corrections WHERE id = ?")?
        .query_row([id], |row| row.get(0))
        .optional()?;
    Ok(crop
        .flatten()
        .is_some_and(|crop| *blake3::hash(&crop).as_bytes() == picture))
}

/// See [`Store::correct`](super::Store::correct).
pub(super) fn correct(
    db: &Connection,
    face: FaceId,
    correction: Correction,
) -> rusqlite::Result<bool> {
    if !faces::has_file(db, face)? {
        return Ok(false);
    }
    let before = correction_of(db, face)?;
    let leader = before.map_or(Ok(None), |before| leader_without_file(db, before))?;
    let (crop, made_at): (Option<Vec<u8>>, Option<i64>) = db
        .prepare_cached("SELECT crop, made_at FROM corrections WHERE id = ?")?
        .query_row([before], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?
        .unwrap_or_default();
    let followers = detach_followers(db, before)?;
    if !corrections::put(db, face, correction)? {
        return Ok(false);
    }
    let Some(made) = correction_of(db, face)? else {
        return Ok(false);
    };
    date(db, made)?;
    // The earlier correction's face picture is kept: the file, from which another one could be made, may be absent.
    db.prepare_cached("UPDATE corrections SET crop = ? WHERE id = ?")?
        .execute(params![crop, made])?;
    // This must count as the later decision, even if the clock of the machine on which the earlier one was made was
    // ahead.
    let undone_at = undone::last_of_face(db, face)?;
    let earlier = made_at.max(undone_at).unwrap_or_default();
    db.prepare_cached("UPDATE corrections SET made_at = max(made_at, ? + 1) WHERE id = ?")?
        .execute(params![earlier, made])?;
    for follower in followers {
        follow(db, follower, made)?;
    }
    if let Some(leader) = leader {
        // The photo of the leader has no file, so nobody can correct it there, and it would be carried over to the next
        // edit.
        follow(db, leader, made)?;
    }
    Ok(true)
}

/// See [`Store::undo`](super::Store::undo).
pub(super) fn undo(db: &Connection, face: FaceId) -> rusqlite::Result<bool> {
    let Some(before) = correction_of(db, face)? else {
        return Ok(false);
    };
    for follower in detach_followers(db, Some(before))? {
        corrections::delete(db, follower)?;
    }
    if let Some(leader) = leader_without_file(db, before)? {
        // The photo of the leader has no file, so nobody can undo it there, and it would be carried over to the next
        // edit.
        for follower in detach_followers(db, Some(leader))? {
            if follower != before {
                corrections::delete(db, follower)?;
            }
        }
        undone::add(db, &undone::of_correction(db, leader)?)?;
        corrections::delete(db, leader)?;
    }
    let leader: Option<i64> = db
        .prepare_cached("SELECT carried_from FROM corrections WHERE id = ?")?
        .query_row([before], |row| row.get(0))
        .optional()?
        .flatten();
    if let Some(face) = undone::of_face(db, face)? {
        undone::add(db, &face)?;
        if let Some(leader) = leader {
            undone::decline(db, &face, leader)?;
        }
    }
    corrections::undo(db, face)
}

/// The leader of a correction, if no file has the leader's content or picture any more.
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

/// Makes the followers of `leader` corrections of their own, and returns them.
pub(super) fn detach_followers(db: &Connection, leader: Option<i64>) -> rusqlite::Result<Vec<i64>> {
    db.prepare_cached(
        "UPDATE corrections SET carried_from = NULL WHERE carried_from = ? RETURNING id",
    )?
    .query_map([leader], |row| row.get(0))?
    .collect()
}

/// Makes a correction, with those that follow it, follow `leader` or the correction that `leader` itself follows, and take
/// over the emotion and time of that one.
pub(super) fn follow(db: &Connection, follower: i64, leader: i64) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE corrections SET (carried_from, emotion, made_at) = (
             SELECT o.id, o.emotion, o.made_at FROM corrections l JOIN corrections o ON o.id = coalesce(l.carried_from, l.id)
             WHERE l.id = ?2
         )
         WHERE (id = ?1 OR carried_from = ?1)
           AND (SELECT coalesce(carried_from, id) FROM corrections WHERE id = ?2) <> ?1",
    )?
    .execute(params![follower, leader])?;
    Ok(())
}

/// See [`Store::carried`](super::Store::carried).
pub(super) fn carried(
    db: &Connection,
    photo: PhotoId,
) -> rusqlite::Result<Vec<(FaceId, CarriedFrom)>> {
    let rows: Vec<(FaceId, i64, ContentHash, Option<PhotoId>)> = db
        .prepare_cached(
            "SELECT f.id, source.id, source.hash, p.id
             FROM faces f JOIN corrections c ON c.id = f.correction
                          JOIN corrections source ON source.id = c.carried_from
                          LEFT JOIN photos p ON p.hash = source.hash
             WHERE f.photo_id = ? ORDER BY f.position",
        )?
        .query_map([photo], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    rows.into_iter()
        .map(|(face, correction, content, photo)| {
            let paths = photo.map_or(Ok(Vec::new()), |photo| files::as_answered(db, photo))?;
            let path = paths.into_iter().next();
            let from = CarriedFrom {
                correction,
                content,
                path,
            };
            Ok((face, from))
        })
        .collect()
}

#[cfg(test)]
mod tests;
