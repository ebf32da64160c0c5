//! What is closed is soon in the answers, and `--fresh` waits for it.

use std::time::{Duration, Instant};

use crate::harness::{Daemon, number, numbered, portrait, quantile, size, tell, until};
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
        until("the photo is ranked", || number(&env, scores) > n as i64);
        times.push(closed.elapsed());
    }
    let p95 = quantile(&mut times, 0.95);
    tell(
        "4",
        format!(
            "{} files, p95 {p95:.2?}, longest {:.2?}",
            times.len(),
            times[times.len() - 1]
        ),
    );
    // The machine of an ordinary run of the tests is anything but idle.
    assert!(p95 <= Duration::from_secs(size(60, 5)), "{p95:?}");
}

#[test]
fn promise_11_fresh_sees_every_file_closed_before() {
    let env = TestEnv::new();
    let portrait = portrait();
    let _daemon = Daemon::start(&env);
    let rounds = size(3, 200);
    for n in 0..rounds {
        // In a folder that is new as well, and under a name that was another's before.
        env.add(format!("{n}/a/b.jpg"), numbered(&portrait, 2 * n));
        env.add("same.jpg", numbered(&portrait, 2 * n + 1));
        let run = env.run(
            "query --emotion happy --all --fresh --fresh-within 200 --limit 1000 --format paths",
        );
        assert_eq!(run.text().lines().count(), n + 2, "{run:?}");
    }
    tell("11", format!("{rounds} rounds of two files, none missed"));
}

#[test]
fn fresh_without_a_daemon_says_what_to_do() {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    env.index();
    let sentence = env.run("query --emotion happy --all --fresh").refused();
    assert!(sentence.contains("fer-index watch"), "{sentence}");
}

#[test]
fn fresh_gives_up_in_time() {
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
