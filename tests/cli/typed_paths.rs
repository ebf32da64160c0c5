//! Every command accepts a path as it was printed, through any symbolic link, and with composed or decomposed accents.

use std::fs;
use std::os::unix::fs::symlink;

use crate::common::fixture;
use crate::testenv::TestEnv;

/// "Österreich" as a Mac writes it: the accent is a character of its own.
const DECOMPOSED: &str = "O\u{308}sterreich";
const COMPOSED: &str = "\u{d6}sterreich";

/// An album with a link to a folder on another disk, and a folder with the decomposed name of a Mac.
fn album() -> TestEnv {
    let env = TestEnv::new();
    for (folder, name, photo) in [
        ("disk/trip", "1.jpg", "astronaut.jpg"),
        (&format!("album/{DECOMPOSED}"), "2.jpg", "hopper.jpg"),
    ] {
        fs::create_dir_all(env.path(folder)).unwrap();
        fs::write(env.path(folder).join(name), fixture(photo)).unwrap();
    }
    symlink(env.path("disk/trip"), env.album("link")).unwrap();
    symlink(env.path("album"), env.path("short")).unwrap();
    env.run("index album --json").found();
    env
}

/// Runs a command line and returns the printed paths, which contain no spaces.
fn printed(env: &TestEnv, line: &str) -> Vec<String> {
    let run = env.run(line);
    assert!(run.code <= 1 && run.stderr.is_empty(), "{run:?}");
    run.text().lines().map(str::to_owned).collect()
}

#[test]
fn a_photo_behind_a_link_is_found_by_each_of_its_paths() {
    let env = album();
    let stored = env.album("link/1.jpg").display().to_string();
    let only = std::slice::from_ref(&stored);
    let all = printed(&env, "query --format paths --under album");
    assert!(all.contains(&stored), "{all:?}");
    for path in [
        stored.as_str(),
        "album/link/1.jpg",
        "short/link/1.jpg",
        "disk/trip/1.jpg",
        "album/../short/link/1.jpg",
    ] {
        let shown = env.run(&format!("show --json {path}")).found().json();
        assert_eq!(shown["paths"][0]["path"], *stored, "{path}: {shown}");
    }
    for folder in ["album/link", "short/link", "disk/trip", "disk/trip/"] {
        let under = format!("query --format paths --under {folder}");
        assert_eq!(printed(&env, &under), only, "{folder}");
    }
    assert_eq!(printed(&env, "query --format paths --album link"), only);
}

#[test]
fn indexing_a_folder_by_another_path_updates_its_rows_in_place() {
    let env = album();
    let before = printed(&env, "query --format paths --limit 100");
    assert_eq!(before.len(), 2);
    for command in ["index", "reindex"] {
        for path in ["album/link", "disk/trip", "short/link/1.jpg", "short"] {
            env.run(&format!("{command} {path} --json")).found();
            let after = printed(&env, "query --format paths --limit 100");
            assert_eq!(after, before, "{command} {path}");
        }
        let path = format!("album/{COMPOSED}");
        let summary = env.run(&format!("{command} {path} --json")).found().json();
        assert_eq!(summary["gone"], 0, "{summary}");
        assert_eq!(printed(&env, "query --format paths --limit 100"), before);
    }
    let run = env.run("index album/nowhere");
    assert!(run.refused().contains("is not there"));
}

#[test]
fn names_are_found_however_their_accents_are_written() {
    let env = album();
    let stored = env
        .album(format!("{DECOMPOSED}/2.jpg"))
        .display()
        .to_string();
    let only = std::slice::from_ref(&stored);
    for name in [COMPOSED, DECOMPOSED] {
        let shown = env.run(&format!("show --json album/{name}/2.jpg"));
        assert_eq!(shown.found().json()["paths"][0]["path"], *stored, "{name}");
        let lower = name.to_lowercase();
        for filter in [
            format!("--under album/{name}"),
            format!("--album {name}"),
            format!("--album {lower}"),
            format!("--text {name}"),
        ] {
            let found = printed(&env, &format!("query --format paths {filter}"));
            assert_eq!(found, only, "{filter}");
        }
    }
    let export = format!("export --xmp --all --under album/{COMPOSED}");
    assert_eq!(env.run(&export).code, 0);
    assert!(env.album(format!("{DECOMPOSED}/2.jpg.xmp")).exists());
}
