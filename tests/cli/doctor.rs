//! `doctor` finds and corrects derived rows that differ from the rows from which they are derived.

use std::fs;

use rusqlite::Connection;
use serde_json::Value;

use crate::common::dump::{assert_same, dump};
use crate::common::{fixture, photo_taken};
use crate::testenv::TestEnv;

const ROME: (f64, f64) = (41.89, 12.48);

/// Ways to damage derived rows, each with the part and the kind of difference that `doctor` reports. PHOTO stands for
/// the number of a photo with a face, a position and a date.
const DAMAGE: &[(&str, &str, &str)] = &[
    (
        "words",
        "missing",
        "DELETE FROM photo_words WHERE rowid = PHOTO",
    ),
    (
        "words",
        "extra",
        "INSERT INTO photo_words (rowid, words) VALUES (99, 'nothing')",
    ),
    (
        "words",
        "wrong",
        "INSERT OR REPLACE INTO photo_words (rowid, words) VALUES (PHOTO, 'other words')",
    ),
    (
        "folders",
        "missing",
        "DELETE FROM folders WHERE path LIKE '%trip'",
    ),
    (
        "folders",
        "extra",
        "INSERT INTO folders VALUES (CAST('/nowhere' AS BLOB))",
    ),
    ("cells", "missing", "DELETE FROM photo_cells"),
    (
        "areas",
        "missing",
        "UPDATE photos SET area_set = NULL WHERE area_set IS NOT NULL",
    ),
    (
        "areas",
        "wrong",
        "UPDATE area_sets SET codes = 'XX' WHERE codes <> 'XX'",
    ),
    ("bursts", "extra", "UPDATE photos SET burst = PHOTO"),
    (
        "cells",
        "extra",
        "INSERT INTO photo_cells VALUES (5, PHOTO)",
    ),
    ("places", "missing", "DELETE FROM places"),
    ("places", "extra", "INSERT INTO places VALUES (5, 7)"),
    ("places", "wrong", "UPDATE places SET photos = photos + 7"),
    (
        "face_counts",
        "wrong",
        "UPDATE photos SET face_count = 9 WHERE id = PHOTO",
    ),
    ("face_ranks", "wrong", "UPDATE faces SET side_rank = 4"),
    ("face_ranks", "wrong", "UPDATE faces SET confidence = 0.25"),
    (
        "face_ranks",
        "wrong",
        "UPDATE faces SET side = NULL, confidence_rank = NULL",
    ),
    (
        "scores",
        "missing",
        "DELETE FROM photo_scores WHERE emotion = 3",
    ),
    (
        "scores",
        "extra",
        "INSERT INTO photo_scores SELECT 3, 2, 0.5, 0, photo_id FROM faces LIMIT 1",
    ),
    (
        "scores",
        "extra",
        "INSERT INTO photo_scores VALUES (3, 0, 0.5, 0, 99)",
    ),
    (
        "scores",
        "wrong",
        "UPDATE photo_scores SET score = 0.5 WHERE emotion = 3",
    ),
    ("scores", "wrong", "UPDATE photo_scores SET taken = 0"),
    (
        "facts",
        "wrong",
        "UPDATE photos SET taken_local = 0 WHERE taken_source = 'file'",
    ),
    (
        "facts",
        "wrong",
        "UPDATE photos SET taken_local = NULL, taken_offset = NULL, taken_source = NULL
         WHERE taken_source = 'file'",
    ),
    (
        "people",
        "wrong",
        "INSERT INTO people (photo_id, position, key, name) VALUES (PHOTO, 0, 'ada', 'Ada')",
    ),
    (
        "loss",
        "extra",
        "UPDATE photos SET lost_at = 5 WHERE id = PHOTO",
    ),
    ("notes", "extra", "INSERT INTO dirty_photos VALUES (PHOTO)"),
];

const PHOTO: &str = "(SELECT photo_id FROM files WHERE path LIKE '%laughing.jpg')";

fn album() -> TestEnv {
    let env = TestEnv::new();
    let dated = photo_taken("astronaut.jpg", "2017:05:14 09:00:00", ROME, "iPhone 12");
    env.add("trip/laughing.jpg", dated);
    env.add("trip/two.jpg", fixture("hopper.jpg"));
    env.add("home/copy of two.jpg", fixture("hopper.jpg"));
    env.add("home/broken.jpg", "no picture");
    env.index();
    env
}

fn differences(report: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let differences = report["differences"].as_array().unwrap().iter();
    differences
        .map(|one| (text(&one["part"]), text(&one["kind"])))
        .collect()
}

#[test]
fn every_kind_of_damage_is_reported_and_mended() {
    let env = album();
    let run = env.run("doctor");
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.text().contains("sound"), "{run:?}");
    let before = dump(&env.database());
    for (part, kind, sql) in DAMAGE {
        let sql = &sql.replace("PHOTO", PHOTO);
        let database = Connection::open(env.database()).unwrap();
        database.pragma_update(None, "foreign_keys", false).unwrap();
        database.execute(sql, []).unwrap();
        drop(database);

        let run = env.run("doctor --json");
        assert_eq!(run.code, 3, "{sql}: {run:?}");
        let report = run.json();
        let found = differences(&report);
        assert!(
            found.contains(&((*part).to_owned(), (*kind).to_owned())),
            "{sql}: {report}"
        );
        let run = env.run("doctor");
        assert_eq!(run.code, 3, "{sql}: {run:?}");
        assert!(run.text().contains("--repair"), "{run:?}");

        let run = env.run("doctor --repair --json");
        assert_eq!(run.code, 0, "{sql}: {run:?}");
        assert_eq!(differences(&run.json()), found, "{sql}");
        let run = env.run("doctor --json").found();
        assert_eq!(differences(&run.json()), [], "{sql}");
        assert_eq!(dump(&env.database()), before, "{sql}");
    }
    env.run("index album --database fresh.sqlite3 --json")
        .found();
    assert_same(&env.database(), &env.path("fresh.sqlite3"));
}

#[test]
fn a_photo_that_lost_its_file_is_marked_again() {
    let env = album();
    fs::remove_file(env.album("trip/laughing.jpg")).unwrap();
    env.index();
    env.run("doctor --json").found();
    let database = Connection::open(env.database()).unwrap();
    database
        .execute("UPDATE photos SET lost_at = NULL", [])
        .unwrap();
    drop(database);
    let run = env.run("doctor --json");
    let found = differences(&run.json());
    assert!(
        found.contains(&("loss".to_owned(), "missing".to_owned())),
        "{run:?}"
    );
    assert_eq!(env.run("doctor --repair").code, 0);
    env.run("doctor").found();
}

#[test]
fn damage_that_cannot_be_mended_is_reported() {
    let env = album();
    let database = Connection::open(env.database()).unwrap();
    database.pragma_update(None, "foreign_keys", false).unwrap();
    database
        .execute(
            "UPDATE files SET photo_id = 99 WHERE path LIKE '%laughing.jpg'",
            [],
        )
        .unwrap();
    drop(database);
    for command in ["doctor", "doctor --repair"] {
        let run = env.run(command);
        assert_eq!(run.code, 3, "{run:?}");
        assert!(run.text().contains("refer to missing rows"), "{run:?}");
    }
}
