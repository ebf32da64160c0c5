//! Bad files are skipped, counted, named and remembered.

use serde_json::json;

use crate::common::{fixture, png_bomb, truncated};
use crate::testenv::TestEnv;

/// File, reason, and a part of the message.
const BAD: [(&str, &str, &str); 6] = [
    ("cut.jpg", "damaged", "JPEG"),
    ("empty.jpg", "empty", "no bytes"),
    ("garbage.jpg", "not an image", ""),
    ("letter.jpg", "not an image", "it holds text"),
    ("bomb.png", "too large", "100000 × 100000 pixels"),
    ("paper.jpg", "unsupported format", "PDF"),
];

fn album() -> TestEnv {
    let env = TestEnv::with_fixtures(&["astronaut.jpg", "chelsea.jpg"]);
    env.add(
        "cut.jpg",
        truncated(&fixture("formats/progressive.jpg"), 20),
    );
    env.add("empty.jpg", "");
    env.add("garbage.jpg", [0; 5000]);
    env.add("letter.jpg", "Dear diary, I called this file a photo.\n");
    env.add("bomb.png", png_bomb());
    env.add("paper.jpg", "%PDF-1.7\n");
    env.add("notes.txt", "not even called a photo");
    env
}

#[test]
fn a_named_file_that_was_skipped_before_is_told_the_reason_again() {
    let env = TestEnv::with_fixtures(&["chelsea.jpg"]);
    env.add("broken.jpg", "no photo");
    env.index();
    let run = env.run("index album/broken.jpg").found();
    let message = "album/broken.jpg is as it was when it was skipped: ";
    assert!(run.text().contains(message), "{run:?}");
    let run = env.run("index album/chelsea.jpg").found();
    assert!(!run.text().contains("skipped"), "{run:?}");
}

#[test]
fn every_skip_reason_is_in_the_summary_and_stored() {
    let env = album();
    let run = env.run("index album").found();
    let text = run.text();
    assert!(text.starts_with("2 photos processed"), "{text}");
    for (name, reason, detail) in BAD {
        assert!(text.contains(&format!(" skipped: {reason}\n")), "{text}");
        let path = env.album(name).display().to_string();
        let line = text.lines().find(|line| line.contains(&path)).unwrap();
        assert!(line.contains(detail), "{line}");

        let error = env.show(name)["error"].as_str().unwrap().to_owned();
        assert!(
            error.starts_with(reason) && error.contains(detail),
            "{error}"
        );
    }
    assert!(text.contains("2 files skipped: not an image\n"), "{text}");
    assert_eq!(env.query("--emotion happy --all"), ["astronaut.jpg"]);

    let again = env.index();
    assert_eq!(again["unchanged"], 8);
    assert_eq!(again["skipped"], json!({}), "not read again");
    // The same content under another name, and a file that was repaired.
    env.add(
        "copy.jpg",
        truncated(&fixture("formats/progressive.jpg"), 20),
    );
    env.add("empty.jpg", fixture("hopper.jpg"));
    let mended = env.index();
    assert_eq!(
        (&mended["photos"], &mended["faces"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(mended["skipped"], json!({"damaged": 1}));
    assert_eq!(env.query("--emotion happy --all").len(), 2);
}

#[test]
fn the_whole_faces_of_an_incomplete_photo_count() {
    let env = TestEnv::new();
    // The face is in the upper third of the picture.
    env.add("above.jpg", truncated(&fixture("astronaut.jpg"), 60));
    env.add("through.jpg", truncated(&fixture("astronaut.jpg"), 22));
    assert_eq!(env.index()["photos"], 2);
    let faces = |name: &str| env.show(name)["faces"].as_array().unwrap().len();
    assert_eq!((faces("above.jpg"), faces("through.jpg")), (1, 0));
    let problem = "JPEG: its data end before the picture is complete";
    assert_eq!(env.show("above.jpg")["incomplete"], problem);
    let run = env.run("show album/above.jpg").found();
    let text = run.text();
    assert!(text.contains(&format!("incomplete    {problem}")), "{text}");
    assert_eq!(env.run("status --json").found().json()["incomplete"], 2);
    let status = env.run("status").found().text().to_owned();
    assert!(status.contains("photos    2 incomplete: "), "{status}");
    assert_eq!(env.query("--emotion happy"), ["above.jpg"]);

    // The rest of the file arrives.
    env.add("through.jpg", fixture("astronaut.jpg"));
    assert_eq!(env.index()["photos"], 1);
    assert_eq!(faces("through.jpg"), 1);
    assert!(env.show("through.jpg")["incomplete"].is_null());
    assert_eq!(env.run("status --json").found().json()["incomplete"], 1);
}

#[test]
fn files_beyond_the_named_ones_are_counted() {
    let env = TestEnv::new();
    for number in 0..5 {
        env.add(format!("{number}.jpg"), "");
    }
    let run = env.run("index album").found();
    assert!(run.text().starts_with("0 photos processed, 0 faces"));
    assert!(run.text().contains("5 files skipped: empty\n"));
    assert!(run.text().ends_with("… and 2 more\n"), "{run:?}");
}

#[test]
fn limits_in_the_settings_apply() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg", "camera.jpg"]);
    let mut command = env.command("index album --json");
    command.env("FER_INDEX_LIMITS_MAX_FILE_BYTES", "60000");
    let run = crate::testenv::Run::of(&mut command).found();
    assert_eq!(run.json()["skipped"], json!({"too large": 1}));
    assert_eq!(run.json()["photos"], 1);
    // Without the limit the file is processed.
    assert_eq!(env.index()["photos"], 1);
}

#[cfg(unix)]
#[test]
fn files_without_read_permission_are_counted_and_tried_again() {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    let mut env = TestEnv::with_fixtures(&["astronaut.jpg", "hopper.jpg"]);
    env.add("sub/camera.jpg", fixture("camera.jpg"));
    if !env.heed_permissions() {
        return;
    }
    let allow = |name: &str, mode| {
        fs::set_permissions(env.album(name), Permissions::from_mode(mode)).unwrap();
    };
    assert_eq!(env.index()["photos"], 3);
    let all = env.query("--emotion happy --all");
    assert_eq!(all.len(), 3);

    // Photos in a folder without read permission do not count as deleted.
    allow("sub", 0o000);
    let locked = env.index();
    assert_eq!(locked["skipped"], json!({"permission denied": 1}));
    assert_eq!(
        (&locked["gone"], &locked["unchanged"]),
        (&0.into(), &2.into())
    );
    assert_eq!(env.query("--emotion happy --all"), all);
    allow("sub", 0o700);

    fs::write(env.album("locked.jpg"), fixture("coffee.jpg")).unwrap();
    allow("locked.jpg", 0o000);
    for _ in 0..2 {
        let locked = env.index();
        assert_eq!(locked["skipped"], json!({"permission denied": 1}));
        assert_eq!(locked["unchanged"], 3);
    }
    let shown = env.show("locked.jpg");
    assert_eq!(
        shown["error"],
        "permission denied: the file may not be read"
    );
    allow("locked.jpg", 0o644);
    assert_eq!(env.index()["photos"], 1);
}

/// The sidecar of a damaged photo may name people, but the photo has no picture to search for their faces.
#[test]
fn a_sidecar_that_names_people_beside_a_bad_file_changes_nothing() {
    let env = album();
    let named = r#"{"title": "a", "photoTakenTime": {"timestamp": "1563091200"}, "people": [{"name": "Ada"}]}"#;
    let region = "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">
        <rdf:Description xmlns:p=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\">
        <p:PersonInImage><rdf:Bag><rdf:li>Ada</rdf:li></rdf:Bag></p:PersonInImage></rdf:Description></rdf:RDF>";
    for (name, ..) in BAD {
        env.add(format!("{name}.supplemental-metadata.json"), named);
        env.add(format!("{name}.xmp"), region);
    }
    env.add("chelsea.jpg.xmp", region);
    let summary = env.index();
    assert_eq!(summary["photos"], 2, "{summary}");
    assert_eq!(env.query("--person ada"), ["chelsea.jpg"]);
    env.run("doctor").found();
    // A photo that was repaired is found by these names.
    env.add("cut.jpg", fixture("formats/progressive.jpg"));
    env.index();
    assert_eq!(env.query("--person ada").len(), 2);
    env.add("cut.jpg", "no photo");
    env.index();
    assert_eq!(env.query("--person ada"), ["chelsea.jpg"]);
    env.run("doctor").found();
}
