//! Faces that are too small to be read.

use rusqlite::{Connection, params};

use crate::face::{BoundingBox, DetectedFace};

use super::codec::{landmark_bytes, landmarks_from};
use super::record::PhotoId;

/// The unread faces of `photo` in the detector's order.
pub(super) fn of_photo(db: &Connection, photo: PhotoId) -> rusqlite::Result<Vec<DetectedFace>> {
    db.prepare_cached(
        "SELECT x, y, width, height, landmarks, detection_score
         FROM unread_faces WHERE photo_id = ? ORDER BY position",
    )?
    .query_map([photo], |row| {
        let landmarks: Option<[u8; 40]> = row.get(4)?;
        Ok(DetectedFace {
            bounding_box: BoundingBox {
                x: row.get(0)?,
                y: row.get(1)?,
                width: row.get(2)?,
                height: row.get(3)?,
            },
            landmarks: landmarks.as_ref().map(landmarks_from),
            score: row.get(5)?,
        })
    })?
    .collect()
}

/// Puts `faces` in the place of those that `photo` had.
pub(super) fn replace(
    db: &Connection,
    photo: PhotoId,
    faces: &[DetectedFace],
) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM unread_faces WHERE photo_id = ?")?
        .execute([photo])?;
    let mut insert = db.prepare_cached(
        "INSERT INTO unread_faces (photo_id, position, x, y, width, height, landmarks,
                                   detection_score)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    for (position, face) in faces.iter().enumerate() {
        let at = &face.bounding_box;
        insert.execute(params![
            photo,
            position as i64,
            at.x,
            at.y,
            at.width,
            at.height,
            face.landmarks.as_ref().map(landmark_bytes),
            face.score,
        ])?;
    }
    Ok(())
}
