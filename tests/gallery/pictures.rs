//! The pictures are upright, made once, and readable only by their owner.

use std::fs;
use std::path::PathBuf;

use fer_index::emotion::Emotion;
use image::{DynamicImage, Rgb, RgbImage};

use crate::common::exif_block::ExifBlock;
use crate::common::{fixture, jpeg, jpeg_with_exif, rewrite_keeping_time, stored, with_comment};
use crate::http::Response;
use crate::seed::{Seed, seed};
use crate::server::Server;
use crate::testenv::TestEnv;

const FACES: [(Emotion, f32); 1] = [(Emotion::Happy, 0.9)];

fn picture(response: &Response) -> DynamicImage {
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(response.header("content-type"), Some("image/jpeg"));
    image::load_from_memory(&response.body).unwrap()
}

fn cached(env: &TestEnv) -> Vec<PathBuf> {
    walkdir::WalkDir::new(env.path("home/.cache/fer-index/thumbnails"))
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .map(walkdir::DirEntry::into_path)
        .collect()
}

#[test]
fn pictures_are_upright_and_tell_nothing_else() {
    // Red above, blue below, 900 wide; stored rotated, as by a phone held upright.
    let upright = RgbImage::from_fn(900, 1600, |_, y| {
        Rgb(if y < 800 {
            [240, 10, 10]
        } else {
            [10, 10, 240]
        })
    });
    let exif = ExifBlock::new().with_orientation(6).bytes();
    let bytes = jpeg_with_exif(&jpeg(stored(&upright, 6)), &exif);
    let env = TestEnv::new();
    seed(&env, &[Seed::new("phone.jpg", bytes, &FACES)]);
    let server = Server::start(&env);
    for (route, height) in [("/thumb/1", 720), ("/view/1", 1600)] {
        let response = server.get(route).send();
        let shown = picture(&response).into_rgb8();
        assert_eq!(
            (shown.width(), shown.height()),
            (height * 9 / 16, height),
            "{route}"
        );
        let (top, bottom) = (shown.get_pixel(20, 20), shown.get_pixel(20, height - 20));
        assert!(
            top[0] > 200 && bottom[2] > 200,
            "{route}: {top:?} {bottom:?}"
        );
        assert!(!response.text().contains("Exif"), "{route}");
    }
}

#[test]
fn a_photo_that_was_rewritten_is_shown_again_after_the_next_run() {
    let env = TestEnv::new();
    let version = |text| with_comment(&fixture("hopper.jpg"), text);
    let path = env.add("hopper.jpg", version("before"));
    env.index();
    let server = Server::start(&env);
    let status = || {
        let database = env.open().unwrap();
        let photo = database.query_row("SELECT photo_id FROM files", [], |row| row.get(0));
        let photo: i64 = photo.unwrap();
        server.get(&format!("/view/{photo}")).send().status
    };
    assert_eq!(status(), 200);
    rewrite_keeping_time(&path, &version("behind"));
    assert_eq!(status(), 410);
    env.index();
    assert_eq!(status(), 200);
}

#[test]
fn a_thumbnail_is_made_once_and_kept_for_the_owner() {
    let env = TestEnv::new();
    seed(
        &env,
        &[Seed::new(
            "a/astronaut.jpg",
            fixture("astronaut.jpg"),
            &FACES,
        )],
    );
    let server = Server::start(&env);
    let first = server.get("/thumb/1").send();
    picture(&first);
    let kept = cached(&env);
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert_eq!(fs::read(&kept[0]).unwrap(), first.body);

    // The thumbnail is not made again: it is still served after the photo itself was removed.
    fs::remove_file(env.album("a/astronaut.jpg")).unwrap();
    assert_eq!(server.get("/thumb/1").send().body, first.body);

    // A browser that already has the thumbnail does not receive it again.
    let tag = first.header("etag").unwrap();
    let known = server.get("/thumb/1").header("if-none-match", tag).send();
    assert_eq!((known.status, known.body.len()), (304, 0));

    // The thumbnail can be deleted.
    fs::write(env.album("a/astronaut.jpg"), fixture("astronaut.jpg")).unwrap();
    fs::remove_dir_all(env.path("home/.cache")).unwrap();
    picture(&server.get("/thumb/1").send());
    assert_eq!(cached(&env).len(), 1);

    #[cfg(unix)]
    for entry in walkdir::WalkDir::new(env.path("home/.cache/fer-index")) {
        use std::os::unix::fs::PermissionsExt as _;
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        let own = if entry.file_type().is_dir() {
            0o700
        } else {
            0o600
        };
        assert_eq!(mode, own, "{}", entry.path().display());
    }
}

#[test]
fn what_browsers_cannot_show_is_shown_all_the_same() {
    let env = TestEnv::new();
    let names = ["plain.heic", "turned.avif", "cmyk.jpg"];
    let seeds = names.map(|name| Seed::new(name, fixture(&format!("formats/{name}")), &FACES));
    seed(&env, &seeds);
    let server = Server::start(&env);
    for photo in 1..=3 {
        let shown = picture(&server.get(&format!("/view/{photo}")).send());
        assert_eq!((shown.width(), shown.height()), (160, 128), "{photo}");
    }
}

#[test]
fn a_photo_found_at_another_path_is_shown_from_there() {
    let env = TestEnv::new();
    let astronaut = |name| Seed::new(name, fixture("astronaut.jpg"), &FACES);
    seed(&env, &[astronaut("a.jpg"), astronaut("b.jpg")]);
    fs::remove_file(env.album("a.jpg")).unwrap();
    let server = Server::start(&env);
    picture(&server.get("/view/1").send());
}
