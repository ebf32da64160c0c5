//! What is worked out of a question before any photo is looked at.

use std::cmp::Ordering;
use std::ops::Range;
use std::path::{Path, PathBuf};

use jiff::civil::DateTime;
use rusqlite::Connection;

use crate::emotion::Emotion;
use crate::geo::{Cell, Circle, Region};

use super::super::codec::civil_ms;
use super::super::path::Subtree;
use super::super::places;
use super::super::record::StoredFace;
use super::super::scores::{Kind, UNKNOWN_DATE};
use super::super::{roots, words};
use super::candidate::Candidate;
use super::filter::{Order, Query};

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
    /// The spans of stored time within which photos must be taken, ascending and without overlap;
    /// all from `since` to `until`.
    pub spans: Vec<Range<i64>>,
    /// The folders that were indexed, none within another: names count below them.
    pub roots: Vec<PathBuf>,
    /// Where words of the query are in the path of a root: how to tell them from those below it.
    pub below_roots: Option<words::BelowRoots>,
    pub tree: Option<Subtree>,
    /// In lower case.
    pub album: Option<String>,
    /// In lower case.
    pub cameras: Vec<String>,
    /// What the words are to the index of words.
    pub words: Option<String>,
    /// Where photos are not away.
    pub home: Option<Circle>,
    /// The cells with photos, ascending, and how many each has; empty where no place is asked for.
    pub places: Vec<(Cell, u64)>,
}

impl<'q> Plan<'q> {
    /// `None` where nothing can answer the question.
    pub fn new(
        db: &Connection,
        query: &'q Query,
        bounds: Bounds,
    ) -> rusqlite::Result<Option<Self>> {
        let places = if query.near.is_some() || query.away.is_some() {
            places::occupied(db)?
        } else {
            Vec::new()
        };
        let home = match (query.away, places::home(&places)) {
            (None, _) => None,
            (Some(_), None) => return Ok(None),
            (Some(km), Some(centre)) => Some(Circle { centre, km }),
        };
        let lower = |text: &String| text.to_lowercase();
        let spans = spans(query);
        if spans.is_empty() {
            return Ok(None);
        }
        let roots = if query.album.is_some() || query.text.is_some() {
            roots::topmost(db)?
        } else {
            Vec::new()
        };
        let below_roots = match &query.text {
            Some(text) => words::BelowRoots::of(text, &roots)?,
            None => None,
        };
        Ok(Some(Self {
            query,
            bounds,
            order: match query.order {
                Order::Score if query.emotions.is_empty() => Order::Date,
                order => order,
            },
            every_face_counts: every_face_counts(db, query)?,
            since: spans[0].start,
            until: spans[spans.len() - 1].end,
            spans,
            roots,
            below_roots,
            tree: query
                .under
                .as_deref()
                .map(|folder: &Path| Subtree::of(folder)),
            album: query.album.as_ref().map(lower),
            cameras: query.cameras.iter().map(lower).collect(),
            words: query.text.as_deref().and_then(words::expression),
            home,
            places,
        }))
    }

    pub const fn is_dated(&self) -> bool {
        self.query.since.is_some() || self.query.until.is_some() || self.query.taken.is_some()
    }

    /// The lists of the ranking that together hold every photo with as many faces as are asked for
    /// once for each emotion, with its score or, where not every face counts, a bound: the best
    /// face's.
    pub fn lists(&self) -> impl Iterator<Item = (Emotion, Kind)> {
        let several = if self.every_face_counts {
            self.query.who.kind()
        } else {
            Kind::Any
        };
        let asked = self.query.faces.as_ref();
        let may_be_lone = asked.is_none_or(|faces| *faces.start() < 2);
        let may_be_several = !self.every_face_counts || asked.is_none_or(|faces| *faces.end() > 1);
        let lone = may_be_lone.then_some(Kind::Lone);
        let several = may_be_several.then_some(several);
        self.query.emotions.iter().flat_map(move |emotion| {
            let kinds = lone.into_iter().chain(several);
            kinds.map(move |kind| (emotion, kind))
        })
    }

    /// The cells that may hold photos where they are asked for, and how many each has.
    pub fn cells(&self) -> impl Iterator<Item = (Cell, u64)> {
        let ranges = self.query.near.as_ref().map(Region::cells);
        self.places.iter().copied().filter(move |(cell, _)| {
            let is_near = ranges
                .as_ref()
                .is_none_or(|ranges| ranges.iter().any(|range| range.contains(&cell.0)));
            is_near && !self.home.is_some_and(|home| home.holds_all_of(*cell))
        })
    }

    /// Whether a stored date is within one of the spans.
    pub fn admits_date(&self, taken: i64) -> bool {
        self.spans.iter().any(|span| span.contains(&taken))
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
        face.counts(self.query.least_detection(), self.query.least_face())
    }
}

/// The spans of stored time in which a photo may be taken, ascending; none where it cannot be.
fn spans(query: &Query) -> Vec<Range<i64>> {
    let whole = match (query.since, query.until, &query.taken) {
        // A photo without a date is in no span of time, open ones included.
        (None, None, None) => UNKNOWN_DATE..i64::MAX,
        (since, until, _) => {
            civil_ms(since.unwrap_or(DateTime::MIN))..until.map_or(i64::MAX, civil_ms)
        }
    };
    let Some(taken) = &query.taken else {
        return vec![whole];
    };
    let mut spans: Vec<Range<i64>> = taken
        .iter()
        .map(|span| civil_ms(span.start).max(whole.start)..civil_ms(span.end).min(whole.end))
        .filter(|span| !span.is_empty())
        .collect();
    spans.sort_by_key(|span| span.start);
    spans.dedup_by(|next, span| {
        let is_joined = next.start <= span.end;
        if is_joined {
            span.end = span.end.max(next.end);
        }
        is_joined
    });
    spans
}

/// The least of the faces in a place; both are at the end of a range of an index.
pub(super) const LEAST: &str = "
    SELECT (SELECT min(surety) FROM faces WHERE surety_place = ?1),
           (SELECT min(side) FROM faces WHERE side_place = ?1)";

fn every_face_counts(db: &Connection, query: &Query) -> rusqlite::Result<bool> {
    let (detection, side) = (query.least_detection(), query.least_face());
    if detection <= 0.0 && side <= 0.0 {
        return Ok(true);
    }
    let mut least = db.prepare_cached(LEAST)?;
    // As far as there are photos with so many faces.
    for place in 1_i64.. {
        let found = least.query_row([place], |row| {
            Ok(row
                .get::<_, Option<f64>>(0)?
                .zip(row.get::<_, Option<f64>>(1)?))
        })?;
        let Some((least_surety, least_side)) = found else {
            break;
        };
        if least_surety < f64::from(detection) || least_side < f64::from(side) {
            return Ok(false);
        }
    }
    Ok(true)
}
