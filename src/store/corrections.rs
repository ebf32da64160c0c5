//! Stores people's corrections of faces. A correction belongs to a content and a box in it, so that
//! it applies to whatever face a model finds there.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, named_params, params};

use crate::face::{BoundingBox, Correction};
use crate::photo::ContentHash;

use super::codec::correction_from_column;
use super::record::{FaceId, JudgedFace, PhotoId, StoredCorrection, StoredFace};
use super::{faces, scores};

/// The corrections of a content.
pub(super) fn of_content(
    db: &Connection,
    hash: &ContentHash,
) -> rusqlite::Result<Vec<StoredCorrection>> {
    db.prepare_cached(
        "SELECT id, x, y, width, height, emotion FROM corrections WHERE hash = ? ORDER BY id",
    )?
    .query_map([hash], |row| {
        Ok(StoredCorrection {
            id: row.get(0)?,
            at: BoundingBox {
                x: row.get(1)?,
                y: row.get(2)?,
                width: row.get(3)?,
                height: row.get(4)?,
            },
            correction: correction_from_column(row, 5)?,
        })
    })?
    .collect()
}

/// Stores a correction in place of an earlier one; `false` if there is no such face.
pub(super) fn put(db: &Connection, face: FaceId, correction: Correction) -> rusqlite::Result<bool> {
    let Some(photo) = remove(db, face)?.map(|(photo, _)| photo) else {
        return Ok(false);
    };
    let emotion = match correction {
        Correction::Emotion(emotion) => Some(emotion.index() as i64),
        Correction::NotAFace => None,
    };
    let id: i64 = db
        .prepare_cached(
            "INSERT INTO corrections (hash, x, y, width, height, emotion, made_at)
             SELECT hash, x, y, f.width, f.height, :emotion, :now
             FROM faces f JOIN photos p ON p.id = f.photo_id WHERE f.id = :face
             RETURNING id",
        )?
        .query_row(
            named_params! {
                ":emotion": emotion,
                ":now": Timestamp::now().as_millisecond(),
                ":face": face,
            },
            |row| row.get(0),
        )?;
    db.prepare_cached("UPDATE faces SET correction = :id WHERE id = :face")?
        .execute(named_params! {":id": id, ":face": face})?;
    rank(db, photo)?;
    Ok(true)
}

/// Removes the correction of a face; `false` if there was none.
pub(super) fn undo(db: &Connection, face: FaceId) -> rusqlite::Result<bool> {
    match remove(db, face)? {
        Some((photo, true)) => {
            rank(db, photo)?;
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// Ranks a photo and its faces again, by the models' scores and the corrections.
pub(super) fn rank(db: &Connection, photo: PhotoId) -> rusqlite::Result<()> {
    let faces = faces::of_photo(db, photo)?;
    faces::rank(db, &faces)?;
    let mut judged: Vec<JudgedFace> = faces.iter().map(StoredFace::judged).collect();
    judged.retain(JudgedFace::is_face);
    let taken_local = db
        .prepare_cached("UPDATE photos SET face_count = ? WHERE id = ? RETURNING taken_local")?
        .query_row(params![judged.len() as i64, photo], |row| row.get(0))?;
    scores::replace(db, photo, true, taken_local, &judged)
}

/// Removes the correction of a face. Returns the face's photo and whether there was a correction;
/// `None` if there is no such face.
fn remove(db: &Connection, face: FaceId) -> rusqlite::Result<Option<(PhotoId, bool)>> {
    let known: Option<(PhotoId, Option<i64>)> = db
        .prepare_cached("SELECT photo_id, correction FROM faces WHERE id = ?")?
        .query_row([face], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some((_, Some(correction))) = known {
        db.prepare_cached("UPDATE faces SET correction = NULL WHERE correction = ?")?
            .execute([correction])?;
        db.prepare_cached("DELETE FROM corrections WHERE id = ?")?
            .execute([correction])?;
    }
    Ok(known.map(|(photo, correction)| (photo, correction.is_some())))
}

#[cfg(test)]
mod tests {
    use crate::emotion::Emotion::{self, Happy, Sad};
    use crate::error::{Skip, SkipReason};
    use crate::face::ScoredFace;

    use super::super::testing::{face, photo, put, temp_store};
    use super::super::{Query, Store, StoredFace};
    use super::*;

    const SAD: Correction = Correction::Emotion(Sad);

    fn faces(store: &Store, id: PhotoId) -> Vec<StoredFace> {
        store.photo(id).unwrap().unwrap().content.unwrap().faces
    }

    /// The score for an emotion of the first photo in the ranking.
    fn score(store: &Store, emotion: Emotion) -> Option<f32> {
        let hits = store.query(&Query::for_emotion(emotion)).unwrap();
        hits.first()?.ranked_by.map(|by| by.score)
    }

    fn two_faces() -> Vec<ScoredFace> {
        vec![face(0.0, 80.0, 0.9, 0.75), face(500.0, 80.0, 0.9, 0.25)]
    }

    #[test]
    fn a_photo_is_ranked_by_a_correction_until_it_is_undone() {
        let (_folder, mut store) = temp_store();
        let id = put(&mut store, "/a.jpg", &photo("a", two_faces()));
        let happier = faces(&store, id)[0].id;

        assert!(store.correct(happier, SAD).unwrap());
        assert_eq!(score(&store, Sad), Some(1.0));
        assert_eq!(score(&store, Happy), Some(0.25));
        assert_eq!(faces(&store, id)[0].correction, Some(SAD));
        assert!((faces(&store, id)[0].scores[Happy] - 0.75).abs() < 1e-6);

        assert!(store.correct(happier, Correction::NotAFace).unwrap());
        assert_eq!(score(&store, Sad), Some(0.0));
        assert_eq!(score(&store, Happy), Some(0.25));
        assert_eq!(store.totals().unwrap().faces, 1);

        assert!(store.undo(happier).unwrap());
        assert_eq!(score(&store, Happy), Some(0.75));
        assert_eq!(store.totals().unwrap().faces, 2);
        assert!(!store.undo(happier).unwrap());
        assert!(!store.correct(FaceId(99), SAD).unwrap());
    }

    #[test]
    fn a_photo_whose_only_face_is_rejected_has_no_score() {
        let (_folder, mut store) = temp_store();
        let only = vec![face(0.0, 80.0, 0.9, 0.75)];
        let id = put(&mut store, "/a.jpg", &photo("a", only));
        let number = faces(&store, id)[0].id;
        store.correct(number, Correction::NotAFace).unwrap();
        assert_eq!(score(&store, Happy), None);
    }

    #[test]
    fn a_new_analysis_keeps_corrections_where_the_boxes_overlap() {
        let (_folder, mut store) = temp_store();
        let id = put(&mut store, "/a.jpg", &photo("a", two_faces()));
        let [first, second] = [0, 1].map(|index| faces(&store, id)[index].id);
        store.correct(first, SAD).unwrap();
        store.correct(second, Correction::NotAFace).unwrap();

        // Other boxes, other order, other scores, and a third face.
        let again = vec![
            face(506.0, 78.0, 0.7, 0.9),
            face(1000.0, 80.0, 0.9, 0.5),
            face(4.0, 82.0, 0.6, 0.9),
        ];
        put(&mut store, "/a.jpg", &photo("a", again));
        let corrections: Vec<_> = faces(&store, id)
            .iter()
            .map(|face| (face.id, face.correction))
            .collect();
        assert_eq!(corrections[0], (second, Some(Correction::NotAFace)));
        assert_eq!(corrections[1].1, None);
        assert_eq!(corrections[2], (first, Some(SAD)));
        assert_eq!(score(&store, Happy), Some(0.5));
        assert_eq!(score(&store, Sad), Some(1.0));
    }

    #[test]
    fn a_face_that_a_person_vouched_for_is_kept_when_no_model_finds_it() {
        let (_folder, mut store) = temp_store();
        let id = put(&mut store, "/a.jpg", &photo("a", two_faces()));
        let vouched = faces(&store, id)[0];
        store.correct(vouched.id, SAD).unwrap();
        store
            .correct(faces(&store, id)[1].id, Correction::NotAFace)
            .unwrap();
        put(&mut store, "/a.jpg", &photo("a", vec![]));
        let left = faces(&store, id);
        let expected = StoredFace {
            correction: Some(SAD),
            ..vouched
        };
        assert_eq!(left, [expected]);
        assert_eq!(score(&store, Sad), Some(1.0));
    }

    #[test]
    fn corrections_survive_a_skip_and_the_deletion_of_the_photo() {
        let (_folder, mut store) = temp_store();
        let record = photo("a", two_faces());
        let id = put(&mut store, "/a.jpg", &record);
        let number = faces(&store, id)[0].id;
        store.correct(number, SAD).unwrap();

        let mut skipped = photo("a", vec![]);
        skipped.content = Err(Skip::new(SkipReason::TimedOut, "took 30 s"));
        put(&mut store, "/a.jpg", &skipped);
        assert_eq!(score(&store, Sad), None);
        put(&mut store, "/a.jpg", &record);
        assert_eq!(score(&store, Sad), Some(1.0));

        store
            .batch(|batch| batch.remove_file(std::path::Path::new("/a.jpg")))
            .unwrap();
        assert_eq!(store.prune(std::time::Duration::ZERO).unwrap(), 1);
        assert_eq!(score(&store, Sad), None);
        let again = put(&mut store, "/b.jpg", &photo("a", vec![]));
        assert_eq!(score(&store, Sad), Some(1.0));
        assert_eq!(faces(&store, again)[0].correction, Some(SAD));
    }

    #[test]
    fn a_corrected_face_counts_whatever_its_detection_score_and_size() {
        let (_folder, mut store) = temp_store();
        let id = put(
            &mut store,
            "/a.jpg",
            &photo("a", vec![face(0.0, 8.0, 0.1, 0.9)]),
        );
        let strict = Query {
            min_detection: Some(0.6),
            min_face: Some(16.0),
            ..Query::for_emotion(Sad)
        };
        assert_eq!(store.query(&strict).unwrap(), []);
        store.correct(faces(&store, id)[0].id, SAD).unwrap();
        assert_eq!(store.query(&strict).unwrap().len(), 1);
    }
}
