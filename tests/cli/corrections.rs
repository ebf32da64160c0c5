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
