//! Faces that are too small to be read.

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

/// Removes the unread faces of `photo`.
pub(super) fn remove(db: &Connection, photo: PhotoId) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM unread_faces WHERE photo_id = ?")?
        .execute([photo])?;
    Ok(())
}

/// Stores the unread faces of a photo that has none.
pub(super) fn insert(
    db: &Connection,
    photo: PhotoId,
    faces: &[DetectedFace],
) -> rusqlite::Result<()> {
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
