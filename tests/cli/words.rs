//! Tests how `fer-index find` understands words, and what it prints about them.

use crate::common::{fixture, photo_taken};
use crate::testenv::TestEnv;

const ROME: (f64, f64) = (41.89, 12.48);
const BERLIN: (f64, f64) = (52.52, 13.40);

/// A laughing woman and two men who do not laugh, in May of three different years, and a cat at home.
fn album() -> TestEnv {
    let env = TestEnv::new();
    for (name, fixture_name, date, position, camera) in [
        (
            "trip/laughing.jpg",
            "astronaut.jpg",
            "2017:05:14 09:00:00",
            ROME,
            "iPhone 12",
        ),
        (
            "trip/sober.jpg",
            "hopper.jpg",
            "2018:05:31 23:59:59",
            ROME,
            "Canon EOS R5",
        ),
        (
            "city/other.jpg",
            "camera.jpg",
            "2019:06:01 00:00:01",
            BERLIN,
            "Canon EOS R5",
        ),
        (
            "city/cat.jpg",
            "chelsea.jpg",
            "2019:06:01 00:00:02",
            BERLIN,
            "NIKON D850",
        ),
    ] {
        env.add(name, photo_taken(fixture_name, date, position, camera));
    }
    env.index();
    env
}

const LAUGHING: &str = "trip/laughing.jpg";
const SOBER: &str = "trip/sober.jpg";
const OTHER: &str = "city/other.jpg";
const CAT: &str = "city/cat.jpg";

#[test]
fn sentences_find_what_they_mean() {
    let env = album();
    for (sentence, expected) in [
        ("happy", &[LAUGHING][..]),
        ("laughing people", &[LAUGHING]),
        ("not happy", &[OTHER, SOBER]),
        ("nobody smiling in rome", &[SOBER]),
        ("photos without people", &[CAT]),
        ("photos from rome in may", &[SOBER, LAUGHING]),
        ("may", &[SOBER, LAUGHING]),
        ("from 2017 to 2018", &[SOBER, LAUGHING]),
        ("2017 and 2019", &[CAT, OTHER, LAUGHING]),
        ("Italien", &[SOBER, LAUGHING]),
        ("Roma or Berlin 2019", &[CAT, OTHER]),
        // Rome and Berlin have equally many photos; in that case home is the southern place.
        ("at home", &[SOBER, LAUGHING]),
        ("with my iphone", &[LAUGHING]),
        ("iphone or nikon", &[CAT, LAUGHING]),
        ("three happy people", &[]),
    ] {
        let run = env.run(&format!("find {sentence}"));
        let paths: Vec<_> = run.text().lines().map(str::to_owned).collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|name| env.album(name).display().to_string())
            .collect();
        assert_eq!(paths, expected, "{sentence}: {run:?}");
    }
}

#[test]
fn find_prints_what_it_understood() {
    let env = album();
    let run = env.run("find happy us in Roma, hapy");
    let lines: Vec<_> = run.stderr.lines().collect();
    let (first, rest) = lines.split_first().unwrap();
    assert_eq!(
        *first,
        "understood: shows happy; near Rome, Italy; with the words hapy"
    );
    let rest = rest.join("\n");
    for line in [
        "searched as text in paths, descriptions and keywords: hapy",
        "left out: \"us\"",
        "\"hapy\": did you mean happy?",
        "no photo has the word \"hapy\"",
    ] {
        assert!(rest.contains(line), "{line}: {run:?}");
    }
    let quiet = env.run("find happy photos --quiet").found();
    assert_eq!(quiet.stderr, "");
}

#[test]
fn flags_beside_the_words_are_used_and_what_they_replace_is_told() {
    let env = album();
    let run = env.run("find top 3 happy --limit 1");
    assert!(
        run.stderr
            .contains("--limit replaces what the words say: --limit 3"),
        "{run:?}"
    );
    let run = env.run("find rome --within 5");
    assert!(
        run.stderr.contains("within 5 km") && run.text().lines().count() == 2,
        "{run:?}"
    );
    let shuffled = env.run("find random --seed 5");
    assert_eq!(
        shuffled.text(),
        env.run("query --order random --seed 5").found().text()
    );
    // A filter that requires another one is refused if neither the words nor a flag give that.
    for line in ["find happy --within 5", "query --within 5"] {
        let run = env.run(line);
        assert!(run.code == 2 && run.stderr.contains("--near"), "{run:?}");
    }
    let idle = env.run("query --seed 5");
    let is_told = idle.stderr.contains("--seed changes nothing");
    assert!(idle.code == 0 && is_told, "{idle:?}");
}

#[test]
fn an_album_of_a_camera_without_positions_is_found_by_its_name() {
    let env = TestEnv::new();
    env.add("Rome 2019/laughing.jpg", fixture("astronaut.jpg"));
    env.add("Rome 2020/sober.jpg", fixture("hopper.jpg"));
    env.index();
    for (sentence, understood, names) in [
        (
            "rome 2019",
            "in a folder called Rome 2019",
            &["Rome 2019/laughing.jpg"][..],
        ),
        (
            "happy from rome 2019",
            "in a folder called Rome 2019",
            &["Rome 2019/laughing.jpg"],
        ),
        (
            "rome",
            "with the words rome",
            &["Rome 2019/laughing.jpg", "Rome 2020/sober.jpg"],
        ),
    ] {
        let run = env.run(&format!("find {sentence}"));
        let mut paths: Vec<_> = run.text().lines().map(str::to_owned).collect();
        paths.sort();
        let expected = names
            .iter()
            .map(|name| env.album(name).display().to_string());
        assert_eq!(paths, expected.collect::<Vec<_>>(), "{sentence}: {run:?}");
        assert!(run.stderr.contains(understood), "{run:?}");
    }
    let run = env.run("find paris");
    assert!(
        run.code == 1 && run.stderr.contains("no photo is near Paris"),
        "{run:?}"
    );
}

#[test]
fn an_empty_result_prints_the_reason() {
    let env = album();
    for (line, reason) in [
        ("query --near paris", "no photo is near Paris, France"),
        ("query --camera gopro", "no photo is by camera gopro"),
        ("query --since 2020 --until 2018", "2020 is after 2018"),
        (
            "query --emotion happy --near berlin",
            "without \"near Berlin, Germany\" there would be some",
        ),
        ("find june 1950", "no photo was taken june 1950\n"),
        (
            "query --since 1950 --until 1960",
            "no photo was taken 1950 to 1960\n",
        ),
        ("query --since 2090", "no photo was taken from 2090 on"),
        (
            "query --emotion sad --near berlin --since 1950 --until 1960",
            "no photo was taken 1950 to 1960\n",
        ),
    ] {
        let run = env.run(line);
        assert!(run.code == 1 && run.stderr.contains(reason), "{run:?}");
        assert!(!run.stderr.contains("--until"), "{run:?}");
    }
}

#[test]
fn the_shown_emotion_is_one_of_the_query() {
    let env = album();
    assert_eq!(env.query("--emotion happy"), [LAUGHING]);
    assert_eq!(env.query("--emotion happy --order date"), [LAUGHING]);
    let mut all = env.query("--emotion happy --all");
    assert_eq!(all[0], LAUGHING);
    all.sort();
    assert_eq!(all, [OTHER, LAUGHING, SOBER]);
    env.run("query --emotion happy --link-into links").found();
    let linked = std::fs::read_dir(env.path("links"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "jpg"));
    assert_eq!(linked.count(), 1);
    assert_eq!(env.query("--not happy"), [OTHER, SOBER]);
}

#[test]
fn the_total_is_printed() {
    let env = album();
    for (line, total) in [
        ("query --limit 3", "3 of 4; --offset 3 for more\n"),
        (
            "query --limit 1 --offset 1",
            "2 to 2 of 4; --offset 2 for more\n",
        ),
    ] {
        let run = env.run(line);
        assert_eq!((run.code, run.stderr.as_str()), (0, total), "{line}");
    }
    assert_eq!(env.run("query --limit 4").found().stderr, "");
    assert_eq!(env.run("query --count --limit 1").found().text(), "4\n");
    let run = env.run("find happy --count");
    assert_eq!((run.code, run.text()), (0, "1\n"));
    let none = env.run("query --near paris --count");
    assert_eq!((none.code, none.text()), (1, "0\n"));
}

#[test]
fn the_path_of_the_root_does_not_match_albums_or_words() {
    let env = album();
    // The name of the root is `album`.
    for (options, expected) in [
        ("--album album", &[][..]),
        ("--text album", &[]),
        ("--album trip", &[SOBER, LAUGHING]),
        ("--text trip", &[SOBER, LAUGHING]),
        ("--text album --album trip", &[]),
    ] {
        assert_eq!(env.query(options), expected, "{options}");
    }
    env.add("album of cats/b.jpg", fixture("hopper.jpg"));
    env.index();
    assert_eq!(env.query("--text album"), ["album of cats/b.jpg"]);
    assert_eq!(env.query("--album album"), ["album of cats/b.jpg"]);
    assert_eq!(env.run("query --text album --count").found().text(), "1\n");
}
