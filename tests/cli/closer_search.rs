//! A region in which a person is named, but no face was found, is searched more closely.

use std::fs;

use serde_json::{Value, json};

use crate::common::{self, far_away, rect64};
use crate::testenv::{TestEnv, face_box};

/// Width and height of [`far_away`].
const SIZE: (f64, f64) = (1600.0, 1200.0);

/// The box of the face in it.
const FACE: [f64; 4] = [793.0, 585.0, 15.0, 18.0];

/// An album whose faces are classified from 8 pixels on, with further settings.
fn env(settings: &str) -> TestEnv {
    let env = TestEnv::new();
    let file = env.config_file();
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, format!("[detector]\nmin_face = 8\n{settings}")).unwrap();
    env
}

/// A file of Picasa that names Ada in this region of the photo.
fn names_ada_at([x, y, w, h]: [f64; 4]) -> String {
    let region = rect64([x / SIZE.0, y / SIZE.1, w / SIZE.0, h / SIZE.1]);
    format!("[Contacts2]\n1f=Ada;;\n[far.jpg]\nfaces={region},1f\n")
}

fn analysed_at(env: &TestEnv) -> i64 {
    let read = "SELECT indexed_at FROM photos";
    env.open()
        .unwrap()
        .query_row(read, [], |row| row.get(0))
        .unwrap()
}

/// The only face of the photo, which shows Ada.
#[track_caller]
fn face_of_ada(env: &TestEnv) -> Value {
    let shown = env.show("far.jpg");
    let [face] = &shown["faces"].as_array().unwrap()[..] else {
        panic!("{shown}");
    };
    assert_eq!(shown["people"][0]["face"], face["id"], "{shown}");
    let found = face_box(face);
    let is_near = |at: usize| (found[at] - FACE[at]).abs() < 6.0;
    assert!((0..4).all(is_near), "{found:?}");
    assert!(face["detection_score"].as_f64().unwrap() >= 0.5, "{face}");
    assert_eq!(env.query("--person ada"), ["far.jpg"]);
    face.clone()
}

#[test]
fn a_region_that_arrives_later_shows_a_face_that_was_not_found_without_it() {
    let env = env("");
    env.add("far.jpg", common::jpeg(far_away()));
    assert_eq!(env.index()["faces"], 0);
    env.add(".picasa.ini", names_ada_at(FACE));
    let summary = env.index();
    assert_eq!(
        (&summary["photos"], &summary["unchanged"]),
        (&json!(0), &json!(1))
    );
    let face = face_of_ada(&env);
    // The face keeps its number when the photo is analysed again, and the region is not searched again.
    let before = analysed_at(&env);
    env.index();
    assert_eq!(analysed_at(&env), before);
    env.run("reindex album").found();
    assert_ne!(analysed_at(&env), before);
    assert_eq!(face_of_ada(&env)["id"], face["id"]);
    env.run("doctor").found();
}

#[test]
fn a_region_that_is_there_at_once_needs_one_run() {
    for isolate in [true, false] {
        let env = env(&format!("[limits]\nisolate = {isolate}\n"));
        env.add("far.jpg", common::jpeg(far_away()));
        env.add(".picasa.ini", names_ada_at(FACE));
        let summary = env.index();
        assert_eq!(summary["photos"], 1);
        face_of_ada(&env);
    }
}

#[test]
fn where_there_is_no_face_none_is_found_and_it_is_looked_at_once() {
    let env = env("");
    env.add("far.jpg", common::jpeg(far_away()));
    env.add(".picasa.ini", names_ada_at([200.0, 300.0, 60.0, 80.0]));
    env.index();
    let before = analysed_at(&env);
    let shown = env.show("far.jpg");
    assert_eq!(
        (&shown["faces"], &shown["people"][0]["face"]),
        (&json!([]), &Value::Null)
    );
    env.index();
    assert_eq!(analysed_at(&env), before);
    env.run("doctor").found();
    // Another region is searched.
    env.add(".picasa.ini", names_ada_at(FACE));
    env.index();
    face_of_ada(&env);
}

#[test]
fn what_a_person_said_is_no_face_is_not_looked_for_again_and_again() {
    let env = env("");
    env.add("far.jpg", common::jpeg(far_away()));
    env.add(".picasa.ini", names_ada_at(FACE));
    env.index();
    let face = face_of_ada(&env)["id"].clone();
    env.run(&format!("reject {face}")).found();
    env.index();
    let before = analysed_at(&env);
    env.index();
    assert_eq!(analysed_at(&env), before);
}
