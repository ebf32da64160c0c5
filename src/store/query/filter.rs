//! What a photo must meet to be in an answer. There is one type from the command line, the gallery's
//! address and the words of `find` to the store; only dates and places are read on the way.

use std::ops::{Range, RangeInclusive};
use std::path::PathBuf;

use jiff::civil::DateTime;

use crate::emotion::{Emotion, EmotionSet};
use crate::geo::Region;

use super::super::scores::Kind;

/// Which faces of a photo must show an emotion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Who {
    /// One of them: the photo's score is its best face's.
    #[default]
    Any,
    /// More than half of them: the score that more than half reach.
    Most,
    /// Everybody: the weakest face's score.
    All,
}

impl Who {
    /// What it asks of several faces.
    pub(super) const fn kind(self) -> Kind {
        match self {
            Self::Any => Kind::Any,
            Self::Most => Kind::Most,
            Self::All => Kind::All,
        }
    }
}

/// In which order photos are answered. Ties go to the latest, then by path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Best score first; by date where no emotion is asked for.
    #[default]
    Score,
    /// Latest first; photos without a date last.
    Date,
    /// Shuffled, the same way for the same seed.
    Random {
        /// By what the shuffle is told from others.
        seed: u64,
    },
}

/// What restricts an answer, and how it is ordered. Every restriction must be met; what is `None`,
/// zero, empty or `false` does not restrict.
///
/// Dates and places are as people write them until they are looked up, so their types are open: a
/// `Date`, several `Dates`, a `Place`. [`Query`] is the filter that the store answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter<Date, Dates, Place> {
    /// The photo shows one of these; it counts by the one that it shows most. Empty: whatever it
    /// shows, with or without faces, by date.
    pub emotions: EmotionSet,
    /// The photo has faces, and none of them shows one of these: each of their scores is below
    /// `min_score`, or below [`SHOWN`] where that is not given or 0.
    pub without: EmotionSet,
    /// Which of its faces must show one of `emotions`.
    pub who: Who,
    /// Least score, 0 to 1.
    pub min_score: Option<f32>,
    /// How many faces it has.
    pub faces: Option<RangeInclusive<u32>>,
    /// Taken at this local time or later.
    pub since: Option<Date>,
    /// Taken before this local time.
    pub until: Option<Date>,
    /// Taken on one of these dates.
    pub taken: Option<Dates>,
    /// Lies in or below this folder, or is this file; an absolute path.
    pub under: Option<PathBuf>,
    /// Lies in or below a folder whose name contains this, in any case.
    pub album: Option<String>,
    /// Taken there.
    pub near: Option<Place>,
    /// Taken more than this many km from where most photos were taken.
    pub away: Option<f64>,
    /// The camera's name contains one of these, in any case; empty: whatever it is.
    pub cameras: Vec<String>,
    /// All of these words are in its path, description or keywords.
    pub text: Option<String>,
    /// Only faces with at least this detection score count, 0 to 1.
    pub min_detection: Option<f32>,
    /// Only faces whose shorter side has at least this many pixels count.
    pub min_face: Option<f32>,
    /// Of photos taken in quick succession only the first in order.
    pub one_per_burst: bool,
    /// The order.
    pub order: Order,
    /// How many photos at most.
    pub limit: Option<usize>,
    /// How many to leave out before.
    pub offset: usize,
}

/// From this score on a face shows an emotion: it is more likely than not.
pub const SHOWN: f32 = 0.5;

/// A filter whose dates are moments and spans of local time, which exclude their ends, and whose
/// place is a region.
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
            under: None,
            album: None,
            near: None,
            away: None,
            cameras: Vec::new(),
            text: None,
            min_detection: None,
            min_face: None,
            one_per_burst: false,
            order: Order::Score,
            limit: None,
            offset: 0,
        }
    }

    /// The same filter with dates and place looked up.
    pub fn with<D, Ds, P>(
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
            under,
            album,
            near: _,
            away,
            cameras,
            text,
            min_detection,
            min_face,
            one_per_burst,
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
            under,
            album,
            near,
            away,
            cameras,
            text,
            min_detection,
            min_face,
            one_per_burst,
            order,
            limit,
            offset,
        }
    }

    /// The least score in force.
    pub fn least_score(&self) -> f32 {
        self.min_score.unwrap_or(0.0)
    }

    /// From which score on a face shows an emotion of `without`.
    pub fn least_without(&self) -> f32 {
        self.min_score.filter(|least| *least > 0.0).unwrap_or(SHOWN)
    }

    /// The least detection score in force.
    pub fn least_detection(&self) -> f32 {
        self.min_detection.unwrap_or(0.0)
    }

    /// The least size of a face in force, in pixels.
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
