//! Stores the paths that corrected photos have left, so that an edit that appears at such a path later is known to
//! replace the photo.
//!
//! Triggers on `files` note the paths, whoever makes the change.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, Row, named_params, params};

use crate::photo::{ContentHash, PictureHash};

use super::path::{Subtree, decode, encode};
use super::record::PhotoId;
use super::stem;

/// A content with corrections that was at a path, and its picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct LostContent {
    pub hash: ContentHash,
    pub picture: Option<PictureHash>,
}

impl LostContent {
    /// Reads the columns `hash, picture`.
    pub fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            hash: row.get(0)?,
            picture: row.get(1)?,
        })
    }
}

/// The contents with corrections that were at `path` and have left it, the one that left last first.
pub(super) fn contents(db: &Connection, path: &Path) -> rusqlite::Result<Vec<LostContent>> {
    db.prepare_cached("SELECT hash, picture FROM lost_paths WHERE path = ? ORDER BY lost_at DESC")?
        .query_map([encode(path)], LostContent::from_row)?
        .collect()
}

/// Reads the contents with corrections that were at paths in a range and are not there any more.
pub(super) const LOST_IN_RANGE: &str = "
    SELECT path, hash, picture, lost_at FROM lost_paths l
    WHERE path >= ? AND path < ?
      AND NOT EXISTS (SELECT 1 FROM files f JOIN photos p ON p.id = f.photo_id
                      WHERE f.path = l.path AND (p.hash = l.hash OR p.picture = l.picture))";

/// The contents with corrections that were in the folder of `path` under its name with another extension, and have left it,
/// the one that left last first: the photo at `path` may be what one of them was converted to.
pub(super) fn converted(db: &Connection, path: &Path) -> rusqlite::Result<Vec<LostContent>> {
    let mut lost = stem::rows(db, LOST_IN_RANGE, path, |row| {
        let content = LostContent {
            hash: row.get(1)?,
            picture: row.get(2)?,
        };
        Ok((row.get::<_, i64>(3)?, content))
    })?;
    lost.retain(|(other, _)| other != path);
    lost.sort_by_key(|(_, (lost_at, _))| std::cmp::Reverse(*lost_at));
    Ok(lost.into_iter().map(|(_, (_, content))| content).collect())
}

/// The contents with corrections that were at or below the path of a tree and have left it.
pub(super) fn below(db: &Connection, tree: &Subtree) -> rusqlite::Result<Vec<LostContent>> {
    db.prepare_cached(
        "SELECT DISTINCT hash, picture FROM lost_paths
         WHERE path >= :exact AND path < :high AND (path = :exact OR path >= :low)",
    )?
    .query_map(
        named_params! {":exact": tree.exact, ":low": tree.low, ":high": tree.high},
        LostContent::from_row,
    )?
    .collect()
}

/// Notes that the content at `path` was compared with the corrected photos that have left it.
pub(super) fn note_compared(
    db: &Connection,
    path: &Path,
    hash: &ContentHash,
) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE lost_paths SET compared = ? WHERE path = ?")?
        .execute(params![hash, encode(path)])?;
    Ok(())
}

/// Selects the photos that came to the path of a corrected photo after they had been analysed at another path, and were
/// not compared with it yet, such as an edit that was saved under another name and then renamed. Photos whose file was
/// modified before the correction was made are not among them, nor are those where the corrected photo has another file:
/// when the photos of a burst are renumbered, each keeps its own corrections. Nor are those of another shot, if both have one.
macro_rules! replacing {
    ($columns:literal, $condition:literal) => {
        concat!(
            "SELECT DISTINCT ",
            $columns,
            " FROM lost_paths l CROSS JOIN files f ON f.path = l.path
                                CROSS JOIN photos p ON p.id = f.photo_id
                                CROSS JOIN corrections c ON c.hash = l.hash OR c.picture = l.picture
              WHERE ",
            $condition,
            " AND l.compared IS NOT p.hash AND p.hash <> l.hash AND p.picture IS NOT l.picture AND p.skip_reason IS NULL
              AND (p.exif_camera IS NULL OR c.camera IS NULL
                   OR p.exif_camera = c.camera AND p.exif_local / 1000 = c.taken_local / 1000)
              AND c.crop IS NOT NULL AND f.mtime_ns / 1000000 > c.made_at
              AND EXISTS (SELECT 1 FROM faces WHERE photo_id = p.id AND correction IS NULL)
              AND NOT EXISTS (SELECT 1 FROM photos o JOIN files g ON g.photo_id = o.id WHERE o.hash = l.hash)
              AND NOT EXISTS (SELECT 1 FROM photos o JOIN files g ON g.photo_id = o.id WHERE o.picture = l.picture)"
        )
    };
}

/// Reads the paths of such photos.
pub(super) const DUE: &str = replacing!("l.path", "true");

/// Reads what a photo with a content has replaced at a path.
const REPLACED: &str = replacing!(
    "l.hash, l.picture, l.lost_at",
    "l.path = ?1 AND p.hash = ?2"
);

/// The paths of the photos that have to be compared with the corrected photo that was there before.
pub(super) fn due(db: &Connection) -> rusqlite::Result<Vec<PathBuf>> {
    db.prepare_cached(DUE)?
        .query_map([], |row| Ok(decode(row.get_ref(0)?.as_blob()?)))?
        .collect()
}

/// The corrected contents that a photo of the index has replaced at `path`, and with which it was not compared; the last
/// one first.
pub(super) fn replaced(
    db: &Connection,
    path: &Path,
    hash: &ContentHash,
) -> rusqlite::Result<Vec<LostContent>> {
    let mut replaced: Vec<(i64, LostContent)> = db
        .prepare_cached(REPLACED)?
        .query_map(params![encode(path), hash], |row| {
            Ok((row.get(2)?, LostContent::from_row(row)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    replaced.sort_by_key(|(lost_at, _)| std::cmp::Reverse(*lost_at));
    Ok(replaced.into_iter().map(|(_, lost)| lost).collect())
}

/// The earlier versions of the photo at `path`, which was taken with this camera in this second (its first ms), if that is
/// known: the contents that were corrected and were at its path before, those that were at another path of one of
/// these, and so on, if they are of the same shot or a correction carried over from them to the photo. None of them has a
/// file any more. Other photos that had the same path are no versions of it.
pub(super) fn earlier_versions(
    db: &Connection,
    path: &Path,
    photo: PhotoId,
    shot: Option<(String, i64)>,
) -> rusqlite::Result<Vec<LostContent>> {
    let (camera, second) = shot.unzip();
    let mut is_version = db.prepare_cached(
        "SELECT 1 WHERE (
             EXISTS (SELECT 1 FROM corrections
                     WHERE (hash = ?1 OR picture = ?2) AND camera = ?3 AND taken_local BETWEEN ?4 AND ?4 + 999)
             OR EXISTS (SELECT 1 FROM photos
                        WHERE hash = ?1 AND exif_camera = ?3 AND exif_local BETWEEN ?4 AND ?4 + 999)
             OR EXISTS (SELECT 1 FROM faces f CROSS JOIN corrections own ON own.id = f.correction
                                      CROSS JOIN corrections c ON c.hash = ?1 OR c.picture = ?2
                        WHERE f.photo_id = ?5 AND coalesce(own.carried_from, own.id) = coalesce(c.carried_from, c.id))
         )
           AND NOT EXISTS (SELECT 1 FROM photos p JOIN files f ON f.photo_id = p.id WHERE p.hash = ?1)
           AND NOT EXISTS (SELECT 1 FROM photos p JOIN files f ON f.photo_id = p.id WHERE p.picture = ?2)",
    )?;
    let mut versions: Vec<LostContent> = Vec::new();
    // Its own earlier paths too: it may have been renamed after it was edited.
    let mut paths = vec![path.to_path_buf()];
    paths.extend(
        db.prepare_cached(
            "SELECT l.path FROM photos p JOIN lost_paths l ON l.hash = p.hash OR l.picture = p.picture
             WHERE p.id = ? AND l.path <> ?",
        )?
        .query_map(params![photo, encode(path)], |row| {
            Ok(decode(row.get_ref(0)?.as_blob()?))
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?,
    );
    let mut next = 0;
    while let Some(path) = paths.get(next).cloned() {
        next += 1;
        let of_path = contents(db, &path)?.into_iter();
        for lost in of_path.chain(converted(db, &path)?) {
            if versions.contains(&lost)
                || !is_version.exists(params![lost.hash, lost.picture, camera, second, photo])?
            {
                continue;
            }
            versions.push(lost);
            for other in paths_of(db, &lost)? {
                if !paths.contains(&other) {
                    paths.push(other);
                }
            }
        }
    }
    Ok(versions)
}

/// Reads the paths at which a photo has replaced a corrected one that has no file left, without taking over all of its
/// corrections, and how many it has not, of those that were replaced since `?1`.
pub(super) const LEFT_BEHIND: &str = "
    SELECT l.path, count(DISTINCT coalesce(c.carried_from, c.id))
    FROM lost_paths l CROSS JOIN files f ON f.path = l.path
                      CROSS JOIN photos p ON p.id = f.photo_id
                      CROSS JOIN corrections c ON c.hash = l.hash OR c.picture = l.picture
    WHERE l.lost_at >= ?1 AND p.hash <> l.hash AND p.picture IS NOT l.picture
      AND NOT EXISTS (SELECT 1 FROM photos o JOIN files g ON g.photo_id = o.id WHERE o.hash = l.hash)
      AND NOT EXISTS (SELECT 1 FROM photos o JOIN files g ON g.photo_id = o.id WHERE o.picture = l.picture)
      AND NOT EXISTS (SELECT 1 FROM faces own JOIN corrections k ON k.id = own.correction
                      WHERE own.photo_id = p.id AND coalesce(k.carried_from, k.id) = coalesce(c.carried_from, c.id))
    GROUP BY l.path ORDER BY l.path";

/// See [`Store::corrections_left_behind`](super::Store::corrections_left_behind).
pub(super) fn left_behind(
    db: &Connection,
    since: Timestamp,
) -> rusqlite::Result<Vec<(PathBuf, u32)>> {
    db.prepare_cached(LEFT_BEHIND)?
        .query_map([since.as_millisecond()], |row| {
            Ok((decode(row.get_ref(0)?.as_blob()?), row.get(1)?))
        })?
        .collect()
}

/// The paths at which a content was.
pub(super) fn paths_of(db: &Connection, of: &LostContent) -> rusqlite::Result<Vec<PathBuf>> {
    db.prepare_cached("SELECT path FROM lost_paths WHERE hash = ?")?
        .query_map([of.hash], |row| Ok(decode(row.get_ref(0)?.as_blob()?)))?
        .collect()
}

/// Removes what is stored about the path of a file, or about all paths below a folder.
pub(super) fn remove(db: &Connection, tree: &Subtree) -> rusqlite::Result<u64> {
    let removed = db.execute(
        "DELETE FROM lost_paths WHERE path >= :exact AND path < :high AND (path = :exact OR path >= :low)",
        named_params! {":exact": tree.exact, ":low": tree.low, ":high": tree.high},
    )?;
    Ok(removed as u64)
}

/// Removes the paths of contents that have no corrections any more.
pub(super) fn prune(db: &Connection) -> rusqlite::Result<()> {
    db.execute(
        "DELETE FROM lost_paths
         WHERE NOT EXISTS (SELECT 1 FROM corrections c WHERE c.hash = lost_paths.hash)
           AND NOT EXISTS (SELECT 1 FROM corrections c WHERE c.picture = lost_paths.picture)
           AND NOT EXISTS (SELECT 1 FROM undone_corrections u WHERE u.hash = lost_paths.hash)",
        [],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests;
