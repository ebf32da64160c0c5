//! An edit replaces the corrected photo that was at its path, also if that photo had left the path before.
//!
//! EXIF does not say when the photo was taken, or only to the second, so that nothing else tells an edit from another photo of
//! a burst.

use std::fs;

use image::ImageFormat;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::common::{encoded, fixture, jpeg, photo};
use crate::kin::{DATE, edits, face, next_of_burst, taken};
use crate::testenv::TestEnv;

fn dated(jpeg: &[u8]) -> Vec<u8> {
    taken(jpeg, DATE, "", "X100")
}

/// Checks that these tables have no row.
#[track_caller]
fn assert_left_nothing(env: &TestEnv, tables: &[&str]) {
    for row in env.run("export --everything").found().json_lines() {
        let table = row["table"].as_str().unwrap();
        assert!(!tables.contains(&table), "{row}");
    }
}

/// Makes the database one of the version before photos without EXIF data kept their corrections, with another change.
pub fn earlier_version(env: &TestEnv, change: &str) {
    let database = Connection::open(env.database()).unwrap();
    let undo = "ALTER TABLE lost_paths DROP COLUMN replaced_by;
        DROP INDEX undone_declined; ALTER TABLE undone_corrections DROP COLUMN declined; PRAGMA user_version = 33;";
    database.execute_batch(undo).unwrap();
    database.execute_batch(change).unwrap();
}

/// An edit of the same size.
fn edit() -> Vec<u8> {
    dated(&jpeg(edits(&photo("astronaut.jpg"))[1].1.clone()))
}

/// An album with a photo `a.jpg` of a face that is corrected to sad.
fn corrected() -> TestEnv {
    corrected_photo(dated(&fixture("astronaut.jpg")))
}

/// The same, of a photo without EXIF data.
fn corrected_scan() -> TestEnv {
    corrected_photo(fixture("astronaut.jpg"))
}

fn corrected_photo(photo: Vec<u8>) -> TestEnv {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    env.add("a.jpg", photo);
    env.index();
    let number = face(&env, "a.jpg")["id"].clone();
    env.run(&format!("correct {number} --emotion sad")).found();
    env
}

#[test]
fn an_edit_at_the_path_of_a_photo_that_was_deleted_before_keeps_the_correction() {
    let env = corrected();
    fs::remove_file(env.album("a.jpg")).unwrap();
    env.index();
    env.add("a.jpg", edit());
    env.index();
    assert_eq!(face(&env, "a.jpg")["correction"], "sad");
    env.run("doctor").found();
}

#[test]
fn an_edit_at_the_path_of_a_photo_that_was_renamed_before_keeps_the_correction() {
    let env = corrected();
    for backup in ["a_old.jpg", "a.orig"] {
        fs::rename(env.album("a.jpg"), env.album(backup)).unwrap();
        env.index();
        env.add("a.jpg", edit());
        env.index();
        assert_eq!(face(&env, "a.jpg")["correction"], "sad", "{backup}");
    }
    assert_eq!(face(&env, "a_old.jpg")["correction"], "sad");
}

#[test]
fn an_edit_that_was_indexed_half_written_keeps_the_correction() {
    let env = corrected();
    let whole = edit();
    env.add("a.jpg", &whole[..200]);
    env.index();
    assert_eq!(env.query("--under album/a.jpg --all"), [""; 0]);
    env.add("a.jpg", whole);
    env.index();
    assert_eq!(face(&env, "a.jpg")["correction"], "sad");
}

#[test]
fn an_edit_that_was_indexed_under_another_name_keeps_the_correction() {
    let env = corrected();
    env.add("temporary.jpg", edit());
    env.index();
    assert_eq!(face(&env, "temporary.jpg")["correction"], Value::Null);
    let number = face(&env, "temporary.jpg")["id"].clone();
    fs::rename(env.album("temporary.jpg"), env.album("a.jpg")).unwrap();
    env.index();
    let edited = face(&env, "a.jpg");
    assert_eq!(edited["correction"], "sad");
    assert_eq!(edited["id"], number);
    // Once it is undone, it stays so.
    env.run(&format!("undo {number}")).found();
    env.run("reindex album").found();
    assert_eq!(face(&env, "a.jpg")["correction"], Value::Null);
    env.run("doctor").found();
}

#[test]
fn photos_of_a_burst_that_are_renumbered_take_over_nothing() {
    let env = TestEnv::new();
    env.add("a.jpg", dated(&fixture("astronaut.jpg")));
    env.add("b.jpg", dated(&jpeg(next_of_burst())));
    env.index();
    let number = face(&env, "a.jpg")["id"].clone();
    env.run(&format!("correct {number} --emotion sad")).found();
    // They exchange their names.
    for (from, to) in [("a.jpg", "c.jpg"), ("b.jpg", "a.jpg"), ("c.jpg", "b.jpg")] {
        fs::rename(env.album(from), env.album(to)).unwrap();
    }
    env.index();
    assert_eq!(face(&env, "a.jpg")["correction"], Value::Null);
    assert_eq!(face(&env, "b.jpg")["correction"], "sad");
    // The corrected one is deleted, and the other one takes its number.
    fs::rename(env.album("a.jpg"), env.album("b.jpg")).unwrap();
    env.index();
    assert_eq!(face(&env, "b.jpg")["correction"], Value::Null);
}

#[test]
fn what_is_forgotten_leaves_no_path_behind() {
    let env = corrected();
    fs::create_dir(env.album("private")).unwrap();
    fs::rename(env.album("a.jpg"), env.album("private/a.jpg")).unwrap();
    env.index();
    fs::rename(env.album("private/a.jpg"), env.album("a.jpg")).unwrap();
    env.index();
    let rows = |env: &TestEnv| {
        let run = env.run("export --everything").found();
        run.text().matches("lost_paths").count()
    };
    assert_eq!(rows(&env), 2);
    env.run("forget album/private").found();
    assert_eq!(rows(&env), 1);
    assert_eq!(face(&env, "a.jpg")["correction"], json!("sad"));
    env.run("forget album/a.jpg").found();
    assert_eq!(rows(&env), 0);
}

#[test]
fn an_edit_without_exif_data_keeps_the_correction_of_what_it_replaces() {
    let edits = edits(&photo("astronaut.jpg"));
    let undated = edits
        .iter()
        .map(|(name, picture)| (*name, jpeg(picture.clone())));
    let saved_again = ("saved again", jpeg(photo("astronaut.jpg")));
    let all: Vec<_> = undated.chain([saved_again]).collect();
    for env in [corrected_scan(), corrected()] {
        // Each one replaces the one before.
        for (name, edit) in &all {
            env.add("a.jpg", edit);
            let indexed = env.run("index album").found();
            assert!(
                !indexed.text().contains("did not carry over"),
                "{name}: {indexed:?}"
            );
            assert_eq!(face(&env, "a.jpg")["correction"], "sad", "{name}");
        }
        env.run("doctor").found();
        let number = face(&env, "a.jpg")["id"].clone();
        env.run(&format!("correct {number} --emotion fear")).found();
        env.add("a.jpg", fixture("astronaut.jpg"));
        env.index();
        assert_eq!(face(&env, "a.jpg")["correction"], "fear");
        // No version is left.
        env.run("forget album/a.jpg").found();
        assert_left_nothing(&env, &["corrections", "lost_paths"]);
    }
}

#[test]
fn a_program_that_writes_exif_data_keeps_the_correction() {
    let env = corrected_scan();
    env.add("a.jpg", edit());
    env.index();
    assert_eq!(face(&env, "a.jpg")["correction"], "sad");
}

#[test]
fn an_edit_of_a_scan_under_another_name_is_another_picture_until_it_takes_the_path() {
    let env = corrected_scan();
    env.add(
        "temporary.jpg",
        jpeg(edits(&photo("astronaut.jpg"))[1].1.clone()),
    );
    env.index();
    assert_eq!(face(&env, "temporary.jpg")["correction"], Value::Null);
    fs::rename(env.album("temporary.jpg"), env.album("a.jpg")).unwrap();
    env.index();
    assert_eq!(face(&env, "a.jpg")["correction"], "sad");
}

#[test]
fn frames_that_are_renumbered_take_over_nothing() {
    let env = corrected_scan();
    env.add("b.jpg", jpeg(next_of_burst()));
    env.index();
    for (from, to) in [("a.jpg", "c.jpg"), ("b.jpg", "a.jpg"), ("c.jpg", "b.jpg")] {
        fs::rename(env.album(from), env.album(to)).unwrap();
    }
    env.index();
    assert_eq!(face(&env, "a.jpg")["correction"], Value::Null);
    assert_eq!(face(&env, "b.jpg")["correction"], "sad");
}

#[test]
fn another_photo_at_the_path_of_a_scan_takes_over_nothing() {
    let env = corrected_scan();
    env.add("a.jpg", fixture("hopper.jpg"));
    let indexed = env.run("index album").found();
    assert!(
        indexed.text().contains("1 correction did not carry over"),
        "{indexed:?}"
    );
    assert_eq!(face(&env, "a.jpg")["correction"], Value::Null);
    // Its own correction is not that of the photo before, which is kept for that.
    env.add("a.jpg", fixture("astronaut.jpg"));
    env.index();
    assert_eq!(face(&env, "a.jpg")["correction"], "sad");
}

#[test]
fn corrections_of_an_older_version_get_their_pictures_with_the_next_run() {
    let env = corrected_scan();
    earlier_version(&env, "UPDATE corrections SET crop = NULL");
    env.index();
    env.add("a.jpg", jpeg(edits(&photo("astronaut.jpg"))[1].1.clone()));
    env.index();
    assert_eq!(face(&env, "a.jpg")["correction"], "sad");
}

#[test]
fn a_photo_that_is_converted_to_another_format_keeps_its_correction() {
    let converted = encoded(photo("astronaut.jpg"), ImageFormat::Png);
    for is_beside_first in [false, true] {
        let env = corrected_scan();
        if is_beside_first {
            env.add("a.png", &converted);
            env.index();
            assert_eq!(face(&env, "a.png")["correction"], Value::Null);
            // A copy of the original elsewhere makes no difference.
            fs::create_dir(env.album("originals")).unwrap();
            fs::rename(env.album("a.jpg"), env.album("originals/a.jpg")).unwrap();
        } else {
            fs::remove_file(env.album("a.jpg")).unwrap();
        }
        env.add("a.png", &converted);
        env.index();
        assert_eq!(
            face(&env, "a.png")["correction"],
            "sad",
            "{is_beside_first}"
        );
        // Another photo of this name is none that was converted.
        env.add("a.jpg", fixture("hopper.jpg"));
        env.index();
        assert_eq!(face(&env, "a.jpg")["correction"], Value::Null);
        if is_beside_first {
            env.run("forget album/originals").found();
        }
        env.run("forget album/a.png").found();
        assert_left_nothing(&env, &["corrections"]);
        env.run("doctor").found();
    }
}

#[test]
fn a_photo_of_a_camera_without_fractions_keeps_its_correction_under_another_extension() {
    let env = corrected();
    env.add("a.jpeg", dated(&jpeg(photo("astronaut.jpg"))));
    fs::remove_file(env.album("a.jpg")).unwrap();
    env.index();
    assert_eq!(face(&env, "a.jpeg")["correction"], "sad");
}

#[test]
fn a_name_that_another_photo_takes_leaves_the_correction_to_the_converted_one() {
    let env = corrected_scan();
    env.add("a.png", encoded(photo("astronaut.jpg"), ImageFormat::Png));
    env.index();
    env.add("a.jpg", fixture("hopper.jpg"));
    env.index();
    assert_eq!(face(&env, "a.jpg")["correction"], Value::Null);
    assert_eq!(face(&env, "a.png")["correction"], "sad");
}

#[test]
fn every_version_is_forgotten_with_a_photo_that_was_renamed_after_its_edits() {
    let env = corrected_scan();
    let edits = edits(&photo("astronaut.jpg"));
    for (_, edit) in &edits[1..3] {
        env.add("a.jpg", jpeg(edit.clone()));
        env.index();
    }
    fs::remove_file(env.album("a.jpg")).unwrap();
    env.add("a.png", encoded(edits[2].1.clone(), ImageFormat::Png));
    env.index();
    fs::rename(env.album("a.png"), env.album("other.png")).unwrap();
    env.index();
    assert_eq!(face(&env, "other.png")["correction"], "sad");
    env.run("forget album/other.png").found();
    assert_left_nothing(&env, &["corrections", "lost_paths"]);
}

#[test]
fn what_was_undone_on_an_edit_stays_undone_when_the_edit_is_saved_again() {
    let edits = edits(&photo("astronaut.jpg"));
    let env = corrected_scan();
    fs::create_dir(env.album("kept")).unwrap();
    env.add("kept/a.jpg", fixture("astronaut.jpg"));
    env.add("a.jpg", jpeg(edits[1].1.clone()));
    env.index();
    assert_eq!(face(&env, "a.jpg")["correction"], "sad");
    let number = face(&env, "a.jpg")["id"].clone();
    env.run(&format!("undo {number}")).found();
    for (_, edit) in [&edits[2], &edits[5]] {
        env.add("a.jpg", jpeg(edit.clone()));
        env.index();
        assert_eq!(face(&env, "a.jpg")["correction"], Value::Null);
    }
    assert_eq!(face(&env, "kept/a.jpg")["correction"], "sad");
    // A later correction of the original says nothing else of the edit.
    let number = face(&env, "kept/a.jpg")["id"].clone();
    env.run(&format!("correct {number} --emotion fear")).found();
    env.add("a.jpg", jpeg(edits[1].1.clone()));
    env.index();
    assert_eq!(face(&env, "a.jpg")["correction"], Value::Null);
    env.run("doctor").found();
}

#[test]
fn what_was_said_of_an_edit_is_the_last_word_on_the_photo_that_it_replaced() {
    let env = corrected_scan();
    let edits = edits(&photo("astronaut.jpg"));
    let (original, edited) = (fixture("astronaut.jpg"), jpeg(edits[1].1.clone()));
    env.run("corrections export before.jsonl").found();
    env.add("a.jpg", &edited);
    env.index();
    let number = face(&env, "a.jpg")["id"].clone();
    env.run(&format!("correct {number} --emotion fear")).found();
    // Neither an older file nor the original from a backup says otherwise.
    env.run("corrections import before.jsonl").found();
    for again in [&original, &edited, &original] {
        env.add("a.jpg", again);
        env.index();
        assert_eq!(face(&env, "a.jpg")["correction"], "fear");
    }
    let number = face(&env, "a.jpg")["id"].clone();
    env.run(&format!("undo {number}")).found();
    for again in [&edited, &original, &jpeg(edits[2].1.clone())] {
        env.add("a.jpg", again);
        env.index();
        assert_eq!(face(&env, "a.jpg")["correction"], Value::Null);
    }
    env.run("doctor").found();
}
