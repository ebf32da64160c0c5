//! A disk that goes away takes nothing along.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common::fixture;
use crate::harness::{Daemon, faces, files, looks, numbered, portrait, size, status, tell, until};
use crate::testenv::TestEnv;

fn state(env: &TestEnv) -> String {
    status(env)["roots"][0]["state"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

fn fill(env: &TestEnv, count: usize) {
    let portrait = portrait();
    for n in 0..count {
        env.add(format!("{n}.jpg"), numbered(&portrait, n));
    }
}

#[test]
fn promise_6_a_root_that_goes_and_comes_back() {
    let env = TestEnv::new();
    let count = size(5, 1000);
    fill(&env, count);
    let daemon = Daemon::start(&env);
    until("all photos", || files(&env) == count as i64);
    let (before, faces_before) = (looks(&env), faces(&env));

    fs::rename(env.path("album"), env.path("away")).unwrap();
    until("offline", || state(&env) == "offline");
    // As a mount point without its disk.
    fs::create_dir(env.path("album")).unwrap();
    let shown = env.run("query --emotion happy --all --format paths --limit 100000");
    assert_eq!(shown.text().lines().count(), count);
    assert!(daemon.log().contains("stay in the index"));
    daemon.stop();

    // Neither a start nor a run by hand takes an empty mount point at its word.
    let daemon = Daemon::start(&env);
    assert_eq!(state(&env), "offline");
    let run = env.run("index album --json");
    assert_eq!(run.json()["gone"], 0);
    assert!(run.stderr.contains("as if it was not mounted"), "{run:?}");

    fs::remove_dir(env.path("album")).unwrap();
    fs::rename(env.path("away"), env.path("album")).unwrap();
    until("back", || state(&env) == "watching");
    env.add("new.jpg", fixture("chelsea.jpg"));
    until("the new photo", || files(&env) == count as i64 + 1);
    assert_eq!(looks(&env)[..count], before[..]);
    assert_eq!(faces(&env), faces_before);
    assert_eq!(
        daemon.log().matches("is back").count(),
        1,
        "{}",
        daemon.log()
    );
    tell(
        "6",
        format!("{count} photos, root away and back: all rows and numbers stay, no look"),
    );
}

#[test]
fn promise_6_with_a_real_mount() {
    let env = TestEnv::new();
    let mount = |words: &[&str]| {
        let run = Command::new(words[0]).args(&words[1..]).output();
        run.is_ok_and(|run| run.status.success())
    };
    let album = env.path("album");
    let album = album.to_str().unwrap();
    let disk = env.path("disk");
    fs::create_dir(&disk).unwrap();
    if !mount(&["mount", "--bind", disk.to_str().unwrap(), album]) {
        eprintln!("SKIPPED: this user may not mount");
        return;
    }
    let unmount = Unmount(Path::new(album));
    fill(&env, 3);
    let daemon = Daemon::start(&env);
    until("all photos", || files(&env) == 3);
    let before = looks(&env);
    drop(unmount);
    until("offline", || state(&env) == "offline");
    assert_eq!(files(&env), 3);
    assert!(mount(&["mount", "--bind", disk.to_str().unwrap(), album]));
    let _unmount = Unmount(Path::new(album));
    until("back", || state(&env) == "watching");
    env.add("new.jpg", fixture("chelsea.jpg"));
    until("the new photo", || files(&env) == 4);
    assert_eq!(looks(&env)[..3], before[..]);
    daemon.stop();
}

struct Unmount<'a>(&'a Path);

impl Drop for Unmount<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0).status();
    }
}
