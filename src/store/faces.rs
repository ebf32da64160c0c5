//! The faces of a photo.

use rusqlite::{Connection, Row, params};

use crate::emotion::{Emotion, EmotionScores};
use crate::face::{BoundingBox, Correction, DetectedFace, ScoredFace};
use crate::photo::ContentHash;

use super::codec::{detected_from_columns, landmark_bytes};
use super::corrections::{self, Placed};
use super::record::{FaceId, PhotoId, StoredFace};

/// Boxes that overlap at least this much (intersection over union) are the same face.
const SAME_FACE: f32 = 0.5;

/// The beginning of a statement whose rows [`from_row`] reads.
macro_rules! columns {
    () => {
        "SELECT f.id, f.x, f.y, f.width, f.height, landmarks, detection_score, c.id, c.emotion,
                angry, disgust, fear, happy, sad, surprise, neutral, contempt, f.photo_id
         FROM faces f LEFT JOIN corrections c ON c.id = f.correction"
    };
}

/// Column of the photo in [`from_row`]'s rows.
const PHOTO: usize = FIRST_SCORE + Emotion::COUNT;

/// Column of the first probability in them.
const FIRST_SCORE: usize = 9;

/// The faces of `photo` in the detector's order.
pub(super) fn of_photo(db: &Connection, photo: PhotoId) -> rusqlite::Result<Vec<StoredFace>> {
    const OF_PHOTO: &str = concat!(columns!(), " WHERE f.photo_id = ? ORDER BY position");
    db.prepare_cached(OF_PHOTO)?
        .query_map([photo], from_row)?
        .collect()
}

/// Hands every face of every photo to `visit`, photo by photo.
pub(super) fn each(
    db: &Connection,
    mut visit: impl FnMut(PhotoId, &StoredFace) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    const ALL: &str = concat!(columns!(), " ORDER BY f.photo_id, position");
    let mut statement = db.prepare(ALL)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        visit(row.get(PHOTO)?, &from_row(row)?)?;
    }
    Ok(())
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<StoredFace> {
    let corrected: Option<i64> = row.get(7)?;
    let mut scores = [0.0; Emotion::COUNT];
    for (index, score) in scores.iter_mut().enumerate() {
        *score = row.get(FIRST_SCORE + index)?;
    }
    Ok(StoredFace {
        id: row.get(0)?,
        face: detected_from_columns(row, 1)?,
        scores: EmotionScores::new(scores),
        correction: corrected
            .map(|_| corrections::from_column(row, 8))
            .transpose()?,
    })
}

/// Puts `faces` in the place of those that `photo`, whose content is `hash`, had. A face found
/// again keeps its number, and what a person said of it holds. A face that a person vouched for
/// stays even if it was not found again.
pub(super) fn replace(
    db: &Connection,
    photo: PhotoId,
    hash: &ContentHash,
    faces: &[ScoredFace],
) -> rusqlite::Result<()> {
    let mut old = of_photo(db, photo)?;
    let mut said = corrections::of_content(db, hash)?;
    remove_all(db, photo)?;
    let old_box = |face: &StoredFace| face.face.bounding_box;
    let said_box = |placed: &Placed| placed.at;
    for (position, face) in faces.iter().enumerate() {
        let at = &face.face.bounding_box;
        let number = take_same(&mut old, at, old_box).map(|face| face.id);
        let word = take_same(&mut said, at, said_box).map(|placed| placed.id);
        insert(db, photo, position, face, number, word)?;
    }
    let mut position = faces.len();
    for placed in said {
        if let Correction::Emotion(emotion) = placed.correction {
            let before = take_same(&mut old, &placed.at, old_box);
            let face = before.map_or_else(
                || unseen(placed.at, emotion),
                |StoredFace { face, scores, .. }| ScoredFace { face, scores },
            );
            let number = before.map(|face| face.id);
            insert(db, photo, position, &face, number, Some(placed.id))?;
            position += 1;
        }
    }
    Ok(())
}

/// A face that only a person has seen.
fn unseen(at: BoundingBox, emotion: Emotion) -> ScoredFace {
    let mut scores = [0.0; Emotion::COUNT];
    scores[emotion.index()] = 1.0;
    ScoredFace {
        face: DetectedFace {
            bounding_box: at,
            landmarks: None,
            score: 0.0,
        },
        scores: EmotionScores::new(scores),
    }
}

/// Size and surety of a face that a person vouched for: it counts, whatever they were.
const VOUCHED: f32 = 1e9;

/// Gives the faces of a photo their places by size and by detection score; what is no face has none.
pub(super) fn place(db: &Connection, faces: &[StoredFace]) -> rusqlite::Result<()> {
    let valued = |value: fn(&StoredFace) -> f32| -> Vec<Option<f32>> {
        let of = |face: &StoredFace| match face.correction {
            None => Some(value(face)),
            Some(Correction::Emotion(_)) => Some(VOUCHED),
            Some(Correction::NotAFace) => None,
        };
        faces.iter().map(of).collect()
    };
    let sides = valued(|face| face.face.bounding_box.short_side());
    let sureties = valued(|face| face.face.score);
    let mut update = db.prepare_cached(
        "UPDATE faces SET side = ?, side_place = ?, surety = ?, surety_place = ? WHERE id = ?",
    )?;
    for (index, face) in faces.iter().enumerate() {
        update.execute(params![
            sides[index],
            place_of(&sides, index),
            sureties[index],
            place_of(&sureties, index),
            face.id
        ])?;
    }
    Ok(())
}

/// The place of one of several values, 1 for the greatest; of equals the first comes first.
fn place_of(values: &[Option<f32>], index: usize) -> Option<i64> {
    let own = values[index]?;
    let is_before = |(other, value): &(usize, &Option<f32>)| {
        value.is_some_and(|value| value > own || value >= own && *other < index)
    };
    Some(1 + values.iter().enumerate().filter(is_before).count() as i64)
}

/// Removes the faces of `photo`.
pub(super) fn remove_all(db: &Connection, photo: PhotoId) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM faces WHERE photo_id = ?")?
        .execute([photo])?;
    Ok(())
}

fn insert(
    db: &Connection,
    photo: PhotoId,
    position: usize,
    ScoredFace { face, scores }: &ScoredFace,
    number: Option<FaceId>,
    correction: Option<i64>,
) -> rusqlite::Result<()> {
    let at = &face.bounding_box;
    let [
        angry,
        disgust,
        fear,
        happy,
        sad,
        surprise,
        neutral,
        contempt,
    ] = scores.as_array();
    db.prepare_cached(
        "INSERT INTO faces (id, photo_id, position, x, y, width, height, landmarks,
                            detection_score, correction,
                            angry, disgust, fear, happy, sad, surprise, neutral, contempt)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        number,
        photo,
        position as i64,
        at.x,
        at.y,
        at.width,
        at.height,
        face.landmarks.as_ref().map(landmark_bytes),
        face.score,
        correction,
        angry,
        disgust,
        fear,
        happy,
        sad,
        surprise,
        neutral,
        contempt
    ])?;
    Ok(())
}

/// Takes out the one that lies where `at` is, so that each is found once.
fn take_same<T>(
    all: &mut Vec<T>,
    at: &BoundingBox,
    place: impl Fn(&T) -> BoundingBox,
) -> Option<T> {
    let (index, _) = all
        .iter()
        .map(|one| place(one).iou(at))
        .enumerate()
        .filter(|(_, overlap)| *overlap >= SAME_FACE)
        .max_by(|a, b| a.1.total_cmp(&b.1))?;
    Some(all.swap_remove(index))
}
