//! `fer-index detect`, with the built-in detector and with a detector program.

use std::fs;
use std::path::{Path, PathBuf};

use image::{Rgb, RgbImage};
use serde_json::Value;

use crate::common::{encoded, photo};
use crate::testenv::{Run, TestEnv, face_box, names};

/// The only face of each picture.
#[track_caller]
fn only_faces(run: &Run) -> Vec<Value> {
    let pictures = run.json();
    let only_face = |picture: &Value| match picture["faces"].as_array().unwrap().as_slice() {
        [face] => face.clone(),
        _ => panic!("one face: {picture}"),
    };
    pictures.as_array().unwrap().iter().map(only_face).collect()
}

/// Checks that a box is roughly that of the astronaut's face.
#[track_caller]
fn assert_is_astronaut([x, y, width, height]: [f64; 4]) {
    let centre = (x + width / 2.0, y + height / 2.0);
    assert!((210.0..240.0).contains(&centre.0), "{centre:?}");
    assert!((90.0..130.0).contains(&centre.1), "{centre:?}");
    assert!((70.0..130.0).contains(&width), "{width}");
    assert!((90.0..150.0).contains(&height), "{height}");
}

#[test]
fn boxes_landmarks_and_scores_are_printed() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg", "coffee.jpg"]);
    let run = env.run("detect --json album/astronaut.jpg").found();
    let picture = &run.json()[0];
    assert_eq!(names(picture), ["faces", "height", "path", "width"]);
    let face = &only_faces(&run)[0];
    assert_eq!(names(face), ["box", "detection_score", "landmarks"]);
    assert_is_astronaut(face_box(face));
    assert!(face["detection_score"].as_f64().unwrap() > 0.8, "{face}");
    let marks: [[f64; 2]; 5] = serde_json::from_value(face["landmarks"].clone()).unwrap();
    let [left_eye, right_eye, nose, left_mouth, right_mouth] = marks;
    assert!(left_eye[0] < nose[0] && nose[0] < right_eye[0], "{marks:?}");
    assert!(
        left_mouth[0] < right_mouth[0] && nose[1] < left_mouth[1],
        "{marks:?}"
    );
    assert!(left_eye[1] < nose[1], "{marks:?}");

    let run = env.run("detect album/astronaut.jpg").found();
    assert!(
        run.text().contains("Face 1 at ") && run.text().contains("landmarks"),
        "{run:?}"
    );

    let run = env.run("detect album/coffee.jpg");
    assert_eq!((run.code, run.stderr.as_str()), (1, ""), "{run:?}");
    assert!(run.text().contains("No face"), "{run:?}");

    let run = env.run("detect --json --threshold 0.999 album/astronaut.jpg");
    assert_eq!(run.code, 1);
    assert_eq!(run.json()[0]["faces"], Value::Array(vec![]));
}

#[test]
fn an_unreadable_picture_is_named_and_the_others_are_processed() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg"]);
    env.add("broken.jpg", b"no picture");
    let run = env.run("detect --format jsonl album/broken.jpg album/astronaut.jpg");
    assert_eq!(run.code, 2, "{run:?}");
    let lines = run.json_lines();
    assert!(lines[0]["error"].is_string(), "{run:?}");
    assert_eq!(lines[1]["faces"].as_array().unwrap().len(), 1);
}

/// The colour of boxes in a drawing.
const LINE: Rgb<u8> = Rgb([255, 60, 40]);

fn drawing(path: &Path) -> RgbImage {
    image::open(path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .into_rgb8()
}

#[test]
fn a_drawing_shows_the_box_around_the_face() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg", "coffee.jpg"]);
    let run = env
        .run("detect --json --draw out.png album/astronaut.jpg")
        .found();
    let [x, y, width, height] = face_box(&only_faces(&run)[0]);
    let drawn = drawing(&env.path("out.png"));
    assert_eq!(drawn.dimensions(), (512, 512));
    let at = |x: f64, y: f64| *drawn.get_pixel(x.round() as u32, y.round() as u32);
    assert_eq!(at(x, y + height / 2.0), LINE);
    assert_eq!(at(x + width / 2.0, y), LINE);
    assert_ne!(at(x + width / 2.0, y + height / 2.0), LINE);

    let both = "album/astronaut.jpg album/coffee.jpg";
    let sentence = env.run(&format!("detect --draw out.png {both}")).refused();
    assert!(sentence.contains("existing folder"), "{sentence}");
    fs::create_dir(env.path("drawings")).unwrap();
    env.run(&format!("detect --draw drawings {both}")).found();
    assert_eq!(drawing(&env.path("drawings/astronaut.jpg.png")), drawn);
    let cup = drawing(&env.path("drawings/coffee.jpg.png"));
    assert!(cup.pixels().all(|pixel| *pixel != LINE));
}

#[test]
fn faces_on_their_side_and_upside_down_are_found() {
    use image::imageops::{rotate90, rotate180, rotate270};
    let env = TestEnv::new();
    let upright = photo("astronaut.jpg");
    for (name, turned) in [
        ("90", rotate90(&upright)),
        ("180", rotate180(&upright)),
        ("270", rotate270(&upright)),
    ] {
        env.add(
            format!("{name}.png"),
            encoded(turned, image::ImageFormat::Png),
        );
    }
    let run = env
        .run("detect --json album/90.png album/180.png album/270.png")
        .found();
    let side = f64::from(upright.width());
    let faces = only_faces(&run);
    let boxes: Vec<_> = faces.iter().map(face_box).collect();
    let [x, y, width, height] = boxes[0];
    assert_is_astronaut([y, side - x - width, height, width]);
    let [x, y, width, height] = boxes[1];
    assert_is_astronaut([side - x - width, side - y - height, width, height]);
    let [x, y, width, height] = boxes[2];
    assert_is_astronaut([side - y - height, x, height, width]);
}

/// The files that the test of the program in `backends/rust-faces` needs, or what is missing.
#[cfg(unix)]
fn rust_faces() -> Result<[PathBuf; 3], String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let named = |variable: &str, place: &str| {
        std::env::var_os(variable).map_or_else(|| root.join(place), PathBuf::from)
    };
    let program = "backends/rust-faces/target/release/fer-index-rust-faces";
    let program = named("FER_INDEX_RUST_FACES", program);
    let models = named("FER_INDEX_RUST_FACES_MODELS", "../shared/models/rust-faces");
    let library = std::env::var_os("ORT_DYLIB_PATH").map(PathBuf::from);
    let library = library.ok_or("ORT_DYLIB_PATH names no ONNX Runtime")?;
    for path in [&program, &library, &models.join("blazeface-640.onnx")] {
        if !path.is_file() {
            return Err(format!("there is no {}", path.display()));
        }
    }
    Ok([program, models, library])
}

/// The program in `backends/rust-faces`, built as its README says, finds the same face. It needs `ORT_DYLIB_PATH`.
/// `FER_INDEX_RUST_FACES` names the program, and `FER_INDEX_RUST_FACES_MODELS` the models, if they are not in their
/// usual places.
#[cfg(unix)]
#[test]
#[allow(clippy::print_stderr, reason = "a skipped test must say so")]
fn the_rust_faces_program_finds_the_face() {
    let [program, models, library] = match rust_faces() {
        Ok(paths) => paths,
        Err(missing) => {
            eprintln!("SKIPPED: rust-faces: {missing}");
            return;
        }
    };
    let env = TestEnv::with_fixtures(&["astronaut.jpg"]);
    let words: [&Path; 3] = [&program, "--models".as_ref(), &models];
    let mut command = env.command("detect --json album/astronaut.jpg");
    command
        .env("FER_INDEX_DETECTOR_BACKEND", "command")
        .env(
            "FER_INDEX_DETECTOR_COMMAND",
            std::env::join_paths(words).unwrap(),
        )
        .env("ORT_DYLIB_PATH", library);
    let run = Run::of(&mut command);
    assert_eq!(run.code, 0, "{run:?}");
    let face = &only_faces(&run)[0];
    assert_is_astronaut(face_box(face));
    assert_eq!(face["landmarks"].as_array().unwrap().len(), 5);

    // A missing model is an error with a message, not a panic.
    command.env("FER_INDEX_DETECTOR_COMMAND", {
        std::env::join_paths([
            program.as_path(),
            "--models".as_ref(),
            Path::new("/nowhere"),
        ])
        .unwrap()
    });
    let run = Run::of(&mut command);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(
        run.stderr.contains("/nowhere/blazeface-640.onnx"),
        "{run:?}"
    );
}
