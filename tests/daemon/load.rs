//! Load tests: queries during indexing, memory, CPU time.

use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use fer_index::emotion::Emotion;
use fer_index::store::{Query, Store};

use crate::harness::{
    Daemon, add_indexed, add_non_images, files, index_times, is_full, number, numbered, portrait,
    quantile, report, size, status, wait_until,
};
use crate::testenv::TestEnv;

#[test]
fn promise_8_queries_during_indexing_are_never_locked_out() {
    let env = TestEnv::new();
    let portrait = portrait();
    let first = size(5, 20);
    for n in 0..first {
        env.add(format!("first/{n}.jpg"), numbered(&portrait, n));
    }
    let _daemon = Daemon::start(&env);
    wait_until("photos to query", || files(&env) == first as i64);
    let span = size(Duration::from_secs(3), Duration::from_mins(1));
    let is_over = AtomicBool::new(false);
    let mut times: Vec<Duration> = thread::scope(|scope| {
        let loops: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let store = Store::open_existing(&env.database()).unwrap();
                    let query = Query::for_emotion(Emotion::Happy);
                    let mut times = Vec::new();
                    while !is_over.load(Ordering::Relaxed) {
                        let start = Instant::now();
                        let hits = store.query(&query).expect("never locked");
                        times.push(start.elapsed());
                        assert!(hits.len() >= first);
                        thread::sleep(Duration::from_millis(5));
                    }
                    times
                })
            })
            .collect();
        let end = Instant::now() + span;
        let mut added = first;
        while Instant::now() < end {
            add_non_images(&env, "more", added..added + 100);
            env.add(format!("more/{added}.jpg"), numbered(&portrait, added));
            added += 100;
            wait_until("the new files", || files(&env) > added as i64 - 100);
        }
        is_over.store(true, Ordering::Relaxed);
        loops
            .into_iter()
            .flat_map(|queries| queries.join().unwrap())
            .collect()
    });
    let (count, p99) = (times.len(), quantile(&mut times, 0.99));
    report(
        "8",
        format!(
            "{count} queries in 8 loops during {span:?} of indexing: none locked, p99 {p99:.1?}"
        ),
    );
    assert!(!is_full() || p99 <= Duration::from_millis(50));
}

#[test]
fn promise_9_memory_does_not_grow_with_the_number_of_photos() {
    let env = TestEnv::new();
    let (few, many) = size((200, 3000), (1000, 50_000));
    let daemon = Daemon::start(&env);
    let portrait = portrait();
    let add = |range: std::ops::Range<usize>| {
        let end = range.end as i64;
        env.add(
            format!("{}.jpg", range.start),
            numbered(&portrait, range.start),
        );
        add_non_images(&env, "photos", range.start + 1..range.end);
        wait_until("all of them", || files(&env) == end);
        wait_until("nothing is left to do", || {
            status(&env)["daemon"]["queue"] == 0
        });
    };
    // The queue is empty shortly before the batch run has ended and released its memory, so the least of several
    // readings counts.
    let idle_memory = || {
        let readings = (0..20).map(|_| {
            thread::sleep(Duration::from_millis(100));
            daemon.memory("VmRSS")
        });
        readings.min().unwrap()
    };
    add(0..few);
    let small = idle_memory();
    add(few..many);
    let large = idle_memory();
    report(
        "9",
        format!(
            "RSS {} MiB after {few} files, {} MiB after {many}; at most {} MiB in between",
            small >> 10,
            large >> 10,
            daemon.memory("VmHWM") >> 10
        ),
    );
    let limit = small * 11 / 10 + size(16 << 10, 0);
    assert!(large <= limit, "{small} and {large} KiB");
    let faces = "SELECT count(*) FROM faces";
    assert_eq!(number(&env, faces), 2);
}

/// User and system CPU time of a command line that is run in the folder of a test.
fn cpu_of(env: &TestEnv, line: &str) -> Duration {
    let script = format!("TIMEFORMAT='%U %S'; time {{ {line}; }} >/dev/null");
    let run = Command::new("bash")
        .args(["-c", &script])
        .current_dir(env.path("."))
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&run.stderr);
    let seconds = printed
        .split_whitespace()
        .map(|time| time.parse::<f64>().expect(&printed));
    Duration::from_secs_f64(seconds.sum())
}

#[test]
fn a_restart_takes_little_more_cpu_than_find_and_idling_almost_none() {
    let env = TestEnv::new();
    let count = size(1000, 20_000);
    add_indexed(&env, "photos", 0..count);
    assert_eq!(files(&env), count as i64);
    let before = index_times(&env);

    // Alternated several times, since the speed of the machine varies.
    let rounds = size(2, 5);
    let (mut find, mut restart, mut remount) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    let started = || {
        let daemon = Daemon::start(&env);
        assert_eq!(status(&env)["daemon"]["queue"], 0);
        let spent = daemon.cpu();
        daemon.stop();
        spent
    };
    for _ in 0..rounds {
        find += cpu_of(&env, "find album -printf '%s %T@ %i\\n'");
        restart += started();
        // As if the disk were mounted from another device node, or through FUSE.
        let database = Connection::open(env.database()).unwrap();
        let renumber = "UPDATE files SET device = device + 1, inode = inode + 1000000";
        database.execute_batch(renumber).unwrap();
        drop(database);
        remount += started();
    }
    for (what, spent) in [("restart", restart), ("14", remount)] {
        let factor = spent.as_secs_f64() / find.as_secs_f64();
        report(
            what,
            format!(
                "{count} unchanged photos, mean of {rounds}: {:.0?} of CPU until ready, find {:.0?}, \
                 factor {factor:.1}",
                spent / rounds,
                find / rounds,
            ),
        );
        assert!(!is_full() || factor <= 3.0, "{what}");
    }

    let daemon = Daemon::start(&env);
    let span = size(Duration::from_secs(3), Duration::from_mins(5));
    let idle = || {
        let before = daemon.cpu();
        thread::sleep(span); // the measured span
        let spent = daemon.cpu().saturating_sub(before);
        let share = spent.as_secs_f64() / span.as_secs_f64();
        let rss = daemon.memory("VmRSS") >> 10;
        (
            share,
            rss,
            format!("{:.3} % CPU, RSS {rss} MiB", 100.0 * share),
        )
    };
    let (share, rss, fresh) = idle();
    assert!(share < size(0.05, 0.001) && rss <= 60, "{fresh}");
    assert_eq!(index_times(&env), before, "no photo was processed again");
    // After work: the models were loaded, used and unloaded.
    env.add("new.jpg", numbered(&portrait(), count));
    wait_until("the new photo", || files(&env) > count as i64);
    let mut figures = format!("{count} photos, {span:?}: {fresh}");
    if is_full() {
        thread::sleep(Duration::from_secs(30)); // until the models are unloaded
        let (share, rss, after) = idle();
        figures = format!("{figures}; after work: {after}");
        assert!(share < 0.001 && rss <= 60, "{figures}");
    }
    report("idle", figures);
}

#[test]
fn promise_9_a_photo_takes_the_same_cpu_time_in_a_large_index() {
    let Some(large) = std::env::var_os("BIG_INDEX") else {
        eprintln!("SKIPPED: BIG_INDEX does not name an index of examples/big_index");
        return;
    };
    let env = TestEnv::new();
    let portrait = portrait();
    let photos = size(50, 300);
    add_non_images(&env, "first", 0..1000);
    let binary = env!("CARGO_BIN_EXE_fer-index");
    let cost = |name: &str, before: usize| {
        let line =
            format!("HOME=$PWD/home {binary} index album --database {name}.sqlite3 --threads 1");
        cpu_of(&env, &line); // indexes the files so far
        for n in before..before + photos {
            env.add(format!("{name}/{n}.jpg"), numbered(&portrait, n));
        }
        cpu_of(&env, &line) / photos as u32
    };
    fs::copy(large, env.path("large.sqlite3")).unwrap();
    let rows = Store::open_existing(&env.path("large.sqlite3"))
        .and_then(|store| store.totals())
        .unwrap()
        .photos;
    let (few, many) = (cost("small", 0), cost("large", photos));
    let factor = many.as_secs_f64() / few.as_secs_f64();
    report(
        "9",
        format!(
            "{photos} additional photos: {few:.1?} of CPU each in an index of 1,000, {many:.1?} in one \
             of {rows}, factor {factor:.2}"
        ),
    );
    assert!(!is_full() || factor <= 1.2);
}
