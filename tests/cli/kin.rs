//! Corrections carry over to edits and exports of the same picture, and to nothing else.

use std::fs;

use exif::Tag;
use image::{ImageFormat, RgbImage, imageops};
use serde_json::{Value, json};

use crate::common::exif_block::ExifBlock;
use crate::common::{encoded, fixture, jpeg, jpeg_with_exif, photo};
use crate::testenv::TestEnv;

pub const DATE: &str = "2019:07:14 12:34:56";

/// A JPEG with the date, a fraction of a second and a camera.
pub fn taken(jpeg: &[u8], date: &str, fraction: &str, camera: &str) -> Vec<u8> {
    let block = ExifBlock::new()
        .with_date(date, fraction, "")
        .with_text(Tag::Model, camera);
    jpeg_with_exif(jpeg, &block.bytes())
}

/// The same for a picture, always with the same moment and camera.
pub fn edit(picture: &RgbImage) -> Vec<u8> {
    taken(&jpeg(picture.clone()), DATE, "25", "X100")
}

/// Edits and exports of a photo.
pub fn edits(photo: &RgbImage) -> Vec<(&'static str, RgbImage)> {
    let (width, height) = photo.dimensions();
    let half = |filter| imageops::resize(photo, width / 2, height / 2, filter);
    let mut bright = photo.clone();
    for value in bright.iter_mut() {
        *value = (255.0 * (f32::from(*value) / 255.0).powf(0.7)) as u8;
    }
    let grey = image::DynamicImage::from(imageops::grayscale(photo)).into_rgb8();
    vec![
        ("smaller.jpg", half(imageops::FilterType::Lanczos3)),
        ("bright.jpg", bright),
        ("grey.jpg", grey),
        (
            "cut.jpg",
            imageops::crop_imm(photo, width / 5, 0, width * 3 / 5, height / 2).to_image(),
        ),
        ("turned.jpg", imageops::rotate90(photo)),
        ("mirrored.jpg", imageops::flip_horizontal(photo)),
    ]
}

/// An album with a photo of a face and an edit of it.
pub fn album_with_edit() -> TestEnv {
    let env = TestEnv::new();
    env.add(
        "a.jpg",
        taken(&fixture("astronaut.jpg"), DATE, "25", "X100"),
    );
    env.add("grey.jpg", edit(&edits(&photo("astronaut.jpg"))[2].1));
    env.index();
    env
}

/// The next photo of a burst: of the same size, and nothing has moved but the camera.
pub fn next_of_burst() -> RgbImage {
    let picture = photo("astronaut.jpg");
    let (width, height) = picture.dimensions();
    RgbImage::from_fn(width, height, |x, y| {
        *picture.get_pixel((x + 2).min(width - 1), (y + 1).min(height - 1))
    })
}

pub fn face(env: &TestEnv, name: &str) -> Value {
    env.show(name)["faces"][0].clone()
}

pub fn correct(env: &TestEnv, name: &str, word: &str) {
    let number = face(env, name)["id"].clone();
    env.run(&format!("correct {number} --emotion {word}"))
        .found();
}

pub fn correction(env: &TestEnv, name: &str) -> Value {
    face(env, name)["correction"].clone()
}

/// An album with a photo of a face that is corrected to sad, and the number of the face.
fn corrected() -> (TestEnv, i64) {
    let env = TestEnv::new();
    env.add(
        "original.jpg",
        taken(&fixture("astronaut.jpg"), DATE, "25", "X100"),
    );
    env.index();
    let number = face(&env, "original.jpg")["id"].as_i64().unwrap();
    env.run(&format!("correct {number} --emotion sad")).found();
    (env, number)
}

#[test]
fn a_correction_carries_over_to_every_edit_that_is_indexed_later() {
    let (env, number) = corrected();
    let edits = edits(&photo("astronaut.jpg"));
    for (name, picture) in &edits {
        env.add(name, edit(picture));
    }
    env.index();
    for (name, _) in &edits {
        let face = face(&env, name);
        assert_eq!(face["correction"], "sad", "{name}: {face}");
        let original = env.album("original.jpg");
        assert_eq!(face["carried_from"]["path"], json!(original), "{name}");
        let shown = env.run(&format!("show album/{name}")).found();
        let remark = format!("sad (carried over from {})", original.display());
        assert!(shown.text().contains(&remark), "{shown:?}");
    }
    assert_eq!(
        env.query("--emotion sad --min-score 1").len(),
        1 + edits.len()
    );
    assert_eq!(face(&env, "original.jpg")["carried_from"], Value::Null);

    // A correction that was carried over follows the original one, until a person corrects the copy itself.
    let own = face(&env, "grey.jpg")["id"].as_i64().unwrap();
    env.run(&format!("correct {own} --emotion fear")).found();
    env.run(&format!("correct {number} --emotion angry"))
        .found();
    assert_eq!(face(&env, "cut.jpg")["correction"], "angry");
    assert_eq!(face(&env, "grey.jpg")["correction"], "fear");
    env.run(&format!("undo {number}")).found();
    assert_eq!(face(&env, "cut.jpg")["correction"], Value::Null);
    assert_eq!(face(&env, "grey.jpg")["correction"], "fear");
    assert_eq!(env.query("--emotion angry --min-score 1"), [""; 0]);
}

#[test]
fn undoing_a_carried_correction_leaves_the_original_and_is_not_carried_again() {
    let (env, _) = corrected();
    env.add("grey.jpg", edit(&edits(&photo("astronaut.jpg"))[2].1));
    env.index();
    let copy = face(&env, "grey.jpg")["id"].as_i64().unwrap();
    env.run(&format!("undo {copy}")).found();
    env.run("reindex album").found();
    assert_eq!(face(&env, "grey.jpg")["correction"], Value::Null);
    assert_eq!(face(&env, "original.jpg")["correction"], "sad");
}

#[test]
fn an_edit_in_place_of_the_photo_keeps_the_correction() {
    let (env, _) = corrected();
    env.add("original.jpg", edit(&edits(&photo("astronaut.jpg"))[3].1));
    env.index();
    let face = face(&env, "original.jpg");
    assert_eq!(face["correction"], "sad");
    let content = &face["carried_from"]["content"];
    assert!(
        content.is_string() && face["carried_from"]["path"].is_null(),
        "{face}"
    );
}

#[test]
fn a_correction_carries_over_to_edits_that_are_in_the_index_already() {
    let env = TestEnv::new();
    env.add(
        "original.jpg",
        taken(&fixture("astronaut.jpg"), DATE, "25", "X100"),
    );
    let edits = edits(&photo("astronaut.jpg"));
    for (name, picture) in &edits[..2] {
        env.add(name, edit(picture));
    }
    env.index();
    let number = &face(&env, "original.jpg")["id"];
    let run = env.run(&format!("reject {number}")).found();
    assert!(run.text().contains("Carried over to 2 faces"), "{run:?}");
    for (name, _) in &edits[..2] {
        assert_eq!(face(&env, name)["correction"], "not a face", "{name}");
    }
}

#[test]
fn other_faces_other_times_and_other_cameras_take_over_nothing() {
    let (env, _) = corrected();
    let grey = jpeg(edits(&photo("astronaut.jpg"))[2].1.clone());
    for (name, bytes) in [
        (
            "other face.jpg",
            taken(&fixture("hopper.jpg"), DATE, "25", "X100"),
        ),
        ("other camera.jpg", taken(&grey, DATE, "25", "X200")),
        (
            "other second.jpg",
            taken(&grey, "2019:07:14 12:34:57", "25", "X100"),
        ),
        ("other fraction.jpg", taken(&grey, DATE, "26", "X100")),
        ("no date.jpg", grey.clone()),
    ] {
        env.add(name.replace(' ', "_"), bytes);
    }
    env.index();
    assert_eq!(env.query("--emotion sad --min-score 1"), ["original.jpg"]);
}

#[test]
fn without_a_fraction_of_a_second_photos_of_a_burst_take_over_nothing() {
    let env = TestEnv::new();
    let picture = photo("astronaut.jpg");
    let dated = |picture: &RgbImage| taken(&jpeg(picture.clone()), DATE, "", "X100");
    env.add("original.jpg", dated(&picture));
    env.index();
    let number = face(&env, "original.jpg")["id"].clone();
    env.run(&format!("correct {number} --emotion sad")).found();

    // The export is smaller, so it is not another photo of a burst.
    let edits = edits(&picture);
    env.add("smaller.jpg", dated(&edits[0].1));
    env.index();
    assert_eq!(face(&env, "smaller.jpg")["correction"], "sad");

    // The next photo of a burst: it has the same size, and only the camera has moved. After that, an export may be of
    // either photo.
    env.add("burst.jpg", dated(&next_of_burst()));
    env.index();
    env.add("cut.jpg", dated(&edits[3].1));
    env.index();
    assert_eq!(face(&env, "burst.jpg")["correction"], Value::Null);
    assert_eq!(face(&env, "cut.jpg")["correction"], Value::Null);

    // An edit in place of the photo can only be of this photo.
    env.add("original.jpg", dated(&edits[1].1));
    env.index();
    assert_eq!(face(&env, "original.jpg")["correction"], "sad");
}

#[test]
fn imported_corrections_carry_over_to_edits_in_the_index() {
    let (env, _) = corrected();
    env.run("corrections export corrections.jsonl").found();
    let other = TestEnv::new();
    other.add("cut.jpg", edit(&edits(&photo("astronaut.jpg"))[3].1));
    other.index();
    fs::copy(
        env.path("corrections.jsonl"),
        other.path("corrections.jsonl"),
    )
    .unwrap();
    let run = other.run("corrections import corrections.jsonl").found();
    assert!(run.text().contains("Carried over to 1 face"), "{run:?}");
    assert_eq!(face(&other, "cut.jpg")["correction"], "sad");
    let again = other.run("corrections import corrections.jsonl").found();
    assert!(!again.text().contains("Carried"), "{again:?}");
}

#[test]
fn an_undone_correction_does_not_return_from_a_photo_that_was_replaced() {
    let (env, _) = corrected();
    let edits = edits(&photo("astronaut.jpg"));
    env.add("original.jpg", edit(&edits[3].1));
    env.index();
    let copy = face(&env, "original.jpg");
    assert_eq!(copy["correction"], "sad");
    env.run(&format!("undo {}", copy["id"])).found();
    env.add("smaller.jpg", edit(&edits[0].1));
    env.index();
    for name in ["original.jpg", "smaller.jpg"] {
        assert_eq!(face(&env, name)["correction"], Value::Null, "{name}");
    }
}

/// A sidecar that repeats the date of the photos without the fraction, as other programs do.
const DATED: &str = r#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
    xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
    xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" photoshop:DateCreated="2019-07-14T12:34:56"/>
    </rdf:RDF></x:xmpmeta>"#;

#[test]
fn sidecars_with_dates_change_neither_bursts_nor_what_carries_over() {
    let env = TestEnv::new();
    let bright = edits(&photo("astronaut.jpg"))[1].1.clone();
    env.add(
        "1.jpg",
        taken(&fixture("astronaut.jpg"), DATE, "25", "X100"),
    );
    env.add("2.jpg", taken(&fixture("hopper.jpg"), DATE, "75", "X100"));
    env.add("edit.jpg", edit(&bright));
    for name in ["1.jpg.xmp", "2.jpg.xmp", "edit.jpg.xmp"] {
        env.add(name, DATED);
    }
    env.index();
    let shown = env.show("1.jpg");
    assert_eq!(shown["taken_at_source"], "sidecar", "{shown}");
    assert!(shown["taken_at"].as_str().unwrap().contains("12:34:56.25"));
    assert_eq!(env.query("--one-per-burst").len(), 1);
    let number = face(&env, "1.jpg")["id"].clone();
    env.run(&format!("correct {number} --emotion sad")).found();
    assert_eq!(face(&env, "edit.jpg")["correction"], "sad");
    env.run("doctor").found();
}

#[test]
fn a_correction_carries_over_after_the_clock_was_corrected_in_the_file() {
    let (env, _) = corrected();
    let later = "2019:07:14 13:34:56";
    env.add(
        "original.jpg",
        taken(&fixture("astronaut.jpg"), later, "25", "X100"),
    );
    env.index();
    assert_eq!(face(&env, "original.jpg")["correction"], "sad");
    let cut = jpeg(edits(&photo("astronaut.jpg"))[3].1.clone());
    env.add("cut.jpg", taken(&cut, later, "25", "X100"));
    env.index();
    assert_eq!(face(&env, "cut.jpg")["correction"], "sad");
    // A copy of which only the clock was corrected also has its own moment.
    let last = "2019:07:14 14:34:56";
    env.add(
        "copy.jpg",
        taken(&fixture("astronaut.jpg"), last, "25", "X100"),
    );
    env.index();
    let grey = jpeg(edits(&photo("astronaut.jpg"))[2].1.clone());
    env.add("grey.jpg", taken(&grey, last, "25", "X100"));
    env.index();
    assert_eq!(face(&env, "grey.jpg")["correction"], "sad");
}

#[test]
fn a_correction_carries_over_whatever_offset_the_clock_has() {
    let env = TestEnv::new();
    fs::create_dir_all(env.config_file().parent().unwrap()).unwrap();
    fs::write(
        env.config_file(),
        "[facts]\nclock_offsets = [\"X100: +1:00\"]\n",
    )
    .unwrap();
    env.add(
        "original.jpg",
        taken(&fixture("astronaut.jpg"), DATE, "25", "X100"),
    );
    env.index();
    let shown = env.show("original.jpg");
    assert!(
        shown["taken_at"].as_str().unwrap().contains("13:34:56"),
        "{shown}"
    );
    let number = face(&env, "original.jpg")["id"].clone();
    env.run(&format!("correct {number} --emotion sad")).found();
    env.add("cut.jpg", edit(&edits(&photo("astronaut.jpg"))[3].1));
    env.index();
    assert_eq!(face(&env, "cut.jpg")["correction"], "sad");
}

#[test]
fn a_correction_that_is_left_behind_is_named_once() {
    let env = TestEnv::new();
    let picture = photo("astronaut.jpg");
    let bytes = encoded(picture.clone(), ImageFormat::Bmp);
    env.add("scan.jpg", &bytes);
    env.index();
    correct(&env, "scan.jpg", "sad");
    // The same pixels in another format's coding: no byte of the picture is as before.
    env.add("scan.jpg", encoded(picture, ImageFormat::Png));
    let left = "1 correction did not carry over";
    assert!(!env.run("index album").found().text().contains(left));
    assert_eq!(correction(&env, "scan.jpg"), "sad");
    env.add("scan.jpg", fixture("hopper.jpg"));
    let run = env.run("index album").found();
    let printed = run.text();
    assert!(
        printed.contains(left) && printed.contains("scan.jpg"),
        "{printed}"
    );
    // And what was said comes back with its picture.
    assert!(!env.run("index album").found().text().contains(left));
    env.add("scan.jpg", &bytes);
    assert!(!env.run("index album").found().text().contains(left));
    assert_eq!(env.query("--emotion sad --min-score 1"), ["scan.jpg"]);
}
