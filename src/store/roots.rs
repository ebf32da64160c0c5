//! Stores the roots: the folders that were indexed or are watched.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, Row, named_params};

use super::forgotten;
use super::path::{decode, encode};

/// A folder that was indexed or is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// The folder.
    pub path: PathBuf,
    /// When it was last reconciled with the index.
    pub reconciled_at: Option<Timestamp>,
    /// Since when it has been offline; `None` if it is not.
    pub offline_since: Option<Timestamp>,
}

/// See [`Store::roots`](super::Store::roots).
pub(super) fn all(db: &Connection) -> rusqlite::Result<Vec<Root>> {
    db.prepare_cached("SELECT path, reconciled_at, offline_since FROM roots ORDER BY path")?
        .query_map([], |row| {
            Ok(Root {
                path: decode(row.get_ref(0)?.as_blob()?),
                reconciled_at: moment(row, 1)?,
                offline_since: moment(row, 2)?,
            })
        })?
        .collect()
}

/// The roots that do not lie in another root.
pub(super) fn topmost(db: &Connection) -> rusqlite::Result<Vec<PathBuf>> {
    let mut topmost: Vec<PathBuf> = Vec::new();
    let mut paths: Vec<PathBuf> = all(db)?.into_iter().map(|root| root.path).collect();
    paths.sort_by_key(|path| path.components().count());
    for path in paths {
        if !topmost.iter().any(|root| path.starts_with(root)) {
            topmost.push(path);
        }
    }
    Ok(topmost)
}

/// The part of a path below the root that contains it; the whole path if no root does.
pub(super) fn below<'p>(path: &'p Path, topmost: &[PathBuf]) -> &'p Path {
    topmost
        .iter()
        .find_map(|root| path.strip_prefix(root).ok())
        .unwrap_or(path)
}

/// Removes a root.
pub(super) fn remove(db: &Connection, root: &Path) -> rusqlite::Result<()> {
    db.execute("DELETE FROM roots WHERE path = ?", [encode(root)])
        .map(drop)
}

fn moment(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    let ms: Option<i64> = row.get(column)?;
    Ok(ms.and_then(|ms| Timestamp::from_millisecond(ms).ok()))
}

/// Records that the root was reconciled just now, which implies that it is not offline.
pub(super) fn mark_reconciled(db: &Connection, root: &Path) -> rusqlite::Result<()> {
    if forgotten::holds_path(db, root)? {
        return Ok(());
    }
    db.prepare_cached(
        "INSERT INTO roots (path, reconciled_at) VALUES (:path, :now)
         ON CONFLICT (path) DO UPDATE SET reconciled_at = :now, offline_since = NULL",
    )?
    .execute(named_params! {
        ":path": encode(root), ":now": Timestamp::now().as_millisecond(),
    })?;
    Ok(())
}

/// Records that the root is offline; the time of the first such record is kept until it is
/// reconciled.
pub(super) fn mark_offline(db: &Connection, root: &Path) -> rusqlite::Result<()> {
    if forgotten::holds_path(db, root)? {
        return Ok(());
    }
    db.prepare_cached(
        "INSERT INTO roots (path, offline_since) VALUES (:path, :now)
         ON CONFLICT (path) DO UPDATE SET offline_since = coalesce(offline_since, :now)",
    )?
    .execute(named_params! {
        ":path": encode(root), ":now": Timestamp::now().as_millisecond(),
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::temp_store;
    use super::*;

    #[test]
    fn a_root_is_offline_until_it_is_reconciled() {
        let (_folder, mut store) = temp_store();
        let (a, b) = (PathBuf::from("/a"), PathBuf::from("/b"));
        store.mark_reconciled(&a).unwrap();
        store.mark_offline(&b).unwrap();
        let [first, second] = &store.roots().unwrap()[..] else {
            panic!("two roots")
        };
        assert_eq!((&first.path, &second.path), (&a, &b));
        assert!(first.reconciled_at.is_some() && first.offline_since.is_none());
        assert!(second.reconciled_at.is_none() && second.offline_since.is_some());
        store.mark_offline(&b).unwrap();
        assert_eq!(store.roots().unwrap()[1], *second);
        store.mark_reconciled(&b).unwrap();
        assert_eq!(store.roots().unwrap()[1].offline_since, None);
    }
}
