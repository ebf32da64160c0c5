//! A photo is forgotten with its earlier versions, and no other photo with it.

use std::fs;

use exif::Tag;
use image::imageops;
use serde_json::{Value, json};

use crate::common::exif_block::ExifBlock;
use crate::common::{fixture, jpeg, jpeg_with_exif, photo};
use crate::kin::{DATE, correct, correction, edit, edits, face, taken};
use crate::kin_order::{described, edited, portrait};
use crate::testenv::TestEnv;

/// The number of rows that a statement counts.
fn count(env: &TestEnv, sql: &str) -> i64 {
    let database = env.open().unwrap();
    database.query_row(sql, [], |row| row.get(0)).unwrap()
}

fn corrections(env: &TestEnv) -> i64 {
    count(env, "SELECT count(*) FROM corrections")
}

/// Leaves a folder of the album out of the index, or no longer.
fn leave_out(env: &TestEnv, folder: &str, is_out: bool) {
    let marker = env.album(folder).join(".nomedia");
    if is_out {
        fs::write(marker, "").unwrap();
    } else {
        fs::remove_file(marker).unwrap();
    }
    env.index();
}

/// An edit without EXIF data.
fn bare() -> Vec<u8> {
    jpeg(edits(&photo("astronaut.jpg"))[0].1.clone())
}

/// What is left of the portrait if the face is cut away, without EXIF data.
fn faceless() -> Vec<u8> {
    let portrait = photo("astronaut.jpg");
    let (width, height) = portrait.dimensions();
    jpeg(imageops::crop_imm(&portrait, 0, height * 4 / 5, width / 5, height / 5).to_image())
}

#[test]
fn a_photo_that_was_edited_in_place_is_forgotten_with_its_first_version() {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    env.add("a.jpg", taken(&portrait(), DATE, "25", "X100"));
    env.index();
    correct(&env, "a.jpg", "sad");
    env.add("a.jpg", edited(3));
    env.index();
    let run = env.run("forget album/a.jpg --json").found();
    assert_eq!(run.json()["corrections"], 2, "{run:?}");
    let everything = env.run("export --everything").found();
    assert!(!everything.text().contains("X100"), "{everything:?}");
    let number = face(&env, "hopper.jpg")["id"].clone();
    env.run(&format!("correct {number} --emotion sad")).found();
    let exported = env.run("corrections export -").found();
    assert_eq!(exported.text().lines().count(), 1, "{exported:?}");
    // Nor does the first version come back.
    env.add("elsewhere.jpg", taken(&portrait(), DATE, "25", "X100"));
    env.index();
    assert_eq!(env.query(""), ["hopper.jpg"]);
}

#[test]
fn every_version_of_a_photo_that_was_edited_and_renamed_is_forgotten() {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    env.add("a.jpg", taken(&portrait(), DATE, "25", "X100"));
    env.index();
    correct(&env, "a.jpg", "sad");
    env.add("a.jpg", edited(3));
    env.index();
    correct(&env, "a.jpg", "fear");
    fs::rename(env.album("a.jpg"), env.album("b.jpg")).unwrap();
    env.index();
    env.add("b.jpg", edited(2));
    env.index();
    env.run("forget album/b.jpg").found();
    let everything = env.run("export --everything").found();
    assert!(!everything.text().contains("X100"), "{everything:?}");
}

#[test]
fn another_photo_that_had_the_name_of_a_forgotten_one_keeps_its_correction() {
    let env = TestEnv::with_fixtures(&["chelsea.jpg"]);
    env.add("1.jpg", taken(&portrait(), DATE, "25", "X100"));
    env.index();
    correct(&env, "1.jpg", "sad");
    // It is moved to a disk that is not indexed yet, and the camera counts from one again.
    fs::rename(env.album("1.jpg"), env.path("moved.jpg")).unwrap();
    env.index();
    env.add(
        "1.jpg",
        taken(&fixture("hopper.jpg"), "2021:01:01 10:00:00", "25", "X100"),
    );
    env.index();
    env.run("forget album/1.jpg").found();
    fs::rename(env.path("moved.jpg"), env.album("2.jpg")).unwrap();
    env.index();
    assert_eq!(correction(&env, "2.jpg"), "sad");
}

#[test]
fn another_photo_of_the_same_second_keeps_its_correction() {
    // With fractions of the second, and, as of cameras that write none, without.
    for (first, second) in [("12", "62"), ("", "")] {
        let env = TestEnv::with_fixtures(&["chelsea.jpg"]);
        env.add("1.jpg", taken(&portrait(), DATE, first, "X100"));
        let other = fixture("hopper.jpg");
        env.add("2.jpg", taken(&other, DATE, second, "X100"));
        env.index();
        correct(&env, "1.jpg", "sad");
        fs::rename(env.album("1.jpg"), env.path("moved.jpg")).unwrap();
        env.index();
        fs::rename(env.album("2.jpg"), env.album("1.jpg")).unwrap();
        env.index();
        env.run("forget album/1.jpg").found();
        fs::rename(env.path("moved.jpg"), env.album("back.jpg")).unwrap();
        env.index();
        assert_eq!(correction(&env, "back.jpg"), "sad", "{first:?}");
    }
}

#[test]
fn an_original_that_is_left_out_keeps_its_correction_when_its_exports_are_forgotten() {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    env.add("originals/a.jpg", taken(&portrait(), DATE, "25", "X100"));
    env.add("exports/a.jpg", edited(0));
    env.add("exports/grey.jpg", edited(2));
    env.index();
    correct(&env, "originals/a.jpg", "sad");
    assert_eq!(correction(&env, "exports/a.jpg"), "sad");
    leave_out(&env, "originals", true);
    // By one export that is deleted, by one that is forgotten, and by a folder.
    fs::remove_file(env.album("exports/grey.jpg")).unwrap();
    env.index();
    env.run("forget --lost").found();
    env.run("forget album/exports/a.jpg").found();
    env.run("forget album/exports").found();
    leave_out(&env, "originals", false);
    assert_eq!(correction(&env, "originals/a.jpg"), "sad");
    assert_eq!(corrections(&env), 1);
}

#[test]
fn a_copy_that_is_left_out_keeps_the_correction_of_its_picture() {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    env.add("a.jpg", described(&portrait(), "25", "first"));
    env.add("copies/b.jpg", described(&portrait(), "25", "second"));
    env.index();
    correct(&env, "a.jpg", "sad");
    fs::remove_file(env.album("a.jpg")).unwrap();
    env.index();
    leave_out(&env, "copies", true);
    env.run("forget --lost").found();
    leave_out(&env, "copies", false);
    assert_eq!(correction(&env, "copies/b.jpg"), "sad");
    // A face of which the correction was undone belongs to its picture as well.
    let number = face(&env, "copies/b.jpg")["id"].clone();
    env.run(&format!("undo {number}")).found();
    leave_out(&env, "copies", true);
    env.run("forget --lost").found();
    assert_eq!(count(&env, "SELECT count(*) FROM undone_corrections"), 1);
}

#[test]
fn a_backup_does_not_bring_back_the_correction_of_a_picture_of_a_forgotten_folder() {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    env.add("a.jpg", described(&portrait(), "25", "first"));
    env.add("secret/b.jpg", described(&portrait(), "25", "second"));
    env.add("secret/c.jpg", fixture("chelsea.jpg"));
    env.index();
    correct(&env, "a.jpg", "sad");
    for name in ["a.jpg", "secret/b.jpg"] {
        fs::remove_file(env.album(name)).unwrap();
        env.index();
    }
    env.run("backup old.sqlite3").found();
    env.run("forget album/secret").found();
    assert_eq!(corrections(&env), 0);
    env.run("restore old.sqlite3").found();
    assert_eq!(corrections(&env), 0);
}

#[test]
fn a_version_of_which_nothing_is_known_but_its_path_is_forgotten() {
    // The face is cut away, or what was said of it was undone: no correction carries over.
    for is_undone in [false, true] {
        let env = TestEnv::with_fixtures(&["hopper.jpg"]);
        env.add("a.jpg", portrait());
        env.index();
        correct(&env, "a.jpg", "sad");
        if is_undone {
            let number = face(&env, "a.jpg")["id"].clone();
            env.run(&format!("undo {number}")).found();
        }
        env.add("a.jpg", if is_undone { bare() } else { faceless() });
        env.index();
        let would = env.run("forget album/a.jpg --dry-run --json").found();
        assert_eq!(would.json()["corrections"], i32::from(!is_undone));
        env.run("forget album/a.jpg").found();
        for table in ["corrections", "undone_corrections", "lost_paths"] {
            let rows = count(&env, &format!("SELECT count(*) FROM {table}"));
            assert_eq!(rows, 0, "{table}, {is_undone}");
        }
        // It may have been another photo, so it is not kept out.
        env.add("elsewhere.jpg", portrait());
        env.index();
        assert_eq!(env.query("").len(), 2);
        assert_eq!(correction(&env, "elsewhere.jpg"), Value::Null);
    }
}

#[test]
fn what_is_kept_of_a_photo_at_a_forgotten_path_can_be_removed() {
    let env = TestEnv::with_fixtures(&["chelsea.jpg"]);
    env.add("1.jpg", taken(&portrait(), DATE, "25", "X100"));
    env.index();
    correct(&env, "1.jpg", "sad");
    let other = fixture("hopper.jpg");
    env.add("1.jpg", taken(&other, "2021:01:01 10:00:00", "25", "X100"));
    env.index();
    env.run("forget album/1.jpg").found();
    assert_eq!(corrections(&env), 1);
    env.run("forget --lost").found();
    assert_eq!(corrections(&env), 0);
    assert_eq!(count(&env, "SELECT count(*) FROM lost_paths"), 0);
}

#[test]
fn no_hash_of_a_forgotten_file_stays_where_a_copy_with_other_tags_does() {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    env.add("secret/a.jpg", described(&portrait(), "25", "first"));
    env.add("kept/b.jpg", described(&portrait(), "25", "second"));
    env.index();
    // It is renamed, corrected, and the correction undone: each is stored by the hash of the file.
    correct(&env, "secret/a.jpg", "sad");
    fs::rename(env.album("secret/a.jpg"), env.album("a.jpg")).unwrap();
    env.index();
    fs::rename(env.album("a.jpg"), env.album("secret/a.jpg")).unwrap();
    env.index();
    let number = face(&env, "secret/a.jpg")["id"].clone();
    env.run(&format!("undo {number}")).found();
    let hash = blake3::hash(&fs::read(env.album("secret/a.jpg")).unwrap());
    env.run("forget album/secret").found();
    let stored = [
        ("undone_corrections", "hash"),
        ("lost_paths", "hash"),
        ("lost_paths", "compared"),
        ("corrections", "hash"),
        ("photos", "hash"),
    ];
    for (table, column) in stored {
        let sql = format!("SELECT count(*) FROM {table} WHERE {column} = x'{hash}'");
        assert_eq!(count(&env, &sql), 0, "{table}.{column}");
    }
    assert_eq!(count(&env, "SELECT count(*) FROM undone_corrections"), 1);
    env.run("doctor").found();
}

#[test]
fn what_was_undone_on_an_edit_stays_undone_in_another_index() {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    env.add("a.jpg", taken(&portrait(), DATE, "25", "X100"));
    env.add("a_edited.jpg", edited(2));
    env.index();
    correct(&env, "a.jpg", "angry");
    let number = face(&env, "a_edited.jpg")["id"].clone();
    env.run(&format!("undo {number}")).found();
    // The edit is saved again, twice.
    for index in [0, 1] {
        env.add(
            "a_edited.jpg",
            edit(&edits(&photo("astronaut.jpg"))[index].1),
        );
        env.index();
        assert_eq!(correction(&env, "a_edited.jpg"), Value::Null);
    }
    env.run("corrections export said.jsonl").found();
    for commands in [
        ["index album", "corrections import said.jsonl"],
        ["corrections import said.jsonl", "index album"],
    ] {
        for command in commands {
            env.run(&format!("{command} --database new.sqlite3"));
        }
        let shown = env.run("show album/a_edited.jpg album/a.jpg --json --database new.sqlite3");
        let shown = shown.found().json();
        let corrections: Vec<&Value> = (0..2)
            .map(|index| &shown[index]["faces"][0]["correction"])
            .collect();
        assert_eq!(corrections, [&Value::Null, &json!("angry")], "{commands:?}");
        fs::remove_file(env.path("new.sqlite3")).unwrap();
    }
}

#[test]
fn a_photo_that_was_renamed_and_tagged_is_no_later_version_of_the_one_whose_name_it_took() {
    // With another moment unknown, or in the same second.
    for with_exif in [false, true] {
        let env = TestEnv::with_fixtures(&["chelsea.jpg"]);
        let tagged = |jpeg: &[u8], text| {
            let block = ExifBlock::new().with_text(Tag::ImageDescription, text);
            let block = if with_exif {
                block.with_date(DATE, "", "").with_text(Tag::Model, "X100")
            } else {
                block
            };
            jpeg_with_exif(jpeg, &block.bytes())
        };
        let other = fixture("hopper.jpg");
        env.add("1.jpg", tagged(&portrait(), "first"));
        env.add("2.jpg", tagged(&other, "second"));
        env.index();
        correct(&env, "1.jpg", "sad");
        env.add("2.jpg", tagged(&other, "written later"));
        env.index();
        fs::rename(env.album("1.jpg"), env.path("moved.jpg")).unwrap();
        env.index();
        fs::rename(env.album("2.jpg"), env.album("1.jpg")).unwrap();
        env.index();
        env.run("forget album/1.jpg").found();
        fs::rename(env.path("moved.jpg"), env.album("back.jpg")).unwrap();
        env.index();
        assert_eq!(correction(&env, "back.jpg"), "sad", "{with_exif}");
    }
}

#[test]
fn a_copy_that_is_left_out_stays_when_a_folder_is_forgotten() {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    for folder in ["secret", "kept"] {
        env.add(format!("{folder}/a.jpg"), portrait());
    }
    env.index();
    correct(&env, "secret/a.jpg", "sad");
    leave_out(&env, "kept", true);
    env.run("forget album/secret").found();
    leave_out(&env, "kept", false);
    assert_eq!(correction(&env, "kept/a.jpg"), "sad");
    // The photo is meant with all its copies.
    leave_out(&env, "kept", true);
    env.run("forget album/secret --undo").found();
    env.index();
    env.run("forget album/secret/a.jpg").found();
    leave_out(&env, "kept", false);
    assert_eq!(env.query(""), ["hopper.jpg"]);
}

#[test]
fn a_backup_keeps_the_corrections_of_photos_that_have_left_a_forgotten_folder() {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    env.add("secret/moved.jpg", taken(&portrait(), DATE, "25", "X100"));
    env.add("secret/gone.jpg", fixture("chelsea.jpg"));
    env.add("1.jpg", edited(2));
    env.index();
    correct(&env, "secret/moved.jpg", "sad");
    env.run("backup old.sqlite3").found();
    fs::rename(env.album("secret/moved.jpg"), env.album("moved.jpg")).unwrap();
    // Another photo takes the name of one that is renamed.
    fs::rename(env.album("1.jpg"), env.album("0.jpg")).unwrap();
    env.index();
    env.add("1.jpg", fixture("hopper.jpg"));
    env.index();
    env.run("forget album/secret").found();
    env.run("forget album/1.jpg").found();
    env.run("restore old.sqlite3").found();
    env.index();
    for name in ["moved.jpg", "0.jpg"] {
        assert_eq!(correction(&env, name), "sad", "{name}");
    }
    let shown = env.run("show album/secret/gone.jpg");
    assert_ne!(shown.code, 0, "{shown:?}");
}

#[test]
fn no_hash_of_a_photo_that_came_to_a_corrected_one_stays() {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    env.add("a.jpg", portrait());
    env.index();
    correct(&env, "a.jpg", "sad");
    fs::rename(env.album("a.jpg"), env.album("b.jpg")).unwrap();
    env.index();
    env.add("a.jpg", fixture("chelsea.jpg"));
    env.index();
    let stored =
        "SELECT count(*) FROM lost_paths WHERE compared IS NOT NULL AND replaced_by IS NOT NULL";
    assert_eq!(count(&env, stored), 1);
    fs::remove_file(env.album("a.jpg")).unwrap();
    env.index();
    env.run("forget --lost").found();
    assert_eq!(count(&env, &stored.replace("AND", "OR")), 0);
    // Nor that of an earlier version whose picture a copy with other tags has.
    env.add("secret/c.jpg", described(&portrait(), "25", "first"));
    env.add("copy.jpg", described(&portrait(), "25", "second"));
    env.index();
    correct(&env, "secret/c.jpg", "sad");
    let hash = blake3::hash(&fs::read(env.album("secret/c.jpg")).unwrap());
    env.add("secret/c.jpg", edited(0));
    env.index();
    env.run("forget album/secret").found();
    let of_hash = format!("SELECT count(*) FROM corrections WHERE hash = x'{hash}'");
    assert_eq!(count(&env, &of_hash), 0);
    assert_eq!(correction(&env, "copy.jpg"), "sad");
}
