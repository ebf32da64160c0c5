//! The messages of commands about unknown words, lists that they read, and contradictory requests.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use serde_json::json;

use crate::common::{fixture, photo_taken};
use crate::testenv::{Run, TestEnv};

/// Runs a command line with this text as standard input.
fn run_with_input(env: &TestEnv, line: &str, input: &[u8]) -> Run {
    let mut child = env
        .command(line)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    Run {
        code: output.status.code().unwrap(),
        stdout: output.stdout,
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[test]
fn a_word_of_another_program_gets_the_command_that_it_means() {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    for (line, hint) in [
        ("search happy", "did you mean 'find'?"),
        ("scan album", "did you mean 'index'?"),
        ("ls", "did you mean 'query'?"),
        ("fix 3 --emotion sad", "did you mean 'correct'?"),
        ("--quiet Browse", "did you mean 'gallery'?"),
        ("album", "did you mean 'index album'"),
        ("album/hopper.jpg", "did you mean 'show album/hopper.jpg'"),
        ("serch happy", "tip: "),
        ("query happy", "'find happy' takes words"),
    ] {
        let run = env.run(line);
        assert!(run.code == 2 && run.stdout.is_empty(), "{line}: {run:?}");
        assert!(run.stderr.contains(hint), "{line}: {run:?}");
    }
    assert!(!env.run("config search").stderr.contains("did you mean"));
    assert!(!env.run("xyzzy").stderr.contains("did you mean"));
}

#[test]
fn commands_read_lists_of_files_from_standard_input() {
    let env = TestEnv::with_fixtures(&["hopper.jpg", "astronaut.jpg"]);
    env.add("a b.jpg", fixture("chelsea.jpg"));
    let list = b"album/hopper.jpg\nalbum/a b.jpg\n";
    let summary = run_with_input(&env, "index --json -", list).found();
    assert_eq!(summary.json()["photos"], 2);
    let again = run_with_input(&env, "reindex --json -0 -", b"album/a b.jpg\0");
    assert_eq!(again.found().json()["photos"], 1);
    let partly = run_with_input(
        &env,
        "index --json -",
        b"album/gone.jpg\nalbum/astronaut.jpg\n",
    );
    assert!(
        partly.code == 2 && partly.stderr.contains("gone.jpg is not there"),
        "{partly:?}"
    );
    assert_eq!(partly.json()["photos"], 1);
    env.run("index album/gone.jpg album/hopper.jpg").refused();
    let nothing = run_with_input(&env, "index -", b"");
    assert!(
        nothing.code == 1
            && nothing
                .stderr
                .contains("the list on standard input is empty"),
        "{nothing:?}"
    );

    let shown = run_with_input(&env, "show --json -", list).found().json();
    let names: Vec<_> = shown.as_array().unwrap().iter().collect();
    assert_eq!(names[1]["paths"][0]["path"], json!(env.album("a b.jpg")));
    let shown = env.run("show album/hopper.jpg album/none.jpg");
    assert!(shown.text().contains("hopper.jpg\n"), "{shown:?}");
    assert!(
        shown.code == 2 && shown.stderr.contains("none.jpg is not in the index"),
        "{shown:?}"
    );

    for command in ["classify", "detect"] {
        let run = run_with_input(&env, &format!("{command} --json -"), list).found();
        assert_eq!(run.json().as_array().unwrap().len(), 2, "{command}");
        let sentence = env.run(&format!("{command} -0 album/a.jpg")).refused();
        assert!(sentence.contains("write - in place of"), "{sentence}");
        let sentence = env.run(&format!("{command} - -")).refused();
        assert!(sentence.contains("only once"), "{sentence}");
    }
}

#[test]
fn values_are_accepted_as_people_write_them() {
    let env = TestEnv::with_fixtures(&["hopper.jpg", "astronaut.jpg"]);
    env.index();
    for options in [
        "--emotion happy --min-score 0.9",
        "--emotion happy --min-score 90",
        "--emotion happy --min-score 90%",
        "--emotion happy,surprise --min-score 90",
        "--emotion happiness",
    ] {
        assert_eq!(env.query(options), ["astronaut.jpg"], "{options}");
    }
    assert_eq!(
        env.run("query --emotion happy --json").found().json(),
        env.run("query --emotion happy --format json")
            .found()
            .json()
    );
    let sentence = env.run("query --emotion happy --min-score 1.5");
    assert!(sentence.stderr.contains("0.9 or 90%"), "{sentence:?}");
}

#[test]
fn a_filter_that_changes_nothing_or_finds_nothing_is_named() {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    env.index();
    for line in ["query --who all", "query --min-score 90", "query --all"] {
        let run = env.run(line);
        assert_eq!(run.code, 0, "{run:?}");
        assert!(run.stderr.contains("without --emotion"), "{run:?}");
    }
    env.run("query --not happy --min-score 90").found();
    fs::create_dir(env.path("elsewhere")).unwrap();
    let run = env.run("query --under elsewhere");
    let reason = "no photo below elsewhere is in the index; fer-index index elsewhere adds";
    assert!(run.code == 1 && run.stderr.contains(reason), "{run:?}");
}

#[test]
fn status_names_the_skipped_files() {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    env.add("notes.jpg", "Dear diary");
    env.index();
    let notes = env.album("notes.jpg").display().to_string();
    let short = env.run("status").found();
    assert!(
        short.text().contains("skipped   1: not an image") && !short.text().contains(&notes),
        "{short:?}"
    );
    assert!(short.text().contains("status --skipped"), "{short:?}");
    let long = env.run("status --skipped").found();
    let line = format!("{notes}: not an image: it holds text");
    assert!(long.text().contains(&line), "{long:?}");
    let files = env.run("status --skipped --json").found().json();
    assert_eq!(
        files["skipped_files"],
        json!([{"path": notes, "reason": "not an image", "detail": "it holds text"}])
    );
}

#[test]
fn stats_take_filters_and_name_cities_and_cameras() {
    let env = TestEnv::new();
    for (name, date, position, camera) in [
        (
            "a.jpg",
            "2019:07:14 09:00:00",
            (52.524, 13.411),
            "NIKON D850",
        ),
        // Kreuzberg, which the gazetteer lists as a separate city.
        (
            "b.jpg",
            "2020:07:14 09:00:00",
            (52.46, 13.45),
            "Canon EOS R5",
        ),
    ] {
        let fixture = if name == "a.jpg" {
            "hopper.jpg"
        } else {
            "astronaut.jpg"
        };
        env.add(name, photo_taken(fixture, date, position, camera));
    }
    env.add("undated.jpg", fixture("camera.jpg"));
    env.index();
    let groups = |options: &str, by: &str| -> Vec<(String, u64)> {
        let run = env.run(&format!("stats --json {options}"));
        let groups = run.json();
        let groups = groups.as_array().unwrap().iter();
        groups
            .map(|group| {
                let name = group[by].as_str().unwrap().to_owned();
                (name, group["photos"].as_u64().unwrap())
            })
            .collect()
    };
    let group = |name: &str, photos| (name.to_owned(), photos);
    assert_eq!(
        groups("--by place", "place"),
        [group("Germany, Berlin", 2), group("unknown", 1)]
    );
    assert_eq!(
        groups("--by camera", "camera"),
        [
            group("Canon EOS R5", 1),
            group("NIKON D850", 1),
            group("unknown", 1)
        ]
    );
    assert_eq!(
        groups("--by year", "year"),
        [group("2019", 1), group("2020", 1), group("unknown", 1)]
    );
    assert_eq!(groups("--by year --file-dates", "year").len(), 3);
    assert!(
        groups("--by year --file-dates", "year")
            .iter()
            .all(|(year, _)| year != "unknown")
    );
    assert_eq!(
        groups("--by year --emotion happy", "year"),
        [group("2020", 1)]
    );
    assert_eq!(
        groups("--by camera --since 2019 --until 2019", "camera"),
        [group("NIKON D850", 1)]
    );
    let none = env.run("stats --near paris");
    assert!(
        none.code == 1 && none.stderr.contains("no photo is near Paris"),
        "{none:?}"
    );
}
