//! The JSON output is as `docs/json.md` describes it.

use serde_json::{Value, json};

use crate::common::exif_block::ExifBlock;
use crate::common::{fixture, jpeg, jpeg_with_exif, photo, stored};
use crate::testenv::{TestEnv, face_box, names};

const EMOTIONS: [&str; 8] = [
    "angry", "contempt", "disgust", "fear", "happy", "neutral", "sad", "surprise",
];

/// Checks that a face has the documented names, a box within the picture and probabilities with the sum 1.
#[track_caller]
fn assert_is_face(face: &Value, [photo_width, photo_height]: [f64; 2]) {
    let mut expected = vec!["box", "detection_score", "human", "id", "scores"];
    // With --framed, the model computes no human score.
    expected.retain(|name| *name != "human" || !face["human"].is_null());
    assert_eq!(names(face), expected);
    let [x, y, width, height] = face_box(face);
    assert!(x >= 0.0 && y >= 0.0 && width > 0.0 && height > 0.0);
    assert!(
        x + width <= photo_width && y + height <= photo_height,
        "{face}"
    );
    let detection_score = face["detection_score"].as_f64().unwrap();
    assert!((0.6..=1.0).contains(&detection_score), "{detection_score}");
    assert_eq!(names(&face["scores"]), EMOTIONS);
    let scores = EMOTIONS.map(|emotion| face["scores"][emotion].as_f64().unwrap());
    assert!(scores.iter().all(|score| (0.0..=1.0).contains(score)));
    assert!((scores.iter().sum::<f64>() - 1.0).abs() < 1e-4, "{face}");
}

#[test]
fn json_of_a_query() {
    let env = TestEnv::new();
    let block = ExifBlock::new()
        .with_orientation(6)
        .with_date("2008:05:30 15:56:01", "25", "+02:00")
        .with_position(41.38, -2.19)
        .bytes();
    let turned = jpeg(stored(&photo("hopper.jpg"), 6));
    let path = env.add("turned.jpg", jpeg_with_exif(&turned, &block));
    env.add("without-exif.jpg", fixture("astronaut.jpg"));
    env.index();

    let hits = env
        .run("query --emotion neutral --all --format jsonl")
        .found();
    let hits = hits.json_lines();
    let by_name = |end: &str| {
        let is = |hit: &&Value| hit["path"].as_str().unwrap().ends_with(end);
        hits.iter().find(is).unwrap()
    };
    let hit = by_name("/turned.jpg");
    let all = "emotion faces height latitude longitude path people position_source rating score \
               taken_at taken_at_precision taken_at_source title width";
    assert!(names(hit).into_iter().eq(all.split_whitespace()));
    assert_eq!(hit["path"], path.to_str().unwrap());
    assert_eq!(hit["emotion"], "neutral");
    assert_eq!(hit["taken_at"], "2008-05-30T15:56:01.25+02:00");
    assert_eq!(
        (&hit["width"], &hit["height"]),
        (&512.into(), &600.into()),
        "upright"
    );
    let degrees = |name: &str| hit[name].as_f64().unwrap();
    assert!((degrees("latitude") - 41.38).abs() < 1e-6);
    assert!((degrees("longitude") + 2.19).abs() < 1e-6);
    let [face] = hit["faces"].as_array().unwrap().as_slice() else {
        panic!("one face: {hit}");
    };
    assert_is_face(face, [512.0, 600.0]);
    assert!(face["id"].as_i64().unwrap() > 0);
    assert_eq!(hit["score"], face["scores"]["neutral"]);

    let plain = by_name("/without-exif.jpg");
    assert_eq!(names(plain), names(hit));
    assert!(plain["latitude"].is_null() && plain["longitude"].is_null());
    let date = plain["taken_at"].as_str().unwrap();
    date.parse::<jiff::Timestamp>()
        .unwrap_or_else(|error| panic!("{date}: {error}"));
}

#[test]
fn json_of_classify() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg", "chelsea.jpg"]);
    env.add("notes.jpg", "Dear diary");
    let files = "album/astronaut.jpg album/chelsea.jpg album/notes.jpg";
    let run = env.run(&format!("classify --format jsonl {files}"));
    assert_eq!(run.code, 2, "one file is no picture");
    let [face, no_face, error] = run.json_lines().try_into().unwrap();
    assert_eq!(names(&face), ["faces", "path"]);
    assert_eq!(face["path"], "album/astronaut.jpg");
    assert_eq!(face["faces"].as_array().unwrap().len(), 1);
    assert_is_face(&face["faces"][0], [512.0, 512.0]);
    assert!(face["faces"][0]["human"].as_f64().unwrap() > 0.9);
    assert!(face["faces"][0]["id"].is_null(), "nothing was stored");
    assert!(!env.database().exists());
    let lines: Vec<_> = run.text().lines().collect();
    assert_eq!(lines[1], r#"{"path":"album/chelsea.jpg","faces":[]}"#);
    assert_eq!(
        lines[2],
        r#"{"path":"album/notes.jpg","error":"not an image: it holds text"}"#
    );

    let array = env.run(&format!("classify --format json {files}"));
    assert_eq!(array.json().as_array().unwrap(), &[face, no_face, error]);
}

#[test]
fn the_box_of_a_framed_face_is_the_whole_picture() {
    let env = TestEnv::new();
    let face = image::imageops::crop_imm(&photo("astronaut.jpg"), 175, 65, 100, 120).to_image();
    let small = image::imageops::thumbnail(&face, 48, 48);
    env.add("face.png", jpeg(face));
    env.add(
        "48.jpg",
        jpeg(image::DynamicImage::from(small).into_luma8()),
    );
    // With --framed, even a cat counts as a face.
    env.add("cat.jpg", fixture("chelsea.jpg"));
    let files = "album/face.png album/48.jpg album/cat.jpg";
    let run = env
        .run(&format!("classify --framed --format jsonl {files}"))
        .found();
    let sizes = [[100.0, 120.0], [48.0, 48.0], [451.0, 300.0]];
    for (line, [width, height]) in run.json_lines().iter().zip(sizes) {
        let [face] = line["faces"].as_array().unwrap().as_slice() else {
            panic!("one face: {line}");
        };
        assert_is_face(face, [width, height]);
        assert_eq!(face["detection_score"], 1.0);
        assert!(face["human"].is_null(), "{face}");
        assert_eq!(face["box"], json!([0.0, 0.0, width, height]));
    }
}

#[test]
fn json_of_index_and_show() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg"]);
    env.add("copy.jpg", fixture("astronaut.jpg"));
    env.add("empty.jpg", "");
    let run = env.index();
    let all = "faces gone known metadata passed_over photos seconds skipped unchanged";
    assert!(names(&run).into_iter().eq(all.split(' ')));
    assert_eq!(run["skipped"], json!({"empty": 1}));
    assert!(run["seconds"].as_f64().unwrap() > 0.0);

    let shown = env.show("copy.jpg");
    let all = "bytes camera classifier content description detector faces format height \
               incomplete indexed_at keywords latitude lens longitude paths people rating same_shot sources taken_at \
               taken_at_precision taken_at_source title unread width";
    assert!(names(&shown).into_iter().eq(all.split_whitespace()));
    let paths = ["astronaut.jpg", "copy.jpg"].map(|name| env.album(name));
    for (path, expected) in shown["paths"].as_array().unwrap().iter().zip(&paths) {
        assert_eq!(path, &json!({"path": expected}));
    }
    assert_eq!(shown["paths"].as_array().unwrap().len(), 2);
    assert_eq!(
        (&shown["format"], &shown["taken_at_source"]),
        (&"JPEG".into(), &"file".into())
    );
    let content = blake3::hash(&fixture("astronaut.jpg")).to_hex();
    assert_eq!(shown["content"], content.as_str());
    assert_is_face(&shown["faces"][0], [512.0, 512.0]);

    let skipped = env.show("empty.jpg");
    assert_eq!(
        names(&skipped),
        [
            "bytes",
            "content",
            "error",
            "indexed_at",
            "paths",
            "same_shot"
        ]
    );
    assert_eq!(skipped["error"], "empty: the file has no bytes");
}

/// Linux only: other systems do not allow such names.
#[cfg(target_os = "linux")]
#[test]
fn a_path_that_is_not_utf_8_is_printed_with_its_bytes() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let env = TestEnv::new();
    let path = env.add(
        OsStr::from_bytes(b"f\xfcr Oma.jpg"),
        fixture("astronaut.jpg"),
    );
    let bytes = path.as_os_str().as_bytes();
    env.index();
    let hit = env
        .run("query --emotion happy --all --format jsonl")
        .found();
    let hit = &hit.json_lines()[0];
    assert_eq!(hit["path"], path.to_string_lossy().as_ref());
    let hex = hit["path_bytes"].as_str().unwrap();
    assert!(hex.ends_with("66fc72204f6d612e6a7067"), "{hex}");
    assert_eq!(hex.len(), 2 * bytes.len());
    let run = env
        .run("query --emotion happy --all --format paths")
        .found();
    assert_eq!(run.stdout, [bytes, b"\n"].concat());

    let mut command = env.command("classify --format jsonl");
    let run = crate::testenv::Run::of(command.arg(&path)).found();
    assert_eq!(names(&run.json_lines()[0]), ["faces", "path", "path_bytes"]);
}
