//! The index keeps the photos of a disk that is unmounted.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use fer_index::album::{AlbumFilter, AlbumFilterSettings};
use fer_index::pipeline::Comparison;
use fer_index::store::{Models, Store};
use rusqlite::Connection;
use serde_json::Value;

use crate::common::{fixture, skip};
use crate::harness::{
    Daemon, faces, files, index_times, number, numbered, portrait, report, size, status, wait_until,
};
use crate::testenv::{Run, TestEnv};

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

#[test]
fn a_mount_below_a_root_keeps_its_rows_and_is_followed() {
    let env = TestEnv::new();
    let disks = ["disk", "other"].map(|name| env.path(name));
    let point = env.album("usb");
    fs::create_dir(&point).unwrap();
    for disk in &disks {
        fs::create_dir_all(disk.join("trip")).unwrap();
    }
    fs::write(disks[0].join("trip/1.jpg"), fixture("hopper.jpg")).unwrap();
    fs::write(disks[1].join("2.jpg"), fixture("chelsea.jpg")).unwrap();
    env.add("stays.jpg", portrait());
    let daemon = Daemon::start(&env);
    wait_until("the photo beside the mount point", || files(&env) == 1);
    let Some(mounted) = Mounted::bind(&disks[0], &point) else {
        skip("this user may not mount");
        return;
    };
    wait_until("what is mounted", || files(&env) == 2);
    let (before, faces_before) = (index_times(&env), faces(&env));
    drop(mounted);
    wait_until("the warning", || daemon.log().contains("usb is empty"));
    assert_eq!(env.run("index album --json").json()["gone"], 0);
    assert_eq!(files(&env), 2);
    let mounted = Mounted::bind(&disks[0], &point).unwrap();
    wait_until("its return", || daemon.log().contains("usb is back"));
    env.add("usb/trip/new.jpg", fixture("coffee.jpg"));
    wait_until("a new photo on it", || files(&env) == 3);
    assert_eq!(index_times(&env)[..2], before[..]);
    assert_eq!(faces(&env), faces_before);
    // Another disk is another matter.
    drop(mounted);
    let _mounted = Mounted::bind(&disks[1], &point).unwrap();
    wait_until("the other disk", || {
        env.query("--emotion happy --all --under album/usb") == ["usb/2.jpg"] || files(&env) == 2
    });
    daemon.stop();
}

#[test]
fn a_disk_that_is_unmounted_during_a_scan_keeps_its_rows() {
    let env = TestEnv::new();
    let (disk, point) = (env.path("disk"), env.album("usb"));
    fs::create_dir_all(&point).unwrap();
    for name in ["a", "b", "c"] {
        fs::create_dir_all(disk.join(name)).unwrap();
        fs::write(disk.join(name).join("1.jpg"), fixture("hopper.jpg")).unwrap();
    }
    env.add("stays.jpg", portrait());
    env.add("usb.gone.jpg", fixture("chelsea.jpg"));
    let Some(mounted) = Mounted::bind(&disk, &point) else {
        skip("this user may not mount");
        return;
    };
    env.index();
    drop(mounted);
    fs::remove_file(env.album("usb.gone.jpg")).unwrap();

    let store = Store::open(&env.database()).unwrap();
    let models = Models {
        detector: String::new(),
        classifier: String::new(),
    };
    let filter = AlbumFilter::new(&AlbumFilterSettings::default()).unwrap();
    // The root contains the mount, is the mount, or is a folder on it.
    for (root, gone) in [("", 1), ("usb", 0), ("usb/a", 0)] {
        let mut mounted = Mounted::bind(&disk, &point);
        assert!(mounted.is_some());
        let comparison = Comparison {
            store: &store,
            models: &models,
            filter: &filter,
            is_root: true,
            roots: &[],
            reanalyse: false,
        };
        let root = env.path("album").canonicalize().unwrap().join(root);
        let root: PathBuf = root.components().collect();
        let last = root.ends_with("a");
        let plan = comparison.plan(&root, &mut |folder| {
            if folder.ends_with("usb/b") || last {
                mounted = None;
            }
        });
        let plan = plan.unwrap();
        assert!(mounted.is_none(), "{root:?}");
        assert_eq!(plan.gone.len(), gone, "{root:?}: {plan:?}");
    }
}

#[test]
fn a_disk_whose_mount_point_the_system_removes_keeps_its_rows() {
    let env = TestEnv::new();
    env.add("1.jpg", portrait());
    // In a namespace of its own, nothing else sees what is mounted.
    let script = r#"
        set -e
        mount -t tmpfs none /media
        mkdir -p /media/user/DISK
        cp album/1.jpg /media/user/2.jpg
        up() { mkdir -p /media/user/DISK; mount --bind album /media/user/DISK; }
        down() { umount /media/user/DISK; rmdir /media/user/DISK; }
        up
        "$FER_INDEX" index /media/user --json
        down
        "$FER_INDEX" index /media/user --json
        "$FER_INDEX" watch /media/user 2> log &
        for _ in $(seq 100); do ! grep -q ready log || break; sleep 0.1; done
        up; sleep 3; down; sleep 3
        "$FER_INDEX" status --json
        kill $!; wait $!
    "#;
    let mut unshare = Command::new("unshare");
    env.place(&mut unshare);
    unshare
        .args(["--mount", "--propagation", "private", "sh", "-c", script])
        .env("FER_INDEX", env!("CARGO_BIN_EXE_fer-index"));
    let run = Run::of(&mut unshare);
    if run.stdout.is_empty() {
        skip("this user may not mount");
        return;
    }
    let lines: Vec<Value> = run
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[1]["gone"], 0, "{run:?}");
    assert_eq!(lines[2]["files"], 2, "{run:?}");
}

#[test]
fn a_mount_on_another_mount_keeps_its_rows_while_both_are_absent() {
    let env = TestEnv::new();
    let disks = ["outer", "inner"].map(|name| env.path(name));
    let point = env.album("usb");
    let inner = point.join("card");
    fs::create_dir(&point).unwrap();
    for disk in &disks {
        fs::create_dir_all(disk.join("card")).unwrap();
    }
    fs::write(disks[0].join("1.jpg"), fixture("hopper.jpg")).unwrap();
    fs::write(disks[1].join("2.jpg"), fixture("chelsea.jpg")).unwrap();
    env.add("stays.jpg", portrait());
    let Some(outer) = Mounted::bind(&disks[0], &point) else {
        skip("this user may not mount");
        return;
    };
    let card = Mounted::bind(&disks[1], &inner).unwrap();
    env.index();
    assert_eq!(files(&env), 3);
    let gone = || env.run("index album --json").json()["gone"].clone();
    drop(card);
    drop(outer);
    assert_eq!((gone(), gone(), files(&env)), (0.into(), 0.into(), 3));
    let _outer = Mounted::bind(&disks[0], &point).unwrap();
    assert_eq!((gone(), files(&env)), (0.into(), 3));
    // The same disk mounted again at once, which nothing tells but the system's mark.
    let card = Mounted::bind(&disks[1], &inner).unwrap();
    let daemon = Daemon::start(&env);
    drop(card);
    fs::write(disks[1].join("new.jpg"), fixture("coffee.jpg")).unwrap();
    let _card = Mounted::bind(&disks[1], &inner).unwrap();
    wait_until("the new photo", || files(&env) == 4);
    daemon.stop();
}

#[test]
fn a_disk_behind_a_link_keeps_its_rows() {
    let env = TestEnv::new();
    // Memory is another file system than that of the album, wherever that is.
    let memory = tempfile::tempdir_in("/dev/shm").unwrap();
    let disk = memory.path().join("disk");
    fs::create_dir_all(disk.join("trip")).unwrap();
    fs::write(disk.join("trip/1.jpg"), portrait()).unwrap();
    env.add("stays.jpg", fixture("hopper.jpg"));
    symlink(&disk, env.album("usb")).unwrap();
    env.index();
    let before = faces(&env);
    assert_eq!(files(&env), 2);
    let (away, warning) = (
        memory.path().join("away"),
        "usb is empty or cannot be reached",
    );
    fs::rename(&disk, &away).unwrap();
    let run = env.run("index album --json");
    assert_eq!(run.json()["gone"], 0);
    assert!(run.stderr.contains(warning), "{run:?}");

    let daemon = Daemon::start(&env);
    assert_eq!((files(&env), faces(&env)), (2, before.clone()));
    fs::rename(&away, &disk).unwrap();
    wait_until("its return", || daemon.log().contains("usb is back"));
    fs::write(disk.join("trip/2.jpg"), fixture("chelsea.jpg")).unwrap();
    wait_until("a new photo", || files(&env) == 3);
    fs::rename(&disk, &away).unwrap();
    wait_until("the warning", || daemon.log().matches(warning).count() == 2);
    assert_eq!(files(&env), 3);
    // A renamed link leads to the same disk.
    fs::rename(env.album("usb"), env.album("disk")).unwrap();
    let renamed = "SELECT count(*) FROM files WHERE path LIKE '%/album/disk/%'";
    wait_until("the new name", || number(&env, renamed) == 2);
    let fresh = env.run("query --emotion happy --all --fresh --fresh-within 200");
    assert!(fresh.code <= 1, "{fresh:?}");
    assert_eq!(files(&env), 3);
    fs::rename(&away, &disk).unwrap();
    wait_until("its return", || daemon.log().contains("disk is back"));
    // Whoever removes the link does not want these photos in the album.
    fs::remove_file(env.album("disk")).unwrap();
    wait_until("the link is gone", || files(&env) == 1);
    daemon.stop();
    assert_eq!(env.run("index album --json").json()["gone"], 0);
}

#[test]
fn an_absent_disk_that_was_indexed_by_itself_keeps_its_rows_unless_it_is_left_out() {
    let env = TestEnv::new();
    let (disk, point) = (env.path("disk"), env.album("private/usb"));
    fs::create_dir(&disk).unwrap();
    fs::create_dir_all(&point).unwrap();
    fs::write(disk.join("1.jpg"), portrait()).unwrap();
    env.add("stays.jpg", fixture("hopper.jpg"));
    env.index();
    let Some(mounted) = Mounted::bind(&disk, &point) else {
        skip("this user may not mount");
        return;
    };
    env.run("index album/private/usb").found();
    drop(mounted);
    assert_eq!(env.run("index album --json").json()["gone"], 0);
    assert_eq!(files(&env), 2);
    env.add("private/.nomedia", "");
    assert_eq!(env.run("index album --json").json()["gone"], 1);
    assert_eq!(files(&env), 1);
}

#[test]
fn photos_that_are_back_after_the_grace_period_are_recognised_before_others_are_deleted() {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    env.add("trip/1.jpg", fixture("astronaut.jpg"));
    env.add("trip/2.jpg", fixture("chelsea.jpg"));
    env.add("trip/gone.jpg", fixture("coffee.jpg"));
    env.index();
    let before = faces(&env);
    fs::rename(env.album("trip"), env.path("away")).unwrap();
    assert_eq!(env.index()["gone"], 3);
    let days: i64 = 40 * 24 * 3600 * 1000;
    Connection::open(env.database())
        .unwrap()
        .execute("UPDATE photos SET lost_at = lost_at - ?", [days])
        .unwrap();
    fs::remove_file(env.path("away/gone.jpg")).unwrap();
    fs::rename(env.path("away"), env.album("trip")).unwrap();
    let daemon = Daemon::start(&env);
    let photos = |env| number(env, "SELECT count(*) FROM photos");
    wait_until("all is right", || (files(&env), photos(&env)) == (3, 3));
    assert_eq!(faces(&env), before);
    daemon.stop();
}

/// A folder that is mounted at a mount point until this is dropped.
pub struct Mounted<'a>(#[expect(dead_code, reason = "it unmounts when it is dropped")] Unmount<'a>);

impl<'a> Mounted<'a> {
    /// `None` if this user may not mount.
    pub fn bind(folder: &Path, point: &'a Path) -> Option<Self> {
        let run = Command::new("mount")
            .arg("--bind")
            .arg(folder)
            .arg(point)
            .output();
        run.is_ok_and(|run| run.status.success())
            .then(|| Self(Unmount(point)))
    }
}

struct Unmount<'a>(&'a Path);

impl Drop for Unmount<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0).status();
    }
}
