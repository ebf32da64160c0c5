//! Photos without a date of their own are marked, and a filter by date leaves them out unless a flag admits them.

use std::fs::File;
use std::time::{Duration, SystemTime};

use serde_json::json;

use crate::common::{fixture, photo_taken};
use crate::testenv::{Run, TestEnv};
use rusqlite::Connection;

/// 2019-07-14T00:00:00Z.
const FILE_TIME: Duration = Duration::from_hours(434_184);

/// A photo that was taken on 14 July 2019, and one without a date whose file was last written on that day.
fn album() -> TestEnv {
    let env = TestEnv::new();
    let dated = photo_taken(
        "hopper.jpg",
        "2019:07:14 09:00:00",
        (43.77, 11.25),
        "NIKON D850",
    );
    env.add("dated.jpg", dated);
    let path = env.add("undated.jpg", fixture("astronaut.jpg"));
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + FILE_TIME)
        .unwrap();
    let mut index = env.command("index album");
    Run::of(index.env("TZ", "UTC")).found();
    env
}

const HINT: &str = "1 more photo is dated only by the file; --file-dates includes it\n";

#[test]
fn a_filter_by_date_leaves_out_photos_without_a_date_and_says_so() {
    let env = album();
    for filter in [
        "--since 2019",
        "--until 14.07.2019",
        "--taken 2019/07/14",
        "--since 2019-07-14 --until 2019-07-14 --text dated",
    ] {
        let run = env.run(&format!("query {filter}"));
        let expected = format!("{}\n", env.album("dated.jpg").display());
        if filter.contains("text") {
            assert_eq!(run.text(), expected, "{filter}");
        } else {
            assert_eq!((run.text(), run.stderr.as_str()), (expected.as_str(), HINT));
        }
        let count = env.run(&format!("query --count {filter} --file-dates"));
        let photos = if filter.contains("text") { 1 } else { 2 };
        assert_eq!(count.found().text(), format!("{photos}\n"), "{filter}");
    }
    let happy = env.run("query --emotion happy --since 2019");
    assert_eq!((happy.code, happy.text()), (1, ""));
    assert!(happy.stderr.ends_with(HINT), "{happy:?}");
    assert_eq!(
        env.query("--emotion happy --since 2019 --file-dates"),
        ["undated.jpg"]
    );
    // A date that is not the file's either.
    assert_eq!(env.run("query --since 2020").code, 1);
    assert!(
        !env.run("query --since 2020")
            .stderr
            .contains("--file-dates")
    );
    assert_eq!(env.query("--order date"), ["dated.jpg", "undated.jpg"]);
    let export = env.run("export --xmp --dry-run --since 2019");
    assert!(export.stderr.contains(HINT.trim_end()), "{export:?}");
}

#[test]
fn a_date_of_the_file_is_marked_in_every_format() {
    let env = album();
    let table = env.run("query --format table").found();
    let rows: Vec<_> = table.text().lines().collect();
    assert!(rows[1].contains("2019-07-14         "), "{table:?}");
    assert!(rows[2].contains("2019-07-14 (file)"), "{table:?}");
    let hits = env.run("query --json").found().json();
    let sources: Vec<_> = hits.as_array().unwrap().iter().collect();
    assert_eq!(sources[0]["taken_at_source"], json!("exif"));
    assert_eq!(sources[1]["taken_at_source"], json!("file"));
    let csv = env.run("query --format csv").found();
    let ends: Vec<_> = csv
        .text()
        .lines()
        .map(|line| line.rsplit(',').next())
        .collect();
    assert_eq!(ends, [Some("taken_at_source"), Some("exif"), Some("file")]);
    let shown = env.run("show album/undated.jpg").found();
    assert!(shown.text().contains("the photo has no date"), "{shown:?}");
}

#[test]
fn a_name_from_a_conflict_or_of_a_later_copy_is_no_date() {
    let env = TestEnv::new();
    let names = [
        ("IMG-20190714-WA0003.jpg", "hopper.jpg", "2019-07-14"),
        // The same content, and the content that another machine has tagged.
        (
            "IMG-20190714-WA0003.sync-conflict-20210304-101112-ABCDEFG.jpg",
            "hopper.jpg",
            "2019-07-14",
        ),
        (
            "IMG-20190714-WA0003 (conflicted copy 2021-03-04 101112).jpg",
            "coffee.jpg",
            "2019-07-14",
        ),
        // The same message, downloaded later.
        ("IMG-20180203-WA0001.jpg", "astronaut.jpg", "2018-02-03"),
        (
            "dl/WhatsApp Image 2021-03-04 at 10.11.12.jpeg",
            "astronaut.jpg",
            "2018-02-03",
        ),
        (
            "2015 Summer/scan (Anna's conflicted copy 2021-03-04).jpg",
            "chelsea.jpg",
            "2015",
        ),
    ];
    for (name, photo, _) in names {
        env.add(name, fixture(photo));
    }
    env.index();
    let is_dated = || {
        for (name, _, day) in names {
            let mut show = env.command("show --json");
            let shown = Run::of(show.arg(env.album(name))).found().json();
            let taken = shown["taken_at"].as_str().unwrap();
            assert!(taken.starts_with(day), "{name}: {shown}");
        }
    };
    is_dated();
    assert_eq!(env.run("query --who all --since 2021 --until 2021").code, 1);

    // An index of an earlier version, which took such days for dates.
    Connection::open(env.database())
        .unwrap()
        .execute_batch(
            "UPDATE photos SET facts_version = 5, facts = json_set(facts, '$.version', 5), taken_local = 1614852672000;
             DELETE FROM dirty_photos",
        )
        .unwrap();
    let summary = env.index();
    assert_eq!(
        (&summary["metadata"], &summary["photos"]),
        (&json!(4), &json!(0)),
        "{summary}"
    );
    is_dated();
}
