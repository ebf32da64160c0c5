//! Bringing the schema up to date: the files of `migrations/`, each run once and in order.

use std::path::Path;

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::{Connection, TransactionBehavior};

use crate::error::{Error, Result};

use super::path::{decode, encode};
use super::{explain, words};

/// Every migration; the schema's version is how many have run.
pub(super) const MIGRATIONS: &[&str] = include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

/// "FERI": by this `PRAGMA application_id` a database is known to be ours.
const APPLICATION_ID: i64 = 0x4645_5249;

/// Runs what the database at `path` lacks, in one exclusive transaction.
///
/// # Errors
/// When the database is another program's, of a newer version, or cannot be written; it is
/// unchanged then.
pub(super) fn run(connection: &mut Connection, path: &Path, migrations: &[&str]) -> Result<()> {
    let latest = migrations.len();
    let explain = |error| explain::sentence(path, &error);
    // In one snapshot: read one by one, what another process commits in between makes no sense.
    let snapshot = connection.transaction().map_err(explain)?;
    let found = version(&snapshot, path, latest)?;
    snapshot.finish().map_err(explain)?;
    if found == latest {
        return Ok(());
    }
    add_functions(connection).map_err(explain)?;
    // A migration may rebuild a table that others point to; the check below makes up for it.
    // The setting cannot be changed within a transaction.
    connection
        .pragma_update(None, "foreign_keys", false)
        .map_err(explain)?;
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Exclusive)
        .map_err(explain)?;
    // Asked again: another process may have been faster.
    let from = version(&transaction, path, latest)?;
    let apply = || {
        for migration in &migrations[from..] {
            transaction.execute_batch(migration)?;
        }
        transaction.pragma_update(None, "user_version", latest as i64)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.prepare("PRAGMA foreign_key_check")?.exists([])
    };
    if apply().map_err(explain)? {
        return Err(Error::Store(format!(
            "the database {} has rows that point to nothing and was left as it was; move it away \
             and run `fer-index index` to build it anew from the photos",
            path.display()
        )));
    }
    transaction.commit().map_err(explain)?;
    if from < latest {
        tracing::info!(from, to = latest, "database schema brought up to date");
    }
    Ok(())
}

/// What migrations ask of stored paths, which are not text.
fn add_functions(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_UTF8;
    let path = |context: &Context<'_>| {
        context
            .get_raw(0)
            .as_blob()
            .map(decode)
            .map_err(|error| rusqlite::Error::UserFunctionError(error.into()))
    };
    connection.create_scalar_function("folder_of", 1, flags, move |context| {
        Ok(path(context)?.parent().map(encode))
    })?;
    connection.create_scalar_function("words_of", 1, flags, move |context| {
        Ok(words::of_path(&path(context)?))
    })
}

/// The schema's version, if this program can work with it.
fn version(connection: &Connection, path: &Path, latest: usize) -> Result<usize> {
    let explain = |error| explain::sentence(path, &error);
    let pragma = |name| {
        connection
            .pragma_query_value(None, name, |row| row.get::<_, i64>(0))
            .map_err(explain)
    };
    let version = pragma("user_version")?;
    if pragma("application_id")? != APPLICATION_ID {
        let is_empty: bool = connection
            .query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| {
                row.get(0)
            })
            .map_err(explain)?;
        if version != 0 || !is_empty {
            return Err(Error::Store(format!(
                "the database {} belongs to another program; name another file with --database",
                path.display()
            )));
        }
    }
    usize::try_from(version)
        .ok()
        .filter(|version| *version <= latest)
        .ok_or_else(|| {
            Error::Store(format!(
                "the database {} was made by a newer fer-index (schema {version}, this one knows \
                 {latest}); update fer-index, or name another file with --database",
                path.display()
            ))
        })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::Store;
    use super::*;

    /// Rows as a database of each version holds them: `SAMPLES[n]` is added by version `n + 1`
    /// and must survive all later ones.
    const SAMPLES: &[&str] = &[
        "
        INSERT INTO models VALUES (1, 'yunet'), (2, 'cnn');
        INSERT INTO photos (id, hash, bytes, indexed_at, format, width, height, taken_local,
                            taken_source, detector, classifier, face_count)
            VALUES (7, zeroblob(32), 10, 0, 'JPEG', 4, 3, 0, 'exif', 1, 2, 1);
        INSERT INTO files VALUES (CAST('/album/a.jpg' AS BLOB), 10, 0, 1, 1, 7, NULL, NULL);
        INSERT INTO faces VALUES (9, 7, 0, 1, 1, 2, 2, NULL, 0.9, 0, 0, 0, 0.75, 0, 0, 0.25, 0);
        INSERT INTO photo_scores VALUES (3, 0.75, 0, 7);
    ",
        "
        INSERT INTO corrections VALUES (3, zeroblob(32), 1, 1, 2, 2, 3, 0);
        UPDATE faces SET correction = 3 WHERE id = 9;
        INSERT INTO roots VALUES (CAST('/album' AS BLOB), 0, NULL);
    ",
        "
        INSERT INTO folders VALUES (CAST('/elsewhere' AS BLOB));
    ",
        "
        INSERT INTO unread_faces VALUES (7, 0, 1, 1, 9, 9, NULL, 0.7);
    ",
        "
        UPDATE faces SET side = 2, side_place = 1 WHERE id = 9;
    ",
    ];

    fn connection() -> Connection {
        Connection::open_in_memory().unwrap()
    }

    fn migrate(connection: &mut Connection, migrations: &[&str]) -> Result<()> {
        run(connection, Path::new("test.sqlite3"), migrations)
    }

    fn schema(connection: &Connection) -> Vec<(String, String)> {
        connection
            .prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
            .unwrap()
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .collect::<rusqlite::Result<_>>()
            .unwrap()
    }

    #[test]
    fn migrating_twice_is_migrating_once() {
        let mut db = connection();
        migrate(&mut db, MIGRATIONS).unwrap();
        let before = schema(&db);
        migrate(&mut db, MIGRATIONS).unwrap();
        assert_eq!(schema(&db), before);
        assert!(before.iter().any(|(name, _)| name == "photos"));
    }

    #[test]
    fn every_older_version_comes_up_to_date_with_its_rows() {
        assert_eq!(
            SAMPLES.len(),
            MIGRATIONS.len(),
            "a migration needs rows to be tested with: add them to SAMPLES"
        );
        let mut fresh = connection();
        migrate(&mut fresh, MIGRATIONS).unwrap();
        for version in 0..=MIGRATIONS.len() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("index.sqlite3");
            // As it is made: an empty file that others may read is somebody's.
            drop(crate::file::create_private(&path).unwrap());
            let mut old = Connection::open(&path).unwrap();
            for step in 0..version {
                migrate(&mut old, &MIGRATIONS[..=step]).unwrap();
                old.execute_batch(SAMPLES[step]).unwrap();
            }
            drop(old);

            let store = Store::open(&path).unwrap();
            assert_eq!(schema(&store.connection), schema(&fresh), "from {version}");
            let verdict: String = store
                .connection
                .pragma_query_value(None, "integrity_check", |row| row.get(0))
                .unwrap();
            assert_eq!(verdict, "ok", "from {version}");
            if version > 0 {
                let query = super::super::Query::for_emotion(crate::emotion::Emotion::Happy);
                let hits = store.query(&query).unwrap();
                assert_eq!(hits[0].path, Path::new("/album/a.jpg"), "from {version}");
            }
        }
    }

    #[test]
    fn a_failing_migration_leaves_everything_as_it_was() {
        let good = ["CREATE TABLE a (x)"];
        let bad = [
            good[0],
            "CREATE TABLE b (x)",
            "CREATE TABLE c (x); INSERT INTO nowhere VALUES (1)",
        ];
        let mut db = connection();
        migrate(&mut db, &good).unwrap();
        let before = schema(&db);
        migrate(&mut db, &bad).unwrap_err();
        assert_eq!(schema(&db), before);
        assert_eq!(version(&db, Path::new("test.sqlite3"), 1).unwrap(), 1);
        migrate(&mut db, &bad[..2]).unwrap();
    }

    #[test]
    fn a_migration_that_breaks_a_reference_is_undone() {
        let lists = [
            "CREATE TABLE a (id INTEGER PRIMARY KEY);
             CREATE TABLE b (a REFERENCES a (id));
             INSERT INTO a VALUES (1); INSERT INTO b VALUES (1);",
            "DELETE FROM a",
        ];
        let mut db = connection();
        migrate(&mut db, &lists[..1]).unwrap();
        let sentence = migrate(&mut db, &lists).unwrap_err().to_string();
        assert!(sentence.contains("point to nothing"), "{sentence}");
        let count: i64 = db
            .query_row("SELECT count(*) FROM a", [], |row| row.get(0))
            .unwrap();
        assert_eq!(count, 1);
    }

    #[test]
    fn a_newer_database_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.sqlite3");
        let store = Store::open(&path).unwrap();
        let newer = MIGRATIONS.len() as i64 + 1;
        store
            .connection
            .pragma_update(None, "user_version", newer)
            .unwrap();
        drop(store);
        let before = fs::read(&path).unwrap();
        for result in [Store::open(&path), Store::open_existing(&path)] {
            let sentence = result.unwrap_err().to_string();
            assert!(sentence.contains("update fer-index"), "{sentence}");
        }
        assert_eq!(fs::read(&path).unwrap(), before);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
