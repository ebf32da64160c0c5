//! Stores in which countries, regions, islands and natural regions each photo was taken.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::borders::Borders;
use crate::photo::GeoPoint;

use super::record::PhotoId;

/// Reads the photos whose areas may be out of date.
pub(super) const NOTED: &str = "
    SELECT d.photo_id, p.latitude, p.longitude, p.area_set
    FROM dirty_places d JOIN photos p ON p.id = d.photo_id";

/// Brings the areas of the noted photos up to date.
pub(super) fn update(db: &Connection) -> rusqlite::Result<()> {
    let mut sets = HashMap::new();
    let mut statement = db.prepare_cached(NOTED)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let photo: PhotoId = row.get(0)?;
        let set = match position(row.get(1)?, row.get(2)?) {
            Some(at) => Some(set_of(db, &mut sets, Borders::get().areas(at))?),
            None => None,
        };
        if set != row.get(3)? {
            db.prepare_cached("UPDATE photos SET area_set = ? WHERE id = ?")?
                .execute(params![set, photo])?;
        }
    }
    Ok(())
}

/// The ID of the set of areas with these codes, which is inserted if it is new.
fn set_of(
    db: &Connection,
    known: &mut HashMap<String, i64>,
    codes: String,
) -> rusqlite::Result<i64> {
    if let Some(set) = known.get(&codes) {
        return Ok(*set);
    }
    let stored = db
        .prepare_cached("SELECT id FROM area_sets WHERE codes = ?")?
        .query_row([&codes], |row| row.get(0))
        .optional()?;
    let set = match stored {
        Some(set) => set,
        None => db
            .prepare_cached("INSERT INTO area_sets (codes) VALUES (?) RETURNING id")?
            .query_row([&codes], |row| row.get(0))?,
    };
    known.insert(codes, set);
    Ok(set)
}

/// The IDs of the sets with at least one of these codes, in ascending order.
pub(super) fn with(db: &Connection, codes: &[&str]) -> rusqlite::Result<Vec<i64>> {
    let mut statement = db.prepare_cached("SELECT id, codes FROM area_sets ORDER BY id")?;
    let mut rows = statement.query([])?;
    let mut sets = Vec::new();
    while let Some(row) = rows.next()? {
        let mut of_set = row.get_ref(1)?.as_str()?.split(' ');
        if of_set.any(|code| codes.contains(&code)) {
            sets.push(row.get(0)?);
        }
    }
    Ok(sets)
}

/// A position from its columns.
pub(super) fn position(latitude: Option<f64>, longitude: Option<f64>) -> Option<GeoPoint> {
    let (latitude, longitude) = (latitude?, longitude?);
    Some(GeoPoint {
        latitude,
        longitude,
    })
}
