//! `.picasa.ini`: one file that names the people in all photos of a folder.

use std::fmt::Write as _;
use std::fs;

use serde_json::{Value, json};

use crate::common::exif_block::ExifBlock;
use crate::common::{self, fixture, jpeg_with_exif, rect64, stored, with_comment};
use crate::people::{pair, shares};
use crate::testenv::{TestEnv, face_box};

/// The box of the right one of the two faces in [`pair`], and the size of the picture.
fn right_face(env: &TestEnv, name: &str) -> ([f64; 4], (f64, f64)) {
    let (width, height) = pair().dimensions();
    let shown = env.show(name);
    let faces = shown["faces"].as_array().unwrap();
    assert_eq!(faces.len(), 2, "{faces:?}");
    let boxes = faces.iter().map(face_box);
    let right = boxes.max_by(|a, b| a[0].total_cmp(&b[0])).unwrap();
    (right, (f64::from(width), f64::from(height)))
}

/// The people in the photo, each as the name and whether it is on the right one of the faces.
fn people(env: &TestEnv, name: &str) -> Vec<(String, Option<bool>)> {
    let shown = env.show(name);
    let middle = f64::from(pair().width()) / 2.0;
    let faces = shown["faces"].as_array().unwrap();
    let people = shown["people"].as_array().unwrap();
    let on_right = |person: &Value| {
        let face = faces.iter().find(|face| face["id"] == person["face"])?;
        Some(face_box(face)[0] > middle)
    };
    people
        .iter()
        .map(|person| {
            (
                person["name"].as_str().unwrap().to_owned(),
                on_right(person),
            )
        })
        .collect()
}

/// Indexes without reading a photo.
#[track_caller]
fn index_reads_no_photo(env: &TestEnv, unchanged: usize) {
    let summary = env.index();
    let read = ["photos", "known", "metadata"].map(|name| &summary[name]);
    assert_eq!(read, [&json!(0); 3], "{summary}");
    assert_eq!(summary["unchanged"], json!(unchanged));
}

#[test]
fn regions_land_on_the_right_face_in_every_orientation() {
    let env = TestEnv::new();
    env.add("upright.jpg", common::jpeg(pair()));
    env.index();
    let (at, size) = right_face(&env, "upright.jpg");
    let mut ini =
        "[Picasa]\nname=Summer\n[Contacts2]\nd10a8325c557b085=Grace Hopper;;\n".to_owned();
    let mut names = Vec::new();
    for orientation in 1..=8_u16 {
        let block = ExifBlock::new().with_orientation(orientation).bytes();
        let bytes = jpeg_with_exif(&common::jpeg(stored(&pair(), orientation)), &block);
        for in_stored in [true, false] {
            let name = format!("{orientation}-{in_stored}.jpg");
            // A comment, since equal content would be the same photo.
            env.add(&name, with_comment(&bytes, &name));
            let region = rect64(shares(at, size, orientation, in_stored));
            let section = name.to_uppercase();
            writeln!(ini, "[{section}]\nfaces={region},d10a8325c557b085").unwrap();
            names.push(name);
        }
    }
    env.add(".picasa.ini", ini);
    env.index();
    for name in &names {
        let expected = [("Grace Hopper".to_owned(), Some(true))];
        assert_eq!(people(&env, name), expected, "{name}");
    }
    env.run("doctor").found();
}

#[test]
fn one_file_for_a_folder_is_followed_and_no_photo_is_read_for_it() {
    let env = TestEnv::with_fixtures(&["chelsea.jpg", "coffee.jpg", "astronaut.jpg"]);
    env.add("below/hopper.jpg", fixture("hopper.jpg"));
    env.index();
    let ini = |caption: &str| {
        format!(
            "[chelsea.jpg]\nstar=yes\nkeywords=cat,sofa\ncaption={caption}\n[coffee.jpg]\nbackuphash=1\n\
             [hopper.jpg]\nstar=yes\n[astronaut.jpg]\nfaces=rect64(1000100020002000),1f\n\
             [Contacts2]\n1f=Eileen Collins;;\n"
        )
    };
    let path = env.add(".picasa.ini", ini("asleep"));
    index_reads_no_photo(&env, 4);
    let shown = env.show("chelsea.jpg");
    assert_eq!(shown["keywords"], json!(["Favorite", "cat", "sofa"]));
    assert_eq!(shown["description"], "asleep");
    assert_eq!(env.query("--text favorite"), ["chelsea.jpg"]);
    assert_eq!(people(&env, "astronaut.jpg")[0].0, "Eileen Collins");
    // Photos in other folders, and those without an entry, are not affected.
    assert_eq!(env.show("below/hopper.jpg")["keywords"], json!([]));
    assert_eq!(rows(&env), ["astronaut.jpg", "chelsea.jpg"]);

    // A change of one photo's entry does not change the stored statements of the other.
    let of_other = "SELECT facts FROM sidecars WHERE photo_path LIKE '%astronaut.jpg'";
    let before: String = env
        .open()
        .unwrap()
        .query_row(of_other, [], |row| row.get(0))
        .unwrap();
    fs::write(&path, ini("awake, at last")).unwrap();
    index_reads_no_photo(&env, 4);
    assert_eq!(env.show("chelsea.jpg")["description"], "awake, at last");
    let after: String = env
        .open()
        .unwrap()
        .query_row(of_other, [], |row| row.get(0))
        .unwrap();
    assert_eq!(before, after);

    fs::remove_file(path).unwrap();
    index_reads_no_photo(&env, 4);
    assert_eq!(env.show("chelsea.jpg")["keywords"], json!([]));
    assert_eq!(people(&env, "astronaut.jpg"), []);
    assert_eq!(rows(&env), [""; 0]);
    env.run("doctor").found();
}

/// The names of the photos that have a sidecar.
fn rows(env: &TestEnv) -> Vec<String> {
    let db = env.open().unwrap();
    let mut statement = db
        .prepare("SELECT CAST(photo_path AS TEXT) FROM sidecars ORDER BY photo_path")
        .unwrap();
    let rows = statement
        .query_map([], |row| row.get::<_, String>(0))
        .unwrap();
    rows.map(|path| path.unwrap().rsplit('/').next().unwrap().to_owned())
        .collect()
}

#[test]
fn names_of_an_old_picasa_come_from_its_list_of_contacts() {
    let env = TestEnv::new();
    env.add("2008/lake/astronaut.jpg", fixture("astronaut.jpg"));
    env.add(
        "2008/lake/Picasa.ini",
        "[Contacts]\n1f=joedoe_lh,cb98\n[astronaut.jpg]\nfaces=rect64(1000100020002000),1f\n",
    );
    env.index();
    let name = "2008/lake/astronaut.jpg";
    assert_eq!(people(&env, name), []);
    // The list of contacts is in the folder or above it; without it, only the person's number is known.
    let contacts =
        |name: &str| format!("<contacts><contact id=\"1f\" name=\"{name}\"/></contacts>");
    let path = env.add("contacts.xml", contacts("Eileen Collins"));
    index_reads_no_photo(&env, 1);
    assert_eq!(people(&env, name)[0].0, "Eileen Collins");
    fs::write(path, contacts("Eileen M. Collins")).unwrap();
    index_reads_no_photo(&env, 1);
    assert_eq!(people(&env, name)[0].0, "Eileen M. Collins");
}
