//! Stores the sidecars of each file of a photo, and what they say.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, Row, named_params, params};

use crate::file::FileMeta;
use crate::sidecar::{Sidecar, SidecarFile, is_picasa, may_belong, photos_of};

use super::forgotten_people::Names;
use super::path::{Subtree, decode, encode};

/// The sidecars of the files in a range of [`Subtree`], in the order of these files.
const UNDER: &str = "
    SELECT photo_path, name, size, mtime_ns, ctime_ns, inode FROM sidecars
    WHERE photo_path >= :exact AND photo_path < :high
      AND (photo_path = :exact OR photo_path >= :low)
    ORDER BY photo_path, name";

/// Reads the sidecars of all files in `tree`, and passes to `work` a function that returns those of a file.
/// It must be called with the stored paths of files in ascending order.
pub(super) fn under<T>(
    db: &Connection,
    tree: &Subtree,
    work: impl FnOnce(
        &mut dyn FnMut(&[u8]) -> rusqlite::Result<Vec<SidecarFile>>,
    ) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let mut statement = db.prepare_cached(UNDER)?;
    let range = named_params! {":exact": tree.exact, ":low": tree.low, ":high": tree.high};
    let mut rows = statement
        .query_map(range, |row| {
            Ok((row.get::<_, Vec<u8>>(0)?, file_columns(row, 1)?))
        })?
        .peekable();
    work(&mut |photo| {
        let mut sidecars = Vec::new();
        while let Some(row) = rows.next_if(|row| match row {
            Ok((path, _)) => path.as_slice() <= photo,
            Err(_) => true,
        }) {
            let (path, sidecar) = row?;
            if path == photo {
                sidecars.push(sidecar);
            }
        }
        Ok(sidecars)
    })
}

/// The sidecar in the columns from `first` on; its device is not stored.
fn file_columns(row: &Row<'_>, first: usize) -> rusqlite::Result<SidecarFile> {
    Ok(SidecarFile {
        name: decode(row.get_ref(first)?.as_blob()?).into_os_string(),
        meta: FileMeta {
            size: row.get::<_, i64>(first + 1)? as u64,
            mtime_ns: row.get(first + 2)?,
            ctime_ns: row.get(first + 3)?,
            inode: row.get::<_, i64>(first + 4)? as u64,
            device: 0,
        },
    })
}

/// See [`Batch::put_sidecars`](super::Batch::put_sidecars).
pub(super) fn put(db: &Connection, photo: &Path, sidecars: &[Sidecar]) -> rusqlite::Result<()> {
    let path = encode(photo);
    let known = of_file(db, &path)?;
    let forgotten = Names::of(db)?;
    let now: Vec<(SidecarFile, String)> = sidecars
        .iter()
        .map(|Sidecar { file, statements }| {
            let statements = forgotten.without(statements);
            let meta = FileMeta {
                device: 0, // not stored
                ..file.meta
            };
            let name = file.name.clone();
            (SidecarFile { name, meta }, statements.to_json())
        })
        .collect();
    if now == known {
        return Ok(());
    }
    let (statements_now, statements_before) =
        (now.iter().map(statements), known.iter().map(statements));
    if statements_now.eq(statements_before) {
        // This is so for most photos of a folder whose `.picasa.ini` changes, and nothing has to be derived anew. But if
        // another sidecar has a new time, it may now count instead of that of another copy, or no longer.
        let is_redated =
            |((now, _), (known, _)): (&(SidecarFile, String), &(SidecarFile, String))| {
                now.meta.mtime_ns != known.meta.mtime_ns && !is_picasa(Path::new(&now.name))
            };
        if now.iter().zip(&known).any(is_redated) {
            db.prepare_cached(
                "INSERT OR IGNORE INTO dirty_photos (photo_id)
                 SELECT photo_id FROM files WHERE path = ? AND photo_id IS NOT NULL",
            )?
            .execute([&path])?;
        }
        return set_meta(db, &path, &now);
    }
    replace(db, &path, &now)
}

/// The name of a sidecar, and what it says.
fn statements((file, statements): &(SidecarFile, String)) -> (&OsStr, &str) {
    (&file.name, statements)
}

/// Stores the metadata of the sidecars of a file that say the same as before.
fn set_meta(
    db: &Connection,
    path: &[u8],
    sidecars: &[(SidecarFile, String)],
) -> rusqlite::Result<()> {
    for (file, _) in sidecars {
        db.prepare_cached(
            "UPDATE sidecars SET size = ?3, mtime_ns = ?4, ctime_ns = ?5, inode = ?6
             WHERE photo_path = ?1 AND name = ?2",
        )?
        .execute(params![
            path,
            encode(Path::new(&file.name)),
            file.meta.size as i64,
            file.meta.mtime_ns,
            file.meta.ctime_ns,
            file.meta.inode as i64,
        ])?;
    }
    Ok(())
}

fn replace(
    db: &Connection,
    path: &[u8],
    sidecars: &[(SidecarFile, String)],
) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM sidecars WHERE photo_path = ?")?
        .execute([path])?;
    for (file, statements) in sidecars {
        // Inserts nothing if the file is not in the index, for instance because another process removed it.
        db.prepare_cached(
            "INSERT INTO sidecars (photo_path, name, size, mtime_ns, ctime_ns, inode, facts)
             SELECT path, ?2, ?3, ?4, ?5, ?6, ?7 FROM files WHERE path = ?1",
        )?
        .execute(params![
            path,
            encode(Path::new(&file.name)),
            file.meta.size as i64,
            file.meta.mtime_ns,
            file.meta.ctime_ns,
            file.meta.inode as i64,
            statements,
        ])?;
    }
    Ok(())
}

/// The sidecars of the file at a stored path, sorted by name, with what they say.
fn of_file(db: &Connection, path: &[u8]) -> rusqlite::Result<Vec<(SidecarFile, String)>> {
    db.prepare_cached(
        "SELECT name, size, mtime_ns, ctime_ns, inode, facts FROM sidecars
         WHERE photo_path = ? ORDER BY name",
    )?
    .query_map([path], |row| Ok((file_columns(row, 0)?, row.get(5)?)))?
    .collect()
}

/// See [`Store::photos_beside`](super::Store::photos_beside).
pub(super) fn photos_beside(db: &Connection, sidecar: &Path) -> rusqlite::Result<Vec<PathBuf>> {
    let mut statement =
        db.prepare_cached("SELECT path FROM files WHERE path >= ?1 AND path < ?2 ORDER BY path")?;
    let mut found = Vec::new();
    for start in photos_of(sidecar) {
        let start = encode(&start);
        let end = [&start[..], b"\xff"].concat();
        let rows =
            statement.query_map([&start, &end], |row| Ok(decode(row.get_ref(0)?.as_blob()?)))?;
        for path in rows {
            let path = path?;
            if may_belong(sidecar, &path) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{self, META};
    use super::super::{Query, Store};
    use super::*;
    use crate::emotion::Emotion;
    use crate::facts::{Block, Statements};

    fn sidecar(name: &str, keywords: &[&str]) -> Sidecar {
        let mut statements = Statements::default();
        for keyword in keywords {
            statements.add_keyword(keyword, Block::Xmp);
        }
        Sidecar {
            file: SidecarFile {
                name: name.into(),
                meta: META,
            },
            statements,
        }
    }

    fn set(store: &mut Store, photo: &str, sidecars: &[Sidecar]) {
        store
            .batch(|batch| batch.put_sidecars(Path::new(photo), sidecars))
            .unwrap();
    }

    /// The sidecars that the index has, as photo and name.
    fn all(store: &Store) -> Vec<(String, String)> {
        let mut statement = store
            .connection
            .prepare(
                "SELECT CAST(photo_path AS TEXT), CAST(name AS TEXT) FROM sidecars ORDER BY 1, 2",
            )
            .unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        rows.unwrap().map(Result::unwrap).collect()
    }

    fn found(store: &Store, words: &str) -> usize {
        let text = Some(words.to_owned());
        let query = Query::for_emotion(Emotion::Happy);
        store.query(&Query { text, ..query }).unwrap().len()
    }

    #[test]
    fn the_keywords_of_all_copies_are_those_of_the_photo() {
        let (_folder, mut store) = testing::temp_store();
        let record = testing::photo("a", vec![testing::face(0.0, 80.0, 0.9, 0.9)]);
        let id = testing::put(&mut store, "/a/1.jpg", &record);
        testing::put(&mut store, "/b/copy.jpg", &record);
        set(
            &mut store,
            "/a/1.jpg",
            &[sidecar("1.xmp", &["Lake", "Vacation"])],
        );
        set(
            &mut store,
            "/b/copy.jpg",
            &[sidecar("copy.jpg.xmp", &["Boat", "Lake"])],
        );
        let keywords = |store: &Store| {
            let photo = store.photo(id).unwrap().unwrap();
            photo.content.unwrap().capture.keywords
        };
        let embedded = ["Vacation", "Places|Italy"];
        assert_eq!(
            keywords(&store),
            [&embedded[..], &["Lake", "Boat"]].concat()
        );
        assert_eq!((found(&store, "lake"), found(&store, "boat")), (1, 1));

        set(&mut store, "/b/copy.jpg", &[]);
        assert_eq!(keywords(&store), [&embedded[..], &["Lake"]].concat());
        assert_eq!((found(&store, "lake"), found(&store, "boat")), (1, 0));
    }

    #[test]
    fn the_newest_sidecar_of_several_copies_counts() {
        let (_folder, mut store) = testing::temp_store();
        let record = testing::photo("a", vec![]);
        let id = testing::put(&mut store, "/a/1.jpg", &record);
        testing::put(&mut store, "/b/1.jpg", &record);
        let rated = |stars: i8, mtime_ns: i64| {
            let mut sidecar = sidecar("1.xmp", &[if stars == 2 { "Lake" } else { "Boat" }]);
            sidecar.statements.add_rating(stars, Block::Xmp);
            sidecar.file.meta.mtime_ns = mtime_ns;
            [sidecar]
        };
        let facts = |store: &Store| {
            let capture = store.photo(id).unwrap().unwrap().content.unwrap().capture;
            (capture.rating, capture.keywords[2..].to_vec())
        };
        let keywords = ["Lake", "Boat"].map(str::to_owned).to_vec();
        set(&mut store, "/a/1.jpg", &rated(2, 100));
        set(&mut store, "/b/1.jpg", &rated(4, 200));
        assert_eq!(facts(&store), (Some(4), keywords.clone()));
        // The first one is saved again, unchanged.
        set(&mut store, "/a/1.jpg", &rated(2, 300));
        assert_eq!(facts(&store), (Some(2), keywords));
    }

    #[test]
    fn sidecars_are_moved_and_removed_with_their_photo() {
        let (_folder, mut store) = testing::temp_store();
        for name in ["/a/1.jpg", "/a/2.jpg"] {
            testing::put(&mut store, name, &testing::photo(name, vec![]));
        }
        set(&mut store, "/a/1.jpg", &[sidecar("1.xmp", &["Lake"])]);
        set(
            &mut store,
            "/a/2.jpg",
            &[sidecar("2.jpg.xmp", &[]), sidecar("2.xmp", &[])],
        );
        store.rename(Path::new("/a"), Path::new("/b")).unwrap();
        let row = |photo: &str, name: &str| (photo.to_owned(), name.to_owned());
        let [one, two, three] = [
            row("/b/1.jpg", "1.xmp"),
            row("/b/2.jpg", "2.jpg.xmp"),
            row("/b/2.jpg", "2.xmp"),
        ];
        assert_eq!(all(&store), [one, two.clone(), three.clone()]);
        store.forget(&["/b/1.jpg".into()]).unwrap();
        assert_eq!(all(&store), [two, three]);
        // Of a file that is not in the index there are none.
        set(&mut store, "/b/1.jpg", &[sidecar("1.xmp", &["Lake"])]);
        assert_eq!(all(&store).len(), 2);
        store.forget_trees(&["/b".into()]).unwrap();
        assert_eq!(all(&store), []);
    }

    #[test]
    fn known_files_come_with_their_sidecars() {
        let (_folder, mut store) = testing::temp_store();
        for name in ["/a/1.jpg", "/a/2.jpg", "/a/3.jpg", "/b/1.jpg"] {
            testing::put(&mut store, name, &testing::photo(name, vec![]));
        }
        set(
            &mut store,
            "/a/2.jpg",
            &[sidecar("2.jpg.xmp", &[]), sidecar("2.xmp", &[])],
        );
        set(&mut store, "/b/1.jpg", &[sidecar("1.xmp", &[])]);
        let counts = |folder: &str| -> Vec<usize> {
            let known = testing::known(&store, folder, &testing::models());
            known.iter().map(|(_, file)| file.sidecars.len()).collect()
        };
        assert_eq!(counts("/a"), [0, 2, 0]);
        assert_eq!(counts("/a/2.jpg"), [2]);
        assert_eq!(counts("/b"), [1]);
    }

    #[test]
    fn the_photos_beside_a_sidecar_are_found() {
        let (_folder, mut store) = testing::temp_store();
        let names = [
            "/a/1.jpg",
            "/a/1.nef",
            "/a/1.x.jpg",
            "/a/10.jpg",
            "/a/1",
            "/a/1.JPG",
            "/a/1.d/2.jpg",
        ];
        for name in names {
            testing::put(&mut store, name, &testing::photo(name, vec![]));
        }
        let beside = |sidecar: &str| store.photos_beside(Path::new(sidecar)).unwrap();
        let expected = ["/a/1", "/a/1.JPG", "/a/1.jpg", "/a/1.nef"].map(PathBuf::from);
        assert_eq!(beside("/a/1.xmp"), expected);
        // The case of the extension does not matter.
        assert_eq!(beside("/a/1.jpg.xmp"), expected[1..3]);
        assert_eq!(beside("/a/1.x.xmp"), [PathBuf::from("/a/1.x.jpg")]);
        assert_eq!(beside("/b/1.xmp"), [] as [PathBuf; 0]);
        // A photo and its edited version share a sidecar.
        testing::put(
            &mut store,
            "/a/1-edited.jpg",
            &testing::photo("edited", vec![]),
        );
        let shared = ["/a/1-edited.jpg", "/a/1.jpg"].map(PathBuf::from);
        let beside = |sidecar: &str| store.photos_beside(Path::new(sidecar)).unwrap();
        let all = beside("/a/1.jpg.supplemental-metadata.json");
        assert!(shared.iter().all(|photo| all.contains(photo)), "{all:?}");
        assert!(!all.contains(&PathBuf::from("/a/10.jpg")), "{all:?}");
    }
}
