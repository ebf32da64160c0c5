//! Makes the photos for the tests.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use jiff::civil::date;

use crate::emotion::{Emotion, EmotionScores};
use crate::face::ScoredFace;
use crate::facts::{Block, of_content};
use crate::photo::{DateSource, GeoPoint, Precision, Source, TakenAt};
use crate::store::testing::{META, change_facts, face, photo, temp_store};
use crate::store::{PhotoId, PhotoRecord, Store};

pub const MUNICH: GeoPoint = at(48.137, 11.575);
pub const FLORENCE: GeoPoint = at(43.77, 11.25);
/// Fiji has islands on both sides of the date line.
pub const TAVEUNI: GeoPoint = at(-16.85, 179.97);
pub const VANUA_BALAVU: GeoPoint = at(-17.22, -178.95);
pub const RAINBOW_REEF: GeoPoint = at(-16.8, -179.9);

pub const fn at(latitude: f64, longitude: f64) -> GeoPoint {
    GeoPoint {
        latitude,
        longitude,
    }
}

/// A photo of the store, as it was given to it.
pub struct Known {
    pub id: PhotoId,
    pub record: PhotoRecord,
    pub paths: Vec<PathBuf>,
}

/// The bytes by which paths are sorted.
pub fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}

/// When a photo was taken by its content alone.
pub fn own_date(photo: &Known) -> Option<TakenAt> {
    of_content(&photo.record.content.as_ref().unwrap().statements).taken_at
}

pub fn strange_folder() -> PathBuf {
    #[cfg(unix)]
    let name = std::os::unix::ffi::OsStrExt::from_bytes(b"caf\xe9 Summer");
    #[cfg(not(unix))]
    let name = OsStr::new("café Summer");
    let name: &OsStr = name;
    Path::new("/album").join(name)
}

/// Photos with every property in many combinations.
pub fn photos() -> (tempfile::TempDir, Store, Vec<Known>) {
    let (folder, mut store) = temp_store();
    // Pseudorandom small numbers: residues of the powers of a generator of the multiplicative group
    // of a prime.
    let mut state = 1_u32;
    let mut random = move |below: u32| {
        state = state * 5 % 65_537;
        state % below
    };
    let mut known = Vec::new();
    for number in 0..160_u32 {
        let faces: Vec<ScoredFace> = (0..random(5))
            .map(|n| {
                let side = [20.0, 44.0, 90.0, 300.0][random(4) as usize];
                let detection = 0.55 + 0.01 * random(45) as f32;
                let mut face = face(n as f32 * 500.0, side, detection, 0.0);
                let mut scores = [0.01; Emotion::COUNT];
                for _ in 0..4 {
                    scores[random(Emotion::COUNT as u32) as usize] += 0.23;
                }
                let human = [None, None, Some(0.9), Some(0.1)][random(4) as usize];
                face.scores = EmotionScores::new(scores).with_human(human);
                face
            })
            .collect();
        let mut record = photo(&number.to_string(), faces);
        change_facts(&mut record, |capture| {
            // Some photos are in bursts, and many were taken in the same second.
            let day = SignedDuration::from_hours(24 * i64::from(random(40)));
            let second = SignedDuration::from_secs(i64::from(random(3) * 2));
            capture.taken_at = (random(9) > 0).then(|| TakenAt {
                local: date(2019, 6, 20).at(12, 0, 0, 0) + day + second,
                offset: None,
                precision: Precision::Second,
                source: DateSource::Exif,
            });
            capture.camera = [
                Some("Canon EOS R5"),
                Some("NIKON D850"),
                Some("ÉCLAIR X"),
                None,
            ][random(4) as usize]
                .map(str::to_owned);
            capture.position = [
                Some(MUNICH),
                Some(MUNICH),
                Some(MUNICH),
                Some(FLORENCE),
                Some(TAVEUNI),
                Some(VANUA_BALAVU),
                Some(RAINBOW_REEF),
                None,
            ][random(8) as usize];
            capture.description = [Some("Ponte Vecchio"), Some("birthday party"), None]
                [random(3) as usize]
                .map(str::to_owned);
            capture.keywords =
                [vec![], vec!["Urlaub".into(), "Vacation".into()]][random(2) as usize].clone();
        });
        let folders = [
            "/album/Italy 2019".into(),
            "/album/Italy 2019/Florence".into(),
            "/album/Italy".into(),
            "/album/2019/family".into(),
            strange_folder(),
        ];
        let mut paths: Vec<PathBuf> = (0..=random(5) / 4)
            .map(|_| folders[random(5) as usize].join(format!("{number}.jpg")))
            .collect();
        paths.sort_by(|a, b| bytes(a).cmp(bytes(b)));
        paths.dedup();
        // Some are raw files beside the photo before them; half of these are given its date.
        if number % 8 == 3 {
            let picture: &Known = &known[number as usize - 1];
            paths = picture.paths.clone();
            for path in &mut paths {
                path.set_extension("dng");
            }
            let taken_at = own_date(picture);
            if number % 16 == 3 {
                change_facts(&mut record, |capture| capture.taken_at = taken_at);
            }
        }
        name_people(&mut record, number);
        let id = store
            .batch(|batch| {
                let files: Vec<_> = paths.iter().map(|path| (path.clone(), META)).collect();
                batch.put_photo(&record, &files)
            })
            .unwrap();
        // The store dates photos without a date of their own by their folders and files, and estimates positions.
        let stored = store.photo(id).unwrap().unwrap().content.unwrap();
        record.content.as_mut().unwrap().capture.taken_at = stored.capture.taken_at;
        known.push(Known { id, record, paths });
    }
    take_estimates(&store, &mut known);
    (folder, store, known)
}

/// Adds names of people to the metadata of some photos.
fn name_people(record: &mut PhotoRecord, number: u32) {
    let statements = &mut record.content.as_mut().unwrap().statements;
    let named: &[&str] = match number / 3 % 5 {
        0 => &["Anna Rossi"],
        1 => &["Ben", "Anna Weiß"],
        2 => &["Élodie"],
        _ => &[],
    };
    for name in named {
        statements.add_person(name, None, Block::Xmp);
    }
}

/// Takes over the positions that the store has estimated.
fn take_estimates(store: &Store, known: &mut [Known]) {
    let mut estimated = 0;
    for photo in known {
        let stored = store.photo(photo.id).unwrap().unwrap().content.unwrap();
        let capture = &mut photo.record.content.as_mut().unwrap().capture;
        estimated += usize::from(stored.capture.sources.position == Some(Source::Estimated));
        capture.position = stored.capture.position;
    }
    assert!(estimated > 3, "{estimated}");
}
