//! Stores the folders that directly contain photos, and searches their names.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _, params};

use super::path::{Subtree, decode, encode};
use super::{roots, words};

/// Stores a folder that directly contains a photo.
pub(super) fn add(db: &Connection, folder: &Path) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT OR IGNORE INTO folders (path) VALUES (?)")?
        .execute([encode(folder)])?;
    Ok(())
}

/// Removes a folder that no longer directly contains a photo.
pub(super) fn remove(db: &Connection, folder: &Path) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM folders WHERE path = ?")?
        .execute([encode(folder)])?;
    Ok(())
}

/// Whether `folder` directly contains a photo. Reads at most one file of each folder in it, however many files these
/// have.
pub(super) fn contains_photo(db: &Connection, folder: &Path) -> rusqlite::Result<bool> {
    let mut next = db.prepare_cached(
        "SELECT path FROM files
         WHERE path >= ? AND path < ? AND photo_id IS NOT NULL ORDER BY path LIMIT 1",
    )?;
    let tree = Subtree::of(folder);
    let mut from = tree.low;
    loop {
        let path = next.query_row(params![from, tree.high], |row| {
            Ok(decode(row.get_ref(0)?.as_blob()?))
        });
        let Some(path) = path.optional()? else {
            return Ok(false);
        };
        let mut below = path.ancestors().take_while(|part| *part != folder);
        match below.clone().nth(1) {
            None => return Ok(true),
            // The file is in a folder below: continue after that folder.
            Some(_) => from = Subtree::of(below.by_ref().last().unwrap_or(&path)).high,
        }
    }
}

/// See [`Store::folders`](super::Store::folders).
pub(super) fn with_files(db: &Connection) -> rusqlite::Result<Vec<PathBuf>> {
    let mut has_photos = db.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM files
                        WHERE path >= ? AND path < ? AND photo_id IS NOT NULL)",
    )?;
    let mut folders = db.prepare_cached("SELECT path FROM folders ORDER BY path")?;
    let mut rows = folders.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let folder = decode(row.get_ref(0)?.as_blob()?);
        let tree = Subtree::of(&folder);
        if has_photos.query_row([tree.low, tree.high], |row| row.get(0))? {
            found.push(folder);
        }
    }
    Ok(found)
}

/// Whether a part of `path` contains `name`, which is [`words::folded`].
pub(super) fn is_called(path: &Path, name: &str) -> bool {
    path.components()
        .any(|part| words::folded(&part.as_os_str().to_string_lossy()).contains(name))
}

/// See [`Store::album_names`](super::Store::album_names).
pub(super) fn names(db: &Connection) -> rusqlite::Result<Vec<String>> {
    let topmost = roots::topmost(db)?;
    let mut folders = db.prepare_cached("SELECT path FROM folders ORDER BY path")?;
    let mut rows = folders.query([])?;
    let mut names = BTreeSet::new();
    while let Some(row) = rows.next()? {
        let folder = decode(row.get_ref(0)?.as_blob()?);
        let below = roots::below(&folder, &topmost).components();
        names.extend(below.map(|part| part.as_os_str().to_string_lossy().into_owned()));
    }
    Ok(names.into_iter().collect())
}

/// The folders below the `topmost` roots whose names contain `name`, which is [`words::folded`]; of nested ones only the
/// outermost.
pub(super) fn called(
    db: &Connection,
    name: &str,
    topmost: &[PathBuf],
) -> rusqlite::Result<Vec<PathBuf>> {
    let mut found: Vec<PathBuf> = Vec::new();
    let mut folders = db.prepare_cached("SELECT path FROM folders ORDER BY path")?;
    let mut rows = folders.query([])?;
    while let Some(row) = rows.next()? {
        let folder = decode(row.get_ref(0)?.as_blob()?);
        let below = roots::below(&folder, topmost);
        if !is_called(below, name) {
            continue;
        }
        let root_parts = folder.components().count() - below.components().count();
        // The ancestor whose own name is the first to match; it need not contain photos itself.
        let top = folder
            .ancestors()
            .filter(|folder| {
                let parts: PathBuf = folder.components().skip(root_parts).collect();
                is_called(&parts, name)
            })
            .last()
            .unwrap_or(&folder);
        if found.last().is_none_or(|last| last != top) {
            found.push(top.to_owned());
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}
