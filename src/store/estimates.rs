//! Estimates where photos without a position were taken, from photos that were taken near in time.
//!
//! A photo whose time is known to the second, but not its position, gets the position of the photo nearest in time that
//! has a time and a position of its own, of any camera. If there are such photos within two hours both before and after,
//! their positions must agree to five kilometres. If there is one on one side only, it must have been taken within ten
//! minutes: a camera that travels is soon elsewhere.
//!
//! Times are compared as the cameras showed them, since few cameras record their offset from UTC. Of photos of the same
//! second, the order of their positions decides, so that an estimate does not depend on the order of indexing.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::geo::distance;
use crate::photo::{GeoPoint, Source};

use super::areas::position;
use super::fact_rules;
use super::record::PhotoId;

/// The largest distance in time between two photos of which one gives the other its position, in ms.
const MAX_TIME_DISTANCE: i64 = 2 * 3600 * 1000;

/// The largest distance in time if no photo with a position is on the other side, in ms.
const MAX_TIME_DISTANCE_ONE_SIDED: i64 = 10 * 60 * 1000;

/// How far apart the positions before and after may be, in km.
const MAX_POSITION_DISTANCE: f64 = 5.0;

/// The statements of this module; each is one search of one index.
pub(super) mod sql {
    /// The condition for a photo that can give its position to others, as in the index `photos_placed`.
    macro_rules! placed {
        () => {
            "latitude IS NOT NULL AND position_source <> 'estimated' AND skip_reason IS NULL AND lost_at IS NULL
             AND taken_precision IS NULL AND taken_source <> 'file'"
        };
    }
    pub const BEFORE: &str = concat!(
        "SELECT taken_local, latitude, longitude FROM photos
         WHERE taken_local >= ?1 AND taken_local <= ?2 AND ",
        placed!(),
        " ORDER BY taken_local DESC, latitude DESC, longitude DESC LIMIT 1"
    );
    pub const AFTER: &str = concat!(
        "SELECT taken_local, latitude, longitude FROM photos
         WHERE taken_local > ?1 AND taken_local <= ?2 AND ",
        placed!(),
        " ORDER BY taken_local, latitude, longitude LIMIT 1"
    );
    /// The photos that may get a position, as in the index `photos_unplaced`.
    pub const UNPLACED: &str = "
        SELECT id FROM photos WHERE taken_local >= ? AND taken_local <= ?
        AND (latitude IS NULL OR position_source = 'estimated') AND skip_reason IS NULL
        AND taken_precision IS NULL AND taken_source <> 'file'";
    pub const PHOTO: &str = "
        SELECT latitude, longitude, position_source,
               iif(skip_reason IS NULL AND taken_precision IS NULL AND taken_source <> 'file', taken_local, NULL)
        FROM photos WHERE id = ?";
}

/// What is stored about the position of a photo.
pub(super) struct Stored {
    position: Option<GeoPoint>,
    is_estimated: bool,
    /// When it was taken, in ms by its camera's clock, if that is known to the second.
    taken: Option<i64>,
}

impl Stored {
    pub fn of(db: &Connection, photo: PhotoId) -> rusqlite::Result<Option<Self>> {
        db.prepare_cached(sql::PHOTO)?
            .query_row([photo], |row| {
                Ok(Self {
                    position: position(row.get(0)?, row.get(1)?),
                    is_estimated: row.get_ref(2)?.as_str_or_null()?
                        == Some(Source::Estimated.name()),
                    taken: row.get(3)?,
                })
            })
            .optional()
    }

    /// The estimate that is stored; `None` if there is none, or if the photo has a position of its own.
    pub fn estimate(&self) -> Option<GeoPoint> {
        self.position.filter(|_| self.is_estimated)
    }

    /// The estimate that should be stored.
    pub fn expected(&self, db: &Connection) -> rusqlite::Result<Option<GeoPoint>> {
        let has_own = self.position.is_some() && !self.is_estimated;
        match self.taken {
            Some(taken) if !has_own => estimate(db, taken),
            _ => Ok(None),
        }
    }
}

/// A photo that gives others its position.
struct Placed {
    taken: i64,
    at: GeoPoint,
}

impl Placed {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            taken: row.get(0)?,
            at: GeoPoint {
                latitude: row.get(1)?,
                longitude: row.get(2)?,
            },
        })
    }
}

/// The estimated position of a photo of this moment, from the photos near in time.
fn estimate(db: &Connection, taken: i64) -> rusqlite::Result<Option<GeoPoint>> {
    let search = |sql, from: i64, to: i64| {
        db.prepare_cached(sql)?
            .query_row([from, to], Placed::of)
            .optional()
    };
    let before = search(sql::BEFORE, taken.saturating_sub(MAX_TIME_DISTANCE), taken)?;
    let after = search(sql::AFTER, taken, taken.saturating_add(MAX_TIME_DISTANCE))?;
    let apart = |placed: &Placed| (placed.taken - taken).abs();
    Ok(match (before, after) {
        (Some(before), Some(after)) => {
            let is_before = apart(&before) <= apart(&after);
            let nearer = if is_before { before.at } else { after.at };
            (distance(before.at, after.at) <= MAX_POSITION_DISTANCE).then_some(nearer)
        }
        (before, after) => {
            let alone = before
                .or(after)
                .filter(|placed| apart(placed) <= MAX_TIME_DISTANCE_ONE_SIDED);
            alone.map(|placed| placed.at)
        }
    })
}

/// Brings the estimates of the noted photos, and of those near in time to a noted moment, up to date.
pub(super) fn update(db: &Connection) -> rusqlite::Result<()> {
    let mut noted: Vec<PhotoId> = db
        .prepare_cached("SELECT photo_id FROM dirty_places")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let moments: Vec<i64> = db
        .prepare_cached("SELECT taken_local FROM dirty_times ORDER BY taken_local")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let is_on = fact_rules::estimates(db)?;
    if is_on {
        let mut unplaced = db.prepare_cached(sql::UNPLACED)?;
        // Moments near each other are searched together.
        for run in moments.chunk_by(|a, b| b - a <= 2 * MAX_TIME_DISTANCE) {
            let first = run[0].saturating_sub(MAX_TIME_DISTANCE);
            let last = run[run.len() - 1].saturating_add(MAX_TIME_DISTANCE);
            let mut rows = unplaced.query([first, last])?;
            while let Some(row) = rows.next()? {
                noted.push(row.get(0)?);
            }
        }
    }
    noted.sort_unstable();
    noted.dedup();
    for photo in noted {
        let Some(stored) = Stored::of(db, photo)? else {
            continue;
        };
        let right = if is_on { stored.expected(db)? } else { None };
        if stored.estimate() != right {
            set(db, photo, right)?;
        }
    }
    Ok(())
}

fn set(db: &Connection, photo: PhotoId, at: Option<GeoPoint>) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE photos SET (latitude, longitude, position_source) = (?2, ?3, ?4) WHERE id = ?1",
    )?
    .execute(params![
        photo,
        at.map(|at| at.latitude),
        at.map(|at| at.longitude),
        at.map(|_| Source::Estimated.name()),
    ])?;
    Ok(())
}

#[cfg(test)]
mod tests;
