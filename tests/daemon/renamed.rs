//! A renamed folder is found only by its new name.

use std::fs;
use std::time::Instant;

use crate::common::dump::assert_same;
use crate::common::fixture;
use crate::gallery_server::Server;
use crate::harness::{Daemon, add_indexed, index_times, report, size};
use crate::testenv::TestEnv;

fn wait_until_fresh(env: &TestEnv) {
    let run = env.run("query --emotion happy --all --fresh --fresh-within 200");
    assert!(run.code <= 1, "{run:?}");
}

fn album() -> TestEnv {
    let env = TestEnv::new();
    env.add("Before/day/1.jpg", fixture("astronaut.jpg"));
    env.add("Before/2.jpg", fixture("hopper.jpg"));
    env.add("stays/copy.jpg", fixture("hopper.jpg"));
    env
}

/// The names in the gallery's list of folders.
fn listed(env: &TestEnv) -> Vec<String> {
    let counts = Server::start(env).ask("/api/counts");
    let folders = counts["folders"].as_array().unwrap().iter();
    folders
        .map(|folder| folder["name"].as_str().unwrap().to_owned())
        .collect()
}

#[track_caller]
fn assert_renamed(env: &TestEnv) {
    for filter in ["--album after", "--text after", "--under album/After"] {
        let mut found = env.query(filter);
        found.sort();
        assert_eq!(found, ["After/2.jpg", "After/day/1.jpg"], "{filter}");
    }
    for filter in ["--album before", "--text before", "--under album/Before"] {
        assert_eq!(env.query(filter), [] as [&str; 0], "{filter}");
    }
    assert_eq!(listed(env), ["album", "After", "day", "stays"]);
    env.run("doctor --json").found();
    env.run("index album --database fresh.sqlite3 --json")
        .found();
    assert_same(&env.database(), &env.path("fresh.sqlite3"));
}

#[test]
fn a_folder_renamed_while_the_daemon_runs_is_found_by_its_new_name() {
    let env = album();
    let daemon = Daemon::start(&env);
    wait_until_fresh(&env);
    let before = index_times(&env);
    assert_eq!(env.query("--album before").len(), 2);
    fs::rename(env.album("Before"), env.album("After")).unwrap();
    wait_until_fresh(&env);
    assert_renamed(&env);
    assert_eq!(index_times(&env), before, "no photo was processed again");
    daemon.stop();
}

#[test]
fn a_folder_renamed_while_no_daemon_runs_is_found_by_its_new_name() {
    let env = album();
    env.index();
    let before = index_times(&env);
    fs::rename(env.album("Before"), env.album("After")).unwrap();
    env.index();
    assert_renamed(&env);
    assert_eq!(index_times(&env), before, "no photo was processed again");
}

#[test]
fn promise_18_photos_of_a_large_folder_are_found_by_its_new_name() {
    let env = TestEnv::new();
    let count = size(1000, 20_000);
    add_indexed(&env, "Before", 0..count);
    let _daemon = Daemon::start(&env);
    wait_until_fresh(&env);
    let before = index_times(&env);
    let counted = |filter: &str| {
        let run = env.run(&format!("query --count {filter}"));
        run.text().trim().parse::<usize>().unwrap()
    };
    assert_eq!(counted("--text before"), count);
    let start = Instant::now();
    fs::rename(env.album("Before"), env.album("After")).unwrap();
    wait_until_fresh(&env);
    let took = start.elapsed();
    for filter in ["--text after", "--album after"] {
        assert_eq!(counted(filter), count, "{filter}");
    }
    assert_eq!(counted("--text before"), 0);
    assert_eq!(index_times(&env), before, "no photo was processed again");
    report(
        "18",
        format!(
            "{count} photos are found by the new name of their folder {took:.1?} after the rename"
        ),
    );
}
