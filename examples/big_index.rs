//! Makes a database of made-up photos and measures what queries cost in it:
//!
//! ```text
//! cargo run --release --example big_index -- FILE 1000000
//! ```
//!
//! A file that is already there is only measured.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};
use std::{env, fs};

use fer_index::emotion::{Emotion, EmotionScores};
use fer_index::face::{BoundingBox, DetectedFace, Landmarks, Point, ScoredFace};
use fer_index::file::FileMeta;
use fer_index::photo::{Capture, ContentHash, DateSource, GeoPoint, TakenAt};
use fer_index::store::{Models, PhotoRecord, Query, Scan, Store};
use jiff::SignedDuration;
use jiff::civil::date;

/// Photos in a transaction and in a folder.
const BATCH: u64 = 500;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args_os().skip(1);
    let file = args.next().ok_or("usage: big_index FILE [PHOTOS]")?;
    let path = Path::new(&file);
    if !path.exists() {
        let photos = args
            .next()
            .and_then(|count| count.to_str()?.parse().ok())
            .unwrap_or(100_000);
        fill(&mut Store::open(path)?, photos)?;
    }
    let opened = Instant::now();
    let store = Store::open_existing(path)?;
    println!("opened in {:.1?}", opened.elapsed());
    println!(
        "{:?}, {} MiB",
        store.totals()?,
        fs::metadata(path)?.len() >> 20
    );
    measure(&store)
}

fn fill(store: &mut Store, photos: u64) -> fer_index::error::Result<()> {
    let started = Instant::now();
    let mut random = Random(1);
    for first in (0..photos).step_by(BATCH as usize) {
        let lap = Instant::now();
        store.batch(|batch| {
            for number in first..(first + BATCH).min(photos) {
                let id = batch.put_photo(&photo(number, &mut random))?;
                let path = format!("/home/someone/Pictures/{first:07}/IMG_{number:07}.jpg");
                let meta = FileMeta {
                    size: 3_000_000,
                    mtime_ns: 1_700_000_000_000_000_000,
                    inode: number,
                    device: 1,
                };
                batch.put_file(Path::new(&path), &meta, Ok(id))?;
            }
            Ok(())
        })?;
        if first % 100_000 == 0 {
            let each = lap.elapsed() / BATCH as u32;
            println!(
                "{first} photos after {:.1?}, {each:.1?} each",
                started.elapsed()
            );
        }
    }
    println!("{photos} photos stored in {:.1?}", started.elapsed());
    Ok(())
}

fn photo(number: u64, random: &mut Random) -> PhotoRecord {
    let faces = [0, 0, 1, 1, 2, 5][(random.next() * 6.0) as usize];
    PhotoRecord {
        hash: ContentHash::of(&number.to_le_bytes()),
        bytes: 3_000_000,
        content: Ok(Scan {
            format: "JPEG".into(),
            width: 4000,
            height: 3000,
            capture: Capture {
                taken_at: Some(TakenAt {
                    local: date(2003, 1, 1).at(0, 0, 0, 0)
                        + SignedDuration::from_secs((random.next() * 7e8) as i64),
                    offset: None,
                    source: DateSource::Exif,
                }),
                position: Some(GeoPoint {
                    latitude: f64::from(random.next()) * 180.0 - 90.0,
                    longitude: f64::from(random.next()) * 360.0 - 180.0,
                }),
                camera: Some("Canon EOS R5".into()),
                lens: Some("RF24-105mm F4 L IS USM".into()),
                description: None,
            },
            models: Models {
                detector: "yunet-s".into(),
                classifier: "fer-index 1".into(),
            },
            faces: (0..faces).map(|_| face(random)).collect(),
            unread: vec![],
        }),
    }
}

fn face(random: &mut Random) -> ScoredFace {
    let (x, y) = (random.next() * 3500.0, random.next() * 2500.0);
    let side = 40.0 + random.next() * 400.0;
    let logits: [f32; Emotion::COUNT] = std::array::from_fn(|_| (random.next() * 8.0).exp());
    let sum: f32 = logits.iter().sum();
    ScoredFace {
        face: DetectedFace {
            bounding_box: BoundingBox {
                x,
                y,
                width: side,
                height: side * 1.3,
            },
            landmarks: Some(Landmarks::from_points([Point { x, y }; 5])),
            score: 0.6 + 0.4 * random.next(),
        },
        scores: EmotionScores::new(logits.map(|value| value / sum)),
    }
}

fn measure(store: &Store) -> Result<(), Box<dyn Error>> {
    let plain = Query::for_emotion(Emotion::Happy);
    let july = |year| date(year, 7, 1).at(0, 0, 0, 0);
    let questions = [
        ("top 20", plain.clone()),
        (
            "surest faces only",
            Query {
                min_detection: 0.9,
                min_face: 100.0,
                ..plain.clone()
            },
        ),
        (
            "one year",
            Query {
                since: Some(july(2018)),
                until: Some(july(2019)),
                ..plain.clone()
            },
        ),
        (
            "one day",
            Query {
                since: Some(july(2018)),
                until: Some(date(2018, 7, 2).at(0, 0, 0, 0)),
                ..plain.clone()
            },
        ),
        (
            "one folder of 500",
            Query {
                under: Some("/home/someone/Pictures/0000500".into()),
                ..plain.clone()
            },
        ),
        (
            "one folder of all",
            Query {
                under: Some("/home/someone".into()),
                ..plain.clone()
            },
        ),
        (
            "top 1,000",
            Query {
                limit: 1000,
                ..plain
            },
        ),
    ];
    for (name, query) in questions {
        let mut times: Vec<Duration> = Vec::new();
        let mut hits = 0;
        for round in 0..50 {
            let query = Query {
                emotion: Emotion::ALL[round % Emotion::COUNT],
                ..query.clone()
            };
            let started = Instant::now();
            hits = store.query(&query)?.len();
            times.push(started.elapsed());
        }
        times.sort();
        println!(
            "{name}: {hits} hits, median {:.2?}, worst of 50 {:.2?}",
            times[25], times[49]
        );
    }
    Ok(())
}

/// Knuth's MMIX generator.
struct Random(u64);

impl Random {
    /// From 0 up to but not including 1.
    fn next(&mut self) -> f32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1 << 24) as f32
    }
}
