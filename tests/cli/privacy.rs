//! Only its owner can read what fer-index stores.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use crate::testenv::{Run, TestEnv};

/// The files and folders below a folder that others may access.
fn open_to_others(folder: &Path) -> Vec<String> {
    let entries = walkdir::WalkDir::new(folder)
        .min_depth(1)
        .into_iter()
        .map(Result::unwrap);
    entries
        .filter(|entry| entry.metadata().unwrap().permissions().mode() & 0o077 != 0)
        .map(|entry| entry.path().display().to_string())
        .collect()
}

/// Runs a command line with a umask of 0, which removes no permissions.
fn run(env: &TestEnv, line: &str) -> Run {
    let mut command = Command::new("sh");
    env.place(&mut command);
    let binary = env!("CARGO_BIN_EXE_fer-index");
    command.args(["-c", &format!("umask 0; exec {binary} {line}")]);
    Run::of(&mut command)
}

#[test]
fn whatever_the_umask_only_the_owner_has_rights() {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    run(&env, "index album").found();
    let face = env.show("hopper.jpg")["faces"][0]["id"].clone();
    run(&env, &format!("correct {face} --emotion sad")).found();
    run(&env, "backup home/copies/a.sqlite3").found();
    run(&env, "corrections export home/copies/a.jsonl").found();
    run(&env, "restore home/copies/a.sqlite3").found();
    run(&env, "forget album/hopper.jpg").found();
    assert_eq!(open_to_others(&env.path("home")), [""; 0]);
}

#[test]
fn a_database_that_others_can_read_is_made_private_again() {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    env.index();
    fs::set_permissions(env.database(), fs::Permissions::from_mode(0o664)).unwrap();
    let run = env.run("query");
    assert!(
        run.code == 0 && run.stderr.contains("only you have now"),
        "{run:?}"
    );
    assert_eq!(open_to_others(&env.path("home")), [""; 0]);
    assert_eq!(env.run("query").found().text().lines().count(), 1);
}
