//! The faces of a photo.

use rusqlite::{Connection, Row, params};

use crate::emotion::{Emotion, EmotionScores};
use crate::face::{BoundingBox, DetectedFace, ScoredFace};

use super::codec::{landmark_bytes, landmarks_from};
use super::record::{FaceId, PhotoId, StoredFace};

/// Boxes that overlap at least this much (intersection over union) are the same face.
const SAME_FACE: f32 = 0.5;

/// Column of the first probability in [`of_photo`]'s answer.
const FIRST_SCORE: usize = 7;

/// The faces of `photo` in the detector's order.
pub(super) fn of_photo(db: &Connection, photo: PhotoId) -> rusqlite::Result<Vec<StoredFace>> {
    db.prepare_cached(
        "SELECT id, x, y, width, height, landmarks, detection_score,
                angry, disgust, fear, happy, sad, surprise, neutral, contempt
         FROM faces WHERE photo_id = ? ORDER BY position",
    )?
    .query_map([photo], from_row)?
    .collect()
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<StoredFace> {
    let landmarks: Option<[u8; 40]> = row.get(5)?;
    let mut scores = [0.0; Emotion::COUNT];
    for (index, score) in scores.iter_mut().enumerate() {
        *score = row.get(FIRST_SCORE + index)?;
    }
    Ok(StoredFace {
        id: row.get(0)?,
        face: DetectedFace {
            bounding_box: BoundingBox {
                x: row.get(1)?,
                y: row.get(2)?,
                width: row.get(3)?,
                height: row.get(4)?,
            },
            landmarks: landmarks.as_ref().map(landmarks_from),
            score: row.get(6)?,
        },
        scores: EmotionScores::new(scores),
    })
}

/// Puts `faces` in the place of those that `photo` had. A face found again keeps its number.
pub(super) fn replace(
    db: &Connection,
    photo: PhotoId,
    faces: &[ScoredFace],
) -> rusqlite::Result<()> {
    let mut old = of_photo(db, photo)?;
    db.prepare_cached("DELETE FROM faces WHERE photo_id = ?")?
        .execute([photo])?;
    let mut insert = db.prepare_cached(
        "INSERT INTO faces (id, photo_id, position, x, y, width, height, landmarks,
                            detection_score,
                            angry, disgust, fear, happy, sad, surprise, neutral, contempt)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    for (position, ScoredFace { face, scores }) in faces.iter().enumerate() {
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
        insert.execute(params![
            take_same(&mut old, at),
            photo,
            position as i64,
            at.x,
            at.y,
            at.width,
            at.height,
            face.landmarks.as_ref().map(landmark_bytes),
            face.score,
            angry,
            disgust,
            fear,
            happy,
            sad,
            surprise,
            neutral,
            contempt
        ])?;
    }
    Ok(())
}

/// The number of the old face that lies where the new one does; each is given once.
fn take_same(old: &mut Vec<StoredFace>, at: &BoundingBox) -> Option<FaceId> {
    let overlap = |face: &StoredFace| face.face.bounding_box.iou(at);
    let (index, _) = old
        .iter()
        .map(overlap)
        .enumerate()
        .filter(|(_, overlap)| *overlap >= SAME_FACE)
        .max_by(|a, b| a.1.total_cmp(&b.1))?;
    Some(old.swap_remove(index).id)
}
