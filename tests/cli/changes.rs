//! Which changes of a file cause a look: those of size, modification time or ctime, and no others.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use fer_index::photo::ContentHash;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::common::{fixture, rewrite_keeping_time, sidecar, with_comment};
use crate::testenv::TestEnv;

/// The photo under test, and one that never changes.
const PHOTO: &str = "hopper.jpg";
const OTHER: &str = "chelsea.jpg";

fn indexed() -> TestEnv {
    let env = TestEnv::new();
    env.add(PHOTO, with_comment(&fixture(PHOTO), "before"));
    env.add(OTHER, fixture(OTHER));
    env.index();
    env
}

/// Runs SQL on the database of a test.
fn change(env: &TestEnv, sql: &str) {
    let database = Connection::open(env.database()).unwrap();
    database.execute_batch(sql).unwrap();
}

/// The rows of a query, one string each.
fn rows(database: &Path, sql: &str) -> Vec<String> {
    let database = Connection::open(database).unwrap();
    let mut statement = database.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0));
    rows.unwrap().map(Result::unwrap).collect()
}

/// The time at which each photo was last processed.
fn processed(env: &TestEnv) -> Vec<String> {
    rows(
        &env.database(),
        "SELECT id || ' ' || indexed_at FROM photos ORDER BY id",
    )
}

/// Whether the index has the current content of the photo under test.
fn knows_its_bytes(env: &TestEnv) -> bool {
    let hash = ContentHash::of(&fs::read(env.album(PHOTO)).unwrap()).to_string();
    let known = "SELECT lower(hex(hash)) FROM photos p JOIN files f ON f.photo_id = p.id
                 WHERE path LIKE '%/hopper.jpg'";
    rows(&env.database(), known) == [hash]
}

fn unchanged(summary: &Value) -> &Value {
    &summary["unchanged"]
}

#[test]
fn a_file_that_was_rewritten_and_kept_size_and_time_is_read() {
    let env = indexed();
    let before = fs::metadata(env.album(PHOTO)).unwrap();
    rewrite_keeping_time(&env.album(PHOTO), &with_comment(&fixture(PHOTO), "behind"));
    let after = fs::metadata(env.album(PHOTO)).unwrap();
    assert_eq!(
        (after.len(), after.modified().unwrap()),
        (before.len(), before.modified().unwrap())
    );
    assert!(!knows_its_bytes(&env));
    assert_eq!(unchanged(&env.index()), 1);
    assert!(knows_its_bytes(&env));
    assert_eq!(unchanged(&env.index()), 2);
}

#[test]
fn a_file_that_was_swapped_for_one_of_the_same_size_and_time_is_read() {
    let env = indexed();
    let other = env.path("other.jpg");
    fs::write(&other, with_comment(&fixture(PHOTO), "behind")).unwrap();
    let time = fs::metadata(env.album(PHOTO)).unwrap().modified().unwrap();
    let file = File::options().write(true).open(&other).unwrap();
    file.set_modified(time).unwrap();
    fs::rename(other, env.album(PHOTO)).unwrap();
    assert_eq!(unchanged(&env.index()), 1);
    assert!(knows_its_bytes(&env));
}

#[test]
fn device_and_inode_numbers_that_change_by_themselves_do_not_count() {
    let env = indexed();
    // As if the disk had had another device number at the last run, or the file system other inodes.
    change(
        &env,
        "UPDATE files SET device = device + 1, inode = inode + 7",
    );
    let before = processed(&env);
    assert_eq!(unchanged(&env.index()), 2);
    assert_eq!(processed(&env), before);
}

#[cfg(unix)]
#[test]
fn a_file_whose_attributes_changed_is_hashed_once_and_not_processed() {
    use std::os::unix::fs::PermissionsExt as _;
    let env = indexed();
    let before = processed(&env);
    fs::set_permissions(env.album(PHOTO), fs::Permissions::from_mode(0o600)).unwrap();
    let summary = env.index();
    assert_eq!(
        (&summary["known"], unchanged(&summary)),
        (&json!(1), &json!(1))
    );
    assert_eq!(unchanged(&env.index()), 2);
    assert_eq!(processed(&env), before);
}

#[cfg(unix)]
#[test]
fn rows_without_a_ctime_get_it_without_a_read() {
    let env = TestEnv::with_fixtures(&[PHOTO, OTHER]);
    // Older than now, since a ctime equal to the modification time shows by itself that nothing changed.
    for name in [PHOTO, OTHER] {
        let file = File::options().write(true).open(env.album(name)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_hours(1))
            .unwrap();
    }
    env.index();
    change(&env, "UPDATE files SET ctime_ns = 0");
    assert_eq!(unchanged(&env.index()), 2);
    let without = "SELECT CAST(path AS TEXT) FROM files WHERE ctime_ns = 0";
    assert_eq!(rows(&env.database(), without), [""; 0]);
    // Without a ctime, the inode counts.
    change(&env, "UPDATE files SET ctime_ns = 0, inode = inode + 1");
    assert_eq!(unchanged(&env.index()), 0);
}

/// All rows that depend only on the files.
fn dump(database: &Path) -> Vec<String> {
    let files = "SELECT CAST(path AS TEXT) || ' ' || size || ' ' || mtime_ns || ' ' || ctime_ns || ' '
                     || inode || ' ' || hex(hash) || ' ' || face_count || ' ' || coalesce(keywords, '')
                 FROM files f JOIN photos p ON p.id = photo_id ORDER BY path";
    let sidecars =
        "SELECT CAST(photo_path AS TEXT) || ' ' || CAST(name AS TEXT) || ' ' || mtime_ns || ' '
                        || ctime_ns || ' ' || facts
                    FROM sidecars ORDER BY photo_path, name";
    [rows(database, files), rows(database, sidecars)].concat()
}

/// The changes of a week: a tag without a new modification time, an edit, a rename, a deletion, a new photo, and
/// sidecars.
fn a_week_passes(env: &TestEnv) {
    rewrite_keeping_time(&env.album(PHOTO), &with_comment(&fixture(PHOTO), "behind"));
    env.add("edited.jpg", with_comment(&fixture("coffee.jpg"), "edited"));
    fs::rename(env.album("old"), env.album("new")).unwrap();
    fs::remove_file(env.album("gone.jpg")).unwrap();
    env.add("added.jpg", fixture("camera.jpg"));
    env.add("hopper.jpg.xmp", sidecar(&["Admiral"]));
    env.add("chelsea.xmp", sidecar(&["Tabby"]));
    fs::remove_file(env.album("edited.xmp")).unwrap();
}

fn before_the_week() -> TestEnv {
    let env = indexed();
    env.add("edited.jpg", fixture("coffee.jpg"));
    env.add("edited.xmp", sidecar(&["Cup"]));
    env.add("old/1.jpg", with_comment(&fixture(OTHER), "old"));
    env.add("old/1.jpg.xmp", sidecar(&["Sofa"]));
    env.add("gone.jpg", with_comment(&fixture(OTHER), "gone"));
    env.add("chelsea.xmp", sidecar(&["Cat"]));
    env.index();
    env
}

fn assert_like_a_fresh_index(env: &TestEnv) {
    env.run("index album --json --database fresh.sqlite3")
        .found();
    assert_eq!(dump(&env.database()), dump(&env.path("fresh.sqlite3")));
    assert_eq!(env.query("--text tabby"), ["chelsea.jpg"]);
    assert_eq!(env.query("--text sofa"), ["new/1.jpg"]);
    for gone in ["cup", "cat"] {
        assert_eq!(env.query(&format!("--text {gone}")), [""; 0], "{gone}");
    }
}

#[test]
fn a_database_from_last_weeks_backup_is_right_after_one_run() {
    let env = before_the_week();
    fs::copy(env.database(), env.path("backup")).unwrap();
    a_week_passes(&env);
    env.index();
    fs::copy(env.path("backup"), env.database()).unwrap();
    env.index();
    assert_like_a_fresh_index(&env);
}

#[test]
fn a_library_that_is_synced_is_right_after_one_run_on_either_side() {
    let here = before_the_week();
    let there = TestEnv::new();
    sync(&here, &there);
    there.index();
    a_week_passes(&here);
    sync(&here, &there);
    for side in [&here, &there] {
        side.index();
        assert_like_a_fresh_index(side);
    }
    assert_eq!(unchanged(&there.index()), &json!(5));
}

/// Makes the album `to` equal `from` as `rsync -t --delete` does: a file of another content is written under a
/// temporary name, gets the time of the original and is renamed into place. Here every file is treated so.
fn sync(from: &TestEnv, to: &TestEnv) {
    let album = |env: &TestEnv| -> Vec<_> {
        let entries = walkdir::WalkDir::new(env.path("album")).into_iter();
        entries
            .map(|entry| entry.unwrap().into_path())
            .filter(|path| path.is_file())
            .map(|path| path.strip_prefix(env.path("album")).unwrap().to_path_buf())
            .collect()
    };
    for name in album(to) {
        if !from.album(&name).exists() {
            fs::remove_file(to.album(&name)).unwrap();
        }
    }
    for name in album(from) {
        let draft = to.add("draft", fs::read(from.album(&name)).unwrap());
        let time: SystemTime = fs::metadata(from.album(&name)).unwrap().modified().unwrap();
        let file = File::options().write(true).open(&draft).unwrap();
        file.set_modified(time).unwrap();
        fs::create_dir_all(to.album(&name).parent().unwrap()).unwrap();
        fs::rename(draft, to.album(&name)).unwrap();
    }
}

#[test]
fn a_disk_of_the_settings_that_is_away_keeps_no_other_folder_from_being_indexed() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg"]);
    let (disk, away) = (env.path("disk"), env.path("away"));
    fs::create_dir(&disk).unwrap();
    fs::write(disk.join("1.jpg"), fixture("hopper.jpg")).unwrap();
    let settings = env.config_file();
    fs::create_dir_all(settings.parent().unwrap()).unwrap();
    let roots = [env.path("album"), disk.clone(), env.path("never")];
    let write =
        |roots: &[PathBuf]| fs::write(&settings, format!("[album]\nroots = {roots:?}\n")).unwrap();
    write(&roots[..2]);
    env.run("index").found();

    fs::rename(&disk, &away).unwrap();
    env.add("2.jpg", fixture("chelsea.jpg"));
    let run = env.run("index --json");
    assert_eq!(
        (run.code, &run.json()["gone"], &run.json()["photos"]),
        (0, &0.into(), &1.into())
    );
    assert!(
        run.stderr
            .contains("disk is not there; its photos stay in the index"),
        "{run:?}"
    );
    assert_eq!(env.run("status --json").json()["files"], 3);
    let refused = env.run("index disk").refused();
    assert!(
        refused.contains("its photos stay in the index"),
        "{refused}"
    );

    // A folder that was never there is reported, and the others are indexed all the same.
    write(&roots);
    env.add("3.jpg", fixture("coffee.jpg"));
    let run = env.run("index --json");
    assert_eq!((run.code, &run.json()["photos"]), (2, &1.into()), "{run:?}");
    assert!(
        run.stderr.contains("never is not there; name a folder"),
        "{run:?}"
    );
}
