//! What the page asks for.

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::Deserialize;

use crate::emotion::Emotion;
use crate::store::Query;

/// Most photos of one answer.
const MOST: usize = 500;

/// How sure the classifier must be where the page does not say, in percent: more likely than not.
const MIN_SCORE: f32 = 50.0;

/// The filters of the page.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Filters {
    pub emotion: Option<Emotion>,
    /// Percent.
    min: Option<f32>,
    since: Option<Date>,
    /// The last day that counts.
    until: Option<Date>,
    under: Option<String>,
}

/// Filters, and which part of what they find.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Part {
    #[serde(flatten)]
    pub filters: Filters,
    #[serde(default)]
    pub offset: usize,
    limit: usize,
}

impl Part {
    pub fn limit(&self) -> usize {
        self.limit.min(MOST)
    }
}

impl Filters {
    /// The store's question; `min_detection` is the setting.
    pub fn query(&self, emotion: Emotion, min_detection: f32) -> Query {
        Query {
            min_score: self.min.unwrap_or(MIN_SCORE) / 100.0,
            since: self.since.map(Into::into),
            until: self
                .until
                .and_then(|day| Some(day.checked_add(1.day()).ok()?.into())),
            under: self.under.clone().map(Into::into),
            min_detection,
            ..Query::for_emotion(emotion)
        }
    }
}
