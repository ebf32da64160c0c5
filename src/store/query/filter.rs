//! Defines the filters of queries. The command line, the gallery's address, the words of `find` and the store use one
//! type; only dates and places are resolved in between.

use std::ops::{Range, RangeInclusive};
use std::path::PathBuf;

use jiff::civil::DateTime;

use crate::emotion::{Emotion, EmotionSet};
use crate::geo::Region;
use crate::photo::Raws;

use super::super::ranking::Kind;

/// Which faces of a photo must show an emotion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Who {
    /// One of them: the photo's score is that of its best face.
    #[default]
    Any,
    /// More than half of them: the photo's score is one that more than half of the faces reach.
    Most,
    /// All of them: the photo's score is the lowest of its faces.
    All,
}

impl Who {
    /// The kind of score in the ranking for photos of several faces.
    pub(super) const fn kind(self) -> Kind {
        match self {
            Self::Any => Kind::Any,
            Self::Most => Kind::Most,
            Self::All => Kind::All,
        }
    }
}

/// The order of an answer. Among photos that are equal in this order, the latest comes first, then the
/// one whose path comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Best score first; latest first if the query has no emotion.
    #[default]
    Score,
    /// Latest first; photos without a date last.
    Date,
    /// Shuffled; the same seed gives the same order.
    Random {
        /// Selects one of the shuffles.
        seed: u64,
    },
}

/// The restrictions of an answer, and its order. A photo must meet every restriction; a field that
/// is `None`, zero, empty or `false` does not restrict.
///
/// Dates and places stay as people write them until they are resolved, so their types are
/// parameters: a `Date`, several `Dates`, a `Place`. [`Query`] is the resolved filter that the
/// store answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter<Date, Dates, Place> {
    /// The photo shows one of these, and is ranked by the one that it shows most. Empty: any
    /// emotion or none, with or without faces, by date.
    pub emotions: EmotionSet,
    /// The photo has faces, and none of them shows one of these emotions: each of their scores is below `min_score`, or
    /// below [`EMOTION_THRESHOLD`] if `min_score` is not given or 0.
    pub without: EmotionSet,
    /// Which of its faces must show one of `emotions`.
    pub who: Who,
    /// Minimum score, 0 to 1.
    pub min_score: Option<f32>,
    /// Number of faces of the photo that count.
    pub faces: Option<RangeInclusive<u32>>,
    /// Taken at this local time or later.
    pub since: Option<Date>,
    /// Taken before this local time.
    pub until: Option<Date>,
    /// Taken on one of these dates.
    pub taken: Option<Dates>,
    /// Whether `since`, `until` and `taken` use the modification time of its file for a photo without a date of its own.
    /// If not, such a photo meets none of the three.
    pub file_dates: bool,
    /// Has a file in or below this folder, or is this file; an absolute path.
    pub under: Option<PathBuf>,
    /// Has a file in or below a folder whose name contains this, in any case.
    pub album: Option<String>,
    /// Taken at this place.
    pub near: Option<Place>,
    /// Taken more than this many km from where most photos were taken; see
    /// [`Store::home`](crate::store::Store::home).
    pub away: Option<f64>,
    /// The camera's name contains one of these, in any case; empty: any camera or none.
    pub cameras: Vec<String>,
    /// The photo's metadata or sidecars name each of these people. An entry means every person whose name has all of its
    /// words, in any case.
    pub people: Vec<String>,
    /// The photo's paths, description and keywords together contain all of these words.
    pub text: Option<String>,
    /// Only faces with at least this detection score count, 0 to 1.
    pub min_detection: Option<f32>,
    /// Only faces whose shorter side has at least this many pixels count.
    pub min_face: Option<f32>,
    /// Only the photo of each burst that comes first in the order is in the answer.
    pub one_per_burst: bool,
    /// Which raw files may be in the answer; all if it is not given.
    pub raws: Option<Raws>,
    /// The order of the hits.
    pub order: Order,
    /// Maximum number of hits.
    pub limit: Option<usize>,
    /// Number of hits to skip at the beginning.
    pub offset: usize,
}

/// Minimum score at which a face counts as showing an emotion: the emotion is more likely than not.
pub const EMOTION_THRESHOLD: f32 = 0.5;

/// A resolved filter: a date is a local time, several dates are spans that exclude their ends, and a place is a region.
pub type Query = Filter<DateTime, Vec<Range<DateTime>>, Region>;

impl<Date, Dates, Place> Filter<Date, Dates, Place> {
    /// Every photo, latest first.
    pub const fn new() -> Self {
        Self {
            emotions: EmotionSet::EMPTY,
            without: EmotionSet::EMPTY,
            who: Who::Any,
            min_score: None,
            faces: None,
            since: None,
            until: None,
            taken: None,
            file_dates: false,
            under: None,
            album: None,
            near: None,
            away: None,
            cameras: Vec::new(),
            people: Vec::new(),
            text: None,
            min_detection: None,
            min_face: None,
            one_per_burst: false,
            raws: None,
            order: Order::Score,
            limit: None,
            offset: 0,
        }
    }

    /// The same filter with its dates and its place resolved.
    pub fn with_resolved<D, Ds, P>(
        self,
        since: Option<D>,
        until: Option<D>,
        taken: Option<Ds>,
        near: Option<P>,
    ) -> Filter<D, Ds, P> {
        let Self {
            emotions,
            without,
            who,
            min_score,
            faces,
            since: _,
            until: _,
            taken: _,
            file_dates,
            under,
            album,
            near: _,
            away,
            cameras,
            people,
            text,
            min_detection,
            min_face,
            one_per_burst,
            raws,
            order,
            limit,
            offset,
        } = self;
        Filter {
            emotions,
            without,
            who,
            min_score,
            faces,
            since,
            until,
            taken,
            file_dates,
            under,
            album,
            near,
            away,
            cameras,
            people,
            text,
            min_detection,
            min_face,
            one_per_burst,
            raws,
            order,
            limit,
            offset,
        }
    }

    /// Whether the date of a photo decides about it.
    pub const fn is_dated(&self) -> bool {
        self.since.is_some() || self.until.is_some() || self.taken.is_some()
    }

    /// The minimum score; 0 if none is set.
    pub fn least_score(&self) -> f32 {
        self.min_score.unwrap_or(0.0)
    }

    /// The minimum score at which a face shows an emotion of `without`.
    pub fn least_without(&self) -> f32 {
        self.min_score
            .filter(|least| *least > 0.0)
            .unwrap_or(EMOTION_THRESHOLD)
    }

    /// The minimum detection score; 0 if none is set.
    pub fn least_detection(&self) -> f32 {
        self.min_detection.unwrap_or(0.0)
    }

    /// The minimum size of a face in pixels; 0 if none is set.
    pub fn least_face(&self) -> f32 {
        self.min_face.unwrap_or(0.0)
    }
}

impl<Date, Dates, Place> Default for Filter<Date, Dates, Place> {
    fn default() -> Self {
        Self::new()
    }
}

impl Query {
    /// The twenty latest photos.
    pub const fn latest() -> Self {
        let mut query = Self::new();
        query.limit = Some(20);
        query
    }

    /// The twenty photos that show `emotion` most.
    pub const fn for_emotion(emotion: Emotion) -> Self {
        let mut query = Self::latest();
        query.emotions = EmotionSet::of(emotion);
        query
    }
}
