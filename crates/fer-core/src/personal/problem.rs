//! Fits amounts that are added to the logits of faces to the corrections of some of them.
//!
//! The added logits F of n faces have a Gaussian prior with covariance K, an inner product of their features, the same
//! for each class. The loss is minimised by bound optimisation (Böhning, Annals of the Institute of Statistical
//! Mathematics 44, 1992): the curvature of the cross-entropy is at most one half, so that each step is F ← K (I + K /
//! 2)⁻¹ (F / 2 − G) with the gradient G, whose matrix is computed once. The loss without one of the faces has the same
//! bound, and is minimised in the same way.

use std::borrow::Cow;

use rayon::prelude::*;

use super::HeldOutLoss;
use super::linear::Linear;
use super::symmetric::inverse;
use crate::features::Features;

/// The prior variance of the amount that is added to a logit of a face at the average distance from the mean.
const VARIANCE: f64 = 3.0;

/// Most fits without some of the faces, for cross-validation. With more faces, they are left out in groups.
const GROUPS: usize = 64;

/// Most steps to the fit of all faces, and from there to a fit without a group.
const STEPS: [usize; 2] = [200, 15];

/// The least probability; smaller ones count as this.
const MIN_PROBABILITY: f64 = 1e-6;

/// A face in a fit to `C` classes.
#[derive(Debug, Clone, Copy)]
pub(super) struct TrainingFace<'f, const C: usize> {
    /// Its features.
    pub features: &'f Features,
    /// The network's probabilities.
    pub network: [f32; C],
    /// The class that a person stated, or `None` if the face should keep its probabilities.
    pub label: Option<usize>,
    /// Its weight in the loss.
    pub weight: f64,
}

/// A row of numbers for each face.
type Rows<const C: usize> = Vec<[f64; C]>;

/// The faces of a fit.
pub(super) struct Problem<const C: usize> {
    /// The mean of each feature.
    mean: Vec<f64>,
    /// The mean distance of a face from this mean.
    radius: f64,
    /// `[faces, features]`, minus the mean and divided by the radius.
    features: Vec<f64>,
    /// The logarithms of the network's scores.
    offsets: Rows<C>,
    targets: Rows<C>,
    weights: Vec<f64>,
    /// K (I + K / 2)⁻¹.
    step: Vec<f64>,
}

impl<const C: usize> Problem<C> {
    /// `None` if the faces have different numbers of features, or none.
    pub fn new(faces: &[TrainingFace<'_, C>]) -> Option<Self> {
        let width = faces.first()?.features.len();
        if width == 0 || faces.iter().any(|face| face.features.len() != width) {
            return None;
        }
        let n = faces.len();
        let mut features: Vec<f64> = Vec::with_capacity(n * width);
        for face in faces {
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
        let offsets: Rows<C> = faces.iter().map(|face| logarithms(face.network)).collect();
        let target = |(face, offsets): (&TrainingFace<'_, C>, &[f64; C])| match face.label {
            Some(label) => std::array::from_fn(|class| f64::from(u8::from(class == label))),
            None => probabilities(offsets, &[0.0; C]),
        };
        Some(Self {
            step: step(&features, n),
            targets: faces.iter().zip(&offsets).map(target).collect(),
            weights: faces.iter().map(|face| face.weight).collect(),
            mean,
            radius,
            features,
            offsets,
        })
    }

    /// Fits a layer to all faces, and computes for each of the first `corrected` faces the log-loss of the network
    /// and of a layer that was fitted without the face.
    pub fn solve(&self, corrected: usize) -> (Linear<C>, Vec<HeldOutLoss>) {
        let start = self.start();
        let (fitted, gradient) = self.minimise(start.clone(), &[], STEPS[0]);
        let groups = corrected.min(GROUPS);
        let unseen = |group: usize| -> Vec<f64> {
            let left_out: Vec<usize> = (group..corrected).step_by(groups).collect();
            let (added, _) = self.minimise(fitted.clone(), &left_out, STEPS[1]);
            let losses = left_out.iter().map(|&face| self.loss(face, &added));
            losses.collect()
        };
        let unseen: Vec<Vec<f64>> = (0..groups).into_par_iter().map(unseen).collect();
        let loss = |face: usize| HeldOutLoss {
            network: self.loss(face, &start),
            layer: unseen[face % groups][face / groups],
        };
        (self.layer(&gradient), (0..corrected).map(loss).collect())
    }

    /// The start of a fit: nothing is added.
    fn start(&self) -> Rows<C> {
        vec![[0.0; C]; self.offsets.len()]
    }

    /// Minimises the loss without the faces in `left_out`; returns the amounts added to the logits, and the gradient.
    fn minimise(&self, mut added: Rows<C>, left_out: &[usize], steps: usize) -> (Rows<C>, Rows<C>) {
        let matrix = without(&self.step, added.len(), left_out);
        let gradient = |face: usize, added: &[f64; C]| {
            let p = probabilities(&self.offsets[face], added);
            std::array::from_fn(|c| self.weights[face] * (p[c] - self.targets[face][c]))
        };
        let each = |added: &Rows<C>, of: &dyn Fn(usize) -> [f64; C]| -> Rows<C> {
            let row = |face| {
                if left_out.contains(&face) {
                    [0.0; C]
                } else {
                    of(face)
                }
            };
            (0..added.len()).map(row).collect()
        };
        for _ in 0..steps {
            let pulled = each(&added, &|face| {
                let slopes: [f64; C] = gradient(face, &added[face]);
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
    fn loss(&self, face: usize, added: &Rows<C>) -> f64 {
        let p = probabilities(&self.offsets[face], &added[face]);
        let likelihoods = p.iter().zip(&self.targets[face]).map(|(p, t)| p * t);
        -likelihoods.sum::<f64>().max(MIN_PROBABILITY).ln()
    }

    /// The layer that adds K (−G) to the logits of the faces.
    fn layer(&self, gradient: &Rows<C>) -> Linear<C> {
        let width = self.mean.len();
        let (mut weight, mut bias) = (vec![0.0; C * width], [0.0; C]);
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
        Linear {
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

/// The matrix of a step without the curvature of the faces in `left_out`, by one Sherman–Morrison update for each.
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
fn product<const C: usize>(matrix: &[f64], rows: &Rows<C>) -> Rows<C> {
    let n = rows.len();
    let row = |cells: &[f64]| {
        let mut sums = [0.0; C];
        for (cell, row) in cells.iter().zip(rows) {
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += cell * value;
            }
        }
        sums
    };
    matrix.chunks_exact(n).map(row).collect()
}

fn logarithms<const C: usize>(probabilities: [f32; C]) -> [f64; C] {
    probabilities.map(|p| f64::from(p).max(MIN_PROBABILITY).ln())
}

/// The softmax of the sum of two rows.
fn probabilities<const C: usize>(offsets: &[f64; C], added: &[f64; C]) -> [f64; C] {
    let logits: [f64; C] = std::array::from_fn(|c| offsets[c] + added[c]);
    let greatest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let raised = logits.map(|logit| (logit - greatest).exp());
    let sum: f64 = raised.iter().sum();
    raised.map(|value| value / sum)
}

#[cfg(test)]
mod tests {
    use super::super::fit::training_faces;
    use super::super::tests::album;
    use super::*;
    use crate::emotion::Emotion;

    #[test]
    fn the_loss_of_a_face_left_out_is_that_of_a_fit_without_it() {
        let label = |own| {
            if own == 3 {
                Emotion::Sad
            } else {
                Emotion::Neutral
            }
        };
        let album = album(6, label);
        let problem = Problem::new(&training_faces(&album)).unwrap();
        let (fitted, _) = problem.minimise(problem.start(), &[], STEPS[0]);
        for face in 0..6 {
            let (near, _) = problem.minimise(fitted.clone(), &[face], STEPS[1]);
            let (exact, _) = problem.minimise(problem.start(), &[face], 3000);
            let [near, exact] = [near, exact].map(|added| problem.loss(face, &added));
            assert!(
                (near - exact).abs() < 0.05 * exact.max(1.0),
                "{near} {exact}"
            );
            let (_, losses) = problem.solve(6);
            assert!((losses[face].layer - near).abs() < 1e-9);
        }
    }

    #[test]
    fn the_layer_adds_to_the_faces_what_was_fitted() {
        let chosen = album(8, |_| Emotion::Neutral);
        let problem = Problem::new(&training_faces(&chosen)).unwrap();
        let (added, gradient) = problem.minimise(problem.start(), &[], 3000);
        let layer = super::super::PersonalLayer(problem.layer(&gradient));
        for ((face, _), row) in chosen.corrected.iter().zip(&added) {
            let scores = layer.scores(&face.scores, &face.features).unwrap();
            let expected = probabilities(&logarithms(*face.scores.as_array()), row);
            for (score, expected) in scores.as_array().iter().zip(expected) {
                assert!((f64::from(*score) - expected).abs() < 1e-3, "{scores:?}");
            }
        }
    }
}
