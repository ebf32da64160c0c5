//! The faces and corrections from which a personal layer is learned.

use super::{HumanFace, MIN_CORRECTIONS};
use crate::emotion::{Emotion, EmotionScores};
use crate::features::Features;

/// Most faces that should keep their scores.
const OTHERS: usize = 150;

/// Of the faces that a person left uncorrected, at most as many are used for learning as were corrected, but at least
/// this many if they exist.
const MIN_UNCORRECTED: usize = 30;

/// The network's results for a face.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassifiedFace {
    /// Its features.
    pub features: Features,
    /// Its scores.
    pub scores: EmotionScores,
}

impl ClassifiedFace {
    /// The results that are used to learn human scores; `None` if the model does not compute a human score.
    pub fn human(&self) -> Option<HumanFace> {
        let score = self.scores.human()?;
        let features = self.features.clone();
        Some(HumanFace { features, score })
    }
}

/// The faces from which a personal layer is learned.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TrainingFaces {
    /// Faces that a person corrected, each with the emotion that the person stated.
    pub corrected: Vec<(ClassifiedFace, Emotion)>,
    /// Faces with a higher score than a corrected face to which the network gave the same emotion, each with that
    /// emotion. A person who corrects wrong faces among the first of an answer has seen these as well, and left them
    /// uncorrected. Without them, a layer would learn only that the network is wrong.
    pub left: Vec<(ClassifiedFace, Emotion)>,
    /// Other faces, which should keep their scores.
    pub others: Vec<ClassifiedFace>,
}

impl TrainingFaces {
    /// The corrected faces, and even samples of the others. `each` passes all others, in the same order whenever it is
    /// called.
    ///
    /// # Errors
    /// Those of `each`.
    pub fn choose<E>(
        corrected: Vec<(ClassifiedFace, Emotion)>,
        each: impl Fn(&mut dyn FnMut(ClassifiedFace)) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut faces = Self {
            corrected,
            ..Self::default()
        };
        if faces.corrected.len() < MIN_CORRECTIONS {
            return Ok(faces);
        }
        let mut least = [f32::INFINITY; Emotion::COUNT];
        for (face, label) in &faces.corrected {
            let (read, score) = face.scores.top();
            if read != *label {
                least[read.index()] = least[read.index()].min(score);
            }
        }
        let is_left = |face: &ClassifiedFace| {
            let (read, score) = face.scores.top();
            score > least[read.index()]
        };
        let (mut all_left, mut all_others) = (0, 0);
        each(&mut |face| {
            let count = if is_left(&face) {
                &mut all_left
            } else {
                &mut all_others
            };
            *count += 1;
        })?;
        let mut left = Sample::new(faces.corrected.len().max(MIN_UNCORRECTED), all_left);
        let mut others = Sample::new(OTHERS, all_others);
        each(&mut |face| {
            if is_left(&face) {
                if left.takes_next() {
                    let read = face.scores.top().0;
                    faces.left.push((face, read));
                }
            } else if others.takes_next() {
                faces.others.push(face);
            }
        })?;
        Ok(faces)
    }
}

/// Chooses an even sample of a sequence of items.
pub(super) struct Sample {
    wanted: usize,
    all: usize,
    passed: usize,
}

impl Sample {
    /// A sample of at most `wanted` of `all` items.
    pub fn new(wanted: usize, all: usize) -> Self {
        Self {
            wanted: wanted.min(all),
            all,
            passed: 0,
        }
    }

    /// Whether the next item is in the sample.
    pub const fn takes_next(&mut self) -> bool {
        let before = self.passed * self.wanted / self.all;
        self.passed += 1;
        self.passed * self.wanted / self.all > before
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    #[test]
    fn a_sample_is_even_and_of_the_size_that_is_wanted() {
        for (wanted, all, expected) in [(3, 9, 3), (5, 3, 3), (7, 100, 7), (0, 4, 0)] {
            let mut sample = Sample::new(wanted, all);
            let taken: Vec<usize> = (0..all).filter(|_| sample.takes_next()).collect();
            assert_eq!(taken.len(), expected, "{taken:?}");
            let gaps = taken.windows(2).map(|pair| pair[1] - pair[0]);
            let most = gaps.max().unwrap_or_default();
            assert!(most <= all.div_ceil(expected.max(1)), "{taken:?}");
        }
    }

    #[test]
    fn faces_above_a_wrong_one_in_its_list_count_as_left() {
        let face = |read: Emotion, score: f32| {
            let mut scores = [0.0; Emotion::COUNT];
            scores[read.index()] = score;
            ClassifiedFace {
                features: Features::of(&[score, 1.0]),
                scores: EmotionScores::new(scores),
            }
        };
        let mut corrected = vec![(face(Emotion::Happy, 0.7), Emotion::Sad); MIN_CORRECTIONS];
        // A confirmed face shows nothing about those with higher scores.
        corrected.push((face(Emotion::Sad, 0.2), Emotion::Sad));
        let album = [
            face(Emotion::Happy, 0.8),
            face(Emotion::Happy, 0.6),
            face(Emotion::Sad, 0.9),
        ];
        let each = |visit: &mut dyn FnMut(ClassifiedFace)| -> Result<(), Infallible> {
            album.iter().cloned().for_each(visit);
            Ok(())
        };
        let faces = TrainingFaces::choose(corrected, each).unwrap();
        assert_eq!(faces.left, [(album[0].clone(), Emotion::Happy)]);
        assert_eq!(faces.others, album[1..]);
        let few = TrainingFaces::choose(faces.corrected[..2].to_vec(), each).unwrap();
        assert!(few.left.is_empty() && few.others.is_empty());
    }
}
