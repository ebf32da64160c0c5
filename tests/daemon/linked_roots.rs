//! Roots that are symbolic links, such as `~/Pictures` to a folder of a disk.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::common::fixture;
use crate::harness::{Daemon, faces, files, index_times, number, status, wait_until};
use crate::testenv::TestEnv;

const SETTING: [(&str, &str); 1] = [("FER_INDEX_ALBUM_ROOTS", "~/Pictures")];

/// A disk with two photos in a folder of this name, which `~/Pictures` leads to, indexed.
fn linked(folder: &str) -> (TestEnv, PathBuf) {
    let env = TestEnv::new();
    let photos = env.path("mnt/disk").join(folder);
    fs::create_dir_all(&photos).unwrap();
    fs::create_dir_all(env.path("home")).unwrap();
    fs::write(photos.join("1.jpg"), fixture("astronaut.jpg")).unwrap();
    fs::write(photos.join("2.jpg"), fixture("hopper.jpg")).unwrap();
    symlink("../mnt/disk/Pictures", env.path("home/Pictures")).unwrap();
    (env, photos)
}

fn mount(env: &TestEnv) {
    fs::rename(env.path("away"), env.path("mnt/disk")).unwrap();
}

fn unmount(env: &TestEnv) {
    fs::rename(env.path("mnt/disk"), env.path("away")).unwrap();
}

/// The path and the state of each root.
fn roots(env: &TestEnv) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let status = status(env);
    let roots = status["roots"].as_array().unwrap().iter();
    roots
        .map(|root| (text(&root["path"]), text(&root["state"])))
        .collect()
}

fn root(path: &Path, state: &str) -> Vec<(String, String)> {
    vec![(path.display().to_string(), state.to_owned())]
}

/// The number of files that the index does not have below this folder.
fn files_outside(env: &TestEnv, folder: &Path) -> i64 {
    let folder = folder.display();
    let condition = format!("CAST(path AS TEXT) NOT LIKE '{folder}/%'");
    number(
        env,
        &format!("SELECT count(*) FROM files WHERE {condition}"),
    )
}

#[test]
fn a_link_to_a_disk_that_is_mounted_later_leads_to_the_same_paths() {
    for argument in ["", "home/Pictures"] {
        let (env, photos) = linked("Pictures");
        env.run("index home/Pictures").found();
        let (before, faces_before) = (index_times(&env), faces(&env));
        assert_eq!(files(&env), 2);
        unmount(&env);

        let daemon = Daemon::follow(&env, argument, &SETTING);
        assert_eq!(roots(&env), root(&photos, "offline"), "{argument}");
        for typed in ["home/Pictures", "mnt/disk/Pictures"] {
            let found = env.run(&format!("query --format paths --under {typed}"));
            assert_eq!(found.found().text().lines().count(), 2, "{typed}");
            env.run(&format!("show --json {typed}/1.jpg")).found();
        }
        mount(&env);
        wait_until("back", || roots(&env) == root(&photos, "watching"));
        fs::write(photos.join("3.jpg"), fixture("coffee.jpg")).unwrap();
        wait_until("the new photo", || files(&env) == 3);
        fs::remove_file(photos.join("1.jpg")).unwrap();
        wait_until("the deletion", || files(&env) == 2);
        assert_eq!(files_outside(&env, &photos), 0);
        assert_eq!(index_times(&env)[..2], before[..]);
        assert_eq!(faces(&env)[..faces_before.len()], faces_before[..]);
        daemon.stop();
        env.run("index home/Pictures").found();
        assert_eq!((files(&env), files_outside(&env, &photos)), (2, 0));
    }
}

#[test]
fn a_link_to_an_absent_folder_that_is_not_in_the_index_is_refused() {
    let (env, _) = linked("Pictures");
    env.run("index home/Pictures").found();
    unmount(&env);
    symlink("../mnt/disk/Other", env.path("home/Other")).unwrap();
    let sentence = env.run("watch home/Other").refused();
    assert!(sentence.contains("is not there"), "{sentence}");
    let sentence = env.run("index home/Pictures").refused();
    assert!(sentence.contains("is not there"), "{sentence}");
    assert_eq!(files(&env), 2);
}

#[test]
fn where_a_root_leads_is_found_out_again_when_its_disk_is_back() {
    let (env, photos) = linked("Photos");
    symlink("Photos", env.path("mnt/disk/Pictures")).unwrap();
    env.run("index home/Pictures").found();
    let before = index_times(&env);
    assert_eq!((files(&env), files_outside(&env, &photos)), (2, 0));
    unmount(&env);
    let daemon = Daemon::follow(&env, "", &SETTING);
    mount(&env);
    wait_until("back", || roots(&env) == root(&photos, "watching"));
    fs::write(photos.join("3.jpg"), fixture("coffee.jpg")).unwrap();
    wait_until("the new photo", || files(&env) == 3);
    assert_eq!(files_outside(&env, &photos), 0);
    assert_eq!(index_times(&env)[..2], before[..]);

    // A link that leads elsewhere while the disk is away.
    unmount(&env);
    wait_until("offline", || roots(&env) == root(&photos, "offline"));
    let other = env.path("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("4.jpg"), fixture("chelsea.jpg")).unwrap();
    fs::remove_file(env.path("home/Pictures")).unwrap();
    symlink(&other, env.path("home/Pictures")).unwrap();
    wait_until("the other folder", || files(&env) == 4);
    assert_eq!(files_outside(&env, &other), 3);
    daemon.stop();
}

#[test]
fn a_folder_that_was_moved_and_replaced_by_a_link_is_followed_under_one_path() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg", "hopper.jpg"]);
    env.index();
    let (before, faces_before) = (index_times(&env), faces(&env));
    let disk = env.path("disk");
    fs::rename(env.path("album"), &disk).unwrap();
    symlink(&disk, env.path("album")).unwrap();
    let daemon = Daemon::start(&env);
    wait_until("one path each", || {
        (files(&env), files_outside(&env, &disk)) == (2, 0)
    });
    assert_eq!(roots(&env), root(&disk, "watching"));
    assert_eq!((index_times(&env), faces(&env)), (before, faces_before));
    fs::remove_file(disk.join("hopper.jpg")).unwrap();
    wait_until("the deletion", || files(&env) == 1);
    daemon.stop();
}

#[test]
fn photos_that_an_earlier_version_had_under_both_paths_have_one_again() {
    let (env, photos) = linked("Pictures");
    env.run("index home/Pictures").found();
    let link = env.path("home/Pictures");
    let (link, target) = (link.display(), photos.display());
    let spoil = || {
        let database = Connection::open(env.database()).unwrap();
        database
            .execute_batch(&format!(
                "INSERT INTO roots SELECT CAST('{link}' AS BLOB), reconciled_at, offline_since FROM roots;
                 INSERT INTO files (path, size, mtime_ns, ctime_ns, inode, device, photo_id)
                 SELECT CAST(replace(CAST(path AS TEXT), '{target}', '{link}') AS BLOB), size, mtime_ns, ctime_ns,
                        inode, device, photo_id FROM files"
            ))
            .unwrap();
        drop(database);
        assert_eq!(files(&env), 4);
    };
    spoil();
    fs::write(photos.join("3.jpg"), fixture("coffee.jpg")).unwrap();
    env.run("index home/Pictures").found();
    assert_eq!((files(&env), files_outside(&env, &photos)), (3, 0));
    env.run("doctor").found();
    fs::remove_file(photos.join("3.jpg")).unwrap();
    env.run("index home/Pictures").found();

    spoil();
    let daemon = Daemon::follow(&env, "", &SETTING);
    wait_until("one path each", || {
        (files(&env), files_outside(&env, &photos)) == (2, 0)
    });
    assert_eq!(roots(&env), root(&photos, "watching"));
    daemon.stop();
    env.run("doctor").found();
}
