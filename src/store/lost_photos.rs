//! What is kept of photos that no file leads to any more: their rows during the grace period, and their corrections, for
//! ever, in case a file comes back.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, named_params, params};

use super::lost_paths::LostContent;
use super::path::{Subtree, decode};
use super::record::PhotoId;
use super::{files, forgotten, lost_paths, photos, typed};
use crate::file::has_name;
use crate::photo::{ContentHash, PictureHash};
use crate::real_path::meant_path;

/// What was removed of photos without files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RemovedLost {
    /// Number of photos whose rows were still there.
    pub photos: u64,
    /// Number of corrections, each with its face picture.
    pub corrections: u64,
    /// The paths at which the photos of these corrections were, as far as they are known.
    pub paths: Vec<PathBuf>,
}

/// The files with a content or its picture.
pub(super) fn files_of(db: &Connection, of: &LostContent) -> rusqlite::Result<Vec<PathBuf>> {
    let mut by_content = db.prepare_cached(
        "SELECT f.path FROM photos p JOIN files f ON f.photo_id = p.id WHERE p.hash = ?",
    )?;
    let mut by_picture = db.prepare_cached(
        "SELECT f.path FROM photos p JOIN files f ON f.photo_id = p.id WHERE p.picture = ?",
    )?;
    let path = |row: &rusqlite::Row<'_>| Ok(decode(row.get_ref(0)?.as_blob()?));
    let mut files: BTreeSet<PathBuf> = by_content
        .query_map([of.hash], path)?
        .collect::<rusqlite::Result<_>>()?;
    for file in by_picture.query_map([of.picture], path)? {
        files.insert(file?);
    }
    Ok(files.into_iter().collect())
}

/// Whether a file of a content or its picture is probably on disk though the index has none: something is at a path where
/// one was, which the index does not have as it is, and which was not forgotten. The album may leave that file out.
pub(super) fn is_left_out(db: &Connection, of: &LostContent) -> rusqlite::Result<bool> {
    for path in lost_paths::paths_of(db, of)? {
        if has_name(&path) && !files::is_indexed(db, &path)? && !forgotten::holds_path(db, &path)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a file has a content or its picture, also one that the album probably leaves out.
pub(super) fn may_have_file(db: &Connection, of: &LostContent) -> rusqlite::Result<bool> {
    Ok(!files_of(db, of)?.is_empty() || is_left_out(db, of)?)
}

/// See [`Store::find_lost_path`](super::Store::find_lost_path).
pub(super) fn find_path(db: &Connection, typed: &Path) -> rusqlite::Result<Option<PathBuf>> {
    let Ok(absolute) = std::path::absolute(typed) else {
        return Ok(None);
    };
    let meant = meant_path(&absolute).ok();
    let mut known = db.prepare_cached(
        "SELECT 1 FROM lost_paths WHERE path >= :exact AND path < :high AND (path = :exact OR path >= :low)",
    )?;
    for path in meant.into_iter().chain([absolute]) {
        for form in typed::forms(&path) {
            let tree = Subtree::of(&form);
            let of_tree =
                named_params! {":exact": tree.exact, ":low": tree.low, ":high": tree.high};
            if known.exists(of_tree)? {
                return Ok(Some(form));
            }
        }
    }
    Ok(None)
}

/// Removes everything that is kept of photos without files, except the corrections of those that the album leaves out. Their contents are not marked: a file that comes back is indexed, without corrections.
pub(super) fn remove_all(db: &Connection) -> rusqlite::Result<RemovedLost> {
    let mut removed = RemovedLost::default();
    for of in corrected(db)? {
        if !may_have_file(db, &of)? {
            let paths = lost_paths::paths_of(db, &of)?;
            removed.corrections += forgotten::remove_corrections(db, &of)?;
            removed.paths.extend(paths);
        }
    }
    removed.paths.sort();
    removed.paths.dedup();
    removed.photos = photos::prune(db, Duration::ZERO)?;
    Ok(removed)
}

/// Whether a content or its picture has a mark.
pub(super) fn is_marked(db: &Connection, of: &LostContent) -> rusqlite::Result<bool> {
    let by_picture = of
        .picture
        .map_or(Ok(false), |picture| forgotten::holds_picture(db, &picture));
    Ok(by_picture? || forgotten::holds_content(db, &of.hash)?)
}

/// Removes what is kept of photos without files that were forgotten: those of which the content, the picture or a folder has
/// a mark. `keeps` tells which of them the database still has in which they were forgotten: of these only a path was.
pub(super) fn remove_forgotten(
    db: &Connection,
    keeps: impl Fn(&LostContent) -> bool,
) -> rusqlite::Result<()> {
    let lost: Vec<(PhotoId, LostContent)> = db
        .prepare(
            "SELECT id, hash, picture FROM photos p
             WHERE NOT EXISTS (SELECT 1 FROM files WHERE photo_id = p.id)",
        )?
        .query_map([], |row| {
            let (hash, picture): (ContentHash, Option<PictureHash>) = (row.get(1)?, row.get(2)?);
            Ok((row.get(0)?, LostContent { hash, picture }))
        })?
        .collect::<rusqlite::Result<_>>()?;
    for (photo, of) in lost {
        if is_marked(db, &of)? {
            forgotten::remove_photo(db, photo)?;
        }
    }
    for of in corrected(db)? {
        let mut is_forgotten = is_marked(db, &of)?;
        if !keeps(&of) {
            for path in lost_paths::paths_of(db, &of)? {
                is_forgotten |= forgotten::holds_path(db, &path)?;
            }
        }
        if is_forgotten && !may_have_file(db, &of)? {
            forgotten::remove_corrections(db, &of)?;
        }
    }
    let paths: Vec<Vec<u8>> = db
        .prepare("SELECT DISTINCT path FROM lost_paths")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for path in paths {
        if forgotten::holds_path(db, &decode(&path))? {
            db.execute("DELETE FROM lost_paths WHERE path = ?", params![path])?;
        }
    }
    lost_paths::prune(db)
}

/// The contents with corrections, or with records of undone ones.
fn corrected(db: &Connection) -> rusqlite::Result<Vec<LostContent>> {
    db.prepare(
        "SELECT hash, picture FROM corrections UNION SELECT hash, picture FROM undone_corrections",
    )?
    .query_map([], LostContent::from_row)?
    .collect()
}
