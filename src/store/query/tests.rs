//! Tests single filters on a few photos.

use std::path::Path;

use jiff::civil::date;

use super::super::Store;
use super::super::testing::{face, photo, put, set_date, temp_store};
use super::Query;
use crate::emotion::Emotion;

const HAPPY: Query = Query::for_emotion(Emotion::Happy);

fn paths(store: &Store, query: &Query) -> Vec<String> {
    let hits = store.query(query).unwrap();
    hits.iter()
        .map(|hit| hit.path.to_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_best_face_ranks_the_photo() {
    let (_folder, mut store) = temp_store();
    put(
        &mut store,
        "/grim.jpg",
        &photo("a", vec![face(0.0, 80.0, 0.9, 0.1)]),
    );
    let group = vec![face(0.0, 80.0, 0.9, 0.2), face(500.0, 80.0, 0.9, 0.8)];
    put(&mut store, "/group.jpg", &photo("b", group));
    put(&mut store, "/nobody.jpg", &photo("c", vec![]));
    assert_eq!(paths(&store, &HAPPY), ["/group.jpg", "/grim.jpg"]);
    let sober = Query::for_emotion(Emotion::Neutral);
    assert_eq!(paths(&store, &sober), ["/grim.jpg", "/group.jpg"]);
    let happy_enough = Query {
        min_score: Some(0.5),
        ..HAPPY
    };
    assert_eq!(paths(&store, &happy_enough), ["/group.jpg"]);

    let hit = &store.query(&HAPPY).unwrap()[0];
    let ranked_by = hit.ranked_by.unwrap();
    assert_eq!(
        (ranked_by.emotion, hit.analysis.width),
        (Emotion::Happy, 4000)
    );
    assert!((ranked_by.score - 0.8).abs() < 1e-6);
    assert_eq!(hit.analysis.faces.len(), 2);
    assert!(hit.analysis.capture.position.is_some());
}

#[test]
fn equal_scores_are_ordered_by_date_then_by_path() {
    let (_folder, mut store) = temp_store();
    let mut add = |path: &str, day: i8| {
        let mut record = photo(path, vec![face(0.0, 80.0, 0.9, 0.5)]);
        set_date(&mut record, date(2020, 1, day).at(0, 0, 0, 0));
        put(&mut store, path, &record);
    };
    add("/c.jpg", 1);
    add("/b.jpg", 1);
    add("/new.jpg", 2);
    add("/a.jpg", 1);
    let all = ["/new.jpg", "/a.jpg", "/b.jpg", "/c.jpg"];
    for limit in 0..=5 {
        let query = Query {
            limit: Some(limit),
            ..HAPPY
        };
        assert_eq!(paths(&store, &query), all[..limit.min(4)], "limit {limit}");
    }
}

#[test]
fn a_span_of_time_excludes_its_end() {
    let (_folder, mut store) = temp_store();
    let at = |second| date(2020, 1, 1).at(0, 0, second, 0);
    for second in 1..=3 {
        let path = format!("/{second}.jpg");
        let mut record = photo(&path, vec![face(0.0, 80.0, 0.9, 0.5)]);
        set_date(&mut record, at(second));
        put(&mut store, &path, &record);
    }
    let span = |since: Option<i8>, until: Option<i8>| {
        let query = Query {
            since: since.map(at),
            until: until.map(at),
            ..HAPPY
        };
        paths(&store, &query)
    };
    assert_eq!(span(Some(2), Some(3)), ["/2.jpg"]);
    assert_eq!(span(Some(2), None), ["/3.jpg", "/2.jpg"]);
    assert_eq!(span(None, Some(2)), ["/1.jpg"]);
    assert_eq!(span(Some(3), Some(3)), [] as [&str; 0]);
    assert_eq!(span(None, None).len(), 3);
}

#[test]
fn a_hit_has_the_path_that_is_below_the_folder() {
    let (_folder, mut store) = temp_store();
    let record = photo("a", vec![face(0.0, 80.0, 0.9, 0.5)]);
    for path in ["/a/x.jpg", "/b/c/x.jpg", "/b/x.jpg"] {
        put(&mut store, path, &record);
    }
    put(
        &mut store,
        "/bc/y.jpg",
        &photo("b", vec![face(0.0, 80.0, 0.9, 0.9)]),
    );
    let under = |folder: &str| {
        let query = Query {
            under: Some(folder.into()),
            ..HAPPY
        };
        paths(&store, &query)
    };
    assert_eq!(under("/b"), ["/b/c/x.jpg"]);
    assert_eq!(under("/b/x.jpg"), ["/b/x.jpg"]);
    assert_eq!(under("/"), ["/bc/y.jpg", "/a/x.jpg"]);
    assert_eq!(under("/c"), [] as [&str; 0]);
}

#[test]
fn only_faces_that_count_are_ranked_and_returned() {
    let (_folder, mut store) = temp_store();
    // The happiest "face" of /a is doubtful, that of /b small.
    let doubtful = vec![face(0.0, 80.0, 0.61, 0.9), face(500.0, 80.0, 0.9, 0.3)];
    put(&mut store, "/a.jpg", &photo("a", doubtful));
    let small = vec![face(0.0, 12.0, 0.9, 0.8), face(500.0, 80.0, 0.9, 0.4)];
    put(&mut store, "/b.jpg", &photo("b", small));
    put(
        &mut store,
        "/c.jpg",
        &photo("c", vec![face(0.0, 80.0, 0.62, 0.95)]),
    );
    assert_eq!(paths(&store, &HAPPY), ["/c.jpg", "/a.jpg", "/b.jpg"]);
    let strict = Query {
        min_detection: Some(0.8),
        min_face: Some(40.0),
        ..HAPPY
    };
    assert_eq!(paths(&store, &strict), ["/b.jpg", "/a.jpg"]);
    let first = Query {
        limit: Some(1),
        ..strict
    };
    let hits = store.query(&first).unwrap();
    assert_eq!(hits[0].path, Path::new("/b.jpg"));
    assert!((hits[0].ranked_by.unwrap().score - 0.4).abs() < 1e-6);
    assert_eq!(hits[0].analysis.faces.len(), 1);
}
