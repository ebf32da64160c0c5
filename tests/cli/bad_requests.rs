//! A command that cannot be executed prints one sentence that says what to do, exits with 2, and changes nothing.

use std::fs;

use rusqlite::Connection;

use crate::common::fixture;
use crate::testenv::TestEnv;

#[test]
fn a_missing_folder_is_refused() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg"]);
    let sentence = env.run("index nowhere").refused();
    assert_eq!(sentence, "nowhere is not there; name a folder of photos");
    assert!(!env.database().exists());
    // The other folder of the command is not indexed either.
    env.index();
    fs::remove_file(env.album("astronaut.jpg")).unwrap();
    env.add("hopper.jpg", fixture("hopper.jpg"));
    env.run("index album nowhere").refused();
    assert_eq!(env.query("--emotion happy"), ["astronaut.jpg"]);
}

#[test]
fn a_query_without_an_index_is_refused() {
    let env = TestEnv::new();
    for line in ["query --emotion happy", "show album/a.jpg"] {
        let sentence = env.run(line).refused();
        assert!(sentence.contains("fer-index index DIR"), "{sentence}");
    }
    assert_eq!(fs::read_dir(env.path("home")).unwrap().count(), 0);
}

#[test]
fn show_refuses_a_photo_that_is_not_in_the_index() {
    let env = TestEnv::with_fixtures(&["chelsea.jpg"]);
    env.index();
    let sentence = env.run("show album/other.jpg").refused();
    let hint = format!("run fer-index index {}", env.path("album").display());
    assert!(sentence.ends_with(&hint), "{sentence}");
}

#[test]
fn invalid_values_of_flags_are_refused() {
    let env = TestEnv::new();
    for (line, hints) in [
        ("query --emotion hapy", ["hapy", "happy"]),
        (
            "query --emotion sad --since 2019-02-30",
            ["2019-02-30", "2019-07-14"],
        ),
        (
            "query --emotion sad --until sometime",
            ["sometime", "2019-07-14"],
        ),
        (
            "query --emotion sad --min-score 50",
            ["50", "between 0 and 1"],
        ),
        ("query --faces 5..2", ["5..2", "2..5"]),
        ("query --within 5", ["--near", "required"]),
        ("query --away=far", ["far", "km"]),
        ("find", ["WORD", "required"]),
        ("export", ["--xmp", "required"]),
        ("classify", ["FILE", "required"]),
        ("indx album", ["indx", "'index'"]),
    ] {
        let run = env.run(line);
        assert!(run.code == 2 && run.stdout.is_empty(), "{line}: {run:?}");
        for hint in hints {
            assert!(run.stderr.contains(hint), "{line}: {run:?}");
        }
    }
}

#[test]
fn a_database_that_cannot_be_opened_is_refused() {
    let env = TestEnv::with_fixtures(&["chelsea.jpg"]);
    fs::write(env.path("file"), "").unwrap();
    for (database, complaint) in [
        ("file/index.sqlite3", "cannot be created"),
        ("album", "cannot be created"),
        ("album/chelsea.jpg", "is not a database"),
    ] {
        let sentence = env
            .run(&format!("index album --database {database}"))
            .refused();
        assert!(sentence.contains(complaint), "{sentence}");
        assert!(sentence.contains("--database"), "{sentence}");
    }
    let chelsea = fs::read(env.album("chelsea.jpg")).unwrap();
    assert_eq!(chelsea, fixture("chelsea.jpg"));
    assert_eq!(fs::read_dir(env.path("album")).unwrap().count(), 1);
}

#[test]
fn a_database_of_a_newer_version_is_refused() {
    let env = TestEnv::with_fixtures(&["chelsea.jpg"]);
    env.index();
    let newer = Connection::open(env.database()).unwrap();
    newer.pragma_update(None, "user_version", 999).unwrap();
    drop(newer);
    let before = fs::read(env.database()).unwrap();
    for line in [
        "index album",
        "query --emotion happy",
        "show album/chelsea.jpg",
    ] {
        let sentence = env.run(line).refused();
        assert!(
            sentence.contains("newer fer-index (schema 999"),
            "{sentence}"
        );
        assert!(sentence.contains("update fer-index"), "{sentence}");
    }
    assert_eq!(fs::read(env.database()).unwrap(), before);
}

#[cfg(unix)]
#[test]
fn a_read_only_database_is_refused() {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    let mut env = TestEnv::with_fixtures(&["astronaut.jpg"]);
    env.index();
    if !env.heed_permissions() {
        return;
    }
    fs::set_permissions(env.database(), Permissions::from_mode(0o400)).unwrap();
    fs::write(env.album("new.jpg"), fixture("hopper.jpg")).unwrap();
    let sentence = env.run("index album").refused();
    assert!(sentence.contains("is read-only; make it"), "{sentence}");
    assert_eq!(env.query("--emotion happy"), ["astronaut.jpg"]);

    fs::set_permissions(env.path("home"), Permissions::from_mode(0o500)).unwrap();
    let sentence = env.run("index album --database home/new/index").refused();
    assert!(sentence.contains("cannot be created"), "{sentence}");
}
