//! A backup is written to a free name, and restored only where nothing uses the database.

use std::fs::{self, File};

use crate::testenv::{Run, TestEnv};

#[test]
fn a_backup_brings_back_the_index_with_its_corrections() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg", "hopper.jpg"]);
    env.index();
    let face = env.show("hopper.jpg")["faces"][0]["id"].clone();
    env.run(&format!("correct {face} --emotion sad")).found();
    let run = env.run("backup copies/index.sqlite3").found();
    assert!(run.text().contains("2 photos and 1 correction"), "{run:?}");
    let refused = env.run("backup copies/index.sqlite3").refused();
    assert!(refused.contains("is not replaced"), "{refused}");
    let refused = env.run("backup album/hopper.jpg").refused();
    assert!(refused.contains("is not replaced"), "{refused}");
    let refused = env.run("backup -").refused();
    assert!(refused.contains("name a file"), "{refused}");
    let database = env.database();
    let refused = env
        .run(&format!("restore {}", database.display()))
        .refused();
    assert!(refused.contains("is the database itself"), "{refused}");
    let refused = env.run("restore album/hopper.jpg").refused();
    assert!(
        refused.contains("name a file that fer-index backup has written"),
        "{refused}"
    );

    env.run(&format!("undo {face}")).found();
    fs::remove_file(env.album("astronaut.jpg")).unwrap();
    env.index();
    let run = env.run("restore copies/index.sqlite3").found();
    assert!(run.text().contains("index (1).sqlite3"), "{run:?}");
    assert_eq!(env.show("hopper.jpg")["faces"][0]["correction"], "sad");
    assert_eq!(env.query("").len(), 2);
    env.index();
    assert_eq!(env.query(""), ["hopper.jpg"]);

    // A machine without an index.
    fs::remove_dir_all(env.path("home/.local")).unwrap();
    env.run("restore copies/index.sqlite3").found();
    assert_eq!(env.query("").len(), 2);
}

#[test]
fn nothing_is_restored_while_a_daemon_runs() {
    let env = TestEnv::with_fixtures(&["chelsea.jpg"]);
    env.index();
    env.run("backup copy.sqlite3").found();
    let mut name = env.database().into_os_string();
    name.push(".lock");
    fs::write(&name, "process 1, version 0\n").unwrap();
    let lock = File::open(&name).unwrap();
    lock.lock().unwrap();
    let refused = env.run("restore copy.sqlite3").refused();
    assert!(refused.contains("a daemon (process 1"), "{refused}");
    drop(lock);
    env.run("restore copy.sqlite3").found();
}

#[test]
fn without_a_database_recovering_and_examining_say_so() {
    let env = TestEnv::new();
    let refused = env.run("doctor --recover").refused();
    assert!(refused.contains("nothing is indexed yet"), "{refused}");
    let run = env.run("doctor --json");
    assert_eq!(run.code, 2, "{run:?}");
    let error = run.json()["error"].as_str().unwrap().to_owned();
    assert!(error.contains("nothing is indexed yet"), "{error}");
    assert!(!env.path("home/.local").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_limit_of_the_size_of_files_is_reported_like_a_failing_disk() {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    env.index();
    let program = env!("CARGO_BIN_EXE_fer-index");
    let mut shell = std::process::Command::new("sh");
    env.place(&mut shell);
    let limited = format!("ulimit -f 200; exec {program} backup copy.sqlite3");
    // No signal ends it.
    let sentence = Run::of(shell.args(["-c", &limited])).refused();
    assert!(sentence.contains("no copy of the database"), "{sentence}");
    assert!(!env.path("copy.sqlite3").exists());
}
