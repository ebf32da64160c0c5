//! Stores people's corrections of faces. A correction belongs to a picture and a box in it, so that
//! it applies to whatever face a model finds there, in every file with that picture.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, named_params, params};

use crate::face::{BoundingBox, Correction};
use crate::photo::{ContentHash, Picture};

use super::codec::{bounding_box_from_columns, correction_from_column, orientation_from_column};
use super::record::{FaceId, PhotoId, StoredCorrection};
use super::same_picture::Frame;
use super::{faces, same_picture};

/// The corrections that apply to a photo, with their boxes in its coordinates: those of its picture, whatever the
/// orientation, and those of its content that were made before its picture was known. Of several that belong to the same
/// face, the latest.
pub(super) fn of_frame(db: &Connection, frame: &Frame) -> rusqlite::Result<Vec<StoredCorrection>> {
    let mut all = every_of_frame(db, frame)?;
    let mut latest: Vec<StoredCorrection> = Vec::with_capacity(all.len());
    while let Some(correction) = all.pop() {
        if !latest.iter().any(|later| is_of_face(later, &correction.at)) {
            latest.push(correction);
        }
    }
    latest.reverse();
    Ok(latest)
}

/// Like [`of_frame`], but with those that later ones have replaced; in the order in which they were made.
fn every_of_frame(db: &Connection, frame: &Frame) -> rusqlite::Result<Vec<StoredCorrection>> {
    db.prepare_cached(
        "SELECT id, x, y, width, height, emotion, orientation, made_at FROM corrections WHERE picture = :picture
         UNION ALL
         SELECT id, x, y, width, height, emotion, orientation, made_at FROM corrections
         WHERE hash = :hash AND picture IS NULL
         ORDER BY made_at, id",
    )?
    .query_map(
        named_params! {":picture": frame.picture.map(|picture| picture.hash), ":hash": frame.hash},
        |row| {
            let at = bounding_box_from_columns(row, 1)?;
            Ok(StoredCorrection {
                id: row.get(0)?,
                at: frame.bounding_box(&at, orientation_from_column(row, 6)?),
                correction: correction_from_column(row, 5)?,
            })
        },
    )?
    .collect()
}

/// Whether a correction belongs to the face in a box.
fn is_of_face(correction: &StoredCorrection, at: &BoundingBox) -> bool {
    correction.at.iou(at) >= faces::SAME_FACE
}

/// Stores the picture of a content with its corrections, so that they apply to every file with that picture.
pub(super) fn set_picture(
    db: &Connection,
    hash: &ContentHash,
    picture: &Picture,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE corrections SET picture = ?, orientation = ? WHERE hash = ? AND picture IS NULL",
    )?
    .execute(params![picture.hash, picture.orientation.exif(), hash])?;
    Ok(())
}

/// Stores a correction in place of an earlier one, whose row it takes over, so that a worker who has found the earlier one for
/// an edit carries this one over; `false` if there is no such face.
pub(super) fn put(db: &Connection, face: FaceId, correction: Correction) -> rusqlite::Result<bool> {
    let Some(removed) = remove(db, face)? else {
        return Ok(false);
    };
    let emotion = match correction {
        Correction::Emotion(emotion) => Some(emotion.index() as i64),
        Correction::NotAFace => None,
    };
    let id: i64 = db
        .prepare_cached(
            "INSERT INTO corrections (id, hash, picture, orientation, x, y, width, height, emotion, made_at)
             SELECT :id, hash, picture, iif(picture IS NULL, NULL, orientation), x, y, f.width, f.height,
                    :emotion, :now
             FROM faces f JOIN photos p ON p.id = f.photo_id WHERE f.id = :face
             RETURNING id",
        )?
        .query_row(
            named_params! {
                ":id": removed.correction,
                ":emotion": emotion,
                ":now": Timestamp::now().as_millisecond(),
                ":face": face,
            },
            |row| row.get(0),
        )?;
    db.prepare_cached("UPDATE faces SET correction = :id WHERE id = :face")?
        .execute(named_params! {":id": id, ":face": face})?;
    for sibling in same_picture::siblings(db, removed.photo)? {
        apply(db, sibling)?;
    }
    Ok(true)
}

/// Removes the correction of a face; `false` if there was none.
pub(super) fn undo(db: &Connection, face: FaceId) -> rusqlite::Result<bool> {
    let removed = remove(db, face)?.and_then(|removed| removed.correction);
    if let Some(correction) = removed {
        delete(db, correction)?;
    }
    Ok(removed.is_some())
}

/// Assigns the corrections of a photo to its faces anew.
pub(super) fn apply(db: &Connection, photo: PhotoId) -> rusqlite::Result<()> {
    let Some(frame) = same_picture::frame_of(db, photo)? else {
        return Ok(());
    };
    let old = faces::of_photo(db, photo)?;
    let found = old.iter().map(faces::FoundFace::again).collect();
    let new = faces::merge(found, &old, of_frame(db, &frame)?);
    faces::replace(db, photo, true, &old, &new)
}

/// Deletes a correction. The faces that had it have none then, and the corrections that were carried over from it stay,
/// as corrections of their own.
pub(super) fn delete(db: &Connection, correction: i64) -> rusqlite::Result<()> {
    delete_row(db, correction)?;
    // The next correction may get its ID.
    db.prepare_cached("UPDATE undone_corrections SET declined = NULL WHERE declined = ?")?
        .execute([correction])?;
    Ok(())
}

fn delete_row(db: &Connection, correction: i64) -> rusqlite::Result<()> {
    for statement in [
        "UPDATE faces SET correction = NULL WHERE correction = ?",
        "UPDATE corrections SET carried_from = NULL WHERE carried_from = ?",
        "DELETE FROM corrections WHERE id = ?",
    ] {
        db.prepare_cached(statement)?.execute([correction])?;
    }
    Ok(())
}

/// What the removal of a correction has changed.
struct RemovedCorrection {
    /// The photo of the face.
    photo: PhotoId,
    /// The correction that the face had.
    correction: Option<i64>,
}

/// Removes the correction of a face from all photos with its picture, and the earlier corrections that it replaced. Its ID may
/// be given to the correction that takes its place. `None` if there is no such face.
fn remove(db: &Connection, face: FaceId) -> rusqlite::Result<Option<RemovedCorrection>> {
    let known: Option<(PhotoId, Option<i64>)> = db
        .prepare_cached("SELECT photo_id, correction FROM faces WHERE id = ?")?
        .query_row([face], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((photo, correction)) = known else {
        return Ok(None);
    };
    let frame = same_picture::frame_of(db, photo)?;
    if let (Some(correction), Some(frame)) = (correction, frame) {
        let all = every_of_frame(db, &frame)?;
        let own = all.iter().find(|other| other.id == correction);
        let at = own.map(|own| own.at);
        let is_replaced = |other: &&StoredCorrection| at.is_some_and(|at| is_of_face(other, &at));
        for other in all.iter().filter(is_replaced) {
            if other.id != correction {
                delete(db, other.id)?;
            }
        }
        delete_row(db, correction)?;
    }
    Ok(Some(RemovedCorrection { photo, correction }))
}

#[cfg(test)]
mod tests {
    use crate::emotion::Emotion::{self, Happy, Neutral, Sad};
    use crate::error::{Skip, SkipReason};
    use crate::face::ScoredFace;

    use super::super::testing::{face, photo, put, temp_store};
    use super::super::{PhotoId, Query, Store, StoredFace};
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

    #[test]
    fn what_is_no_human_face_counts_only_if_a_person_vouches_for_it() {
        let (_folder, mut store) = temp_store();
        let mut pet = face(0.0, 80.0, 0.95, 0.9);
        pet.scores = pet.scores.with_human(Some(0.2));
        let person = face(500.0, 80.0, 0.9, 0.4);
        let scores = (pet.scores, person.scores);
        let id = put(&mut store, "/a.jpg", &photo("a", vec![pet, person]));
        let stored = faces(&store, id);
        assert_eq!((stored[0].scores, stored[1].scores), scores);
        assert_eq!((stored[0].top(), stored[1].top()), (None, Some(Neutral)));
        assert_eq!(score(&store, Happy), Some(0.4));
        let one_face = Query {
            faces: Some(1..=1),
            ..Query::for_emotion(Happy)
        };
        let hits = store.query(&one_face).unwrap();
        assert_eq!(hits[0].analysis.faces, [stored[1]]);

        store
            .correct(stored[0].id, Correction::Emotion(Happy))
            .unwrap();
        assert_eq!(score(&store, Happy), Some(1.0));
        store.undo(stored[0].id).unwrap();
        assert_eq!(score(&store, Happy), Some(0.4));
        // Its ranking counts as up to date, so that no later transaction computes it again.
        let unranked = super::super::derived::UNRANKED;
        let mut again = store.connection.prepare(unranked).unwrap();
        assert!(!again.exists([]).unwrap());
    }
}
