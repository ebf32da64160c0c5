//! Starting and ending the gallery, and the programs that the gallery starts.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use fer_index::emotion::Emotion;
use serde_json::json;

use crate::common::fixture;
use crate::http::Request;
use crate::seed::{Seed, seed};
use crate::server::{Server, wait_for};
use crate::testenv::{Run, TestEnv};

/// A substitute for a desktop program, which records its arguments.
pub fn stand_in(env: &TestEnv, name: &str, exit_code: i32) -> PathBuf {
    let bin = env.path("bin");
    fs::create_dir_all(&bin).unwrap();
    let noted = env.path(format!("{name}.noted"));
    let script = format!(
        "#!/bin/sh\nprintf '%s\\n' \"$*\" >> '{0}.part' && mv '{0}.part' '{0}'\nexit {exit_code}\n",
        noted.display()
    );
    fs::write(bin.join(name), script).unwrap();
    fs::set_permissions(bin.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    noted
}

pub fn with_stand_ins(env: &TestEnv, line: &str) -> Command {
    let mut command = env.command(line);
    command.env(
        "PATH",
        format!("{}:/usr/bin:/bin", env.path("bin").display()),
    );
    command.stderr(Stdio::null());
    command
}

fn one_photo(env: &TestEnv) {
    let bytes = fixture("astronaut.jpg");
    seed(
        env,
        &[Seed::new(
            "trip, 1/a b.jpg",
            bytes,
            &[(Emotion::Happy, 0.9)],
        )],
    );
}

#[test]
fn the_browser_is_started_with_a_link_that_opens_once() {
    let env = TestEnv::new();
    one_photo(&env);
    let noted = stand_in(&env, "xdg-open", 0);
    let server = Server::of(&mut with_stand_ins(&env, "gallery --listen 127.0.0.1:0"));
    let opened = wait_for("the browser", || fs::read_to_string(&noted).ok());
    let opened = opened.trim_end();
    assert_ne!(opened, server.link);
    let target = opened
        .strip_prefix(&format!("http://{}", server.address))
        .unwrap();
    let enter = || Request::get(server.address, target).send().status;
    assert_eq!((enter(), enter()), (200, 401));
}

#[test]
fn a_photo_is_shown_in_the_file_manager() {
    let env = TestEnv::new();
    one_photo(&env);
    let selected = stand_in(&env, "dbus-send", 0);
    let server = Server::of(&mut with_stand_ins(
        &env,
        "gallery --no-open --listen 127.0.0.1:0",
    ));
    assert_eq!(server.post("/api/photo/1/reveal", &json!(null)).status, 200);
    let asked = fs::read_to_string(&selected).unwrap();
    assert!(asked.contains("/album/trip%2C%201/a%20b.jpg "), "{asked}");

    // If no file manager can select a file, the folder is opened.
    stand_in(&env, "dbus-send", 1);
    let opened = stand_in(&env, "xdg-open", 0);
    assert_eq!(server.post("/api/photo/1/reveal", &json!(null)).status, 200);
    let asked = fs::read_to_string(&opened).unwrap();
    assert_eq!(asked.trim_end(), env.album("trip, 1").display().to_string());

    stand_in(&env, "xdg-open", 3);
    let failed = server.post("/api/photo/1/reveal", &json!(null));
    assert_eq!(failed.status, 500);
    assert!(
        failed.text().contains("no file manager"),
        "{}",
        failed.text()
    );

    fs::remove_file(env.album("trip, 1/a b.jpg")).unwrap();
    assert_eq!(server.post("/api/photo/1/reveal", &json!(null)).status, 410);
    assert_eq!(server.post("/api/photo/7/reveal", &json!(null)).status, 404);
}

#[test]
fn a_signal_ends_it_even_while_a_page_listens() {
    let env = TestEnv::new();
    one_photo(&env);
    let server = Server::start(&env);
    let _page = server.get("/api/live").open();
    assert_eq!(server.ask("/api/counts")["all"], 1);
    assert_eq!(server.terminate(), 0);
}

#[test]
fn an_address_that_is_taken_is_named() {
    let env = TestEnv::new();
    let server = Server::start(&env);
    let line = format!("gallery --no-open --listen {}", server.address);
    let sentence = env.run(&line).refused();
    assert!(sentence.contains(&server.address.to_string()), "{sentence}");
    assert!(sentence.contains("--listen"), "{sentence}");

    // If the address was not requested explicitly, the gallery uses another one.
    let mut command = env.command("gallery --no-open");
    let address = server.address.to_string();
    let other = Server::of(command.env("FER_INDEX_GALLERY_LISTEN", address));
    assert_ne!(other.address, server.address);

    let mut command = env.command("gallery --no-open");
    let sentence = Run::of(command.env("FER_INDEX_GALLERY_LISTEN", "here")).refused();
    assert!(sentence.contains("gallery.listen"), "{sentence}");
}

#[test]
fn an_address_on_the_network_is_warned_of_and_reveals_nothing() {
    let env = TestEnv::new();
    one_photo(&env);
    let stderr = env.path("stderr");
    let mut command = env.command("gallery --no-open --listen 0.0.0.0:0 --host photos.home");
    let mut server = Server::of(command.stderr(fs::File::create(&stderr).unwrap()));
    let warned = fs::read_to_string(&stderr).unwrap();
    assert!(warned.contains("reached from the network"), "{warned}");
    server.address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    for (host, status) in [
        ("photos.home", 200),
        ("192.168.0.1", 200),
        ("evil.example", 421),
    ] {
        assert_eq!(
            server.get("/").host(Some(host)).send().status,
            status,
            "{host}"
        );
    }
    let reveal = server.post("/api/photo/1/reveal", &json!(null));
    assert_eq!(reveal.status, 403);
    assert_eq!(server.ask("/api/photo/1")["can_reveal"], false);
}

#[test]
fn what_cannot_work_is_refused_at_the_start() {
    let env = TestEnv::new();
    fs::write(env.path("notes.txt"), "mine").unwrap();
    for (flag, value) in [
        ("--host", "http://x"),
        ("--host", "a b"),
        ("--host", ""),
        ("--albums", "notes.txt"),
    ] {
        let mut command = env.command("gallery --no-open --listen 127.0.0.1:0");
        let ended = command.args([flag, value]).output().unwrap();
        let error = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(2), "{value}: {error}");
        assert!(error.contains(flag), "{error}");
        assert!(ended.stdout.is_empty());
    }
}
