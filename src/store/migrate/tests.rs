use std::fs;

use super::super::Store;
use super::*;
use crate::atomic::create_private;

/// Rows of each version: `SAMPLES[n]` is inserted into a database of version `n + 1`, and must survive all later
/// migrations.
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
    "
    UPDATE faces SET human = 0.9 WHERE id = 9;
",
    "
    UPDATE faces SET network_human = 0.4 WHERE id = 9;
    UPDATE learning SET rejections = 11, human_network_loss = 2.0, human_layer_loss = 0.5, human_lost = 0,
                        human_layer = zeroblob(8);
",
    "", // no table is new
    "
    UPDATE photos SET exif_local = 5000, exif_camera = 'Canon' WHERE id = 7;
",
    "
    INSERT INTO lost_paths (path, hash, lost_at) VALUES (x'2F61', zeroblob(32), 1);
",
    "
    INSERT INTO mounts VALUES (x'2F61');
",
    "
    UPDATE photos SET kin_due = 1 WHERE id = 7;
",
    "", // no table is new
    "", // no table is new
    "", // no table is new
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
        // Created with access for its owner only, as `open` does: SQLite writes nothing for version 0.
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

/// The first migration with this text.
fn migration_with(text: &str) -> usize {
    let mut all = MIGRATIONS.iter();
    all.position(|sql| sql.contains(text)).unwrap()
}

#[test]
fn corrections_of_older_databases_get_the_date_and_camera_of_their_photos() {
    let migration = migration_with("ADD COLUMN carried_from");
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
fn bursts_with_a_wrong_first_photo_are_repaired() {
    let migration = migration_with("AFTER UPDATE OF hash,");
    let mut db = connection();
    migrate(&mut db, &MIGRATIONS[..migration]).unwrap();
    // The second one has the least hash, since it was tagged.
    db.execute_batch(
        "INSERT INTO models VALUES (1, 'yunet'), (2, 'cnn');
         INSERT INTO photos (id, hash, bytes, indexed_at, format, width, height, taken_local, taken_source, camera,
                             detector, classifier, face_count, facts, facts_version)
         SELECT id, hash, 10, 0, 'JPEG', 4, 3, 1563091200000, 'exif', 'Canon', 1, 2, 0,
                '{\"version\":2,\"dates\":[{\"local\":\"2019-07-14T08:00:00\",\"by\":\"exif\"}],
                  \"cameras\":[{\"value\":\"Canon\",\"by\":\"exif\"}]}', 2
         FROM (SELECT 7 AS id, unhex(hex(zeroblob(31)) || '05') AS hash UNION SELECT 8, unhex(hex(zeroblob(31)) || '04'));
         UPDATE photos SET burst = 7; DELETE FROM dirty_bursts; DELETE FROM dirty_photos;",
    )
    .unwrap();
    migrate(&mut db, MIGRATIONS).unwrap();
    let in_burst: i64 = db
        .query_row("SELECT count(*) FROM photos WHERE burst = 8", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(in_burst, 2);
}

#[test]
fn an_older_database_gets_the_dates_in_the_exif_data_of_its_photos() {
    let migration = migration_with("ADD COLUMN exif_local");
    let mut db = connection();
    migrate(&mut db, &MIGRATIONS[..migration]).unwrap();
    // A sidecar repeats the date of the content, without the fraction; the clock of the correction was corrected.
    db.execute_batch(
        "INSERT INTO models VALUES (1, 'yunet'), (2, 'cnn');
         INSERT INTO photos (id, hash, bytes, indexed_at, format, width, height, taken_local, taken_source, camera,
                             detector, classifier, face_count, facts, facts_version)
         VALUES (7, zeroblob(32), 10, 0, 'JPEG', 4, 3, 1563091200000, 'sidecar', 'Canon', 1, 2, 0,
                '{\"version\":2,\"dates\":[{\"local\":\"2019-07-14T08:00:00.25\",\"by\":\"exif\"}],
                  \"cameras\":[{\"value\":\"Canon\",\"by\":\"exif\"}]}', 2);
         INSERT INTO files (path, size, mtime_ns, inode, device, photo_id)
         VALUES (CAST('/a.jpg' AS BLOB), 1, 1, 1, 1, 7);
         INSERT INTO sidecars (photo_path, name, size, mtime_ns, ctime_ns, inode, facts)
         VALUES (CAST('/a.jpg' AS BLOB), CAST('a.xmp' AS BLOB), 1, 1, 1, 1,
                 '{\"version\":2,\"dates\":[{\"local\":\"2019-07-14T08:00:00\",\"by\":\"xmp\"}]}');
         INSERT INTO corrections (id, hash, x, y, width, height, made_at, taken_local, camera)
         VALUES (3, zeroblob(32), 1, 1, 2, 2, 0, 7, 'Canon');
         DELETE FROM dirty_bursts; DELETE FROM dirty_photos; DELETE FROM dirty_paths;",
    )
    .unwrap();
    migrate(&mut db, MIGRATIONS).unwrap();
    let moments: (i64, i64, String, String, i64, String) = db
        .query_row(
            "SELECT p.taken_local, exif_local, exif_camera, taken_source, c.taken_local, c.camera
             FROM photos p JOIN corrections c",
            [],
            |row| {
                Ok((
                    row.get(0)?,
                    row.get(1)?,
                    row.get(2)?,
                    row.get(3)?,
                    row.get(4)?,
                    row.get(5)?,
                ))
            },
        )
        .unwrap();
    let (ms, camera) = (1_563_091_200_250, "Canon".to_owned());
    let expected = (ms, ms, camera.clone(), "sidecar".to_owned(), ms, camera);
    assert_eq!(moments, expected);
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
