//! The loss of a linear head on features: cross-entropy to targets, with a Gaussian prior around a given head.

use rayon::prelude::*;

use super::fit::minimise;
use fer_core::classify::softmax;
use fer_core::emotion::Emotion;

/// Number of classes.
const CLASSES: usize = Emotion::COUNT;

/// Examples that a thread adds up at a time, a multiple of [`TOGETHER`]; sums are added in this order, whatever the
/// number of threads.
const CHUNK: usize = 512;

/// Examples that are computed together: their sums are independent, and each weight is loaded once for all of them.
const TOGETHER: usize = 4;

/// Most steps of the minimisation.
const STEPS: usize = 200;

/// The desired probability of each emotion for an example.
pub type Target = [f32; CLASSES];

/// Examples to fit a head to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Examples {
    /// Examples × features.
    pub features: Vec<f32>,
    /// One for each example.
    pub targets: Vec<Target>,
    /// The weight of each example in the loss.
    pub weights: Vec<f32>,
}

/// A linear head: a logit for each emotion.
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    /// Emotions × features.
    pub weight: Vec<f32>,
    /// One for each emotion.
    pub bias: [f32; CLASSES],
}

impl Linear {
    /// The logits of one example.
    pub fn logits(&self, features: &[f32]) -> [f32; CLASSES] {
        let mut logits = self.bias;
        for (logit, row) in logits
            .iter_mut()
            .zip(self.weight.chunks_exact(features.len()))
        {
            *logit += row.iter().zip(features).map(|(w, x)| w * x).sum::<f32>();
        }
        logits
    }
}

/// The head that minimises the weighted mean cross-entropy of the examples plus `strength` times half the squared
/// distance to `prior`, in which each weight is multiplied by the standard deviation of its feature.
pub fn fit(examples: &Examples, prior: &Linear, strength: f64) -> Linear {
    let features = prior.weight.len() / CLASSES;
    let deviations = deviations(&examples.features, features);
    let total: f64 = examples.weights.iter().map(|&w| f64::from(w)).sum();
    // The parameters are the change of each weight, in units of its feature's standard deviation, and of each bias.
    let head = |change: &[f64]| {
        let mut head = prior.clone();
        for (class, row) in head.weight.chunks_exact_mut(features).enumerate() {
            let changes = &change[class * (features + 1)..][..=features];
            for ((w, c), deviation) in row.iter_mut().zip(changes).zip(&deviations) {
                *w += *c as f32 / deviation;
            }
            head.bias[class] += changes[features] as f32;
        }
        head
    };
    let loss = |change: &[f64]| {
        let head = Columns::of(&head(change));
        let sums: Vec<(f64, Columns)> = examples
            .features
            .par_chunks(CHUNK * features)
            .enumerate()
            .map(|(chunk, rows)| sum(&head, examples, chunk * CHUNK, rows))
            .collect();
        let (mut value, mut gradient) = (0.0, vec![0.0; change.len()]);
        for (loss, slopes) in sums {
            value += loss / total;
            for (class, gradient) in gradient.chunks_exact_mut(features + 1).enumerate() {
                let slopes = slopes.weight.iter().chain([&slopes.bias]);
                for (sum, slope) in gradient.iter_mut().zip(slopes) {
                    *sum += f64::from(slope[class]) / total;
                }
            }
        }
        for (class, slopes) in gradient.chunks_exact_mut(features + 1).enumerate() {
            let changes = &change[class * (features + 1)..][..features];
            for ((slope, c), deviation) in slopes.iter_mut().zip(changes).zip(&deviations) {
                *slope = *slope / f64::from(*deviation) + strength * c;
                value += 0.5 * strength * c * c;
            }
        }
        (value, gradient)
    };
    head(&minimise(vec![0.0; CLASSES * (features + 1)], STEPS, loss))
}

/// A linear head, or its gradient, with the weights of a feature adjacent in memory.
struct Columns {
    weight: Vec<[f32; CLASSES]>,
    bias: [f32; CLASSES],
}

impl Columns {
    fn of(head: &Linear) -> Self {
        let features = head.weight.len() / CLASSES;
        let column = |feature| std::array::from_fn(|class| head.weight[class * features + feature]);
        Self {
            weight: (0..features).map(column).collect(),
            bias: head.bias,
        }
    }

    /// The logits of some examples.
    fn logits(&self, rows: [&[f32]; TOGETHER]) -> [[f32; CLASSES]; TOGETHER] {
        let mut logits = [self.bias; TOGETHER];
        for (feature, weight) in self.weight.iter().enumerate() {
            for (logits, row) in logits.iter_mut().zip(rows) {
                for (logit, w) in logits.iter_mut().zip(weight) {
                    *logit += w * row[feature];
                }
            }
        }
        logits
    }
}

/// The loss of some examples and its gradient.
fn sum(head: &Columns, examples: &Examples, first: usize, rows: &[f32]) -> (f64, Columns) {
    let features = head.weight.len();
    let mut loss = 0.0;
    let mut gradient = Columns {
        weight: vec![[0.0; CLASSES]; features],
        bias: [0.0; CLASSES],
    };
    for (group, rows) in rows.chunks(TOGETHER * features).enumerate() {
        // At the end there may be fewer examples; the first one then fills the other places with weight 0.
        let count = rows.len() / features;
        let rows: [&[f32]; TOGETHER] = std::array::from_fn(|index| {
            let row = rows.get(index * features..(index + 1) * features);
            row.unwrap_or(&rows[..features])
        });
        let mut slopes = head.logits(rows);
        for (index, p) in slopes.iter_mut().enumerate() {
            let example = first + group * TOGETHER + index.min(count - 1);
            let target = &examples.targets[example];
            let weight = if index < count {
                examples.weights[example]
            } else {
                0.0
            };
            softmax(p);
            for (p, &target) in p.iter_mut().zip(target) {
                loss -= f64::from(weight * target) * f64::from(p.max(f32::MIN_POSITIVE)).ln();
                *p = weight * (*p - target);
            }
        }
        for (feature, sums) in gradient.weight.iter_mut().enumerate() {
            for (slopes, row) in slopes.iter().zip(rows) {
                for (sum, slope) in sums.iter_mut().zip(slopes) {
                    *sum += slope * row[feature];
                }
            }
        }
        for slopes in slopes {
            for (sum, slope) in gradient.bias.iter_mut().zip(slopes) {
                *sum += slope;
            }
        }
    }
    (loss, gradient)
}

/// The standard deviation of each feature, at least a thousandth.
fn deviations(rows: &[f32], features: usize) -> Vec<f32> {
    let n = (rows.len() / features).max(1) as f64;
    let (mut sums, mut squares) = (vec![0.0; features], vec![0.0; features]);
    for row in rows.chunks_exact(features) {
        for ((sum, square), &x) in sums.iter_mut().zip(&mut squares).zip(row) {
            *sum += f64::from(x);
            *square += f64::from(x) * f64::from(x);
        }
    }
    let deviation = |(sum, square): (&f64, &f64)| {
        let mean = sum / n;
        (square / n - mean * mean).max(0.0).sqrt().max(1e-3) as f32
    };
    sums.iter().zip(&squares).map(deviation).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_hot(emotion: Emotion) -> Target {
        let mut target = [0.0; CLASSES];
        target[emotion.index()] = 1.0;
        target
    }

    /// Faces whose first feature distinguishes happy from sad, and whose second is noise.
    fn examples(targets: [Target; 2]) -> Examples {
        let mut examples = Examples::default();
        for i in 0..400 {
            let happy = i % 2 == 0;
            let wave = (i as f32 * 0.7).sin();
            examples
                .features
                .extend([if happy { 1.0 } else { -1.0 } + wave, (i as f32).cos()]);
            examples.targets.push(targets[usize::from(!happy)]);
            examples.weights.push(1.0);
        }
        examples
    }

    fn zero() -> Linear {
        Linear {
            weight: vec![0.0; 2 * CLASSES],
            bias: [0.0; CLASSES],
        }
    }

    #[test]
    fn the_gradient_is_that_of_each_example_whatever_their_number() {
        let mut examples = examples([one_hot(Emotion::Happy), one_hot(Emotion::Sad)]);
        examples.weights = (0..400).map(|i| 1.0 + (i % 3) as f32).collect();
        let head = Columns {
            weight: vec![[0.1, -0.2, 0.3, 0.4, -0.5, 0.6, 0.0, 0.2]; 2],
            bias: [0.3, 0.0, -0.1, 0.2, 0.0, 0.1, 0.5, 0.0],
        };
        for count in 1..=2 * TOGETHER + 1 {
            let (loss, gradient) = sum(&head, &examples, 7, &examples.features[14..][..2 * count]);
            let (mut losses, mut slopes) = (0.0, [[0.0; CLASSES]; 3]);
            for example in 7..7 + count {
                let row = &examples.features[2 * example..][..2];
                let mut p = head.logits([row; TOGETHER])[0];
                softmax(&mut p);
                let truth = examples.targets[example]
                    .iter()
                    .position(|&t| t > 0.5)
                    .unwrap();
                let weight = examples.weights[example];
                losses -= f64::from(weight) * f64::from(p[truth]).ln();
                p[truth] -= 1.0;
                for (sums, x) in slopes.iter_mut().zip([row[0], row[1], 1.0]) {
                    sums.iter_mut()
                        .zip(p)
                        .for_each(|(sum, p)| *sum += weight * p * x);
                }
            }
            assert!((loss - losses).abs() < 1e-4, "{count}: {loss} {losses}");
            let found = gradient.weight.iter().chain([&gradient.bias]).flatten();
            for (found, expected) in found.zip(slopes.as_flattened()) {
                assert!(
                    (found - expected).abs() < 1e-4,
                    "{count}: {found} {expected}"
                );
            }
        }
    }

    #[test]
    fn a_head_learns_targets_and_a_strong_prior_keeps_it() {
        let labelled = examples([one_hot(Emotion::Happy), one_hot(Emotion::Sad)]);
        let head = fit(&labelled, &zero(), 1e-3);
        let right = |head: &Linear| {
            let rows = labelled.features.chunks_exact(2).zip(0..);
            let right = rows.filter(|(row, i)| {
                let logits = head.logits(row);
                (logits[Emotion::Happy.index()] > logits[Emotion::Sad.index()]) == (i % 2 == 0)
            });
            right.count()
        };
        assert!(right(&head) > 330, "{}", right(&head));
        let kept = fit(&labelled, &zero(), 1e6);
        assert!(kept.weight.iter().all(|w| w.abs() < 1e-3), "{kept:?}");
    }
}
