//! Corrections that are made while an index run is at work.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::Value;

use crate::common::{fixture, jpeg, photo};
use crate::kin::{DATE, correct, correction, edit, edits, face, taken};
use crate::testenv::TestEnv;

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_mins(2), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A detector program that finds the face of the photo `a.jpg` in every photo. It does not answer a request about a picture of
/// some height while there is a file `hold.WIDTH`, and says by another one that it waits.
fn with_detector(env: &TestEnv) {
    let found = env.run("detect --json album/a.jpg").found().json();
    let face = &found[0]["faces"][0];
    let answer = serde_json::json!({"faces": [{
        "box": face["box"], "score": 0.9, "landmarks": face["landmarks"],
    }]});
    let script = format!(
        r#"echo '{{"fer_index_detector":1,"model":"slow 1"}}'
number() {{ printf %s "$line" | sed "s/.*\"$1\": *\([0-9]*\).*/\1/"; }}
while read -r line; do
    head -c "$(number bytes)" > /dev/null
    height=$(number height)
    while [ -e "$0.hold.$height" ]; do touch "$0.waits.$height"; sleep 0.05; done
    echo '{answer}'
done
"#
    );
    let program = env.path("detector");
    fs::write(&program, script).unwrap();
    fs::create_dir_all(env.config_file().parent().unwrap()).unwrap();
    let settings = format!(
        "threads = 1\n[detector]\nbackend = 'command'\ncommand = ['sh', '{}']\ncommand_seconds = 600\n",
        program.display()
    );
    fs::write(env.config_file(), settings).unwrap();
}

fn signal(process: u32, name: &str) {
    let kill = Command::new("kill")
        .args([name, &process.to_string()])
        .status();
    assert!(kill.unwrap().success());
}

/// Indexes the new files `b-edit.jpg` and `c.jpg`, and calls `meanwhile` when the faces of the edit were compared with those of
/// the photos in the index, but the edit is not stored yet.
fn index_with(env: &TestEnv, meanwhile: impl FnOnce(&TestEnv)) {
    let [edit, next] = ["astronaut.jpg", "hopper.jpg"].map(|name| photo(name).height());
    let at = |what: &str, height| env.path(format!("detector.{what}.{height}"));
    for height in [edit, next] {
        fs::write(at("hold", height), "").unwrap();
    }
    let mut run = env.command("index album");
    let mut run = run.stdout(Stdio::null()).spawn().unwrap();
    wait_until("the edit is searched", || at("waits", edit).exists());
    // Nothing can be stored while another program writes to the database.
    let other = Connection::open(env.database()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    fs::remove_file(at("hold", edit)).unwrap();
    // There is one worker, which takes the next file when it is done with the edit.
    wait_until("the edit was compared", || at("waits", next).exists());
    signal(run.id(), "-STOP");
    other.execute_batch("ROLLBACK").unwrap();
    meanwhile(env);
    signal(run.id(), "-CONT");
    fs::remove_file(at("hold", next)).unwrap();
    assert!(run.wait().unwrap().success());
}

fn album() -> TestEnv {
    let env = TestEnv::new();
    let original = taken(&fixture("astronaut.jpg"), DATE, "25", "X100");
    env.add("a.jpg", original);
    env.index();
    with_detector(&env);
    env.index();
    env.add("b-edit.jpg", edit(&edits(&photo("astronaut.jpg"))[2].1));
    env.add("c.jpg", fixture("hopper.jpg"));
    env
}

#[test]
fn a_correction_that_is_made_while_an_edit_is_analysed_carries_over() {
    let env = album();
    index_with(&env, |env| correct(env, "a.jpg", "sad"));
    assert_eq!(correction(&env, "b-edit.jpg"), "sad");
    env.run("doctor").found();
}

#[test]
fn a_correction_that_is_changed_or_undone_while_an_edit_is_analysed_carries_over_as_it_is_then() {
    let env = album();
    correct(&env, "a.jpg", "sad");
    index_with(&env, |env| correct(env, "a.jpg", "happy"));
    assert_eq!(correction(&env, "b-edit.jpg"), "happy");

    // The row of an undone correction is taken by the next one, which is that of another face.
    let env = album();
    fs::rename(env.album("b-edit.jpg"), env.path("b-edit.jpg")).unwrap();
    fs::rename(env.album("c.jpg"), env.path("c.jpg")).unwrap();
    env.add(
        "other.jpg",
        jpeg(edits(&photo("astronaut.jpg"))[1].1.clone()),
    );
    env.index();
    correct(&env, "a.jpg", "sad");
    for name in ["b-edit.jpg", "c.jpg"] {
        fs::rename(env.path(name), env.album(name)).unwrap();
    }
    index_with(&env, |env| {
        let number = face(env, "a.jpg")["id"].clone();
        env.run(&format!("undo {number}")).found();
        correct(env, "other.jpg", "fear");
    });
    assert_eq!(correction(&env, "b-edit.jpg"), Value::Null);
    assert_eq!(correction(&env, "other.jpg"), "fear");
    env.run("doctor").found();
}
