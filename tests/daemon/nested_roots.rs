//! Roots that lie in another root which leaves them out.

use std::fs;

use crate::common::fixture;
use crate::harness::{Daemon, files, numbered, portrait, status, wait_until};
use crate::testenv::TestEnv;

#[test]
fn a_root_that_another_one_leaves_out_is_followed_as_well() {
    let env = TestEnv::new();
    let portrait = portrait();
    for (number, name) in (0..).zip([".hidden/1.jpg", "marked/kept/2.jpg", "3.jpg"]) {
        env.add(name, numbered(&portrait, number));
    }
    env.add("marked/.nomedia", "");
    let daemon = Daemon::follow(&env, "album album/.hidden album/marked/kept", &[]);
    wait_until("all photos", || files(&env) == 3);
    assert_eq!(status(&env)["roots"].as_array().unwrap().len(), 3);

    // Changes in each of them.
    env.add(".hidden/new.jpg", fixture("hopper.jpg"));
    env.add("marked/kept/new.jpg", fixture("chelsea.jpg"));
    env.add("new.jpg", fixture("coffee.jpg"));
    wait_until("new photos", || files(&env) == 6);
    env.add(".other/not.jpg", fixture("astronaut.jpg"));
    env.add("marked/not.jpg", fixture("astronaut.jpg"));
    fs::remove_file(env.album(".hidden/new.jpg")).unwrap();
    wait_until("a deleted photo", || files(&env) == 5);
    fs::rename(env.album("marked/kept/new.jpg"), env.album("moved.jpg")).unwrap();
    fs::rename(env.album("new.jpg"), env.album(".hidden/moved.jpg")).unwrap();
    let at = |name: &str| {
        !env.stored_files(&format!("path LIKE '%/{name}'"))
            .is_empty()
    };
    wait_until("moved photos", || {
        at("album/moved.jpg") && at(".hidden/moved.jpg")
    });
    assert_eq!(files(&env), 5);

    // Another marker of the folder around one of them changes nothing in it, and its loss is noticed.
    env.add("marked/.noindex", "");
    fs::remove_file(env.album("marked/.nomedia")).unwrap();
    env.add("marked/kept/last.jpg", fixture("camera.jpg"));
    wait_until("a photo after the marker", || files(&env) == 6);
    fs::remove_file(env.album("marked/.noindex")).unwrap();
    wait_until("what is marked no more", || at("marked/not.jpg"));
    assert_eq!(files(&env), 7);
    daemon.stop();
    let run = env
        .run("index album album/.hidden album/marked/kept --json")
        .found();
    assert_eq!(run.json()["gone"], 0, "{run:?}");
}

#[test]
fn a_daemon_of_the_outer_root_leaves_an_inner_one_of_the_settings_as_it_is() {
    let env = TestEnv::new();
    env.add("outer.jpg", portrait());
    env.add(".hidden/inner.jpg", fixture("hopper.jpg"));
    let roots = [env.album(""), env.album(".hidden")].map(|root| format!("{root:?}"));
    fs::create_dir_all(env.config_file().parent().unwrap()).unwrap();
    let settings = format!("[album]\nroots = [{}]\n", roots.join(", "));
    fs::write(env.config_file(), settings).unwrap();
    env.run("index").found();
    assert_eq!(files(&env), 2);
    let daemon = Daemon::follow(&env, "album", &[]);
    env.add("new.jpg", fixture("coffee.jpg"));
    wait_until("a new photo", || files(&env) == 3);
    daemon.stop();
}
