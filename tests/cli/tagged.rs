//! Writing metadata into a photo causes no inference, and keeps the numbers and corrections of faces.

use std::fs;

use exif::Tag;
use serde_json::{Value, json};

use crate::common::exif_block::ExifBlock;
use crate::common::{self, fixture, jpeg_with_exif};
use crate::testenv::{TestEnv, face_box};

/// The counts of a run that show whether anything was analysed.
fn counts(summary: &Value) -> (Value, Value, Value) {
    let count = |name: &str| summary[name].clone();
    (count("photos"), count("known"), count("metadata"))
}

fn only_metadata(files: u64) -> (Value, Value, Value) {
    (json!(0), json!(files), json!(files))
}

/// The photo after a program has added a date, a description, keywords and an orientation.
fn tagged(name: &str, orientation: u16) -> Vec<u8> {
    let block = ExifBlock::new()
        .with_orientation(orientation)
        .with_date("2011:07:21 18:05:09", "", "")
        .with_text(Tag::ImageDescription, "Graduation");
    let packet = "http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><dc:subject><rdf:Bag>\
                  <rdf:li>Spacesuit</rdf:li></rdf:Bag></dc:subject></x:xmpmeta>";
    let jpeg = jpeg_with_exif(&fixture(name), &block.bytes());
    let length = (packet.len() as u16 + 2).to_be_bytes();
    [
        &jpeg[..2],
        b"\xff\xe1",
        &length,
        packet.as_bytes(),
        &jpeg[2..],
    ]
    .concat()
}

/// The only face of a photo.
fn face(env: &TestEnv, name: &str) -> Value {
    let shown = env.show(name);
    assert_eq!(shown["faces"].as_array().unwrap().len(), 1, "{shown}");
    shown["faces"][0].clone()
}

fn correct(env: &TestEnv, face: &Value) {
    let id = &face["id"];
    env.run(&format!("correct {id} --emotion disgust")).found();
}

#[test]
fn a_photo_that_is_tagged_keeps_its_number_its_faces_and_its_corrections() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg", "hopper.jpg"]);
    env.index();
    let before = env.show("astronaut.jpg");
    correct(&env, &face(&env, "astronaut.jpg"));
    let corrected = face(&env, "astronaut.jpg");

    env.add("astronaut.jpg", tagged("astronaut.jpg", 1));
    assert_eq!(counts(&env.index()), only_metadata(1));
    let after = env.show("astronaut.jpg");
    assert_ne!(after["content"], before["content"]);
    assert_eq!(
        face(&env, "astronaut.jpg"),
        corrected,
        "number, box, scores, correction"
    );
    assert_eq!(env.query("--emotion disgust"), ["astronaut.jpg"]);
    for words in ["Spacesuit", "graduation"] {
        assert_eq!(env.query(&format!("--text {words}")), ["astronaut.jpg"]);
    }
    assert_eq!(
        env.query("--since 2011-07 --until 2011-07"),
        ["astronaut.jpg"]
    );
    // The index is current, and another run reads nothing.
    assert_eq!(env.index()["unchanged"], 2);

    // The tags are removed again.
    env.add("astronaut.jpg", fixture("astronaut.jpg"));
    assert_eq!(counts(&env.index()), only_metadata(1));
    assert_eq!(face(&env, "astronaut.jpg"), corrected);
    assert_eq!(env.query("--text Spacesuit"), [""; 0]);
    let lines = env.run("index album").found();
    assert!(!lines.text().contains("metadata"), "{lines:?}");
}

#[test]
fn an_orientation_that_changes_turns_the_faces() {
    let env = TestEnv::new();
    env.add("a.jpg", tagged("hopper.jpg", 1)); // 512 × 600 pixels
    env.index();
    correct(&env, &face(&env, "a.jpg"));
    let upright = face(&env, "a.jpg");
    let [x, y, width, height] = face_box(&upright);
    for (orientation, size, expected) in [
        (6, (600, 512), [600.0 - y - height, x, height, width]),
        (
            3,
            (512, 600),
            [512.0 - x - width, 600.0 - y - height, width, height],
        ),
        (2, (512, 600), [512.0 - x - width, y, width, height]),
        (8, (600, 512), [y, 512.0 - x - width, height, width]),
        (1, (512, 600), [x, y, width, height]),
    ] {
        env.add("a.jpg", tagged("hopper.jpg", orientation));
        assert_eq!(counts(&env.index()), only_metadata(1));
        let shown = env.show("a.jpg");
        assert_eq!(
            (&shown["width"], &shown["height"]),
            (&json!(size.0), &json!(size.1))
        );
        let turned = face(&env, "a.jpg");
        let difference = face_box(&turned)
            .iter()
            .zip(expected)
            .fold(0.0, |sum, (a, b)| sum + (a - b).abs());
        assert!(
            difference < 0.1,
            "{orientation}: {turned} is not at {expected:?}"
        );
        for field in ["id", "correction", "scores"] {
            assert_eq!(turned[field], upright[field], "{orientation}: {field}");
        }
    }
}

#[test]
fn copies_with_different_tags_are_analysed_once_and_share_corrections() {
    let env = TestEnv::new();
    env.add("plain.jpg", fixture("astronaut.jpg"));
    env.add("tagged.jpg", tagged("astronaut.jpg", 1));
    let again = [tagged("astronaut.jpg", 1), b"trailer".to_vec()].concat();
    env.add("sub/edited.jpg", again);
    assert_eq!(counts(&env.index()), (json!(1), json!(2), json!(2)));
    let names = ["plain.jpg", "tagged.jpg", "sub/edited.jpg"];
    let mut numbers: Vec<_> = names.map(|name| face(&env, name)["id"].as_i64()).into();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 3, "each has its own");

    correct(&env, &face(&env, "tagged.jpg"));
    for name in names {
        assert_eq!(face(&env, name)["correction"], "disgust", "{name}");
    }
    // The same for a later file, and one in another orientation.
    env.add("later.jpg", tagged("astronaut.jpg", 3));
    env.index();
    assert_eq!(face(&env, "later.jpg")["correction"], "disgust");
    let id = face(&env, "plain.jpg")["id"].clone();
    env.run(&format!("undo {id}")).found();
    for name in [names[0], names[1], names[2], "later.jpg"] {
        assert_eq!(face(&env, name)["correction"], Value::Null, "{name}");
    }
}

#[test]
fn copies_that_are_tagged_alike_stay_one_photo() {
    let env = TestEnv::new();
    for name in ["a.jpg", "b.jpg"] {
        env.add(name, fixture("astronaut.jpg"));
    }
    env.index();
    let before = env.show("a.jpg");
    correct(&env, &face(&env, "a.jpg"));
    for name in ["a.jpg", "b.jpg"] {
        env.add(name, tagged("astronaut.jpg", 1));
    }
    assert_eq!(counts(&env.index()).0, 0);
    let after = env.show("b.jpg");
    assert_eq!(after["paths"].as_array().unwrap().len(), 2);
    let faces = (face(&env, "a.jpg"), face(&env, "b.jpg"));
    assert_eq!(faces.0["id"], before["faces"][0]["id"]);
    assert_eq!(faces.0["correction"], "disgust");
    assert_eq!(env.query("--text Spacesuit").len(), 1);
}

#[test]
fn a_photo_that_is_moved_and_tagged_between_two_runs_keeps_its_number() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg"]);
    env.index();
    correct(&env, &face(&env, "astronaut.jpg"));
    let before = face(&env, "astronaut.jpg");
    fs::remove_file(env.album("astronaut.jpg")).unwrap();
    env.add("space/turned.jpg", tagged("astronaut.jpg", 3));
    assert_eq!(counts(&env.index()), only_metadata(1));
    let after = face(&env, "space/turned.jpg");
    assert_eq!(after["id"], before["id"]);
    assert_eq!(after["correction"], "disgust");
}

#[test]
fn an_index_from_before_the_hash_of_pictures_is_filled_without_inference() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg", "hopper.jpg"]);
    env.index();
    correct(&env, &face(&env, "astronaut.jpg"));
    let before = face(&env, "astronaut.jpg");
    let forget = || {
        let db = rusqlite::Connection::open(env.database()).unwrap();
        db.execute_batch(
            "UPDATE photos SET picture = NULL, orientation = NULL;
             UPDATE corrections SET picture = NULL, orientation = NULL;",
        )
        .unwrap();
    };
    forget();
    assert_eq!(counts(&env.index()), only_metadata(2));
    assert_eq!(face(&env, "astronaut.jpg"), before);
    assert_eq!(env.index()["unchanged"], 2);
    // The correction applies to the tagged file as well.
    env.add("astronaut.jpg", tagged("astronaut.jpg", 1));
    assert_eq!(counts(&env.index()), only_metadata(1));
    assert_eq!(face(&env, "astronaut.jpg"), before);
}

#[test]
fn a_damaged_copy_with_other_tags_is_not_taken_for_the_whole_photo() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg"]);
    env.index();
    env.add(
        "cut.jpg",
        common::truncated(&tagged("astronaut.jpg", 1), 60),
    );
    let summary = env.index();
    assert_eq!(summary["photos"], 1, "{summary}");
    let shown = env.show("cut.jpg");
    assert!(shown["incomplete"].is_string(), "{shown}");
    assert!(env.show("astronaut.jpg")["incomplete"].is_null());
}

#[test]
fn the_result_does_not_depend_on_the_order_of_the_files() {
    let versions = [
        fixture("astronaut.jpg"),
        tagged("astronaut.jpg", 1),
        tagged("astronaut.jpg", 3),
        [tagged("astronaut.jpg", 3), b"trailer".to_vec()].concat(),
    ];
    let mut results = Vec::new();
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
        let env = TestEnv::new();
        for (name, version) in ["a.jpg", "b.jpg", "c.jpg", "d.jpg"].iter().zip(order) {
            env.add(name, &versions[version]);
        }
        // One analysis in each of the two orientations.
        assert_eq!(counts(&env.index()), (json!(2), json!(2), json!(2)));
        let mut shown: Vec<_> = ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]
            .iter()
            .map(|name| {
                let mut shown = env.show(name);
                let fields = shown.as_object_mut().unwrap();
                for depends in ["paths", "indexed_at", "taken_at"] {
                    fields.remove(depends);
                }
                shown["faces"][0].as_object_mut().unwrap().remove("id");
                shown.to_string()
            })
            .collect();
        shown.sort();
        results.push(shown);
    }
    assert_eq!(results[0], results[1]);
    assert_eq!(results[0], results[2]);
}
