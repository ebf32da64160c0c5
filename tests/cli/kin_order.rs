//! Which correction carries over depends neither on the order in which files come nor on when a program writes into them.

use std::fs;

use exif::Tag;
use image::{RgbImage, imageops};
use serde_json::Value;

use crate::common::exif_block::ExifBlock;
use crate::common::{fixture, jpeg, jpeg_with_exif, photo};
use crate::kin::{DATE, album_with_edit, correct, correction, edits, face, next_of_burst, taken};
use crate::testenv::TestEnv;

/// A JPEG of a camera that writes this fraction of the second, with an orientation flag.
fn flagged(jpeg: &[u8], fraction: &str, orientation: u16) -> Vec<u8> {
    let block = ExifBlock::new()
        .with_date(DATE, fraction, "")
        .with_text(Tag::Model, "X100")
        .with_orientation(orientation);
    jpeg_with_exif(jpeg, &block.bytes())
}

/// The same with a description, by which it is another content with the same picture.
pub fn described(jpeg: &[u8], fraction: &str, text: &str) -> Vec<u8> {
    let block = ExifBlock::new()
        .with_date(DATE, fraction, "")
        .with_text(Tag::Model, "X100")
        .with_text(Tag::ImageDescription, text);
    jpeg_with_exif(jpeg, &block.bytes())
}

pub fn portrait() -> Vec<u8> {
    fixture("astronaut.jpg")
}

/// An edit, with its time and camera.
pub fn edited(index: usize) -> Vec<u8> {
    let edit = edits(&photo("astronaut.jpg"))[index].1.clone();
    taken(&jpeg(edit), DATE, "25", "X100")
}

fn grey() -> Vec<u8> {
    jpeg(edits(&photo("astronaut.jpg"))[2].1.clone())
}

#[test]
fn an_import_leaves_a_persons_later_word_on_an_edit_alone() {
    let env = album_with_edit();
    correct(&env, "a.jpg", "sad");
    env.run("corrections export mine.jsonl").found();
    correct(&env, "grey.jpg", "angry");
    env.run("corrections import mine.jsonl").found();
    assert_eq!(face(&env, "grey.jpg")["carried_from"], Value::Null);
    correct(&env, "a.jpg", "fear");
    assert_eq!(correction(&env, "grey.jpg"), "angry");
    let number = face(&env, "a.jpg")["id"].clone();
    env.run(&format!("undo {number}")).found();
    assert_eq!(correction(&env, "grey.jpg"), "angry");
}

#[test]
fn the_later_correction_counts_also_if_the_photo_was_turned_in_between() {
    let env = TestEnv::new();
    env.add("a.jpg", flagged(&portrait(), "25", 1));
    env.index();
    correct(&env, "a.jpg", "sad");
    env.run("corrections export old.jsonl").found();
    env.add("a.jpg", flagged(&portrait(), "25", 6));
    env.index();
    assert_eq!(correction(&env, "a.jpg"), "sad");
    correct(&env, "a.jpg", "happy");
    let run = env.run("corrections import old.jsonl").found();
    assert!(run.text().contains("1 older"), "{run:?}");
    assert_eq!(correction(&env, "a.jpg"), "happy");
}

#[test]
fn a_burst_is_known_whatever_is_indexed_first() {
    let env = TestEnv::new();
    let next = next_of_burst();
    let (width, height) = next.dimensions();
    let small = imageops::resize(
        &next,
        width * 3 / 5,
        height * 3 / 5,
        imageops::FilterType::Lanczos3,
    );
    env.add("orig/1.jpg", taken(&portrait(), DATE, "", "X100"));
    env.add("orig/2.jpg", taken(&jpeg(next), DATE, "", "X100"));
    // Before the others by its path, and quickly analysed.
    env.add("exports/2.jpg", taken(&jpeg(small), DATE, "", "X100"));
    env.index();
    correct(&env, "orig/1.jpg", "sad");
    env.run("corrections export mine.jsonl").found();
    let fresh = "--database fresh.sqlite3";
    env.run(&format!("corrections import mine.jsonl {fresh}"))
        .found();
    for command in ["index album --json", "reindex album --json"] {
        env.run(&format!("{command} {fresh}")).found();
        for (name, expected) in [
            ("orig/1.jpg", "sad".into()),
            ("orig/2.jpg", Value::Null),
            ("exports/2.jpg", Value::Null),
        ] {
            let shown = env
                .run(&format!("show album/{name} --json {fresh}"))
                .found()
                .json();
            assert_eq!(
                shown["faces"][0]["correction"], expected,
                "{command}: {name}"
            );
        }
    }
}

#[test]
fn an_export_that_is_indexed_with_its_only_original_takes_the_correction_over() {
    let env = TestEnv::new();
    env.add("1.jpg", taken(&portrait(), DATE, "", "X100"));
    env.index();
    correct(&env, "1.jpg", "sad");
    env.add(
        "export.jpg",
        taken(
            &jpeg(edits(&photo("astronaut.jpg"))[0].1.clone()),
            DATE,
            "",
            "X100",
        ),
    );
    let summary = env.index();
    assert_eq!(summary["photos"], 1, "{summary}");
    assert_eq!(correction(&env, "export.jpg"), "sad");
    env.run("doctor").found();
}

#[test]
fn photos_of_a_burst_that_exchanged_their_names_keep_their_corrections_when_all_is_indexed_again() {
    let env = TestEnv::new();
    env.add("1.jpg", taken(&portrait(), DATE, "", "X100"));
    env.add("2.jpg", taken(&jpeg(next_of_burst()), DATE, "", "X100"));
    env.index();
    correct(&env, "1.jpg", "sad");
    for (from, to) in [("1.jpg", "3.jpg"), ("2.jpg", "1.jpg"), ("3.jpg", "2.jpg")] {
        fs::rename(env.album(from), env.album(to)).unwrap();
    }
    env.run("reindex album").found();
    assert_eq!(correction(&env, "1.jpg"), Value::Null);
    assert_eq!(correction(&env, "2.jpg"), "sad");
}

#[test]
fn what_was_undone_stays_so_in_every_file_with_the_picture() {
    for way in ["turned", "copied"] {
        let env = album_with_edit();
        correct(&env, "a.jpg", "sad");
        let number = face(&env, "grey.jpg")["id"].clone();
        env.run(&format!("undo {number}")).found();
        if way == "turned" {
            env.add("grey.jpg", flagged(&grey(), "25", 6));
        } else {
            env.add("copy.jpg", described(&grey(), "25", "a copy"));
        }
        env.index();
        env.run("reindex album").found();
        correct(&env, "a.jpg", "fear");
        assert_eq!(correction(&env, "grey.jpg"), Value::Null, "{way}");
        // A file of corrections has it as well.
        env.run("corrections export mine.jsonl").found();
        let fresh = "--database fresh.sqlite3";
        env.run(&format!("corrections import mine.jsonl {fresh}"))
            .found();
        env.run(&format!("index album --json {fresh}")).found();
        let shown = env
            .run(&format!("show album/grey.jpg --json {fresh}"))
            .found()
            .json();
        assert_eq!(shown["faces"][0]["correction"], Value::Null, "{way}");
    }
}

#[test]
fn the_last_word_on_an_edit_in_place_is_carried_to_the_next_one() {
    let env = TestEnv::new();
    env.add("a.jpg", taken(&portrait(), DATE, "25", "X100"));
    env.index();
    correct(&env, "a.jpg", "sad");
    env.add("a.jpg", edited(2));
    env.index();
    assert_eq!(correction(&env, "a.jpg"), "sad");
    correct(&env, "a.jpg", "fear");
    // From the original again, which the next edit resembles most.
    env.add("a.jpg", edited(1));
    env.index();
    assert_eq!(correction(&env, "a.jpg"), "fear");

    // The same where the original has a file, with a word of its own.
    env.add("original.jpg", taken(&portrait(), DATE, "25", "X100"));
    env.index();
    correct(&env, "original.jpg", "happy");
    correct(&env, "a.jpg", "angry");
    env.add("a.jpg", edited(3));
    env.index();
    assert_eq!(correction(&env, "a.jpg"), "angry");
    assert_eq!(correction(&env, "original.jpg"), "happy");
}

#[test]
fn a_correction_made_before_tags_were_indexed_carries_over() {
    let env = TestEnv::new();
    env.add("a.jpg", taken(&portrait(), DATE, "25", "X100"));
    env.index();
    env.add("a.jpg", described(&portrait(), "25", "tagged"));
    correct(&env, "a.jpg", "sad");
    env.index();
    env.add("grey.jpg", taken(&grey(), DATE, "25", "X100"));
    env.index();
    assert_eq!(correction(&env, "grey.jpg"), "sad");
}

#[test]
fn a_correction_carries_over_once_the_time_and_camera_are_written_into_the_files() {
    let env = TestEnv::new();
    // A scan that was corrected before it was dated.
    env.add("scan.jpg", portrait());
    env.add("export.jpg", grey());
    env.index();
    correct(&env, "scan.jpg", "sad");
    env.add("scan.jpg", taken(&portrait(), DATE, "25", "X100"));
    env.index();
    assert_eq!(correction(&env, "scan.jpg"), "sad");
    assert_eq!(correction(&env, "export.jpg"), Value::Null);
    // An export without metadata that are copied into it later.
    env.add("export.jpg", taken(&grey(), DATE, "25", "X100"));
    env.index();
    assert_eq!(correction(&env, "export.jpg"), "sad");
    env.run("doctor").found();
}

#[test]
fn a_correction_carries_over_to_every_file_with_the_picture_of_an_edit() {
    let env = TestEnv::new();
    env.add("a.jpg", taken(&portrait(), DATE, "25", "X100"));
    env.add("grey.jpg", taken(&grey(), DATE, "25", "X100"));
    // The same picture without metadata.
    env.add("share.jpg", grey());
    env.index();
    correct(&env, "a.jpg", "sad");
    for name in ["grey.jpg", "share.jpg"] {
        assert_eq!(correction(&env, name), "sad", "{name}");
    }
    assert_eq!(env.query("--emotion sad --min-score 1").len(), 3);
    env.run("doctor").found();
}

#[test]
fn a_number_from_before_an_edit_in_place_is_refused() {
    let env = TestEnv::new();
    env.add("a.jpg", taken(&portrait(), DATE, "25", "X100"));
    env.index();
    let number = face(&env, "a.jpg")["id"].clone();
    env.add("a.jpg", edited(3));
    env.index();
    let sentence = env
        .run(&format!("correct {number} --emotion sad"))
        .refused();
    assert!(sentence.contains("deleted or changed"), "{sentence}");
    let folder = env.run("show album").refused();
    assert!(folder.contains("query --under"), "{folder}");
}

#[test]
fn a_collage_has_the_correction_of_a_face_once() {
    let env = album_with_edit();
    correct(&env, "a.jpg", "sad");
    let (one, two) = (photo("astronaut.jpg"), next_of_burst());
    let (width, height) = one.dimensions();
    let mut both = RgbImage::new(2 * width, height);
    imageops::replace(&mut both, &one, 0, 0);
    imageops::replace(&mut both, &two, i64::from(width), 0);
    env.add("collage.jpg", taken(&jpeg(both), DATE, "25", "X100"));
    env.index();
    let shown = env.show("collage.jpg");
    let faces = shown["faces"].as_array().unwrap();
    let corrected = faces.iter().filter(|face| face["correction"] == "sad");
    assert!(faces.len() >= 2 && corrected.count() == 1, "{shown}");
}

#[test]
fn a_correction_of_a_copy_with_another_date_carries_over_to_edits_of_the_other() {
    let env = TestEnv::new();
    env.add("a.jpg", taken(&portrait(), DATE, "25", "X100"));
    env.add(
        "copy.jpg",
        taken(&portrait(), "2020:01:01 00:00:00", "25", "X100"),
    );
    env.add("grey.jpg", taken(&grey(), DATE, "25", "X100"));
    env.index();
    correct(&env, "copy.jpg", "sad");
    assert_eq!(correction(&env, "a.jpg"), "sad");
    assert_eq!(correction(&env, "grey.jpg"), "sad");
}

#[test]
fn a_correction_carries_over_to_edits_that_come_back() {
    for away in ["grey.jpg", "a.jpg"] {
        let env = TestEnv::with_fixtures(&["hopper.jpg"]);
        env.add("a.jpg", taken(&portrait(), DATE, "25", "X100"));
        env.add("grey.jpg", taken(&grey(), DATE, "25", "X100"));
        env.index();
        let number = face(&env, "a.jpg")["id"].clone();
        fs::rename(env.album(away), env.path("away.jpg")).unwrap();
        if away == "grey.jpg" {
            env.index();
        }
        env.run(&format!("correct {number} --emotion sad")).found();
        fs::rename(env.path("away.jpg"), env.album(away)).unwrap();
        env.index();
        assert_eq!(correction(&env, "grey.jpg"), "sad", "{away}");
        env.run("doctor").found();
    }
}

#[test]
fn a_correction_that_was_made_while_the_disk_was_away_reaches_edits_of_the_same_run() {
    let one = TestEnv::new();
    one.add("a.jpg", taken(&portrait(), DATE, "25", "X100"));
    one.index();
    let number = face(&one, "a.jpg")["id"].clone();
    fs::rename(one.path("album"), one.path("away")).unwrap();
    one.run(&format!("correct {number} --emotion sad"));
    one.run("corrections export mine.jsonl").found();
    let exported = fs::read_to_string(one.path("mine.jsonl")).unwrap();
    assert!(!exported.contains("face_picture"), "{exported}");
    // Before and after the original by their names.
    let edits = ["a-edited.jpg", "a.jpg", "a_small.jpg"];
    let two = TestEnv::new();
    two.add("../mine.jsonl", &exported);
    two.run("corrections import mine.jsonl").found();
    for (name, bytes) in
        edits
            .iter()
            .zip([edited(2), taken(&portrait(), DATE, "25", "X100"), edited(0)])
    {
        two.add(name, bytes);
    }
    two.index();
    for name in edits {
        assert_eq!(correction(&two, name), "sad", "{name}");
    }
    assert_eq!(two.index()["unchanged"], 3);
    two.run("doctor").found();
}

#[test]
fn a_photo_that_is_due_is_analysed_from_the_file_that_is_there() {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    env.add("a.jpg", taken(&portrait(), DATE, "25", "X100"));
    env.add("first/grey.jpg", taken(&grey(), DATE, "25", "X100"));
    env.add("second/grey.jpg", taken(&grey(), DATE, "25", "X100"));
    env.run("index album album/first album/second").found();
    let away = |name: &str| (env.album(name), env.path(name));
    for (here, there) in [away("first"), away("second")] {
        fs::rename(here, there).unwrap();
    }
    let number = face(&env, "a.jpg")["id"].clone();
    env.run(&format!("correct {number} --emotion sad")).found();
    let (here, there) = away("second");
    fs::rename(there, here).unwrap();
    env.run("index album/second").found();
    assert_eq!(correction(&env, "second/grey.jpg"), "sad");
}
