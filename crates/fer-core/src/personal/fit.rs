//! Learns a personal layer from corrections, and proves by cross-validation that it does well on corrections that it has
//! not seen.

use super::problem::{Lesson, Problem};
use super::{Lessons, PersonalLayer};
use crate::emotion::Emotion;

/// The weight of a face of which a person said nothing, relative to a corrected one.
const HELD: f64 = 0.1;

/// Fewer corrections teach nothing.
pub const FEWEST: usize = 10;

/// The layer is used if its loss on the corrections is at most this share of the network's.
pub const MARGIN: f64 = 0.25;

/// The log-loss on corrections: the mean, or that on one of them. It is the more, the less probable what a person says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Proof {
    /// Of the network's scores.
    pub network: f64,
    /// Of the scores by layers that were fitted without the correction.
    pub layer: f64,
}

impl Proof {
    /// Whether the layer is so much better that it is used.
    pub fn is_convincing(&self) -> bool {
        self.layer <= MARGIN * self.network
    }

    /// The mean of some; they must not be empty.
    pub(super) fn mean(all: &[Self]) -> Self {
        let mean = |of: fn(&Self) -> f64| all.iter().map(of).sum::<f64>() / all.len() as f64;
        Self {
            network: mean(|proof| proof.network),
            layer: mean(|proof| proof.layer),
        }
    }
}

/// Learns a layer, and how layers like it do on corrections that they have not seen. `None` if there are too few
/// corrections, or the faces were read by different models.
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
