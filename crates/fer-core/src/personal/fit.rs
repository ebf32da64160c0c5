//! Learns a personal layer from corrections, and measures by cross-validation how well it predicts held-out
//! corrections.

use super::problem::{Problem, TrainingFace};
use super::{PersonalLayer, TrainingFaces};
use crate::emotion::Emotion;

/// The weight of a face without a correction, relative to a corrected one.
const UNCORRECTED_WEIGHT: f64 = 0.1;

/// The least number of corrections from which a layer is learned.
pub const MIN_CORRECTIONS: usize = 10;

/// The layer is used if its loss on the corrections is at most this share of the network's.
pub const MARGIN: f64 = 0.25;

/// The log-loss on corrections: the mean, or that of one of them. It is the larger, the less probable the corrections
/// are by the scores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeldOutLoss {
    /// The loss of the network's scores.
    pub network: f64,
    /// The loss of the scores by layers that were fitted without the correction.
    pub layer: f64,
}

impl HeldOutLoss {
    /// Whether the layer is so much better than the network alone that it is used; see [`MARGIN`].
    pub fn is_convincing(&self) -> bool {
        self.layer <= MARGIN * self.network
    }

    /// The mean of `all`, which must not be empty.
    pub(super) fn mean(all: &[Self]) -> Self {
        let mean = |of: fn(&Self) -> f64| all.iter().map(of).sum::<f64>() / all.len() as f64;
        Self {
            network: mean(|loss| loss.network),
            layer: mean(|loss| loss.layer),
        }
    }
}

/// Learns a layer, and measures the loss of such layers on held-out corrections. `None` if there are too few
/// corrections, or different models classified the faces.
pub fn learn(faces: &TrainingFaces) -> Option<(PersonalLayer, HeldOutLoss)> {
    let corrected = faces.corrected.len();
    if corrected < MIN_CORRECTIONS {
        return None;
    }
    let problem = Problem::new(&training_faces(faces))?;
    let (layer, losses) = problem.solve(corrected);
    Some((PersonalLayer(layer), HeldOutLoss::mean(&losses)))
}

/// All faces, the corrected ones first.
pub(super) fn training_faces(faces: &TrainingFaces) -> Vec<TrainingFace<'_, { Emotion::COUNT }>> {
    let corrected = faces.corrected.iter().chain(&faces.left);
    let corrected = corrected.map(|(face, label)| (face, Some(label.index())));
    let others = faces.others.iter().map(|face| (face, None));
    let all = corrected.chain(others);
    all.map(|(face, label)| TrainingFace {
        features: &face.features,
        network: *face.scores.as_array(),
        label,
        weight: if label.is_some() {
            1.0
        } else {
            UNCORRECTED_WEIGHT
        },
    })
    .collect()
}
