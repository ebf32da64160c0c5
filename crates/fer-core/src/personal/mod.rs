//! Learns from a person's corrections how to change the scores of other faces: by a linear layer on the features of a
//! face, whose output is added to the logits of the network's scores.
//!
//! The layer is a multinomial logistic regression with the network's scores as its offset and a Gaussian prior around
//! zero, so that without corrections the network's scores remain. [`HumanLayer`] is the same for the human score,
//! learned from the boxes that a person rejected.

mod fit;
mod human;
mod linear;
mod problem;
mod symmetric;
mod training;

use crate::emotion::{Emotion, EmotionScores};
use crate::features::Features;

pub use fit::{HeldOutLoss, MARGIN, MIN_CORRECTIONS, learn};
pub use human::{HumanFace, HumanHeldOutLoss, HumanLayer, HumanTrainingFaces, learn_human};
use linear::Linear;
pub use training::{ClassifiedFace, TrainingFaces};

/// Amounts that are added to the logits of a face's scores: one for each emotion, linear in the face's features.
#[derive(Debug, Clone, PartialEq)]
pub struct PersonalLayer(Linear<{ Emotion::COUNT }>);

impl PersonalLayer {
    /// The changed scores of a face, from the `network`'s scores and the features; `None` if the layer was learned for
    /// other features.
    pub fn scores(&self, network: &EmotionScores, features: &Features) -> Option<EmotionScores> {
        let added = self.0.of(features)?;
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
        self.0.to_bytes()
    }

    /// The inverse of [`PersonalLayer::to_bytes`]; `None` if the bytes are not a layer.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Linear::from_bytes(bytes).map(Self)
    }
}

#[cfg(test)]
mod tests;
