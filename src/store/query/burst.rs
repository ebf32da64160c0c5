//! Finds bursts: photos taken in quick succession.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::super::record::PhotoId;

/// In a burst, each photo follows another one of the same camera within this time, in ms.
const GAP: i64 = 3000;

/// Reads date and camera of a photo. A date from a file's modification time may be that of a copy,
/// so such a photo belongs to no burst.
pub(super) const CAMERA: &str = "
    SELECT taken_local, camera FROM photos WHERE id = ? AND taken_source LIKE 'exif%'";

/// Reads the earliest and the latest photo of the camera within a span.
pub(super) const STEP: &str = "
    SELECT min(taken_local), max(taken_local) FROM photos
    WHERE skip_reason IS NULL AND taken_local >= ?1 AND taken_local <= ?2
      AND camera IS ?3 AND taken_source LIKE 'exif%'";

/// The bursts of which a photo is in the answer: by camera and first date, with the last date.
#[derive(Debug, Default)]
pub(super) struct Bursts(BTreeMap<(Option<String>, i64), i64>);

impl Bursts {
    /// Whether the photo is the first of its burst to be passed to this method; for all later
    /// photos of the burst it is `false`.
    pub fn is_first(&mut self, db: &Connection, photo: PhotoId) -> rusqlite::Result<bool> {
        let row = db
            .prepare_cached(CAMERA)?
            .query_row([photo], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((taken, camera)) = row else {
            return Ok(true);
        };
        // Bursts of a camera do not overlap: of those that begin before the photo, only the latest
        // can contain it.
        let key = (camera, taken);
        let before = self.0.range(..=&key).next_back();
        if before.is_some_and(|((camera, _), last)| *camera == key.0 && taken <= *last) {
            return Ok(false);
        }
        let (camera, _) = key;
        let (first, last) = around(db, taken, camera.as_deref())?;
        self.0.insert((camera, first), last);
        Ok(true)
    }
}

/// The first and the last date of the burst that contains a date.
fn around(db: &Connection, taken: i64, camera: Option<&str>) -> rusqlite::Result<(i64, i64)> {
    let mut step = db.prepare_cached(STEP)?;
    let (mut first, mut last) = (taken, taken);
    loop {
        let back: i64 = step.query_row(params![first - GAP, first, camera], |row| row.get(0))?;
        let forth: i64 = step.query_row(params![last, last + GAP, camera], |row| row.get(1))?;
        if (back, forth) == (first, last) {
            return Ok((first, last));
        }
        (first, last) = (back, forth);
    }
}
