//! Under load: queries go on, memory does not grow.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use fer_index::emotion::Emotion;
use fer_index::store::{Query, Store};

use crate::harness::{
    Daemon, add_cheap, files, is_full, number, numbered, portrait, quantile, size, tell, until,
};
use crate::testenv::TestEnv;

#[test]
fn promise_8_queries_during_indexing() {
    let env = TestEnv::new();
    let portrait = portrait();
    let first = size(5, 20);
    for n in 0..first {
        env.add(format!("first/{n}.jpg"), numbered(&portrait, n));
    }
    let _daemon = Daemon::start(&env);
    until("something to ask for", || files(&env) == first as i64);
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
                        thread::sleep(Duration::from_millis(5)); // a person's pace, times 8
                    }
                    times
                })
            })
            .collect();
        let end = Instant::now() + span;
        let mut added = first;
        while Instant::now() < end {
            add_cheap(&env, "more", added..added + 100);
            env.add(format!("more/{added}.jpg"), numbered(&portrait, added));
            added += 100;
            until("they are in", || files(&env) > added as i64 - 100);
        }
        is_over.store(true, Ordering::Relaxed);
        loops
            .into_iter()
            .flat_map(|queries| queries.join().unwrap())
            .collect()
    });
    let (count, p99) = (times.len(), quantile(&mut times, 0.99));
    tell(
        "8",
        format!(
            "{count} queries in 8 loops during {span:?} of indexing: none locked, p99 {p99:.1?}"
        ),
    );
    assert!(!is_full() || p99 <= Duration::from_millis(50));
}

#[test]
fn promise_9_memory_does_not_follow_the_number_of_photos() {
    let env = TestEnv::new();
    let (few, many) = size((200, 3000), (1000, 50_000));
    let daemon = Daemon::start(&env);
    let portrait = portrait();
    let peak = |range: std::ops::Range<usize>| {
        let end = range.end as i64;
        env.add(
            format!("{}.jpg", range.start),
            numbered(&portrait, range.start),
        );
        add_cheap(&env, "photos", range.start + 1..range.end);
        until("all of them", || files(&env) == end);
        daemon.memory("VmRSS")
    };
    let (small, large) = (peak(0..few), peak(few..many));
    tell(
        "9",
        format!(
            "RSS {} MiB after {few} files, {} MiB after {many}",
            small >> 10,
            large >> 10
        ),
    );
    assert!(
        large <= small * 11 / 10 + size(16 << 10, 0),
        "{small} and {large} KiB"
    );
    let faces = "SELECT count(*) FROM faces";
    assert_eq!(number(&env, faces), 2);
}

/// CPU time of a process so far.
fn cpu(pid: u32) -> Duration {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let spent = tasks.filter_map(|task| {
        let text = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(spent.sum())
}

#[test]
fn a_restart_costs_as_little_as_looking_and_idling_costs_nothing() {
    let env = TestEnv::new();
    let count = size(1000, 20_000);
    add_cheap(&env, "photos", 0..count);
    assert_eq!(env.index()["skipped"]["not an image"], count);
    let find = std::process::Command::new("bash")
        .args([
            "-c",
            "TIMEFORMAT='%U %S'; time find album -printf '%s %T@ %i\\n' >/dev/null",
        ])
        .current_dir(env.path("."))
        .output()
        .unwrap();
    let find: f64 = String::from_utf8_lossy(&find.stderr)
        .split_whitespace()
        .map(|seconds| seconds.parse::<f64>().unwrap())
        .sum();

    let daemon = Daemon::start(&env);
    let restart = cpu(daemon.pid());
    tell(
        "restart",
        format!(
            "{count} unchanged files: {restart:.0?} of CPU until ready, find {:.0} ms, factor {:.1}",
            find * 1000.0,
            restart.as_secs_f64() / find
        ),
    );
    assert_eq!(crate::harness::status(&env)["daemon"]["queue"], 0);

    // The models are let go; from then on nothing is to be done.
    if is_full() {
        thread::sleep(Duration::from_secs(30));
    }
    let span = size(Duration::from_secs(3), Duration::from_mins(5));
    let before = cpu(daemon.pid());
    thread::sleep(span); // what is measured
    let spent = cpu(daemon.pid()).saturating_sub(before);
    let share = spent.as_secs_f64() / span.as_secs_f64();
    tell(
        "idle",
        format!(
            "{count} files, {span:?}: {:.3} % CPU, RSS {} MiB",
            100.0 * share,
            daemon.memory("VmRSS") >> 10
        ),
    );
    assert!(share < size(0.05, 0.001), "{share}");
    assert!(!is_full() || restart.as_secs_f64() <= 3.0 * find);
}
