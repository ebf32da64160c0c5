//! The candidates that the sources offer to the answer.

use crate::emotion::Emotion;

use super::super::record::PhotoId;

/// A photo that may be in the answer, with what decides its position there. The score may be an
/// upper bound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Candidate {
    pub photo: PhotoId,
    /// The emotion by which the photo is ranked.
    pub emotion: Option<Emotion>,
    /// Score, or 0 without an emotion.
    pub score: f64,
    /// Local time of the photo as stored; [`UNKNOWN_DATE`](super::super::ranking::UNKNOWN_DATE) sorts
    /// last.
    pub taken: i64,
    /// In a shuffle, the number of photos before this one.
    pub shuffle_position: u64,
}
