//! The question: a plain set of filters.

use std::ops::RangeInclusive;
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

/// A question. All filters must be met; what is `None`, zero or empty does not restrict.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// The photo shows one of these; it counts by the one that it shows most. Empty: whatever it
    /// shows, with or without faces, by date.
    pub emotions: EmotionSet,
    /// Which of its faces must.
    pub who: Who,
    /// Least score, 0 to 1.
    pub min_score: f32,
    /// How many faces it has.
    pub faces: Option<RangeInclusive<u32>>,
    /// Taken at this local time or later.
    pub since: Option<DateTime>,
    /// Taken before this local time.
    pub until: Option<DateTime>,
    /// Lies in or below this folder, or is this file; an absolute path.
    pub under: Option<PathBuf>,
    /// Lies in or below a folder whose name contains this, in any case.
    pub album: Option<String>,
    /// Taken there.
    pub near: Option<Region>,
    /// Taken more than this many km from where most photos were taken.
    pub away: Option<f64>,
    /// The camera's name contains this, in any case.
    pub camera: Option<String>,
    /// All of these words are in its path, description or keywords.
    pub text: Option<String>,
    /// Only faces with at least this detection score count, 0 to 1.
    pub min_detection: f32,
    /// Only faces whose shorter side has at least this many pixels count.
    pub min_face: f32,
    /// Of photos taken in quick succession only the first in order.
    pub one_per_burst: bool,
    /// The order.
    pub order: Order,
    /// How many photos at most.
    pub limit: usize,
    /// How many to leave out before.
    pub offset: usize,
}

impl Query {
    /// The twenty latest photos.
    pub const fn latest() -> Self {
        Self {
            emotions: EmotionSet::EMPTY,
            who: Who::Any,
            min_score: 0.0,
            faces: None,
            since: None,
            until: None,
            under: None,
            album: None,
            near: None,
            away: None,
            camera: None,
            text: None,
            min_detection: 0.0,
            min_face: 0.0,
            one_per_burst: false,
            order: Order::Score,
            limit: 20,
            offset: 0,
        }
    }

    /// The twenty photos that show `emotion` most.
    pub const fn for_emotion(emotion: Emotion) -> Self {
        let mut query = Self::latest();
        query.emotions = EmotionSet::of(emotion);
        query
    }
}
