//! Learns from a person's corrections how to change the scores of other faces: by a linear layer on the features of a
//! face, which is added to the logits of the network's scores.
//!
//! The layer is a multinomial logistic regression with the network's scores as its offset and a Gaussian prior around zero,
//! so that the network's scores are what it starts from, and what remains without corrections.

mod fit;
mod lessons;
mod symmetric;

use crate::emotion::{Emotion, EmotionScores};
use crate::features::Features;

pub use fit::{FEWEST, MARGIN, Proof, learn};
pub use lessons::{Lessons, ReadFace};

/// Amounts that are added to the logits of a face's scores: one for each emotion, linear in the face's features.
#[derive(Debug, Clone, PartialEq)]
pub struct PersonalLayer {
    /// Emotions × features.
    weight: Vec<f32>,
    /// One for each emotion.
    bias: [f32; Emotion::COUNT],
}

impl PersonalLayer {
    /// The scores that follow the corrections, from the `network`'s scores of a face and the features that it saw; `None` if
    /// these are not the features that the layer takes.
    pub fn scores(&self, network: &EmotionScores, features: &Features) -> Option<EmotionScores> {
        if features.is_empty() || features.len() * Emotion::COUNT != self.weight.len() {
            return None;
        }
        let values: Vec<f32> = features.values().collect();
        let mut added = self.bias;
        for (sum, row) in added.iter_mut().zip(self.weight.chunks_exact(values.len())) {
            *sum += row.iter().zip(&values).map(|(w, x)| w * x).sum::<f32>();
        }
        let greatest = added.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut scores = *network.as_array();
        for (score, added) in scores.iter_mut().zip(added) {
            *score *= (added - greatest).exp();
        }
        let sum: f32 = scores.iter().sum();
        (sum > 0.0).then(|| EmotionScores::new(scores.map(|score| score / sum)))
    }

    /// The layer as it is stored: bias and weights as little-endian `f32`.
    pub fn to_bytes(&self) -> Vec<u8> {
        let values = self.bias.iter().chain(&self.weight);
        values.flat_map(|value| value.to_le_bytes()).collect()
    }

    /// The layer from the bytes that [`PersonalLayer::to_bytes`] gave; `None` if these are no layer.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (numbers, rest) = bytes.as_chunks::<4>();
        let numbers = numbers.iter().map(|number| f32::from_le_bytes(*number));
        let values: Vec<f32> = numbers.collect();
        let (bias, weight) = values.split_first_chunk()?;
        let is_layer = rest.is_empty()
            && weight.len().is_multiple_of(Emotion::COUNT)
            && values.iter().all(|value| value.is_finite());
        is_layer.then(|| Self {
            weight: weight.to_vec(),
            bias: *bias,
        })
    }
}

#[cfg(test)]
mod tests;
