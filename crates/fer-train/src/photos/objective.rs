//! The loss of a linear head on features: cross-entropy to targets, with a Gaussian prior around a given head.

use rayon::prelude::*;

use super::fit::minimise;
use fer_core::classify::softmax;
use fer_core::emotion::Emotion;

/// Number of classes.
const CLASSES: usize = Emotion::COUNT;

/// Examples that a thread adds up at a time; sums are added in this order, whatever the number of threads.
const CHUNK: usize = 512;

/// Most steps of the minimisation.
const STEPS: usize = 200;

/// What the head should say about an example: the probability of each emotion.
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
/// distance to `prior`, in which each weight is multiplied by the deviation of its feature.
pub fn fit(examples: &Examples, prior: &Linear, strength: f64) -> Linear {
    let features = prior.weight.len() / CLASSES;
    let deviations = deviations(&examples.features, features);
    let total: f64 = examples.weights.iter().map(|&w| f64::from(w)).sum();
    // The parameters are the change of each weight, in units of its feature's deviation, and of each bias.
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
        let head = head(change);
        let sums: Vec<(f64, Vec<f64>)> = examples
            .features
            .par_chunks(CHUNK * features)
            .enumerate()
            .map(|(chunk, rows)| sum(&head, examples, chunk * CHUNK, rows))
            .collect();
        let (mut value, mut gradient) = (0.0, vec![0.0; change.len()]);
        for (loss, slopes) in sums {
            value += loss / total;
            for (sum, slope) in gradient.iter_mut().zip(slopes) {
                *sum += slope / total;
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

/// The loss of some examples and its gradient by weights and biases, emotion by emotion.
fn sum(head: &Linear, examples: &Examples, first: usize, rows: &[f32]) -> (f64, Vec<f64>) {
    let features = head.weight.len() / CLASSES;
    let (mut loss, mut gradient) = (0.0, vec![0.0; CLASSES * (features + 1)]);
    for (index, row) in rows.chunks_exact(features).enumerate() {
        let (target, weight) = (
            examples.targets[first + index],
            examples.weights[first + index],
        );
        let mut p = head.logits(row);
        softmax(&mut p);
        let ln = |p: f32| f64::from(p.max(f32::MIN_POSITIVE)).ln();
        let terms = target.iter().zip(p);
        let terms = terms.map(|(&t, p)| f64::from(t) * ln(p));
        loss -= f64::from(weight) * terms.sum::<f64>();
        for (class, slopes) in gradient.chunks_exact_mut(features + 1).enumerate() {
            let slope = weight * (p[class] - target[class]);
            for (sum, x) in slopes.iter_mut().zip(row) {
                *sum += f64::from(slope * x);
            }
            slopes[features] += f64::from(slope);
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

    /// Faces whose first feature tells happy from sad, and whose second is noise.
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
