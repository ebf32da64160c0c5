//! The index keeps the photos of a disk that is unmounted.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common::{fixture, skip};
use crate::harness::{
    Daemon, faces, files, index_times, numbered, portrait, report, size, status, wait_until,
};
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
fn promise_6_a_root_that_was_offline_keeps_its_rows() {
    let env = TestEnv::new();
    let count = size(5, 1000);
    fill(&env, count);
    let daemon = Daemon::start(&env);
    wait_until("all photos", || files(&env) == count as i64);
    let (before, faces_before) = (index_times(&env), faces(&env));

    fs::rename(env.path("album"), env.path("away")).unwrap();
    wait_until("offline", || state(&env) == "offline");
    // Like a mount point on which nothing is mounted.
    fs::create_dir(env.path("album")).unwrap();
    let shown = env.run("query --emotion happy --all --format paths --limit 100000");
    assert_eq!(shown.text().lines().count(), count);
    assert!(daemon.log().contains("stay in the index"));
    daemon.stop();

    // Neither a start of the daemon nor a run of `index` treats the photos below an empty root as deleted.
    let daemon = Daemon::start(&env);
    assert_eq!(state(&env), "offline");
    let run = env.run("index album --json");
    assert_eq!(run.json()["gone"], 0);
    assert!(run.stderr.contains("as if it was not mounted"), "{run:?}");

    fs::remove_dir(env.path("album")).unwrap();
    fs::rename(env.path("away"), env.path("album")).unwrap();
    wait_until("back", || state(&env) == "watching");
    env.add("new.jpg", fixture("chelsea.jpg"));
    wait_until("the new photo", || files(&env) == count as i64 + 1);
    assert_eq!(index_times(&env)[..count], before[..]);
    assert_eq!(faces(&env), faces_before);
    assert_eq!(
        daemon.log().matches("is back").count(),
        1,
        "{}",
        daemon.log()
    );
    report(
        "6",
        format!(
            "{count} photos, root absent and back: all rows and numbers kept, none processed again"
        ),
    );
}

#[test]
fn promise_6_an_unmounted_root_keeps_its_rows() {
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
        skip("this user may not mount");
        return;
    }
    let unmount = Unmount(Path::new(album));
    fill(&env, 3);
    let daemon = Daemon::start(&env);
    wait_until("all photos", || files(&env) == 3);
    let before = index_times(&env);
    drop(unmount);
    wait_until("offline", || state(&env) == "offline");
    assert_eq!(files(&env), 3);
    assert!(mount(&["mount", "--bind", disk.to_str().unwrap(), album]));
    let _unmount = Unmount(Path::new(album));
    wait_until("back", || state(&env) == "watching");
    env.add("new.jpg", fixture("chelsea.jpg"));
    wait_until("the new photo", || files(&env) == 4);
    assert_eq!(index_times(&env)[..3], before[..]);
    daemon.stop();
}

struct Unmount<'a>(&'a Path);

impl Drop for Unmount<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0).status();
    }
}
