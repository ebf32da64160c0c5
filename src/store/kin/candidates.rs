//! Finds the corrections that may carry over to a photo: those of the same shot, and those of what the photo has replaced at
//! its path. The face pictures decide whether one does.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::likeness::FacePicture;
use crate::photo::{Capture, ContentHash};

use super::super::lost_paths::{self, LostContent};
use super::super::path::encode;
use super::super::raw_pairs;
use super::super::record::{KinCorrection, KinCorrections, Occasion, SeenCorrections};
use super::super::shots::Shot;
use super::super::undone;

/// Reads the corrections of photos that one camera took in one second. A correction keeps the date that its photo had
/// when it was made; the second part finds those whose photo has another date now, by the present dates of all photos
/// with the same picture.
pub(super) const CORRECTIONS: &str = "
    SELECT id, hash, taken_local, crop, picture, carried_from, made_at, carried_from IS NOT NULL AS is_carried
    FROM corrections
    WHERE camera = ?1 AND taken_local BETWEEN ?2 AND ?3 AND crop IS NOT NULL AND hash <> ?4
    UNION ALL
    SELECT c.id, p.hash, p.exif_local, c.crop, c.picture, c.carried_from, c.made_at, c.carried_from IS NOT NULL
    FROM photos p CROSS JOIN corrections c ON c.picture = p.picture
    WHERE p.exif_camera = ?1 AND p.exif_local BETWEEN ?2 AND ?3 AND p.hash <> ?4 AND c.crop IS NOT NULL
    ORDER BY is_carried, id";

/// Reads when the other corrections of one camera and one second were made that have no picture of their face yet.
pub(super) const WITHOUT_PICTURE: &str = "
    SELECT taken_local FROM corrections
    WHERE camera = ?1 AND taken_local BETWEEN ?2 AND ?3 AND crop IS NULL AND hash <> ?4";

/// Reads the corrections of a content, or of another one with its picture, whose photo has no shot that could differ from
/// that of another photo; with `?3`, which is set for a photo that has no shot itself, all of them.
pub(super) const REPLACED: &str = "
    SELECT id, crop, carried_from FROM corrections
    WHERE (hash = ?1 OR picture = ?2) AND crop IS NOT NULL AND (?3 OR camera IS NULL)
    ORDER BY carried_from IS NOT NULL, id";

/// A row of [`CORRECTIONS`].
struct Candidate {
    id: i64,
    of: LostContent,
    at: i64,
    crop: Vec<u8>,
    carried_from: Option<i64>,
    made_at: i64,
}

/// See [`Store::kin_corrections`](super::super::Store::kin_corrections). `capture` is what the content alone says.
pub(in super::super) fn corrections(
    db: &Connection,
    hash: &ContentHash,
    occasion: Occasion<'_>,
    capture: &Capture,
    size: (u32, u32),
) -> rusqlite::Result<KinCorrections> {
    let path = occasion.path();
    let replaced = path.map_or(Ok(Vec::new()), |path| replaced_at(db, path, hash))?;
    let shot = Shot::of(capture).and_then(|shot| Some((shot.camera?, shot.local)));
    let mut kin = match &shot {
        Some((camera, taken)) => of_shot(db, hash, occasion, (camera, *taken), size, &replaced)?,
        None => KinCorrections::default(),
    };
    for (rank, lost) in replaced.iter().enumerate() {
        for correction in of_replaced(db, lost, rank, shot.is_some())? {
            add(&mut kin.corrections, correction);
        }
    }
    // What a person undid on an earlier version stays undone.
    for lost in &replaced {
        let declined = undone::declined(db, lost)?;
        for correction in &mut kin.corrections {
            correction.is_declined |= declined.contains(&correction.face);
        }
    }
    Ok(kin)
}

/// Adds a correction. It may be read twice: by the content on which it was made, and by another one with its picture.
fn add(corrections: &mut Vec<KinCorrection>, correction: KinCorrection) {
    match corrections
        .iter_mut()
        .find(|known| known.id == correction.id)
    {
        Some(known) => known.replaced = known.replaced.or(correction.replaced),
        None => corrections.push(correction),
    }
}

/// The corrections of the `rank`-th content that a photo has replaced, unless both have a shot: then those of the same shot
/// are read by that.
fn of_replaced(
    db: &Connection,
    lost: &LostContent,
    rank: usize,
    has_shot: bool,
) -> rusqlite::Result<Vec<KinCorrection>> {
    let rows: Vec<(i64, Vec<u8>, Option<i64>)> = db
        .prepare_cached(REPLACED)?
        .query_map(params![lost.hash, lost.picture, !has_shot], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    let with_picture = rows.into_iter().filter_map(|(id, crop, carried_from)| {
        Some(KinCorrection {
            id,
            face: carried_from.unwrap_or(id),
            picture: FacePicture::from_bytes(&crop)?,
            replaced: Some(rank),
            is_declined: false,
        })
    });
    Ok(with_picture.collect())
}

/// The corrections of the shot of a photo, taken with this camera at this time (ms).
fn of_shot(
    db: &Connection,
    hash: &ContentHash,
    occasion: Occasion<'_>,
    (camera, taken): (&str, i64),
    size: (u32, u32),
    replaced: &[LostContent],
) -> rusqlite::Result<KinCorrections> {
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
                made_at: row.get(6)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    // The photo that was corrected may be analysed in this very run, which stores the picture.
    let is_without_picture = || -> rusqlite::Result<bool> {
        let times: Vec<i64> = db
            .prepare_cached(WITHOUT_PICTURE)?
            .query_map(params![camera, second, second + 999, hash], |row| {
                row.get(0)
            })?
            .collect::<rusqlite::Result<_>>()?;
        Ok(times.into_iter().any(|at| same_moment(at, taken)))
    };
    let mut kin = KinCorrections {
        is_undecided: !occasion.is_everything_stored() && is_without_picture()?,
        corrections: Vec::new(),
        seen: SeenCorrections {
            shot: Some((camera.to_owned(), second)),
            corrections: rows.iter().map(|row| (row.id, row.made_at)).collect(),
        },
    };
    if rows.is_empty() {
        return Ok(kin);
    }
    let others = sizes(db, hash, camera, taken)?;
    let of_shot = raw_pairs::contents_of_shot(db, hash, occasion.path())?;
    for row in rows {
        if !same_moment(row.at, taken) {
            continue;
        }
        let Some(picture) = FacePicture::from_bytes(&row.crop) else {
            continue;
        };
        let has_left = |lost: &LostContent| {
            lost.hash == row.of.hash || lost.picture.is_some() && lost.picture == row.of.picture
        };
        let replaced = replaced.iter().position(has_left);
        let is_same_shot = has_fraction(row.at) && row.at == taken
            || replaced.is_some()
            || of_shot.contains(&row.of.hash);
        if !is_same_shot && !occasion.is_everything_stored() {
            kin.is_undecided = true;
            continue;
        }
        // That it is the same photo is only inferred from the absence of another one of its size. From a correction that
        // was itself carried over, perhaps by the same inference, nothing is carried over in this way.
        let may_be_same_face =
            row.carried_from.is_none() && !has_repeated_size(size, picture.photo_size(), &others);
        if is_same_shot || may_be_same_face {
            let correction = KinCorrection {
                id: row.id,
                face: row.carried_from.unwrap_or(row.id),
                picture,
                replaced,
                is_declined: false,
            };
            add(&mut kin.corrections, correction);
        }
    }
    Ok(kin)
}

/// See [`Batch::are_newer`](super::super::Batch::are_newer).
pub(in super::super) fn are_newer(
    db: &Connection,
    hash: &ContentHash,
    seen: &SeenCorrections,
) -> rusqlite::Result<bool> {
    let Some((camera, second)) = &seen.shot else {
        return Ok(false);
    };
    let mut uncorrected = db.prepare_cached(
        "SELECT 1 FROM photos p JOIN faces f ON f.photo_id = p.id WHERE p.hash = ? AND f.correction IS NULL",
    )?;
    if !uncorrected.exists([hash])? {
        return Ok(false);
    }
    let mut now = db.prepare_cached(CORRECTIONS)?;
    let mut rows = now.query(params![camera, second, second + 999, hash])?;
    while let Some(row) = rows.next()? {
        let correction: (i64, i64) = (row.get(0)?, row.get(6)?);
        if !seen.corrections.contains(&correction) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The contents that the content `hash` replaces at a path, the last one first: those that the index has or had there. If
/// it has `hash` as well, files may only have been renamed, and a content counts as replaced only if
/// [`lost_paths::replaced`] says so. Then come those from which it may have been converted to another format.
fn replaced_at(
    db: &Connection,
    path: &Path,
    hash: &ContentHash,
) -> rusqlite::Result<Vec<LostContent>> {
    let is_analysed = db
        .prepare_cached("SELECT 1 FROM photos WHERE hash = ? AND skip_reason IS NULL")?
        .exists([hash])?;
    let mut replaced = if is_analysed {
        lost_paths::replaced(db, path, hash)?
    } else {
        let mut here = Vec::from_iter(content_at(db, path)?);
        here.extend(lost_paths::contents(db, path)?);
        here
    };
    replaced.extend(lost_paths::converted(db, path)?);
    replaced.retain(|lost| lost.hash != *hash);
    Ok(replaced)
}

/// The content of the file at a path, as far as the index knows.
fn content_at(db: &Connection, path: &Path) -> rusqlite::Result<Option<LostContent>> {
    db.prepare_cached(
        "SELECT p.hash, p.picture FROM files f JOIN photos p ON p.id = f.photo_id WHERE f.path = ?",
    )?
    .query_row([encode(path)], LostContent::from_row)
    .optional()
}

/// The first millisecond of a second.
pub(in super::super) const fn second_of(ms: i64) -> i64 {
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
pub(super) fn has_repeated_size(
    photo: (u32, u32),
    corrected: (u32, u32),
    others: &[(u32, u32)],
) -> bool {
    let area = |(width, height): (u32, u32)| (width.min(height), width.max(height));
    let mut sizes: Vec<_> = others.iter().copied().map(area).collect();
    if !sizes.contains(&area(corrected)) {
        sizes.push(area(corrected));
    }
    sizes.push(area(photo));
    sizes.sort_unstable();
    sizes.windows(2).any(|pair| pair[0] == pair[1])
}

/// Whether a time (ms) has a fraction of a second; if a camera writes none, all its photos seem to be taken at full
/// seconds.
pub(super) const fn has_fraction(ms: i64) -> bool {
    ms.rem_euclid(1000) != 0
}

/// Whether two times (ms) within one second may be the same moment. Many programs drop the fraction of the second when
/// they write an edit.
pub(super) const fn same_moment(a: i64, b: i64) -> bool {
    a == b || !has_fraction(a) || !has_fraction(b)
}
