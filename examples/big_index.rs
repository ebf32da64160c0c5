//! Fills a database with made-up photos and measures the time of queries on it:
//!
//! ```text
//! cargo run --release --example big_index -- FILE 1000000
//! ```
//!
//! The photos are modelled on those of a family over 22 years: most are taken at home, the others on trips to thirty
//! places. There is a folder for each month and each trip, there are five cameras, and a photo has one face and a half
//! on average. If `raws` follows the number, every second photo is the raw file of the previous one, and the queries
//! leave out raw files. If FILE exists, the example only measures.
#![allow(clippy::print_stdout)]

mod common;

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};
use std::{env, fs};

use fer_index::emotion::{Emotion, EmotionSet};
use fer_index::facts::Block;
use fer_index::file::FileMeta;
use fer_index::geo::{Circle, Region};
use fer_index::photo::{Capture, ContentHash, DateSource, GeoPoint, Precision, Raws, TakenAt};
use fer_index::store::{Order, PhotoRecord, Query, Store, Who};
use jiff::SignedDuration;
use jiff::civil::date;

use common::{Random, analysis, face, picture};

/// Number of photos in a transaction, which is also the number in a folder.
const BATCH: u64 = 500;

/// How often each query runs, for the percentiles.
const ROUNDS: usize = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args_os().skip(1);
    let file = args.next().ok_or("usage: big_index FILE [PHOTOS [raws]]")?;
    let path = Path::new(&file);
    if !path.exists() {
        let photos = args
            .next()
            .and_then(|count| count.to_str()?.parse().ok())
            .unwrap_or(100_000);
        let has_raws = args.next().is_some_and(|given| given == "raws");
        fill(&mut Store::open(path)?, photos, has_raws)?;
    }
    let opened = Instant::now();
    let store = Store::open_existing(path)?;
    store.keep_more_pages()?; // as the gallery does
    println!("opened in {:.1?}", opened.elapsed());
    println!(
        "{:?}, {} MiB",
        store.totals()?,
        fs::metadata(path)?.len() >> 20
    );
    measure(&store)
}

fn fill(store: &mut Store, photos: u64, has_raws: bool) -> fer_index::error::Result<()> {
    let started = Instant::now();
    let mut random = Random(1);
    let mut last = photo(0, &mut Random(1));
    for first in (0..photos).step_by(BATCH as usize) {
        let lap = Instant::now();
        store.batch(|batch| {
            for number in first..(first + BATCH).min(photos) {
                let is_raw = has_raws && number % 2 == 1;
                let (shot, extension) = if is_raw {
                    (number - 1, "dng")
                } else {
                    (number, "jpg")
                };
                let path = format!("{}/IMG_{shot:07}.{extension}", folder(first));
                let meta = FileMeta {
                    size: 3_000_000,
                    mtime_ns: 1_700_000_000_000_000_000,
                    ctime_ns: 1_700_000_000_123_456_789,
                    inode: number,
                    device: 1,
                };
                if is_raw {
                    last.hash = ContentHash::of(&number.to_le_bytes());
                    last.picture = Some(picture(number));
                } else {
                    last = photo(number, &mut random);
                }
                batch.put_photo(&last, &[(path.into(), meta)])?;
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

/// The folder of a batch of photos; every fifth folder belongs to a trip.
fn folder(first: u64) -> String {
    let number = first / BATCH;
    let year = 2003 + number % 22;
    match trip(first) {
        Some(trip) => format!("/home/someone/Pictures/{year}/Trip {trip:03} {number:05}"),
        None => format!(
            "/home/someone/Pictures/{year}/{:02} {number:05}",
            number % 12 + 1
        ),
    }
}

/// The trip on which a photo was taken, if any.
fn trip(number: u64) -> Option<u64> {
    let folder = number / BATCH;
    (folder % 5 == 4).then_some(folder * 7 % 150)
}

const HOME: GeoPoint = GeoPoint {
    latitude: 48.137,
    longitude: 11.575,
};

/// A position within about fifty kilometres of home or of the trip's destination.
fn position(number: u64, random: &mut Random) -> GeoPoint {
    let centre = trip(number).map_or(HOME, |trip| GeoPoint {
        latitude: (trip * 37 % 110) as f64 - 50.0,
        longitude: (trip * 101 % 360) as f64 - 180.0,
    });
    let near = |random: &mut Random| f64::from(random.uniform()) * 0.4;
    GeoPoint {
        latitude: centre.latitude + near(random),
        longitude: centre.longitude + near(random),
    }
}

fn photo(number: u64, random: &mut Random) -> PhotoRecord {
    let faces = [0, 0, 1, 1, 2, 5][(random.uniform() * 6.0) as usize];
    let mut record = PhotoRecord {
        hash: ContentHash::of(&number.to_le_bytes()),
        bytes: 3_000_000,
        picture: Some(picture(number)),
        content: Ok(analysis(
            Capture {
                taken_at: Some(TakenAt {
                    local: date(2003, 1, 1).at(0, 0, 0, 0)
                        + SignedDuration::from_secs((random.uniform() * 7e8) as i64),
                    offset: None,
                    precision: Precision::Second,
                    source: DateSource::Exif,
                }),
                position: (random.uniform() < 0.7).then(|| position(number, random)),
                camera: Some(CAMERAS[(random.uniform().powi(3) * 5.0) as usize].into()),
                lens: Some("RF24-105mm F4 L IS USM".into()),
                description: (random.uniform() < 0.02).then(|| "birthday party".into()),
                keywords: keywords(number, random.uniform() < 0.1),
                ..Capture::default()
            },
            (0..faces).map(|_| face(random)).collect(),
            vec![],
        )),
    };
    if let Ok(analysis) = &mut record.content {
        for name in people(number) {
            analysis.statements.add_person(&name, None, Block::Xmp);
        }
    }
    record
}

/// The people whom a photo names: Anna in one of ten, Ben in one of twenty, and one of 500 others in one of four.
fn people(number: u64) -> Vec<String> {
    let mut people = Vec::new();
    if number % 10 == 1 {
        people.push("Anna Rossi".to_owned());
    }
    if number % 20 < 2 && number % 40 > 1 {
        people.push("Ben Weiss".to_owned());
    }
    if number % 4 == 2 {
        people.push(format!("Person Number{:03}", number / 4 % 500));
    }
    people
}

/// The keywords of a photo: one of ten has an English one, one of twenty one in a script without spaces.
fn keywords(number: u64, is_of_family: bool) -> Vec<String> {
    let mut keywords = Vec::new();
    if is_of_family {
        keywords.push("Family".into());
    }
    if number % 20 == 7 {
        let unspaced = ["北海道旅行", "제주도여행사진", "เที่ยวทะเลหัวหิน", "ទីក្រុងភ្នំពេញ"];
        keywords.push(unspaced[(number / 20 % 4) as usize].into());
    }
    if number % 50 == 3 {
        keywords.push("हिमालय की यात्रा".into());
    }
    keywords
}

const CAMERAS: [&str; 5] = [
    "Pixel 8",
    "iPhone 12",
    "Canon EOS R5",
    "NIKON D90",
    "DSC-T5",
];

/// A filter: its name in the table, and a function that sets it.
type Filter = (&'static str, fn(&mut Query));

const FILTERS: &[Filter] = &[
    ("emotion happy or sad", |query| {
        query.emotions = [Emotion::Happy, Emotion::Sad].into_iter().collect();
    }),
    ("not sad", |query| {
        query.without = EmotionSet::of(Emotion::Sad);
    }),
    ("min-score 0.9", |query| query.min_score = Some(0.9)),
    ("who most", |query| query.who = Who::Most),
    ("who all", |query| query.who = Who::All),
    ("faces 1", |query| query.faces = Some(1..=1)),
    ("faces 5", |query| query.faces = Some(5..=5)),
    ("since and until one year", |query| {
        query.since = Some(date(2018, 7, 1).at(0, 0, 0, 0));
        query.until = Some(date(2019, 7, 1).at(0, 0, 0, 0));
    }),
    ("since and until one day", |query| {
        query.since = Some(date(2018, 7, 1).at(0, 0, 0, 0));
        query.until = Some(date(2018, 7, 2).at(0, 0, 0, 0));
    }),
    ("since a year", |query| {
        query.since = Some(date(2010, 1, 1).into());
    }),
    ("since and until all years", |query| {
        query.since = Some(date(2003, 1, 1).into());
        query.until = Some(date(2025, 1, 1).into());
    }),
    ("taken in every december", |query| {
        let year = |year| date(year, 12, 1).into()..date(year + 1, 1, 1).into();
        query.taken = Some((2000..2030).map(year).collect());
    }),
    ("under a folder of 500", |query| {
        query.under = Some(folder(500).into());
    }),
    ("under a folder of all", |query| {
        query.under = Some("/home/someone".into());
    }),
    ("album (a trip)", |query| {
        query.album = Some("trip 003".into());
    }),
    ("near home", |query| query.near = Some(circle(HOME, 5.0))),
    ("near a trip", |query| {
        let place = GeoPoint {
            latitude: -49.0,
            longitude: 123.0,
        };
        query.near = Some(circle(place, 50.0));
    }),
    ("in a country of many", |query| {
        query.near = Some(Region::Area("DE".into()));
    }),
    ("in a continent", |query| {
        query.near = Some(Region::Area("c:africa".into()));
    }),
    ("person of 10 %", |query| query.people = vec!["anna".into()]),
    ("person of few", |query| {
        query.people = vec!["number123".into()];
    }),
    ("two people", |query| {
        query.people = vec!["anna rossi".into(), "ben".into()];
    }),
    ("away", |query| query.away = Some(100.0)),
    ("camera of many", |query| {
        query.cameras = vec!["pixel".into()];
    }),
    ("camera of few", |query| query.cameras = vec!["dsc".into()]),
    ("text of 2 %", |query| query.text = Some("birthday".into())),
    ("text of 10 %", |query| query.text = Some("family".into())),
    ("text of one character", |query| {
        query.text = Some("海".into());
    }),
    ("text of a part of a run", |query| {
        query.text = Some("여행사".into());
    }),
    ("text in Hindi", |query| query.text = Some("हिमालय".into())),
    ("text of all", |query| query.text = Some("pictures".into())),
    ("min-detection 0.95", |query| {
        query.min_detection = Some(0.95);
    }),
    ("min-face-size 300", |query| query.min_face = Some(300.0)),
    ("one-per-burst", |query| query.one_per_burst = true),
    ("order date", |query| {
        query.order = Order::Date;
        query.min_score = Some(query.least_score().max(0.5));
    }),
    ("order random", |query| {
        query.order = Order::Random { seed: 1 };
        query.min_score = Some(query.least_score().max(0.5));
    }),
    ("limit 20 offset 20", |query| query.offset = 20),
];

fn circle(centre: GeoPoint, km: f64) -> Region {
    Region::Circle(Circle { centre, km })
}

fn measure(store: &Store) -> Result<(), Box<dyn Error>> {
    let plain = Query {
        raws: Some(Raws::Alone),
        ..Query::for_emotion(Emotion::Happy)
    };
    println!("\n| one filter | hits | median | p99 |\n| --- | --- | --- | --- |");
    print_row("top 20 of an emotion", &times(store, &plain, 10 * ROUNDS)?);
    for (name, set) in FILTERS {
        let mut query = plain.clone();
        set(&mut query);
        print_row(name, &times(store, &query, ROUNDS)?);
    }
    let mut deep = plain.clone();
    (deep.limit, deep.offset) = (Some(200), 1000);
    print_row("limit 200 offset 1000", &times(store, &deep, ROUNDS)?);
    count(store, &plain)?;
    println!(
        "\n| pairs, the slowest first | hits | median | worst of 5 |\n| --- | --- | --- | --- |"
    );
    let mut pairs = Vec::new();
    for (index, (one, set_one)) in FILTERS.iter().enumerate() {
        for (other, set_other) in &FILTERS[..index] {
            let mut query = plain.clone();
            set_other(&mut query);
            set_one(&mut query);
            pairs.push((format!("{other} + {one}"), times(store, &query, 5)?));
        }
    }
    pairs.sort_by_key(|(_, (_, times))| std::cmp::Reverse(times[times.len() / 2]));
    for (name, (hits, times)) in pairs.iter().take(15) {
        let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
        println!("| {name} | {hits} | {median:.1?} | {worst:.1?} |");
    }
    let over = |limit: u64| {
        let limit = Duration::from_millis(limit);
        pairs
            .iter()
            .filter(|(_, (_, times))| times[times.len() / 2] > limit)
            .count()
    };
    println!(
        "{} pairs, {} of them over 50 ms, {} over 20 ms",
        pairs.len(),
        over(50),
        over(20)
    );
    Ok(())
}

/// Measures the counts of all emotions, which the gallery queries whenever its filters change, over
/// all stored faces.
fn count(store: &Store, plain: &Query) -> Result<(), Box<dyn Error>> {
    println!("\n| counts of all emotions | photos | time |\n| --- | --- | --- |");
    let none: Filter = ("no filter", |_| {});
    for (name, set) in [none].iter().chain(FILTERS) {
        let mut query = plain.clone();
        set(&mut query);
        query.min_score = Some(0.5);
        if query.min_detection.is_some() || query.min_face.is_some() || query.one_per_burst {
            continue;
        }
        let started = Instant::now();
        let counts = store.counts(&query)?;
        println!("| {name} | {} | {:.1?} |", counts.all, started.elapsed());
    }
    Ok(())
}

/// Runs a query `rounds` times; returns its number of hits and the times in ascending order. A
/// query for a single emotion takes the next emotion each time.
fn times(
    store: &Store,
    query: &Query,
    rounds: usize,
) -> Result<(usize, Vec<Duration>), Box<dyn Error>> {
    let mut times = Vec::new();
    let mut hits = 0;
    for round in 0..rounds {
        let mut query = query.clone();
        if query.emotions.iter().count() == 1 {
            query.emotions = EmotionSet::of(Emotion::ALL[round % Emotion::COUNT]);
        }
        let started = Instant::now();
        hits = store.query(&query)?.len();
        times.push(started.elapsed());
    }
    times.sort();
    Ok((hits, times))
}

fn print_row(name: &str, (hits, times): &(usize, Vec<Duration>)) {
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    println!("| {name} | {hits} | {:.2?} | {:.2?} |", at(50), at(99));
}
