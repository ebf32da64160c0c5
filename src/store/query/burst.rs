//! Photos taken in quick succession.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::super::record::PhotoId;

/// Each photo of a burst follows another of the same camera within this time, in ms.
const GAP: i64 = 3000;

/// Dates of files are when they were copied, and make no burst.
pub(super) const CAMERA: &str = "
    SELECT taken_local, camera FROM photos WHERE id = ? AND taken_source = 'exif'";

/// The farthest photos that follow within the gap, forwards and back.
pub(super) const STEP: &str = "
    SELECT min(taken_local), max(taken_local) FROM photos
    WHERE skip_reason IS NULL AND taken_local >= ?1 AND taken_local <= ?2
      AND camera IS ?3 AND taken_source = 'exif'";

/// Bursts of which a photo was shown.
#[derive(Debug, Default)]
pub(super) struct Bursts(Vec<Burst>);

#[derive(Debug)]
struct Burst {
    camera: Option<String>,
    first: i64,
    last: i64,
}

impl Bursts {
    /// Whether the photo is the first of its burst to come; from then on none is.
    pub fn is_first(&mut self, db: &Connection, photo: PhotoId) -> rusqlite::Result<bool> {
        let row = db
            .prepare_cached(CAMERA)?
            .query_row([photo], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((taken, camera)) = row else {
            return Ok(true);
        };
        let is_known = self
            .0
            .iter()
            .any(|burst| burst.camera == camera && (burst.first..=burst.last).contains(&taken));
        if !is_known {
            self.0.push(around(db, taken, camera)?);
        }
        Ok(!is_known)
    }
}

fn around(db: &Connection, taken: i64, camera: Option<String>) -> rusqlite::Result<Burst> {
    let mut step = db.prepare_cached(STEP)?;
    let (mut first, mut last) = (taken, taken);
    loop {
        let back: i64 = step.query_row(params![first - GAP, first, camera], |row| row.get(0))?;
        let forth: i64 = step.query_row(params![last, last + GAP, camera], |row| row.get(1))?;
        if (back, forth) == (first, last) {
            return Ok(Burst {
                camera,
                first,
                last,
            });
        }
        (first, last) = (back, forth);
    }
}
