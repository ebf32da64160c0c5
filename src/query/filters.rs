//! Filters as people give them: places by name, dates in words, everything else left open.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::dates::DateSpan;
use super::gazetteer::Gazetteer;
use crate::emotion::EmotionSet;
use crate::error::{Error, Result};
use crate::geo::{Circle, Region};
use crate::photo::GeoPoint;
use crate::store::{Order, Query, Store, Who};

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

/// What a question restricts. [`Filters::flags`] writes it as the flags of `fer-index query`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filters {
    /// `--emotion`
    pub emotions: EmotionSet,
    /// `--who`
    pub who: Who,
    /// `--min-score`
    pub min_score: Option<f32>,
    /// `--faces`
    pub faces: Option<RangeInclusive<u32>>,
    /// `--since`: its start counts
    pub since: Option<When>,
    /// `--until`: its end counts
    pub until: Option<When>,
    /// `--under`
    pub under: Option<PathBuf>,
    /// `--album`
    pub album: Option<String>,
    /// `--near`: a place, or latitude and longitude with a comma between
    pub near: Option<String>,
    /// `--within`, in km
    pub within: Option<f64>,
    /// `--away`, in km
    pub away: Option<f64>,
    /// `--camera`
    pub camera: Option<String>,
    /// `--text`
    pub text: Option<String>,
    /// `--min-detection`
    pub min_detection: Option<f32>,
    /// `--min-face-size`
    pub min_face: Option<f32>,
    /// `--one-per-burst`
    pub one_per_burst: bool,
    /// `--order`
    pub order: Order,
    /// `--limit`
    pub limit: Option<usize>,
    /// `--offset`
    pub offset: usize,
}

impl Filters {
    /// The question for the store. `min_detection` and `limit` hold where the filters leave them
    /// open.
    ///
    /// # Errors
    /// If a place is not known, and if the store cannot be read.
    pub fn to_query(&self, store: &Store, min_detection: f32, limit: usize) -> Result<Query> {
        // A ranking shows the best whatever their scores; another order needs a threshold.
        let least = match self.order {
            Order::Score => 0.0,
            Order::Date | Order::Random { .. } => SHOWN,
        };
        Ok(Query {
            emotions: self.emotions,
            who: self.who,
            min_score: self.min_score.unwrap_or(least),
            faces: self.faces.clone(),
            since: self.since.as_ref().map(|when| when.span.start),
            until: self.until.as_ref().map(|when| when.span.end),
            under: self.under.clone(),
            album: self.album.clone(),
            near: self.region(store)?,
            away: self.away,
            camera: self.camera.clone(),
            text: self.text.clone(),
            min_detection: self.min_detection.unwrap_or(min_detection),
            min_face: self.min_face.unwrap_or(0.0),
            one_per_burst: self.one_per_burst,
            order: self.order,
            limit: self.limit.unwrap_or(limit),
            offset: self.offset,
        })
    }

    fn region(&self, store: &Store) -> Result<Option<Region>> {
        let Some(place) = &self.near else {
            return Ok(None);
        };
        let km = self.within.unwrap_or(WITHIN);
        if let Some(centre) = position(place) {
            return Ok(Some(Region::Circle(Circle { centre, km })));
        }
        let gazetteer = Gazetteer::load()?;
        let Some(found) = gazetteer.find(place) else {
            return Err(Error::Usage(format!(
                "no city or country is called \"{place}\"; name a larger one nearby, or give \
                 latitude and longitude as in --near 43.77,11.25"
            )));
        };
        Ok(Some(gazetteer.region(&found, km, &store.places()?)))
    }

    /// The filters as flags.
    pub fn flags(&self) -> Vec<String> {
        let mut flags = Vec::new();
        let mut flag = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                flags.push(format!("--{name}"));
                flags.push(value);
            }
        };
        for emotion in self.emotions.iter() {
            flag("emotion", Some(emotion.name().to_owned()));
        }
        flag(
            "who",
            match self.who {
                Who::Any => None,
                Who::Most => Some("most".to_owned()),
                Who::All => Some("all".to_owned()),
            },
        );
        flag("min-score", self.min_score.map(|least| least.to_string()));
        flag("faces", self.faces.as_ref().map(range_text));
        flag("since", self.since.as_ref().map(|when| when.text.clone()));
        flag("until", self.until.as_ref().map(|when| when.text.clone()));
        let under = self.under.as_ref();
        flag("under", under.map(|folder| folder.display().to_string()));
        flag("album", self.album.clone());
        flag("near", self.near.clone());
        flag("within", self.within.map(|km| km.to_string()));
        flag("camera", self.camera.clone());
        flag("text", self.text.clone());
        flag(
            "min-detection",
            self.min_detection.map(|least| least.to_string()),
        );
        flag(
            "min-face-size",
            self.min_face.map(|least| least.to_string()),
        );
        flag(
            "order",
            match self.order {
                Order::Score => None,
                Order::Date => Some("date".to_owned()),
                Order::Random { .. } => Some("random".to_owned()),
            },
        );
        flag("limit", self.limit.map(|limit| limit.to_string()));
        flag("offset", (self.offset > 0).then(|| self.offset.to_string()));
        if let Some(km) = self.away {
            flags.push(format!("--away={km}"));
        }
        if self.one_per_burst {
            flags.push("--one-per-burst".to_owned());
        }
        flags
    }
}

/// `3`, `2..5`, `2..`
fn range_text(range: &RangeInclusive<u32>) -> String {
    match (*range.start(), *range.end()) {
        (least, most) if least == most => least.to_string(),
        (least, u32::MAX) => format!("{least}.."),
        (least, most) => format!("{least}..{most}"),
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
    use crate::emotion::Emotion;

    #[test]
    fn only_what_restricts_is_a_flag() {
        assert_eq!(Filters::default().flags(), [] as [&str; 0]);
        let filters = Filters {
            emotions: [Emotion::Happy, Emotion::Sad].into_iter().collect(),
            who: Who::All,
            faces: Some(2..=u32::MAX),
            away: Some(AWAY),
            min_score: Some(0.5),
            one_per_burst: true,
            ..Filters::default()
        };
        assert_eq!(
            filters.flags().join(" "),
            "--emotion happy --emotion sad --who all --min-score 0.5 --faces 2.. --away=100 \
             --one-per-burst"
        );
    }

    #[test]
    fn positions_are_told_from_names() {
        let centre = position("-16.85, 179.97").unwrap();
        assert!((centre.latitude + 16.85).abs() < 1e-9 && (centre.longitude - 179.97).abs() < 1e-9);
        for text in ["Florence, US", "91,0", "0,181", "12"] {
            assert_eq!(position(text), None, "{text}");
        }
    }
}
