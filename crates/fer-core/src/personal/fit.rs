//! Fits a personal layer to corrections, and tests it by cross-validation.
//!
//! The added logits F of n faces have a Gaussian prior with covariance K, an inner product of their features, the same for
//! each emotion. The loss is minimised by bound optimisation (Böhning, Annals of the Institute of Statistical Mathematics 44,
//! 1992): the curvature of the cross-entropy is at most one half, so that each step is F ← K (I + K / 2)⁻¹ (F / 2 − G) with
//! the gradient G, whose matrix is computed once. So is the loss without one of the faces: it has the same bound.

use std::borrow::Cow;

use rayon::prelude::*;

use super::symmetric::inverse;
use super::{Lessons, PersonalLayer, ReadFace};
use crate::emotion::{Emotion, EmotionScores};

/// Number of emotions.
const CLASSES: usize = Emotion::COUNT;

/// The prior variance of what is added to a logit of a face as far from the mean as faces are on average.
const VARIANCE: f64 = 3.0;

/// The weight of a face of which a person said nothing, relative to a corrected one.
const HELD: f64 = 0.1;

/// Fewer corrections teach nothing.
pub const FEWEST: usize = 10;

/// The layer is used if its loss on the corrections is at most this share of the network's.
pub const MARGIN: f64 = 0.25;

/// Most times that a layer is fitted without some of the corrections: each alone, or groups of them if there are more.
const GROUPS: usize = 64;

/// Most steps to the fit, and from there to that without a group.
const STEPS: [usize; 2] = [200, 15];

/// The least probability that is told from none.
const LEAST: f64 = 1e-6;

/// The mean log-loss on the corrections. It is the more, the less probable what a person says.
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
}

/// Learns a layer, and how layers like it do on corrections that they have not seen. `None` if there are too few
/// corrections, or the faces were read by different models.
pub fn learn(lessons: &Lessons) -> Option<(PersonalLayer, Proof)> {
    let taught = lessons.corrected.len();
    if taught < FEWEST {
        return None;
    }
    let problem = Problem::new(lessons)?;
    let (fitted, gradient) = problem.minimise(problem.start(), &[], STEPS[0]);
    let groups = taught.min(GROUPS);
    let unseen = |group: usize| -> f64 {
        let left_out: Vec<usize> = (group..taught).step_by(groups).collect();
        let (added, _) = problem.minimise(fitted.clone(), &left_out, STEPS[1]);
        let losses = left_out.iter().map(|&face| problem.loss(face, &added));
        losses.sum()
    };
    let unseen: Vec<f64> = (0..groups).into_par_iter().map(unseen).collect();
    let start = problem.start();
    let network: f64 = (0..taught).map(|face| problem.loss(face, &start)).sum();
    let proof = Proof {
        network: network / taught as f64,
        layer: unseen.into_iter().sum::<f64>() / taught as f64,
    };
    Some((problem.layer(&gradient), proof))
}

/// A row of eight numbers for each face.
type Rows = Vec<[f64; CLASSES]>;

/// The faces of all lessons, the corrected ones first.
struct Problem {
    /// The mean of each feature.
    mean: Vec<f64>,
    /// The mean distance of a face from it.
    radius: f64,
    /// Faces × features, relative to both.
    features: Vec<f64>,
    /// The logarithms of the network's scores.
    offsets: Rows,
    targets: Rows,
    weights: Vec<f64>,
    /// K (I + K / 2)⁻¹.
    step: Vec<f64>,
}

impl Problem {
    /// `None` if the faces have different numbers of features, or none.
    fn new(lessons: &Lessons) -> Option<Self> {
        let told = lessons.corrected.iter().chain(&lessons.left);
        let told = told.map(|(face, says)| (face, Some(*says)));
        let others = lessons.others.iter().map(|face| (face, None));
        let all: Vec<(&ReadFace, Option<Emotion>)> = told.chain(others).collect();
        let width = all.first()?.0.features.len();
        if width == 0 || all.iter().any(|(face, _)| face.features.len() != width) {
            return None;
        }
        let n = all.len();
        let mut features: Vec<f64> = Vec::with_capacity(n * width);
        for (face, _) in &all {
            features.extend(face.features.values().map(f64::from));
        }
        let mut mean = vec![0.0; width];
        for row in features.chunks_exact(width) {
            for (mean, x) in mean.iter_mut().zip(row) {
                *mean += x / n as f64;
            }
        }
        for row in features.chunks_exact_mut(width) {
            row.iter_mut().zip(&mean).for_each(|(x, mean)| *x -= mean);
        }
        let squares: f64 = features.iter().map(|x| x * x).sum();
        let radius = (squares / n as f64).sqrt().max(1e-6);
        for x in &mut features {
            *x /= radius;
        }
        let offsets: Rows = all
            .iter()
            .map(|(face, _)| logarithms(&face.scores))
            .collect();
        let target = |(says, offsets): (&Option<Emotion>, &[f64; CLASSES])| match says {
            Some(says) => std::array::from_fn(|class| f64::from(u8::from(class == says.index()))),
            None => probabilities(offsets, &[0.0; CLASSES]),
        };
        let says: Vec<Option<Emotion>> = all.iter().map(|(_, says)| *says).collect();
        Some(Self {
            step: step(&features, n),
            targets: says.iter().zip(&offsets).map(target).collect(),
            weights: says
                .iter()
                .map(|says| if says.is_some() { 1.0 } else { HELD })
                .collect(),
            mean,
            radius,
            features,
            offsets,
        })
    }

    /// Nothing added.
    fn start(&self) -> Rows {
        vec![[0.0; CLASSES]; self.offsets.len()]
    }

    /// Minimises the loss without the faces that are left out; returns what is added to the logits, and the gradient.
    fn minimise(&self, mut added: Rows, left_out: &[usize], steps: usize) -> (Rows, Rows) {
        let matrix = without(&self.step, added.len(), left_out);
        let gradient = |face: usize, added: &[f64; CLASSES]| {
            let p = probabilities(&self.offsets[face], added);
            std::array::from_fn(|c| self.weights[face] * (p[c] - self.targets[face][c]))
        };
        let each = |added: &Rows, of: &dyn Fn(usize) -> [f64; CLASSES]| -> Rows {
            let row = |face| {
                if left_out.contains(&face) {
                    [0.0; CLASSES]
                } else {
                    of(face)
                }
            };
            (0..added.len()).map(row).collect()
        };
        for _ in 0..steps {
            let pulled = each(&added, &|face| {
                let slopes: [f64; CLASSES] = gradient(face, &added[face]);
                std::array::from_fn(|c| 0.5 * added[face][c] - slopes[c])
            });
            let next = product(&matrix, &pulled);
            let moved = next.iter().flatten().zip(added.iter().flatten());
            let greatest = moved.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            added = next;
            if greatest < 1e-5 {
                break;
            }
        }
        let slopes = each(&added, &|face| gradient(face, &added[face]));
        (added, slopes)
    }

    /// The log-loss on a corrected face.
    fn loss(&self, face: usize, added: &Rows) -> f64 {
        let p = probabilities(&self.offsets[face], &added[face]);
        let said = p.iter().zip(&self.targets[face]).map(|(p, t)| p * t);
        -said.sum::<f64>().max(LEAST).ln()
    }

    /// The layer that adds K (−G) to the logits of the faces.
    fn layer(&self, gradient: &Rows) -> PersonalLayer {
        let width = self.mean.len();
        let (mut weight, mut bias) = (vec![0.0; CLASSES * width], [0.0; CLASSES]);
        for (class, (row, bias)) in weight.chunks_exact_mut(width).zip(&mut bias).enumerate() {
            for (features, slopes) in self.features.chunks_exact(width).zip(gradient) {
                for (w, x) in row.iter_mut().zip(features) {
                    *w -= VARIANCE * slopes[class] * x / self.radius;
                }
            }
            *bias = -row
                .iter()
                .zip(&self.mean)
                .map(|(w, mean)| w * mean)
                .sum::<f64>();
        }
        PersonalLayer {
            weight: weight.iter().map(|w| *w as f32).collect(),
            bias: bias.map(|bias| bias as f32),
        }
    }
}

/// K (I + K / 2)⁻¹ = 2 (I − (I + K / 2)⁻¹), for the inner products K of n faces times the variance.
fn step(features: &[f64], n: usize) -> Vec<f64> {
    let width = features.len() / n;
    let mut matrix = vec![0.0; n * n];
    for (i, left) in features.chunks_exact(width).enumerate() {
        for (j, right) in features.chunks_exact(width).enumerate().take(i + 1) {
            let inner: f64 = left.iter().zip(right).map(|(a, b)| a * b).sum();
            let cell = VARIANCE * inner / 2.0 + f64::from(u8::from(i == j));
            (matrix[i * n + j], matrix[j * n + i]) = (cell, cell);
        }
    }
    let mut step = inverse(&matrix, n);
    for (cell, value) in step.iter_mut().enumerate() {
        let one = f64::from(u8::from(cell / n == cell % n));
        *value = 2.0 * (one - *value);
    }
    step
}

/// The matrix of a step without the curvature of some of its n faces: for each the update by Sherman and Morrison.
fn without<'m>(step: &'m [f64], n: usize, left_out: &[usize]) -> Cow<'m, [f64]> {
    let mut matrix = Cow::Borrowed(step);
    for &face in left_out {
        let row = matrix[face * n..][..n].to_vec();
        let factor = 0.5 / (1.0 - 0.5 * row[face]).max(1e-12);
        for (cells, left) in matrix.to_mut().chunks_exact_mut(n).zip(&row) {
            for (cell, right) in cells.iter_mut().zip(&row) {
                *cell += factor * left * right;
            }
        }
    }
    matrix
}

/// `matrix`[n, n] times rows.
fn product(matrix: &[f64], rows: &Rows) -> Rows {
    let n = rows.len();
    let row = |cells: &[f64]| {
        let mut sums = [0.0; CLASSES];
        for (cell, row) in cells.iter().zip(rows) {
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += cell * value;
            }
        }
        sums
    };
    matrix.chunks_exact(n).map(row).collect()
}

fn logarithms(scores: &EmotionScores) -> [f64; CLASSES] {
    scores.as_array().map(|p| f64::from(p).max(LEAST).ln())
}

/// The softmax of the sum of two rows.
fn probabilities(offsets: &[f64; CLASSES], added: &[f64; CLASSES]) -> [f64; CLASSES] {
    let logits: [f64; CLASSES] = std::array::from_fn(|c| offsets[c] + added[c]);
    let greatest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let raised = logits.map(|logit| (logit - greatest).exp());
    let sum: f64 = raised.iter().sum();
    raised.map(|value| value / sum)
}

#[cfg(test)]
mod tests {
    use super::super::tests::album;
    use super::*;

    #[test]
    fn the_loss_of_a_face_left_out_is_that_of_a_fit_without_it() {
        let says = |own| {
            if own == 3 {
                Emotion::Sad
            } else {
                Emotion::Neutral
            }
        };
        let problem = Problem::new(&album(6, says)).unwrap();
        let (fitted, _) = problem.minimise(problem.start(), &[], STEPS[0]);
        for face in 0..6 {
            let (near, _) = problem.minimise(fitted.clone(), &[face], STEPS[1]);
            let (exact, _) = problem.minimise(problem.start(), &[face], 3000);
            let [near, exact] = [near, exact].map(|added| problem.loss(face, &added));
            assert!(
                (near - exact).abs() < 0.05 * exact.max(1.0),
                "{near} {exact}"
            );
        }
    }

    #[test]
    fn the_layer_adds_to_the_faces_what_was_fitted() {
        let lessons = album(8, |_| Emotion::Neutral);
        let problem = Problem::new(&lessons).unwrap();
        let (added, gradient) = problem.minimise(problem.start(), &[], 3000);
        let layer = problem.layer(&gradient);
        for ((face, _), row) in lessons.corrected.iter().zip(&added) {
            let scores = layer.scores(&face.scores, &face.features).unwrap();
            let expected = probabilities(&logarithms(&face.scores), row);
            for (score, expected) in scores.as_array().iter().zip(expected) {
                assert!((f64::from(*score) - expected).abs() < 1e-3, "{scores:?}");
            }
        }
    }
}
