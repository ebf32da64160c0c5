//! Learns from the boxes that a person rejected which other faces are not human: a linear layer on the features of a
//! face, whose output is added to the logit of the human score.
//!
//! Hiding a person is worse than counting an animal, so the effect of the layer is limited: it changes the score of a
//! face only if that changes whether the face counts; it changes the logit by at most [`MAX_LOGIT_CHANGE`], so that it
//! hides no face of which the network is certain; and it is used only if it would hide none of the faces whose emotion
//! the person stated.

use super::fit::{HeldOutLoss, MIN_CORRECTIONS};
use super::linear::Linear;
use super::problem::{Problem, TrainingFace};
use super::training::Sample;
use crate::emotion::MIN_HUMAN_SCORE;
use crate::features::Features;

/// The largest change of the logit of a human score. A face with a score of 0.77 or more therefore always counts.
const MAX_LOGIT_CHANGE: f32 = 2.0;

/// Most faces without a correction that are used for learning.
const OTHERS: usize = 300;

/// The weight of each of them, relative to a rejected one. It is small because some of them should be rejected as well.
const UNCORRECTED_WEIGHT: f64 = 0.1;

/// The classes of the fit: human, and other.
const HUMAN: usize = 0;
const OTHER: usize = 1;

/// The network's results for a face that are used to learn human scores.
#[derive(Debug, Clone, PartialEq)]
pub struct HumanFace {
    /// Its features.
    pub features: Features,
    /// Its human score.
    pub score: f32,
}

/// The faces from which the layer for the human score is learned.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HumanTrainingFaces {
    /// Boxes that a person marked as not a face.
    pub rejected: Vec<HumanFace>,
    /// Faces that were vouched for, which are therefore human.
    pub vouched: Vec<HumanFace>,
    /// Other faces that count as human, which should keep their scores.
    pub others: Vec<HumanFace>,
}

impl HumanTrainingFaces {
    /// The faces with corrections, and an even sample of the others. `each` passes all others, in the same order
    /// whenever it is called.
    ///
    /// # Errors
    /// Those of `each`.
    pub fn choose<E>(
        rejected: Vec<HumanFace>,
        vouched: Vec<HumanFace>,
        each: impl Fn(&mut dyn FnMut(HumanFace)) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut faces = Self {
            rejected,
            vouched,
            others: Vec::new(),
        };
        if faces.rejected.len() < MIN_CORRECTIONS {
            return Ok(faces);
        }
        let mut all = 0;
        each(&mut |face| all += usize::from(face.score >= MIN_HUMAN_SCORE))?;
        let mut sample = Sample::new(OTHERS, all);
        each(&mut |face| {
            if face.score >= MIN_HUMAN_SCORE && sample.takes_next() {
                faces.others.push(face);
            }
        })?;
        Ok(faces)
    }
}

/// The results of layers on faces that were held out when they were fitted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HumanHeldOutLoss {
    /// The mean log-loss on the rejected boxes.
    pub rejected: HeldOutLoss,
    /// How many of the faces that were vouched for would be hidden.
    pub lost: usize,
}

impl HumanHeldOutLoss {
    /// Whether the layer is used.
    pub fn is_convincing(&self) -> bool {
        self.lost == 0 && self.rejected.is_convincing()
    }
}

/// Amounts that are added to the logits of human scores, linear in the features of a face.
#[derive(Debug, Clone, PartialEq)]
pub struct HumanLayer(Linear<1>);

impl HumanLayer {
    /// The changed human score of a face, if it changes whether the face counts; otherwise `None`, also if the layer
    /// was learned for other features. `network` is the network's score.
    pub fn score(&self, network: f32, features: &Features) -> Option<f32> {
        let [added] = self.0.of(features)?;
        let odds =
            network / (1.0 - network) * added.clamp(-MAX_LOGIT_CHANGE, MAX_LOGIT_CHANGE).exp();
        let score = if odds.is_finite() {
            odds / (1.0 + odds)
        } else {
            1.0
        };
        ((score >= MIN_HUMAN_SCORE) != (network >= MIN_HUMAN_SCORE)).then_some(score)
    }

    /// The layer as it is stored: little-endian `f32`.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.to_bytes()
    }

    /// The inverse of [`HumanLayer::to_bytes`]; `None` if the bytes are not a layer.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Linear::from_bytes(bytes).map(Self)
    }
}

/// Learns a layer, and measures such layers on held-out faces. `None` if too few boxes were rejected, or different
/// models classified the faces.
pub fn learn_human(faces: &HumanTrainingFaces) -> Option<(HumanLayer, HumanHeldOutLoss)> {
    if faces.rejected.len() < MIN_CORRECTIONS {
        return None;
    }
    let rejected = faces.rejected.iter().map(|face| (face, Some(OTHER)));
    let vouched = faces.vouched.iter().map(|face| (face, Some(HUMAN)));
    let others = faces.others.iter().map(|face| (face, None));
    let all: Vec<TrainingFace<'_, 2>> = (rejected.chain(vouched).chain(others))
        .map(|(face, label)| TrainingFace {
            features: &face.features,
            network: [face.score, 1.0 - face.score],
            label,
            weight: if label.is_some() {
                1.0
            } else {
                UNCORRECTED_WEIGHT
            },
        })
        .collect();
    let problem = Problem::new(&all)?;
    let (layer, losses) = problem.solve(faces.rejected.len() + faces.vouched.len());
    let (rejected, vouched) = losses.split_at(faces.rejected.len());
    let counts = |loss: f64| (-loss).exp() >= f64::from(MIN_HUMAN_SCORE);
    let is_lost = |loss: &&HeldOutLoss| counts(loss.network) && !counts(loss.layer);
    let [human, other] = layer.bias;
    let (humans, others) = layer.weight.split_at(layer.weight.len() / 2);
    let layer = Linear {
        weight: humans.iter().zip(others).map(|(a, b)| a - b).collect(),
        bias: [human - other],
    };
    let loss = HumanHeldOutLoss {
        rejected: HeldOutLoss::mean(rejected),
        lost: vouched.iter().filter(is_lost).count(),
    };
    Some((HumanLayer(layer), loss))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A face with the features of one of a few kinds, and a small random part.
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

    /// An album with rejected boxes of kind 1, and people of other kinds, some of whom were vouched for.
    fn album(rejected: usize) -> HumanTrainingFaces {
        HumanTrainingFaces {
            rejected: (0..rejected).map(|own| face(1, own, 0.6)).collect(),
            vouched: (0..10).map(|own| face(own % 6 + 3, own, 0.98)).collect(),
            others: (0..80)
                .map(|own| face(own % 6 + 3, own + 10, 0.99))
                .collect(),
        }
    }

    #[test]
    fn faces_like_the_rejected_ones_are_hidden_unless_the_network_is_sure_and_no_others() {
        let (layer, loss) = learn_human(&album(MIN_CORRECTIONS)).unwrap();
        assert!(loss.is_convincing(), "{loss:?}");
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
        let mut faces = album(MIN_CORRECTIONS);
        faces.vouched = (0..20).map(|own| face(9, own, 0.15)).collect();
        let (layer, loss) = learn_human(&faces).unwrap();
        assert!(loss.is_convincing(), "{loss:?}");
        let like = face(9, 200, 0.2);
        assert!(layer.score(like.score, &like.features).unwrap() >= MIN_HUMAN_SCORE);
    }

    #[test]
    fn a_layer_that_would_hide_a_face_whose_emotion_was_stated_is_not_used() {
        let mut faces = album(2 * MIN_CORRECTIONS);
        faces.vouched.push(face(1, 77, 0.6));
        let (_, loss) = learn_human(&faces).unwrap();
        assert_eq!(loss.lost, 1);
        assert!(!loss.is_convincing());
        // Rejected boxes without common features do not suffice.
        let mut strangers = album(0);
        strangers.rejected = (0..MIN_CORRECTIONS)
            .map(|own| face(own + 20, own, 0.9))
            .collect();
        let (_, loss) = learn_human(&strangers).unwrap();
        assert!(!loss.is_convincing(), "{loss:?}");
    }

    #[test]
    fn too_few_boxes_teach_nothing_and_a_layer_comes_back_from_its_bytes() {
        assert_eq!(learn_human(&album(MIN_CORRECTIONS - 1)), None);
        let (layer, _) = learn_human(&album(MIN_CORRECTIONS)).unwrap();
        assert_eq!(
            HumanLayer::from_bytes(&layer.to_bytes()),
            Some(layer.clone())
        );
        assert_eq!(HumanLayer::from_bytes(&[0; 7]), None);
        let face = face(1, 0, 0.6);
        assert_eq!(layer.score(face.score, &Features::none()), None);
    }
}
