//! Lists the places where photos were taken, and the towns of the world for the map behind them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::Shared;
use super::api_error::ApiError;
use crate::borders::{Borders, country_in};
use crate::geo::{Cell, distance};
use crate::photo::GeoPoint;
use crate::query::{City, Gazetteer, Place};

/// Towns nearer to each other than this share one dot, in degrees.
const DOT: f64 = 0.5;

/// The minimum radius in which the filter searches around a place, in km.
const AROUND: f64 = 25.0;

/// The distance from the middle of a cell to its corner, in km; rounded up.
const CORNER: f64 = 8.0;

/// The content of the map.
#[derive(Debug, Serialize)]
pub(super) struct Map {
    /// Latitude and longitude of towns, which outline the inhabited land.
    towns: Vec<[f64; 2]>,
    /// The places, the ones with the most photos first.
    places: Vec<PhotoPlace>,
}

/// A town near which photos were taken.
#[derive(Debug, PartialEq, Serialize)]
struct PhotoPlace {
    name: String,
    /// The average position of the photos.
    latitude: f64,
    longitude: f64,
    photos: u64,
    /// The value of the filter `near` that finds this town.
    near: String,
    /// The radius around the town that contains all of its photos, in km.
    within: f64,
}

/// `GET /api/places`: the content of the map.
pub(super) async fn places(State(shared): State<Arc<Shared>>) -> Result<Json<Map>, ApiError> {
    let map = shared.ask(|store| {
        let gazetteer = Gazetteer::get();
        Ok(Map {
            towns: towns(gazetteer),
            places: photo_places(gazetteer, &store.places()?),
        })
    });
    Ok(Json(map.await?))
}

/// One dot for each part of the world that has a town.
fn towns(gazetteer: &Gazetteer) -> Vec<[f64; 2]> {
    let step = |degrees: f64| (degrees / DOT).round() as i32;
    let dots: BTreeSet<_> = gazetteer
        .positions()
        .map(|at| (step(at.latitude), step(at.longitude)))
        .collect();
    let degrees = |step: i32| f64::from(step) * DOT;
    dots.into_iter()
        .map(|(latitude, longitude)| [degrees(latitude), degrees(longitude)])
        .collect()
}

/// A city, and the cells that belong to it, with the number of photos in each.
type Town = (City, Vec<(GeoPoint, u64)>);

/// Groups cells by the city to which they belong, as `stats --by place` does; each group is one place.
fn photo_places(gazetteer: &Gazetteer, occupied: &[(Cell, u64)]) -> Vec<PhotoPlace> {
    let mut towns: BTreeMap<(String, String), Town> = BTreeMap::new();
    for &(cell, photos) in occupied {
        let areas = Borders::get().areas(cell.centre());
        let Some(city) = gazetteer.city_of(cell.centre(), country_in(&areas)) else {
            continue;
        };
        let name = (city.country.clone(), city.name.clone());
        let (_, cells) = towns.entry(name).or_insert_with(|| (city, Vec::new()));
        cells.push((cell.centre(), photos));
    }
    let mut photo_places: Vec<PhotoPlace> = towns
        .into_values()
        .map(|(city, cells)| photo_place(gazetteer, &city, &cells))
        .collect();
    photo_places.sort_by(|a, b| b.photos.cmp(&a.photos).then_with(|| a.name.cmp(&b.name)));
    photo_places
}

fn photo_place(gazetteer: &Gazetteer, city: &City, cells: &[(GeoPoint, u64)]) -> PhotoPlace {
    let photos = cells.iter().map(|(_, photos)| photos).sum::<u64>();
    let mean = |of: fn(&GeoPoint) -> f64| {
        let sum: f64 = cells.iter().map(|(at, n)| of(at) * *n as f64).sum();
        sum / photos.max(1) as f64
    };
    let farthest = cells
        .iter()
        .map(|(at, _)| distance(*at, city.at))
        .fold(0.0, f64::max);
    let country = gazetteer.country_name(&city.country);
    let name = format!("{}, {}", city.name, country.unwrap_or(&city.country));
    // Several towns of a country may share a name; the name finds the largest of them.
    let is_found = matches!(gazetteer.find(&name), Some(Place::City(found)) if found == *city);
    let near = if is_found {
        name.clone()
    } else {
        format!("{},{}", city.at.latitude, city.at.longitude)
    };
    PhotoPlace {
        name,
        latitude: mean(|at| at.latitude),
        longitude: mean(|at| at.longitude),
        photos,
        near,
        within: (farthest + CORNER).ceil().max(AROUND),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_around_a_town_are_one_place() {
        let gazetteer = Gazetteer::get();
        let cell = |latitude, longitude| {
            Cell::of(GeoPoint {
                latitude,
                longitude,
            })
        };
        let occupied = [
            (cell(43.77, 11.25), 3),
            (cell(43.77, 11.26), 2),
            (cell(48.14, 11.58), 9),
        ];
        let photo_places = photo_places(gazetteer, &occupied);
        assert_eq!(
            photo_places
                .iter()
                .map(|photo_place| (&*photo_place.name, photo_place.photos))
                .collect::<Vec<_>>(),
            [("Munich, Germany", 9), ("Florence, Italy", 5)]
        );
        assert_eq!(
            (&*photo_places[1].near, photo_places[1].within),
            ("Florence, Italy", 25.0)
        );
    }

    /// The tables list Weißensee, Kreuzberg and Oberkassel as places of their own.
    #[test]
    fn the_parts_of_a_city_are_one_place() {
        let cell = |latitude, longitude| {
            Cell::of(GeoPoint {
                latitude,
                longitude,
            })
        };
        let occupied = [
            (cell(52.52, 13.405), 3),
            (cell(52.55, 13.46), 2),
            (cell(52.49, 13.39), 1),
            (cell(51.23, 6.75), 4),
        ];
        let photo_places = photo_places(Gazetteer::get(), &occupied);
        let found = photo_places
            .iter()
            .map(|place| (&*place.name, &*place.near, place.photos));
        assert_eq!(
            found.collect::<Vec<_>>(),
            [
                ("Berlin, Germany", "Berlin, Germany", 6),
                ("Düsseldorf, Germany", "Düsseldorf, Germany", 4)
            ]
        );
    }

    #[test]
    fn the_towns_of_the_world_are_few_enough_to_draw() {
        let towns = towns(Gazetteer::get());
        assert!((5_000..20_000).contains(&towns.len()), "{}", towns.len());
    }
}
