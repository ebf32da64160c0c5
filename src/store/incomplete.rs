//! Stores why only a part of some photos could be decoded.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::record::PhotoId;

/// Stores what is wrong with a photo's content, or that nothing is.
pub(super) fn put(db: &Connection, photo: PhotoId, problem: Option<&str>) -> rusqlite::Result<()> {
    match problem {
        Some(problem) => db
            .prepare_cached("INSERT OR REPLACE INTO incomplete_photos VALUES (?, ?)")?
            .execute(params![photo, problem])?,
        None => db
            .prepare_cached("DELETE FROM incomplete_photos WHERE photo_id = ?")?
            .execute([photo])?,
    };
    Ok(())
}

/// What is wrong with a photo's content; `None` if nothing is.
pub(super) fn of(db: &Connection, photo: PhotoId) -> rusqlite::Result<Option<String>> {
    db.prepare_cached("SELECT problem FROM incomplete_photos WHERE photo_id = ?")?
        .query_row([photo], |row| row.get(0))
        .optional()
}

/// The number of incomplete photos to which a path leads.
pub(super) fn count(db: &Connection) -> rusqlite::Result<u64> {
    db.query_row(
        "SELECT count(*) FROM incomplete_photos i
         WHERE EXISTS (SELECT 1 FROM files WHERE photo_id = i.photo_id)",
        [],
        |row| Ok(row.get::<_, i64>(0)? as u64),
    )
}
