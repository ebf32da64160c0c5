//! Stores the paths that corrected photos have left, so that an edit that appears at such a path later is known to
//! replace the photo.
//!
//! Triggers on `files` note the paths, whoever makes the change.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, named_params, params};

use crate::photo::{ContentHash, PictureHash};

use super::path::{Subtree, decode, encode};
use super::shots::Shot;
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

/// Notes that the content at `path`, which is new to the index, has replaced the corrected photos that were there.
pub(super) fn note_replaced(
    db: &Connection,
    path: &Path,
    hash: &ContentHash,
) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE lost_paths SET replaced_by = ? WHERE path = ?")?
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

/// The paths at which a content was, or another one with its picture.
pub(super) fn paths_of(db: &Connection, of: &LostContent) -> rusqlite::Result<Vec<PathBuf>> {
    db.prepare_cached("SELECT DISTINCT path FROM lost_paths WHERE hash = ? OR picture = ?")?
        .query_map(params![of.hash, of.picture], |row| {
            Ok(decode(row.get_ref(0)?.as_blob()?))
        })?
        .collect()
}

/// Gives the rows of a content another one, which has its picture and takes its place in the index.
pub(super) fn set_hash(
    db: &Connection,
    from: &ContentHash,
    to: &ContentHash,
) -> rusqlite::Result<()> {
    for update in [
        "UPDATE OR REPLACE lost_paths SET hash = ?2 WHERE hash = ?1",
        "UPDATE lost_paths SET compared = ?2 WHERE compared = ?1",
        "UPDATE lost_paths SET replaced_by = ?2 WHERE replaced_by = ?1",
    ] {
        db.prepare_cached(update)?.execute(params![from, to])?;
    }
    Ok(())
}

/// The shots of a content: those of its corrections and its own.
pub(super) fn shots_of(db: &Connection, of: &LostContent) -> rusqlite::Result<Vec<Shot>> {
    db.prepare_cached(
        "SELECT taken_local, camera FROM corrections
         WHERE (hash = ?1 OR picture = ?2) AND taken_local IS NOT NULL AND camera IS NOT NULL
         UNION
         SELECT exif_local, exif_camera FROM photos
         WHERE hash = ?1 AND exif_local IS NOT NULL AND exif_camera IS NOT NULL",
    )?
    .query_map(params![of.hash, of.picture], |row| {
        Ok(Shot {
            local: row.get(0)?,
            camera: row.get(1)?,
        })
    })?
    .collect()
}

/// The content by which another one was replaced at a path, the last one that did.
pub(super) fn replaced_by(
    db: &Connection,
    path: &Path,
    lost: &ContentHash,
) -> rusqlite::Result<Option<ContentHash>> {
    let by: Option<Option<ContentHash>> = db
        .prepare_cached("SELECT replaced_by FROM lost_paths WHERE path = ? AND hash = ?")?
        .query_row(params![encode(path), lost], |row| row.get(0))
        .optional()?;
    Ok(by.flatten())
}

/// Removes what is stored about the path of a file, or about all paths below a folder.
pub(super) fn remove(db: &Connection, tree: &Subtree) -> rusqlite::Result<u64> {
    let removed = db.execute(
        "DELETE FROM lost_paths WHERE path >= :exact AND path < :high AND (path = :exact OR path >= :low)",
        named_params! {":exact": tree.exact, ":low": tree.low, ":high": tree.high},
    )?;
    Ok(removed as u64)
}

/// Removes the paths of contents that have no corrections any more, and the hashes of the photos that came to the other ones
/// and are gone.
pub(super) fn prune(db: &Connection) -> rusqlite::Result<()> {
    for column in ["compared", "replaced_by"] {
        db.execute(
            &format!(
                "UPDATE lost_paths SET {column} = NULL
                 WHERE {column} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM photos WHERE hash = {column})"
            ),
            [],
        )?;
    }
    db.execute(
        "DELETE FROM lost_paths
         WHERE NOT EXISTS (SELECT 1 FROM corrections c WHERE c.hash = lost_paths.hash)
           AND NOT EXISTS (SELECT 1 FROM corrections c WHERE c.picture = lost_paths.picture)
           AND NOT EXISTS (SELECT 1 FROM undone_corrections u WHERE u.hash = lost_paths.hash)
           AND NOT EXISTS (SELECT 1 FROM undone_corrections u WHERE u.picture = lost_paths.picture)",
        [],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests;
