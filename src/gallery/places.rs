//! Lists the places where photos were taken, and the towns of the world for the map behind them.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use serde::Serialize;

use super::Shared;
use super::api_error::ApiError;
use super::request::FilterParameters;
use crate::query::{Gazetteer, MapPlace};

/// Towns nearer to each other than this share one dot, in degrees.
const DOT: f64 = 0.5;

/// The content of the map.
#[derive(Debug, Serialize)]
pub(super) struct Map {
    /// Latitude and longitude of towns, which outline the inhabited land.
    towns: Vec<[f64; 2]>,
    /// The places, the ones with the most photos first.
    places: Vec<PhotoPlace>,
}

/// A place at which photos were taken.
#[derive(Debug, Serialize)]
struct PhotoPlace {
    name: String,
    /// The average position of the photos.
    latitude: f64,
    longitude: f64,
    photos: u64,
    /// The value of the filter `near` that finds these photos and no others.
    near: String,
}

/// `GET /api/places`: the content of the map: how many photos each place has under the other filters.
pub(super) async fn places(
    State(shared): State<Arc<Shared>>,
    Query(parameters): Query<FilterParameters>,
) -> Result<Json<Map>, ApiError> {
    let defaults = shared.defaults;
    let map = shared.with_store(move |store| {
        let search = parameters.without_place().read(store, defaults)?;
        let places = MapPlace::all(&store.places_of(&search.query)?);
        let most = u64::try_from(search.max_photos()).unwrap_or(u64::MAX);
        Ok(Map {
            towns: towns(Gazetteer::get()),
            places: places
                .iter()
                .map(|place| photo_place(place, most))
                .collect(),
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

/// `most` photos of a place are shown at most.
fn photo_place(place: &MapPlace, most: u64) -> PhotoPlace {
    PhotoPlace {
        name: place.name.clone(),
        latitude: place.centre.latitude,
        longitude: place.centre.longitude,
        photos: place.photos.min(most),
        near: place.filter_text(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_towns_of_the_world_are_few_enough_to_draw() {
        let towns = towns(Gazetteer::get());
        assert!((5_000..20_000).contains(&towns.len()), "{}", towns.len());
    }
}
