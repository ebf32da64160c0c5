//! Filters as users write them: places are names and dates are words; all other fields have the types that
//! the store uses.

use std::ops::Range;

use jiff::civil::DateTime;

use super::dates::{DateSpan, Dates};
use super::gazetteer::Gazetteer;
use super::map_places::{self, MAP_PLACE_SUFFIX};
use crate::config::QuerySettings;
use crate::error::{Error, Result};
use crate::geo::{Circle, Region};
use crate::photo::{GeoPoint, Raws};
use crate::store::{EMOTION_THRESHOLD, Filter, Query, Store};

/// The default maximum distance from a place, in km.
const DEFAULT_WITHIN_KM: f64 = 25.0;

/// The default minimum distance from home for `--away`, in km.
pub(super) const DEFAULT_AWAY_KM: f64 = 100.0;

/// The name of the place where most photos were taken.
pub(super) const HOME: &str = "home";

/// A date as the user wrote it, with its meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserDate {
    /// The user's words.
    pub text: String,
    /// The span that they mean.
    pub span: DateSpan,
}

/// One of the alternative dates of `--taken` as the user wrote it, with its meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserDates {
    /// The user's words.
    pub text: String,
    /// The dates that they mean.
    pub dates: Dates,
}

/// The places near which photos were taken, and the maximum distance.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Near {
    /// Each is the name of a city or country, `home`, latitude and longitude separated by a comma, or a place of the
    /// gallery's map. A photo need be near only one of them.
    pub places: Vec<String>,
    /// The maximum distance from a city or position in km; `None` means 25 km.
    pub km: Option<f64>,
}

/// The settings used for what a filter does not state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Defaults {
    /// The minimum detection score at which a face counts, 0 to 1.
    pub min_detection: f32,
    /// Which raw files may be in an answer.
    pub raws: Raws,
}

impl From<&QuerySettings> for Defaults {
    fn from(settings: &QuerySettings) -> Self {
        Self {
            min_detection: settings.min_detection,
            raws: settings.raws,
        }
    }
}

/// A filter as the user wrote it. `FLAGS` defines how each field is parsed and printed.
pub type UserFilter = Filter<UserDate, Vec<UserDates>, Near>;

impl UserFilter {
    /// Resolves dates, places and the folder to a query for the store. `defaults` and `limit` are used for fields that
    /// are not given; the default minimum score is [`EMOTION_THRESHOLD`].
    ///
    /// # Errors
    /// If the gazetteer does not contain a place, or if the store cannot be read.
    pub fn resolve(
        &self,
        store: &Store,
        defaults: Defaults,
        limit: Option<usize>,
    ) -> Result<Query> {
        let since = self.since.as_ref().map(|when| when.span.start);
        let until = self.until.as_ref().map(|when| when.span.end);
        let taken = match &self.taken {
            Some(taken) => Some(spans(taken, store)?),
            None => None,
        };
        let near = self.near.as_ref().map(|near| near.region(store));
        let mut query = self
            .clone()
            .with_resolved(since, until, taken, near.transpose()?);
        if let Some(folder) = &query.under
            && let Some(stored) = store.find_path(folder)?
        {
            query.under = Some(stored);
        }
        query.min_score = query.min_score.or(Some(EMOTION_THRESHOLD));
        query.min_detection = query.min_detection.or(Some(defaults.min_detection));
        query.raws = query.raws.or(Some(defaults.raws));
        query.limit = query.limit.or(limit);
        Ok(query)
    }
}

/// The spans of time of several dates; a yearly date has one span for each year in which photos were taken.
fn spans(taken: &[UserDates], store: &Store) -> Result<Vec<Range<DateTime>>> {
    let mut spans = Vec::new();
    for UserDates { dates, .. } in taken {
        match dates {
            Dates::Span(span) => spans.push(*span),
            Dates::Yearly(yearly) => {
                // A span that begins in the year before the first photo may reach into the next year.
                let years = store.years()?.map(|(first, last)| first - 1..=last);
                let years = years.into_iter().flatten();
                spans.extend(years.filter_map(|year| yearly.of(year)));
            }
        }
    }
    let span = |span: DateSpan| span.start..span.end;
    Ok(spans.into_iter().map(span).collect())
}

impl Near {
    fn region(&self, store: &Store) -> Result<Region> {
        let mut regions = Vec::new();
        for place in &self.places {
            regions.push(region(place, self.km.unwrap_or(DEFAULT_WITHIN_KM), store)?);
        }
        Ok(match regions.len() {
            1 => regions.remove(0),
            _ => Region::Any(regions),
        })
    }
}

fn region(place: &str, km: f64, store: &Store) -> Result<Region> {
    if let Some(centre) = position(place) {
        return Ok(Region::Circle(Circle { centre, km }));
    }
    if place.eq_ignore_ascii_case(HOME) {
        // If no photo has a position, there is no home, and no photo is near it.
        let home = store.home()?.map(|centre| Circle { centre, km });
        return Ok(home.map_or_else(|| Region::Cells(Vec::new()), Region::Circle));
    }
    if let Some(name) = place.strip_suffix(MAP_PLACE_SUFFIX) {
        return Ok(Region::Cells(map_places::cells_of(name, &store.places()?)));
    }
    let gazetteer = Gazetteer::get();
    let Some(found) = gazetteer.find(place) else {
        return Err(Error::Usage(format!(
            "no city, region or country is called \"{place}\"; name a larger one nearby, or give latitude and \
             longitude, such as 43.77,11.25"
        )));
    };
    Ok(Gazetteer::region(&found, km))
}

/// Parses a latitude and a longitude that are separated by a comma.
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
