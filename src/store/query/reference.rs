//! Every filter, alone and in pairs, in every order, held against a plain reading of the same
//! photos, by each of the ways that lead to an answer.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use jiff::civil::{DateTime, date};

use crate::emotion::{Emotion, EmotionScores, EmotionSet};
use crate::face::ScoredFace;
use crate::geo::{Cell, Circle, Region, distance};
use crate::photo::{DateSource, GeoPoint, TakenAt};

use super::super::testing::{META, face, photo, temp_store};
use super::super::{PhotoId, PhotoRecord, Store};
use super::count::counts_within;
use super::plan::Bounds;
use super::{Counts, Hit, Order, Query, Who, run_within};

const MUNICH: GeoPoint = at(48.137, 11.575);
const FLORENCE: GeoPoint = at(43.77, 11.25);
/// Fiji's islands lie on both sides of the date line.
const TAVEUNI: GeoPoint = at(-16.85, 179.97);
const VANUA_BALAVU: GeoPoint = at(-17.22, -178.95);
const RAINBOW_REEF: GeoPoint = at(-16.8, -179.9);

const fn at(latitude: f64, longitude: f64) -> GeoPoint {
    GeoPoint {
        latitude,
        longitude,
    }
}

/// A photo as it was stored.
struct Known {
    id: PhotoId,
    record: PhotoRecord,
    paths: Vec<PathBuf>,
}

/// By which paths are sorted.
fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}

fn strange_folder() -> PathBuf {
    #[cfg(unix)]
    let name = std::os::unix::ffi::OsStrExt::from_bytes(b"caf\xe9 Summer");
    #[cfg(not(unix))]
    let name = OsStr::new("café Summer");
    let name: &OsStr = name;
    Path::new("/album").join(name)
}

/// Photos with every property in many combinations.
fn photos() -> (tempfile::TempDir, Store, Vec<Known>) {
    let (folder, mut store) = temp_store();
    // Small numbers that look random: the residues of multiples of a generator of a prime's group.
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
                face.scores = EmotionScores::new(scores);
                face
            })
            .collect();
        let mut record = photo(&number.to_string(), faces);
        let capture = &mut record.content.as_mut().unwrap().capture;
        // Some of them in bursts, and many in the same second.
        let day = SignedDuration::from_hours(24 * i64::from(random(40)));
        let second = SignedDuration::from_secs(i64::from(random(3) * 2));
        capture.taken_at = (random(9) > 0).then(|| TakenAt {
            local: date(2019, 6, 20).at(12, 0, 0, 0) + day + second,
            offset: None,
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
        let id = store
            .batch(|batch| {
                let id = batch.put_photo(&record)?;
                for path in &paths {
                    batch.put_file(path, &META, Ok(id))?;
                }
                Ok(id)
            })
            .unwrap();
        // As the store dates it where the photo does not.
        let stored = store.photo(id).unwrap().unwrap().content.unwrap();
        record.content.as_mut().unwrap().capture.taken_at = stored.capture.taken_at;
        known.push(Known { id, record, paths });
    }
    (folder, store, known)
}

/// A photo, its path, and what it shows.
type Expected = (PhotoId, PathBuf, Option<(Emotion, f64)>);

/// What the documentation of [`Query`] says, filter by filter.
fn answer(query: &Query, known: &[Known]) -> Vec<Expected> {
    let mut found: Vec<_> = known
        .iter()
        .filter_map(|photo| Some((photo, meets(query, photo)?)))
        .collect();
    let taken = |photo: &Known| {
        Some(
            photo
                .record
                .content
                .as_ref()
                .unwrap()
                .capture
                .taken_at?
                .local,
        )
    };
    found.sort_by(|(a, (a_path, a_shown)), (b, (b_path, b_shown))| {
        let score = |shown: &Option<(Emotion, f64)>| shown.map_or(0.0, |(_, score)| score);
        let by_score = match query.order {
            Order::Score => score(b_shown).total_cmp(&score(a_shown)),
            _ => std::cmp::Ordering::Equal,
        };
        by_score
            .then_with(|| taken(b).cmp(&taken(a)))
            .then_with(|| bytes(a_path).cmp(bytes(b_path)))
    });
    if query.one_per_burst {
        let mut shown: Vec<&Known> = Vec::new();
        found.retain(|(photo, _)| {
            let is_new = !shown.iter().any(|other| in_one_burst(photo, other, known));
            if is_new {
                shown.push(photo);
            }
            is_new
        });
    }
    found
        .into_iter()
        .skip(query.offset)
        .take(query.limit)
        .map(|(photo, (path, shown))| (photo.id, path, shown))
        .collect()
}

fn meets(query: &Query, photo: &Known) -> Option<(PathBuf, Option<(Emotion, f64)>)> {
    let scan = photo.record.content.as_ref().unwrap();
    let capture = &scan.capture;
    let local = capture.taken_at.map(|taken| taken.local);
    let is_true = |condition: bool| condition.then_some(());
    if let Some(since) = query.since {
        is_true(local? >= since)?;
    }
    if let Some(until) = query.until {
        is_true(local? < until)?;
    }
    if let Some(name) = &query.camera {
        is_true(
            capture
                .camera
                .as_ref()?
                .to_lowercase()
                .contains(&name.to_lowercase()),
        )?;
    }
    if let Some(region) = &query.near {
        is_true(region.contains(capture.position?))?;
    }
    if let Some(km) = query.away {
        is_true(distance(MUNICH, capture.position?) > km)?;
    }
    if let Some(text) = &query.text {
        let all = format!(
            "{:?} {:?} {:?}",
            photo.paths, capture.description, capture.keywords
        );
        let all = all.to_lowercase();
        is_true(
            text.split(' ')
                .all(|word| all.contains(&word.to_lowercase())),
        )?;
    }
    let path = photo.paths.iter().find(|path| {
        let in_album = query.album.as_ref().is_none_or(|name| {
            let folder = path.parent().unwrap().to_string_lossy().to_lowercase();
            folder
                .split('/')
                .any(|part| part.contains(&name.to_lowercase()))
        });
        in_album
            && query
                .under
                .as_ref()
                .is_none_or(|under| path.starts_with(under))
    })?;
    let faces: Vec<&ScoredFace> = scan
        .faces
        .iter()
        .filter(|face| {
            face.face.score >= query.min_detection
                && face.face.bounding_box.short_side() >= query.min_face
        })
        .collect();
    if let Some(range) = &query.faces {
        is_true(range.contains(&(faces.len() as u32)))?;
    }
    if query.emotions.is_empty() {
        return Some((path.clone(), None));
    }
    let (emotion, score) = query
        .emotions
        .iter()
        .filter_map(|emotion| {
            let score = |face: &&ScoredFace| face.face.weighted(face.scores[emotion]);
            let reached = |least: f64| faces.iter().filter(|face| score(face) >= least).count();
            let enough = |least: f64| match query.who {
                Who::Any => reached(least) > 0,
                Who::Most => 2 * reached(least) > faces.len(),
                Who::All => reached(least) == faces.len(),
            };
            let best = faces.iter().map(score).filter(|least| enough(*least));
            Some((emotion, best.max_by(f64::total_cmp)?))
        })
        .reduce(|best, next| if next.1 > best.1 { next } else { best })?;
    is_true(score >= f64::from(query.min_score))?;
    Some((path.clone(), Some((emotion, score))))
}

/// All photos of the seeded days are taken at noon, two seconds apart at most.
fn in_one_burst(a: &Known, b: &Known, known: &[Known]) -> bool {
    let key = |photo: &Known| {
        let capture = &photo.record.content.as_ref().unwrap().capture;
        let taken = capture
            .taken_at
            .filter(|taken| taken.source == DateSource::Exif)?;
        Some((capture.camera.clone(), taken.local))
    };
    let (Some((camera, from)), Some((other, to))) = (key(a), key(b)) else {
        return false;
    };
    let (from, to) = (from.min(to), from.max(to));
    let mut times: Vec<DateTime> = known
        .iter()
        .filter_map(key)
        .filter(|(name, local)| *name == camera && (from..=to).contains(local))
        .map(|(_, local)| local)
        .collect();
    times.sort();
    camera == other
        && times
            .windows(2)
            .all(|pair| pair[1].duration_since(pair[0]) <= SignedDuration::from_secs(3))
}

type Filter = (&'static str, fn(&mut Query));

const FILTERS: &[Filter] = &[
    ("happy or sad", |query| {
        query.emotions = [Emotion::Happy, Emotion::Sad].into_iter().collect();
    }),
    ("any emotion", |query| query.emotions = EmotionSet::EMPTY),
    ("min score", |query| query.min_score = 0.4),
    ("most", |query| query.who = Who::Most),
    ("all", |query| query.who = Who::All),
    ("two faces", |query| query.faces = Some(2..=2)),
    ("three faces or more", |query| {
        query.faces = Some(3..=u32::MAX);
    }),
    ("no face or one", |query| query.faces = Some(0..=1)),
    ("since", |query| {
        query.since = Some(date(2019, 7, 1).at(12, 0, 2, 0));
    }),
    ("until", |query| {
        query.until = Some(date(2019, 7, 10).at(12, 0, 2, 0));
    }),
    ("under", |query| {
        query.under = Some("/album/Italy 2019".into());
    }),
    ("under strange", |query| {
        query.under = Some(strange_folder());
    }),
    ("album", |query| query.album = Some("ITALY".into())),
    ("album strange", |query| query.album = Some("summer".into())),
    ("near", |query| query.near = Some(circle(FLORENCE, 10.0))),
    ("across the date line", |query| {
        query.near = Some(circle(TAVEUNI, 50.0));
    }),
    ("cells", |query| {
        let mut cells = vec![Cell::of(VANUA_BALAVU), Cell::of(FLORENCE)];
        cells.sort();
        query.near = Some(Region::Cells(cells));
    }),
    ("away", |query| query.away = Some(100.0)),
    ("camera", |query| query.camera = Some("canon".into())),
    ("camera of two", |query| query.camera = Some("é".into())),
    ("text", |query| query.text = Some("vacation party".into())),
    ("text in path", |query| query.text = Some("family".into())),
    ("min detection", |query| query.min_detection = 0.8),
    ("min face", |query| query.min_face = 60.0),
    ("one per burst", |query| query.one_per_burst = true),
    ("offset", |query| query.offset = 3),
];

fn circle(centre: GeoPoint, km: f64) -> Region {
    Region::Circle(Circle { centre, km })
}

/// The ways: what there is by default; nothing listed, so that every photo is held against the
/// filters; everything listed, and walked over; lists made as long as one walk is given up.
const WAYS: [Bounds; 4] = [
    Bounds {
        few: 1000,
        most: 50_000,
    },
    Bounds { few: 0, most: 0 },
    Bounds {
        few: 0,
        most: 50_000,
    },
    Bounds { few: 30, most: 100 },
];

#[track_caller]
fn check(store: &Store, known: &[Known], query: &Query, names: &str) -> usize {
    let expected = answer(query, known);
    for bounds in WAYS {
        let hits = run_within(&store.connection, query, bounds).unwrap();
        let found: Vec<_> = hits
            .iter()
            .map(|hit| (hit.photo, hit.path.clone()))
            .collect();
        let wanted: Vec<_> = expected
            .iter()
            .map(|(id, path, _)| (*id, path.clone()))
            .collect();
        let differ = found
            .iter()
            .zip(&wanted)
            .find(|(found, wanted)| found != wanted);
        assert!(
            found.len() == wanted.len() && differ.is_none(),
            "{names}, {:?}, {bounds:?}: {} and {}, {differ:?}",
            query.order,
            found.len(),
            wanted.len(),
        );
        let shown = |hit: &Hit| hit.shown.map(|shown| (shown.emotion, shown.score));
        assert!(
            hits.iter()
                .zip(&expected)
                .all(|(hit, (_, _, wanted))| shown(hit)
                    == wanted.map(|(emotion, score)| (emotion, score as f32))),
            "scores of {names}, {bounds:?}"
        );
    }
    expected.len()
}

#[test]
fn every_filter_alone_and_in_pairs() {
    let (_folder, store, known) = photos();
    let mut counts = Vec::new();
    for (index, (name, set)) in FILTERS.iter().enumerate() {
        let mut alone = Query::for_emotion(Emotion::Happy);
        set(&mut alone);
        for order in [Order::Score, Order::Date] {
            for limit in [7, 200] {
                let query = Query {
                    order,
                    limit,
                    ..alone.clone()
                };
                counts.push((check(&store, &known, &query, name), limit, *name));
            }
        }
        for (other, set) in &FILTERS[..index] {
            let mut pair = alone.clone();
            set(&mut pair);
            pair.order = [Order::Score, Order::Date][index % 2];
            pair.limit = [9, 200][index / 2 % 2];
            check(&store, &known, &pair, &format!("{name} and {other}"));
        }
    }
    // No filter but one lets all through, and none nothing, or the test would show little.
    for (count, limit, name) in counts {
        assert!(
            count > 0 && (limit == 7 || count < 160 || name == "any emotion"),
            "{name}: {count}"
        );
    }
}

#[test]
fn counts_of_every_filter_alone_and_in_pairs() {
    let (_folder, store, known) = photos();
    let sad = Query {
        min_score: 0.3,
        limit: usize::MAX,
        ..Query::for_emotion(Emotion::Sad)
    };
    for (index, (name, set)) in FILTERS.iter().enumerate() {
        for (other, set_other) in &FILTERS[..=index] {
            let mut query = sad.clone();
            set(&mut query);
            set_other(&mut query);
            query.offset = 0;
            let expected = |emotions, min_score| {
                let query = Query {
                    emotions,
                    min_score,
                    ..query.clone()
                };
                answer(&query, &known).len() as u64
            };
            let expected = Counts {
                all: expected(EmotionSet::EMPTY, 0.0),
                emotions: Emotion::ALL
                    .map(|emotion| expected(EmotionSet::of(emotion), query.min_score)),
            };
            for few in [0, 1000] {
                let counts = counts_within(&store.connection, &query, few).unwrap();
                assert_eq!(counts, expected, "{name} and {other}, {few}");
            }
        }
    }
}

#[test]
fn a_shuffle_holds_what_the_filters_leave() {
    let (_folder, store, known) = photos();
    for (name, set) in FILTERS {
        let mut query = Query::for_emotion(Emotion::Happy);
        set(&mut query);
        (query.limit, query.offset) = (200, 0);
        if query.one_per_burst {
            continue; // which of a burst comes first depends on the shuffle
        }
        let mut expected: Vec<_> = answer(&query, &known)
            .into_iter()
            .map(|hit| hit.0)
            .collect();
        expected.sort();
        let shuffled = |seed, bounds| -> Vec<PhotoId> {
            let query = Query {
                order: Order::Random { seed },
                ..query.clone()
            };
            let hits = run_within(&store.connection, &query, bounds).unwrap();
            hits.into_iter().map(|hit| hit.photo).collect()
        };
        for bounds in WAYS {
            let mut found = shuffled(7, bounds);
            assert_eq!(found, shuffled(7, bounds), "{name}");
            assert!(expected.len() < 5 || found != shuffled(8, bounds), "{name}");
            found.sort();
            assert_eq!(found, expected, "{name}, {bounds:?}");
        }
    }
}
