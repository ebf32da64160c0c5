//! Leaves out all but one photo of each burst.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension as _};

use super::super::record::PhotoId;

/// Reads the burst of a photo.
pub(super) const OF_PHOTO: &str = "SELECT burst FROM photos WHERE id = ?";

/// Reads the photos that belong to a burst, each with its burst.
pub(super) const ALL: &str = "SELECT id, burst FROM photos WHERE burst IS NOT NULL";

/// The bursts of which a photo is in the answer.
#[derive(Debug, Default)]
pub(super) struct Bursts(HashSet<PhotoId>);

impl Bursts {
    /// Whether the photo is the first of its burst to be passed to this method; for all later
    /// photos of the burst it is `false`.
    pub fn is_first(&mut self, db: &Connection, photo: PhotoId) -> rusqlite::Result<bool> {
        let burst = db
            .prepare_cached(OF_PHOTO)?
            .query_row([photo], |row| row.get(0))
            .optional()?
            .flatten();
        Ok(self.is_new(burst))
    }

    /// The same for a photo whose burst is known.
    pub fn is_new(&mut self, burst: Option<PhotoId>) -> bool {
        burst.is_none_or(|burst| self.0.insert(burst))
    }
}

/// All photos that belong to a burst, each with its burst.
pub(super) fn all(db: &Connection) -> rusqlite::Result<HashMap<PhotoId, PhotoId>> {
    db.prepare_cached(ALL)?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}
