//! Indexing again: only new and changed files are processed.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::common::fixture;
use crate::testenv::TestEnv;

const PHOTOS: [&str; 3] = ["astronaut.jpg", "chelsea.jpg", "hopper.jpg"];

/// The counts of a run that are not 0.
fn counts(summary: &Value) -> Value {
    let mut counts = summary.clone();
    let is_telling = |name: &String, value: &mut Value| {
        name != "seconds" && *value != json!(0) && *value != json!({})
    };
    counts.as_object_mut().unwrap().retain(is_telling);
    counts
}

fn indexed() -> TestEnv {
    let env = TestEnv::with_fixtures(&PHOTOS);
    assert_eq!(counts(&env.index()), json!({"photos": 3, "faces": 2}));
    env
}

#[test]
fn the_second_run_processes_nothing() {
    let env = indexed();
    env.add("broken.jpg", "Dear diary");
    let broken = json!({"not an image": 1});
    assert_eq!(
        counts(&env.index()),
        json!({"unchanged": 3, "skipped": broken})
    );
    assert_eq!(counts(&env.index()), json!({"unchanged": 4}));
}

#[test]
fn a_changed_file_is_processed_again() {
    let env = indexed();
    env.add("chelsea.jpg", fixture("camera.jpg"));
    assert_eq!(
        counts(&env.index()),
        json!({"photos": 1, "faces": 1, "unchanged": 2})
    );
    assert!(
        env.query("--emotion happy --all")
            .contains(&"chelsea.jpg".to_owned())
    );

    // Touched, but with the same content: hashed, but not processed.
    let file = File::options()
        .write(true)
        .open(env.album("hopper.jpg"))
        .unwrap();
    let hour_ago = SystemTime::now() - Duration::from_hours(1);
    file.set_modified(hour_ago).unwrap();
    assert_eq!(counts(&env.index()), json!({"known": 1, "unchanged": 2}));
}

#[test]
fn a_deleted_file_leaves_the_results() {
    let env = indexed();
    fs::remove_file(env.album("astronaut.jpg")).unwrap();
    assert_eq!(counts(&env.index()), json!({"gone": 1, "unchanged": 2}));
    assert_eq!(env.query("--emotion happy --all"), ["hopper.jpg"]);
    let sentence = env.run("show album/astronaut.jpg").refused();
    assert!(sentence.contains("is not in the index"), "{sentence}");

    // The file is restored: the index still has its content.
    env.add("astronaut.jpg", fixture("astronaut.jpg"));
    assert_eq!(counts(&env.index()), json!({"known": 1, "unchanged": 2}));
    assert_eq!(
        env.query("--emotion happy --all"),
        ["astronaut.jpg", "hopper.jpg"]
    );
}

#[test]
fn a_moved_or_copied_file_is_not_processed_again() {
    let env = indexed();
    let face = env.show("astronaut.jpg")["faces"][0].clone();
    fs::create_dir(env.album("space")).unwrap();
    fs::rename(env.album("astronaut.jpg"), env.album("space/a.jpg")).unwrap();
    fs::copy(env.album("hopper.jpg"), env.album("copy.jpg")).unwrap();
    assert_eq!(
        counts(&env.index()),
        json!({"known": 2, "gone": 1, "unchanged": 2})
    );
    assert_eq!(env.show("space/a.jpg")["faces"][0], face, "id and all");
    let paths = env.show("copy.jpg")["paths"].clone();
    assert_eq!(paths.as_array().unwrap().len(), 2);
    // A photo is one result, regardless of the number of copies.
    assert_eq!(env.query("--emotion happy --all").len(), 2);
}

#[test]
fn copies_in_one_run_are_processed_once() {
    let env = TestEnv::new();
    for name in ["a.jpg", "b.jpg", "c/d.jpg"] {
        env.add(name, fixture("astronaut.jpg"));
    }
    assert_eq!(
        counts(&env.index()),
        json!({"photos": 1, "faces": 1, "known": 2})
    );
}

#[test]
fn reindex_processes_everything_again() {
    let env = indexed();
    let before = env.show("hopper.jpg");
    let again = env.run("reindex album --json").found().json();
    assert_eq!(counts(&again), json!({"photos": 3, "faces": 2}));
    let after = env.show("hopper.jpg");
    assert_eq!(after["faces"], before["faces"], "the numbers of faces stay");
    assert_eq!(counts(&env.index()), json!({"unchanged": 3}));
}

#[test]
fn nested_folders_are_processed_once() {
    let env = TestEnv::new();
    env.add("a.jpg", fixture("astronaut.jpg"));
    env.add("sub/b.jpg", fixture("hopper.jpg"));
    let run = env.run("index album/sub album album --json").found();
    assert_eq!(counts(&run.json()), json!({"photos": 2, "faces": 2}));
    // A run over another folder does not remove photos elsewhere.
    let run = env.run("index album/sub --json").found();
    assert_eq!(counts(&run.json()), json!({"unchanged": 1}));
    assert_eq!(env.query("--emotion happy --all").len(), 2);
}

#[test]
fn cyclic_links_are_followed_once() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg"]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        fs::create_dir(env.album("sub")).unwrap();
        symlink("..", env.album("sub/up")).unwrap();
        symlink(".", env.album("here")).unwrap();
        symlink("nowhere.jpg", env.album("dangling.jpg")).unwrap();
        symlink("self.jpg", env.album("self.jpg")).unwrap();
    }
    let summary = env.index();
    assert_eq!(
        (&summary["photos"], &summary["known"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(env.query("--emotion happy --all"), ["astronaut.jpg"]);
}
