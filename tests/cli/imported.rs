//! Corrections that are imported: the later word on a face counts, whatever it says and whichever file it comes from.

use std::fs;

use serde_json::Value;

use crate::common::{fixture, jpeg, photo};
use crate::kin::{DATE, album_with_edit, correct, correction, edits, face, taken};
use crate::testenv::TestEnv;

fn undo(env: &TestEnv, name: &str) {
    let number = face(env, name)["id"].clone();
    env.run(&format!("undo {number}")).found();
}

/// Brings the corrections of one machine to another.
fn bring(from: &TestEnv, to: &TestEnv) -> String {
    let _ = fs::remove_file(from.path("mine.jsonl"));
    from.run("corrections export mine.jsonl").found();
    fs::copy(from.path("mine.jsonl"), to.path("theirs.jsonl")).unwrap();
    let run = to.run("corrections import theirs.jsonl").found();
    run.text().to_owned()
}

#[test]
fn a_later_word_on_the_original_changes_what_was_carried_over_from_it() {
    let (one, two) = (album_with_edit(), album_with_edit());
    correct(&two, "a.jpg", "sad");
    assert_eq!(correction(&two, "grey.jpg"), "sad");
    correct(&one, "a.jpg", "happy");
    bring(&one, &two);
    for name in ["a.jpg", "grey.jpg"] {
        assert_eq!(correction(&two, name), "happy", "{name}");
    }
    // It still follows.
    correct(&two, "a.jpg", "fear");
    assert_eq!(correction(&two, "grey.jpg"), "fear");
}

#[test]
fn what_was_undone_elsewhere_later_is_undone_and_does_not_return() {
    let (one, two) = (album_with_edit(), album_with_edit());
    correct(&one, "a.jpg", "sad");
    bring(&one, &two);
    let before = fs::read(one.path("mine.jsonl")).unwrap();
    undo(&one, "a.jpg");
    let text = bring(&one, &two);
    assert!(text.contains("1 undone"), "{text}");
    for name in ["a.jpg", "grey.jpg"] {
        assert_eq!(correction(&two, name), Value::Null, "{name}");
    }
    // The older file does not bring it back, and a later word counts again.
    fs::write(two.path("before.jsonl"), before).unwrap();
    two.run("corrections import before.jsonl").found();
    for name in ["a.jpg", "grey.jpg"] {
        assert_eq!(correction(&two, name), Value::Null, "{name}");
    }
    correct(&one, "a.jpg", "fear");
    bring(&one, &two);
    assert_eq!(correction(&two, "a.jpg"), "fear");
}

#[test]
fn an_older_file_brings_an_undone_word_back_to_no_edit() {
    let (one, two) = (album_with_edit(), album_with_edit());
    correct(&one, "a.jpg", "sad");
    let before = bring(&one, &two);
    assert!(before.contains("2 corrections added"), "{before}");
    undo(&one, "a.jpg");
    // The file of the other machine, which does not know of it yet.
    let text = bring(&two, &one);
    assert!(
        text.contains("0 corrections added") && text.contains("2 older"),
        "{text}"
    );
    let nothing = |env: &TestEnv| {
        for name in ["a.jpg", "grey.jpg"] {
            assert_eq!(correction(env, name), Value::Null, "{name}");
        }
    };
    nothing(&one);
    let exported = one.run("corrections export -").found();
    assert!(!exported.text().contains("\"sad\""), "{exported:?}");
    // A word on the edit itself that is older than the undone one stays, and a later one on the original is carried over.
    correct(&one, "grey.jpg", "angry");
    bring(&one, &two);
    assert_eq!(correction(&two, "a.jpg"), Value::Null);
    assert_eq!(correction(&two, "grey.jpg"), "angry");
    undo(&two, "grey.jpg");
    bring(&two, &one);
    nothing(&one);
    correct(&one, "a.jpg", "fear");
    bring(&one, &two);
    assert_eq!(correction(&two, "a.jpg"), "fear");
}

#[test]
fn what_was_carried_over_from_a_forgotten_photo_stays_with_the_edit() {
    let (one, two) = (album_with_edit(), album_with_edit());
    correct(&one, "a.jpg", "sad");
    two.run("forget album/a.jpg").found();
    let text = bring(&one, &two);
    assert!(text.contains("1 left out"), "{text}");
    assert_eq!(correction(&two, "grey.jpg"), "sad");
    // What a person said of the edit itself is taken.
    correct(&one, "grey.jpg", "angry");
    let text = bring(&one, &two);
    assert!(text.contains("1 left out"), "{text}");
    assert_eq!(correction(&two, "grey.jpg"), "angry");
}

#[test]
fn what_a_person_said_of_an_edit_is_not_replaced_by_what_is_carried_over_to_it() {
    let (one, two) = (album_with_edit(), album_with_edit());
    correct(&one, "grey.jpg", "happy");
    // Later, on another machine.
    correct(&two, "a.jpg", "sad");
    assert_eq!(correction(&two, "grey.jpg"), "sad");
    bring(&two, &one);
    bring(&one, &two);
    for env in [&one, &two] {
        assert_eq!(correction(env, "a.jpg"), "sad");
        assert_eq!(correction(env, "grey.jpg"), "happy");
    }
    undo(&two, "a.jpg");
    bring(&two, &one);
    assert_eq!(correction(&one, "a.jpg"), Value::Null);
    assert_eq!(correction(&one, "grey.jpg"), "happy");
}

#[test]
fn of_files_that_were_put_together_the_later_word_changes_what_was_carried_over_in_the_earlier_one()
{
    let (one, two) = (album_with_edit(), TestEnv::new());
    let original = taken(&fixture("astronaut.jpg"), DATE, "25", "X100");
    two.add("a.jpg", original);
    two.index();
    for (env, word) in [(&one, "sad"), (&two, "happy")] {
        correct(env, "a.jpg", word);
        env.run("corrections export mine.jsonl").found();
    }
    let [earlier, later] =
        [&one, &two].map(|env| fs::read_to_string(env.path("mine.jsonl")).unwrap());
    for text in [format!("{earlier}{later}"), format!("{later}{earlier}")] {
        let both = album_with_edit();
        both.add("../all.jsonl", text);
        both.run("corrections import all.jsonl").found();
        for name in ["a.jpg", "grey.jpg"] {
            assert_eq!(correction(&both, name), "happy", "{name}");
        }
        undo(&both, "a.jpg");
        assert_eq!(correction(&both, "grey.jpg"), Value::Null);
    }
}

#[test]
fn files_that_were_put_together_are_read_one_after_the_other() {
    let both = album_with_edit();
    both.add("hopper.jpg", fixture("hopper.jpg"));
    both.index();
    let one = album_with_edit();
    correct(&one, "a.jpg", "sad");
    one.run("corrections export mine.jsonl").found();
    let two = TestEnv::with_fixtures(&["hopper.jpg"]);
    two.index();
    correct(&two, "hopper.jpg", "fear");
    two.run("corrections export mine.jsonl").found();
    let text = [&two, &one].map(|env| fs::read_to_string(env.path("mine.jsonl")).unwrap());
    both.add("../all.jsonl", text.concat());
    both.run("corrections import all.jsonl").found();
    for (name, word) in [
        ("hopper.jpg", "fear"),
        ("a.jpg", "sad"),
        ("grey.jpg", "sad"),
    ] {
        assert_eq!(correction(&both, name), word, "{name}");
    }
    correct(&both, "a.jpg", "angry");
    for (name, word) in [("hopper.jpg", "fear"), ("grey.jpg", "angry")] {
        assert_eq!(correction(&both, name), word, "{name}");
    }
    assert_eq!(face(&both, "hopper.jpg")["carried_from"], Value::Null);
}

#[test]
fn what_was_forgotten_does_not_come_back_with_its_corrections() {
    let env = album_with_edit();
    env.add("hopper.jpg", fixture("hopper.jpg"));
    env.index();
    correct(&env, "a.jpg", "sad");
    env.run("corrections export before.jsonl").found();
    env.run("forget album/a.jpg").found();
    env.run("forget album/grey.jpg").found();
    let run = env.run("corrections import before.jsonl").found();
    assert!(run.text().contains("2 left out"), "{run:?}");
    let everything = env.run("export --everything").found();
    assert!(!everything.text().contains("X100"), "{everything:?}");
}

#[test]
fn a_persons_word_on_an_edit_counts_more_than_an_earlier_one_that_is_carried_over_to_it_later() {
    let grey = jpeg(edits(&photo("astronaut.jpg"))[2].1.clone());
    let grey = taken(&grey, DATE, "25", "X100");
    let (one, two) = (TestEnv::new(), TestEnv::new());
    one.add(
        "a.jpg",
        taken(&fixture("astronaut.jpg"), DATE, "25", "X100"),
    );
    one.index();
    correct(&one, "a.jpg", "sad");
    two.add("grey.jpg", &grey);
    two.index();
    correct(&two, "grey.jpg", "angry");
    one.add("grey.jpg", &grey);
    one.index();
    assert_eq!(correction(&one, "grey.jpg"), "sad");
    bring(&one, &two);
    assert_eq!(correction(&two, "grey.jpg"), "angry");
    bring(&two, &one);
    assert_eq!(correction(&one, "grey.jpg"), "angry");
    // The same for a word that was undone.
    undo(&two, "grey.jpg");
    bring(&one, &two);
    assert_eq!(correction(&two, "grey.jpg"), Value::Null);
}

#[test]
fn the_later_word_counts_also_on_a_machine_whose_clock_is_slow() {
    let (one, two) = (album_with_edit(), album_with_edit());
    correct(&one, "a.jpg", "sad");
    one.run("corrections export mine.jsonl").found();
    let text = fs::read_to_string(one.path("mine.jsonl")).unwrap();
    let year = jiff::Timestamp::now().strftime("%Y-").to_string();
    let (this, next) = (format!("\"made_at\":\"{year}"), "\"made_at\":\"2099-");
    assert!(text.contains(&this), "{text}");
    fs::write(two.path("theirs.jsonl"), text.replace(&this, next)).unwrap();
    let import = || drop(two.run("corrections import theirs.jsonl").found());
    import();
    correct(&two, "a.jpg", "happy");
    import();
    assert_eq!(correction(&two, "a.jpg"), "happy");
    undo(&two, "a.jpg");
    import();
    assert_eq!(correction(&two, "a.jpg"), Value::Null);
    correct(&two, "a.jpg", "fear");
    import();
    assert_eq!(correction(&two, "a.jpg"), "fear");
}
