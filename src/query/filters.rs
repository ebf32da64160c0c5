//! Filters as people give them: places by name, dates in words, everything else as the store takes it.

use super::dates::DateSpan;
use super::gazetteer::Gazetteer;
use crate::error::{Error, Result};
use crate::geo::{Circle, Region};
use crate::photo::GeoPoint;
use crate::store::{Filter, Order, Query, Store};

/// How far around a place is near, in km.
const WITHIN: f64 = 25.0;

/// How far from home is away, in km.
pub(super) const AWAY: f64 = 100.0;

/// The least score of a photo that shows an emotion, where the order does not tell.
const SHOWN: f32 = 0.5;

/// A date as it was given, and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct When {
    /// The words.
    pub text: String,
    /// The span.
    pub span: DateSpan,
}

/// Near what.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Near {
    /// The name of a city or country, or latitude and longitude with a comma between.
    pub place: String,
    /// How near to a city or position, in km; [`WITHIN`] where it is not said.
    pub km: Option<f64>,
}

/// A filter as it was asked for. [`flags`](super::flags) says how each part of it is written.
pub type AskedFilter = Filter<When, Near>;

impl AskedFilter {
    /// The filter with dates and place looked up, for the store. `min_detection` and `limit` hold
    /// where it leaves them open.
    ///
    /// # Errors
    /// If a place is not known, and if the store cannot be read.
    pub fn resolve(
        &self,
        store: &Store,
        min_detection: f32,
        limit: Option<usize>,
    ) -> Result<Query> {
        // A ranking shows the best whatever their scores; another order needs a threshold.
        let least = match self.order {
            Order::Score => None,
            Order::Date | Order::Random { .. } => Some(SHOWN),
        };
        let since = self.since.as_ref().map(|when| when.span.start);
        let until = self.until.as_ref().map(|when| when.span.end);
        let near = self.near.as_ref().map(|near| near.region(store));
        let mut query = self.clone().with(since, until, near.transpose()?);
        query.min_score = query.min_score.or(least);
        query.min_detection = query.min_detection.or(Some(min_detection));
        query.limit = query.limit.or(limit);
        Ok(query)
    }
}

impl Near {
    fn region(&self, store: &Store) -> Result<Region> {
        let place = &self.place;
        let km = self.km.unwrap_or(WITHIN);
        if let Some(centre) = position(place) {
            return Ok(Region::Circle(Circle { centre, km }));
        }
        let gazetteer = Gazetteer::get();
        let Some(found) = gazetteer.find(place) else {
            return Err(Error::Usage(format!(
                "no city or country is called \"{place}\"; name a larger one nearby, or give \
                 latitude and longitude as in --near 43.77,11.25"
            )));
        };
        Ok(gazetteer.region(&found, km, &store.places()?))
    }
}

/// Latitude and longitude.
fn position(text: &str) -> Option<GeoPoint> {
    let (latitude, longitude) = text.split_once(',')?;
    let degrees = |text: &str, most: f64| {
        let value: f64 = text.trim().parse().ok()?;
        (value.abs() <= most).then_some(value)
    };
    Some(GeoPoint {
        latitude: degrees(latitude, 90.0)?,
        longitude: degrees(longitude, 180.0)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_told_from_names() {
        let centre = position("-16.85, 179.97").unwrap();
        assert!((centre.latitude + 16.85).abs() < 1e-9 && (centre.longitude - 179.97).abs() < 1e-9);
        for text in ["Florence, US", "91,0", "0,181", "12"] {
            assert_eq!(position(text), None, "{text}");
        }
    }
}
