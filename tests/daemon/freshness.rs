//! Closed files are soon in the index, and `--fresh` waits for them.

use std::time::{Duration, Instant};

use crate::harness::{Daemon, number, numbered, portrait, quantile, report, size, wait_until};
use crate::testenv::TestEnv;

#[test]
fn promise_4_a_closed_file_is_in_the_answers_within_5_s() {
    let env = TestEnv::new();
    let portrait = portrait();
    let _daemon = Daemon::start(&env);
    let mut times = Vec::new();
    for n in 0..size(5, 200) {
        env.add(format!("{n}.jpg"), numbered(&portrait, n));
        let closed = Instant::now();
        let scores = "SELECT count(*) FROM photo_scores WHERE emotion = 3";
        wait_until("the photo is ranked", || number(&env, scores) > n as i64);
        times.push(closed.elapsed());
    }
    let p95 = quantile(&mut times, 0.95);
    report(
        "4",
        format!(
            "{} files, p95 {p95:.2?}, longest {:.2?}",
            times.len(),
            times[times.len() - 1]
        ),
    );
    // The limit of the small run is generous, since other tests run at the same time.
    assert!(p95 <= Duration::from_secs(size(60, 5)), "{p95:?}");
}

#[test]
fn promise_11_fresh_sees_every_file_closed_before() {
    let env = TestEnv::new();
    let portrait = portrait();
    let _daemon = Daemon::start(&env);
    let rounds = size(3, 200);
    for n in 0..rounds {
        // One file in a new folder, and one under a name that another file had before.
        env.add(format!("{n}/a/b.jpg"), numbered(&portrait, 2 * n));
        env.add("same.jpg", numbered(&portrait, 2 * n + 1));
        let run = env.run(
            "query --emotion happy --all --fresh --fresh-within 200 --limit 1000 --format paths",
        );
        assert_eq!(run.text().lines().count(), n + 2, "{run:?}");
    }
    report("11", format!("{rounds} rounds of two files, none missed"));
}

#[test]
fn fresh_without_a_daemon_says_what_to_do() {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    env.index();
    let sentence = env.run("query --emotion happy --all --fresh").refused();
    assert!(sentence.contains("fer-index watch"), "{sentence}");
}

#[test]
fn fresh_times_out_after_its_limit() {
    let env = TestEnv::new();
    let daemon = Daemon::start(&env);
    daemon.signal("STOP");
    let start = Instant::now();
    let sentence = env
        .run("query --emotion happy --all --fresh --fresh-within 1")
        .refused();
    assert!(sentence.contains("within 1 s"), "{sentence}");
    assert!(start.elapsed().as_secs() < 60);
}
