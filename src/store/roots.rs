//! The folders that are followed.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, Row, named_params};

use super::path::{decode, encode};

/// A folder that was indexed or is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// The folder.
    pub path: PathBuf,
    /// When it was last held against the index.
    pub reconciled_at: Option<Timestamp>,
    /// Since when it has been away; `None` while it is there.
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

/// The roots that lie in no other.
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

/// What of a path lies below the root that holds it; all of it where none does.
pub(super) fn below<'p>(path: &'p Path, topmost: &[PathBuf]) -> &'p Path {
    topmost
        .iter()
        .find_map(|root| path.strip_prefix(root).ok())
        .unwrap_or(path)
}

fn moment(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    let ms: Option<i64> = row.get(column)?;
    Ok(ms.and_then(|ms| Timestamp::from_millisecond(ms).ok()))
}

/// The root was held against the index just now, so it is there.
pub(super) fn reconciled(db: &Connection, root: &Path) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO roots (path, reconciled_at) VALUES (:path, :now)
         ON CONFLICT (path) DO UPDATE SET reconciled_at = :now, offline_since = NULL",
    )?
    .execute(named_params! {
        ":path": encode(root), ":now": Timestamp::now().as_millisecond(),
    })?;
    Ok(())
}

/// The root is away; since when is kept from the first time on.
pub(super) fn offline(db: &Connection, root: &Path) -> rusqlite::Result<()> {
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
    fn a_root_is_offline_until_it_is_held_against_the_index_again() {
        let (_folder, mut store) = temp_store();
        let (a, b) = (PathBuf::from("/a"), PathBuf::from("/b"));
        store.reconciled(&a).unwrap();
        store.offline(&b).unwrap();
        let [first, second] = &store.roots().unwrap()[..] else {
            panic!("two roots")
        };
        assert_eq!((&first.path, &second.path), (&a, &b));
        assert!(first.reconciled_at.is_some() && first.offline_since.is_none());
        assert!(second.reconciled_at.is_none() && second.offline_since.is_some());
        store.offline(&b).unwrap();
        assert_eq!(store.roots().unwrap()[1], *second);
        store.reconciled(&b).unwrap();
        assert_eq!(store.roots().unwrap()[1].offline_since, None);
    }
}
