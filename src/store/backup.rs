//! Makes a backup of a database, and restores one.
//!
//! A copy is made by `VACUUM INTO`, in one read transaction: other processes may write meanwhile, and the copying does
//! not start over when they do, as SQLite's page-by-page backup would. The copy has no free pages, so it contains nothing
//! that was deleted.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use crate::atomic;
use crate::error::{Error, Result};
use crate::output;

use super::forgotten_again::{AllMarks, ForgottenAgain};
use super::{Store, connection, explain, migrate};

/// What a database contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contents {
    /// Number of photos.
    pub photos: u64,
    /// Number of people's corrections.
    pub corrections: u64,
}

/// The outcome of [`Store::restore`](super::Store::restore).
#[derive(Debug, PartialEq, Eq)]
pub struct Restored {
    /// What the database contains now.
    pub contents: Contents,
    /// The path under which the database that was replaced is kept, if there was one.
    pub kept: Option<PathBuf>,
    /// What was removed because it had been forgotten in the database that was replaced; `None` if that could not be
    /// determined, because that database is damaged or the backup was made of another one.
    pub forgotten: Option<ForgottenAgain>,
}

/// Writes a copy of a database into the empty file at a path.
pub(super) fn copy(db: &Connection, to: &Path) -> rusqlite::Result<()> {
    let Some(to) = to.to_str() else {
        return Err(rusqlite::Error::InvalidPath(to.to_owned()));
    };
    db.execute("VACUUM INTO ?", [to]).map(drop)
}

/// Checks that a database is not damaged, and counts what is in it.
pub(super) fn check(path: &Path) -> rusqlite::Result<Contents> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    let verdict: String = db.query_row("PRAGMA integrity_check (1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Err(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT),
            Some(verdict),
        ));
    }
    db.query_row(
        "SELECT (SELECT count(*) FROM photos WHERE skip_reason IS NULL AND lost_at IS NULL),
                (SELECT count(*) FROM corrections)",
        [],
        |row| {
            Ok(Contents {
                photos: row.get::<_, i64>(0)? as u64,
                corrections: row.get::<_, i64>(1)? as u64,
            })
        },
    )
}

/// See [`Store::restore`](super::Store::restore).
pub(super) fn restore(database: &Path, from: &Path) -> Result<Restored> {
    if !from.is_file() {
        return Err(Error::Usage(format!(
            "there is no file {}; name one that fer-index backup has written",
            from.display()
        )));
    }
    if is_same_file(from, database) {
        return Err(Error::Usage(format!(
            "{} is the database itself; name a file that fer-index backup has written",
            from.display()
        )));
    }
    let source =
        connection::open_unchanged(from).map_err(|error| explain::of_backup(from, error))?;
    migrate::check(&source, from).map_err(|error| explain::of_backup(from, error))?;
    let marks = marks_of(database);
    let mut forgotten = None;
    let restored = replace(database, |draft| {
        copy(&source, draft).map_err(|error| explain::of_copying(from, draft, error))?;
        // Opening it migrates it, so that a copy of an older version proves usable before it replaces the database.
        let mut store = Store::open(draft)?;
        forgotten = match &marks {
            Some(marks) if !marks.is_empty() => store.forget_again(marks)?,
            Some(_) => Some(ForgottenAgain::default()),
            None => None,
        };
        drop(store);
        connection::close_down(draft)
    })?;
    Ok(Restored {
        forgotten,
        ..restored
    })
}

/// Whether two paths lead to one file.
fn is_same_file(one: &Path, other: &Path) -> bool {
    let paths = [one, other].map(|path| path.canonicalize().ok());
    matches!(paths, [Some(one), Some(other)] if one == other)
}

/// The marks of what was forgotten in a database; `None` if it cannot be read.
fn marks_of(database: &Path) -> Option<AllMarks> {
    if !database.is_file() {
        return Some(AllMarks::default());
    }
    let db = connection::open_unchanged(database).ok()?;
    AllMarks::of(&db).ok()
}

/// Replaces `database`, which is kept under another name, by the database that `fill` writes into the empty file whose
/// path it gets. If anything fails, nothing has changed.
pub(super) fn replace(database: &Path, fill: impl FnOnce(&Path) -> Result<()>) -> Result<Restored> {
    let io = |source| Error::Io {
        path: database.to_owned(),
        source,
    };
    let mut kept = None;
    let renamed = atomic::create_private_by(database, |draft| {
        fill(draft)?;
        let contents = check(draft).map_err(|error| explain::sentence(draft, error))?;
        kept = set_aside(database)?;
        Ok(contents)
    });
    match renamed {
        Ok(contents) => Ok(Restored {
            contents: contents?,
            kept,
            forgotten: Some(ForgottenAgain::default()),
        }),
        Err(error) => {
            if let Some(kept) = kept {
                rename_all(&kept, database).map_err(io)?;
            }
            Err(io(error))
        }
    }
}

/// Renames a database, if there is one, and returns its new path. What is in its log is written into it before; a damaged
/// database is renamed together with its log.
fn set_aside(database: &Path) -> Result<Option<PathBuf>> {
    let is_damaged = match database.is_file().then(|| connection::close_down(database)) {
        None | Some(Ok(())) => false,
        Some(Err(Error::Store { .. })) => true,
        Some(Err(error)) => return Err(error),
    };
    if database.symlink_metadata().is_err() {
        // SQLite would take a log that is left here for the log of the new database.
        for companion in companions(database) {
            if companion.symlink_metadata().is_ok() {
                output::set_aside(&companion)?;
            }
        }
        return Ok(None);
    }
    let kept = output::set_aside(database)?;
    if is_damaged {
        rename_companions(database, &kept).map_err(|source| Error::Io {
            path: database.to_owned(),
            source,
        })?;
    }
    Ok(Some(kept))
}

fn companions(database: &Path) -> [PathBuf; 3] {
    ["-wal", "-shm", "-journal"].map(|ending| {
        let mut name = database.as_os_str().to_owned();
        name.push(ending);
        name.into()
    })
}

fn rename_companions(from: &Path, to: &Path) -> std::io::Result<()> {
    for (from, to) in companions(from).iter().zip(companions(to)) {
        if from.symlink_metadata().is_ok() {
            atomic::rename_new(from, &to)?;
        }
    }
    Ok(())
}

fn rename_all(from: &Path, to: &Path) -> std::io::Result<()> {
    atomic::rename_new(from, to)?;
    rename_companions(from, to)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::emotion::Emotion;
    use crate::face::Correction;

    use super::super::testing::{face, photo, put, temp_store};
    use super::super::{Query, Store};
    use super::*;

    fn found(database: &Path) -> usize {
        let store = Store::open_existing(database).unwrap();
        store.query(&Query::latest()).unwrap().len()
    }

    /// A database of one corrected photo.
    fn corrected() -> (tempfile::TempDir, Store) {
        let (folder, mut store) = temp_store();
        let id = put(
            &mut store,
            "/a.jpg",
            &photo("a", vec![face(0.0, 80.0, 0.9, 0.7)]),
        );
        let faces = store.photo(id).unwrap().unwrap().content.unwrap().faces;
        let sad = Correction::Emotion(Emotion::Sad);
        assert!(store.correct(faces[0].id, sad).unwrap());
        (folder, store)
    }

    fn back_up(store: &Store, path: &Path) -> Result<Contents> {
        output::write_private(path, |draft| store.back_up(draft))
    }

    #[test]
    fn a_copy_is_complete_private_and_free_of_what_was_deleted() {
        let (folder, mut store) = corrected();
        put(&mut store, "/secret-name.jpg", &photo("b", vec![]));
        store.forget(&["/secret-name.jpg".into()]).unwrap();
        store.prune(std::time::Duration::ZERO).unwrap();
        let path = folder.path().join("new/copy.sqlite3");
        let contents = back_up(&store, &path).unwrap();
        assert_eq!((contents.photos, contents.corrections), (1, 1));
        let bytes = fs::read(&path).unwrap();
        assert!(memchr::memmem::find(&bytes, b"secret-name").is_none());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
        let names = fs::read_dir(path.parent().unwrap()).unwrap().count();
        assert_eq!(names, 1);
        // No file is overwritten, and the database remains in use.
        let sentence = back_up(&store, &path).unwrap_err().to_string();
        assert!(sentence.contains("is not replaced"), "{sentence}");
        put(&mut store, "/c.jpg", &photo("c", vec![]));
        assert_eq!(found(&path), 1);
    }

    #[test]
    fn a_copy_is_made_while_another_connection_writes() {
        let (folder, mut store) = corrected();
        let reader = Store::open_existing(store.path()).unwrap();
        let path = folder.path().join("copy.sqlite3");
        store
            .batch(|batch| {
                batch.remove_file(Path::new("/a.jpg"))?;
                assert_eq!(back_up(&reader, &path)?.photos, 1);
                Ok(())
            })
            .unwrap();
        assert_eq!((found(&path), found(store.path())), (1, 0));
    }

    #[test]
    fn a_restored_database_replaces_the_current_one_which_is_kept() {
        let (folder, mut store) = corrected();
        let database = store.path().to_owned();
        let copy = folder.path().join("copy.sqlite3");
        back_up(&store, &copy).unwrap();
        let before = fs::read(&copy).unwrap();
        put(&mut store, "/later.jpg", &photo("b", vec![]));

        let sentence = Store::restore(&database, &copy).unwrap_err().to_string();
        assert!(sentence.contains("another program"), "{sentence}");
        drop(store);
        let restored = Store::restore(&database, &copy).unwrap();
        assert_eq!(restored.contents.corrections, 1);
        let kept = restored.kept.unwrap();
        assert_eq!((found(&database), found(&kept)), (1, 2));
        assert_eq!(fs::read(&copy).unwrap(), before);
    }

    #[test]
    fn a_damaged_or_missing_database_is_replaced_too() {
        let (folder, store) = corrected();
        let database = store.path().to_owned();
        let copy = folder.path().join("copy.sqlite3");
        back_up(&store, &copy).unwrap();
        drop(store);
        fs::write(
            &database,
            "not a database, but longer than a header ".repeat(9),
        )
        .unwrap();
        fs::write(companions(&database)[0].clone(), b"\x37\x7f\x06\x82").unwrap();
        let kept = Store::restore(&database, &copy).unwrap().kept.unwrap();
        assert!(
            fs::read_to_string(&kept)
                .unwrap()
                .starts_with("not a database")
        );
        assert!(companions(&kept)[0].exists());
        assert_eq!(found(&database), 1);

        fs::remove_file(&database).unwrap();
        fs::write(companions(&database)[0].clone(), b"\x37\x7f\x06\x82").unwrap();
        assert_eq!(Store::restore(&database, &copy).unwrap().kept, None);
        assert_eq!(found(&database), 1);
    }

    #[test]
    fn a_file_that_is_no_usable_backup_changes_nothing() {
        let (folder, store) = corrected();
        let database = store.path().to_owned();
        let copy = folder.path().join("copy.sqlite3");
        back_up(&store, &copy).unwrap();
        drop(store);
        let newer = folder.path().join("newer.sqlite3");
        fs::copy(&copy, &newer).unwrap();
        Connection::open(&newer)
            .unwrap()
            .pragma_update(None, "user_version", 9999)
            .unwrap();
        let foreign = folder.path().join("foreign.sqlite3");
        Connection::open(&foreign)
            .unwrap()
            .execute_batch("CREATE TABLE a (b)")
            .unwrap();
        let damaged = folder.path().join("damaged.sqlite3");
        let mut bytes = fs::read(&copy).unwrap();
        let half = bytes.len() / 2;
        bytes[half..].fill(0xff);
        fs::write(&damaged, bytes).unwrap();
        let [empty, text] = ["empty", "text"].map(|name| {
            let path = folder.path().join(name);
            fs::write(
                &path,
                if name == "text" {
                    "text ".repeat(99)
                } else {
                    String::new()
                },
            )
            .unwrap();
            path
        });
        let before = fs::read(&database).unwrap();
        for (from, why) in [
            (newer, "newer fer-index"),
            (foreign, "another program"),
            (damaged, "damaged"),
            (empty, "is empty"),
            (text, "not a database"),
            (folder.path().join("missing"), "there is no file"),
        ] {
            let sentence = Store::restore(&database, &from).unwrap_err().to_string();
            assert!(sentence.contains(why), "{sentence}");
            assert_eq!(fs::read(&database).unwrap(), before, "{why}");
        }
        assert_eq!(found(&database), 1);
    }
}
