//! Stores the folders in which photos lie, and searches their names.

use std::cell::RefCell;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::path::{Subtree, decode, encode};
use super::roots;

/// The folders that this transaction has stored already.
#[derive(Debug, Default)]
pub(super) struct StoredFolders(RefCell<HashSet<PathBuf>>);

impl StoredFolders {
    /// Stores the folder of the file at `path`.
    pub fn store(&self, db: &Connection, path: &Path) -> rusqlite::Result<()> {
        let Some(folder) = path.parent() else {
            return Ok(());
        };
        let mut stored = self.0.borrow_mut();
        if !stored.contains(folder) {
            db.prepare_cached("INSERT OR IGNORE INTO folders (path) VALUES (?)")?
                .execute([encode(folder)])?;
            stored.insert(folder.to_owned());
        }
        Ok(())
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

/// Whether the name of a folder in `path` contains `name`, which is in lower case; if `path` is a
/// folder, its own name counts too.
pub(super) fn is_called(path: &Path, name: &str) -> bool {
    path.components().any(|part| {
        part.as_os_str()
            .to_string_lossy()
            .to_lowercase()
            .contains(name)
    })
}

/// The topmost folders below the roots whose names contain `name`, which is in lower case.
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
