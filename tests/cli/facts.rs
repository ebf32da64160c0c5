//! Facts from names, folders, sidecars and metadata, with their sources and their precision.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use exif::Tag;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::common::exif_block::ExifBlock;
use crate::common::{fixture, jpeg_with_exif, sidecar, with_comment};
use crate::testenv::TestEnv;

/// A photo without metadata, whose content differs for each name.
fn add(env: &TestEnv, name: &str) {
    let bytes = [fixture("hopper.jpg"), name.as_bytes().to_vec()].concat();
    let path = env.add(name, bytes);
    // Later than all dates in the names.
    let modified = SystemTime::UNIX_EPOCH + Duration::from_hours(434_184);
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(modified).unwrap();
}

fn taken(env: &TestEnv, name: &str) -> (Value, Value, Value) {
    let shown = env.show(name);
    let of = |field: &str| shown[field].clone();
    (
        of("taken_at"),
        of("taken_at_source"),
        of("taken_at_precision"),
    )
}

#[test]
fn names_and_folders_date_photos_to_their_precision() {
    let env = TestEnv::new();
    for name in [
        "IMG-20190714-WA0003.jpg",
        "IMG_20190715_153000.jpg",
        "2019-08_Italy/a.jpg",
        "2018/b.jpg",
        "c.jpg",
    ] {
        add(&env, name);
    }
    env.index();
    for (name, date, source, precision) in [
        ("IMG-20190714-WA0003.jpg", "2019-07-14", "file_name", "day"),
        (
            "IMG_20190715_153000.jpg",
            "2019-07-15T15:30:00",
            "file_name",
            "second",
        ),
        ("2019-08_Italy/a.jpg", "2019-08", "folder", "month"),
        ("2018/b.jpg", "2018", "folder", "year"),
    ] {
        let expected = (json!(date), json!(source), json!(precision));
        assert_eq!(taken(&env, name), expected, "{name}");
    }
    assert_eq!(taken(&env, "c.jpg").1, "file");
    for (filters, expected) in [
        ("--since 2018 --until 2018", &["2018/b.jpg"][..]),
        ("--since 2018-03 --until 2018", &[]),
        ("--since 2019-08-01 --until 2019-08-30", &[]),
        ("--taken 2019-08", &["2019-08_Italy/a.jpg"]),
        ("--taken 2019-07-14", &["IMG-20190714-WA0003.jpg"]),
        ("--since 2019-07-14T12:00 --until 2019-07-14", &[]),
        (
            "--since 2019-07-15T15:00 --until 2019-07-15",
            &["IMG_20190715_153000.jpg"],
        ),
    ] {
        assert_eq!(env.query(filters), expected, "{filters}");
        let count = env.run(&format!("query {filters} --count"));
        assert_eq!(count.text().trim(), expected.len().to_string(), "{filters}");
    }
    let status = env.run("status --json").found().json();
    let dates = json!({"file_name": 2, "folder": 2, "file": 1});
    assert_eq!(status["dates"], dates);

    // The date follows a rename.
    let (from, to) = (env.album("2018"), env.album("2017_Spain"));
    fs::rename(from, to).unwrap();
    env.index();
    assert_eq!(taken(&env, "2017_Spain/b.jpg").0, "2017");
    assert_eq!(env.query("--taken 2018"), [""; 0]);
    env.run("doctor").found();
}

#[test]
fn a_sidecar_says_when_where_and_what() {
    let env = TestEnv::new();
    add(&env, "IMG_20190715_153000.jpg");
    let packet = r#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
        xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description
        xmlns:p="http://ns.adobe.com/photoshop/1.0/" xmlns:e="http://ns.adobe.com/exif/1.0/"
        xmlns:x2="http://ns.adobe.com/xap/1.0/" xmlns:d="http://purl.org/dc/elements/1.1/"
        p:DateCreated="1975-07" e:GPSLatitude="43,46.2N" e:GPSLongitude="11,15E" x2:Rating="5"><d:title><rdf:Alt>
        <rdf:li xml:lang="x-default">At the Arno</rdf:li></rdf:Alt></d:title></rdf:Description></rdf:RDF></x:xmpmeta>"#;
    env.add("IMG_20190715_153000.jpg.xmp", packet);
    env.index();
    let shown = env.show("IMG_20190715_153000.jpg");
    assert_eq!(shown["taken_at"], "1975-07");
    assert_eq!(shown["title"], "At the Arno");
    assert_eq!(shown["rating"], 5);
    let sources = json!({"position": "sidecar", "title": "sidecar", "rating": "sidecar"});
    assert_eq!(shown["sources"], sources);
    let found = ["IMG_20190715_153000.jpg"];
    assert_eq!(env.query("--text arno"), found);
    assert_eq!(env.query("--near florence"), found);
    assert_eq!(env.query("--taken 1975"), found);
    let output = env.run("show album/IMG_20190715_153000.jpg").found();
    assert!(output.text().contains("1975-07 (sidecar)"), "{output:?}");
    // Without it, the name counts again.
    fs::remove_file(env.album("IMG_20190715_153000.jpg.xmp")).unwrap();
    env.index();
    assert_eq!(taken(&env, "IMG_20190715_153000.jpg").1, "file_name");
    assert_eq!(env.query("--near florence"), [""; 0]);
}

#[test]
fn metadata_that_an_older_version_read_are_read_anew_without_analysis() {
    let env = TestEnv::new();
    add(&env, "c.jpg");
    env.add("c.jpg.xmp", sidecar(&["Lake"]));
    env.index();
    let db = Connection::open(env.database()).unwrap();
    db.execute(
        "UPDATE photos SET facts_version = 0, facts = json_set(facts, '$.version', 0)",
        [],
    )
    .unwrap();
    db.execute("UPDATE sidecars SET facts = '{}'", []).unwrap();
    drop(db);
    let summary = env.index();
    assert_eq!(
        (&summary["photos"], &summary["metadata"]),
        (&json!(0), &json!(1))
    );
    // The sidecars are also read again, although their files are unchanged.
    assert_eq!(env.query("--text lake"), ["c.jpg"]);
    assert_eq!(env.index()["unchanged"], 1);
}

#[test]
fn the_clock_of_a_camera_is_put_right_whichever_source_names_the_camera() {
    let env = TestEnv::new();
    let block = ExifBlock::new().with_date("2019:07:14 15:30:00", "", "");
    let photo = |name: &str, block: &ExifBlock| {
        let bytes = jpeg_with_exif(&fixture("hopper.jpg"), &block.bytes());
        env.add(name, with_comment(&bytes, name));
    };
    photo("exif.jpg", &block.with_text(Tag::Model, "X100"));
    photo(
        "sidecar.jpg",
        &ExifBlock::new().with_date("2019:07:14 15:30:00", "", ""),
    );
    photo(
        "edited.jpg",
        &ExifBlock::new().with_date("2019:07:14 15:30:00", "", ""),
    );
    photo("xmp.jpg", &ExifBlock::new().with_orientation(1));
    for (name, hour) in [("sidecar.jpg", 15), ("edited.jpg", 20), ("xmp.jpg", 15)] {
        let packet = format!(
            r#"<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description
            xmlns:t="http://ns.adobe.com/tiff/1.0/" xmlns:e="http://ns.adobe.com/exif/1.0/" t:Model="X100"
            e:DateTimeOriginal="2019-07-14T{hour}:30:00"/></rdf:RDF>"#
        );
        env.add(format!("{name}.xmp"), packet);
    }
    env.index();
    let taken = |name: &str| taken(&env, name).0;
    assert_eq!(taken("sidecar.jpg"), "2019-07-14T15:30:00");
    let config = env.config_file();
    fs::create_dir_all(config.parent().unwrap()).unwrap();
    fs::write(config, "[facts]\nclock_offsets = [\"X100: -1:00\"]\n").unwrap();
    env.index();
    for name in ["exif.jpg", "sidecar.jpg", "xmp.jpg"] {
        assert_eq!(taken(name), "2019-07-14T14:30:00", "{name}");
    }
    // A person has set this date.
    assert_eq!(taken("edited.jpg"), "2019-07-14T20:30:00");
    env.run("doctor").found();
}
