//! Learns from the boxes that a person rejected which other faces are no human ones: a linear layer on the features of a
//! face, which is added to the logit of its human score.
//!
//! To hide a person is worse than to count an animal. So the layer decides little: it changes the score of a face only if
//! the face counts otherwise then, it moves the logit by a limited amount, so that no face which the network is sure of is
//! hidden, and it is used only if it would have hidden none of the faces whose emotion the person stated.

use super::fit::{FEWEST, Proof};
use super::lessons::Sample;
use super::linear::Linear;
use super::problem::{Lesson, Problem};
use crate::emotion::LEAST_HUMAN;
use crate::features::Features;

/// The most by which the logit of a human score is changed: a face counts whatever is learned if its score is 0.77 or more.
const MOST: f32 = 2.0;

/// Most faces of which a person said nothing that are learned from.
const OTHERS: usize = 300;

/// The weight of each of them, relative to a rejected one. Some are what others like them were rejected for.
const HELD: f64 = 0.1;

/// The classes of the fit.
const HUMAN: usize = 0;
const OTHER: usize = 1;

/// What the network read in a face that it takes for a human one, or not.
#[derive(Debug, Clone, PartialEq)]
pub struct HumanFace {
    /// What it saw.
    pub features: Features,
    /// Its human score.
    pub score: f32,
}

/// What there is to learn from.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HumanLessons {
    /// Boxes of which a person said that they are no face.
    pub rejected: Vec<HumanFace>,
    /// Faces whose emotion a person stated, and which thus are human.
    pub vouched: Vec<HumanFace>,
    /// Other faces that count as human, which are to keep their scores.
    pub others: Vec<HumanFace>,
}

impl HumanLessons {
    /// What a person said, and an even sample of the faces of which they said nothing, all of which `each` passes in the same
    /// order whenever it is called.
    ///
    /// # Errors
    /// Those of `each`.
    pub fn choose<E>(
        rejected: Vec<HumanFace>,
        vouched: Vec<HumanFace>,
        each: impl Fn(&mut dyn FnMut(HumanFace)) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut lessons = Self {
            rejected,
            vouched,
            others: Vec::new(),
        };
        if lessons.rejected.len() < FEWEST {
            return Ok(lessons);
        }
        let mut all = 0;
        each(&mut |face| all += usize::from(face.score >= LEAST_HUMAN))?;
        let mut sample = Sample::new(OTHERS, all);
        each(&mut |face| {
            if face.score >= LEAST_HUMAN && sample.takes_next() {
                lessons.others.push(face);
            }
        })?;
        Ok(lessons)
    }
}

/// How well layers do on faces that they have not learned from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HumanProof {
    /// The mean log-loss on the rejected boxes.
    pub rejected: Proof,
    /// How many of the faces whose emotion a person stated would be hidden.
    pub lost: usize,
}

impl HumanProof {
    /// Whether the layer is used.
    pub fn is_convincing(&self) -> bool {
        self.lost == 0 && self.rejected.is_convincing()
    }
}

/// Amounts that are added to the logits of human scores, linear in the features of a face.
#[derive(Debug, Clone, PartialEq)]
pub struct HumanLayer(Linear<1>);

impl HumanLayer {
    /// The human score that a face is to have, if it then counts otherwise than by the `network`'s score; `None` if it
    /// does not, or if these are not the features that the layer takes.
    pub fn score(&self, network: f32, features: &Features) -> Option<f32> {
        let [added] = self.0.of(features)?;
        let odds = network / (1.0 - network) * added.clamp(-MOST, MOST).exp();
        let score = if odds.is_finite() {
            odds / (1.0 + odds)
        } else {
            1.0
        };
        ((score >= LEAST_HUMAN) != (network >= LEAST_HUMAN)).then_some(score)
    }

    /// The layer as it is stored: little-endian `f32`.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.to_bytes()
    }

    /// The layer from the bytes that [`HumanLayer::to_bytes`] gave; `None` if these are no layer.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Linear::from_bytes(bytes).map(Self)
    }
}

/// Learns a layer, and how layers like it do on what they have not seen. `None` if too few boxes were rejected, or the faces
/// were read by different models.
pub fn learn_human(lessons: &HumanLessons) -> Option<(HumanLayer, HumanProof)> {
    if lessons.rejected.len() < FEWEST {
        return None;
    }
    let rejected = lessons.rejected.iter().map(|face| (face, Some(OTHER)));
    let vouched = lessons.vouched.iter().map(|face| (face, Some(HUMAN)));
    let others = lessons.others.iter().map(|face| (face, None));
    let all: Vec<Lesson<'_, 2>> = (rejected.chain(vouched).chain(others))
        .map(|(face, says)| Lesson {
            features: &face.features,
            network: [face.score, 1.0 - face.score],
            says,
            weight: if says.is_some() { 1.0 } else { HELD },
        })
        .collect();
    let problem = Problem::new(&all)?;
    let (layer, proofs) = problem.solve(lessons.rejected.len() + lessons.vouched.len());
    let (rejected, vouched) = proofs.split_at(lessons.rejected.len());
    let counts = |loss: f64| (-loss).exp() >= f64::from(LEAST_HUMAN);
    let is_lost = |proof: &&Proof| counts(proof.network) && !counts(proof.layer);
    let [human, other] = layer.bias;
    let (humans, others) = layer.weight.split_at(layer.weight.len() / 2);
    let layer = Linear {
        weight: humans.iter().zip(others).map(|(a, b)| a - b).collect(),
        bias: [human - other],
    };
    let proof = HumanProof {
        rejected: Proof::mean(rejected),
        lost: vouched.iter().filter(is_lost).count(),
    };
    Some((HumanLayer(layer), proof))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A face with features of one of a few kinds and a little of its own.
    fn face(kind: usize, own: usize, score: f32) -> HumanFace {
        let mut values = [0.0_f32; 40];
        values[kind] = 3.0;
        for (i, value) in values.iter_mut().enumerate() {
            *value += ((own * 31 + i * 17) % 23) as f32 / 46.0;
        }
        HumanFace {
            features: Features::of(&values),
            score,
        }
    }

    /// An album with rejected boxes of kind 1, and people of other kinds, of some of whom the person stated the emotion.
    fn album(rejected: usize) -> HumanLessons {
        HumanLessons {
            rejected: (0..rejected).map(|own| face(1, own, 0.6)).collect(),
            vouched: (0..10).map(|own| face(own % 6 + 3, own, 0.98)).collect(),
            others: (0..80)
                .map(|own| face(own % 6 + 3, own + 10, 0.99))
                .collect(),
        }
    }

    #[test]
    fn faces_like_the_rejected_ones_are_hidden_unless_the_network_is_sure_and_no_others() {
        let (layer, proof) = learn_human(&album(FEWEST)).unwrap();
        assert!(proof.is_convincing(), "{proof:?}");
        for own in 100..120 {
            let hidden = |kind, score| {
                let face = face(kind, own, score);
                layer.score(face.score, &face.features).is_some()
            };
            assert!(hidden(1, 0.6));
            assert!(!hidden(1, 0.77) && !hidden(1, 1.0), "too sure");
            assert!(!hidden(2, 0.7) && !hidden(5, 0.5), "of another kind");
            assert!(!hidden(1, 0.1), "it does not count anyway");
        }
    }

    #[test]
    fn faces_that_a_person_vouched_for_bring_others_like_them_back() {
        let mut lessons = album(FEWEST);
        lessons.vouched = (0..20).map(|own| face(9, own, 0.15)).collect();
        let (layer, proof) = learn_human(&lessons).unwrap();
        assert!(proof.is_convincing(), "{proof:?}");
        let like = face(9, 200, 0.2);
        assert!(layer.score(like.score, &like.features).unwrap() >= LEAST_HUMAN);
    }

    #[test]
    fn a_layer_that_would_hide_a_face_whose_emotion_was_stated_is_not_used() {
        let mut lessons = album(2 * FEWEST);
        lessons.vouched.push(face(1, 77, 0.6));
        let (_, proof) = learn_human(&lessons).unwrap();
        assert_eq!(proof.lost, 1);
        assert!(!proof.is_convincing());
        // Boxes that have nothing in common prove nothing.
        let mut strangers = album(0);
        strangers.rejected = (0..FEWEST).map(|own| face(own + 20, own, 0.9)).collect();
        let (_, proof) = learn_human(&strangers).unwrap();
        assert!(!proof.is_convincing(), "{proof:?}");
    }

    #[test]
    fn too_few_boxes_teach_nothing_and_a_layer_comes_back_from_its_bytes() {
        assert_eq!(learn_human(&album(FEWEST - 1)), None);
        let (layer, _) = learn_human(&album(FEWEST)).unwrap();
        assert_eq!(
            HumanLayer::from_bytes(&layer.to_bytes()),
            Some(layer.clone())
        );
        assert_eq!(HumanLayer::from_bytes(&[0; 7]), None);
        let face = face(1, 0, 0.6);
        assert_eq!(layer.score(face.score, &Features::none()), None);
    }
}
