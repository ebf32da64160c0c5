//! Loss and accuracy, epoch by epoch.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Figures of one pass over rows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// Weighted sum of the heads' losses, averaged over the rows.
    pub loss: f64,
    /// For each head the share of rows whose largest logit is the largest target.
    pub accuracy: BTreeMap<String, f64>,
}

/// A line of `metrics.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochMetrics {
    /// From 1.
    pub epoch: usize,
    /// Learning rate of the last step.
    pub learning_rate: f64,
    /// On the training batches as they were trained on, augmented and with dropout.
    pub train: Measure,
    /// On the validation rows, with the averaged weights where there are any.
    pub validation: Measure,
    /// Training images per second, without the validation.
    pub images_per_second: f64,
    /// Wall-clock time of the epoch in seconds.
    pub seconds: f64,
}

/// Adds up a [`Measure`] batch by batch.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    rows: usize,
    loss: f64,
    heads: Vec<HeadTally>,
}

#[derive(Debug, Clone, Default)]
struct HeadTally {
    correct: usize,
    asked: usize,
}

impl Tally {
    /// Takes in a batch: its loss averaged over `rows`, and each head's logits beside its targets.
    pub fn add(&mut self, rows: usize, loss: f64, heads: &[(Vec<f32>, &[f32])]) {
        self.rows += rows;
        self.loss += loss * rows as f64;
        self.heads.resize_with(heads.len(), HeadTally::default);
        for (tally, (logits, targets)) in self.heads.iter_mut().zip(heads) {
            let classes = targets.len() / rows.max(1);
            let pairs = logits
                .chunks_exact(classes)
                .zip(targets.chunks_exact(classes));
            for (logits, target) in pairs {
                if target.iter().any(|&t| t > 0.0) {
                    tally.asked += 1;
                    tally.correct += usize::from(argmax(logits) == argmax(target));
                }
            }
        }
    }

    /// Rows taken in.
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// The figures of all batches; `names` are the heads'.
    pub fn finish<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Measure {
        let accuracy = |head: &HeadTally| head.correct as f64 / head.asked.max(1) as f64;
        Measure {
            loss: self.loss / self.rows.max(1) as f64,
            accuracy: names
                .into_iter()
                .map(str::to_owned)
                .zip(self.heads.iter().map(accuracy))
                .collect(),
        }
    }
}

/// Place of the largest value; the first where several are equal.
pub fn argmax(values: &[f32]) -> usize {
    let mut best = 0;
    for (place, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = place;
        }
    }
    best
}
