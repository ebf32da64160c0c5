//! A raw file and a picture of the same shot count once, and a correction of one of them applies to both.

use exif::{Context, Tag, Value};
use image::imageops::{FilterType, resize};
use serde_json::json;

use crate::common::exif_block::ExifBlock;
use crate::common::{fixture, jpeg, jpeg_with_exif, photo, sidecar};
use crate::replaced::earlier_version;
use crate::testenv::TestEnv;

const DNG_VERSION: Tag = Tag(Context::Tiff, 0xc612);

/// What a camera without fractions of a second writes into both files of a shot.
fn shot() -> ExifBlock {
    ExifBlock::new()
        .with_date("2019:07:14 12:34:56", "", "")
        .with_text(Tag::Model, "X100")
}

/// A DNG with the shot's metadata and a preview.
fn raw(preview: &[u8]) -> Vec<u8> {
    let mut raw = shot()
        .with(DNG_VERSION, Value::Byte(vec![1, 4, 0, 0]))
        .bytes();
    raw.extend_from_slice(preview);
    raw
}

/// The picture of the same shot that the camera writes beside it.
fn picture() -> Vec<u8> {
    jpeg_with_exif(&fixture("astronaut.jpg"), &shot().bytes())
}

/// Previews as large as the picture, and half as large.
fn previews() -> [Vec<u8>; 2] {
    let whole = photo("astronaut.jpg");
    let half = resize(&whole, 256, 256, FilterType::Lanczos3);
    [jpeg(whole), jpeg(half)]
}

fn correct(env: &TestEnv, name: &str) {
    let face = &env.show(name)["faces"][0]["id"];
    env.run(&format!("correct {face} --emotion sad")).found();
}

#[test]
fn a_pair_counts_once_in_every_answer() {
    let env = TestEnv::new();
    env.add("IMG_1.JPG", picture());
    env.add("IMG_1.DNG", raw(&previews()[0]));
    env.add("IMG_2.DNG", raw(&previews()[1]));
    env.index();
    let mut found = env.query("--emotion happy --all");
    found.sort();
    assert_eq!(found, ["IMG_1.JPG", "IMG_2.DNG"]);
    assert_eq!(env.query("--emotion happy --all --raws all").len(), 3);
    let count = |options: &str| {
        let run = env.run(&format!("query --count {options}"));
        run.found().text().trim().to_owned()
    };
    assert_eq!((count(""), count("--raws all")), ("2".into(), "3".into()));
    let faces = |options: &str| {
        let run = env.run(&format!("stats --json {options}"));
        run.found().json()[0]["faces"].clone()
    };
    assert_eq!((faces(""), faces("--raws all")), (json!(2), json!(3)));

    let [jpeg, dng] = ["IMG_1.JPG", "IMG_1.DNG"].map(|name| env.album(name));
    for (name, other) in [("IMG_1.JPG", &dng), ("IMG_1.DNG", &jpeg)] {
        assert_eq!(env.show(name)["same_shot"], json!([{"path": other}]));
        let shown = env.run(&format!("show album/{name}")).found();
        let line = format!("same shot     {}", other.display());
        assert!(shown.text().contains(&line), "{shown:?}");
    }
    assert_eq!(env.show("IMG_2.DNG")["same_shot"], json!([]));

    // The setting; a flag comes first.
    let config = env.config_file();
    std::fs::create_dir_all(config.parent().unwrap()).unwrap();
    std::fs::write(&config, "[query]\nraws = \"all\"\n").unwrap();
    assert_eq!((count(""), count("--raws alone")), ("3".into(), "2".into()));
}

#[test]
fn a_correction_of_one_file_of_a_shot_holds_for_the_other() {
    for preview in previews() {
        let files = [("a.jpg", picture()), ("a.dng", raw(&preview))];
        for (first, second) in [(0, 1), (1, 0)] {
            let ((first, bytes), (second, others)) = (&files[first], &files[second]);
            // The correction is made before the other file is indexed, and after.
            for is_before in [true, false] {
                let env = TestEnv::new();
                env.add(first, bytes);
                if is_before {
                    env.index();
                    correct(&env, first);
                }
                env.add(second, others);
                env.index();
                if !is_before {
                    correct(&env, first);
                }
                let face = env.show(second)["faces"][0].clone();
                assert_eq!(face["correction"], "sad", "{second}, {is_before}");
                assert_eq!(face["carried_from"]["path"], json!(env.album(first)));
                assert_eq!(env.query("--emotion sad --min-score 1"), ["a.jpg"]);
            }
        }
    }
}

#[test]
fn what_the_sidecar_of_a_raw_file_says_is_found_by_the_picture() {
    let env = TestEnv::new();
    env.add("a.jpg", picture());
    env.add("a.dng", raw(&previews()[0]));
    env.index();
    assert_eq!(env.query("--text lawn"), [""; 0]);
    let path = env.add("a.xmp", sidecar(&["Lawn"]));
    env.index();
    assert_eq!(env.query("--text lawn"), ["a.jpg"]);
    assert_eq!(env.show("a.jpg")["keywords"], json!(["Lawn"]));
    env.run("doctor").found();
    std::fs::remove_file(path).unwrap();
    env.index();
    assert_eq!(env.query("--text lawn"), [""; 0]);
    // A picture without a raw file is not affected.
    env.add("a.xmp", sidecar(&["Lawn"]));
    std::fs::rename(env.album("a.jpg"), env.album("b.jpg")).unwrap();
    env.index();
    assert_eq!(env.query("--text lawn"), ["a.dng"]);
}

#[test]
fn the_raw_file_of_a_pixel_phone_is_paired_with_its_picture_also_in_an_older_index() {
    let env = TestEnv::new();
    let picture = "PXL_20190714_123456789.RAW-01.COVER.jpg";
    env.add(picture, self::picture());
    env.add(
        "PXL_20190714_123456789.RAW-02.ORIGINAL.dng",
        raw(&previews()[0]),
    );
    env.index();
    assert_eq!(env.query("--emotion happy --all"), [picture]);
    // An earlier version had no such pairs.
    earlier_version(&env, "DELETE FROM raw_pairs");
    env.index();
    assert_eq!(env.query("--emotion happy --all"), [picture]);
    env.run("doctor").found();
}
