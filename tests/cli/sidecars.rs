//! Sidecars are read when they are new or changed; when one is deleted, its keywords are removed. No photo is read for
//! that.

use std::fs;

use exif::{Context, Tag};
use serde_json::{Value, json};

use crate::common::exif_block::ExifBlock;
use crate::common::{
    fixture, jpeg_with_exif, photo_taken, rewrite_keeping_time, sidecar, with_comment,
};
use crate::testenv::TestEnv;

/// Indexes an album whose photos are all unchanged.
#[track_caller]
fn index_reads_no_photo(env: &TestEnv, unchanged: u64) {
    let summary = env.index();
    let read = ["photos", "known"].map(|name| summary[name].clone());
    assert_eq!(
        (&summary["unchanged"], read),
        (&json!(unchanged), [json!(0), json!(0)])
    );
}

fn keywords(env: &TestEnv, name: &str) -> Value {
    env.show(name)["keywords"].clone()
}

#[test]
fn a_sidecar_is_read_when_it_is_new_or_changed_and_its_keywords_go_with_it() {
    let env = TestEnv::with_fixtures(&["chelsea.jpg", "coffee.jpg"]);
    env.index();
    let path = env.add("chelsea.jpg.xmp", sidecar(&["Cat", "Sofa"]));
    index_reads_no_photo(&env, 2);
    assert_eq!(keywords(&env, "chelsea.jpg"), json!(["Cat", "Sofa"]));
    assert_eq!(env.query("--text sofa"), ["chelsea.jpg"]);

    // Another keyword of the same length, with the same modification time.
    rewrite_keeping_time(&path, sidecar(&["Cat", "Lawn"]).as_bytes());
    index_reads_no_photo(&env, 2);
    assert_eq!(env.query("--text sofa"), [""; 0]);
    assert_eq!(env.query("--text lawn"), ["chelsea.jpg"]);

    // The photo was edited: the sidecar still belongs to it.
    env.add(
        "chelsea.jpg",
        with_comment(&fixture("chelsea.jpg"), "edited"),
    );
    assert_eq!(env.index()["unchanged"], 1);
    assert_eq!(env.query("--text lawn"), ["chelsea.jpg"]);

    // A damaged sidecar has no keywords and causes no error.
    env.add("chelsea.jpg.xmp", &sidecar(&["Cat", "Lawn"])[..200]);
    index_reads_no_photo(&env, 2);
    assert_eq!(keywords(&env, "chelsea.jpg"), json!([]));

    env.add("chelsea.jpg.xmp", sidecar(&["Cat"]));
    index_reads_no_photo(&env, 2);
    fs::remove_file(path).unwrap();
    index_reads_no_photo(&env, 2);
    assert_eq!(env.query("--text cat"), [""; 0]);
    index_reads_no_photo(&env, 2);
}

#[test]
fn each_copy_has_its_own_sidecar_and_no_two_photos_share_one() {
    let env = TestEnv::with_fixtures(&["chelsea.jpg"]);
    env.add("copy/chelsea.jpg", fixture("chelsea.jpg"));
    env.add("chelsea.jpg.xmp", sidecar(&["Cat", "Sofa"]));
    env.add("copy/chelsea.jpg.xmp", sidecar(&["Cat", "Lawn"]));
    env.add("copy/chelsea.xmp", sidecar(&["Garden"]));
    env.index();
    let all = json!(["Cat", "Sofa", "Lawn", "Garden"]);
    assert_eq!(keywords(&env, "chelsea.jpg"), all);

    // A second picture with the same stem: nothing shows to which of them the sidecar belongs.
    let other = with_comment(&fixture("coffee.jpg"), "other");
    env.add("copy/chelsea.jpe", &other);
    env.index();
    assert_eq!(
        keywords(&env, "chelsea.jpg"),
        json!(["Cat", "Sofa", "Lawn"])
    );
    assert_eq!(env.query("--text garden"), [""; 0]);

    // The sidecar names its photo; and when a copy is deleted, the keywords of its sidecars are removed, although these
    // still exist.
    let name = "<rdf:Description xmlns:crs='http://ns.adobe.com/camera-raw-settings/1.0/' crs:RawFileName='a.JPE'";
    let named = sidecar(&["Garden"]).replace("<rdf:Description", name);
    env.add("copy/chelsea.xmp", &named);
    env.index();
    assert_eq!(keywords(&env, "copy/chelsea.jpe"), json!(["Garden"]));
    fs::remove_file(env.album("copy/chelsea.jpe")).unwrap();
    env.index();
    assert_eq!(keywords(&env, "chelsea.jpg"), all);
    fs::remove_file(env.album("copy/chelsea.jpg")).unwrap();
    env.index();
    assert_eq!(keywords(&env, "chelsea.jpg"), json!(["Cat", "Sofa"]));
}

#[test]
fn what_is_exported_goes_into_the_sidecar_that_is_read() {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    env.add("hopper.nef", b"no picture");
    env.add("hopper.xmp", sidecar(&["Raw"]));
    env.index();
    assert_eq!(keywords(&env, "hopper.jpg"), json!([]));
    env.run("export --xmp --min-score 0.1 --lightroom --quiet")
        .found();
    let raw = fs::read_to_string(env.album("hopper.xmp")).unwrap();
    assert_eq!(raw, sidecar(&["Raw"]));
    assert!(env.album("hopper.jpg.xmp").exists());
}

#[test]
fn exported_keywords_are_not_read_back() {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    env.add("hopper.jpg.xmp", sidecar(&["Admiral"]));
    env.index();
    env.run("export --xmp --min-score 0.1 --quiet").found();
    let packet = fs::read_to_string(env.album("hopper.jpg.xmp")).unwrap();
    assert!(
        packet.contains("ferIndex:Exported") && packet.contains("Admiral"),
        "{packet}"
    );
    index_reads_no_photo(&env, 1);
    assert_eq!(keywords(&env, "hopper.jpg"), json!(["Admiral"]));
}

#[test]
fn every_copy_of_a_photo_gets_a_sidecar_of_its_own() {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    fs::create_dir(env.album("copies")).unwrap();
    fs::copy(env.album("hopper.jpg"), env.album("copies/a.jpg")).unwrap();
    env.index();
    env.run("export --xmp --min-score 0.1 --under album/copies --quiet")
        .found();
    assert!(env.album("copies/a.jpg.xmp").exists() && !env.album("hopper.jpg.xmp").exists());
    env.run("export --xmp --min-score 0.1 --quiet").found();
    assert!(env.album("hopper.jpg.xmp").exists());
}

#[test]
fn an_export_changes_no_answer_and_what_changes_in_the_photo_later_counts() {
    // The clock was corrected only in EXIF.
    let packet = |rating: u8| {
        format!(
            "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>\
             <rdf:Description xmlns:p='http://ns.adobe.com/photoshop/1.0/' xmlns:x2='http://ns.adobe.com/xap/1.0/' \
             p:DateCreated='2018-01-01T12:00:00' x2:Rating='{rating}'/></rdf:RDF></x:xmpmeta>"
        )
    };
    let photo = |rating| {
        let jpeg = photo_taken("hopper.jpg", "2019:07:14 15:30:00", (43.8, 11.2), "Canon");
        let segment = [b"http://ns.adobe.com/xap/1.0/\0", packet(rating).as_bytes()].concat();
        let length = u16::try_from(segment.len() + 2).unwrap().to_be_bytes();
        [
            &jpeg[..2],
            b"\xff\xe1",
            &length[..],
            &segment[..],
            &jpeg[2..],
        ]
        .concat()
    };
    let env = TestEnv::new();
    env.add("a.jpg", photo(2));
    env.index();
    let answers = |env: &TestEnv| {
        let shown = env.show("a.jpg");
        ["taken_at", "taken_at_source", "rating", "sources"].map(|name| shown[name].clone())
    };
    let before = answers(&env);
    assert_eq!((&before[1], &before[2]), (&json!("exif"), &json!(2)));
    env.run("export --xmp --min-score 0.1 --quiet").found();
    assert!(env.album("a.jpg.xmp").exists());
    index_reads_no_photo(&env, 1);
    assert_eq!(answers(&env), before);
    env.add("a.jpg", photo(4));
    env.index();
    assert_eq!(answers(&env)[2], 4);
    // A sidecar of an earlier version has no list of what was copied.
    let text = fs::read_to_string(env.album("a.jpg.xmp")).unwrap();
    env.add(
        "a.jpg.xmp",
        text.replace("ferIndex:Copied", "ferIndex:Other"),
    );
    env.add("a.jpg", photo(2));
    env.index();
    assert_eq!(answers(&env), before);
}

#[test]
fn what_only_iptc_and_exif_state_is_in_a_new_sidecar_and_goes_with_it() {
    let keyword =
        |word: &str| [b"\x1c\x02\x19\0", &[word.len() as u8][..], word.as_bytes()].concat();
    let iptc = [
        keyword("Roma"),
        keyword("Opa"),
        b"\x1c\x02\x05\0\x05Titel".to_vec(),
    ]
    .concat();
    let mut resources = b"Photoshop 3.0\08BIM\x04\x04\0\0".to_vec();
    resources.extend((iptc.len() as u32).to_be_bytes());
    resources.extend(&iptc);
    let length = u16::try_from(resources.len() + 2).unwrap().to_be_bytes();
    let block = ExifBlock::new()
        .with_text(Tag::ImageDescription, "Am <Meer>")
        .with(Tag(Context::Tiff, 0x4746), exif::Value::Short(vec![5]))
        .bytes();
    let jpeg = jpeg_with_exif(&fixture("hopper.jpg"), &block);
    let photo = [
        &jpeg[..2],
        b"\xff\xed",
        &length[..],
        &resources[..],
        &jpeg[2..],
    ]
    .concat();
    let env = TestEnv::new();
    env.add("a.jpg", &photo);
    env.index();
    let answers = |env: &TestEnv| {
        let shown = env.show("a.jpg");
        ["title", "description", "rating", "keywords", "sources"].map(|name| shown[name].clone())
    };
    let before = answers(&env);
    assert_eq!(before[..3], [json!("Titel"), json!("Am <Meer>"), json!(5)]);
    let export = || env.run("export --xmp --min-score 0.1 --quiet").found();
    export();
    let sidecar = env.album("a.jpg.xmp");
    let text = fs::read_to_string(&sidecar).unwrap();
    for part in [
        "<rdf:li>Roma</rdf:li><rdf:li>Opa</rdf:li>",
        "<dc:title><rdf:Alt><rdf:li xml:lang=\"x-default\">Titel</rdf:li>",
        "Am &lt;Meer&gt;</rdf:li>",
        "xmp:Rating=\"5\"",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    // No hierarchical list, which would hide the flat keywords.
    assert!(
        !text.contains("TagsList") && !text.contains("hierarchicalSubject"),
        "{text}"
    );
    export();
    assert_eq!(fs::read_to_string(&sidecar).unwrap(), text);
    index_reads_no_photo(&env, 1);
    assert_eq!(answers(&env), before);
    env.run("export --xmp --min-score 1 --quiet").found();
    assert!(!sidecar.exists());
    assert_eq!(fs::read(env.album("a.jpg")).unwrap(), photo);
}

#[test]
fn an_export_hides_no_keyword_of_a_sidecar_from_programs_that_read_one_list() {
    let env = TestEnv::with_fixtures(&["hopper.jpg"]);
    let own = sidecar(&["Roma", "Opa"]);
    let path = env.add("hopper.jpg.xmp", &own);
    env.index();
    env.run("export --xmp --min-score 0.1 --quiet").found();
    let text = fs::read_to_string(&path).unwrap();
    let is_hidden = text.contains("TagsList") || text.contains("hierarchicalSubject");
    assert!(text.contains("ferIndex:Exported") && !is_hidden, "{text}");
    index_reads_no_photo(&env, 1);
    assert_eq!(keywords(&env, "hopper.jpg"), json!(["Roma", "Opa"]));
    env.run("export --xmp --min-score 1 --quiet").found();
    assert_eq!(fs::read_to_string(&path).unwrap(), own);
}

#[test]
fn a_sidecar_in_utc_moves_no_photo_to_another_day() {
    let block = ExifBlock::new().with_date("2020:01:01 00:10:00", "25", "+01:00");
    let env = TestEnv::new();
    env.add(
        "a.jpg",
        jpeg_with_exif(&fixture("hopper.jpg"), &block.bytes()),
    );
    env.add(
        "a.jpg.xmp",
        "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>\
         <rdf:Description xmlns:p='http://ns.adobe.com/photoshop/1.0/' p:DateCreated='2019-12-31T23:10:00Z'/>\
         </rdf:RDF></x:xmpmeta>",
    );
    env.index();
    let shown = env.show("a.jpg");
    assert_eq!(shown["taken_at"], "2020-01-01T00:10:00.25+01:00");
    assert_eq!(shown["taken_at_source"], "exif");
    assert_eq!(env.query("--since 2020 --until 2020").len(), 1);
}
