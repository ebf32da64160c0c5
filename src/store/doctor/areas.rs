//! Checks in which countries and regions photos were taken.

use rusqlite::Connection;

use crate::borders::Borders;

use super::super::areas::position;
use super::super::record::PhotoId;
use super::checkup::Checkup;
use super::{DerivedPart, DifferenceKind};

pub(super) fn check(checkup: &mut Checkup<'_>) -> rusqlite::Result<()> {
    checkup.begin(
        "countries and regions",
        "SELECT count(*) FROM photos WHERE area_set IS NOT NULL",
    )?;
    let db = checkup.db;
    let mut placed = db.prepare(
        "SELECT p.id, p.latitude, p.longitude, s.codes
         FROM photos p LEFT JOIN area_sets s ON s.id = p.area_set
         WHERE p.latitude IS NOT NULL OR p.area_set IS NOT NULL",
    )?;
    let mut rows = placed.query([])?;
    while let Some(row) = rows.next()? {
        let photo: PhotoId = row.get(0)?;
        let right = position(row.get(1)?, row.get(2)?).map(|at| Borders::get().areas(at));
        let kind = match (row.get::<_, Option<String>>(3)?, right) {
            (stored, right) if stored == right => None,
            (None, _) => Some(DifferenceKind::Missing),
            (_, None) => Some(DifferenceKind::Extra),
            _ => Some(DifferenceKind::Wrong),
        };
        if let Some(kind) = kind {
            checkup.photo_differs(DerivedPart::Areas, kind, photo)?;
        }
        checkup.advance(1);
    }
    Ok(())
}

/// Removes all areas, and notes every photo with a position, so that `derived` stores them anew.
pub(super) fn rebuild(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch(
        "UPDATE photos SET area_set = NULL WHERE area_set IS NOT NULL;
         DELETE FROM area_sets;
         INSERT OR IGNORE INTO dirty_places SELECT id FROM photos WHERE latitude IS NOT NULL;",
    )
}
