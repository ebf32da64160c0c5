//! Albums made in the page from selected photos.

use std::fs;

use fer_index::emotion::Emotion::Happy;
use serde_json::json;

use crate::common::fixture;
use crate::seed::{Seed, seed};
use crate::server::Server;
use crate::testenv::TestEnv;

fn album() -> TestEnv {
    let env = TestEnv::new();
    let photo = |name: &'static str| {
        let bytes = [fixture("coffee.jpg"), name.into()].concat();
        Seed::new(name, bytes, &[(Happy, 0.9)])
    };
    seed(&env, &["a.jpg", "b.jpg", "c.jpg"].map(photo));
    env
}

#[test]
fn an_album_is_made_in_the_named_folder_and_nowhere_else() {
    let env = album();
    let line = "gallery --no-open --listen 127.0.0.1:0 --albums best";
    let server = Server::of(&mut env.command(line));
    let make = |name: &str| {
        let album = json!({"name": name, "photos": [3, 1]});
        server.post("/api/album", &album)
    };
    let made = make("Summer").json();
    assert_eq!(made["folder"], "best/Summer");
    let mut links: Vec<_> = fs::read_dir(env.path("best/Summer"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_symlink())
        .map(|path| path.canonicalize().unwrap())
        .collect();
    links.sort();
    assert_eq!(links, [env.album("a.jpg"), env.album("c.jpg")]);

    for name in ["", "..", "../up", "/tmp/x", "a/b", ".hidden"] {
        assert_eq!(make(name).status, 400, "{name}");
    }
    assert!(!env.path("up").exists());
    // A folder that contains a file of the user stays unchanged.
    fs::create_dir(env.path("best/mine")).unwrap();
    fs::write(env.path("best/mine/diary.txt"), "dear").unwrap();
    assert_eq!(make("mine").status, 400);
    assert_eq!(fs::read(env.path("best/mine/diary.txt")).unwrap(), b"dear");

    let none = json!({"name": "none", "photos": []});
    assert_eq!(server.post("/api/album", &none).status, 400);
    // As many photos as somebody may select; a photo that is named twice gets one link.
    let many = json!({"name": "many", "photos": vec![1; 2000]});
    assert_eq!(server.post("/api/album", &many).status, 200);
    let unknown = json!({"name": "none", "photos": [99]});
    assert_eq!(server.post("/api/album", &unknown).status, 404);
    assert!(!env.path("best/none").exists());
}

#[test]
fn an_album_of_the_same_name_is_kept_unless_the_page_says_otherwise() {
    let env = album();
    let line = "gallery --no-open --listen 127.0.0.1:0 --albums best";
    let server = Server::of(&mut env.command(line));
    let make = |photos: &[u32], existing: Option<&str>| {
        let album = json!({"name": "Trip", "photos": photos, "existing": existing});
        server.post("/api/album", &album)
    };
    let photos = || {
        let mut names: Vec<_> = fs::read_dir(env.path("best/Trip"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !name.starts_with('.'))
            .collect();
        names.sort();
        names
    };
    assert_eq!(make(&[3, 1], None).status, 200);
    let refused = make(&[2], None);
    assert_eq!(refused.status, 409);
    assert!(
        refused.text().contains("an album of that name"),
        "{}",
        refused.text()
    );
    assert_eq!(photos(), ["001 c.jpg", "002 a.jpg"]);
    assert_eq!(make(&[1, 2], Some("add")).status, 200);
    assert_eq!(photos(), ["001 c.jpg", "002 a.jpg", "003 b.jpg"]);
    assert_eq!(make(&[2], Some("replace")).status, 200);
    assert_eq!(photos(), ["001 b.jpg"]);
    assert_eq!(make(&[2], Some("burn")).status, 422);

    // The message names the user's file, and no flags, which the page does not have.
    fs::write(env.path("best/Trip/diary.txt"), "dear").unwrap();
    let refused = make(&[3], Some("replace"));
    assert_eq!(refused.status, 400);
    let text = refused.text();
    assert!(text.contains("diary.txt") && !text.contains("--"), "{text}");
    assert_eq!(make(&[3], Some("add")).status, 200);
    assert_eq!(photos(), ["001 b.jpg", "002 c.jpg", "diary.txt"]);
}

#[test]
fn without_the_flag_nothing_is_written() {
    let env = album();
    let server = Server::start(&env);
    let refused = server.post("/api/album", &json!({"name": "Summer", "photos": [1]}));
    assert_eq!(refused.status, 403);
    assert!(refused.text().contains("--albums"), "{}", refused.text());
}
