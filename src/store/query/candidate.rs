//! What the ways to an answer hand to it.

use crate::emotion::Emotion;

use super::super::record::PhotoId;

/// A photo that may be in the answer, and its place in it. The score may be an upper bound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Candidate {
    pub photo: PhotoId,
    /// By which emotion the photo counts.
    pub emotion: Option<Emotion>,
    /// Score, or 0 without an emotion.
    pub score: f64,
    /// Local time of the photo as stored; [`UNKNOWN_DATE`](super::super::scores::UNKNOWN_DATE) sorts
    /// last.
    pub taken: i64,
    /// In a shuffle: how many came before.
    pub turn: u64,
}
