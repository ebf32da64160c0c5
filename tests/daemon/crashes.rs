//! Kills, full disks and broken photos.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::common::{fixture, truncated};
use crate::harness::{
    Daemon, add_cheap, assert_whole, files, is_full, looks, number, numbered, portrait, size, tell,
    until,
};
use crate::testenv::{Run, TestEnv};

/// Numbers from a seed (Knuth's MMIX generator).
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
    add_cheap(&env, "more", portraits..photos);
    let mut random = Random(1);
    let mut known: BTreeMap<i64, i64> = BTreeMap::new();
    let mut most_lost = Duration::ZERO;
    for n in 0..kills {
        let daemon = Daemon::spawn(&env, &[]);
        let before = files(&env);
        if n % 2 == 0 && before < photos as i64 {
            until("some progress", || files(&env) > before);
        }
        // The fault that is injected, not a wait for something.
        thread::sleep(Duration::from_millis(random.below(400)));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        daemon.kill();
        assert_whole(&env.database());
        let after: BTreeMap<_, _> = looks(&env).into_iter().collect();
        // What was committed is still there, and was not looked at again.
        assert!(known.iter().all(|(id, look)| after.get(id) == Some(look)));
        let last = after.values().max().copied().unwrap_or_default();
        let lost = now.saturating_sub(Duration::from_millis(last as u64));
        if after.len() > known.len() && after.len() < photos {
            most_lost = most_lost.max(lost);
        }
        known = after;
    }
    let daemon = Daemon::start(&env);
    until("the rest", || files(&env) == photos as i64);
    daemon.stop();
    assert_whole(&env.database());
    let twice = "SELECT count(*) FROM (SELECT 1 FROM faces GROUP BY photo_id HAVING count(*) > 1)";
    assert_eq!(number(&env, twice), 0, "each portrait has one face");
    let faces = number(&env, "SELECT count(*) FROM faces");
    assert_eq!(faces, portraits as i64);
    tell(
        "1",
        format!(
            "{kills} kills over {photos} photos: whole each time, no committed photo lost or looked at again; longest work lost {most_lost:.2?}"
        ),
    );
    assert!(!is_full() || most_lost <= Duration::from_secs(2));
}

/// The index run, its `at`-th call that writes a file failing with `errno`, and with `and_on` all
/// later ones. Whether it came to that.
fn with_failing_disk(env: &TestEnv, at: usize, errno: i32, and_on: bool) -> (Run, bool) {
    let failed = env.path("failed");
    let _ = fs::remove_file(&failed);
    let mut command = env.command("index album --json");
    command
        .env("LD_PRELOAD", env.path("failing_disk.so"))
        .env("FAIL_AT", at.to_string())
        .env("FAIL_WITH", errno.to_string())
        .env("FAILED", &failed);
    if and_on {
        command.env("FAIL_ON", "");
    }
    (Run::of(&mut command), failed.exists())
}

#[test]
fn promise_10_a_write_that_fails_leaves_the_database_whole() {
    let env = TestEnv::new();
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .arg(env.path("failing_disk.so"))
        .args([
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/daemon/failing_disk.c"),
            "-ldl",
        ])
        .status();
    if !compiled.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: no C compiler to make a failing disk with");
        return;
    }
    add_cheap(&env, "photos", 0..size(10, 150));
    env.add("portrait.jpg", portrait());
    let data = env.database().parent().unwrap().to_owned();
    let (no_space, io_error) = (28, 5);
    let (mut at, mut stopped, mut lived) = (1, 0, 0);
    loop {
        let mut came_to_it = false;
        for (errno, and_on) in [(no_space, true), (io_error, false)] {
            let _ = fs::remove_dir_all(&data);
            let (run, failed) = with_failing_disk(&env, at, errno, and_on);
            came_to_it |= failed;
            if env.database().is_file() {
                assert_whole(&env.database());
            }
            if !failed || run.code == 0 {
                assert_eq!(run.code, 0, "{run:?}");
                lived += usize::from(failed);
                continue;
            }
            let sentence = run.refused();
            assert!(sentence.contains("database"), "{sentence}");
            stopped += 1;
        }
        if !came_to_it {
            break;
        }
        at += size(at.div_ceil(3), 1);
    }
    assert!(stopped >= size(10, 100), "{stopped}");
    // What is there after the last failure is enough to go on with.
    let _ = fs::remove_dir_all(&data);
    with_failing_disk(&env, size(60, 120), no_space, true);
    env.index();
    assert_eq!(env.index()["unchanged"], size(11, 151));
    tell(
        "10",
        format!(
            "the n-th call that writes fails, n = 1, 2, … {at}, once (EIO) and from then on \
             (ENOSPC): {stopped} runs stopped, {lived} did not need the call, whole each time"
        ),
    );
}

#[test]
fn promise_10_a_full_disk() {
    let env = TestEnv::new();
    let disk = env.path("disk");
    fs::create_dir(&disk).unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=400k", "tmpfs"])
        .arg(&disk)
        .output();
    if !mounted.is_ok_and(|run| run.status.success()) {
        eprintln!("SKIPPED: this user may not mount");
        return;
    }
    add_cheap(&env, "photos", 0..size(3000, 20_000));
    let database = disk.join("index.sqlite3");
    let run = env.run("index album --database disk/index.sqlite3");
    let sentence = run.refused();
    assert!(sentence.contains("no space"), "{sentence}");
    assert_whole(&database);
    Command::new("mount")
        .args(["-o", "remount,size=100m"])
        .arg(&disk)
        .status()
        .unwrap();
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
fn promise_10_broken_images_have_their_reasons() {
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
    until("every file", || files(&env) == count as i64);
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
    tell(
        "10",
        format!(
            "{count} broken images: {skipped} skipped with their reasons ({crashed} decoder panics contained), no crash"
        ),
    );
}
