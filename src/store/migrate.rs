//! Migrates the schema to the current version by running the files of `migrations/`, each once and
//! in order.

use std::path::Path;

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::{Connection, TransactionBehavior};

use jiff::tz::Offset;

use crate::error::{Error, Result};
use crate::facts::Statements;
use crate::photo::{Capture, DateSource, GeoPoint, Precision, TakenAt};

use super::codec::from_civil_ms;
use super::path::{decode, encode};
use super::{derived, explain, words};

/// All migrations; the schema's version is the number of migrations that have run.
pub(super) const MIGRATIONS: &[&str] = include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

/// "FERI": the `PRAGMA application_id` that marks a database as one of fer-index.
const APPLICATION_ID: i64 = 0x4645_5249;

/// Runs the migrations that the database at `path` lacks, in one exclusive transaction.
///
/// # Errors
/// If the database belongs to another program, has a newer schema, or cannot be written; in these
/// cases it is unchanged.
pub(super) fn run(connection: &mut Connection, path: &Path, migrations: &[&str]) -> Result<()> {
    let latest = migrations.len();
    let explain = |error| explain::sentence(path, error);
    // Both values are read from one snapshot: between two reads another process may commit, and the
    // values would not belong together.
    let snapshot = connection.transaction().map_err(explain)?;
    let found = version(&snapshot, path, latest)?;
    snapshot.finish().map_err(explain)?;
    if found == latest {
        return Ok(());
    }
    add_functions(connection).map_err(explain)?;
    // Foreign keys are off, since a migration may rebuild a table that others refer to; the check
    // below makes up for it. The setting cannot be changed within a transaction.
    connection
        .pragma_update(None, "foreign_keys", false)
        .map_err(explain)?;
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Exclusive)
        .map_err(explain)?;
    // Read again, since another process may have migrated the database meanwhile.
    let from = version(&transaction, path, latest)?;
    let apply = || {
        for migration in &migrations[from..] {
            transaction.execute_batch(migration)?;
        }
        // The statements that derive rows are those of the current schema.
        if latest == MIGRATIONS.len() {
            derived::update(&transaction)?;
        }
        transaction.pragma_update(None, "user_version", latest as i64)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.prepare("PRAGMA foreign_key_check")?.exists([])
    };
    if apply().map_err(explain)? {
        return Err(Error::store(
            path,
            format!(
                "the database {} has rows that refer to missing rows, and was left unchanged; move it away \
             and run `fer-index index` to build it anew from the photos",
                path.display()
            ),
        ));
    }
    transaction.commit().map_err(explain)?;
    if from < latest {
        tracing::info!(from, to = latest, "database schema brought up to date");
    }
    Ok(())
}

/// Adds the SQL functions by which migrations read stored paths, which are blobs, not text.
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
    })?;
    // The facts that an older index had of a photo, as what its content said.
    connection.create_scalar_function("facts_of", 9, flags, |context| {
        let local: Option<i64> = context.get(0)?;
        let offset: Option<i32> = context.get(1)?;
        let source: Option<String> = context.get(2)?;
        let source = source.as_deref().and_then(DateSource::from_name);
        let taken = local.and_then(from_civil_ms).zip(source);
        let (latitude, longitude): (Option<f64>, Option<f64>) = (context.get(3)?, context.get(4)?);
        let keywords: Option<String> = context.get(8)?;
        let capture = Capture {
            taken_at: taken.map(|(local, source)| TakenAt {
                local,
                offset: offset.and_then(|seconds| Offset::from_seconds(seconds).ok()),
                precision: Precision::Second,
                source,
            }),
            position: latitude
                .zip(longitude)
                .map(|(latitude, longitude)| GeoPoint {
                    latitude,
                    longitude,
                }),
            camera: context.get(5)?,
            lens: context.get(6)?,
            description: context.get(7)?,
            keywords: keywords
                .unwrap_or_default()
                .lines()
                .map(str::to_owned)
                .collect(),
            ..Capture::default()
        };
        let said = Statements {
            version: 0, // read anew at the next run
            ..Statements::from(&capture)
        };
        Ok(said.to_json())
    })
}

/// Checks that this program can work with a database, without changing it.
///
/// # Errors
/// If it belongs to another program, is empty, or has a newer schema.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<()> {
    if version(connection, path, MIGRATIONS.len())? == 0 {
        return Err(Error::store(
            path,
            format!(
                "{} is empty and no index of fer-index; name another file",
                path.display()
            ),
        ));
    }
    Ok(())
}

/// The schema's version; an error if this program cannot work with it.
fn version(connection: &Connection, path: &Path, latest: usize) -> Result<usize> {
    let explain = |error| explain::sentence(path, error);
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
            return Err(Error::store(
                path,
                format!(
                    "the database {} belongs to another program; name another file with --database",
                    path.display()
                ),
            ));
        }
    }
    usize::try_from(version)
        .ok()
        .filter(|version| *version <= latest)
        .ok_or_else(|| {
            Error::store(
                path,
                format!(
                    "the database {} was made by a newer fer-index (schema {version}; this program \
                 supports up to {latest}); update fer-index, or name another file with --database",
                    path.display()
                ),
            )
        })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::Store;
    use super::*;
    use crate::atomic::create_private;

    /// Rows as a database of each version holds them: `SAMPLES[n]` is added by version `n + 1` and
    /// must survive all later migrations.
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
        UPDATE faces SET side = 2, side_place = 1, surety = 0.9, surety_place = 1 WHERE id = 9;
    ",
        "
        UPDATE faces SET confidence = 1e9, confidence_rank = 1 WHERE id = 9;
    ",
        "
        INSERT INTO sidecars VALUES
            (CAST('/album/a.jpg' AS BLOB), CAST('a.xmp' AS BLOB), 10, 0, 0, 2, 'Lake');
    ",
        "
        INSERT OR IGNORE INTO dirty_photos VALUES (7);
        INSERT OR IGNORE INTO dirty_ranks VALUES (7);
        INSERT OR IGNORE INTO dirty_paths VALUES (CAST('/album/b.jpg' AS BLOB));
    ",
        "
        UPDATE photos SET picture = zeroblob(32), orientation = 6 WHERE id = 7;
        UPDATE corrections SET picture = zeroblob(32), orientation = 6 WHERE id = 3;
    ",
        "
        UPDATE corrections SET crop = zeroblob(9228);
        INSERT INTO undone_corrections VALUES (zeroblob(32), 5, 5, 2, 2);
    ",
        "
        UPDATE photos SET taken_source = 'file' WHERE id = 7;
    ",
        "
        UPDATE photos SET taken_local = 0, taken_precision = 'year', taken_end = 31536000000,
                          taken_source = 'folder', title = 'Lake', rating = 5,
                          facts = '{\"version\":1}', facts_version = 1 WHERE id = 7;
    ",
        "
        INSERT INTO people (photo_id, position, key, name, face_id) VALUES (7, 0, 'ada', 'Ada', 9);
    ",
        "", // no table is new
        "
        INSERT INTO incomplete_photos VALUES (7, 'JPEG: its data end before the picture is complete');
    ",
        "
        INSERT INTO forgotten VALUES (randomblob(32), randomblob(32));
    ",
        "
        INSERT INTO area_sets VALUES (1, 'IT-FI IT-52 IT c:europe');
        UPDATE photos SET latitude = 43.77, longitude = 11.25, area_set = 1 WHERE id = 7;
    ",
        "
        UPDATE photos SET burst = 7 WHERE id = 7;
    ",
        "
        INSERT INTO fact_rules VALUES ('clock', 'canon eos r5', -3600);
    ",
        "
        INSERT INTO photos (id, hash, bytes, indexed_at, format, width, height, detector, classifier, face_count)
            VALUES (8, randomblob(32), 10, 0, 'Adobe raw (DNG)', 4, 3, 1, 2, 0);
        INSERT INTO raw_pairs VALUES (8, 7);
    ",
        "", // no table is new
        "
        INSERT INTO looked_closely VALUES (7, 0, 1, 1, 2, 2);
    ",
        "
        INSERT INTO forgotten_people VALUES (randomblob(32), 2);
    ",
        "
        INSERT INTO face_features VALUES (9, zeroblob(248));
    ",
        "
        UPDATE faces SET network_scores = zeroblob(32) WHERE id = 9;
        UPDATE learning SET is_on = 0, forgotten_at = 0, stamp = zeroblob(32), corrections = 7, network_loss = 2.0,
                            layer_loss = 0.5, classifier = 'cnn', layer = zeroblob(32), applied = 7;
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
    fn migrating_a_current_database_changes_nothing() {
        let mut db = connection();
        migrate(&mut db, MIGRATIONS).unwrap();
        let before = schema(&db);
        migrate(&mut db, MIGRATIONS).unwrap();
        assert_eq!(schema(&db), before);
        assert!(before.iter().any(|(name, _)| name == "photos"));
    }

    #[test]
    fn every_older_version_is_migrated_and_keeps_its_rows() {
        assert_eq!(
            SAMPLES.len(),
            MIGRATIONS.len(),
            "each migration needs rows to be tested with: add them to SAMPLES"
        );
        let mut fresh = connection();
        migrate(&mut fresh, MIGRATIONS).unwrap();
        for version in 0..=MIGRATIONS.len() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("index.sqlite3");
            // For its owner alone, as `open` makes it: SQLite writes nothing for version 0.
            drop(create_private(&path).unwrap());
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
    fn corrections_of_older_databases_learn_when_and_with_what_the_photo_was_taken() {
        let migration = MIGRATIONS
            .iter()
            .position(|sql| sql.contains("ADD COLUMN carried_from"))
            .unwrap();
        let mut db = connection();
        for step in 0..migration {
            migrate(&mut db, &MIGRATIONS[..=step]).unwrap();
            db.execute_batch(SAMPLES[step]).unwrap();
        }
        let other =
            "INSERT INTO photos (id, hash, bytes, indexed_at, taken_local, taken_source, camera,
                                         detector, classifier)
                         VALUES (8, randomblob(32), 10, 0, 5000, 'file', 'Canon', 1, 2);
                     INSERT INTO corrections (id, hash, x, y, width, height, made_at)
                         SELECT 4, hash, 1, 1, 2, 2, 0 FROM photos WHERE id = 8;
                     UPDATE photos SET camera = 'Canon' WHERE id = 7;";
        db.execute_batch(other).unwrap();
        migrate(&mut db, MIGRATIONS).unwrap();
        let known: Vec<(i64, Option<i64>, Option<String>)> = db
            .prepare("SELECT id, taken_local, camera FROM corrections ORDER BY id")
            .unwrap()
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .unwrap()
            .collect::<rusqlite::Result<_>>()
            .unwrap();
        // The date of the second one is that of its file.
        assert_eq!(known, [(3, Some(0), Some("Canon".into())), (4, None, None)]);
    }

    #[test]
    fn a_failing_migration_changes_nothing() {
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
    fn a_migration_that_breaks_a_foreign_key_is_rolled_back() {
        let lists = [
            "CREATE TABLE a (id INTEGER PRIMARY KEY);
             CREATE TABLE b (a REFERENCES a (id));
             INSERT INTO a VALUES (1); INSERT INTO b VALUES (1);",
            "DELETE FROM a",
        ];
        let mut db = connection();
        migrate(&mut db, &lists[..1]).unwrap();
        let sentence = migrate(&mut db, &lists).unwrap_err().to_string();
        assert!(sentence.contains("refer to missing rows"), "{sentence}");
        let count: i64 = db
            .query_row("SELECT count(*) FROM a", [], |row| row.get(0))
            .unwrap();
        assert_eq!(count, 1);
    }

    #[test]
    fn a_database_with_a_newer_schema_is_left_unchanged() {
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
