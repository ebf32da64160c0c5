//! The scores of faces follow a person's corrections of others, if that proves better.

use std::io::Cursor;

use image::ImageFormat;

use crate::common::fixture;
use crate::testenv::{TestEnv, top_emotion};

/// A fixture that is brightened by some grey levels, which makes it another picture of the same face.
fn brightened(name: &str, by: i32) -> Vec<u8> {
    let photo = image::load_from_memory(&fixture(name)).unwrap();
    let mut png = Cursor::new(Vec::new());
    photo
        .brighten(by)
        .write_to(&mut png, ImageFormat::Png)
        .unwrap();
    png.into_inner()
}

/// Twelve pictures of one calm face and four of a laughing one.
fn album() -> TestEnv {
    let env = TestEnv::new();
    for number in 0..12 {
        let bytes = brightened("hopper.jpg", 3 * number - 18);
        env.add(format!("calm{number:02}.png"), bytes);
    }
    for number in 0..4 {
        env.add(
            format!("laughing{number}.png"),
            brightened("astronaut.jpg", 6 * number - 9),
        );
    }
    env.index();
    env
}

fn face(env: &TestEnv, name: &str) -> i64 {
    env.show(name)["faces"][0]["id"].as_i64().unwrap()
}

#[test]
fn corrections_teach_and_what_they_taught_is_shown_switched_off_and_forgotten() {
    let env = album();
    let before = env
        .run("query --emotion sad --all --format json")
        .found()
        .json();
    let status = env.run("learn status --json").found().json();
    assert_eq!(
        (&status["corrections"], &status["in_force"]),
        (&0.into(), &false.into())
    );
    assert_eq!(env.run("learn").code, 1);
    assert!(!env.run("status").found().text().contains("learning"));

    // The first ten of the list, which a person would see first.
    let ranked = env.query("--emotion neutral --all");
    let (corrected, others) = ranked[..12].split_at(10);
    assert!(
        ranked[..12].iter().all(|name| name.starts_with("calm")),
        "{ranked:?}"
    );
    let other = others[0].as_str();
    let numbers: Vec<String> = corrected
        .iter()
        .map(|name| face(&env, name).to_string())
        .collect();
    let run = env
        .run(&format!("correct {} --emotion sad", numbers.join(" ")))
        .found();
    assert!(
        run.text().contains("The scores follow your 10 corrections"),
        "{run:?}"
    );
    let sad = env.query("--emotion sad --min-score 0.5");
    assert!(others.iter().all(|name| sad.contains(name)), "{sad:?}");
    assert!(
        !sad.iter().any(|name| name.starts_with("laughing")),
        "{sad:?}"
    );
    assert_eq!(env.run("doctor").code, 0);

    let shown = env.show(other)["faces"][0].clone();
    assert_eq!(top_emotion(&shown), "sad");
    let network = shown["network_scores"].as_object().unwrap();
    assert!(network["neutral"].as_f64() > Some(0.4), "{shown}");
    for command in [&format!("show album/{other}"), "status", "learn status"] {
        let run = env.run(command).found();
        assert!(
            run.text().contains("scores follow your 10 corrections"),
            "{command}: {run:?}"
        );
    }
    let status = env.run("status --json").found().json();
    assert_eq!(status["learning"]["in_force"], true);

    // A new photo, a moved one, and one whose pixels are read again.
    env.add("calm99.png", brightened("hopper.jpg", 20));
    std::fs::rename(env.album(&others[1]), env.album("moved.png")).unwrap();
    env.index();
    env.run("reindex album").found();
    for name in ["calm99.png", "moved.png", other] {
        assert_eq!(top_emotion(&env.show(name)["faces"][0]), "sad", "{name}");
    }
    assert_eq!(env.run("doctor").code, 0);
    std::fs::rename(env.album("moved.png"), env.album(&others[1])).unwrap();
    std::fs::remove_file(env.album("calm99.png")).unwrap();
    env.index();

    let run = env.run("learn off").found();
    assert!(run.text().contains("switched off"), "{run:?}");
    env.run(&format!("undo {}", numbers.join(" "))).found();
    let restored = env
        .run("query --emotion sad --all --format json")
        .found()
        .json();
    assert_eq!(restored, before);

    env.run("learn on").found();
    env.run(&format!("correct {} --emotion sad", numbers.join(" ")))
        .found();
    assert_eq!(top_emotion(&env.show(other)["faces"][0]), "sad");
    env.run("learn forget").found();
    let shown = env.show(other)["faces"][0].clone();
    assert_eq!(
        (top_emotion(&shown), shown.get("network_scores")),
        ("neutral", None)
    );
    assert_eq!(env.show(&corrected[0])["faces"][0]["correction"], "sad");
    assert_eq!(env.run("doctor").code, 0);
}
