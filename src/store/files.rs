//! Stores the files: their paths, their photos, and the metadata by which a change of a file is noticed.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _, Row, named_params, params};

use crate::error::{Skip, SkipReason};
use crate::facts;
use crate::file::FileMeta;

use super::codec::skip_from_columns;
use super::path::{Subtree, decode, encode};
use super::record::{KnownFile, Models, PhotoId};
use super::roots::AbsentRoots;
use super::sidecars;

/// Reads one range of the primary key: from the folder's own name to the last name below it. The
/// range also contains names such as `folder.jpg`, which the last condition excludes.
const UNDER: &str = "
    SELECT path, size, mtime_ns, ctime_ns, inode, device, p.skip_reason,
           p.picture IS NOT NULL AND p.facts_version = :facts
           AND p.detector = (SELECT id FROM models WHERE name = :detector)
           AND p.classifier = (SELECT id FROM models WHERE name = :classifier),
           f.skip_reason
    FROM files f LEFT JOIN photos p ON p.id = f.photo_id
    WHERE path >= :exact AND path < :high AND (path = :exact OR path >= :low)
    ORDER BY path";

/// See [`Store::files_under`](super::Store::files_under).
pub(super) fn under<T>(
    db: &Connection,
    folder: &Path,
    models: &Models,
    work: impl FnOnce(&mut dyn Iterator<Item = rusqlite::Result<(PathBuf, KnownFile)>>) -> T,
) -> rusqlite::Result<T> {
    let tree = Subtree::of(folder);
    sidecars::under(db, &tree, |sidecars_of| {
        let mut statement = db.prepare_cached(UNDER)?;
        // A model without a row in `models` is new, so no file is current for it. Nor is a file current if its picture
        // has no hash, by which the index would recognise the photo after a change of its metadata, or if its metadata
        // were read by an older reader.
        let mut files = statement.query_map(
            named_params! {
                ":detector": models.detector,
                ":classifier": models.classifier,
                ":facts": facts::VERSION,
                ":exact": tree.exact,
                ":low": tree.low,
                ":high": tree.high,
            },
            |row| {
                let path = row.get_ref(0)?.as_blob()?;
                let skipped: Option<SkipReason> = row.get(6)?;
                let same_models: Option<bool> = row.get(7)?;
                // A file has a reason of its own only if not all of it was read.
                let unread: Option<SkipReason> = row.get(8)?;
                let file = KnownFile {
                    meta: FileMeta {
                        size: row.get::<_, i64>(1)? as u64,
                        mtime_ns: row.get(2)?,
                        ctime_ns: row.get(3)?,
                        inode: row.get::<_, i64>(4)? as u64,
                        device: row.get::<_, i64>(5)? as u64,
                    },
                    is_current: same_models.unwrap_or_default()
                        || skipped.is_some_and(SkipReason::is_in_content)
                        || unread.is_some_and(SkipReason::is_in_first_bytes),
                    sidecars: sidecars_of(path)?,
                };
                Ok((decode(path), file))
            },
        )?;
        Ok(work(&mut files))
    })
}

/// See [`Store::file`](super::Store::file).
pub(super) fn outcome(
    db: &Connection,
    path: &Path,
) -> rusqlite::Result<Option<Result<PhotoId, Skip>>> {
    db.prepare_cached("SELECT photo_id, skip_reason, skip_detail FROM files WHERE path = ?")?
        .query_row([encode(path)], |row| outcome_columns(row, 0))
        .optional()
}

fn outcome_columns(row: &Row<'_>, first: usize) -> rusqlite::Result<Result<PhotoId, Skip>> {
    Ok(match row.get(first)? {
        Some(photo) => Ok(photo),
        None => Err(skip_from_columns(row, first + 1)?),
    })
}

/// The paths of `photo`, sorted by their bytes.
pub(super) fn of_photo(db: &Connection, photo: PhotoId) -> rusqlite::Result<Vec<PathBuf>> {
    db.prepare_cached("SELECT path FROM files WHERE photo_id = ? ORDER BY path")?
        .query_map([photo], |row| Ok(decode(row.get_ref(0)?.as_blob()?)))?
        .collect()
}

/// The paths of each photo whose ID the statement `photos` selects.
pub(super) fn of_each(db: &Connection, photos: &str) -> rusqlite::Result<Vec<Vec<PathBuf>>> {
    let photos: Vec<PhotoId> = db
        .prepare_cached(photos)?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    photos
        .into_iter()
        .map(|photo| of_photo(db, photo))
        .collect()
}

/// The paths of `photo` in the order of answers: sorted by their bytes, those below an absent root last.
pub(super) fn as_answered(db: &Connection, photo: PhotoId) -> rusqlite::Result<Vec<PathBuf>> {
    let paths = of_photo(db, photo)?;
    if paths.len() < 2 {
        return Ok(paths);
    }
    Ok(AbsentRoots::now(db)?.order_last(paths))
}

/// The number of paths of `photo`.
pub(super) fn count_of_photo(db: &Connection, photo: PhotoId) -> rusqlite::Result<usize> {
    db.prepare_cached("SELECT count(*) FROM files WHERE photo_id = ?")?
        .query_row([photo], |row| row.get::<_, i64>(0))
        .map(|count| count as usize)
}

/// Stores the file at `path` and its outcome, in place of an earlier row. Returns the photo that was at this path before,
/// if it is another one.
pub(super) fn put(
    db: &Connection,
    path: &Path,
    meta: &FileMeta,
    outcome: Result<PhotoId, &Skip>,
) -> rusqlite::Result<Option<PhotoId>> {
    let before = photo_at(db, path)?;
    db.prepare_cached(
        "INSERT INTO files (path, size, mtime_ns, ctime_ns, inode, device,
                            photo_id, skip_reason, skip_detail)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (path) DO UPDATE SET
            size = excluded.size, mtime_ns = excluded.mtime_ns, ctime_ns = excluded.ctime_ns,
            inode = excluded.inode, device = excluded.device,
            photo_id = excluded.photo_id,
            skip_reason = excluded.skip_reason, skip_detail = excluded.skip_detail",
    )?
    .execute(params![
        encode(path),
        meta.size as i64,
        meta.mtime_ns,
        meta.ctime_ns,
        meta.inode as i64,
        meta.device as i64,
        outcome.ok(),
        outcome.err().map(|skip| skip.reason),
        outcome.err().map(|skip| &skip.detail),
    ])?;
    Ok(before.filter(|before| outcome != Ok(*before)))
}

/// The photo of the file at `path`; `None` also if the file was skipped.
pub(super) fn photo_at(db: &Connection, path: &Path) -> rusqlite::Result<Option<PhotoId>> {
    let photo = db
        .prepare_cached("SELECT photo_id FROM files WHERE path = ?")?
        .query_row([encode(path)], |row| row.get(0))
        .optional()?;
    Ok(photo.flatten())
}

/// Whether the index has the photo of the file at `path`, and the file has not changed since.
pub(super) fn is_indexed(db: &Connection, path: &Path) -> rusqlite::Result<bool> {
    let Ok(meta) = path.metadata().map(|metadata| FileMeta::of(&metadata)) else {
        return Ok(false);
    };
    db.prepare_cached(
        "SELECT 1 FROM files WHERE path = ? AND photo_id IS NOT NULL AND size = ? AND mtime_ns = ?",
    )?
    .exists(params![encode(path), meta.size as i64, meta.mtime_ns])
}

/// See [`Store::adopt_status`](super::Store::adopt_status).
pub(super) fn adopt_status(db: &Connection, files: &[(PathBuf, FileMeta)]) -> rusqlite::Result<()> {
    let mut update = db.prepare_cached(
        "UPDATE files SET ctime_ns = ?, inode = ?, device = ?
         WHERE path = ? AND size = ? AND mtime_ns = ?",
    )?;
    for (path, meta) in files {
        update.execute(params![
            meta.ctime_ns,
            meta.inode as i64,
            meta.device as i64,
            encode(path),
            meta.size as i64,
            meta.mtime_ns,
        ])?;
    }
    Ok(())
}

/// Removes the file at `path` and returns whether it was in the index.
pub(super) fn remove(db: &Connection, path: &Path) -> rusqlite::Result<bool> {
    let removed = db
        .prepare_cached("DELETE FROM files WHERE path = ?")?
        .execute([encode(path)])?;
    Ok(removed > 0)
}

/// Whether there is a file below the folder `path`.
pub(super) fn any_below(db: &Connection, path: &Path) -> rusqlite::Result<bool> {
    let tree = Subtree::of(path);
    db.prepare_cached("SELECT 1 FROM files WHERE path >= ? AND path < ?")?
        .exists([tree.low, tree.high])
}

/// Removes the file at `path`, or all files below that folder, and returns their number.
pub(super) fn remove_tree(db: &Connection, path: &Path) -> rusqlite::Result<u64> {
    let tree = Subtree::of(path);
    let removed = db
        .prepare_cached(
            "DELETE FROM files
             WHERE path >= :exact AND path < :high AND (path = :exact OR path >= :low)",
        )?
        .execute(named_params! {":exact": tree.exact, ":low": tree.low, ":high": tree.high})?;
    Ok(removed as u64)
}

/// See [`Store::rename`](super::Store::rename).
pub(super) fn rename(db: &Connection, from: &Path, to: &Path) -> rusqlite::Result<u64> {
    let (tree, target) = (Subtree::of(from), Subtree::of(to));
    let has_files: bool = db
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM files
             WHERE path >= :exact AND path < :high AND (path = :exact OR path >= :low))",
        )?
        .query_row(
            named_params! {":exact": tree.exact, ":low": tree.low, ":high": tree.high},
            |row| row.get(0),
        )?;
    if !has_files {
        return Ok(0);
    }
    remove_tree(db, to)?;
    // `||` converts the bytes to text, and the cast converts them back unchanged.
    let renamed = db
        .prepare_cached(
            "UPDATE files SET path = CAST(:to || substr(path, :rest) AS BLOB)
             WHERE path >= :exact AND path < :high AND (path = :exact OR path >= :low)",
        )?
        .execute(named_params! {
            ":to": target.exact,
            ":rest": tree.exact.len() as i64 + 1,
            ":exact": tree.exact, ":low": tree.low, ":high": tree.high,
        })?;
    Ok(renamed as u64)
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    #[test]
    fn the_files_of_a_folder_are_one_range_of_the_primary_key() {
        let (_folder, store) = testing::temp_store();
        let plan = testing::plan(&store, UNDER);
        assert_eq!(
            plan[0], "SEARCH f USING PRIMARY KEY (path>? AND path<?)",
            "{plan:#?}"
        );
        assert!(
            !plan.iter().any(|step| step.starts_with("SCAN f")),
            "{plan:#?}"
        );
    }

    #[test]
    fn a_folder_does_not_include_files_whose_names_begin_like_it() {
        let (_folder, mut store) = testing::temp_store();
        for path in [
            "/a/b/1.jpg",
            "/a/b/c/2.jpg",
            "/a/b.jpg",
            "/a/b-2/3.jpg",
            "/a/bc/4.jpg",
        ] {
            testing::put(&mut store, path, &testing::photo(path, vec![]));
        }
        let under = |folder: &str| {
            let known = testing::known(&store, folder, &testing::models());
            known.into_iter().map(|(path, _)| path).collect::<Vec<_>>()
        };
        assert_eq!(
            under("/a/b"),
            ["/a/b/1.jpg", "/a/b/c/2.jpg"].map(PathBuf::from)
        );
        assert_eq!(under("/a/b.jpg"), [PathBuf::from("/a/b.jpg")]);
        assert_eq!(under("/").len(), 5);
    }

    #[cfg(unix)]
    #[test]
    fn renaming_a_folder_moves_its_files() {
        use std::os::unix::ffi::OsStrExt as _;
        let (_folder, mut store) = testing::temp_store();
        let odd = Path::new(std::ffi::OsStr::from_bytes(b"/a/b/c/caf\xe9.jpg"));
        let odd_after = Path::new(std::ffi::OsStr::from_bytes(b"/longer/c/caf\xe9.jpg"));
        let mut ids = Vec::new();
        for path in [Path::new("/a/b/1.jpg"), odd, Path::new("/a/bc/2.jpg")] {
            let record = testing::photo(&path.display().to_string(), vec![]);
            ids.push(testing::put(&mut store, path, &record));
        }
        let replaced = testing::photo("replaced", vec![]);
        testing::put(&mut store, "/longer/1.jpg", &replaced);
        let renamed = store.rename(Path::new("/a/b"), Path::new("/longer"));
        assert_eq!(renamed.unwrap(), 2);
        let at = |path: &Path| store.file(path).unwrap().map(Result::unwrap);
        assert_eq!(at(Path::new("/longer/1.jpg")), Some(ids[0]));
        assert_eq!(at(odd_after), Some(ids[1]));
        assert_eq!(at(Path::new("/a/bc/2.jpg")), Some(ids[2]));
        assert_eq!(at(odd), None);
        // The photo that was at the new path has lost it, so that it can be pruned.
        assert_eq!(store.prune(std::time::Duration::ZERO).unwrap(), 1);
        let nothing = store.rename(Path::new("/nowhere"), Path::new("/a/bc"));
        assert_eq!(nothing.unwrap(), 0);
        assert_eq!(store.forget_trees(&["/a".into()]).unwrap(), 1);
        assert_eq!(store.totals().unwrap().files, 2);
    }

    #[test]
    fn a_photo_without_a_path_is_kept_for_the_grace_period() {
        let (_folder, mut store) = testing::temp_store();
        let day = std::time::Duration::from_hours(24);
        testing::put(&mut store, "/a.jpg", &testing::photo("a", vec![]));
        testing::put(&mut store, "/a.jpg", &testing::photo("b", vec![]));
        assert_eq!(store.prune(day).unwrap(), 0);
        assert_eq!(store.prune(std::time::Duration::ZERO).unwrap(), 1);
    }
}
