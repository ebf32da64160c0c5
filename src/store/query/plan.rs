//! Prepares a query: everything that can be computed before photos are read.

use std::cmp::Ordering;
use std::ops::Range;
use std::path::{Path, PathBuf};

use jiff::civil::DateTime;
use rusqlite::Connection;

use crate::emotion::Emotion;
use crate::geo::{Cell, Circle, Region};
use crate::photo::Raws;

use super::super::areas;
use super::super::codec::civil_ms;
use super::super::path::Subtree;
use super::super::places;
use super::super::ranking::{Kind, UNKNOWN_DATE};
use super::super::raw_pairs;
use super::super::roots::AbsentRoots;
use super::super::{people, roots, words};
use super::candidate::Candidate;
use super::filter::{Order, Query};

/// Bounds that decide between ways to the same answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// At or below this many candidates, stop filtering, look them up and sort them. If there are
    /// more, a walk over all photos in the order of the answer finds enough of them soon.
    pub few: usize,
    /// A filter that more photos meet gives no list: if one in twenty of a million photos meets it, a walk has found
    /// enough of them before a list of all would be complete.
    pub most: usize,
    /// After this many candidates that do not meet the filters, a walk is given up, and each filter gives a list,
    /// however long: together the lists may leave few photos or none, where the walk would check nearly all.
    pub most_rejected: usize,
}

impl Bounds {
    /// Bounds by which each filter gives a list, however long.
    pub const ALL_LISTS: Self = Self {
        few: 0,
        // Divided, since the maximum is multiplied by small factors.
        most: usize::MAX / 16,
        most_rejected: usize::MAX,
    };
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            few: 1000,
            most: 50_000,
            // Checking as many takes about as long as listing a filter that half of a million photos meet.
            most_rejected: 20_000,
        }
    }
}

/// A query and the values derived from it.
#[derive(Debug)]
pub(super) struct Plan<'q> {
    pub query: &'q Query,
    pub bounds: Bounds,
    /// The effective order: a query without an emotion has no ranking and is answered by date.
    pub order: Order,
    /// Whether all stored faces count. If so, the ranking contains exact scores, otherwise upper
    /// bounds.
    pub every_face_counts: bool,
    /// Stored time at or after which photos must have been taken.
    pub since: i64,
    /// Stored time before which photos must have been taken.
    pub until: i64,
    /// The spans of stored time in which photos must have been taken, ascending and without overlap; all are between
    /// `since` and `until`.
    pub spans: Vec<Range<i64>>,
    /// The roots that are not in another root; names of folders are matched only below them.
    pub roots: Vec<PathBuf>,
    /// Set if words of the query are in the path of a root: matches words below the roots only.
    pub below_roots: Option<words::BelowRoots>,
    /// The absent roots: a path below one of them is in the answer only if the photo has no other.
    pub absent: AbsentRoots,
    pub tree: Option<Subtree>,
    /// The name of an album, as names are compared.
    pub album: Option<String>,
    /// The names of cameras in lower case.
    pub cameras: Vec<String>,
    /// The words of the names of people, as names are compared.
    pub people: Vec<Vec<String>>,
    /// The FTS5 expression for the words.
    pub words: Option<String>,
    /// Whether raw files that are paired with a picture are left out; `false` if there are none.
    pub leaves_out_raws: bool,
    /// The circle around home within which photos do not count as away.
    pub home: Option<Circle>,
    /// The cells with photos, ascending, each with its number of photos; empty if the query has no
    /// filter by place.
    pub places: Vec<(Cell, u64)>,
    /// The IDs of the sets of areas that contain an area of the query's region, ascending.
    pub area_sets: Vec<i64>,
}

impl<'q> Plan<'q> {
    /// `None` if no photo can be in the answer.
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
        let codes = query.near.as_ref().map_or_else(Vec::new, Region::areas);
        let area_sets = if codes.is_empty() {
            Vec::new()
        } else {
            areas::with(db, &codes)?
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
            absent: AbsentRoots::now(db)?,
            tree: query
                .under
                .as_deref()
                .map(|folder: &Path| Subtree::of(folder)),
            album: query.album.as_deref().map(words::folded),
            cameras: query.cameras.iter().map(lower).collect(),
            people: query
                .people
                .iter()
                .map(|name| people::words_of_name(name))
                .collect(),
            words: query.text.as_deref().and_then(words::expression),
            leaves_out_raws: query.raws == Some(Raws::Alone) && raw_pairs::any(db)?,
            home,
            places,
            area_sets,
        }))
    }

    pub const fn is_dated(&self) -> bool {
        self.query.is_dated()
    }

    /// Whether photos without a date of their own are left out.
    pub const fn needs_own_date(&self) -> bool {
        self.is_dated() && !self.query.file_dates
    }

    /// The lists of the ranking that together contain every photo with the required number of faces, once for each
    /// emotion. Their scores are exact, or, if not every face counts, upper bounds: the score of the best face.
    pub fn lists(&self) -> impl Iterator<Item = (Emotion, Kind)> {
        let several = if self.every_face_counts {
            self.query.who.kind()
        } else {
            Kind::Any
        };
        let faces = self.query.faces.as_ref();
        let may_be_lone = faces.is_none_or(|faces| *faces.start() < 2);
        let may_be_several = !self.every_face_counts || faces.is_none_or(|faces| *faces.end() > 1);
        let lone = may_be_lone.then_some(Kind::Lone);
        let several = may_be_several.then_some(several);
        self.query.emotions.iter().flat_map(move |emotion| {
            let kinds = lone.into_iter().chain(several);
            kinds.map(move |kind| (emotion, kind))
        })
    }

    /// The cells that may contain photos of the circles and cells of the query's region, each with its number of
    /// photos.
    pub fn cells(&self) -> impl Iterator<Item = (Cell, u64)> {
        let ranges = self.query.near.as_ref().map(Region::cells);
        self.away_cells().filter(move |(cell, _)| {
            ranges
                .as_ref()
                .is_none_or(|ranges| ranges.iter().any(|range| range.contains(&cell.0)))
        })
    }

    /// The cells that may contain photos away from home, each with its number of photos.
    pub fn away_cells(&self) -> impl Iterator<Item = (Cell, u64)> {
        let places = self.places.iter().copied();
        places.filter(|(cell, _)| !self.home.is_some_and(|home| home.holds_all_of(*cell)))
    }

    /// Whether a stored date is within one of the spans.
    pub fn admits_date(&self, taken: i64) -> bool {
        self.spans.iter().any(|span| span.contains(&taken))
    }

    /// Whether a photo was certainly taken within one of the spans if only the day, month or year of its date is known,
    /// which lasts from `start` to `end`.
    pub fn admits_period(&self, start: i64, end: i64) -> bool {
        let holds = |span: &Range<i64>| span.start <= start && end <= span.end;
        self.spans.iter().any(holds)
    }

    /// Which of two photos comes first, apart from the comparison of their paths.
    pub fn compare(&self, a: &Candidate, b: &Candidate) -> Ordering {
        let by_date = b.taken.cmp(&a.taken);
        match self.order {
            Order::Score => b.score.total_cmp(&a.score).then(by_date),
            Order::Date => by_date,
            Order::Random { .. } => a.shuffle_position.cmp(&b.shuffle_position),
        }
    }
}

/// The spans of stored time in which a photo may have been taken, ascending; empty if there are
/// none.
fn spans(query: &Query) -> Vec<Range<i64>> {
    let whole = match (query.since, query.until, &query.taken) {
        // A photo without a date is in no span, not even in an open one.
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

/// Reads the smallest confidence and the smallest size among all faces of a rank; each is at one
/// end of a range of an index.
pub(super) const SMALLEST_FACES: &str = "
    SELECT (SELECT min(confidence) FROM faces WHERE confidence_rank = ?1),
           (SELECT min(side) FROM faces WHERE side_rank = ?1)";

fn every_face_counts(db: &Connection, query: &Query) -> rusqlite::Result<bool> {
    let (detection, side) = (query.least_detection(), query.least_face());
    if detection <= 0.0 && side <= 0.0 {
        return Ok(true);
    }
    let mut least = db.prepare_cached(SMALLEST_FACES)?;
    // Ends at the first rank that no face has.
    for rank in 1_i64.. {
        let found = least.query_row([rank], |row| {
            Ok(row
                .get::<_, Option<f64>>(0)?
                .zip(row.get::<_, Option<f64>>(1)?))
        })?;
        let Some((least_confidence, least_side)) = found else {
            break;
        };
        if least_confidence < f64::from(detection) || least_side < f64::from(side) {
            return Ok(false);
        }
    }
    Ok(true)
}
