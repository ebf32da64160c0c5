//! The main use: index a folder and query an emotion, in every format, with the exit codes.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use crate::common::exif_block::ExifBlock;
use crate::common::{fixture, jpeg_with_exif};
use crate::testenv::{Run, TestEnv};

/// A laughing woman, a man who does not laugh, and a cat.
const PHOTOS: [&str; 3] = ["astronaut.jpg", "chelsea.jpg", "hopper.jpg"];

#[test]
fn the_happiest_photos_come_first_in_every_format() {
    let env = TestEnv::with_fixtures(&PHOTOS);
    let run = env.run("index album").found();
    let summary = run.text().lines().next().unwrap();
    assert!(summary.starts_with("3 photos processed ("), "{summary}");
    assert!(summary.contains(", 2 faces in them; "), "{summary}");

    let ask = |format| {
        env.run(&format!("query --emotion happy --all {format}"))
            .found()
    };
    let paths = ["astronaut.jpg", "hopper.jpg"].map(|name| env.album(name));
    let lines = paths.each_ref().map(|path| path.display().to_string());
    let expected = lines.join("\n") + "\n";
    assert_eq!(ask("--format paths").text(), expected);
    assert_eq!(ask("").text(), expected, "without a terminal");

    let table = ask("--format table");
    let rows: Vec<_> = table.text().lines().collect();
    let head: Vec<_> = rows[0].split_whitespace().collect();
    assert_eq!(head, ["score", "emotion", "taken", "faces", "path"]);
    assert_eq!(rows.len(), 3);
    for (row, path) in rows[1..].iter().zip(&lines) {
        assert!(row.contains(" %  happy  ") && row.ends_with(path), "{row}");
    }

    let csv = ask("--format csv");
    let mut reader = csv::Reader::from_reader(csv.stdout.as_slice());
    let head = "path score emotion taken_at width height faces taken_at_source";
    assert!(reader.headers().unwrap().iter().eq(head.split(' ')));
    let records: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(records.len(), 2);
    for (record, path) in records.iter().zip(&lines) {
        assert_eq!(
            (&record[0], &record[2], &record[6]),
            (path.as_str(), "happy", "1")
        );
        let score: f64 = record[1].parse().unwrap();
        assert!((0.0..=1.0).contains(&score), "{score}");
    }
    assert_eq!((&records[1][4], &records[1][5]), ("512", "600"));

    let array = ask("--format json").json();
    assert_eq!(array.as_array().unwrap(), &ask("-f jsonl").json_lines());
    assert_eq!(array[0]["path"], lines[0].as_str());
}

#[test]
fn filters_restrict_a_query() {
    let env = TestEnv::new();
    // Ordered by the camera's local time: in UTC the last two would be swapped.
    for (name, fixture_name, date, offset) in [
        (
            "2018/trip/a.jpg",
            "astronaut.jpg",
            "2018:07:14 09:00:00",
            "",
        ),
        ("2019/b.jpg", "hopper.jpg", "2019:12:31 23:59:59", "-10:00"),
        ("2020/c.jpg", "camera.jpg", "2020:01:01 00:00:00", "+13:00"),
    ] {
        let block = ExifBlock::new().with_date(date, "", offset).bytes();
        env.add(name, jpeg_with_exif(&fixture(fixture_name), &block));
    }
    env.index();
    let (a, b, c) = ("2018/trip/a.jpg", "2019/b.jpg", "2020/c.jpg");
    let sorted = |options: &str| {
        let mut names = env.query(&format!("--emotion happy --all {options}"));
        names.sort();
        names
    };
    assert_eq!(sorted(""), [a, b, c]);
    assert_eq!(sorted("--since 2019"), [b, c]);
    assert_eq!(sorted("--until 2019"), [a, b]);
    assert_eq!(sorted("--since 2019-12-31 --until 2019-12-31"), [b]);
    assert_eq!(sorted("--since 2020-01-01T00:00"), [c]);
    assert_eq!(sorted("--under album/2018"), [a]);
    assert_eq!(sorted("--under album/20"), [""; 0]);
    assert_eq!(env.query("--emotion happy --all --limit 1"), [a]);
    assert_eq!(env.query("--emotion happy --min-score 1"), [""; 0]);
    assert_eq!(sorted("--min-detection 1"), [""; 0]);
}

#[test]
fn the_exit_code_says_whether_photos_were_found() {
    let env = TestEnv::with_fixtures(&["chelsea.jpg", "coffee.jpg"]);
    let summary = env.index();
    assert_eq!(
        (&summary["photos"], &summary["faces"]),
        (&2.into(), &0.into())
    );
    let none = env.run("query --emotion happy --all");
    assert_eq!((none.code, none.text()), (1, ""));
    assert!(none.stderr.contains("no photo found"), "{none:?}");
    let none = env.run("query --emotion happy --all --format json --quiet");
    assert_eq!((none.code, none.json().as_array().unwrap().len()), (1, 0));
    assert_eq!(none.stderr, "");

    let none = env.run("classify album/chelsea.jpg");
    assert_eq!(
        (none.code, none.text()),
        (1, "album/chelsea.jpg\n  No face\n")
    );
    env.add("a.jpg", fixture("astronaut.jpg"));
    let both = env.run("classify album/chelsea.jpg album/a.jpg").found();
    let last = both.text().lines().last().unwrap();
    assert!(last.starts_with("  Face 1 at "), "{last}");
    assert_eq!(last.matches(" %").count(), 8);
}

#[test]
fn classify_continues_after_an_unreadable_file() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg"]);
    let run = env.run("classify album/nowhere.jpg album/astronaut.jpg");
    assert_eq!(run.code, 2);
    assert!(run.text().contains("Face 1 at "), "{run:?}");
    let complaint = run.stderr.lines().next().unwrap();
    assert!(
        complaint.contains("album/nowhere.jpg: unreadable: there is no such file"),
        "{complaint}"
    );
}

/// As in `fer-index … | head -1`: the reader closes the pipe after the first line.
#[test]
fn a_closed_pipe_is_not_an_error() {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    env.index();
    let again = " album/hopper.jpg".repeat(20);
    let mut child = env
        .command(&format!("classify --format jsonl {again}"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut pipe = BufReader::new(child.stdout.take().unwrap());
    pipe.read_line(&mut line).unwrap();
    assert!(line.starts_with(r#"{"path":"album/hopper.jpg""#), "{line}");
    drop(pipe);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");

    // Closed before the first line.
    for line in [
        "query --emotion happy --all",
        "config show",
        "completions bash",
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = env.command(line);
        let run = Run::of(command.stderr(Stdio::piped()).stdout(writer));
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{line}");
    }
}

#[test]
fn a_photo_that_is_gone_keeps_no_other_from_being_copied() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg", "hopper.jpg"]);
    env.index();
    fs::remove_file(env.album("hopper.jpg")).unwrap();
    for option in ["copy-into", "link-into"] {
        let run = env.run(&format!("query --{option} {option}"));
        assert!(
            run.code == 0 && run.stderr.contains("hopper.jpg is left out"),
            "{run:?}"
        );
        let copies = fs::read_dir(env.path(option)).unwrap();
        let names = copies.map(|entry| entry.unwrap().file_name());
        let photos = names.filter(|name| name.to_string_lossy().ends_with(".jpg"));
        assert_eq!(photos.count(), 1);
    }
}

#[test]
fn copies_on_a_disk_that_is_away_hide_no_file() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg"]);
    fs::create_dir(env.path("a_backup")).unwrap();
    let copy = env.path("a_backup/astronaut.jpg");
    fs::copy(env.album("astronaut.jpg"), &copy).unwrap();
    env.run("index album a_backup").found();
    let answer = || {
        env.run("query --emotion happy --all")
            .found()
            .text()
            .to_owned()
    };
    let line = |path: &Path| format!("{}\n", path.display());
    assert_eq!(answer(), line(&copy));
    fs::rename(env.path("a_backup"), env.path("away")).unwrap();
    let there = env.album("astronaut.jpg");
    for _ in 0..2 {
        assert_eq!(answer(), line(&there));
        env.run("index album").found();
    }
    let run = env
        .run("query --emotion happy --all --copy-into best")
        .found();
    assert!(!run.stderr.contains("left out"), "{run:?}");
    assert!(env.path("best/001 astronaut.jpg").is_file());
    let shown = env.run("show album/astronaut.jpg --json").found().json();
    assert_eq!(shown["paths"][0]["path"], line(&there).trim_end());
    let status = env.run("status --json").found().json();
    let state = |index: usize| status["roots"][index]["state"].clone();
    assert_eq!((state(0), state(1)), ("offline".into(), "idle".into()));
    let text = env.run("status").found();
    assert!(text.text().contains("a_backup: offline"), "{text:?}");
    // The photos that were kept are found again, unchanged.
    fs::rename(env.path("away"), env.path("a_backup")).unwrap();
    assert_eq!(answer(), line(&copy));
}

#[test]
fn a_missing_file_is_replaced_by_another_copy() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg"]);
    let copy = env.add("z/copy.jpg", fixture("astronaut.jpg"));
    env.index();
    fs::remove_file(env.album("astronaut.jpg")).unwrap();
    let run = env
        .run("query --emotion happy --all --link-into best --contact-sheet sheet.html")
        .found();
    assert_eq!(run.text(), format!("{}\n", copy.display()));
    assert!(!run.stderr.contains("left out"), "{run:?}");
    assert!(env.path("best/001 copy.jpg").exists());
    let sheet = fs::read_to_string(env.path("sheet.html")).unwrap();
    assert!(sheet.contains("copy.jpg") && sheet.contains("data:image"));
}
