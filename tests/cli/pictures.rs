//! The same people in every format that cameras and programs write.

use image::{DynamicImage, ImageFormat};
use serde_json::Value;

use crate::common::exif_block::ExifBlock;
use crate::common::{
    encoded, fading, fixture, group, jpeg, jpeg_with_exif, photo, stored, twelve_megapixels,
};
use crate::testenv::{TestEnv, face_box, top_emotion};

/// The only face of a photo.
#[track_caller]
fn only_face(shown: &Value) -> &Value {
    let [face] = shown["faces"].as_array().unwrap().as_slice() else {
        panic!("one face: {shown}");
    };
    face
}

#[test]
fn exif_orientation_does_not_change_the_result() {
    let env = TestEnv::new();
    let upright = photo("hopper.jpg");
    for orientation in 1..=8 {
        let block = ExifBlock::new().with_orientation(orientation).bytes();
        let picture = jpeg(stored(&upright, orientation));
        env.add(
            format!("{orientation}.jpg"),
            jpeg_with_exif(&picture, &block),
        );
    }
    assert_eq!(env.index()["faces"], 8);
    let shown: Vec<_> = (1..=8).map(|o| env.show(&format!("{o}.jpg"))).collect();
    let first = only_face(&shown[0]);
    let expected = face_box(first);
    for shown in &shown {
        assert_eq!(
            (&shown["width"], &shown["height"]),
            (&512.into(), &600.into())
        );
        let face = only_face(shown);
        for (value, expected_value) in face_box(face).iter().zip(expected) {
            let off = (value - expected_value).abs();
            assert!(off <= 0.02 * expected[2], "{off} px: {shown}");
        }
        assert_eq!(top_emotion(face), top_emotion(first));
    }
}

#[test]
fn two_people_are_found_at_their_positions() {
    let env = TestEnv::new();
    let people = ["astronaut.jpg", "hopper.jpg"].map(photo);
    env.add("group.jpg", jpeg(group(&people, 512)));
    env.index();
    let shown = env.show("group.jpg");
    let mut boxes: Vec<_> = shown["faces"]
        .as_array()
        .unwrap()
        .iter()
        .map(face_box)
        .collect();
    boxes.sort_by(|a, b| a[0].total_cmp(&b[0]));
    let [left, right] = boxes[..] else {
        panic!("two faces: {shown}");
    };
    assert!(left[0] + left[2] < 512.0 && right[0] > 512.0, "{shown}");
    // The photo's score is that of the happier one.
    let hits = env
        .run("query --emotion happy --all --format jsonl")
        .json_lines();
    let happy = |face: &Value| face["scores"]["happy"].as_f64().unwrap();
    let faces = hits[0]["faces"].as_array().unwrap();
    let best = faces.iter().map(happy).fold(0.0, f64::max);
    assert_eq!((hits.len(), hits[0]["score"].as_f64()), (1, Some(best)));
}

#[test]
fn a_face_is_found_in_twelve_megapixels() {
    let env = TestEnv::new();
    let small = photo("astronaut.jpg");
    env.add("small.jpg", jpeg(small.clone()));
    env.add("large.jpg", jpeg(twelve_megapixels(&small)));
    env.index();
    let [small, large] = ["small.jpg", "large.jpg"].map(|name| env.show(name));
    assert_eq!(
        (&large["width"], &large["height"]),
        (&4000.into(), &3000.into())
    );
    let scale = 3000.0 / 512.0;
    let [x, y, width, height] = face_box(only_face(&small)).map(|value| value * scale);
    let expected = [x + 500.0, y, width, height];
    for (value, expected) in face_box(only_face(&large)).iter().zip(expected) {
        assert!((value - expected).abs() < 0.1 * width, "{large}");
    }
    assert_eq!(
        top_emotion(only_face(&large)),
        top_emotion(only_face(&small))
    );
}

#[test]
fn every_pixel_type_and_format_is_decoded() {
    let env = TestEnv::new();
    let picture = photo("astronaut.jpg");
    let dynamic = DynamicImage::from(picture.clone());
    let kinds = [
        ("grey.jpg", jpeg(dynamic.to_luma8())),
        ("grey.png", encoded(dynamic.to_luma8(), ImageFormat::Png)),
        (
            "grey-16.png",
            encoded(dynamic.to_luma16(), ImageFormat::Png),
        ),
        ("deep.png", encoded(dynamic.to_rgb16(), ImageFormat::Png)),
        ("deep.tif", encoded(dynamic.to_rgb16(), ImageFormat::Tiff)),
        ("alpha.png", encoded(fading(&picture), ImageFormat::Png)),
        ("alpha.webp", encoded(fading(&picture), ImageFormat::WebP)),
        ("picture.bmp", encoded(picture.clone(), ImageFormat::Bmp)),
        ("picture.gif", encoded(picture, ImageFormat::Gif)),
        ("cmyk.jpg", fixture("formats/cmyk.jpg")),
        ("progressive.jpg", fixture("formats/progressive.jpg")),
        ("plain.heic", fixture("formats/plain.heic")),
        ("alpha.avif", fixture("formats/alpha.avif")),
        ("wrongly-named.png", fixture("hopper.jpg")),
    ];
    for (name, bytes) in &kinds {
        env.add(name, bytes);
    }
    let summary = env.index();
    assert_eq!(summary["skipped"], serde_json::json!({}));
    assert_eq!(summary["photos"], kinds.len());
    for (name, _) in kinds {
        only_face(&env.show(name));
    }
    assert_eq!(env.show("wrongly-named.png")["format"], "JPEG");
}

/// HEIC and AVIF that the container rotates and mirrors, and HEVC as cameras write it.
#[test]
fn a_portrait_is_as_happy_in_every_heif() {
    let env = TestEnv::new();
    let names = [
        "portrait-422-10.hif",
        "portrait-mirrored.avif",
        "portrait-turned-mirrored.heic",
    ];
    for name in names {
        env.add(name, fixture(&format!("matrix/{name}")));
    }
    assert_eq!(env.index()["photos"], names.len());
    for name in names {
        assert_eq!(top_emotion(only_face(&env.show(name))), "happy", "{name}");
    }
}

/// Older versions mirrored these about the wrong axis, so that the portrait was upside down.
#[test]
fn what_an_older_version_saw_upside_down_is_looked_at_again() {
    let env = TestEnv::new();
    let mirrored = ["portrait-mirrored.avif", "portrait-turned-mirrored.heic"];
    for name in mirrored.iter().chain(&["portrait-422-10.hif"]) {
        env.add(name, fixture(&format!("matrix/{name}")));
    }
    env.index();
    let right: Vec<_> = mirrored
        .iter()
        .map(|name| {
            let face = &env.show(name)["faces"][0]["id"];
            env.run(&format!("correct {face} --emotion fear")).found();
            env.show(name)["faces"].clone()
        })
        .collect();
    // The rows as an older version stored them: another picture hash, positions at the opposite side, and an older
    // reader.
    let database = rusqlite::Connection::open(env.database()).unwrap();
    database
        .execute_batch(
            "UPDATE photos SET facts_version = 0, facts = json_set(facts, '$.version', 0);
             CREATE TEMP TABLE mirrored AS SELECT id, hash, width, height, picture, randomblob(32) AS other
             FROM photos WHERE id IN (SELECT photo_id FROM files WHERE CAST(path AS TEXT) LIKE '%mirrored%');
             UPDATE corrections SET x = m.width - x - corrections.width, y = m.height - y - corrections.height,
                                    picture = m.other
             FROM temp.mirrored m WHERE m.picture = corrections.picture;
             UPDATE faces SET x = m.width - x - faces.width, y = m.height - y - faces.height
             FROM temp.mirrored m WHERE m.id = faces.photo_id;
             UPDATE photos SET picture = m.other FROM temp.mirrored m WHERE m.id = photos.id;",
        )
        .unwrap();
    drop(database);
    let summary = env.index();
    assert_eq!(
        (&summary["photos"], &summary["metadata"]),
        (&2.into(), &1.into())
    );
    for (name, right) in mirrored.iter().zip(right) {
        let faces = env.show(name)["faces"].clone();
        assert_eq!(faces[0]["correction"], "fear");
        assert_eq!(faces, right, "{name}: number, box, scores and correction");
    }
    assert_eq!(env.index()["unchanged"], 3);
    env.run("doctor").found();
}
