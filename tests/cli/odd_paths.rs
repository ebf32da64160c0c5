//! Unexpected names, entries that are not regular files, and files that change while they are read.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use crate::common::{fixture, with_comment};
use crate::testenv::{Run, TestEnv};

/// A photo with its own content.
fn photo(number: usize) -> Vec<u8> {
    with_comment(&fixture("chelsea.jpg"), &number.to_string())
}

/// The path in a JSON object, exactly.
fn path_of(object: &Value) -> PathBuf {
    let Some(hex) = object["path_bytes"].as_str() else {
        return object["path"].as_str().unwrap().into();
    };
    let digits = hex.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    OsString::from_vec(digits.map(byte).collect()).into()
}

#[test]
fn any_name_is_indexed_found_and_shown() {
    let env = TestEnv::new();
    let long = format!("{}.jpg", "n".repeat(251));
    let deep = vec!["d".repeat(250); 14].join("/") + "/deep.jpg";
    let names: [&[u8]; 11] = [
        b"two\nlines.jpg",
        b"tab\tand\rreturn.jpg",
        b"caf\xe9 \xff.jpg",
        b"-x.jpg",
        b"--help.jpg",
        b" spaces .jpg",
        b"quote'\"$(echo)`;.jpg",
        b"\x1b[31mred.jpg",
        b"%s%n?#&.jpg",
        long.as_bytes(),
        deep.as_bytes(),
    ];
    let names = names.map(|name| Path::new(OsStr::from_bytes(name)));
    for (number, name) in names.iter().enumerate() {
        env.add(name, photo(number));
    }
    let summary = env.index();
    assert_eq!(summary["skipped"], serde_json::json!({}), "{summary}");
    let found = env.run("query --json --limit 50").found().json();
    let mut found: Vec<PathBuf> = found.as_array().unwrap().iter().map(path_of).collect();
    found.sort();
    let mut expected = names.map(|name| env.album(name)).to_vec();
    expected.sort();
    assert_eq!(found, expected);
    for path in &expected {
        let shown = Run::of(env.command("show --json").arg(path)).found().json();
        assert_eq!(path_of(&shown["paths"][0]), *path);
    }
    // Names that look like flags, within their folder.
    let mut show = env.command("show --json -- -x.jpg");
    let shown = Run::of(
        show.current_dir(env.path("album"))
            .env("HOME", env.path("home")),
    );
    assert_eq!(shown.code, 0, "{shown:?}");
    // No name breaks a list of paths.
    let list = env.run("query --limit 50 --null").found();
    let mut listed: Vec<PathBuf> = list
        .stdout
        .split(|byte| *byte == 0)
        .filter(|path| !path.is_empty())
        .map(|path| OsStr::from_bytes(path).into())
        .collect();
    listed.sort();
    assert_eq!(listed, expected);
    env.run("doctor").found();
    assert_eq!(env.index()["unchanged"], names.len());
}

#[test]
fn what_is_no_file_is_neither_opened_nor_followed_forever() {
    let env = TestEnv::with_fixtures(&["chelsea.jpg"]);
    let album = |name: &str| env.album(name);
    let pipe = Command::new("mkfifo").arg(album("pipe.jpg")).status();
    assert!(pipe.unwrap().success());
    let _socket = UnixListener::bind(album("socket.jpg")).unwrap();
    fs::create_dir_all(album("folder.jpg/inner")).unwrap();
    symlink("..", album("folder.jpg/inner/up")).unwrap();
    symlink("self.jpg", album("self.jpg")).unwrap();
    symlink("nowhere.jpg", album("dangling.jpg")).unwrap();
    symlink("/dev/zero", album("zero.jpg")).unwrap();
    symlink("pipe.jpg", album("to-pipe.jpg")).unwrap();
    let summary = env.index();
    assert_eq!(summary["photos"], 1, "{summary}");
    assert_eq!(env.query(""), ["chelsea.jpg"]);
    // Also if they are named one by one.
    for name in [
        "pipe.jpg",
        "socket.jpg",
        "self.jpg",
        "dangling.jpg",
        "zero.jpg",
    ] {
        let run = env.run(&format!("classify album/{name}"));
        assert_eq!(run.code, 2, "{name}: {run:?}");
        let run = env.run(&format!("index album/{name}"));
        assert!(run.code == 0 || run.code == 2, "{name}: {run:?}");
    }
    assert_eq!(env.query(""), ["chelsea.jpg"]);
    env.run("doctor").found();
}

#[test]
fn files_that_change_while_they_are_read_do_no_harm() {
    let env = TestEnv::with_fixtures(&["chelsea.jpg"]);
    let whole = photo(0);
    let paths =
        ["shrinks.jpg", "vanishes.jpg", "is-replaced.jpg"].map(|name| env.add(name, &whole));
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut round = 0;
            while !is_done.load(Ordering::Relaxed) {
                round += 1;
                fs::write(&paths[0], &whole[..whole.len() / (1 + round % 7)]).unwrap();
                let _ = fs::remove_file(&paths[1]);
                fs::write(&paths[1], photo(round)).unwrap();
                let draft = paths[2].with_extension("part");
                fs::write(
                    &draft,
                    if round % 2 == 0 {
                        &whole[..]
                    } else {
                        b"no photo"
                    },
                )
                .unwrap();
                fs::rename(&draft, &paths[2]).unwrap();
            }
        });
        let runs: Vec<Run> = (0..6).map(|_| env.run("index album")).collect();
        is_done.store(true, Ordering::Relaxed);
        for run in runs {
            assert_eq!(run.code, 0, "{run:?}");
        }
    });
    for (path, number) in paths.iter().zip(1..) {
        fs::write(path, photo(number)).unwrap();
    }
    env.index();
    assert_eq!(env.query("").len(), 4);
    env.run("doctor").found();
}
