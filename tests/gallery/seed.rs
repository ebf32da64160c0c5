//! Creates an index of real photos with given faces, so that no network has to run.

use std::fs;
use std::path::PathBuf;

use fer_index::emotion::{Emotion, EmotionScores};
use fer_index::face::{BoundingBox, DetectedFace, ScoredFace};
use fer_index::facts::Statements;
use fer_index::file::FileMeta;
use fer_index::photo::{
    Capture, ContentHash, DateSource, Picture, PictureHash, Precision, TakenAt,
};
use fer_index::raster::Orientation;
use fer_index::store::{Models, PhotoAnalysis, PhotoId, PhotoRecord, Store};
use jiff::civil::Date;

use crate::common::fixture;
use crate::testenv::TestEnv;

/// A photo of the album and its faces.
#[derive(Debug, Clone)]
pub struct Seed {
    pub name: &'static str,
    pub bytes: Vec<u8>,
    pub taken: Option<Date>,
    /// The precision of `taken`.
    pub precision: Precision,
    /// What else is known of the photo.
    pub capture: Capture,
    /// Each face shows this emotion with this score; the rest goes to neutral (or to happy).
    pub faces: Vec<(Emotion, f32)>,
}

impl Seed {
    pub fn new(name: &'static str, bytes: Vec<u8>, faces: &[(Emotion, f32)]) -> Self {
        Self {
            name,
            bytes,
            taken: None,
            precision: Precision::Second,
            capture: Capture::default(),
            faces: faces.to_vec(),
        }
    }
}

/// Writes the photos into the album and the index; returns their numbers.
pub fn seed(env: &TestEnv, photos: &[Seed]) -> Vec<PhotoId> {
    let mut store = Store::open(&env.database()).unwrap();
    let put = |seed: &Seed| {
        let path: PathBuf = env.add(seed.name, &seed.bytes);
        let meta = FileMeta::of(&fs::metadata(&path).unwrap());
        let record = record(seed);
        store.batch(|batch| batch.put_photo(&record, &[(path, meta)]))
    };
    photos.iter().map(put).map(Result::unwrap).collect()
}

/// An index of happy photos, named by their numbers and in this order in every answer; returns also their numbers in the
/// index.
pub fn happy_photos(count: u16) -> (TestEnv, Vec<PhotoId>) {
    let env = TestEnv::new();
    let day = |number| jiff::civil::date(2020, 12, 31) - jiff::Span::new().days(number);
    let photo = |number: u16| {
        let name: &'static str = format!("{number:03}.jpg").leak();
        Seed {
            taken: Some(day(number)),
            ..Seed::new(
                name,
                [fixture("coffee.jpg"), name.into()].concat(),
                &[(Emotion::Happy, 0.99 - f32::from(number) / 1000.0)],
            )
        }
    };
    let photos: Vec<_> = (0..count).map(photo).collect();
    let ids = seed(&env, &photos);
    (env, ids)
}

/// Removes a photo of [`happy_photos`] from the index, as if its file were deleted.
pub fn remove(env: &TestEnv, number: u16) {
    let path = env.album(format!("{number:03}.jpg"));
    let mut store = Store::open(&env.database()).unwrap();
    store.batch(|batch| batch.remove_file(&path)).unwrap();
}

/// An index of one photo, `a.jpg`, with a happy face.
pub fn happy_photo() -> TestEnv {
    let env = TestEnv::new();
    let happy = [(Emotion::Happy, 0.9)];
    seed(
        &env,
        &[Seed::new("a.jpg", fixture("astronaut.jpg"), &happy)],
    );
    env
}

pub fn record(seed: &Seed) -> PhotoRecord {
    let capture = Capture {
        taken_at: seed.taken.map(|day| TakenAt {
            local: day.at(
                if seed.precision == Precision::Second {
                    12
                } else {
                    0
                },
                0,
                0,
                0,
            ),
            offset: None,
            precision: seed.precision,
            source: DateSource::Exif,
        }),
        ..seed.capture.clone()
    };
    let size = image::load_from_memory(&seed.bytes)
        .map_or((640, 480), |photo| (photo.width(), photo.height()));
    PhotoRecord {
        hash: ContentHash::of(&seed.bytes),
        bytes: seed.bytes.len() as u64,
        picture: Some(Picture {
            hash: PictureHash::from_bytes(*ContentHash::of(&seed.bytes).as_bytes()),
            orientation: Orientation::Upright,
        }),
        content: Ok(PhotoAnalysis {
            format: "JPEG".to_owned(),
            width: size.0,
            height: size.1,
            statements: Statements::from(&capture),
            capture,
            people: Vec::new(),
            models: Models {
                detector: "finder".to_owned(),
                classifier: "reader".to_owned(),
            },
            faces: (0..).zip(&seed.faces).map(face).collect(),
            unread: vec![],
            incomplete: None,
        }),
    }
}

fn face((number, &(emotion, score)): (u16, &(Emotion, f32))) -> ScoredFace {
    let rest = if emotion == Emotion::Neutral {
        Emotion::Happy
    } else {
        Emotion::Neutral
    };
    let mut scores = [0.0; Emotion::COUNT];
    scores[emotion.index()] = score;
    scores[rest.index()] = 1.0 - score;
    ScoredFace {
        face: DetectedFace {
            bounding_box: BoundingBox {
                x: 20.0 + 100.0 * f32::from(number),
                y: 30.0,
                width: 60.0,
                height: 80.0,
            },
            landmarks: None,
            score: 0.9,
        },
        scores: EmotionScores::new(scores),
        features: None,
    }
}
