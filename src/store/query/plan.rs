//! What is worked out of a question before any photo is looked at.

use std::cmp::Ordering;
use std::path::Path;

use jiff::civil::DateTime;
use rusqlite::Connection;

use crate::emotion::Emotion;
use crate::geo::{Cell, Circle};

use super::super::codec::civil_ms;
use super::super::path::Subtree;
use super::super::places;
use super::super::record::StoredFace;
use super::super::scores::{Kind, UNKNOWN_DATE};
use super::question::{Order, Query};
use super::sources::Candidate;

/// What decides between ways that lead to the same answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// So few photos are not narrowed further: they are looked up and sorted. More are met soon
    /// enough on a walk over all in their order.
    pub few: usize,
    /// A filter that more photos meet does not narrow: where one in twenty of a million does, a
    /// walk finds enough of them sooner than a list of all is made.
    pub most: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            few: 1000,
            most: 50_000,
        }
    }
}

/// A question, and what follows from it.
#[derive(Debug)]
pub(super) struct Plan<'q> {
    pub query: &'q Query,
    pub bounds: Bounds,
    /// The order in force: without an emotion there is no ranking.
    pub order: Order,
    /// Whether the faces that count are all that are stored; the ranking holds exact scores then,
    /// and upper bounds else.
    pub every_face_counts: bool,
    /// Stored time from which on photos may be taken.
    pub since: i64,
    /// Stored time before which they must.
    pub until: i64,
    pub tree: Option<Subtree>,
    /// In lower case.
    pub album: Option<String>,
    /// In lower case.
    pub camera: Option<String>,
    pub away: Option<Away>,
}

/// From where photos are away.
#[derive(Debug)]
pub(super) struct Away {
    pub home: Circle,
    /// The cells with photos, ascending, and how many each has.
    pub places: Vec<(Cell, u64)>,
}

impl<'q> Plan<'q> {
    /// `None` where nothing can answer the question.
    pub fn new(
        db: &Connection,
        query: &'q Query,
        bounds: Bounds,
    ) -> rusqlite::Result<Option<Self>> {
        let away = match query.away {
            None => None,
            Some(km) => {
                let places = places::occupied(db)?;
                let Some(centre) = places::home(&places) else {
                    return Ok(None);
                };
                let home = Circle { centre, km };
                Some(Away { home, places })
            }
        };
        let lower = |text: &Option<String>| text.as_ref().map(|text| text.to_lowercase());
        Ok(Some(Self {
            query,
            bounds,
            order: match query.order {
                Order::Score if query.emotions.is_empty() => Order::Date,
                order => order,
            },
            every_face_counts: every_face_counts(db, query)?,
            since: match (query.since, query.until) {
                // A photo without a date is in no span of time, open ones included.
                (None, None) => UNKNOWN_DATE,
                (since, _) => civil_ms(since.unwrap_or(DateTime::MIN)),
            },
            until: query.until.map_or(i64::MAX, civil_ms),
            tree: query
                .under
                .as_deref()
                .map(|folder: &Path| Subtree::of(folder)),
            album: lower(&query.album),
            camera: lower(&query.camera),
            away,
        }))
    }

    pub const fn is_dated(&self) -> bool {
        self.query.since.is_some() || self.query.until.is_some()
    }

    /// The lists of the ranking that together hold every photo once for each emotion, with its
    /// score or, where not every face counts, a bound: the best face's.
    pub fn lists(&self) -> impl Iterator<Item = (Emotion, Kind)> {
        let several = if self.every_face_counts {
            self.query.who.kind()
        } else {
            Kind::Any
        };
        self.query
            .emotions
            .iter()
            .flat_map(move |emotion| [(emotion, Kind::Lone), (emotion, several)])
    }

    /// Whether a stored date is within the span.
    pub const fn admits_date(&self, taken: i64) -> bool {
        self.since <= taken && taken < self.until
    }

    /// Which of two photos comes first, as far as it does not go by path.
    pub fn compare(&self, a: &Candidate, b: &Candidate) -> Ordering {
        let by_date = b.taken.cmp(&a.taken);
        match self.order {
            Order::Score => b.score.total_cmp(&a.score).then(by_date),
            Order::Date => by_date,
            Order::Random { .. } => a.turn.cmp(&b.turn),
        }
    }

    /// Whether a face counts.
    pub fn counts(&self, face: &StoredFace) -> bool {
        face.counts(self.query.min_detection, self.query.min_face)
    }
}

/// The smallest values are at the ends of two indexes.
pub(super) const LEAST: &str =
    "SELECT (SELECT min(detection_score) FROM faces), (SELECT min(size) FROM faces)";

fn every_face_counts(db: &Connection, query: &Query) -> rusqlite::Result<bool> {
    if query.min_detection <= 0.0 && query.min_face <= 0.0 {
        return Ok(true);
    }
    db.prepare_cached(LEAST)?.query_row([], |row| {
        let at_least = |column, least: f32| {
            row.get::<_, Option<f64>>(column)
                .map(|found| found.is_none_or(|found| found >= f64::from(least)))
        };
        Ok(at_least(0, query.min_detection)? && at_least(1, query.min_face)?)
    })
}
