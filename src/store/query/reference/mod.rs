//! Tests every filter, alone and in pairs, in every order and by each of the ways to an answer,
//! against a plain implementation that reads the same photos one by one.

mod album;
mod answer;

use jiff::civil::date;

use crate::emotion::{Emotion, EmotionSet};
use crate::geo::{Cell, Circle, Region};
use crate::photo::{GeoPoint, Raws};

use super::super::{PhotoId, Store};
use super::count::counts_within;
use super::hits::run_within;
use super::plan::Bounds;
use super::{Counts, Hit, Order, Query, Who};
use album::{FLORENCE, Known, TAVEUNI, VANUA_BALAVU, photos, strange_folder};
use answer::{answer, has_picture};

type Filter = (&'static str, fn(&mut Query));

const FILTERS: &[Filter] = &[
    ("happy or sad", |query| {
        query.emotions = [Emotion::Happy, Emotion::Sad].into_iter().collect();
    }),
    ("not angry", |query| {
        query.without = EmotionSet::of(Emotion::Angry);
    }),
    ("neither fear nor contempt", |query| {
        query.without = [Emotion::Fear, Emotion::Contempt].into_iter().collect();
    }),
    ("any emotion", |query| query.emotions = EmotionSet::EMPTY),
    ("min score", |query| query.min_score = Some(0.4)),
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
    ("two days and a week", |query| {
        let at = |month, day| date(2019, month, day).at(0, 0, 0, 0);
        query.taken = Some(vec![
            at(7, 20)..at(7, 27),
            at(6, 24)..at(6, 25),
            at(7, 1)..at(7, 2),
        ]);
    }),
    ("since, by files too", |query| {
        query.since = Some(date(2019, 7, 5).at(12, 0, 2, 0));
        query.file_dates = true;
    }),
    ("until, by files too", |query| {
        query.until = Some(date(2024, 7, 10).at(12, 0, 2, 0));
        query.file_dates = true;
    }),
    ("cameras", |query| {
        query.cameras = vec!["nikon".into(), "é".into()];
    }),
    ("near one of two", |query| {
        let cells = Region::Cells(vec![Cell::of(FLORENCE)]);
        query.near = Some(Region::Any(vec![circle(TAVEUNI, 50.0), cells]));
    }),
    ("in a country", |query| {
        query.near = Some(Region::Area("IT".into()));
    }),
    ("in an island or near", |query| {
        query.near = Some(Region::Any(vec![
            Region::Area("n:taveuni".into()),
            Region::Area("DE-BY".into()),
            circle(FLORENCE, 5.0),
        ]));
    }),
    ("a person", |query| query.people = vec!["ANNA".into()]),
    ("two people", |query| {
        query.people = vec!["weiß anna".into(), "ben".into()];
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
    ("camera", |query| query.cameras = vec!["canon".into()]),
    ("camera of two", |query| query.cameras = vec!["é".into()]),
    ("text", |query| query.text = Some("vacation party".into())),
    ("text in path", |query| query.text = Some("family".into())),
    ("min detection", |query| query.min_detection = Some(0.8)),
    ("min face", |query| query.min_face = Some(60.0)),
    ("one per burst", |query| query.one_per_burst = true),
    ("raws alone", |query| query.raws = Some(Raws::Alone)),
    ("offset", |query| query.offset = 3),
];

fn circle(centre: GeoPoint, km: f64) -> Region {
    Region::Circle(Circle { centre, km })
}

/// Bounds for each of the ways to an answer: the default; nothing is listed, so that every photo is checked against the
/// filters; every filter's photos are listed, and found by walks; lists are just long enough that some walks are given
/// up; nothing is listed until some photos were rejected.
const WAYS: [Bounds; 5] = [
    Bounds {
        few: 1000,
        most: 50_000,
        most_rejected: 20_000,
    },
    Bounds {
        few: 0,
        most: 0,
        most_rejected: usize::MAX,
    },
    Bounds::ALL_LISTS,
    Bounds {
        few: 30,
        most: 100,
        most_rejected: usize::MAX,
    },
    Bounds {
        few: 10,
        most: 0,
        most_rejected: 20,
    },
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
        let ranked_by = |hit: &Hit| hit.ranked_by.map(|by| (by.emotion, by.score));
        assert!(
            hits.iter()
                .zip(&expected)
                .all(|(hit, (_, _, wanted))| ranked_by(hit)
                    == wanted.map(|(emotion, score)| (emotion, score as f32))),
            "scores of {names}, {bounds:?}"
        );
    }
    expected.len()
}

#[test]
fn every_filter_alone_and_in_pairs_answers_like_the_reference() {
    let (_folder, store, known) = photos();
    let mut counts = Vec::new();
    for (index, (name, set)) in FILTERS.iter().enumerate() {
        let mut alone = Query::for_emotion(Emotion::Happy);
        set(&mut alone);
        for order in [Order::Score, Order::Date] {
            for limit in [7, 200] {
                let query = Query {
                    order,
                    limit: Some(limit),
                    ..alone.clone()
                };
                counts.push((check(&store, &known, &query, name), limit, *name));
            }
        }
        for (other, set) in &FILTERS[..index] {
            let mut pair = alone.clone();
            set(&mut pair);
            pair.order = [Order::Score, Order::Date][index % 2];
            pair.limit = Some([9, 200][index / 2 % 2]);
            check(&store, &known, &pair, &format!("{name} and {other}"));
        }
    }
    // Ten raw files were given the date of the picture beside them; of the ten others, some have no date, or the same by
    // chance.
    let left_out = known.iter().filter(|photo| has_picture(photo, &known));
    assert!((10..20).contains(&left_out.count()));
    // Only one filter admits all photos, and every filter admits some; otherwise the test would show little.
    for (count, limit, name) in counts {
        assert!(
            count > 0 && (limit == 7 || count < 160 || name == "any emotion"),
            "{name}: {count}"
        );
    }
}

#[test]
fn counts_of_every_filter_alone_and_in_pairs_equal_the_reference() {
    let (_folder, store, known) = photos();
    let sad = Query {
        min_score: Some(0.3),
        limit: None,
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
                all: expected(EmotionSet::EMPTY, query.min_score),
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
fn a_shuffle_contains_what_the_filters_leave() {
    let (_folder, store, known) = photos();
    for (name, set) in FILTERS {
        let mut query = Query::for_emotion(Emotion::Happy);
        set(&mut query);
        (query.limit, query.offset) = (Some(200), 0);
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

#[test]
fn the_standing_of_a_photo_is_its_position_in_the_answer() {
    let (_folder, store, known) = photos();
    let mut outside = 0;
    for (index, (name, set)) in FILTERS.iter().enumerate() {
        for order in [Order::Score, Order::Date, Order::Random { seed: 7 }] {
            let mut query = Query {
                order,
                limit: None,
                ..Query::for_emotion(Emotion::Happy)
            };
            set(&mut query);
            let whole = Query {
                offset: 0,
                ..query.clone()
            };
            let hits = store.query(&whole).unwrap();
            let all: Vec<PhotoId> = hits.iter().map(|hit| hit.photo).collect();
            for photo in known
                .iter()
                .map(|photo| photo.id)
                .skip(index % 3)
                .step_by(3)
            {
                let expected = all.iter().position(|hit| *hit == photo);
                outside += usize::from(expected.is_none());
                let found = store.standing(&query, photo).unwrap();
                assert_eq!(
                    found.map(|before| before as usize),
                    expected,
                    "{name}, {order:?}, {photo:?}"
                );
                let first = Query {
                    limit: Some(5),
                    ..query.clone()
                };
                let found = store.standing(&first, photo).unwrap();
                let expected = expected.filter(|before| *before < 5);
                assert_eq!(found.map(|before| before as usize), expected, "{name}");
            }
            let absent = known.iter().find(|photo| !all.contains(&photo.id));
            for (from, to) in [(0, all.len() - 1), (2, 2), (1, all.len() / 2)] {
                let (from, to) = (from.min(all.len() - 1), to.min(all.len() - 1));
                let range = &all[from.min(to)..=from.max(to)];
                for (one, other) in [(all[from], all[to]), (all[to], all[from])] {
                    let between = store.between(&query, one, other).unwrap();
                    assert_eq!(between.as_deref(), Some(range), "{name}, {order:?}");
                }
                if let Some(absent) = absent {
                    assert_eq!(store.between(&query, all[to], absent.id).unwrap(), None);
                }
            }
        }
    }
    assert!(outside > 100, "{outside}");
}
