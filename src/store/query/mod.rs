//! Which photos show an emotion most.

use std::cmp::Ordering;
use std::path::PathBuf;

use jiff::civil::DateTime;
use rusqlite::Connection;

use crate::emotion::Emotion;

use super::path::decode;
use super::record::{PhotoId, Scan, StoredFace};
use super::scores::{Ranked, walk};
use super::{faces, photos};

/// A question. What is `None` or zero does not restrict.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// By which emotion photos are ranked.
    pub emotion: Emotion,
    /// Least probability of it, 0 to 1.
    pub min_score: f32,
    /// Taken at this local time or later.
    pub since: Option<DateTime>,
    /// Taken before this local time.
    pub until: Option<DateTime>,
    /// Lies in or below this folder, or is this file; an absolute path.
    pub under: Option<PathBuf>,
    /// Only faces with at least this detection score count, 0 to 1.
    pub min_detection: f32,
    /// Only faces whose shorter side has at least this many pixels count.
    pub min_face: f32,
    /// How many photos at most.
    pub limit: usize,
}

impl Query {
    /// The twenty photos that show `emotion` most.
    pub const fn for_emotion(emotion: Emotion) -> Self {
        Self {
            emotion,
            min_score: 0.0,
            since: None,
            until: None,
            under: None,
            min_detection: 0.0,
            min_face: 0.0,
            limit: 20,
        }
    }

    fn counts(&self, face: &StoredFace) -> bool {
        face.face.score >= self.min_detection
            && face.face.bounding_box.short_side() >= self.min_face
    }
}

/// A photo in an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The photo.
    pub photo: PhotoId,
    /// Where it lies: of several paths the first that the query admits.
    pub path: PathBuf,
    /// By which emotion it was ranked.
    pub emotion: Emotion,
    /// Probability of the emotion for the best face that counts.
    pub score: f32,
    /// What is known of the photo, with the faces that count.
    pub scan: Scan<StoredFace>,
}

/// Order of an answer as far as the ranking tells: best score first, then latest date.
fn by_rank(a: &Ranked, b: &Ranked) -> Ordering {
    let by_score = b.score.total_cmp(&a.score);
    by_score.then_with(|| b.taken.cmp(&a.taken))
}

/// Order of an answer. No two photos are equal: ties go by path.
fn by_place(a: &Ranked, b: &Ranked) -> Ordering {
    by_rank(a, b).then_with(|| a.path.cmp(&b.path))
}

/// See [`Store::query`](super::Store::query).
///
/// The ranking knows the best of all faces. Where only some count, that is an upper bound: a photo
/// is given its exact score as it comes, and the walk ends when the bound falls behind the last of
/// a full answer (the threshold algorithm of Fagin, Lotem and Naor, PODS 2001).
pub(super) fn run(db: &Connection, query: &Query) -> rusqlite::Result<Vec<Hit>> {
    if query.limit == 0 {
        return Ok(Vec::new());
    }
    let mut best: Vec<(Ranked, Vec<StoredFace>)> = Vec::new();
    walk(db, query, |mut ranked| {
        let is_full = best.len() == query.limit;
        if is_full
            && best
                .last()
                .is_some_and(|(last, _)| by_rank(&ranked, last).is_gt())
        {
            return Ok(false);
        }
        let mut faces = faces::of_photo(db, ranked.photo)?;
        faces.retain(|face| query.counts(face));
        let exact = faces
            .iter()
            .map(|face| face.scores[query.emotion])
            .max_by(f32::total_cmp);
        if let Some(score) = exact.filter(|score| *score >= query.min_score) {
            ranked.score = score;
            let place = best.partition_point(|(other, _)| by_place(other, &ranked).is_lt());
            best.insert(place, (ranked, faces));
            best.truncate(query.limit);
        }
        Ok(true)
    })?;
    best.into_iter()
        .filter_map(|(ranked, faces)| hit(db, query.emotion, &ranked, faces).transpose())
        .collect()
}

fn hit(
    db: &Connection,
    emotion: Emotion,
    ranked: &Ranked,
    faces: Vec<StoredFace>,
) -> rusqlite::Result<Option<Hit>> {
    let photo = photos::bare(db, ranked.photo)?;
    Ok(photo.and_then(|photo| photo.content.ok()).map(|scan| Hit {
        photo: ranked.photo,
        path: decode(&ranked.path),
        emotion,
        score: ranked.score,
        scan: Scan { faces, ..scan },
    }))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use jiff::civil::date;

    use super::super::Store;
    use super::super::testing::{face, fill, photo, put, set_date, temp_store};
    use super::*;

    const HAPPY: Query = Query::for_emotion(Emotion::Happy);

    fn ask(store: &Store, query: &Query) -> Vec<String> {
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
        assert_eq!(ask(&store, &HAPPY), ["/group.jpg", "/grim.jpg"]);
        let sober = Query::for_emotion(Emotion::Neutral);
        assert_eq!(ask(&store, &sober), ["/grim.jpg", "/group.jpg"]);
        let happy_enough = Query {
            min_score: 0.5,
            ..HAPPY
        };
        assert_eq!(ask(&store, &happy_enough), ["/group.jpg"]);

        let hit = &store.query(&HAPPY).unwrap()[0];
        assert_eq!((hit.emotion, hit.scan.width), (Emotion::Happy, 4000));
        assert!((hit.score - 0.8).abs() < 1e-6);
        assert_eq!(hit.scan.faces.len(), 2);
        assert!(hit.scan.capture.position.is_some());
    }

    #[test]
    fn ties_go_to_the_latest_then_by_path() {
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
            let query = Query { limit, ..HAPPY };
            assert_eq!(ask(&store, &query), all[..limit.min(4)], "limit {limit}");
        }
    }

    #[test]
    fn a_span_of_time_is_half_open() {
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
            ask(&store, &query)
        };
        assert_eq!(span(Some(2), Some(3)), ["/2.jpg"]);
        assert_eq!(span(Some(2), None), ["/3.jpg", "/2.jpg"]);
        assert_eq!(span(None, Some(2)), ["/1.jpg"]);
        assert_eq!(span(Some(3), Some(3)), [] as [&str; 0]);
        assert_eq!(span(None, None).len(), 3);
    }

    #[test]
    fn under_takes_the_path_that_lies_there() {
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
            ask(&store, &query)
        };
        assert_eq!(under("/b"), ["/b/c/x.jpg"]);
        assert_eq!(under("/b/x.jpg"), ["/b/x.jpg"]);
        assert_eq!(under("/"), ["/bc/y.jpg", "/a/x.jpg"]);
        assert_eq!(under("/c"), [] as [&str; 0]);
    }

    #[test]
    fn only_faces_that_count_rank_and_show() {
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
        assert_eq!(ask(&store, &HAPPY), ["/c.jpg", "/a.jpg", "/b.jpg"]);
        let strict = Query {
            min_detection: 0.8,
            min_face: 40.0,
            ..HAPPY
        };
        assert_eq!(ask(&store, &strict), ["/b.jpg", "/a.jpg"]);
        let first = Query { limit: 1, ..strict };
        let hits = store.query(&first).unwrap();
        assert_eq!(hits[0].path, Path::new("/b.jpg"));
        assert!((hits[0].score - 0.4).abs() < 1e-6);
        assert_eq!(hits[0].scan.faces.len(), 1);
    }

    #[test]
    fn the_walk_finds_what_a_full_sort_finds() {
        let (_folder, mut store) = temp_store();
        fill(&mut store, 500);
        let whole = Query {
            limit: 500,
            min_detection: 0.85,
            ..HAPPY
        };
        let all = store.query(&whole).unwrap();
        let expected = {
            let mut sorted = all.clone();
            sorted.sort_by(|a, b| {
                let taken = |hit: &Hit| hit.scan.capture.taken_at.map(|taken| taken.local);
                b.score
                    .total_cmp(&a.score)
                    .then_with(|| taken(b).cmp(&taken(a)))
                    .then_with(|| a.path.cmp(&b.path))
            });
            sorted
        };
        assert!(all.len() > 100 && all == expected);
        for limit in [1, 7, 50] {
            let query = Query {
                limit,
                ..whole.clone()
            };
            assert_eq!(store.query(&query).unwrap(), all[..limit]);
        }
    }
}
