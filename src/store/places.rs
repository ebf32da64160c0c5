//! Reads in which grid cells photos were taken.

use rusqlite::Connection;

use crate::geo::Cell;
use crate::photo::GeoPoint;

use super::query::{self, Order, Query};
use super::record::PhotoId;

/// The cells with photos in ascending order, each with its number of photos.
pub(super) fn occupied(db: &Connection) -> rusqlite::Result<Vec<(Cell, u64)>> {
    db.prepare_cached("SELECT cell, photos FROM places ORDER BY cell")?
        .query_map([], |row| {
            Ok((Cell(row.get(0)?), row.get::<_, i64>(1)? as u64))
        })?
        .collect()
}

/// See [`Store::places_of`](super::Store::places_of).
pub(super) fn occupied_by(db: &Connection, query: &Query) -> rusqlite::Result<Vec<(Cell, u64)>> {
    let anywhere = Query {
        near: None,
        order: Order::default(),
        limit: None,
        offset: 0,
        ..query.clone()
    };
    let photos = query::photos(db, &anywhere)?;
    let left_out = query::left_out(db, &anywhere)?;
    if photos.is_none() && left_out.len() == 0 {
        return occupied(db);
    }
    let mut cells: Vec<(Cell, u64)> = Vec::new();
    let mut statement =
        db.prepare_cached("SELECT cell, photo_id FROM photo_cells ORDER BY cell")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (cell, photo) = (Cell(row.get(0)?), row.get::<_, PhotoId>(1)?);
        let is_found = photos.as_ref().is_none_or(|photos| photos.contains(photo));
        if !is_found || left_out.contains(photo) {
            continue;
        }
        match cells.last_mut() {
            Some((last, photos)) if *last == cell => *photos += 1,
            _ => cells.push((cell, 1)),
        }
    }
    Ok(cells)
}

/// Where most photos were taken: the average position of the photos in the fullest cell and the cells around it, each
/// photo counted at the centre of its cell; `None` if no photo has a position.
pub(super) fn home(places: &[(Cell, u64)]) -> Option<GeoPoint> {
    let (fullest, _) = places
        .iter()
        .max_by_key(|(cell, photos)| (*photos, -cell.0))?;
    let middle = fullest.centre();
    let (mut north, mut east, mut total) = (0.0, 0.0, 0.0);
    for cell in fullest.block() {
        let Ok(index) = places.binary_search_by_key(&cell, |(cell, _)| *cell) else {
            continue;
        };
        let photos = places[index].1 as f64;
        let centre = cell.centre();
        // Also across the date line, the shorter way.
        let eastwards = (centre.longitude - middle.longitude + 540.0).rem_euclid(360.0) - 180.0;
        north += photos * (centre.latitude - middle.latitude);
        east += photos * eastwards;
        total += photos;
    }
    Some(GeoPoint {
        latitude: middle.latitude + north / total,
        longitude: (middle.longitude + east / total + 540.0).rem_euclid(360.0) - 180.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geo::distance;

    fn point(latitude: f64, longitude: f64) -> GeoPoint {
        GeoPoint {
            latitude,
            longitude,
        }
    }

    #[test]
    fn home_is_the_centre_of_the_photos_around_the_fullest_cell() {
        assert_eq!(home(&[]), None);
        let mut places: Vec<_> = [
            (point(48.15, 11.55), 500),
            (point(48.15, 11.65), 500),
            (point(41.9, 12.5), 600),
            (point(-17.0, 179.95), 3),
        ]
        .map(|(at, photos)| (Cell::of(at), photos))
        .to_vec();
        places.sort();
        assert!(distance(home(&places).unwrap(), point(41.95, 12.55)) < 1.0);
        places.retain(|(_, photos)| *photos != 600);
        assert!(distance(home(&places).unwrap(), point(48.15, 11.6)) < 1.0);

        let mut line = [
            (Cell::of(point(0.05, 179.95)), 4),
            (Cell::of(point(0.05, -179.95)), 4),
        ];
        line.sort();
        assert!(distance(home(&line).unwrap(), point(0.05, 180.0)) < 1.0);
    }
}
