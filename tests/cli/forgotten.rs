//! What was forgotten leaves no trace, and is not stored again.

use std::fs;
use std::path::Path;

use crate::common::{fixture, photo_taken, sidecar};
use crate::testenv::{Run, TestEnv};

/// The files below a folder that contain one of these words, in any case.
pub fn traces(folder: &Path, words: &[&str]) -> Vec<String> {
    let files = walkdir::WalkDir::new(folder)
        .into_iter()
        .map(Result::unwrap);
    let files = files.filter(|entry| entry.file_type().is_file());
    let has_trace = |bytes: &[u8]| {
        let bytes = bytes.to_ascii_lowercase();
        let is_in = |word: &&&str| {
            bytes
                .windows(word.len())
                .any(|part| part == word.as_bytes())
        };
        words.iter().find(is_in).map(|word| (*word).to_owned())
    };
    files
        .filter_map(|file| {
            let word = has_trace(&fs::read(file.path()).unwrap())?;
            Some(format!("{word} in {}", file.path().display()))
        })
        .collect()
}

pub const WORDS: [&str; 4] = ["wumpelst", "zanzibarsk", "ypsilanti", "quxocam"];

/// A photo whose camera is one of these words.
pub fn secret() -> Vec<u8> {
    photo_taken(
        "astronaut.jpg",
        "2019:07:14 09:00:00",
        (43.77, 11.25),
        "Quxocam",
    )
}

/// A folder to be forgotten beside one to be kept.
fn album() -> TestEnv {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    env.add("Zanzibarsk/Ypsilanti.jpg", secret());
    env.add("Zanzibarsk/Ypsilanti.jpg.xmp", sidecar(&["Wumpelstein"]));
    env.add("Zanzibarsk/broken-Ypsilanti.jpg", "no photo");
    env.index();
    let face = env.show("Zanzibarsk/Ypsilanti.jpg")["faces"][0]["id"].clone();
    env.run(&format!("correct {face} --emotion sad")).found();
    env
}

#[test]
fn a_forgotten_folder_leaves_no_trace_and_does_not_come_back() {
    let env = album();
    assert!(!traces(&env.path("home"), &WORDS).is_empty());
    let thumbnails = env.path("home/.cache/fer-index/thumbnails/ab");
    fs::create_dir_all(&thumbnails).unwrap();
    let orphan = thumbnails.join(format!("{}.jpg", "ab".repeat(32)));
    fs::write(&orphan, "a thumbnail").unwrap();
    let before = fs::read(env.database()).unwrap();
    let would = env
        .run("forget album/Zanzibarsk --dry-run --json")
        .found()
        .json();
    let folder = env.album("Zanzibarsk").display().to_string();
    let expected = serde_json::json!({
        "path": folder, "photos": 1, "files": 2, "corrections": 1, "copies": [], "stay": [],
        "clean": null, "dry_run": true,
    });
    assert_eq!(would, expected);
    assert_eq!(fs::read(env.database()).unwrap(), before);
    assert!(orphan.exists() && env.query("").len() == 2);
    let run = env.run("forget album/Zanzibarsk").found();
    assert!(
        run.text().contains("1 photo in 2 files and 1 correction"),
        "{run:?}"
    );
    assert_eq!(traces(&env.path("home"), &WORDS), [""; 0]);
    assert!(!orphan.exists());
    assert_eq!(env.query(""), ["hopper.jpg"]);
    env.run("doctor").found();

    // Neither the name of the folder nor its contents are stored again.
    env.index();
    env.add("Zanzibarsk/new-Ypsilanti.jpg", fixture("chelsea.jpg"));
    fs::rename(
        env.album("Zanzibarsk/Ypsilanti.jpg"),
        env.album("moved-Ypsilanti.jpg"),
    )
    .unwrap();
    env.index();
    env.run("reindex album --json").found();
    assert_eq!(env.query(""), ["hopper.jpg"]);
    assert_eq!(traces(&env.path("home"), &WORDS), [""; 0]);
    let refused = env.run("index album/Zanzibarsk").refused();
    assert!(refused.contains("forget --undo"), "{refused}");
    assert_eq!(traces(&env.path("home"), &WORDS), [""; 0]);

    env.run("forget --undo album/Zanzibarsk").found();
    env.index();
    let mut found = env.query("");
    found.sort();
    let expected = [
        "Zanzibarsk/new-Ypsilanti.jpg",
        "hopper.jpg",
        "moved-Ypsilanti.jpg",
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_forgotten_photo_goes_with_its_copies_and_what_is_beside_it_stays() {
    let env = TestEnv::with_fixtures(&["hopper.jpg", "chelsea.jpg"]);
    env.add("copies/copy.jpg", fixture("hopper.jpg"));
    env.index();
    let run = env.run("forget album/hopper.jpg").found();
    assert!(run.text().contains("1 photo in 2 files"), "{run:?}");
    env.index();
    assert_eq!(env.query(""), ["chelsea.jpg"]);
    assert_eq!(env.run("forget album/nowhere.jpg").code, 2);
    assert_eq!(env.run("forget --undo album/chelsea.jpg").code, 1);
    env.run("forget --undo album/copies/copy.jpg").found();
    env.index();
    assert_eq!(env.query("").len(), 2);
}

#[test]
fn forgetting_where_nothing_is_to_be_forgotten_says_so() {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    env.index();
    fs::create_dir(env.album("empty")).unwrap();
    env.add("texts/notes.txt", "no photo");
    for line in [
        "forget album/empty",
        "forget album/texts",
        "forget --dry-run album/empty",
    ] {
        let run = env.run(line);
        let told = run.stderr.contains("no photo is there");
        assert!(run.code == 1 && told, "{line}: {run:?}");
    }
    assert_eq!(env.query(""), ["hopper.jpg"]);
    // Photos that are not in the index yet are there to be kept out of it.
    env.add("new/astronaut.jpg", fixture("astronaut.jpg"));
    env.run("forget album/new").found();
    env.index();
    assert_eq!(env.query(""), ["hopper.jpg"]);
}

#[test]
fn a_forgotten_picture_does_not_come_back_with_other_metadata() {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    let taken = |date: &str| photo_taken("astronaut.jpg", date, (43.77, 11.25), "Quxocam");
    env.add("private/a.jpg", taken("2019:07:14 09:00:00"));
    env.add("tagged.jpg", taken("2020:07:14 09:00:00"));
    env.index();
    let folder = env.run("forget album/private --dry-run").found();
    assert!(folder.text().contains("stay:\n  /"), "{folder:?}");
    let run = env.run("forget album/private/a.jpg").found();
    assert!(run.text().contains("2 photos in 2 files"), "{run:?}");
    let listed = format!("go with it:\n  {}\n", env.album("tagged.jpg").display());
    assert!(run.text().contains(&listed), "{run:?}");
    // Two files with the same content, so that one of them waits for the other.
    for name in ["elsewhere/b.jpg", "elsewhere/c.jpg"] {
        env.add(name, taken("2021:07:14 09:00:00"));
    }
    for _ in 0..2 {
        let summary = env.index();
        assert_eq!(summary["photos"], 0, "{summary}");
        assert_eq!(env.query(""), ["hopper.jpg"]);
        assert_eq!(traces(&env.path("home"), &WORDS), [""; 0]);
    }
    env.run("reindex album --json").found();
    assert_eq!(env.query(""), ["hopper.jpg"]);
    env.run("forget --undo album/tagged.jpg").found();
    env.index();
    assert_eq!(env.query("").len(), 4);
}

#[test]
fn a_root_that_is_gone_can_be_forgotten() {
    let env = TestEnv::with_fixtures(&["chelsea.jpg"]);
    fs::create_dir(env.path("other")).unwrap();
    fs::write(env.path("other/a.jpg"), fixture("hopper.jpg")).unwrap();
    env.index();
    env.run("index other").found();
    fs::remove_dir_all(env.path("other")).unwrap();
    assert!(env.run("status").text().contains("/other"));
    env.run("forget other").found();
    assert!(!env.run("status").text().contains("/other"));
}

/// A sidecar of a program that names people: one with a region, a keyword for each, a title and a description.
fn people(people: &[&str], keywords: &[&str], title: &str, description: &str) -> String {
    let region = |name: &&str| {
        format!(
            "<rdf:li><rdf:Description mwg-rs:Name=\"{name}\" mwg-rs:Type=\"Face\"><mwg-rs:Area stArea:x=\"0.5\" \
             stArea:y=\"0.5\" stArea:w=\"0.4\" stArea:h=\"0.4\" stArea:unit=\"normalized\"/></rdf:Description></rdf:li>"
        )
    };
    let regions = people.iter().map(region).collect::<Vec<_>>().concat();
    let keywords = keywords.join("</rdf:li><rdf:li>");
    format!(
        "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"
                  xmlns:dc=\"http://purl.org/dc/elements/1.1/\"
                  xmlns:mwg-rs=\"http://www.metadataworkinggroup.com/schemas/regions/\"
                  xmlns:stArea=\"http://ns.adobe.com/xmp/sType/Area#\">
         <rdf:Description>
         <dc:title><rdf:Alt><rdf:li xml:lang=\"x-default\">{title}</rdf:li></rdf:Alt></dc:title>
         <dc:description><rdf:Alt><rdf:li xml:lang=\"x-default\">{description}</rdf:li></rdf:Alt></dc:description>
         <dc:subject><rdf:Bag><rdf:li>{keywords}</rdf:li></rdf:Bag></dc:subject>
         <mwg-rs:Regions rdf:parseType=\"Resource\"><mwg-rs:RegionList><rdf:Bag>{regions}</rdf:Bag>
         </mwg-rs:RegionList></mwg-rs:Regions>
         </rdf:Description></rdf:RDF>"
    )
}

/// The name with composed and decomposed accents, without accents, in UTF-16, escaped, and its words in the full-text
/// index.
const NAMES: [&[u8]; 7] = [
    "wümpelstein".as_bytes(),
    "wu\u{308}mpelstein".as_bytes(),
    b"wumpelstein",
    b"w\0\xfc\0m\0p\0e\0l\0",
    b"\0w\0\xfc\0m\0p\0e\0l",
    b"w\\u00fcmpelstein",
    b"xanthippe",
];

fn names_left(env: &TestEnv) -> Vec<String> {
    let files = walkdir::WalkDir::new(env.path("home"));
    let files = files.into_iter().map(Result::unwrap);
    let mut left = Vec::new();
    for file in files.filter(|file| file.file_type().is_file()) {
        // This does not convert accented letters, which have other bytes in lower case.
        let bytes = fs::read(file.path()).unwrap().to_ascii_lowercase();
        for name in NAMES {
            if bytes.windows(name.len()).any(|part| part == name) {
                let name = String::from_utf8_lossy(name);
                left.push(format!("{name} in {}", file.path().display()));
            }
        }
    }
    left
}

#[test]
fn a_forgotten_person_leaves_no_trace_and_is_not_named_again() {
    let env = TestEnv::with_fixtures(&["hopper.jpg", "chelsea.jpg", "astronaut.jpg"]);
    let name = "Xanthippe Wümpelstein";
    let xmp = people(
        &[name, "Bob"],
        &[
            name,
            "People|XANTHIPPE wu\u{308}mpelstein",
            "Bob",
            "Xanthippe Wumpelstein's boat",
        ],
        "Xanthippe Wümpelstein and Bob at the lake",
        "Xanthippe Wümpelstein",
    );
    env.add("hopper.jpg.xmp", &xmp);
    let takeout = format!(
        r#"{{"title": "chelsea.jpg", "photoTakenTime": {{"timestamp": "1563091200"}}, "description": "with xanthippe  w\u00fcmpelstein", "people": [{{"name": "{name}"}}]}}"#
    );
    env.add("chelsea.jpg.supplemental-metadata.json", &takeout);
    env.index();
    assert!(!names_left(&env).is_empty());
    assert_eq!(env.query("--person xanthippe").len(), 2);

    let forget = |flags: &str| {
        let mut command = env.command(&format!("forget {flags} --person"));
        Run::of(command.arg("xanthippe WUMPELSTEIN"))
    };
    let rehearsed = forget("--dry-run --json").found().json();
    assert!(!names_left(&env).is_empty());
    let removed = forget("--json").found().json();
    for (count, number) in [
        ("photos", 2),
        ("names", 2),
        ("keywords", 3),
        ("texts", 3),
        ("files", 0),
    ] {
        assert_eq!(removed[count], number, "{count}: {removed}");
        assert_eq!(rehearsed[count], number, "{count}: {rehearsed}");
    }
    assert_eq!(names_left(&env), [""; 0]);
    assert_eq!(env.query("--person xanthippe"), [""; 0]);
    env.run("doctor").found();
    let shown = env.show("hopper.jpg");
    assert_eq!(shown["title"], "… and Bob at the lake");
    assert_eq!(shown["people"][0]["name"], "Bob");
    assert_eq!(shown["keywords"], serde_json::json!(["Bob"]));
    assert_eq!(env.query("").len(), 3);

    // The name comes neither from new files nor from known ones that are read again.
    env.add("astronaut.jpg.xmp", &xmp);
    env.add("coffee.jpg", fixture("coffee.jpg"));
    env.add("coffee.jpg.xmp", &xmp);
    env.add(
        "chelsea.jpg.supplemental-metadata.json",
        takeout.replace("with", "without"),
    );
    env.index();
    env.run("reindex album --json").found();
    assert_eq!(names_left(&env), [""; 0]);
    env.run("backup copy.sqlite3").found();
    fs::rename(env.path("copy.sqlite3"), env.path("home/copy.sqlite3")).unwrap();
    assert_eq!(names_left(&env), [""; 0]);

    forget("--undo").found();
    assert_eq!(forget("--undo").code, 1);
    env.index();
    assert_eq!(env.query("--person xanthippe").len(), 4);
    env.run("doctor").found();
}

#[test]
fn what_only_resembles_a_forgotten_name_stays_and_is_told() {
    let env = TestEnv::new();
    env.add(
        "Anna/hopper.jpg.xmp",
        people(
            &["Anna Rossi"],
            &["Anna Rossi", "Annas", "anna", "Anna|Anna Rossi"],
            "Hannah",
            "Susanna",
        ),
    );
    env.add("Anna/hopper.jpg", fixture("hopper.jpg"));
    env.index();
    let forgotten = env.run("forget --person ANNA --json").found().json();
    let expected = serde_json::json!({
        "person": "ANNA", "photos": 1, "names": 0, "keywords": 2, "texts": 0, "files": 1, "others": ["Anna Rossi"],
        "clean": true, "dry_run": false,
    });
    assert_eq!(forgotten, expected);
    let shown = env.show("Anna/hopper.jpg");
    assert_eq!(
        shown["keywords"],
        serde_json::json!(["Anna Rossi", "Annas"])
    );
    // The name must not be empty, and only one thing is forgotten at a time.
    for refused in [
        "forget --person ?!",
        "forget --person Anna album/hopper.jpg",
        "forget",
        "forget --person Bob --undo --dry-run",
    ] {
        assert_eq!(env.run(refused).code, 2, "{refused}");
    }
}

#[test]
fn what_was_forgotten_stays_so_when_an_older_backup_is_restored() {
    let env = album();
    let xmp = people(&["Xanthippe Wümpelstein", "Bob"], &[], "At the lake", "");
    env.add("hopper.jpg.xmp", xmp);
    env.index();
    env.run("backup old.sqlite3").found();
    env.run("forget album/Zanzibarsk").found();
    let mut forget = env.command("forget --person");
    Run::of(forget.arg("Xanthippe Wümpelstein")).found();
    let backup = fs::read(env.path("old.sqlite3")).unwrap();

    let restored = env.run("restore old.sqlite3").found();
    let message = "stays forgotten: 2 files and the people named in 1 photo were removed";
    assert!(restored.text().contains(message), "{restored:?}");
    assert_eq!(fs::read(env.path("old.sqlite3")).unwrap(), backup);
    for _ in 0..2 {
        assert_eq!(traces(&env.path("home"), &WORDS), [""; 0]);
        assert_eq!(names_left(&env), [""; 0]);
        assert_eq!(env.query(""), ["hopper.jpg"]);
        assert_eq!(env.show("hopper.jpg")["people"][0]["name"], "Bob");
        env.run("doctor").found();
        env.run("index album").found();
    }
    env.run("forget --undo album/Zanzibarsk").found();
    env.index();
    assert_eq!(env.query("").len(), 2);

    // The error about a damaged database shows no names.
    fs::write(env.database(), "not a database ".repeat(99)).unwrap();
    let unknown = env.run("restore old.sqlite3");
    assert_eq!(unknown.code, 0);
    assert!(unknown.stderr.contains("forget it again"), "{unknown:?}");
}
