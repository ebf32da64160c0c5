//! Stores the faces that are too small for their emotion to be read.

use rusqlite::{Connection, params};

use crate::face::DetectedFace;

use super::codec::{detected_from_columns, landmark_bytes};
use super::record::PhotoId;

/// The unread faces of `photo` in the detector's order.
pub(super) fn of_photo(db: &Connection, photo: PhotoId) -> rusqlite::Result<Vec<DetectedFace>> {
    db.prepare_cached(
        "SELECT x, y, width, height, landmarks, detection_score
         FROM unread_faces WHERE photo_id = ? ORDER BY position",
    )?
    .query_map([photo], |row| detected_from_columns(row, 0))?
    .collect()
}

/// Stores `faces` in place of the earlier ones of `photo`; only a photo that was in the index before (`is_known`) has
/// some.
pub(super) fn replace(
    db: &Connection,
    photo: PhotoId,
    is_known: bool,
    faces: &[DetectedFace],
) -> rusqlite::Result<()> {
    if is_known {
        if of_photo(db, photo)? == faces {
            return Ok(());
        }
        db.prepare_cached("DELETE FROM unread_faces WHERE photo_id = ?")?
            .execute([photo])?;
    }
    if faces.is_empty() {
        return Ok(());
    }
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
