//! A command that cannot be executed prints one sentence that says what to do, exits with 2, and changes nothing.

use std::fs;

use rusqlite::Connection;

use crate::common::fixture;
use crate::testenv::{Run, TestEnv};

#[test]
fn a_missing_folder_is_refused() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg"]);
    let sentence = env.run("index nowhere").refused();
    assert_eq!(sentence, "nowhere is not there; name a folder of photos");
    assert!(!env.database().exists());
    // The command's other folder is not indexed either.
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

#[cfg(unix)]
#[test]
fn what_is_neither_a_folder_nor_a_file_is_no_root() {
    let env = TestEnv::new();
    let sentence = env.run("index /dev/null").refused();
    assert!(
        sentence.contains("neither a folder nor a file"),
        "{sentence}"
    );
    assert!(!env.database().exists());
}

#[test]
fn an_empty_file_is_not_made_a_database_by_reading_it() {
    let env = TestEnv::new();
    fs::write(env.path("empty"), "").unwrap();
    for line in ["query --count", "status", "show album/a.jpg"] {
        let sentence = env.run(&format!("{line} --database empty")).refused();
        assert!(sentence.contains("empty is empty"), "{sentence}");
    }
    assert_eq!(fs::metadata(env.path("empty")).unwrap().len(), 0);
    let sentence = env.run("query --count --database album").refused();
    assert!(sentence.contains("is a folder"), "{sentence}");
}

/// `/dev/full` refuses every byte.
#[cfg(target_os = "linux")]
#[test]
fn a_full_stderr_ends_no_command() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg"]);
    env.index();
    for (line, code) in [
        ("query --limit 2", 0),
        ("find happy", 0),
        ("show album/nope.jpg", 2),
        ("classify album/nope.jpg", 2),
        ("index nowhere", 2),
    ] {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let status = env.command(line).stderr(full).status().unwrap();
        assert_eq!(status.code(), Some(code), "{line}");
    }
}

#[test]
fn of_several_photos_those_that_are_not_in_the_index_are_in_the_array_too() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg"]);
    env.index();
    let run = env.run("show album/astronaut.jpg album/nope.jpg --json");
    let shown: serde_json::Value = serde_json::from_str(run.text()).unwrap();
    assert!(
        shown[1]["path"].as_str().unwrap().ends_with("nope.jpg"),
        "{shown}"
    );
    assert!(
        shown[1]["error"]
            .as_str()
            .unwrap()
            .contains("fer-index index"),
        "{shown}"
    );
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
        ("query --emotion sad --min-score 150", ["150", "0.9 or 90%"]),
        ("query --faces 5..2", ["5..2", "2..5"]),
        ("query --limit=-1", ["-1", "whole number"]),
        ("query --offset=many", ["many", "whole number"]),
        ("query --min-face-size=nan", ["nan", "write for example 40"]),
        ("query --min-face-size=-3", ["-3", "write for example 40"]),
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
    use std::io::{BufRead as _, BufReader};
    use std::os::unix::fs::PermissionsExt;
    use std::process::Stdio;

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

    // A backup in a folder that may not be written, without SQLite's companions or with them.
    let backup = env.path("backup");
    fs::create_dir(&backup).unwrap();
    for companions in [&[][..], &["-wal"], &["-wal", "-shm"]] {
        fs::set_permissions(&backup, Permissions::from_mode(0o700)).unwrap();
        for entry in fs::read_dir(&backup).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
        let of = |ending: &str| format!("{}{ending}", env.database().display());
        fs::set_permissions(env.database(), Permissions::from_mode(0o600)).unwrap();
        let reader = Connection::open(env.database()).unwrap();
        let count: u32 = reader
            .query_row("SELECT count(*) FROM files", [], |row| row.get(0))
            .unwrap();
        let mut found = 1;
        if !companions.is_empty() {
            // Rows that are written while another program reads stay in the write-ahead log.
            fs::write(env.album(format!("{count}.jpg")), fixture("hopper.jpg")).unwrap();
            env.index();
            found = env.query("").len();
            assert!(fs::metadata(of("-wal")).unwrap().len() > 0);
        }
        for ending in [""].iter().chain(companions) {
            let copy = backup.join(format!("index.sqlite3{ending}"));
            fs::copy(of(ending), &copy).unwrap();
            fs::set_permissions(copy, Permissions::from_mode(0o444)).unwrap();
        }
        drop(reader);
        fs::set_permissions(&backup, Permissions::from_mode(0o555)).unwrap();
        let names = env.query("--database backup/index.sqlite3");
        assert_eq!(names.len(), found, "{companions:?}: {names:?}");
        let happy = env.query("--emotion happy --database backup/index.sqlite3");
        assert_eq!(happy, ["astronaut.jpg"], "{companions:?}");
        env.run("stats --database backup/index.sqlite3").found();
        let sentence = env
            .run("correct 1 -e sad --database backup/index.sqlite3")
            .refused();
        assert!(sentence.contains("is read-only"), "{sentence}");
        let sentence = env
            .run("index album --database backup/index.sqlite3")
            .refused();
        assert!(sentence.contains("is read-only"), "{sentence}");
        let mut gallery = env
            .command("gallery --no-open --listen 127.0.0.1:0 --database backup/index.sqlite3")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut link = String::new();
        let mut lines = BufReader::new(gallery.stdout.take().unwrap());
        lines.read_line(&mut link).unwrap();
        gallery.kill().unwrap();
        let message = gallery.wait_with_output().unwrap();
        let message = String::from_utf8(message.stderr).unwrap();
        assert!(link.starts_with("http://127.0.0.1:"), "{link} {message}");
        assert!(
            message.contains("corrections cannot be stored"),
            "{message}"
        );
        assert_eq!(
            fs::read_dir(&backup).unwrap().count(),
            1 + companions.len(),
            "{companions:?}"
        );
    }
    fs::set_permissions(&backup, Permissions::from_mode(0o700)).unwrap();

    fs::set_permissions(env.path("home"), Permissions::from_mode(0o500)).unwrap();
    let sentence = env.run("index album --database home/new/index").refused();
    assert!(sentence.contains("cannot be created"), "{sentence}");
}

#[test]
fn an_empty_value_finds_nothing_rather_than_everything() {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    env.index();
    for flag in ["--under", "--album", "--camera"] {
        let mut command = env.command("query");
        command.args([flag, ""]);
        let run = Run::of(&mut command);
        assert!(
            run.code == 2 && run.stderr.contains("it is empty"),
            "{flag}: {run:?}"
        );
    }
}
