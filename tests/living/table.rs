//! Changes that users made to their albums, and that an earlier version did not follow: one test for each, with real
//! photos and the built-in detector. Marked folders and files with odd names are tested in `tests/cli/exclusions.rs`
//! and `tests/daemon/following.rs`.

use std::cell::RefCell;
use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::common::fixture;
use crate::harness::{Daemon, index_times};
use crate::testenv::TestEnv;
use crate::tools::{self, exiftool, exiv2};

/// Waits until all changes so far are in the index.
fn wait_until_fresh(env: &TestEnv) {
    let run = env.run("query --emotion happy --all --fresh --fresh-within 200");
    assert!(run.code <= 1, "{run:?}");
}

/// The only face of a photo.
#[track_caller]
fn face(env: &TestEnv, name: &str) -> Value {
    let shown = env.show(name);
    assert_eq!(shown["faces"].as_array().unwrap().len(), 1, "{shown}");
    shown["faces"][0].clone()
}

/// Makes the changes of a test and checks the result: once while a daemon runs, and once with a run of `index`
/// afterwards.
fn with_and_without_daemon(
    album: impl Fn() -> TestEnv,
    change: impl Fn(&TestEnv),
    expect: impl Fn(&TestEnv),
) {
    let env = album();
    let daemon = Daemon::start(&env);
    change(&env);
    wait_until_fresh(&env);
    expect(&env);
    drop(daemon);

    let env = album();
    change(&env);
    env.index();
    expect(&env);
}

#[test]
fn row_1_a_renamed_folder_is_found_by_its_new_name_only() {
    let album = || {
        let env = TestEnv::new();
        env.add("Lisbon/1.jpg", fixture("hopper.jpg"));
        env.index();
        env
    };
    let rename = |env: &TestEnv| fs::rename(env.album("Lisbon"), env.album("Porto")).unwrap();
    with_and_without_daemon(album, rename, |env| {
        for option in ["--album", "--text"] {
            assert_eq!(env.query(&format!("{option} porto")), ["Porto/1.jpg"]);
            let before = env.run(&format!("query --format paths {option} lisbon"));
            assert_eq!(before.text(), "", "{before:?}");
        }
    });
}

#[test]
fn row_2_a_corrected_photo_that_is_rated_or_tagged_keeps_numbers_and_correction() {
    if !tools::are_installed() {
        return;
    }
    // The numbers of the faces depend on which of the photos is stored first.
    let before = RefCell::new(Vec::new());
    let faces = |env: &TestEnv| {
        ["astronaut.jpg", "hopper.jpg"]
            .map(|name| face(env, name))
            .to_vec()
    };
    let album = || {
        let env = TestEnv::with_fixtures(&["astronaut.jpg", "hopper.jpg"]);
        env.index();
        for name in ["astronaut.jpg", "hopper.jpg"] {
            let id = &face(&env, name)["id"];
            env.run(&format!("correct {id} --emotion disgust")).found();
        }
        before.replace(faces(&env));
        env
    };
    let tag = |env: &TestEnv| {
        let description = "set Exif.Image.ImageDescription Ascii Graduation";
        exiv2(&[], description, &env.album("astronaut.jpg"));
        exiftool(&["-Rating=5", "-Subject=Admiral"], &env.album("hopper.jpg"));
    };
    with_and_without_daemon(album, tag, |env| {
        let expected = before.borrow();
        assert_eq!(
            faces(env),
            *expected,
            "numbers, boxes, scores and corrections"
        );
        assert_eq!(env.query("--text graduation"), ["astronaut.jpg"]);
        assert_eq!(env.query("--text admiral"), ["hopper.jpg"]);
    });
}

#[test]
fn row_3_tags_written_with_the_time_kept_are_read() {
    if !tools::are_installed() {
        return;
    }
    let album = || {
        let env = TestEnv::with_fixtures(&["hopper.jpg", "coffee.jpg"]);
        for name in ["hopper.jpg", "coffee.jpg"] {
            exiv2(
                &[],
                "set Exif.Image.ImageDescription Ascii before",
                &env.album(name),
            );
            let file = File::options().write(true).open(env.album(name)).unwrap();
            // exiv2 keeps the time in whole seconds.
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            let hour_ago = now.unwrap().as_secs() - 3600;
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(hour_ago))
                .unwrap();
        }
        env.index();
        env
    };
    let tag = |env: &TestEnv| {
        // As many letters as before, so that size, modification time and inode stay.
        let path = env.album("hopper.jpg");
        let stat = || {
            fs::metadata(&path)
                .map(|m| (m.len(), m.modified().unwrap()))
                .unwrap()
        };
        let before = stat();
        exiv2(
            &["-k"],
            "set Exif.Image.ImageDescription Ascii island",
            &path,
        );
        assert_eq!(stat(), before);
        exiftool(
            &["-P", "-ImageDescription=harbor"],
            &env.album("coffee.jpg"),
        );
    };
    with_and_without_daemon(album, tag, |env| {
        assert_eq!(env.query("--text island"), ["hopper.jpg"]);
        assert_eq!(env.query("--text harbor"), ["coffee.jpg"]);
        assert_eq!(env.query("--text before"), [""; 0]);
        let content = env.show("hopper.jpg")["content"].clone();
        let bytes = fs::read(env.album("hopper.jpg")).unwrap();
        let hash = fer_index::photo::ContentHash::of(&bytes).to_string();
        assert_eq!(content, hash);
    });
}

#[test]
fn row_4_a_sidecar_that_is_written_after_the_photo_was_indexed_is_read_also_that_of_a_copy() {
    if !tools::are_installed() {
        return;
    }
    let album = || {
        let env = TestEnv::with_fixtures(&["hopper.jpg"]);
        env.add("copy/hopper.jpg", fixture("hopper.jpg"));
        env.index();
        env
    };
    let write = |env: &TestEnv| {
        exiftool(&["-Subject=Meadow"], &env.album("hopper.jpg.xmp"));
        exiftool(&["-Subject=Forest"], &env.album("copy/hopper.xmp"));
    };
    let times = |env: &TestEnv| index_times(env);
    let before = times(&album()).len();
    with_and_without_daemon(album, write, |env| {
        for word in ["meadow", "forest"] {
            assert_eq!(env.query(&format!("--text {word}")).len(), 1, "{word}");
        }
        assert_eq!(times(env).len(), before);
    });
}

#[test]
fn row_5_a_drive_with_other_device_and_inode_numbers_is_not_read_again() {
    let env = TestEnv::with_fixtures(&["hopper.jpg", "coffee.jpg"]);
    env.index();
    let before = index_times(&env);
    let database = Connection::open(env.database()).unwrap();
    let other_numbers = "UPDATE files SET device = device + 1, inode = inode + 7";
    database.execute_batch(other_numbers).unwrap();
    let summary = env.index();
    assert_eq!(
        (&summary["unchanged"], &summary["known"]),
        (&json!(2), &json!(0))
    );
    assert_eq!(index_times(&env), before);
}

#[test]
fn row_6_a_path_through_a_link_works_as_it_was_printed_and_as_its_target() {
    let env = TestEnv::with_fixtures(&["coffee.jpg"]);
    let target = env.path("drive/photos");
    fs::create_dir_all(&target).unwrap();
    fs::write(target.join("1.jpg"), fixture("hopper.jpg")).unwrap();
    std::os::unix::fs::symlink(&target, env.album("linked")).unwrap();
    env.index();
    assert_eq!(env.query("--emotion happy --all"), ["linked/1.jpg"]);
    for path in ["album/linked/1.jpg", "drive/photos/1.jpg"] {
        let shown = env.run(&format!("show --json {path}")).found().json();
        assert_eq!(shown["faces"].as_array().unwrap().len(), 1, "{path}");
    }
    for folder in ["album/linked", "drive/photos"] {
        let found = env.query(&format!("--emotion happy --all --under {folder}"));
        assert_eq!(found, ["linked/1.jpg"], "{folder}");
    }
    let before = env.show("linked/1.jpg");
    env.run("reindex album/linked --json").found();
    let after = env.show("linked/1.jpg");
    assert_eq!(
        (&after["paths"], &after["faces"]),
        (&before["paths"], &before["faces"])
    );
    assert_eq!(env.index()["unchanged"], 2);
}

#[test]
fn row_7_names_are_found_in_either_form_of_their_accents() {
    let env = TestEnv::new();
    // The folder's name as a Mac writes it: O and a combining diaeresis.
    env.add("O\u{308}sterreich/1.jpg", fixture("hopper.jpg"));
    env.index();
    let found = ["O\u{308}sterreich/1.jpg"];
    for name in ["\u{d6}sterreich", "O\u{308}sterreich", "\u{f6}sterreich"] {
        assert_eq!(env.query(&format!("--album {name}")), found, "{name}");
        assert_eq!(env.query(&format!("--text {name}")), found, "{name}");
    }
}
