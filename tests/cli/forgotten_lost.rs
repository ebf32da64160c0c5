//! What is kept of photos that were deleted or moved is forgotten like those that are there.

use std::fs;

use crate::common::fixture;
use crate::forgotten::{WORDS, secret, traces};
use crate::testenv::TestEnv;

/// An album with a corrected photo, whose face picture is stored as of each correction.
fn album() -> TestEnv {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    env.add("Zanzibarsk/Ypsilanti.jpg", secret());
    env.index();
    let face = env.show("Zanzibarsk/Ypsilanti.jpg")["faces"][0]["id"].clone();
    env.run(&format!("correct {face} --emotion sad")).found();
    assert_eq!(pictures(&env), 1);
    env
}

/// The number of face pictures that are stored.
fn pictures(env: &TestEnv) -> i64 {
    let database = env.open().unwrap();
    let count = "SELECT count(*) FROM corrections WHERE crop IS NOT NULL";
    database.query_row(count, [], |row| row.get(0)).unwrap()
}

#[test]
fn a_deleted_photo_is_forgotten_by_the_path_that_it_had() {
    for path in ["Zanzibarsk", "Zanzibarsk/Ypsilanti.jpg", ""] {
        let env = album();
        env.run("backup old.sqlite3").found();
        fs::remove_dir_all(env.album("Zanzibarsk")).unwrap();
        assert_eq!(env.index()["gone"], 1);
        env.run("backup later.sqlite3").found();
        let line = format!("forget album/{path}");
        let would = env.run(&format!("{line} --dry-run --json")).found().json();
        assert_eq!(would["corrections"], 1, "{path}: {would}");
        assert_eq!(pictures(&env), 1);
        let run = env.run(&line).found();
        assert!(run.text().contains("1 correction"), "{path}: {run:?}");
        assert_eq!((pictures(&env), env.run("corrections export").code), (0, 1));
        assert_eq!(traces(&env.path("home"), &WORDS), [""; 0], "{path}");

        // Neither a backup from before nor the file brings it back.
        for backup in ["old.sqlite3", "later.sqlite3"] {
            env.run(&format!("restore {backup}")).found();
            assert_eq!(pictures(&env), 0, "{path}: {backup}");
            assert_eq!(
                traces(&env.path("home"), &WORDS),
                [""; 0],
                "{path}: {backup}"
            );
            env.run("doctor").found();
        }
    }
}

#[test]
fn a_photo_that_was_moved_keeps_its_correction_when_its_old_folder_is_forgotten() {
    let env = album();
    fs::rename(env.album("Zanzibarsk/Ypsilanti.jpg"), env.album("kept.jpg")).unwrap();
    env.index();
    let run = env.run("forget album/Zanzibarsk").found();
    let stays = format!("which stay:\n  {}", env.album("kept.jpg").display());
    assert!(run.text().contains(&stays), "{run:?}");
    assert_eq!((pictures(&env), env.query("").len()), (1, 2));
    assert_eq!(env.show("kept.jpg")["faces"][0]["correction"], "sad");
    // What was at both paths is known by each of them.
    fs::remove_file(env.album("kept.jpg")).unwrap();
    env.index();
    assert_eq!(env.run("forget album/never-there.jpg").code, 2);
    env.run("forget album/kept.jpg").found();
    assert_eq!(pictures(&env), 0);
}

#[test]
fn what_is_kept_of_all_deleted_photos_can_be_removed() {
    let env = album();
    assert_eq!(env.run("forget --lost").code, 1);
    assert_eq!(pictures(&env), 1);
    let photo = fs::read(env.album("Zanzibarsk/Ypsilanti.jpg")).unwrap();
    fs::remove_dir_all(env.album("Zanzibarsk")).unwrap();
    env.index();
    let face = env.show("hopper.jpg")["faces"][0]["id"].clone();
    env.run(&format!("correct {face} --emotion happy")).found();
    let mut would = env.run("forget --lost --dry-run --json").found().json();
    let expected =
        serde_json::json!({"photos": 1, "corrections": 1, "clean": null, "dry_run": true});
    let path = would["paths"][0]["path"].as_str().unwrap().to_owned();
    assert!(path.ends_with("Zanzibarsk/Ypsilanti.jpg"), "{would}");
    would.as_object_mut().unwrap().remove("paths");
    assert_eq!((would, pictures(&env)), (expected, 2));
    let run = env.run("forget --lost").found();
    assert!(
        run.text()
            .contains("1 photo and 1 correction without a file"),
        "{run:?}"
    );
    assert_eq!(pictures(&env), 1, "that of hopper.jpg");
    assert_eq!(traces(&env.path("home"), &WORDS), [""; 0]);
    env.run("doctor").found();
    // What is there stays as it is, and the photo may come back, without its correction.
    assert_eq!(env.show("hopper.jpg")["faces"][0]["correction"], "happy");
    env.add("back.jpg", photo);
    env.index();
    assert_eq!(
        env.show("back.jpg")["faces"][0]["correction"],
        serde_json::Value::Null
    );
    assert_eq!(env.run("forget --lost --undo").code, 2);
}

#[test]
fn a_photo_that_was_moved_keeps_its_correction_until_a_run_has_met_it() {
    let env = album();
    // Two roots, of which a run covers one.
    fs::create_dir(env.path("other")).unwrap();
    fs::write(env.path("other/chelsea.jpg"), fixture("chelsea.jpg")).unwrap();
    env.run("index other").found();
    let (old, new) = (
        env.album("Zanzibarsk/Ypsilanti.jpg"),
        env.path("other/kept.jpg"),
    );
    fs::rename(old, &new).unwrap();
    assert_eq!(env.index()["gone"], 1);
    let unmet = format!("the index has not met {} yet", new.display());
    let is_refused = |why: &str| {
        let refused = env.run("forget --lost").refused();
        assert!(
            refused.contains(why) && refused.contains("--force"),
            "{refused}"
        );
        let would = env.run("forget --lost --dry-run");
        assert!(would.code == 0 && would.stderr.contains(why), "{would:?}");
    };
    is_refused(&unmet);
    // Nor while the photo may be where nobody can look.
    fs::rename(env.path("other"), env.path("away")).unwrap();
    is_refused(&format!(
        "{} cannot be read now",
        env.path("other").display()
    ));
    fs::rename(env.path("away"), env.path("other")).unwrap();
    env.run("index other").found();
    // What was forgotten is met, though no run stores it, at another path too.
    env.run("forget album/hopper.jpg").found();
    fs::copy(env.album("hopper.jpg"), env.album("again.jpg")).unwrap();
    assert_eq!(env.run("forget --lost").code, 1, "nothing is lost");
    assert_eq!(pictures(&env), 1);
    let shown = env.run("show other/kept.jpg --json").found().json();
    assert_eq!(shown["faces"][0]["correction"], "sad");
    fs::remove_file(&new).unwrap();
    env.run("index other").found();
    fs::remove_dir_all(env.path("other")).unwrap();
    is_refused("cannot be read now");
    env.run("forget --lost --force").found();
    assert_eq!(pictures(&env), 0);
}

#[test]
fn corrections_of_photos_that_are_not_there_are_told_apart() {
    let env = album();
    env.run("corrections export mine.jsonl").found();
    let other = TestEnv::with_fixtures(&["chelsea.jpg"]);
    other.index();
    fs::copy(env.path("mine.jsonl"), other.path("theirs.jsonl")).unwrap();
    let run = other.run("corrections import theirs.jsonl").found();
    let waits = "1 of those added wait until their photos are in the index";
    assert!(run.text().contains(waits), "{run:?}");
    let status = other.run("learn status --json").found().json();
    assert_eq!(
        (&status["unused"], &status["absent"]),
        (&0.into(), &1.into())
    );
    for command in ["learn status", "status"] {
        let text = other.run(command).found();
        let text = text.text();
        let told = text.contains("1 more belongs to a photo that is not in the index");
        assert!(told && !text.contains("reindex"), "{command}: {text}");
    }
    // It is learned from once the photo is there.
    other.add(
        "a.jpg",
        fs::read(env.album("Zanzibarsk/Ypsilanti.jpg")).unwrap(),
    );
    other.index();
    let status = other.run("learn status --json").found().json();
    assert_eq!(
        (&status["corrections"], &status["absent"]),
        (&1.into(), &0.into())
    );
    // Nor does a photo that was deleted advise anything that does not help.
    fs::remove_file(other.album("a.jpg")).unwrap();
    other.index();
    other.run("forget album/chelsea.jpg").found();
    let text = other.run("learn status").found();
    assert!(text.text().contains("not in the index"), "{text:?}");
}

#[test]
fn photos_that_are_left_out_keep_their_corrections_and_moved_ones_are_indexed_again() {
    let env = album();
    let marker = env.add("Zanzibarsk/.nomedia", b"");
    env.index();
    assert_eq!(env.query("").len(), 1);
    env.run("forget --lost");
    assert_eq!(pictures(&env), 1);
    fs::remove_file(marker).unwrap();
    env.index();
    assert_eq!(
        env.show("Zanzibarsk/Ypsilanti.jpg")["faces"][0]["correction"],
        "sad"
    );

    // Moved out of the album, as while a daemon has not yet met the photo at its new path.
    fs::rename(env.album("Zanzibarsk"), env.path("elsewhere")).unwrap();
    env.index();
    env.run("forget album/Zanzibarsk").found();
    assert_eq!(pictures(&env), 0);
    fs::rename(env.path("elsewhere"), env.album("sorted")).unwrap();
    env.index();
    assert_eq!(env.query("").len(), 2);
}

#[test]
fn what_was_at_the_path_of_a_file_that_is_no_photo_now_is_forgotten_with_it() {
    let env = album();
    env.add("Zanzibarsk/Ypsilanti.jpg", b"no photo any more");
    env.index();
    let run = env.run("forget album/Zanzibarsk/Ypsilanti.jpg").found();
    assert!(run.text().contains("1 correction"), "{run:?}");
    assert_eq!(pictures(&env), 0);
}
