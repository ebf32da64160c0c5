//! Kills, full disks and broken photos.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};
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

/// The index run with files limited to `blocks` of 1,024 bytes: writes beyond fail.
fn limited(env: &TestEnv, blocks: usize) -> Run {
    let plain = env.command("index album --json");
    let mut shell = Command::new("bash");
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
    shell.args(["-c", &script, "bash"]);
    shell.arg(plain.get_program()).args(plain.get_args());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.current_dir(env.path(".")).stdin(Stdio::null());
    Run::of(&mut shell)
}

#[test]
fn promise_10_a_write_that_fails_leaves_the_database_whole() {
    let env = TestEnv::new();
    add_cheap(&env, "photos", 0..size(40, 400));
    env.add("hopper.jpg", fixture("hopper.jpg"));
    let (mut failures, mut blocks) = (0, 0);
    loop {
        let run = limited(&env, blocks);
        if env.database().is_file() {
            assert_whole(&env.database());
        }
        if run.code == 0 {
            break;
        }
        let sentence = run.refused();
        assert!(sentence.contains("database"), "{sentence}");
        failures += 1;
        blocks += size(8, 1);
        assert!(blocks < 10_000, "{sentence}");
    }
    assert!(failures >= size(3, 50), "{failures}");
    assert_eq!(env.index()["unchanged"], files(&env));
    tell(
        "10",
        format!(
            "the write that reaches 0, 1, … {blocks} KiB of a file fails: {failures} failures, whole each time"
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
