//! The system does not tell of every change; the index is right all the same.

use std::time::{Duration, Instant};

use crate::common::fixture;
use crate::harness::{Daemon, add_cheap, files, size, status, tell, until};
use crate::testenv::TestEnv;

#[test]
fn promise_2_more_files_than_the_queue_of_events_holds() {
    let env = TestEnv::new();
    let mut daemon = Daemon::start(&env);
    // Each file is four events, and the queue holds 16,384.
    let count = size(5000, 20_000);
    std::fs::create_dir_all(env.album("new")).unwrap();
    until("the folder is watched", || {
        status(&env)["daemon"]["watched_folders"] == 2
    });
    daemon.signal("STOP");
    for number in 0..count {
        env.add(format!("new/{number}.jpg"), crate::harness::cheap(number));
    }
    let start = Instant::now();
    daemon.signal("CONT");
    until("every file", || files(&env) == count as i64);
    assert!(daemon.is_running());
    assert!(daemon.log().contains("scanning the folders"), "no overflow");
    tell(
        "2",
        format!(
            "{count} files while it was stopped: all there after {:.1?}",
            start.elapsed()
        ),
    );
}

#[test]
fn promise_3_without_any_event_within_one_rescan_period() {
    let env = TestEnv::new();
    // The one watch goes to the daemon's own folder.
    let settings = [
        ("FER_INDEX_WATCH_MAX_WATCHES", "1"),
        ("FER_INDEX_WATCH_POLL_SECONDS", "100000"),
        ("FER_INDEX_WATCH_RESCAN_SECONDS", "2"),
    ];
    let _daemon = Daemon::start_with(&env, &settings);
    assert_eq!(status(&env)["daemon"]["watched_folders"], 0);
    let count = size(200, 20_000);
    add_cheap(&env, "deep/er", 0..count);
    let start = Instant::now();
    until("every file", || files(&env) == count as i64);
    let took = start.elapsed();
    tell(
        "3",
        format!("{count} files, no watch, period 2 s: found and stored after {took:.1?}"),
    );
    assert!(took < Duration::from_mins(1), "{took:?}");
}

#[test]
fn folders_beyond_the_limit_of_watches_are_polled() {
    let env = TestEnv::new();
    std::fs::create_dir_all(env.album("a/b")).unwrap();
    let settings = [
        ("FER_INDEX_WATCH_MAX_WATCHES", "2"),
        ("FER_INDEX_WATCH_POLL_SECONDS", "1"),
    ];
    let _daemon = Daemon::start_with(&env, &settings);
    let told = status(&env);
    assert_eq!(told["daemon"]["watched_folders"], 1);
    assert_eq!(told["daemon"]["polled_folders"], 2);
    assert_eq!(told["roots"][0]["state"], "polling");
    env.add("a/b/hopper.jpg", fixture("hopper.jpg"));
    until("the photo in a polled folder", || files(&env) == 1);
}
