//! Fits the ensemble weights: what each head contributes to the album scores.
//!
//! FER2013 labels many calm faces sad or angry, FER+'s voters call many sad faces neutral, and no labelled album is
//! available to decide between them. The album scores should therefore find each emotion about equally often, whichever
//! labels are right: the weights maximise the macro recall under both.

use super::dataset::Dataset;
use super::evaluate::{Predictions, Protocol, Sample};
use super::metrics::argmax;
use fer_core::emotion::Emotion;
use fer_core::network::EnsembleWeights;

/// Candidate weights of the label head; the vote head has the rest.
const WEIGHTS: [f32; 7] = [0.0, 0.2, 0.35, 0.5, 0.65, 0.8, 1.0];

/// Candidate factors of logit adjustment (Menon et al., ICLR 2021): this factor times the logarithm of an
/// emotion's frequency is subtracted from its logit.
const ADJUSTMENTS: [f32; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];

/// Sums of two macro recalls that differ by less count as equal: the standard error of the rarest emotion
/// alone, disgust with two dozen faces in FER+'s `PublicTest`, is as large.
const NOISE: f64 = 0.015;

/// The best ensemble weights, with their recalls.
#[derive(Debug, Clone, PartialEq)]
pub struct EnsembleFit {
    /// One for each head, in the order of the heads.
    pub heads: Vec<EnsembleWeights>,
    /// Macro recall of seven emotions by FER2013's labels.
    pub label_recall: f64,
    /// Macro recall of seven emotions by the majority of FER+'s votes.
    pub vote_recall: f64,
}

/// Tries all candidates. Among those whose sum of both macro recalls is within 0.015 of the best, takes
/// the one with the most even weights. `None` unless the model has two heads and the data set has labels and
/// votes.
pub fn fit(predictions: &Predictions, dataset: &Dataset) -> Option<EnsembleFit> {
    let [(first, _), (second, _)] = predictions.heads.as_slice() else {
        return None;
    };
    let label_first = Protocol::Labels.head(predictions, dataset)? == first.name;
    let frequencies: Vec<Vec<f32>> = predictions
        .heads
        .iter()
        .map(|(head, all)| means(all, head.emotions.len()))
        .collect();
    let emotions = [&first.emotions, &second.emotions];
    let share = |head: usize, weight: f32, adjustment: f32| {
        // Contempt is too rare for a meaningful frequency.
        let common = emotions[head].iter().zip(&frequencies[head]);
        let shift = common
            .filter(|(emotion, _)| **emotion != Emotion::Contempt && adjustment > 0.0)
            .map(|(&emotion, p)| (emotion, -adjustment * p.max(1e-4).ln()));
        EnsembleWeights {
            weight,
            shift: shift.collect(),
        }
    };
    let mut tried: Vec<EnsembleFit> = Vec::new();
    let mut trial = predictions.clone();
    for weight in WEIGHTS {
        let weight = if label_first { weight } else { 1.0 - weight };
        for adjustments in pairs(&ADJUSTMENTS) {
            let heads = [
                share(0, weight, adjustments[0]),
                share(1, 1.0 - weight, adjustments[1]),
            ];
            for ((head, _), share) in trial.heads.iter_mut().zip(&heads) {
                head.album = share.clone();
            }
            let recall = |protocol: Protocol| {
                let emotions = protocol.emotions(dataset);
                protocol
                    .samples(&trial, dataset)
                    .map(|samples| macro_recall(&samples, &emotions))
            };
            let (label_recall, vote_recall) = (
                recall(Protocol::AlbumLabels)?,
                recall(Protocol::AlbumFerplusMajority)?,
            );
            tracing::debug!(
                weight,
                ?adjustments,
                label_recall,
                vote_recall,
                "tried ensemble weights"
            );
            tried.push(EnsembleFit {
                heads: heads.to_vec(),
                label_recall,
                vote_recall,
            });
        }
    }
    let best = tried.iter().map(EnsembleFit::sum).fold(0.0, f64::max);
    tried.retain(|weights| weights.sum() >= best - NOISE);
    tried.into_iter().min_by(|a, b| {
        let order = a.unevenness().total_cmp(&b.unevenness());
        order.then(b.sum().total_cmp(&a.sum()))
    })
}

impl EnsembleFit {
    /// The sum of both macro recalls.
    fn sum(&self) -> f64 {
        self.label_recall + self.vote_recall
    }

    /// The difference between the largest and the smallest weight.
    fn unevenness(&self) -> f32 {
        let weights = self.heads.iter().map(|share| share.weight);
        weights.clone().fold(0.0, f32::max) - weights.fold(1.0, f32::min)
    }
}

/// Every ordered pair of two values.
fn pairs(values: &[f32]) -> impl Iterator<Item = [f32; 2]> + '_ {
    let with = move |&a| values.iter().map(move |&b| [a, b]);
    values.iter().flat_map(with)
}

/// The mean of each column.
fn means(rows: &[f32], columns: usize) -> Vec<f32> {
    let mut sums = vec![0.0; columns];
    for row in rows.chunks_exact(columns) {
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += value;
        }
    }
    let count = (rows.len() / columns.max(1)).max(1) as f32;
    sums.iter().map(|sum| sum / count).collect()
}

/// The mean recall of the emotions that occur, contempt excepted.
fn macro_recall(samples: &[Sample], emotions: &[Emotion]) -> f64 {
    let mut counts = vec![[0u32; 2]; emotions.len()];
    for sample in samples {
        let correct = argmax(&sample.probabilities) == sample.truth;
        counts[sample.truth][0] += 1;
        counts[sample.truth][1] += u32::from(correct);
    }
    let counted = emotions
        .iter()
        .zip(counts)
        .filter(|(emotion, [all, _])| **emotion != Emotion::Contempt && *all > 0);
    let recalls: Vec<f64> = counted
        .map(|(_, [all, correct])| f64::from(correct) / f64::from(all))
        .collect();
    recalls.iter().sum::<f64>() / recalls.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::signal;
    use fer_core::network::HeadSpec;

    /// Predictions of a head: probability `p` for the label, the rest for `other`.
    fn predictions(dataset: &Dataset, head: &HeadSpec, p: f32, other: Emotion) -> Vec<f32> {
        let row = |index: usize| {
            let truth = dataset.rows()[index].label;
            head.emotions.iter().map(move |&emotion| {
                let mut share = 0.0;
                if emotion == truth {
                    share += p;
                }
                if emotion == other {
                    share += 1.0 - p;
                }
                share
            })
        };
        (0..dataset.rows().len()).flat_map(row).collect()
    }

    #[test]
    fn the_better_head_gets_weight_and_a_too_frequent_emotion_a_lower_logit() {
        let dataset = signal(60);
        let label = HeadSpec::new("fer2013", dataset.emotions());
        let votes = HeadSpec::ferplus();
        let predictions = Predictions {
            rows: (0..60).collect(),
            heads: vec![
                // Predicts neutral for most faces, but ranks the label above the other emotions.
                (
                    label.clone(),
                    predictions(&dataset, &label, 0.4, Emotion::Neutral),
                ),
                (
                    votes.clone(),
                    predictions(&dataset, &votes, 0.0, Emotion::Fear),
                ),
            ],
        };
        let before = Protocol::Labels.samples(&predictions, &dataset).unwrap();
        assert!(macro_recall(&before, dataset.emotions()) < 0.4);
        let weights = fit(&predictions, &dataset).unwrap();
        assert!(
            weights.label_recall > 0.99 && weights.vote_recall > 0.99,
            "{weights:?}"
        );
        assert!(!weights.heads[0].shift.is_empty(), "{weights:?}");
    }
}
