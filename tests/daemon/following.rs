//! The daemon follows changes to files and folders.

use std::fs::{self, File};
use std::io::Write as _;
use std::thread;
use std::time::Duration;

use crate::common::{far_away, fixture, jpeg, rect64};
use crate::harness::{
    Daemon, add_non_images, faces, files, index_times, number, numbered, portrait, report, size,
    status, wait_until,
};
use crate::testenv::{TestEnv, face_box};

/// Waits until all changes so far are in the index.
fn wait_until_fresh(env: &TestEnv) {
    let run = env.run("query --emotion happy --all --fresh --fresh-within 200");
    assert!(run.code <= 1, "{run:?}");
}

fn paths(env: &TestEnv) -> Vec<String> {
    env.stored_files("true")
}

#[test]
fn moves_copies_links_and_deletions_are_followed() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg", "hopper.jpg"]);
    let daemon = Daemon::start(&env);
    wait_until_fresh(&env);
    let (before, faces_before) = (index_times(&env), faces(&env));
    assert_eq!((before.len(), faces_before.len()), (2, 2));

    // After moves, copies and links no photo is processed again.
    fs::create_dir_all(env.album("a/b/c")).unwrap();
    fs::rename(env.album("astronaut.jpg"), env.album("a/b/c/1.jpg")).unwrap();
    fs::copy(env.album("hopper.jpg"), env.album("a/copy.jpg")).unwrap();
    fs::hard_link(env.album("hopper.jpg"), env.album("a/hard.jpg")).unwrap();
    wait_until_fresh(&env);
    fs::rename(env.album("a"), env.album("z")).unwrap();
    env.add("z/b/notes.txt", "no photo");
    wait_until_fresh(&env);
    let expected = ["hopper.jpg", "z/b/c/1.jpg", "z/copy.jpg", "z/hard.jpg"];
    assert_eq!(paths(&env), expected);
    assert_eq!(
        (index_times(&env), faces(&env)),
        (before.clone(), faces_before)
    );

    // The renamed folder is followed under its new name, and so is a new folder with the old name.
    env.add("z/b/c/2.jpg", fixture("chelsea.jpg"));
    env.add("a/3.jpg", fixture("camera.jpg"));
    wait_until_fresh(&env);
    assert!(paths(&env).contains(&"z/b/c/2.jpg".to_owned()));
    assert!(paths(&env).contains(&"a/3.jpg".to_owned()));

    // Files are replaced under the same name, deleted, moved out and moved in again.
    fs::remove_file(env.album("hopper.jpg")).unwrap();
    env.add("hopper.jpg", fixture("coffee.jpg"));
    fs::remove_file(env.album("z/copy.jpg")).unwrap();
    fs::rename(env.album("z/b"), env.path("outside")).unwrap();
    wait_until_fresh(&env);
    assert_eq!(paths(&env), ["a/3.jpg", "hopper.jpg", "z/hard.jpg"]);
    assert_eq!(
        number(
            &env,
            "SELECT face_count FROM photos JOIN files ON photo_id = id WHERE path LIKE '%/album/hopper.jpg'"
        ),
        0
    );
    fs::rename(env.path("outside"), env.album("again")).unwrap();
    wait_until_fresh(&env);
    assert!(paths(&env).contains(&"again/c/1.jpg".to_owned()));
    assert_eq!(
        index_times(&env)[..2],
        before[..],
        "no known content was processed again"
    );

    fs::remove_dir_all(env.album("again")).unwrap();
    wait_until_fresh(&env);
    assert_eq!(paths(&env), ["a/3.jpg", "hopper.jpg", "z/hard.jpg"]);
    let (ended, took) = daemon.stop();
    assert!(ended.success() && took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn after_a_move_to_another_root_no_photo_is_processed_again() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg"]);
    env.add("trip/1.jpg", fixture("hopper.jpg"));
    let other = env.path("other");
    fs::create_dir(&other).unwrap();
    let _daemon = Daemon::follow(&env, "album other", &[]);
    wait_until_fresh(&env);
    let (before, faces_before) = (index_times(&env), faces(&env));
    assert_eq!(before.len(), 2);
    fs::rename(env.album("astronaut.jpg"), other.join("a.jpg")).unwrap();
    fs::rename(env.album("trip"), other.join("trip")).unwrap();
    wait_until_fresh(&env);
    assert_eq!((index_times(&env), faces(&env)), (before, faces_before));
    let there = "SELECT count(*) FROM files WHERE path LIKE '%/other/%'";
    assert_eq!((number(&env, there), files(&env)), (2, 2));
    fs::write(other.join("trip/2.jpg"), fixture("coffee.jpg")).unwrap();
    wait_until_fresh(&env);
    assert_eq!(files(&env), 3);
}

#[test]
fn promise_5_half_written_files_are_not_read() {
    let env = TestEnv::new();
    let _daemon = Daemon::start(&env);
    let photo = fixture("astronaut.jpg");
    let pieces = size(6, 30);
    let pause = size(Duration::from_millis(400), Duration::from_secs(1));
    let mut slow = File::create(env.album("slow.jpg")).unwrap();
    for piece in photo.chunks(photo.len().div_ceil(pieces)) {
        slow.write_all(piece).unwrap();
        slow.flush().unwrap();
        // A pause that is longer than the debounce interval, which is the subject of this test.
        thread::sleep(pause);
        assert_eq!(files(&env), 0);
    }
    drop(slow);
    wait_until("the whole file", || files(&env) == 1);

    // Temporary names of rsync, browsers and editors.
    for (temporary, name) in [
        (".r.jpg.Xy12ab", "r.jpg"),
        ("b.jpg.part", "b.jpg"),
        ("s.jpg~", "s.jpg"),
    ] {
        let half = env.add(temporary, &photo[..photo.len() / 2]);
        wait_until_fresh(&env);
        assert!(!paths(&env).contains(&name.to_owned()));
        fs::write(&half, numbered(&photo, name.len())).unwrap();
        fs::rename(half, env.album(name)).unwrap();
    }
    wait_until_fresh(&env);
    assert_eq!(paths(&env), ["b.jpg", "r.jpg", "s.jpg", "slow.jpg"]);
    let errors = "SELECT count(*) FROM photos WHERE skip_reason IS NOT NULL";
    assert_eq!(number(&env, errors), 0);
    report(
        "5",
        format!(
            "{pieces} pieces {pause:?} apart and three temporary names: one row each, no error row"
        ),
    );
}

#[test]
fn promise_7_after_a_rename_of_a_folder_no_photo_is_processed_again() {
    let env = TestEnv::new();
    let count = size(500, 10_000);
    env.add("old/portrait.jpg", portrait());
    add_non_images(&env, "old", 1..count);
    let _daemon = Daemon::start(&env);
    wait_until_fresh(&env);
    let (before, faces_before) = (index_times(&env), faces(&env));
    assert_eq!(before.len(), count);

    let start = std::time::Instant::now();
    fs::rename(env.album("old"), env.album("new")).unwrap();
    wait_until_fresh(&env);
    let took = start.elapsed();
    assert_eq!((index_times(&env), faces(&env)), (before, faces_before));
    let moved = "SELECT count(*) FROM files WHERE path LIKE '%/album/new/%'";
    assert_eq!(
        (number(&env, moved), files(&env)),
        (count as i64, count as i64)
    );
    report(
        "7",
        format!(
            "{count} files renamed with their folder: none processed again, numbers kept, {took:.1?}"
        ),
    );
}

#[test]
fn excluded_folders_are_not_watched_and_new_ones_are() {
    let env = TestEnv::new();
    env.add("@eaDir/a.jpg", fixture("hopper.jpg"));
    env.add(".hidden/a.jpg", fixture("hopper.jpg"));
    fs::create_dir_all(env.album("one/two")).unwrap();
    let _daemon = Daemon::start(&env);
    assert_eq!(status(&env)["daemon"]["watched_folders"], 3);
    fs::create_dir_all(env.album("one/two/three/@eaDir")).unwrap();
    fs::create_dir_all(env.album("four/five/six")).unwrap();
    wait_until("new folders are watched", || {
        status(&env)["daemon"]["watched_folders"] == 7
    });
    fs::remove_dir_all(env.album("four")).unwrap();
    wait_until("removed folders are not", || {
        status(&env)["daemon"]["watched_folders"] == 4
    });
    assert_eq!(files(&env), 0);
}

#[test]
fn a_marker_makes_photos_leave_and_its_removal_makes_them_return() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg"]);
    env.add("private/hopper.jpg", fixture("hopper.jpg"));
    env.add("private/deep/chelsea.jpg", fixture("chelsea.jpg"));
    let _daemon = Daemon::start(&env);
    wait_until_fresh(&env);
    let all = [
        "astronaut.jpg",
        "private/deep/chelsea.jpg",
        "private/hopper.jpg",
    ];
    assert_eq!(paths(&env), all);
    let (before, faces_before) = (index_times(&env), faces(&env));
    let watched = |env: &TestEnv| status(env)["daemon"]["watched_folders"].clone();
    assert_eq!(watched(&env), 3);

    for round in 0..2 {
        let marker = env.add("private/.nomedia", "");
        wait_until_fresh(&env);
        assert_eq!(paths(&env), all[..1], "round {round}");
        assert_eq!(watched(&env), 2, "the marked folder, but not the one in it");
        // Changes in the marked folder have no effect.
        env.add(format!("private/{round}.jpg"), fixture("coffee.jpg"));
        env.add(format!("private/new{round}/1.jpg"), fixture("coffee.jpg"));
        fs::copy(env.album("astronaut.jpg"), env.path("copy.jpg")).unwrap();
        fs::rename(env.path("copy.jpg"), env.album("private/moved.jpg")).unwrap();
        wait_until_fresh(&env);
        assert_eq!(paths(&env), all[..1], "round {round}");
        for name in [&format!("{round}.jpg"), "moved.jpg"] {
            fs::remove_file(env.album("private").join(name)).unwrap();
        }
        fs::remove_dir_all(env.album(format!("private/new{round}"))).unwrap();

        fs::remove_file(marker).unwrap();
        wait_until_fresh(&env);
        assert_eq!(paths(&env), all, "round {round}");
        assert_eq!(watched(&env), 3);
    }
    assert_eq!((index_times(&env), faces(&env)), (before, faces_before));
}

#[test]
fn photos_that_are_renamed_into_or_out_of_a_marked_folder_leave_and_return() {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    env.add(
        "private/CACHEDIR.TAG",
        "Signature: 8a477f597d28d172789f06886806bc55",
    );
    let _daemon = Daemon::start(&env);
    wait_until_fresh(&env);
    let before = index_times(&env);
    for (from, to, expected) in [
        ("hopper.jpg", "private/hopper.jpg", None),
        ("private/hopper.jpg", "back.jpg", Some("back.jpg")),
    ] {
        fs::rename(env.album(from), env.album(to)).unwrap();
        wait_until_fresh(&env);
        assert!(paths(&env).iter().eq(expected), "{to}");
    }
    fs::rename(env.album("private/CACHEDIR.TAG"), env.path("tag")).unwrap();
    fs::rename(env.album("back.jpg"), env.album("private/1.jpg")).unwrap();
    wait_until_fresh(&env);
    assert_eq!(paths(&env), ["private/1.jpg"]);
    assert_eq!(index_times(&env), before);
}

#[test]
fn new_files_are_told_by_their_first_bytes() {
    let env = TestEnv::new();
    let _daemon = Daemon::start(&env);
    env.add("IMG_1", fixture("hopper.jpg"));
    env.add("notes", "no photo");
    env.add("notes.txt", "no photo");
    wait_until_fresh(&env);
    assert_eq!(paths(&env), ["IMG_1", "notes"]);
    assert_eq!(env.query("--emotion happy --all"), ["IMG_1"]);
    let reason = "SELECT count(*) FROM files WHERE skip_reason = 'not an image'";
    assert_eq!(number(&env, reason), 1);
}

#[test]
fn a_picasa_ini_is_followed_although_it_is_hidden() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg", "hopper.jpg"]);
    let _daemon = Daemon::start(&env);
    wait_until_fresh(&env);
    let before = index_times(&env);
    let named = |name: &str| {
        let people = env.show("astronaut.jpg")["people"].clone();
        let people = people.as_array().unwrap().iter();
        people.map(|one| &one["name"]).any(|known| known == name)
    };
    let faces = env.show("astronaut.jpg")["faces"].clone();
    let [x, y, w, h] = face_box(&faces[0]);
    let region = rect64([x, y, w, h].map(|length| length / 512.0));
    let ini =
        |name: &str| format!("[Contacts2]\n1f={name};;\n[astronaut.jpg]\nfaces={region},1f\n");
    env.add(".picasa.ini", ini("Eileen"));
    wait_until("the file is read", || named("Eileen"));
    // The file is written in place, as Picasa does.
    env.add(".picasa.ini", ini("Collins"));
    wait_until("its change is read", || named("Collins"));
    fs::remove_file(env.album(".picasa.ini")).unwrap();
    wait_until("its removal is noticed", || !named("Collins"));
    assert_eq!(index_times(&env), before);
}

#[test]
fn a_photo_is_looked_at_more_closely_when_a_region_arrives() {
    let env = TestEnv::new();
    env.add("far.jpg", jpeg(far_away()));
    let _daemon = Daemon::start_with(&env, &[("FER_INDEX_DETECTOR_MIN_FACE", "8")]);
    wait_until_fresh(&env);
    let faces = || env.show("far.jpg")["faces"].as_array().unwrap().len();
    assert_eq!(faces(), 0);
    let region = rect64([793.0 / 1600.0, 585.0 / 1200.0, 15.0 / 1600.0, 18.0 / 1200.0]);
    env.add(
        ".picasa.ini",
        format!("[Contacts2]\n1f=Ada;;\n[far.jpg]\nfaces={region},1f\n"),
    );
    wait_until("the face is found", || faces() == 1);
    // Once.
    wait_until_fresh(&env);
    let before = index_times(&env);
    env.add(
        ".picasa.ini",
        format!("[far.jpg]\nfaces={region},1f\n[Contacts2]\n1f=Eve;;\n"),
    );
    wait_until("the change is read", || {
        env.show("far.jpg")["people"][0]["name"] == "Eve"
    });
    wait_until_fresh(&env);
    assert_eq!(index_times(&env), before);
}

#[test]
fn photos_without_a_file_are_deleted_after_the_grace_period() {
    let env = TestEnv::with_fixtures(&["chelsea.jpg"]);
    let path = env.add("gone.jpg", "not for long");
    env.index();
    fs::remove_file(path).unwrap();
    env.index();
    let photos = "SELECT count(*) FROM photos";
    let daemon = Daemon::start(&env);
    wait_until_fresh(&env);
    assert_eq!(number(&env, photos), 2);
    daemon.stop();
    let _daemon = Daemon::start_with(&env, &[("FER_INDEX_WATCH_KEEP_DAYS", "0")]);
    wait_until("the photo is deleted", || number(&env, photos) == 1);
}

/// An album with one photo, in the folder `real`.
#[cfg(unix)]
fn album_with_a_folder() -> TestEnv {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    fs::create_dir(env.album("real")).unwrap();
    fs::rename(env.album("hopper.jpg"), env.album("real/1.jpg")).unwrap();
    env
}

/// The system ends its only watch of a folder when one of the paths to it is removed, and reports that later. Changes
/// in between are found by a scan, for which `--fresh` must wait.
#[cfg(unix)]
#[test]
fn fresh_waits_for_changes_in_a_folder_whose_watch_ended_with_a_link_to_it() {
    let env = album_with_a_folder();
    let (link, marker) = (env.album("link"), env.album("real/.nomedia"));
    let _daemon = Daemon::start(&env);
    for milliseconds in (0..80).step_by(10) {
        std::os::unix::fs::symlink(env.album("real"), &link).unwrap();
        wait_until_fresh(&env);
        assert_eq!(paths(&env), ["link/1.jpg", "real/1.jpg"]);
        fs::remove_file(&link).unwrap();
        // A sweep over the moments at which the watch ends and at which the daemon checks the link.
        thread::sleep(Duration::from_millis(milliseconds));
        fs::write(&marker, "").unwrap();
        wait_until_fresh(&env);
        assert!(paths(&env).is_empty(), "{milliseconds} ms");
        fs::remove_file(&marker).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn a_folder_is_followed_on_when_a_link_to_it_is_removed() {
    let env = album_with_a_folder();
    let _daemon = Daemon::start(&env);
    wait_until_fresh(&env);
    let link =
        |from: &str, to: &str| std::os::unix::fs::symlink(env.album(from), env.album(to)).unwrap();
    link("real", "link");
    wait_until_fresh(&env);
    assert_eq!(paths(&env), ["link/1.jpg", "real/1.jpg"]);

    // The system reports changes in the folder under only one of its paths, but they affect both.
    env.add("real/2.jpg", fixture("astronaut.jpg"));
    wait_until_fresh(&env);
    assert_eq!(
        paths(&env),
        ["link/1.jpg", "link/2.jpg", "real/1.jpg", "real/2.jpg"]
    );

    fs::remove_file(env.album("link")).unwrap();
    wait_until_fresh(&env);
    env.add("real/3.jpg", fixture("chelsea.jpg"));
    fs::remove_file(env.album("real/1.jpg")).unwrap();
    wait_until_fresh(&env);
    assert_eq!(paths(&env), ["real/2.jpg", "real/3.jpg"]);

    // A link to the album itself is not a second album, and removing it does not end any watch.
    link("", "real/loop");
    wait_until_fresh(&env);
    fs::remove_file(env.album("real/loop")).unwrap();
    wait_until_fresh(&env);
    env.add("4.jpg", fixture("coffee.jpg"));
    wait_until_fresh(&env);
    assert_eq!(paths(&env), ["4.jpg", "real/2.jpg", "real/3.jpg"]);
}
