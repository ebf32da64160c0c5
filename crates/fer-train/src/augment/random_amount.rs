//! Changes with a probability and a random amount.

use rand::Rng;
use serde::{Deserialize, Serialize};

/// A change with some probability, by an amount drawn uniformly from `-by` to `by`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jitter {
    /// The probability, 0 to 1.
    pub probability: f32,
    /// The largest amount.
    pub by: f32,
}

impl Jitter {
    /// Draws the amount; 0 without a change.
    pub(super) fn draw(jitter: Option<Self>, rng: &mut impl Rng) -> f32 {
        match jitter {
            Some(Self { probability, by }) if rng.random::<f32>() < probability => {
                rng.random_range(-1.0..=1.0) * by
            }
            _ => 0.0,
        }
    }
}

/// A change with some probability, by an amount drawn uniformly from a range.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// The probability, 0 to 1.
    pub probability: f32,
    /// The smallest amount.
    pub from: f32,
    /// The largest amount.
    pub to: f32,
}

impl Range {
    /// Draws the amount; `None` without a change.
    pub(super) fn draw(range: Option<Self>, rng: &mut impl Rng) -> Option<f32> {
        range
            .filter(|range| rng.random::<f32>() < range.probability)
            .map(|range| range.from + rng.random::<f32>() * (range.to - range.from))
    }
}
