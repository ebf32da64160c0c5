//! The index is correct even if the system does not report every change.

use std::time::{Duration, Instant};

use crate::common::fixture;
use crate::harness::{Daemon, add_non_images, files, report, size, status, wait_until};
use crate::testenv::TestEnv;

#[test]
fn promise_2_an_overflow_of_the_event_queue_loses_no_file() {
    let env = TestEnv::new();
    let mut daemon = Daemon::start(&env);
    // Each file is four events, and the queue holds 16,384.
    let count = size(5000, 20_000);
    std::fs::create_dir_all(env.album("new")).unwrap();
    wait_until("the folder is watched", || {
        status(&env)["daemon"]["watched_folders"] == 2
    });
    daemon.signal("STOP");
    for number in 0..count {
        env.add(
            format!("new/{number}.jpg"),
            crate::harness::non_image(number),
        );
    }
    let start = Instant::now();
    daemon.signal("CONT");
    wait_until("every file", || files(&env) == count as i64);
    assert!(daemon.is_running());
    assert!(
        daemon.log().contains("scanning the folders"),
        "the event queue did not overflow"
    );
    report(
        "2",
        format!(
            "{count} files while the daemon was stopped: all indexed after {:.1?}",
            start.elapsed()
        ),
    );
}

#[test]
fn promise_3_without_events_files_are_found_by_the_rescan() {
    let env = TestEnv::new();
    // The daemon's own folder of cookies takes the only watch.
    let settings = [
        ("FER_INDEX_WATCH_MAX_WATCHES", "1"),
        ("FER_INDEX_WATCH_POLL_SECONDS", "100000"),
        ("FER_INDEX_WATCH_RESCAN_SECONDS", "2"),
    ];
    let _daemon = Daemon::start_with(&env, &settings);
    assert_eq!(status(&env)["daemon"]["watched_folders"], 0);
    let count = size(200, 20_000);
    add_non_images(&env, "deep/er", 0..count);
    let start = Instant::now();
    wait_until("every file", || files(&env) == count as i64);
    let took = start.elapsed();
    report(
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
    let shown = status(&env);
    assert_eq!(shown["daemon"]["watched_folders"], 1);
    assert_eq!(shown["daemon"]["polled_folders"], 2);
    assert_eq!(shown["roots"][0]["state"], "polling");
    env.add("a/b/hopper.jpg", fixture("hopper.jpg"));
    wait_until("the photo in a polled folder", || files(&env) == 1);
}
