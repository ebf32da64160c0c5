//! Stores the mounts in the album: folders below a root that are on another file system than the folder that they are in,
//! such as an external disk or a network share, or a symbolic link to one.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, named_params};

use super::path::{Subtree, decode, encode};

/// The mounts at or below `folder`, sorted by path.
pub(super) fn under(db: &Connection, folder: &Path) -> rusqlite::Result<Vec<PathBuf>> {
    let tree = Subtree::of(folder);
    db.prepare_cached(
        "SELECT path FROM mounts
         WHERE path >= :exact AND path < :high AND (path = :exact OR path >= :low) ORDER BY path",
    )?
    .query_map(
        named_params! {":exact": tree.exact, ":low": tree.low, ":high": tree.high},
        |row| Ok(decode(row.get_ref(0)?.as_blob()?)),
    )?
    .collect()
}

/// All mounts.
pub(super) fn all(db: &Connection) -> rusqlite::Result<Vec<PathBuf>> {
    db.prepare_cached("SELECT path FROM mounts")?
        .query_map([], |row| Ok(decode(row.get_ref(0)?.as_blob()?)))?
        .collect()
}

/// Stores the mounts at or below `folder` in place of those that were known.
pub(super) fn put(db: &Connection, folder: &Path, mounts: &[PathBuf]) -> rusqlite::Result<()> {
    remove(db, &Subtree::of(folder))?;
    for mount in mounts {
        db.prepare_cached("INSERT INTO mounts (path) VALUES (?) ON CONFLICT DO NOTHING")?
            .execute([encode(mount)])?;
    }
    Ok(())
}

/// Changes the paths of the mounts at or below a file or folder that was renamed.
pub(super) fn rename(db: &Connection, from: &Path, to: &Path) -> rusqlite::Result<()> {
    let mounts = under(db, from)?;
    if mounts.is_empty() {
        return Ok(());
    }
    remove(db, &Subtree::of(from))?;
    let moved: Vec<PathBuf> = mounts
        .iter()
        .filter_map(|mount| Some(to.join(mount.strip_prefix(from).ok()?)))
        .map(|mount| mount.components().collect())
        .collect();
    put(db, to, &moved)
}

/// Removes the mounts at or below a folder.
pub(super) fn remove(db: &Connection, tree: &Subtree) -> rusqlite::Result<()> {
    db.prepare_cached(
        "DELETE FROM mounts WHERE path >= :exact AND path < :high AND (path = :exact OR path >= :low)",
    )?
    .execute(named_params! {":exact": tree.exact, ":low": tree.low, ":high": tree.high})?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::temp_store;
    use super::*;

    #[test]
    fn the_mounts_below_a_folder_replace_those_that_were_known() {
        let (_folder, mut store) = temp_store();
        let paths = |names: &[&str]| names.iter().map(PathBuf::from).collect::<Vec<_>>();
        let all = paths(&["/a/disk", "/a/disk/inner", "/b"]);
        store.put_mounts(Path::new("/"), &all).unwrap();
        assert_eq!(store.mounts_under(Path::new("/")).unwrap(), all);
        assert_eq!(store.mounts_under(Path::new("/a/disk")).unwrap(), all[..2]);
        assert_eq!(
            store.mounts_under(Path::new("/a/dis")).unwrap(),
            [] as [PathBuf; 0]
        );
        store.put_mounts(Path::new("/a"), &all[..1]).unwrap();
        assert_eq!(
            store.mounts_under(Path::new("/")).unwrap(),
            paths(&["/a/disk", "/b"])
        );
    }
}
