//! Stores the roots: the folders that were indexed or are watched.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, Row, named_params};

use crate::file::is_absent;
use crate::mount::is_unmounted;

use super::path::{Subtree, decode, encode};
use super::{files, forgotten, mounts};

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

impl Root {
    /// Whether it is absent at this moment: it does not exist, or is an empty folder, like a mount point on which nothing
    /// is mounted. Its rows stay.
    pub fn is_absent(&self) -> bool {
        is_absent(&self.path)
    }
}

/// The roots and mounts that are absent at this moment. Of several paths of a photo, those below them come last: the
/// index keeps them, but nothing can be opened there.
#[derive(Debug, Default)]
pub(super) struct AbsentRoots(Vec<Folder>);

/// A root, or a mount in one.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    tree: Subtree,
    is_mount: bool,
    is_absent: OnceCell<bool>,
    /// Whether it is a mount at which nothing is mounted now.
    is_unmounted: OnceCell<bool>,
}

impl Folder {
    fn is_absent(&self) -> bool {
        *self.is_absent.get_or_init(|| is_absent(&self.path))
    }

    fn is_unmounted(&self) -> bool {
        *self
            .is_unmounted
            .get_or_init(|| self.is_mount && is_unmounted(&self.path))
    }
}

impl AbsentRoots {
    /// Reads the roots and mounts. Whether one is absent is determined when [`contain`](Self::contain) first gets a path
    /// in it, so that a disk that does not answer does not delay other photos. A single root is never examined, since no
    /// path could come before those below it.
    pub fn now(db: &Connection) -> rusqlite::Result<Self> {
        let all = Self::all(db)?;
        Ok(if all.0.len() < 2 {
            Self::default()
        } else {
            all
        })
    }

    /// The same, with a single root as well.
    pub fn all(db: &Connection) -> rusqlite::Result<Self> {
        let folder = |path: PathBuf, is_mount| Folder {
            tree: Subtree::of(&path),
            path,
            is_mount,
            is_absent: OnceCell::new(),
            is_unmounted: OnceCell::new(),
        };
        let roots = all(db)?.into_iter().map(|root| folder(root.path, false));
        let mounts = mounts::all(db)?.into_iter().map(|path| folder(path, true));
        Ok(Self(roots.chain(mounts).collect()))
    }

    /// Whether a stored path is in one of them.
    pub fn contain(&self, path: &[u8]) -> bool {
        let mut folders = self.0.iter().filter(|folder| folder.tree.contains(path));
        folders.any(|folder| folder.is_absent() || folder.is_unmounted() && !decode(path).exists())
    }

    /// The paths in the same order, but those in one of them last.
    pub fn order_last(&self, mut paths: Vec<PathBuf>) -> Vec<PathBuf> {
        paths.sort_by_key(|path| self.contain(&encode(path)));
        paths
    }
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

/// The roots that are not in another root.
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

/// Records that the root was reconciled just now, so that it is not offline; not if it was forgotten.
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

/// Records that the root is offline; the time of the first such record is kept until the root is reconciled. Not if it
/// was forgotten. A folder that was never there, such as a mistyped one, does not become a root by this.
pub(super) fn mark_offline(db: &Connection, root: &Path) -> rusqlite::Result<()> {
    let mut known = db.prepare_cached("SELECT 1 FROM roots WHERE path = ?")?;
    let is_known = known.exists([encode(root)])? || files::any_below(db, root)?;
    if !is_known || forgotten::holds_path(db, root)? {
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
    use super::super::testing::{META, face, photo, put, temp_store};
    use super::super::{Group, Grouping, Query, Store};
    use super::*;

    #[test]
    fn paths_below_an_absent_root_come_last() {
        let (folder, mut store) = temp_store();
        let at = |name: &str| folder.path().join(name);
        let paths = ["a/1.jpg", "b/1.jpg", "c/1.jpg"].map(at);
        let files: Vec<_> = paths.iter().map(|path| (path.clone(), META)).collect();
        let record = photo("1", vec![face(0.0, 80.0, 0.9, 0.9)]);
        let id = store
            .batch(|batch| batch.put_photo(&record, &files))
            .unwrap();
        for root in ["a", "b", "c"] {
            std::fs::create_dir(at(root)).unwrap();
            std::fs::write(at(root).join("1.jpg"), "a photo").unwrap();
            store.mark_reconciled(&at(root)).unwrap();
        }
        let answered = |store: &Store, query: &Query| {
            let hits = store.query(query).unwrap();
            hits.into_iter().map(|hit| hit.path).collect::<Vec<_>>()
        };
        let any = Query::new();
        assert_eq!(answered(&store, &any), paths[..1]);
        // The first root is empty, like a mount point without its disk, and the second one does not exist.
        std::fs::remove_file(&paths[0]).unwrap();
        std::fs::rename(at("b"), at("elsewhere")).unwrap();
        assert_eq!(answered(&store, &any), paths[2..]);
        let [a, b, c] = paths.clone();
        let photo = store.photo(id).unwrap().unwrap();
        assert_eq!(photo.paths, [c.clone(), a.clone(), b]);
        let folders = store.tally(Grouping::Folder, &any).unwrap();
        assert_eq!(folders[0].group, Group::Folder(at("c")));
        let below = Query {
            under: Some(at("a")),
            ..Query::new()
        };
        assert_eq!(answered(&store, &below), [a]);
        std::fs::remove_dir_all(at("c")).unwrap();
        assert_eq!(answered(&store, &any), paths[..1]);
    }

    #[test]
    fn a_root_is_offline_until_it_is_reconciled() {
        let (_folder, mut store) = temp_store();
        let (a, b) = (PathBuf::from("/a"), PathBuf::from("/b"));
        store.mark_reconciled(&a).unwrap();
        put(&mut store, "/b/1.jpg", &photo("1", vec![]));
        store.mark_offline(&b).unwrap();
        store.mark_offline(Path::new("/never/there")).unwrap();
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
