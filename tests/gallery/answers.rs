//! The answers of the API, and the corrections that the page sends.

use std::collections::BTreeSet;
use std::io::Read as _;

use fer_index::emotion::Emotion::{self, Happy, Neutral, Sad};
use jiff::civil::date;
use serde_json::{Value, json};

use crate::common::fixture;
use crate::seed::{Seed, seed};
use crate::server::{Server, wait_for};
use crate::testenv::TestEnv;

/// A photo with this name, year and faces; its bytes differ from those of all other photos.
fn photo(name: &'static str, year: i16, faces: &[(Emotion, f32)]) -> Seed {
    let bytes = [fixture("coffee.jpg"), name.into()].concat();
    Seed {
        taken: Some(date(year, 7, 14)),
        ..Seed::new(name, bytes, faces)
    }
}

fn album() -> (TestEnv, Server) {
    let env = TestEnv::new();
    seed(
        &env,
        &[
            photo("party/glad.jpg", 2019, &[(Happy, 0.95)]),
            photo("party/mixed.jpg", 2020, &[(Happy, 0.8), (Sad, 0.7)]),
            photo("beach/sad.jpg", 2020, &[(Sad, 0.9)]),
            photo("beach/faint.jpg", 2021, &[(Happy, 0.3)]),
        ],
    );
    let server = Server::start(&env);
    (env, server)
}

fn names(answer: &Value) -> Vec<&str> {
    let photos = answer["photos"].as_array().unwrap();
    photos
        .iter()
        .map(|photo| photo["name"].as_str().unwrap())
        .collect()
}

#[test]
fn the_grid_shows_what_the_filters_admit() {
    let (env, server) = album();
    let ask = |filters: &str| server.ask(&format!("/api/photos?limit=10&{filters}"));
    let under = env.album("party").display().to_string();
    for (filters, expected) in [
        ("emotion=happy", vec!["glad.jpg", "mixed.jpg"]),
        ("emotion=happy&min=90", vec!["glad.jpg"]),
        (
            "emotion=happy&min=0&since=2020-01-01",
            vec!["mixed.jpg", "faint.jpg", "sad.jpg"],
        ),
        ("emotion=happy&until=2019-07-14", vec!["glad.jpg"]),
        ("emotion=happy&until=2019-07-13", vec![]),
        ("emotion=sad", vec!["sad.jpg", "mixed.jpg"]),
        (&*format!("emotion=sad&under={under}"), vec!["mixed.jpg"]),
        ("", vec!["faint.jpg", "sad.jpg", "mixed.jpg", "glad.jpg"]),
        ("who=all&emotion=happy", vec!["glad.jpg"]),
        ("text=beach", vec!["faint.jpg", "sad.jpg"]),
    ] {
        assert_eq!(names(&ask(filters)), expected, "{filters}");
    }
    let tile = &ask("emotion=happy")["photos"][0];
    assert_eq!((&tile["id"], &tile["faces"]), (&json!(1), &json!(1)));
    assert_eq!(tile["taken"], "2019-07-14T12:00:00");
    for wrong in [
        "emotion=bored",
        "since=soon",
        "limit=-1",
        "who=me",
        "near=Nowhereville",
        "faces=x",
        "min=abc",
        "min=101",
    ] {
        let refused = server.get(&format!("/api/photos?limit=10&{wrong}")).send();
        assert_eq!(refused.status, 400, "{wrong}");
        assert!(!refused.text().contains("--"), "{}", refused.text());
    }
    let with_values = [
        "emotion",
        "not",
        "who",
        "min-score",
        "faces",
        "since",
        "until",
        "taken",
        "under",
        "album",
        "near",
        "within",
        "camera",
        "person",
        "min-face-size",
        "min-detection",
        "order",
        "seed",
        "raws",
        "min",
        "most",
    ];
    for name in with_values {
        for empty in [name.to_owned(), format!("{name}=")] {
            let refused = server.get(&format!("/api/photos?limit=10&{empty}")).send();
            assert_eq!(refused.status, 400, "{empty}");
            let sentence = format!("the parameter {name} has no value; write {name}=");
            assert!(refused.text().contains(&sentence), "{}", refused.text());
        }
    }
    // These mean something without a value.
    for plain in [
        "away",
        "away=",
        "all",
        "file-dates",
        "one-per-burst",
        "text",
        "words",
    ] {
        ask(plain);
    }
    assert_eq!(names(&ask("away")), names(&ask("away=100")));
}

#[test]
fn photos_without_a_date_are_marked_and_left_out_by_dates() {
    let env = TestEnv::new();
    let undated = Seed {
        taken: None,
        ..photo("undated.jpg", 2020, &[(Happy, 0.9)])
    };
    seed(&env, &[photo("dated.jpg", 2019, &[(Happy, 0.95)]), undated]);
    let server = Server::start(&env);
    let ask = |filters: &str| {
        let photos = server.ask(&format!("/api/photos?limit=10&emotion=happy&{filters}"));
        let counts = server.ask(&format!("/api/counts?emotion=happy&{filters}"));
        let names: Vec<String> = names(&photos).into_iter().map(str::to_owned).collect();
        (names, counts["undated"].as_u64().unwrap())
    };
    let (dated, both) = (vec!["dated.jpg"], vec!["dated.jpg", "undated.jpg"]);
    for (filters, expected, undated) in [
        ("", &both, 0),
        ("since=2000-01-01", &dated, 1),
        ("since=2000-01-01&file-dates=yes", &both, 0),
        ("until=2019-12-31", &dated, 0),
        ("text=since+2000", &dated, 1),
    ] {
        let (names, left_out) = ask(filters);
        assert_eq!(names, *expected, "{filters}");
        assert_eq!(left_out, undated, "{filters}");
    }
    let tiles = server.ask("/api/photos?limit=10&emotion=happy");
    let is_from_file = |index: usize| tiles["photos"][index]["taken_from_file"].clone();
    assert_eq!(
        (is_from_file(0), is_from_file(1)),
        (json!(false), json!(true))
    );
}

#[test]
fn the_grid_comes_in_parts_without_gap_or_overlap() {
    let (_env, server) = album();
    let part = |offset: usize| {
        server.ask(&format!(
            "/api/photos?emotion=happy&min=0&limit=3&offset={offset}"
        ))
    };
    let (first, rest) = (part(0), part(3));
    assert_eq!(names(&first), ["glad.jpg", "mixed.jpg", "faint.jpg"]);
    assert_eq!(names(&rest), ["sad.jpg"]);
    assert_eq!(
        (&first["more"], &rest["more"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(names(&part(4)), [] as [&str; 0]);
    // The requested number of photos ends the answer in the middle of a page.
    for (most, offset, expected, more) in [
        (2, 0, &["glad.jpg", "mixed.jpg"][..], false),
        (3, 0, &["glad.jpg", "mixed.jpg", "faint.jpg"], false),
        (4, 0, &["glad.jpg", "mixed.jpg", "faint.jpg"], true),
        (2, 3, &[], false),
    ] {
        let part = server.ask(&format!(
            "/api/photos?emotion=happy&min=0&limit=3&offset={offset}&most={most}"
        ));
        assert_eq!(names(&part), expected, "{most} {offset}");
        assert_eq!(part["more"], more, "{most} {offset}");
    }
}

#[test]
fn counts_are_what_the_grid_would_show() {
    let (_env, server) = album();
    for filters in [
        "",
        "min=90",
        "until=2020-12-31",
        "text=party",
        "who=all",
        "since=2030-01-01",
    ] {
        let counts = server.ask(&format!("/api/counts?{filters}"));
        assert_eq!(counts["found"], counts["all"], "{filters}");
        for emotion in Emotion::ALL {
            let emotion = emotion.name();
            let grid = server.ask(&format!("/api/photos?limit=99&emotion={emotion}&{filters}"));
            assert_eq!(
                counts["emotions"][emotion],
                names(&grid).len(),
                "{emotion} {filters}"
            );
        }
        let all = server.ask(&format!("/api/photos?limit=99&{filters}"));
        assert_eq!(counts["all"], names(&all).len(), "{filters}");
        assert_eq!(counts["indexed"], true);
    }
    // Choosing an emotion changes the count of no chip.
    let chosen = server.ask("/api/counts?emotion=sad");
    assert_eq!(chosen["emotions"], server.ask("/api/counts")["emotions"]);
    assert_eq!(chosen["emotion"], "sad");
}

#[test]
fn what_is_typed_is_understood_as_by_find() {
    let (_env, server) = album();
    let counts = server.ask("/api/counts?text=happy+photos+before+2020");
    assert_eq!(counts["emotion"], "happy");
    assert_eq!(counts["read_as"][0], "--emotion", "{counts}");
    let grid = server.ask("/api/photos?limit=9&text=happy+photos+since+2020");
    assert_eq!(names(&grid), ["mixed.jpg"]);
    // A control overrides the text.
    let grid = server.ask("/api/photos?limit=9&text=happy+photos+since+2020&emotion=sad");
    assert_eq!(names(&grid), ["sad.jpg", "mixed.jpg"]);
    let two = server.ask("/api/counts?text=happy+or+sad,+not+angry,+with+us");
    assert_eq!(two["found"], 3, "{two}");
    assert_eq!(
        two["understood"],
        json!({
            "filters": ["shows happy or sad", "nobody shows angry"],
            "replaced": [],
            "as_text": [],
            "left_out": ["us"],
            "suggestions": [],
            "other_albums": [],
            "other_people": [],
        })
    );
    let grid = server.ask("/api/photos?limit=9&text=happy+but+not+sad");
    assert_eq!(names(&grid), ["glad.jpg"]);
    let none = server.ask("/api/counts?text=happy+zebras");
    assert_eq!(none["found"], 0);
    assert_eq!(
        none["why_empty"],
        json!(["no photo has the word \"zebras\""])
    );
    let none = server.ask("/api/counts?emotion=happy&who=all&faces=2");
    assert_eq!(
        none["why_empty"][1],
        "without \"everybody\" there would be some"
    );
    // Every flag of `query` is also a parameter of the address.
    let grid = server.ask("/api/photos?limit=9&not=sad&taken=2019&album=party");
    assert_eq!(names(&grid), ["glad.jpg"]);
    let words = server.ask("/api/counts?text=party");
    assert_eq!(
        (&words["read_as"], &words["emotion"]),
        (&json!([]), &Value::Null)
    );
    let refused = server.get("/api/counts?near=Nowhereville").send();
    assert_eq!(refused.status, 400);
    assert!(
        refused.text().contains("Nowhereville"),
        "{}",
        refused.text()
    );
}

/// Parameters of the page; the sentences in force of their text, and those that controls replace; the order; and the number of
/// photos.
fn texts_with_filters() -> [(&'static str, Value, Value, &'static str, u64); 14] {
    [
        ("text=happy", json!(["shows happy"]), json!([]), "score", 2),
        (
            "text=happy&emotion=happy",
            json!(["shows happy"]),
            json!([]),
            "score",
            2,
        ),
        (
            "text=happy&emotion=sad",
            json!([]),
            json!(["shows happy"]),
            "score",
            2,
        ),
        (
            "text=happy+in+2020&emotion=any",
            json!(["taken: 2020"]),
            json!(["shows happy"]),
            "date",
            2,
        ),
        (
            "text=everybody+at+least+80%25+happy&emotion=any",
            json!([]),
            json!(["everybody shows happy", "with a score of 0.8 or more"]),
            "date",
            4,
        ),
        (
            "text=everybody+happy&emotion=sad",
            json!(["everybody shows sad"]),
            json!(["everybody shows happy"]),
            "score",
            1,
        ),
        (
            "text=latest+happy",
            json!(["shows happy"]),
            json!([]),
            "date",
            2,
        ),
        ("text=random&seed=7", json!([]), json!([]), "random", 4),
        (
            "text=top+1+happy",
            json!(["shows happy", "at most 1"]),
            json!([]),
            "score",
            1,
        ),
        (
            "text=top+1+happy&most=9",
            json!(["shows happy"]),
            json!(["at most 1"]),
            "score",
            2,
        ),
        (
            "text=in+italy&near=rome",
            json!([]),
            json!(["in Italy"]),
            "date",
            0,
        ),
        // Each of these restricts the answer further.
        (
            "text=party&words=glad",
            json!(["with the words glad party"]),
            json!([]),
            "date",
            1,
        ),
        (
            "text=not+happy&not=sad",
            json!(["nobody shows happy or sad"]),
            json!([]),
            "date",
            1,
        ),
        (
            "text=july+2020&until=2021",
            json!(["taken: july 2020"]),
            json!([]),
            "date",
            2,
        ),
    ]
}

#[test]
fn what_is_said_about_the_text_is_what_is_in_force() {
    let (_env, server) = album();
    let summary = |filters: &str| {
        let counts = server.ask(&format!("/api/counts?{filters}"));
        let understood = &counts["understood"];
        (
            understood["filters"].clone(),
            understood["replaced"].clone(),
            counts["order"].clone(),
            counts["found"].as_u64().unwrap(),
        )
    };
    for (filters, expected, replaced, order, found) in texts_with_filters() {
        let said = summary(filters);
        assert_eq!(said, (expected, replaced, json!(order), found), "{filters}");
        let grid = server.ask(&format!("/api/photos?limit=9&{filters}"));
        assert_eq!(names(&grid).len() as u64, found, "{filters}");
    }
    // What a control says for itself is what its removal takes away.
    let both = server.ask("/api/counts?text=not+happy&not=sad");
    assert_eq!(both["in_words"], json!([["not", "nobody shows sad"]]));
    let refused = server.get("/api/counts?most=0").send();
    assert_eq!(refused.status, 400);
}

#[test]
fn the_seed_decides_the_order_of_a_shuffled_answer_also_if_the_text_asks_for_it() {
    let (_env, server) = album();
    let shuffled = |text: &str| {
        let grid = server.ask(&format!("/api/photos?limit=9&{text}"));
        names(&grid).join(" ")
    };
    let orders: BTreeSet<String> = (1..9)
        .map(|seed| shuffled(&format!("text=random&seed={seed}")))
        .collect();
    assert!(orders.len() > 1, "{orders:?}");
    assert_eq!(
        shuffled("text=random&seed=7"),
        shuffled("order=random&seed=7")
    );
}

#[cfg(unix)]
#[test]
fn a_folder_is_found_through_a_link_and_however_its_accents_are_written() {
    let env = TestEnv::new();
    let decomposed = photo("Cafe\u{301}/glad.jpg", 2019, &[(Happy, 0.95)]);
    seed(
        &env,
        &[decomposed, photo("other/sad.jpg", 2019, &[(Sad, 0.9)])],
    );
    std::os::unix::fs::symlink(env.path("album"), env.path("short")).unwrap();
    let server = Server::start(&env);
    // The composed and the decomposed form, as the address encodes them.
    for folder in ["Caf%C3%A9", "Cafe%CC%81"] {
        for album in ["album", "short"] {
            let under = format!("{}/{folder}", env.path(album).display());
            let grid = server.ask(&format!("/api/photos?limit=10&under={under}"));
            assert_eq!(names(&grid), ["glad.jpg"], "{under}");
        }
        let grid = server.ask(&format!("/api/photos?limit=10&album={folder}"));
        assert_eq!(names(&grid), ["glad.jpg"], "{folder}");
    }
}

#[test]
fn folders_are_offered_as_a_tree() {
    let (env, server) = album();
    let counts = server.ask("/api/counts");
    let folders: Vec<_> = counts["folders"]
        .as_array()
        .unwrap()
        .iter()
        .map(|folder| {
            (
                folder["name"].as_str().unwrap(),
                folder["depth"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(folders, [("album", 0), ("beach", 1), ("party", 1)]);
    assert_eq!(
        counts["folders"][0]["path"],
        env.path("album").display().to_string()
    );
}

#[test]
fn a_photo_is_told_with_its_faces() {
    let (env, server) = album();
    let photo = server.ask("/api/photo/2");
    assert_eq!(photo["paths"], json!([env.album("party/mixed.jpg")]));
    assert_eq!(photo["faces"].as_array().unwrap().len(), 2);
    let face = &photo["faces"][1];
    assert_eq!(face["box"], json!([120.0, 30.0, 60.0, 80.0]));
    let sad = face["scores"][Sad.index()].as_f64().unwrap();
    assert!((sad - 0.7).abs() < 1e-6, "{face}");
    assert_eq!(
        (&face["corrected_to"], &face["rejected"], &face["counts"]),
        (&Value::Null, &json!(false), &json!(true))
    );
    assert_eq!(server.get("/api/photo/99").send().status, 404);
}

#[test]
fn a_photo_names_the_other_files_of_its_shot() {
    let env = TestEnv::new();
    let names = ["IMG_1.jpg", "IMG_1.dng", "IMG_2.dng"];
    seed(&env, &names.map(|name| photo(name, 2019, &[(Happy, 0.9)])));
    let server = Server::start(&env);
    let shot = |id: u32| server.ask(&format!("/api/photo/{id}"))["same_shot"].clone();
    assert_eq!(shot(1), json!([env.album("IMG_1.dng")]));
    assert_eq!(shot(2), json!([env.album("IMG_1.jpg")]));
    assert_eq!(shot(3), json!([]));
}

#[test]
fn a_persons_word_counts_and_can_be_taken_back() {
    let (env, server) = album();
    let count = |emotion: Emotion| server.ask("/api/counts")["emotions"][emotion.name()].clone();
    let face = server.ask("/api/photo/1")["faces"][0]["id"].to_string();
    let say = |word: Value| server.post(&format!("/api/face/{face}"), &word).status;
    let faces = || server.ask("/api/photo/1")["faces"].clone();
    assert_eq!((count(Happy), count(Sad)), (json!(2), json!(2)));

    assert_eq!(say(json!({"shows": "sad"})), 204);
    assert_eq!((count(Happy), count(Sad)), (json!(1), json!(3)));
    assert_eq!(faces()[0]["corrected_to"], "sad");
    // Other commands see the correction.
    let run = env.run("query --emotion sad --limit 1 --format paths");
    assert_eq!(
        (run.code, run.stderr.as_str()),
        (0, "1 of 3; --offset 1 for more\n")
    );
    assert!(run.text().trim_end().ends_with("party/glad.jpg"), "{run:?}");

    assert_eq!(say(json!("not_a_face")), 204);
    assert_eq!((count(Happy), count(Sad)), (json!(1), json!(2)));
    assert_eq!(
        (&faces()[0]["rejected"], &faces()[0]["counts"]),
        (&json!(true), &json!(false))
    );

    assert_eq!(say(json!("nothing")), 204);
    assert_eq!((count(Happy), count(Sad)), (json!(2), json!(2)));
    assert_eq!(faces()[0]["corrected_to"], Value::Null);

    assert_eq!(
        server
            .post("/api/face/999", &json!({"shows": "sad"}))
            .status,
        404
    );
    for wrong in [json!({"shows": "bored"}), json!("maybe"), json!({})] {
        assert!([400, 422].contains(&say(wrong)));
    }
    assert_eq!(say(json!({"shows": "x".repeat(10_000)})), 413);
}

#[test]
fn an_open_page_hears_of_changes() {
    let (env, server) = album();
    let mut page = server.get("/api/live").open();
    let mut heard = String::new();
    let mut events = || {
        let mut bytes = [0; 1024];
        let length = page.read(&mut bytes).unwrap();
        heard.push_str(std::str::from_utf8(&bytes[..length]).unwrap());
        heard.matches("event: change").count()
    };
    wait_for("the first event", || (events() == 1).then_some(()));
    seed(&env, &[photo("new.jpg", 2022, &[(Neutral, 0.9)])]);
    wait_for("an event of the new photo", || (events() > 1).then_some(()));
    assert_eq!(server.ask("/api/counts")["all"], 5);
}

#[test]
fn before_anything_is_indexed_there_is_a_page() {
    let env = TestEnv::new();
    let server = Server::start(&env);
    let counts = server.ask("/api/counts");
    assert_eq!(
        (&counts["all"], &counts["indexed"]),
        (&json!(0), &json!(false))
    );
    assert_eq!(names(&server.ask("/api/photos?limit=9")), [] as [&str; 0]);
    assert_eq!(server.get("/").send().status, 200);
}
