//! Makes databases and photos for the tests of `store`.

use std::path::{Path, PathBuf};

use jiff::civil::date;
use jiff::tz::Offset;
use tempfile::TempDir;

use crate::emotion::{Emotion, EmotionScores};
use crate::face::{BoundingBox, DetectedFace, Landmarks, Point, ScoredFace};
use crate::facts::{Statements, of_content};
use crate::features::Features;
use crate::file::FileMeta;
use crate::photo::{
    Capture, ContentHash, DateSource, GeoPoint, Picture, PictureHash, Precision, TakenAt,
};
use crate::raster::Orientation;

use super::{FaceId, KnownFile, Models, PhotoAnalysis, PhotoId, PhotoRecord, Store};

/// A new database in a temporary folder, which is deleted when the first value is dropped.
pub(super) fn temp_store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("index.sqlite3")).unwrap();
    (folder, store)
}

/// The models of all generated photos.
pub(super) fn models() -> Models {
    Models {
        detector: "finder 1".into(),
        classifier: "reader 1".into(),
    }
}

/// File metadata as `stat` may report it.
pub(super) const META: FileMeta = FileMeta {
    size: 1_000_000,
    mtime_ns: 1_700_000_000_123_456_789,
    ctime_ns: 1_700_000_000_123_456_789,
    inode: u64::MAX,
    device: 66,
};

/// A face `size` pixels wide at `x`; the rest of the probability of `happy` goes to neutral.
pub(super) fn face(x: f32, size: f32, detection: f32, happy: f32) -> ScoredFace {
    let mut scores = [0.0; Emotion::COUNT];
    scores[Emotion::Happy.index()] = happy;
    scores[Emotion::Neutral.index()] = 1.0 - happy;
    let points = [(0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8)];
    ScoredFace {
        face: DetectedFace {
            bounding_box: BoundingBox {
                x,
                y: 10.0,
                width: size,
                height: size * 1.25,
            },
            landmarks: Some(Landmarks::from_points(points.map(|(u, v)| Point {
                x: x + u * size,
                y: 10.0 + v * size,
            }))),
            score: detection,
        },
        scores: EmotionScores::new(scores),
        features: Some(Features::of(&[happy, 1.0 - happy])),
    }
}

/// A photo with this content and these faces, taken at noon of 15 July 2019.
pub(super) fn photo(content: &str, faces: Vec<ScoredFace>) -> PhotoRecord {
    let mut record = PhotoRecord {
        hash: ContentHash::of(content.as_bytes()),
        bytes: content.len() as u64,
        picture: Some(Picture {
            hash: PictureHash::from_bytes(*ContentHash::of(content.as_bytes()).as_bytes()),
            orientation: Orientation::Upright,
        }),
        content: Ok(PhotoAnalysis {
            format: "JPEG".into(),
            width: 4000,
            height: 3000,
            capture: Capture {
                taken_at: Some(TakenAt {
                    local: date(2019, 7, 15).at(12, 0, 0, 250_000_000),
                    offset: Some(Offset::constant(2)),
                    precision: Precision::Second,
                    source: DateSource::Exif,
                }),
                position: Some(GeoPoint {
                    latitude: 43.77,
                    longitude: 11.25,
                }),
                camera: Some("Canon EOS R5".into()),
                lens: None,
                description: Some("Firenze".into()),
                keywords: vec!["Vacation".into(), "Places|Italy".into()],
                ..Capture::default()
            },
            statements: Statements::default(),
            people: Vec::new(),
            models: models(),
            faces,
            unread: Vec::new(),
            incomplete: None,
        }),
    };
    change_facts(&mut record, |_| {});
    record
}

/// Changes what the content of an analysed photo says of it.
pub(super) fn change_facts(record: &mut PhotoRecord, change: impl FnOnce(&mut Capture)) {
    let analysis = record.content.as_mut().expect("an analysed photo");
    change(&mut analysis.capture);
    analysis.statements = Statements::from(&analysis.capture);
    analysis.capture = of_content(&analysis.statements);
}

/// Sets the date of a photo.
pub(super) fn set_date(record: &mut PhotoRecord, local: jiff::civil::DateTime) {
    change_facts(record, |capture| {
        capture.taken_at = Some(TakenAt {
            local,
            offset: None,
            precision: Precision::Second,
            source: DateSource::Exif,
        });
    });
}

/// Stores a photo at one path.
pub(super) fn put(store: &mut Store, path: impl AsRef<Path>, record: &PhotoRecord) -> PhotoId {
    store
        .batch(|batch| batch.put_photo(record, &[(path.as_ref().to_owned(), META)]))
        .unwrap()
}

/// Stores `count` photos at `/album/0/0.jpg` and so on, 1,000 per folder, with zero to three faces
/// each. All calls store the same photos.
pub(super) fn fill(store: &mut Store, count: u32) {
    // The constants of Knuth's MMIX generator.
    let mut state = 1_u64;
    let mut random = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 24) as f32
    };
    store
        .batch(|batch| {
            for number in 0..count {
                let faces = (0..(random() * 4.0) as u32)
                    .map(|n| face(n as f32 * 500.0, 400.0, 0.6 + 0.4 * random(), random()))
                    .collect();
                let mut record = photo(&number.to_string(), faces);
                let day = i64::from(number % 7000);
                let local =
                    date(2005, 1, 1).at(9, 0, 0, 0) + jiff::SignedDuration::from_hours(24 * day);
                set_date(&mut record, local);
                let path = format!("/album/{}/{number}.jpg", number / 1000);
                batch.put_photo(&record, &[(path.into(), META)])?;
            }
            Ok(())
        })
        .unwrap();
}

/// SQLite's query plan for `sql`, one line per step.
pub(super) fn plan(store: &Store, sql: &str) -> Vec<String> {
    let mut explain = store
        .connection
        .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
        .unwrap();
    explain
        .raw_query()
        .mapped(|row| row.get(3))
        .collect::<rusqlite::Result<_>>()
        .unwrap()
}

/// What the index contains about the files below a folder.
pub(super) fn known(store: &Store, folder: &str, models: &Models) -> Vec<(PathBuf, KnownFile)> {
    store
        .files_under(Path::new(folder), models, |files| files.collect())
        .unwrap()
}

/// The ID of a photo's first face.
pub fn first_face(store: &Store, photo: PhotoId) -> FaceId {
    store.photo(photo).unwrap().unwrap().content.unwrap().faces[0].id
}
