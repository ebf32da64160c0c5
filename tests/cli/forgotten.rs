//! What a person wants to be forgotten leaves no trace, and does not come back.

use std::fs;
use std::path::Path;

use crate::common::{fixture, photo_taken, sidecar};
use crate::testenv::TestEnv;

/// The files below a folder in which one of these words is, in any case.
fn traces(folder: &Path, words: &[&str]) -> Vec<String> {
    let files = walkdir::WalkDir::new(folder)
        .into_iter()
        .map(Result::unwrap);
    let files = files.filter(|entry| entry.file_type().is_file());
    let has_trace = |bytes: &[u8]| {
        let bytes = bytes.to_ascii_lowercase();
        let is_in = |word: &&&str| {
            bytes
                .windows(word.len())
                .any(|part| part == word.as_bytes())
        };
        words.iter().find(is_in).map(|word| (*word).to_owned())
    };
    files
        .filter_map(|file| {
            let word = has_trace(&fs::read(file.path()).unwrap())?;
            Some(format!("{word} in {}", file.path().display()))
        })
        .collect()
}

const WORDS: [&str; 4] = ["wumpelst", "zanzibarsk", "ypsilanti", "quxocam"];

/// A folder to be forgotten beside one to be kept.
fn album() -> TestEnv {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    let secret = photo_taken(
        "astronaut.jpg",
        "2019:07:14 09:00:00",
        (43.77, 11.25),
        "Quxocam",
    );
    env.add("Zanzibarsk/Ypsilanti.jpg", secret);
    env.add("Zanzibarsk/Ypsilanti.jpg.xmp", sidecar(&["Wumpelstein"]));
    env.add("Zanzibarsk/broken-Ypsilanti.jpg", "no photo");
    env.index();
    let face = env.show("Zanzibarsk/Ypsilanti.jpg")["faces"][0]["id"].clone();
    env.run(&format!("correct {face} --emotion sad")).found();
    env
}

#[test]
fn a_forgotten_folder_leaves_no_trace_and_does_not_come_back() {
    let env = album();
    assert!(!traces(&env.path("home"), &WORDS).is_empty());
    let thumbnails = env.path("home/.cache/fer-index/thumbnails/ab");
    fs::create_dir_all(&thumbnails).unwrap();
    let orphan = thumbnails.join(format!("{}.jpg", "ab".repeat(32)));
    fs::write(&orphan, "a thumbnail").unwrap();
    let run = env.run("forget album/Zanzibarsk").found();
    assert!(
        run.text().contains("1 photo in 2 files and 1 correction"),
        "{run:?}"
    );
    assert_eq!(traces(&env.path("home"), &WORDS), [""; 0]);
    assert!(!orphan.exists());
    assert_eq!(env.query(""), ["hopper.jpg"]);
    env.run("doctor").found();

    // Neither by its name nor by what is in it.
    env.index();
    env.add("Zanzibarsk/new-Ypsilanti.jpg", fixture("chelsea.jpg"));
    fs::rename(
        env.album("Zanzibarsk/Ypsilanti.jpg"),
        env.album("moved-Ypsilanti.jpg"),
    )
    .unwrap();
    env.index();
    env.run("reindex album --json").found();
    assert_eq!(env.query(""), ["hopper.jpg"]);
    assert_eq!(traces(&env.path("home"), &WORDS), [""; 0]);
    let refused = env.run("index album/Zanzibarsk").refused();
    assert!(refused.contains("forget --undo"), "{refused}");
    assert_eq!(traces(&env.path("home"), &WORDS), [""; 0]);

    env.run("forget --undo album/Zanzibarsk").found();
    env.index();
    let mut found = env.query("");
    found.sort();
    let expected = [
        "Zanzibarsk/new-Ypsilanti.jpg",
        "hopper.jpg",
        "moved-Ypsilanti.jpg",
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_forgotten_photo_goes_with_its_copies_and_what_is_beside_it_stays() {
    let env = TestEnv::with_fixtures(&["hopper.jpg", "chelsea.jpg"]);
    env.add("copies/copy.jpg", fixture("hopper.jpg"));
    env.index();
    let run = env.run("forget album/hopper.jpg").found();
    assert!(run.text().contains("1 photo in 2 files"), "{run:?}");
    env.index();
    assert_eq!(env.query(""), ["chelsea.jpg"]);
    assert_eq!(env.run("forget album/nowhere.jpg").code, 2);
    assert_eq!(env.run("forget --undo album/chelsea.jpg").code, 1);
    env.run("forget --undo album/copies/copy.jpg").found();
    env.index();
    assert_eq!(env.query("").len(), 2);
}

#[test]
fn a_root_that_is_gone_can_be_forgotten() {
    let env = TestEnv::with_fixtures(&["chelsea.jpg"]);
    fs::create_dir(env.path("other")).unwrap();
    fs::write(env.path("other/a.jpg"), fixture("hopper.jpg")).unwrap();
    env.index();
    env.run("index other").found();
    fs::remove_dir_all(env.path("other")).unwrap();
    assert!(env.run("status").text().contains("/other"));
    env.run("forget other").found();
    assert!(!env.run("status").text().contains("/other"));
}
