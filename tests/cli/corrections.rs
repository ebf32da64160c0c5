//! Corrections of faces are kept.

use serde_json::json;

use crate::testenv::TestEnv;

#[test]
fn a_corrected_face_stays_corrected() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg", "hopper.jpg"]);
    env.index();
    assert_eq!(env.query("--emotion happy --all")[0], "astronaut.jpg");
    let face = env.show("astronaut.jpg")["faces"][0]["id"]
        .as_i64()
        .unwrap();

    env.run(&format!("correct {face} --emotion sad")).found();
    assert_eq!(env.query("--emotion sad --min-score 1"), ["astronaut.jpg"]);
    assert_eq!(env.query("--emotion happy --all")[0], "hopper.jpg");
    env.run("reindex album").found();
    assert_eq!(env.query("--emotion sad --min-score 1"), ["astronaut.jpg"]);
    let shown = env.show("astronaut.jpg")["faces"][0].clone();
    assert_eq!(
        (&shown["id"], &shown["correction"]),
        (&json!(face), &json!("sad"))
    );
    let shown = env.run("show album/astronaut.jpg").found();
    assert!(shown.text().contains("corrected to: sad"), "{shown:?}");

    env.run(&format!("reject {face}")).found();
    env.run("reindex album").found();
    assert_eq!(env.query("--emotion happy --all"), ["hopper.jpg"]);
    assert_eq!(
        env.show("astronaut.jpg")["faces"][0]["correction"],
        "not a face"
    );

    env.run(&format!("undo {face}")).found();
    assert_eq!(env.query("--emotion happy --all")[0], "astronaut.jpg");
    assert_eq!(env.run(&format!("undo {face}")).code, 1);
    let sentence = env.run("correct 999 -e sad").refused();
    assert!(sentence.contains("no face 999"), "{sentence}");
}

#[test]
fn several_faces_are_corrected_together_or_not_at_all() {
    let env = TestEnv::with_fixtures(&["astronaut.jpg", "hopper.jpg"]);
    env.index();
    let face = |name: &str| env.show(name)["faces"][0]["id"].as_i64().unwrap();
    let (one, two) = (face("astronaut.jpg"), face("hopper.jpg"));

    let sentence = env
        .run(&format!("correct {one} 999 {two} -e sad"))
        .refused();
    assert!(
        sentence.contains("no face 999, so nothing was changed"),
        "{sentence}"
    );
    assert_eq!(
        env.show("astronaut.jpg")["faces"][0]["correction"],
        json!(null)
    );

    let run = env
        .run(&format!("correct {one} {two} {one} -e sad"))
        .found();
    let lines: Vec<_> = run.text().lines().collect();
    assert_eq!(lines.len(), 2, "{run:?}");
    let start = format!(
        "face {one} in {} (until now: happy ",
        env.album("astronaut.jpg").display()
    );
    assert!(
        lines[0].starts_with(&start) && lines[0].ends_with(" %): corrected to sad"),
        "{run:?}"
    );
    let run = env.run(&format!("reject {one}")).found();
    let end = "(until now: corrected to sad): marked as not a face\n";
    assert!(run.text().ends_with(end), "{run:?}");

    let sentence = env.run(&format!("undo {one} 999")).refused();
    assert!(sentence.contains("no face 999"), "{sentence}");
    assert_eq!(
        env.show("astronaut.jpg")["faces"][0]["correction"],
        "not a face"
    );
    let run = env.run(&format!("undo {one} {two}")).found();
    assert_eq!(
        run.text().matches("correction removed").count(),
        2,
        "{run:?}"
    );
    let run = env.run(&format!("undo {one}"));
    assert!(
        run.code == 1 && run.stderr.contains("has no correction"),
        "{run:?}"
    );
}
