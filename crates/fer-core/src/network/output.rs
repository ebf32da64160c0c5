//! Converts the logits of a head to probabilities.

use serde::{Deserialize, Serialize};

use crate::classify::softmax;

/// If the probabilities of an independent head add up to less than this, the face shows none of its emotions: the rule
/// of the case study, whose program answered "No face".
pub const MIN_SUM: f32 = 0.02;

/// How the logits of a head become probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeadOutput {
    /// Probabilities that add up to one.
    #[default]
    Softmax,
    /// An independent probability for each emotion (the logistic function).
    Sigmoid,
}

impl HeadOutput {
    /// Replaces the logits of one face by probabilities that add up to one: independent ones are divided by their
    /// sum, or all become zero if it is less than [`MIN_SUM`].
    pub fn probabilities(self, logits: &mut [f32]) {
        match self {
            Self::Softmax => softmax(logits),
            Self::Sigmoid => {
                for logit in &mut *logits {
                    *logit = 1.0 / (1.0 + (-*logit).exp());
                }
                let sum: f32 = logits.iter().sum();
                let scale = if sum < MIN_SUM { 0.0 } else { 1.0 / sum };
                for p in logits {
                    *p *= scale;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn independent_probabilities_are_divided_by_their_sum_unless_it_is_too_small() {
        let mut logits = [0.0, -3.0_f32.ln(), -200.0, f32::NEG_INFINITY];
        HeadOutput::Sigmoid.probabilities(&mut logits);
        for (found, expected) in logits.iter().zip([2.0 / 3.0, 1.0 / 3.0, 0.0, 0.0]) {
            assert!((found - expected).abs() < 1e-6, "{logits:?}");
        }
        let all = |p: f32| [(p / (1.0 - p)).ln(); 4];
        let (mut enough, mut few) = (all(0.0051), all(0.0049));
        HeadOutput::Sigmoid.probabilities(&mut enough);
        HeadOutput::Sigmoid.probabilities(&mut few);
        assert!(enough.iter().all(|p| (p - 0.25).abs() < 1e-6));
        assert!(few.iter().all(|p| p.abs() < f32::EPSILON));
    }
}
