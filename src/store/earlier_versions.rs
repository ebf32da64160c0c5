//! Finds the earlier versions of a photo: the corrected contents from which it was edited in place.
//!
//! A content that was at the path of a photo may also be another photo, whose name this one took. So it counts as an earlier
//! version if it is of the same shot, if a correction carried over from it to the photo, or if the photo came to its path as
//! a new content, as an edit does, and nothing says that it is of another shot.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};

use crate::photo::ContentHash;

use super::kin::{is_exactly_same_shot, is_same_shot};
use super::lost_paths::{self, LostContent};
use super::path::{decode, encode};
use super::record::PhotoId;
use super::shots::{self, Shot};
use super::{lost_photos, photos};

/// An earlier version of a photo. No file has its content or its picture any more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct EarlierVersion {
    pub of: LostContent,
    /// Whether it is certain that it is no other photo.
    pub is_certain: bool,
}

/// What is known of the photo whose versions are searched.
struct Photo {
    id: PhotoId,
    hash: ContentHash,
    shot: Option<Shot>,
}

/// The earlier versions of the photo at `path`: among the contents that were corrected and were at its path before, those
/// that were at another path of one of these, and so on. Contents that may be in a file that the album leaves out are none.
pub(super) fn find(
    db: &Connection,
    path: &Path,
    photo: PhotoId,
) -> rusqlite::Result<Vec<EarlierVersion>> {
    let photo = Photo {
        id: photo,
        hash: photos::hash_of(db, photo)?,
        shot: shots::stored(db, photo)?.filter(|shot| shot.camera.is_some()),
    };
    let mut versions: Vec<EarlierVersion> = Vec::new();
    // Its own earlier paths too: it may have been renamed after it was edited.
    let mut paths = vec![path.to_path_buf()];
    paths.extend(own_earlier_paths(db, photo.id, path)?);
    let mut next = 0;
    while let Some(path) = paths.get(next).cloned() {
        next += 1;
        let of_path = lost_paths::contents(db, &path)?.into_iter();
        for lost in of_path.chain(lost_paths::converted(db, &path)?) {
            if versions.iter().any(|version| version.of == lost)
                || lost_photos::may_have_file(db, &lost)?
            {
                continue;
            }
            let later = versions.iter().map(|version| version.of.hash);
            let later: Vec<ContentHash> = later.chain([photo.hash]).collect();
            let Some(version) = version(db, &photo, &later, &path, lost)? else {
                continue;
            };
            versions.push(version);
            for other in lost_paths::paths_of(db, &lost)? {
                if !paths.contains(&other) {
                    paths.push(other);
                }
            }
        }
    }
    Ok(versions)
}

/// The content `lost`, which was at `path`, if it is an earlier version. `later` are the photo and its later versions.
fn version(
    db: &Connection,
    photo: &Photo,
    later: &[ContentHash],
    path: &Path,
    lost: LostContent,
) -> rusqlite::Result<Option<EarlierVersion>> {
    let shots = lost_paths::shots_of(db, &lost)?;
    let same = photo.shot.as_ref().and_then(|own| {
        let is_same = shots.iter().any(|shot| is_same_shot(own, shot));
        let is_exact = shots.iter().any(|shot| is_exactly_same_shot(own, shot));
        is_same.then_some(is_exact)
    });
    let is_replaced =
        lost_paths::replaced_by(db, path, &lost.hash)?.is_some_and(|by| later.contains(&by));
    if has_carried_over(db, &lost, photo.id)? || same == Some(true) || same.is_some() && is_replaced
    {
        return Ok(Some(EarlierVersion {
            of: lost,
            is_certain: true,
        }));
    }
    let is_of_another_shot = photo.shot.is_some() && !shots.is_empty() && same.is_none();
    // If all that a person said of it was undone, hardly anything is lost with it.
    let is_likely = !is_of_another_shot && (is_replaced || !has_corrections(db, &lost)?);
    Ok(is_likely.then_some(EarlierVersion {
        of: lost,
        is_certain: false,
    }))
}

/// The paths that a photo has left.
fn own_earlier_paths(
    db: &Connection,
    photo: PhotoId,
    but: &Path,
) -> rusqlite::Result<Vec<PathBuf>> {
    db.prepare_cached(
        "SELECT l.path FROM photos p JOIN lost_paths l ON l.hash = p.hash OR l.picture = p.picture
         WHERE p.id = ? AND l.path <> ?",
    )?
    .query_map(params![photo, encode(but)], |row| {
        Ok(decode(row.get_ref(0)?.as_blob()?))
    })?
    .collect()
}

/// Whether a correction carried over from a content to a photo, or from the same third one to both.
fn has_carried_over(db: &Connection, from: &LostContent, to: PhotoId) -> rusqlite::Result<bool> {
    db.prepare_cached(
        "SELECT 1 FROM faces f CROSS JOIN corrections own ON own.id = f.correction
                               CROSS JOIN corrections c ON c.hash = ?1 OR c.picture = ?2
         WHERE f.photo_id = ?3 AND coalesce(own.carried_from, own.id) = coalesce(c.carried_from, c.id)",
    )?
    .exists(params![from.hash, from.picture, to])
}

fn has_corrections(db: &Connection, of: &LostContent) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM corrections WHERE hash = ? OR picture = ?")?
        .exists(params![of.hash, of.picture])
}
