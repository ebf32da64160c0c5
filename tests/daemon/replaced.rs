//! What takes the path of a photo or a folder while the daemon runs.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::Instant;

use exif::Tag;
use serde_json::Value;

use crate::common::exif_block::ExifBlock;
use crate::common::{fixture, jpeg, jpeg_with_exif, photo};
use crate::harness::{Daemon, add_indexed, files, number, report, size, wait_until};
use crate::testenv::TestEnv;

fn wait_until_fresh(env: &TestEnv) {
    let run = env.run("query --emotion happy --all --fresh --fresh-within 200");
    assert!(run.code <= 1, "{run:?}");
}

/// A JPEG of a camera that writes no fraction of the second.
fn taken(jpeg: &[u8]) -> Vec<u8> {
    let block = ExifBlock::new()
        .with_date("2009:05:06 10:11:12", "", "")
        .with_text(Tag::Model, "EOS 5D");
    jpeg_with_exif(jpeg, &block.bytes())
}

/// A brighter picture of the same size.
fn edit() -> Vec<u8> {
    let mut bright = photo("astronaut.jpg");
    for value in bright.iter_mut() {
        *value = value.saturating_add(20);
    }
    taken(&jpeg(bright))
}

fn correction(env: &TestEnv, name: &str) -> Value {
    env.show(name)["faces"][0]["correction"].clone()
}

#[test]
fn an_edit_that_comes_late_to_the_path_of_a_corrected_photo_keeps_the_correction() {
    type Step = fn(&TestEnv);
    let ways: [(&str, Step, Step); 3] = [
        (
            "the photo was deleted before",
            |env| fs::remove_file(env.album("a.jpg")).unwrap(),
            |env| drop(env.add("a.jpg", edit())),
        ),
        (
            "the photo was renamed before",
            |env| fs::rename(env.album("a.jpg"), env.album("a_old.jpg")).unwrap(),
            |env| drop(env.add("a.jpg", edit())),
        ),
        (
            "the edit had another name before",
            |env| drop(env.add("temporary.jpg", edit())),
            |env| fs::rename(env.album("temporary.jpg"), env.album("a.jpg")).unwrap(),
        ),
    ];
    for (way, before, after) in ways {
        let env = TestEnv::with_fixtures(&["hopper.jpg"]);
        env.add("a.jpg", taken(&fixture("astronaut.jpg")));
        let daemon = Daemon::start(&env);
        wait_until_fresh(&env);
        let number = env.show("a.jpg")["faces"][0]["id"].clone();
        env.run(&format!("correct {number} --emotion fear")).found();
        before(&env);
        wait_until_fresh(&env);
        after(&env);
        wait_until_fresh(&env);
        wait_until(way, || correction(&env, "a.jpg") == "fear");
        daemon.stop();
        env.run("doctor").found();
    }
}

#[test]
fn what_takes_the_place_of_a_folder_or_photo_leaves_no_row_behind() {
    let env = TestEnv::new();
    for name in ["a.jpg/1.jpg", "b.txt/2.jpg", "c.jpg", "d.jpg", "stays.jpg"] {
        env.add(name, fixture("astronaut.jpg"));
    }
    let _daemon = Daemon::start(&env);
    wait_until_fresh(&env);
    assert_eq!(files(&env), 5);

    fs::rename(env.album("a.jpg"), env.path("away-a")).unwrap();
    env.add("a.jpg", fixture("hopper.jpg"));
    fs::rename(env.album("b.txt"), env.path("away-b")).unwrap();
    env.add("b.txt", "notes");
    fs::remove_file(env.album("c.jpg")).unwrap();
    symlink("c.jpg", env.album("c.jpg")).unwrap();
    fs::remove_file(env.album("d.jpg")).unwrap();
    let made = Command::new("mkfifo").arg(env.album("d.jpg")).status();
    assert!(made.unwrap().success());
    wait_until_fresh(&env);
    let left: Vec<String> = ["a.jpg/1.jpg", "b.txt/2.jpg", "c.jpg", "d.jpg"]
        .map(|name| {
            format!(
                "SELECT count(*) FROM files WHERE path = CAST('{}' AS BLOB)",
                env.album(name).display()
            )
        })
        .into_iter()
        .filter(|sql| number(&env, sql) > 0)
        .collect();
    assert_eq!(left, [""; 0]);
    assert_eq!(files(&env), 2);
    for name in ["a.jpg", "stays.jpg"] {
        assert_eq!(
            env.show(name)["paths"][0]["path"],
            env.album(name).to_str().unwrap()
        );
    }
}

#[test]
fn many_deleted_files_are_forgotten_together() {
    let env = TestEnv::new();
    let count = size(1500, 20_000);
    add_indexed(&env, "many", 0..count);
    let _daemon = Daemon::start(&env);
    wait_until_fresh(&env);
    assert_eq!(files(&env), count as i64);
    let start = Instant::now();
    // The folders stay.
    for folder in fs::read_dir(env.album("many")).unwrap() {
        let folder = folder.unwrap().path();
        if folder.is_dir() {
            for photo in fs::read_dir(folder).unwrap() {
                fs::remove_file(photo.unwrap().path()).unwrap();
            }
        } else {
            fs::remove_file(folder).unwrap();
        }
    }
    wait_until_fresh(&env);
    let took = start.elapsed();
    assert_eq!(files(&env), 0);
    report(
        "7",
        format!("{count} files deleted one by one: forgotten after {took:.1?}"),
    );
}
