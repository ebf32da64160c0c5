//! Learns a personal layer from corrections, and measures by cross-validation how well it predicts held-out
//! corrections.

use super::problem::{Lesson, Problem};
use super::{Lessons, PersonalLayer};
use crate::emotion::Emotion;

/// The weight of a face without a correction, relative to a corrected one.
const HELD: f64 = 0.1;

/// The least number of corrections from which a layer is learned.
pub const FEWEST: usize = 10;

/// The layer is used if its loss on the corrections is at most this share of the network's.
pub const MARGIN: f64 = 0.25;

/// The log-loss on corrections: the mean, or that of one of them. It is the larger, the less probable the corrections
/// are by the scores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Proof {
    /// The loss of the network's scores.
    pub network: f64,
    /// The loss of the scores by layers that were fitted without the correction.
    pub layer: f64,
}

impl Proof {
    /// Whether the layer is so much better than the network alone that it is used; see [`MARGIN`].
    pub fn is_convincing(&self) -> bool {
        self.layer <= MARGIN * self.network
    }

    /// The mean of `all`, which must not be empty.
    pub(super) fn mean(all: &[Self]) -> Self {
        let mean = |of: fn(&Self) -> f64| all.iter().map(of).sum::<f64>() / all.len() as f64;
        Self {
            network: mean(|proof| proof.network),
            layer: mean(|proof| proof.layer),
        }
    }
}

/// Learns a layer, and measures the loss of such layers on held-out corrections. `None` if there are too few
/// corrections, or different models classified the faces.
pub fn learn(lessons: &Lessons) -> Option<(PersonalLayer, Proof)> {
    let taught = lessons.corrected.len();
    if taught < FEWEST {
        return None;
    }
    let problem = Problem::new(&self::lessons(lessons))?;
    let (layer, proofs) = problem.solve(taught);
    Some((PersonalLayer(layer), Proof::mean(&proofs)))
}

/// The faces of all lessons, the corrected ones first.
pub(super) fn lessons(lessons: &Lessons) -> Vec<Lesson<'_, { Emotion::COUNT }>> {
    let told = lessons.corrected.iter().chain(&lessons.left);
    let told = told.map(|(face, says)| (face, Some(says.index())));
    let others = lessons.others.iter().map(|face| (face, None));
    let all = told.chain(others);
    all.map(|(face, says)| Lesson {
        features: &face.features,
        network: *face.scores.as_array(),
        says,
        weight: if says.is_some() { 1.0 } else { HELD },
    })
    .collect()
}
