//! Unpacked exports of Google Photos: generates them with the names that Google gives, by the rules that programs which
//! read such exports have found (`docs/formats.md` lists these programs), and checks the dates and places of all
//! photos.

use std::fs;

use image::{ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};

use crate::common::encoded;
use crate::testenv::{Run, TestEnv};

/// A place, and the local time there at the instant that is 2019-07-14T10:00:00Z.
const PLACES: [(f64, f64, &str); 6] = [
    (45.81, 9.08, "2019-07-14T12:00:00+02:00"),    // Como
    (35.68, 139.69, "2019-07-14T19:00:00+09:00"),  // Tokyo
    (27.71, 85.32, "2019-07-14T15:45:00+05:45"),   // Kathmandu
    (40.71, -74.01, "2019-07-14T06:00:00-04:00"),  // New York
    (-33.87, 151.21, "2019-07-14T20:00:00+10:00"), // Sydney
    (33.45, -112.07, "2019-07-14T03:00:00-07:00"), // Phoenix
];

/// 2019-07-14T10:00:00Z.
const INSTANT: i64 = 1_563_098_400;

/// The names with which photos were uploaded.
const TITLES: [&str; 10] = [
    "IMG_1234.jpg",
    "DSC_0101.JPG",
    "PXL_20220405_090123740.PORTRAIT.jpg",
    "Screenshot_20231027_123303_Facebook.jpg",
    "MVIMG_20200207_134534~2.jpg",
    // The longest allowed name, and longer ones.
    "05yqt21kruxwwlhhgrwrdyb6chhwszi9bqmzu16w0 2.jpg",
    "Screenshot_2024-08-31-00-53-48-647_com.snapchat.jpg",
    "Backyard_ceremony_wedding_photography_xxxxxxx_monday_morning.jpg",
    "北海道旅行の写真.jpg",
    "😀😃😄😁😆😅😂🤣🥲😊😇🙂🙃😉😌😍🥰😘😗😙😚😋😛😝.jpg",
];

/// The endings of edited photos.
const EDITED: [&str; 21] = [
    "-edited",
    "-bearbeitet",
    "-modifié",
    "-ha editado",
    "-editado",
    "-editada",
    "-bewerkt",
    "-modificato",
    "-edytowane",
    "-redigerad",
    "-redigeret",
    "-redigert",
    "-editat",
    "-upraveno",
    "-muokattu",
    "-изменено",
    "-düzenlendi",
    "-編集済み",
    "-effects",
    "-smile",
    "-mix",
];

/// The first code units of a text.
fn start(text: &str, units: usize) -> String {
    let units: Vec<u16> = text.encode_utf16().take(units).collect();
    String::from_utf16_lossy(&units)
        .trim_end_matches('\u{fffd}')
        .to_owned()
}

/// The name of a photo in an export.
fn photo(title: &str, edited: &str, number: &str) -> String {
    let (stem, extension) = title.rsplit_once('.').unwrap();
    let stem = start(&format!("{stem}{edited}"), 47);
    format!("{stem}{number}.{extension}")
}

/// The name of its JSON in older exports, and in newer ones.
fn json_names(title: &str, number: &str) -> [String; 2] {
    ["", ".supplemental-metadata"].map(|supplement| {
        format!(
            "{}{number}.json",
            start(&format!("{title}{supplement}"), 46)
        )
    })
}

/// An export that is being generated.
struct Export {
    env: TestEnv,
    /// The photos, each with the index of its place in [`PLACES`].
    photos: Vec<(String, usize)>,
    files: u32,
}

impl Export {
    fn new() -> Self {
        Self {
            env: TestEnv::new(),
            photos: Vec::new(),
            files: 0,
        }
    }

    /// Adds a photo without metadata whose content differs from that of all others.
    fn photo(&mut self, path: &str, place: usize) {
        let number = self.files;
        self.files += 1;
        let shade = Rgb([number as u8, (number >> 8) as u8, 77]);
        let picture = RgbImage::from_pixel(48, 32, shade);
        // As a PNG, which keeps the shade; the name does not matter.
        self.env.add(path, encoded(picture, ImageFormat::Png));
        self.photos.push((path.to_owned(), place));
    }

    fn json(&self, path: &str, place: usize) {
        let (latitude, longitude, _) = PLACES[place % PLACES.len()];
        let described = json!({
            "title": "any",
            "description": format!("Lake number{place}"),
            "photoTakenTime": {"timestamp": INSTANT.to_string(), "formatted": "14 Jul 2019, 10:00:00 UTC"},
            "geoData": {"latitude": latitude, "longitude": longitude, "altitude": 0.0},
            "geoDataExif": {"latitude": 0.0, "longitude": 0.0, "altitude": 0.0},
            "people": [{"name": "Anna"}],
            "favorited": true,
        });
        self.env.add(path, described.to_string());
    }

    /// Indexes the export, and checks the date and the place of every photo.
    fn check(&self) {
        let mut index = self.env.command("index album");
        let run = Run::of(index.env("TZ", "America/Bogota"));
        assert!(run.code < 2, "{run:?}");
        self.check_index();
    }

    fn check_index(&self) {
        for (path, place) in &self.photos {
            let shown = shown(&self.env, path);
            let (latitude, longitude, local) = PLACES[place % PLACES.len()];
            assert_eq!(shown["taken_at"], local, "{path}");
            assert_eq!(shown["taken_at_source"], "takeout", "{path}");
            let at = [&shown["latitude"], &shown["longitude"]].map(|value| value.as_f64().unwrap());
            assert!(
                (at[0] - latitude).abs() < 1e-4 && (at[1] - longitude).abs() < 1e-4,
                "{path}"
            );
            assert_eq!(
                shown["description"],
                format!("Lake number{place}"),
                "{path}"
            );
        }
    }
}

fn shown(env: &TestEnv, path: &str) -> Value {
    let mut command = env.command("show --json");
    let run = Run::of(command.arg(env.album(path)));
    serde_json::from_str(run.text()).unwrap_or_else(|error| panic!("{path}: {error}: {run:?}"))
}

#[test]
fn photos_have_the_dates_and_places_of_their_json_by_every_rule_of_its_name() {
    let mut export = Export::new();
    let mut place = 0;
    for format in 0..2 {
        for title in TITLES {
            // Each title in its own folder, since truncated names may be equal.
            let folder = format!("{format}{place}/Takeout/Google Photos/Photos from 2019");
            for number in ["", "(1)", "(12)"] {
                place += 1;
                let json = &json_names(title, number)[format];
                export.json(&format!("{folder}/{json}"), place);
                export.photo(&format!("{folder}/{}", photo(title, "", number)), place);
            }
        }
        for edited in EDITED {
            place += 1;
            let folder = format!("{format}{edited}/Takeout/Google Photos/Photos from 2019");
            for number in ["", "(2)"] {
                place += 1;
                let json = &json_names(TITLES[2], number)[format];
                export.json(&format!("{folder}/{json}"), place);
                for edited in ["", edited] {
                    let photo = photo(TITLES[2], edited, number);
                    export.photo(&format!("{folder}/{photo}"), place);
                }
            }
        }
        // A live photo whose JSON is named after its video, and one that was uploaded without an extension.
        let folder = format!("{format}/Takeout/Google Photos/Untitled");
        export.json(
            &format!("{folder}/{}", json_names("IMG_0001.MP4", "")[format]),
            1,
        );
        export.photo(&format!("{folder}/IMG_0001.jpg"), 1);
        export.env.add(format!("{folder}/IMG_0001.MP4"), "video");
        export.json(
            &format!("{folder}/{}", json_names("20030616", "")[format]),
            2,
        );
        export.photo(&format!("{folder}/20030616.jpg"), 2);
        export.env.add(
            format!("{folder}/metadata.json"),
            r#"{"title": "Untitled"}"#,
        );
    }
    export.check();
}

#[test]
fn an_export_in_several_parts_needs_no_preparation() {
    let mut export = Export::new();
    for (place, (photo, json)) in [
        ("Takeout", "Takeout 2"),
        ("Takeout 2", "Takeout 3"),
        (
            "takeout-20240101T000000Z-001/Takeout",
            "takeout-20240101T000000Z-002/Takeout",
        ),
        // In a folder that is called so itself.
        (
            "takeouts/takeout-20240101T000000Z-001/Takeout",
            "takeouts/takeout-20240101T000000Z-002/Takeout",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        for part in [photo, json] {
            fs::create_dir_all(export.env.album(part).join("Google Photos/Italy")).unwrap();
        }
        export.photo(&format!("{photo}/Google Photos/Italy/{place}.jpg"), place);
        export.json(
            &format!("{json}/Google Photos/Italy/{place}.jpg.json"),
            place,
        );
    }
    export.check();
}

#[test]
fn people_favourites_and_words_are_found_and_the_json_is_followed() {
    let mut export = Export::new();
    let json = "Takeout/Google Photos/Italy/a.jpg.supplemental-metadata.json";
    export.photo("Takeout/Google Photos/Italy/a.jpg", 3);
    export.env.index();
    assert_ne!(
        shown(&export.env, &export.photos[0].0)["taken_at_source"],
        "takeout"
    );
    export.json(json, 3);
    export.env.index();
    export.check_index();
    assert_eq!(export.env.query("--text favorite").len(), 1);
    assert_eq!(export.env.query("--text number3").len(), 1);
    fs::remove_file(export.env.album(json)).unwrap();
    export.env.index();
    assert_ne!(
        shown(&export.env, &export.photos[0].0)["taken_at_source"],
        "takeout"
    );
}
