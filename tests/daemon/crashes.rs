//! The daemon and `index` under kills, failing disks and broken photos.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::common::{fixture, skip, truncated};
use crate::harness::{
    Daemon, add_non_images, assert_intact, faces, files, index_times, is_full, number, numbered,
    portrait, report, size, wait_until,
};
use crate::testenv::{Run, TestEnv};

/// A seeded generator of random numbers (Knuth's MMIX).
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: u64) -> u64 {
        let (factor, summand) = (6_364_136_223_846_793_005, 1_442_695_040_888_963_407);
        self.0 = self.0.wrapping_mul(factor).wrapping_add(summand);
        (self.0 >> 33) % limit
    }
}

#[test]
fn promise_1_kills_at_random_moments_lose_nothing_that_was_committed() {
    let env = TestEnv::new();
    let (kills, portraits, photos) = size((20, 12, 400), (200, 500, 1000));
    let portrait = portrait();
    for n in 0..portraits {
        env.add(format!("{n}.jpg"), numbered(&portrait, n));
    }
    add_non_images(&env, "more", portraits..photos);
    let mut random = Random(1);
    let mut known: BTreeMap<i64, i64> = BTreeMap::new();
    let mut most_lost = Duration::ZERO;
    for n in 0..kills {
        let daemon = Daemon::spawn(&env, &[]);
        let before = files(&env);
        if n % 2 == 0 && before < photos as i64 {
            wait_until("some progress", || files(&env) > before);
        }
        // A random delay before the kill, which does not wait for any condition.
        thread::sleep(Duration::from_millis(random.below(400)));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        daemon.kill();
        assert_intact(&env.database());
        let after: BTreeMap<_, _> = index_times(&env).into_iter().collect();
        // Committed photos are still in the index, and were not processed again.
        assert!(known.iter().all(|(id, look)| after.get(id) == Some(look)));
        let last = after.values().max().copied().unwrap_or_default();
        let lost = now.saturating_sub(Duration::from_millis(last as u64));
        if after.len() > known.len() && after.len() < photos {
            most_lost = most_lost.max(lost);
        }
        known = after;
    }
    let daemon = Daemon::start(&env);
    wait_until("the rest", || files(&env) == photos as i64);
    daemon.stop();
    assert_intact(&env.database());
    let twice = "SELECT count(*) FROM (SELECT 1 FROM faces GROUP BY photo_id HAVING count(*) > 1)";
    assert_eq!(number(&env, twice), 0, "each portrait has one face");
    let faces = number(&env, "SELECT count(*) FROM faces");
    assert_eq!(faces, portraits as i64);
    report(
        "1",
        format!(
            "{kills} kills over {photos} photos: intact each time, no committed photo lost or processed again; longest work lost {most_lost:.2?}"
        ),
    );
    assert!(!is_full() || most_lost <= Duration::from_secs(2));
}

/// Runs `index` with its `at`-th call that writes a file failing with `errno`, and with `persists` all later
/// calls too. Returns the run and whether a call failed.
fn with_failing_disk(env: &TestEnv, at: usize, errno: i32, persists: bool) -> (Run, bool) {
    let failed = env.path("failed");
    let _ = fs::remove_file(&failed);
    let mut command = env.command("index album --json");
    command
        .env("LD_PRELOAD", env.path("failing_disk.so"))
        .env("FAIL_AT", at.to_string())
        .env("FAIL_WITH", errno.to_string())
        .env("FAILED", &failed);
    if persists {
        command.env("FAIL_ON", "");
    }
    (Run::of(&mut command), failed.exists())
}

/// Compiles `failing_disk.c`; returns whether there is a compiler.
fn compile_failing_disk(env: &TestEnv) -> bool {
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .arg(env.path("failing_disk.so"))
        .args([
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/daemon/failing_disk.c"),
            "-ldl",
        ])
        .status();
    let is_compiled = compiled.is_ok_and(|status| status.success());
    if !is_compiled {
        skip("no C compiler to build failing_disk.c");
    }
    is_compiled
}

#[test]
fn photos_that_a_failing_disk_does_not_give_back_keep_what_was_found_in_them() {
    let env = TestEnv::new();
    if !compile_failing_disk(&env) {
        return;
    }
    env.add("portrait.jpg", portrait());
    env.add("changed.jpg", fixture("hopper.jpg"));
    env.index();
    let before = faces(&env);
    env.add("changed.jpg", fixture("chelsea.jpg"));
    env.add("new.jpg", fixture("coffee.jpg"));
    let mut failing = env.command("reindex album --json");
    failing.env("LD_PRELOAD", env.path("failing_disk.so")).env(
        "FAIL_READS_BELOW",
        env.path("album").canonicalize().unwrap(),
    );
    let run = Run::of(&mut failing);
    assert_eq!(run.json()["skipped"]["unreadable"], 3, "{run:?}");
    assert_eq!(faces(&env), before);
    let run = env.run("index album --json").found();
    assert_eq!(
        (&run.json()["unchanged"], &run.json()["photos"]),
        (&1.into(), &2.into())
    );
}

#[test]
fn promise_10_a_failed_write_leaves_the_database_intact() {
    let env = TestEnv::new();
    if !compile_failing_disk(&env) {
        return;
    }
    add_non_images(&env, "photos", 0..size(10, 150));
    env.add("portrait.jpg", portrait());
    let data = env.database().parent().unwrap().to_owned();
    let (no_space, io_error) = (28, 5);
    let (mut at, mut stopped, mut succeeded) = (1, 0, 0);
    loop {
        let mut any_failed = false;
        for (errno, persists) in [(no_space, true), (io_error, false)] {
            let _ = fs::remove_dir_all(&data);
            let (run, failed) = with_failing_disk(&env, at, errno, persists);
            any_failed |= failed;
            if env.database().is_file() {
                assert_intact(&env.database());
            }
            if !failed || run.code == 0 {
                assert_eq!(run.code, 0, "{run:?}");
                succeeded += usize::from(failed);
                continue;
            }
            let sentence = run.refused();
            assert!(sentence.contains("database"), "{sentence}");
            stopped += 1;
        }
        if !any_failed {
            break;
        }
        at += size(at.div_ceil(3), 1);
    }
    assert!(stopped >= size(10, 100), "{stopped}");
    // A later run without failures completes the database.
    let _ = fs::remove_dir_all(&data);
    with_failing_disk(&env, size(60, 120), no_space, true);
    env.index();
    assert_eq!(env.index()["unchanged"], size(11, 151));
    report(
        "10",
        format!(
            "the n-th call that writes fails, n = 1, 2, … {at}, once (EIO) and from then on \
             (ENOSPC): {stopped} runs stopped, {succeeded} succeeded all the same, database intact each time"
        ),
    );
}

/// Mounts a file system in memory, or changes that which is mounted; returns whether this user may.
fn mount(options: &str, at: &Path) -> bool {
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", options, "tmpfs"])
        .arg(at)
        .output();
    mounted.is_ok_and(|run| run.status.success())
}

#[test]
fn promise_10_a_full_disk_leaves_the_database_intact() {
    let env = TestEnv::new();
    let disk = env.path("disk");
    fs::create_dir(&disk).unwrap();
    if !mount("size=400k", &disk) {
        skip("this user may not mount");
        return;
    }
    add_non_images(&env, "photos", 0..size(3000, 20_000));
    let database = disk.join("index.sqlite3");
    let run = env.run("index album --database disk/index.sqlite3");
    let sentence = run.refused();
    assert!(sentence.contains("no space"), "{sentence}");
    assert_intact(&database);
    assert!(mount("remount,size=100m", &disk));
    let run = env
        .run("index album --database disk/index.sqlite3 --json")
        .found();
    let (unchanged, photos) = (
        &run.json()["unchanged"],
        &run.json()["skipped"]["not an image"],
    );
    let total = unchanged.as_u64().unwrap() + photos.as_u64().unwrap();
    Command::new("umount")
        .arg("--lazy")
        .arg(&disk)
        .status()
        .unwrap();
    assert_eq!(total, size(3000, 20_000));
}

#[test]
fn the_full_disk_is_named_and_what_was_forgotten_is_reported_though_the_file_cannot_be_rewritten() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg", "hopper.jpg"]);
    env.index();
    let disk = env.path("disk");
    fs::create_dir(&disk).unwrap();
    if !mount("size=200k", &disk) {
        skip("this user may not mount");
        return;
    }
    let sentence = env.run("backup disk/copy.sqlite3").refused();
    assert!(sentence.contains("no space"), "{sentence}");
    assert!(sentence.contains(disk.to_str().unwrap()), "{sentence}");
    assert!(!sentence.contains(".local"), "{sentence}");

    let resize = |kilobytes: u64| {
        assert!(mount(&format!("remount,size={kilobytes}k"), &disk));
    };
    resize(10_000);
    env.run("backup disk/index.sqlite3").found();
    // Room for the rows that change, but not for all of the database.
    let length = fs::metadata(disk.join("index.sqlite3")).unwrap().len();
    resize(length / 1024 + 300);
    let run = env.run("forget album/hopper.jpg --json --database disk/index.sqlite3");
    assert_eq!(run.code, 2, "{run:?}");
    assert_eq!(
        (&run.json()["photos"], &run.json()["clean"]),
        (&1.into(), &false.into())
    );
    assert!(run.stderr.contains("could not be rewritten"), "{run:?}");
    resize(10_000);
    let run = env.run("forget album/hopper.jpg --json --database disk/index.sqlite3");
    assert_eq!(run.json()["clean"], true, "{run:?}");
    Command::new("umount")
        .arg("--lazy")
        .arg(&disk)
        .status()
        .unwrap();
}

#[test]
fn promise_10_broken_images_are_skipped_with_a_reason() {
    let env = TestEnv::new();
    let names = [
        "formats/progressive.jpg",
        "formats/cmyk.jpg",
        "formats/lossy.webp",
        "formats/grey.avif",
        "formats/plain.heic",
        "formats/reference.png",
    ];
    let count = size(60, 1000);
    let mut random = Random(7);
    for n in 0..count {
        let mut bytes = fixture(names[n % names.len()]);
        if n % 2 == 0 {
            bytes = truncated(&bytes, random.below(100) as usize);
        } else {
            for _ in 0..=random.below(20) {
                let at = random.below(bytes.len() as u64) as usize;
                bytes[at] ^= 1 << random.below(8);
            }
        }
        env.add(
            format!("{n}.{}", names[n % names.len()].rsplit('.').next().unwrap()),
            bytes,
        );
    }
    let daemon = Daemon::start(&env);
    wait_until("every file", || files(&env) == count as i64);
    let skipped = number(
        &env,
        "SELECT count(*) FROM photos WHERE skip_reason IS NOT NULL",
    );
    let crashed = number(
        &env,
        "SELECT count(*) FROM photos WHERE skip_reason = 'decoder crashed'",
    );
    let (ended, _) = daemon.stop();
    assert!(ended.success() && skipped > count as i64 / 4);
    report(
        "10",
        format!(
            "{count} broken images: {skipped} skipped with a reason ({crashed} decoder panics contained), no crash"
        ),
    );
}
