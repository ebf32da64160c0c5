//! One change causes one look: how often the daemon reads a file that other programs write, rename or touch.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::time::{Duration, SystemTime};

use serde_json::json;

use crate::common::{fixture, rewrite_keeping_time, sidecar, with_comment};
use crate::harness::{Daemon, faces, files, index_times, number, wait_until};
use crate::testenv::TestEnv;

const LOG: [(&str, &str); 1] = [("FER_INDEX_LOG", "fer_index=debug")];

/// Waits until all changes so far are in the index.
fn wait_until_fresh(env: &TestEnv) {
    let run = env.run("query --emotion happy --all --fresh --fresh-within 200");
    assert!(run.code <= 1, "{run:?}");
}

/// How often a photo of the album was read so far.
fn reads(daemon: &Daemon, name: &str) -> usize {
    let line = format!("/album/{name} was read");
    daemon.log().matches(&line).count()
}

/// The hash under which the index has a photo of the album.
fn hash(env: &TestEnv, name: &str) -> String {
    let path = env.album(name);
    let sql = "SELECT lower(hex(hash)) FROM photos p JOIN files f ON f.photo_id = p.id
               WHERE path = CAST(? AS BLOB)";
    let database = env.open().unwrap();
    let hash = database.query_row(sql, [path.to_str().unwrap()], |row| row.get(0));
    hash.unwrap_or_default()
}

fn hash_of(bytes: &[u8]) -> String {
    fer_index::photo::ContentHash::of(bytes).to_string()
}

#[test]
fn one_change_is_one_look() {
    let env = TestEnv::new();
    let photo = fixture("hopper.jpg");
    let version = |number: usize| with_comment(&photo, &format!("version {number}"));
    env.add("a.jpg", version(0));
    let daemon = Daemon::start_with(&env, &LOG);
    wait_until_fresh(&env);
    assert_eq!(reads(&daemon, "a.jpg"), 1);
    let path = env.album("a.jpg");
    let mut expected = 1;
    let mut looked_once = |what: &str, bytes: &[u8]| {
        wait_until_fresh(&env);
        expected += 1;
        assert_eq!(reads(&daemon, "a.jpg"), expected, "{what}");
        assert_eq!(hash(&env, "a.jpg"), hash_of(bytes), "{what}");
    };

    fs::write(&path, version(1)).unwrap();
    looked_once("written in place", &version(1));

    rewrite_keeping_time(&path, &version(2));
    looked_once(
        "written in place with the time kept, like exiv2 -k",
        &version(2),
    );

    let draft = env.add("a.jpg_exiftool_tmp", version(3));
    fs::rename(draft, &path).unwrap();
    looked_once("replaced by rename, like exiftool", &version(3));

    fs::rename(&path, env.album("a.jpg_original")).unwrap();
    let draft = env.add("a.jpg_exiftool_tmp", version(4));
    let time = fs::metadata(env.album("a.jpg_original"))
        .unwrap()
        .modified();
    let file = File::options().write(true).open(&draft).unwrap();
    file.set_modified(time.unwrap()).unwrap();
    drop(file);
    fs::rename(draft, &path).unwrap();
    looked_once(
        "replaced by rename with the time kept, like exiftool -P",
        &version(4),
    );

    let hour_ago = SystemTime::now() - Duration::from_hours(1);
    fs::write(&path, version(5)).unwrap();
    let file = File::options().write(true).open(&path).unwrap();
    file.set_modified(hour_ago).unwrap();
    drop(file);
    looked_once("written, and its time set afterwards", &version(5));

    // A close after opening for writing shows that the file may have changed, even if `stat` does not.
    drop(File::options().write(true).open(&path).unwrap());
    looked_once("opened for writing and closed", &version(5));
}

#[test]
fn attributes_and_names_that_change_lead_to_no_read() {
    let env = TestEnv::with_fixtures(&["hopper.jpg", "chelsea.jpg"]);
    let daemon = Daemon::start_with(&env, &LOG);
    wait_until_fresh(&env);
    let (before, faces_before) = (index_times(&env), faces(&env));
    let path = env.album("hopper.jpg");
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    let ctime = |name: &str| {
        let meta = fs::metadata(env.album(name)).unwrap();
        meta.ctime() * 1_000_000_000 + meta.ctime_nsec()
    };
    let stored = |name: &str| {
        let sql = format!("SELECT ctime_ns FROM files WHERE path LIKE '%/album/{name}'");
        number(&env, &sql)
    };
    wait_until("the new ctime is stored", || {
        stored("hopper.jpg") == ctime("hopper.jpg")
    });
    for (from, to) in [("hopper.jpg", "1.jpg"), ("chelsea.jpg", "a/2.jpg")] {
        fs::create_dir_all(env.album("a")).unwrap();
        wait_until_fresh(&env);
        fs::rename(env.album(from), env.album(to)).unwrap();
        wait_until_fresh(&env);
        assert_eq!(stored(to), ctime(to), "{to}");
        assert_eq!((reads(&daemon, from), reads(&daemon, to)), (1, 0), "{to}");
    }
    assert_eq!((index_times(&env), faces(&env)), (before, faces_before));
    daemon.stop();
    assert_eq!(
        env.index()["unchanged"],
        2,
        "and a run afterwards reads nothing"
    );
}

#[test]
fn a_file_that_was_changed_and_then_renamed_or_touched_is_read() {
    let env = TestEnv::new();
    let photo = fixture("hopper.jpg");
    let version = |number: usize| with_comment(&photo, &format!("version {number}"));
    env.add("a.jpg", version(0));
    let daemon = Daemon::start_with(&env, &LOG);
    wait_until_fresh(&env);

    // Tagged without a new modification time, and immediately renamed.
    rewrite_keeping_time(&env.album("a.jpg"), &version(1));
    fs::rename(env.album("a.jpg"), env.album("b.jpg")).unwrap();
    wait_until_fresh(&env);
    assert_eq!(hash(&env, "b.jpg"), hash_of(&version(1)));

    // Moved to a folder that is not watched, and immediately back.
    fs::rename(env.album("b.jpg"), env.path("b.jpg")).unwrap();
    rewrite_keeping_time(&env.path("b.jpg"), &version(2));
    fs::rename(env.path("b.jpg"), env.album("b.jpg")).unwrap();
    wait_until_fresh(&env);
    assert_eq!(hash(&env, "b.jpg"), hash_of(&version(2)));

    // A link to a file that is written under its other path.
    fs::write(env.path("far.jpg"), version(10)).unwrap();
    symlink(env.path("far.jpg"), env.album("c.jpg")).unwrap();
    wait_until("the link", || hash(&env, "c.jpg") == hash_of(&version(10)));
    rewrite_keeping_time(&env.path("far.jpg"), &version(11));
    fs::rename(env.album("c.jpg"), env.album("d.jpg")).unwrap();
    wait_until_fresh(&env);
    assert_eq!(hash(&env, "d.jpg"), hash_of(&version(11)));

    // Written under another name of the file, which the system does not report.
    fs::hard_link(env.album("b.jpg"), env.path("link.jpg")).unwrap();
    wait_until_fresh(&env);
    rewrite_keeping_time(&env.path("link.jpg"), &version(3));
    fs::set_permissions(env.album("b.jpg"), Permissions::from_mode(0o600)).unwrap();
    wait_until("it is read", || hash(&env, "b.jpg") == hash_of(&version(3)));
    drop(daemon);
}

/// The JSON of a favourite photo.
const DESCRIBED: &str = r#"{"photoTakenTime": {"timestamp": "1563098400"}, "favorited": true}"#;

#[test]
fn sidecars_are_followed_and_no_photo_is_read_for_them() {
    let env = TestEnv::with_fixtures(&["chelsea.jpg", "coffee.jpg"]);
    let daemon = Daemon::start_with(&env, &LOG);
    wait_until_fresh(&env);
    let before = index_times(&env);
    let keywords = |name: &str| {
        wait_until_fresh(&env);
        env.show(name)["keywords"].clone()
    };
    env.add("chelsea.jpg.xmp", sidecar(&["Cat"]));
    assert_eq!(keywords("chelsea.jpg"), json!(["Cat"]));
    assert_eq!(env.query("--text cat"), ["chelsea.jpg"]);
    rewrite_keeping_time(&env.album("chelsea.jpg.xmp"), sidecar(&["Dog"]).as_bytes());
    assert_eq!(keywords("chelsea.jpg"), json!(["Dog"]));
    // Written under a temporary name, and without a close: by a rename, and by a hard link.
    let draft = env.add("draft", sidecar(&["Tabby"]));
    fs::rename(draft, env.album("chelsea.jpg.xmp")).unwrap();
    assert_eq!(keywords("chelsea.jpg"), json!(["Tabby"]));
    fs::write(env.path("draft"), sidecar(&["Sofa"])).unwrap();
    fs::hard_link(env.path("draft"), env.album("chelsea.xmp")).unwrap();
    wait_until("the second sidecar", || {
        keywords("chelsea.jpg") == json!(["Tabby", "Sofa"])
    });
    fs::remove_file(env.album("chelsea.xmp")).unwrap();
    assert_eq!(keywords("chelsea.jpg"), json!(["Tabby"]));
    assert_eq!(env.query("--text sofa"), [""; 0]);

    // Sidecars move with their folder. A photo that is moved without its sidecars loses them.
    env.add("trip/1.jpg", with_comment(&fixture("coffee.jpg"), "trip"));
    env.add("trip/1.xmp", sidecar(&["Cup"]));
    assert_eq!(keywords("trip/1.jpg"), json!(["Cup"]));
    fs::rename(env.album("trip"), env.album("journey")).unwrap();
    assert_eq!(keywords("journey/1.jpg"), json!(["Cup"]));
    fs::rename(env.album("journey/1.jpg"), env.album("journey/2.jpg")).unwrap();
    assert_eq!(keywords("journey/2.jpg"), json!([]));
    fs::rename(env.album("journey/1.xmp"), env.album("journey/2.xmp")).unwrap();
    assert_eq!(keywords("journey/2.jpg"), json!(["Cup"]));

    assert_eq!(reads(&daemon, "chelsea.jpg"), 1);
    assert_eq!(reads(&daemon, "trip/1.jpg"), 1);
    assert_eq!(
        reads(&daemon, "journey/1.jpg") + reads(&daemon, "journey/2.jpg"),
        0
    );
    assert_eq!(index_times(&env)[..2], before[..]);
    assert_eq!(files(&env), 3);

    // A sidecar belongs to another photo when a raw file with its stem appears, and to the former one again when that
    // is deleted.
    env.add("journey/2.nef", b"no picture");
    assert_eq!(keywords("journey/2.jpg"), json!([]));
    fs::remove_file(env.album("journey/2.nef")).unwrap();
    assert_eq!(keywords("journey/2.jpg"), json!(["Cup"]));
    // The JSON of Google Takeout is a sidecar as well.
    let described = env.add("journey/2.jpg.supplemental-metadata.json", DESCRIBED);
    assert_eq!(keywords("journey/2.jpg"), json!(["Favorite", "Cup"]));
    fs::remove_file(&described).unwrap();
    assert_eq!(keywords("journey/2.jpg"), json!(["Cup"]));
    daemon.stop();

    // Changes while no daemon runs are found at the start.
    env.add("coffee.xmp", sidecar(&["Mug"]));
    fs::remove_file(env.album("chelsea.jpg.xmp")).unwrap();
    let daemon = Daemon::start_with(&env, &[]);
    assert_eq!(keywords("coffee.jpg"), json!(["Mug"]));
    assert_eq!(keywords("chelsea.jpg"), json!([]));
    drop(daemon);
}

#[test]
fn parts_of_an_export_that_come_and_go_as_a_whole_are_followed() {
    let env = TestEnv::new();
    env.add("Takeout/2019/hopper.jpg", fixture("hopper.jpg"));
    let daemon = Daemon::start_with(&env, &[]);
    let keywords = |name: &str| {
        wait_until_fresh(&env);
        env.show(name)["keywords"].clone()
    };
    assert_eq!(keywords("Takeout/2019/hopper.jpg"), json!([]));
    let part = env.path("unpacked");
    fs::create_dir_all(part.join("2019")).unwrap();
    fs::write(part.join("2019/hopper.jpg.json"), DESCRIBED).unwrap();
    fs::rename(&part, env.album("Takeout 2")).unwrap();
    assert_eq!(keywords("Takeout/2019/hopper.jpg"), json!(["Favorite"]));
    fs::rename(env.album("Takeout 2"), env.album("elsewhere")).unwrap();
    assert_eq!(keywords("Takeout/2019/hopper.jpg"), json!([]));
    fs::rename(env.album("elsewhere"), env.album("takeout-3")).unwrap();
    assert_eq!(keywords("Takeout/2019/hopper.jpg"), json!(["Favorite"]));
    fs::rename(env.album("takeout-3"), &part).unwrap();
    assert_eq!(keywords("Takeout/2019/hopper.jpg"), json!([]));
    drop(daemon);
}
