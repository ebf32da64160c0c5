//! The places of the gallery's map: each photo with a position belongs to one of them, by its cell.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use super::gazetteer::Gazetteer;
use crate::borders::{Borders, country_in};
use crate::geo::Cell;
use crate::photo::GeoPoint;

/// What follows the name of a place of the map where a filter names it, as in `Florence, Italy on the map`.
pub(super) const MAP_PLACE_SUFFIX: &str = " on the map";

/// A city near which photos were taken, or, where a country has no city or there is no country, the country or the sea.
#[derive(Debug, Clone, PartialEq)]
pub struct MapPlace {
    /// Its name, which no other place of the map has.
    pub name: String,
    /// The average position of the photos.
    pub centre: GeoPoint,
    /// The number of photos.
    pub photos: u64,
    /// The cells in which they were taken, in ascending order.
    pub cells: Vec<Cell>,
}

impl MapPlace {
    /// The places of the cells with photos, each with its number of photos; those with the most photos come first.
    pub fn all(occupied: &[(Cell, u64)]) -> Vec<Self> {
        let mut places: BTreeMap<Arc<str>, Vec<(Cell, u64)>> = BTreeMap::new();
        for &(cell, photos) in occupied {
            let cells = places.entry(name_of(cell)).or_default();
            cells.push((cell, photos));
        }
        let mut places: Vec<Self> = places
            .into_iter()
            .map(|(name, cells)| Self {
                name: name.to_string(),
                centre: centre(&cells),
                photos: cells.iter().map(|(_, photos)| photos).sum(),
                cells: cells.into_iter().map(|(cell, _)| cell).collect(),
            })
            .collect();
        places.sort_by(|a, b| b.photos.cmp(&a.photos).then_with(|| a.name.cmp(&b.name)));
        places
    }

    /// How a filter names the photos of this place.
    pub fn filter_text(&self) -> String {
        format!("{}{MAP_PLACE_SUFFIX}", self.name)
    }
}

/// The cells of the place of this name on the map.
pub(super) fn cells_of(name: &str, occupied: &[(Cell, u64)]) -> Vec<Cell> {
    let cells = occupied.iter().map(|(cell, _)| *cell);
    cells
        .filter(|cell| name_of(*cell).eq_ignore_ascii_case(name))
        .collect()
}

/// The name of the place to which a cell belongs. It depends on the cell alone, and a search for it takes longer than all
/// the rest of a query, so that it is kept.
fn name_of(cell: Cell) -> Arc<str> {
    static NAMES: LazyLock<Mutex<HashMap<Cell, Arc<str>>>> = LazyLock::new(Mutex::default);
    let names = || NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(name) = names().get(&cell) {
        return Arc::clone(name);
    }
    let name: Arc<str> = find_name(cell).into();
    names().insert(cell, Arc::clone(&name));
    name
}

fn find_name(cell: Cell) -> String {
    let gazetteer = Gazetteer::get();
    let areas = Borders::get().areas(cell.centre());
    let country = country_in(&areas);
    let name = |code| gazetteer.country_name(code).unwrap_or(code).to_owned();
    match (gazetteer.city_of(cell.centre(), country), country) {
        (Some(city), _) => format!("{}, {}", city.name, name(&city.country)),
        (None, Some(country)) => name(country),
        (None, None) => "At sea".to_owned(),
    }
}

/// The average position, by the short way across the date line.
fn centre(cells: &[(Cell, u64)]) -> GeoPoint {
    let middle = cells[0].0.centre();
    let (mut north, mut east, mut total) = (0.0, 0.0, 0.0);
    for (cell, photos) in cells {
        let (at, photos) = (cell.centre(), *photos as f64);
        north += photos * (at.latitude - middle.latitude);
        east += photos * ((at.longitude - middle.longitude + 540.0).rem_euclid(360.0) - 180.0);
        total += photos;
    }
    let total = f64::max(total, 1.0);
    GeoPoint {
        latitude: middle.latitude + north / total,
        longitude: (middle.longitude + east / total + 540.0).rem_euclid(360.0) - 180.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(latitude: f64, longitude: f64) -> Cell {
        Cell::of(GeoPoint {
            latitude,
            longitude,
        })
    }

    fn named(occupied: &[(Cell, u64)]) -> Vec<(String, u64)> {
        let places = MapPlace::all(occupied).into_iter();
        places.map(|place| (place.name, place.photos)).collect()
    }

    /// The tables list Weißensee, Kreuzberg and Oberkassel by themselves.
    #[test]
    fn the_parts_of_a_city_are_one_place() {
        let occupied = [
            (cell(43.77, 11.25), 3),
            (cell(43.78, 11.36), 2),
            (cell(48.14, 11.58), 9),
            (cell(52.52, 13.405), 3),
            (cell(52.55, 13.46), 2),
            (cell(52.49, 13.39), 1),
            (cell(51.23, 6.75), 4),
        ];
        let expected = [
            ("Munich, Germany", 9),
            ("Berlin, Germany", 6),
            ("Düsseldorf, Germany", 4),
        ];
        let found = named(&occupied);
        for (name, photos) in expected {
            assert!(found.contains(&(name.to_owned(), photos)), "{found:?}");
        }
        let all: u64 = found.iter().map(|(_, photos)| photos).sum();
        assert_eq!(all, 24);
    }

    #[test]
    fn photos_far_from_every_city_have_a_place() {
        let occupied = [(cell(78.22, 15.65), 9), (cell(-77.85, 166.67), 4)];
        let found = named(&occupied);
        assert_eq!(
            found,
            [
                ("Svalbard and Jan Mayen".to_owned(), 9),
                ("Antarctica".to_owned(), 4)
            ]
        );
    }

    #[test]
    fn a_place_across_the_date_line_lies_there() {
        let mut cells = [(cell(-16.8, 179.95), 3), (cell(-16.8, -179.95), 3)];
        cells.sort();
        let longitude = centre(&cells).longitude;
        assert!((longitude.abs() - 180.0).abs() < 0.2, "{longitude}");
    }

    #[test]
    fn the_cells_of_a_place_are_found_by_its_name() {
        let occupied = [(cell(48.14, 11.58), 9), (cell(78.22, 15.65), 1)];
        for place in MapPlace::all(&occupied) {
            assert_eq!(cells_of(&place.name, &occupied), place.cells);
        }
        assert_eq!(cells_of("Nowhere", &occupied), []);
    }
}
