//! Loss and accuracy of each epoch.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Metrics of one pass over some rows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PassMetrics {
    /// The weighted sum of the heads' losses, averaged over the rows.
    pub loss: f64,
    /// For each head the share of rows with a target whose largest logit is at the largest target.
    pub accuracy: BTreeMap<String, f64>,
}

/// The metrics of an epoch: a line of `metrics.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochMetrics {
    /// From 1.
    pub epoch: usize,
    /// Learning rate of the last step.
    pub learning_rate: f64,
    /// On the training batches, with augmentation and dropout.
    pub train: PassMetrics,
    /// On the validation rows, with the averaged weights if the recipe averages them.
    pub validation: PassMetrics,
    /// Training images per second, the validation not counted; 0 if it is not recorded.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub images_per_second: f64,
    /// Wall-clock time of the epoch in seconds; 0 if it is not recorded.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub seconds: f64,
}

impl EpochMetrics {
    /// These metrics without the times, which differ between two runs that are otherwise equal.
    #[must_use]
    pub fn without_times(&self) -> Self {
        Self {
            images_per_second: 0.0,
            seconds: 0.0,
            ..self.clone()
        }
    }
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

/// Accumulates [`PassMetrics`] batch by batch.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    rows: usize,
    loss: f64,
    heads: Vec<HeadTally>,
}

#[derive(Debug, Clone, Default)]
struct HeadTally {
    correct: usize,
    with_target: usize,
}

impl Tally {
    /// Adds a batch: its loss averaged over `rows`, and each head's logits with its targets.
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
                    tally.with_target += 1;
                    tally.correct += usize::from(argmax(logits) == argmax(target));
                }
            }
        }
    }

    /// Number of rows added.
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// The metrics of all batches; `names` are the names of the heads.
    pub fn finish<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> PassMetrics {
        let accuracy = |head: &HeadTally| head.correct as f64 / head.with_target.max(1) as f64;
        PassMetrics {
            loss: self.loss / self.rows.max(1) as f64,
            accuracy: names
                .into_iter()
                .map(str::to_owned)
                .zip(self.heads.iter().map(accuracy))
                .collect(),
        }
    }
}

/// Index of the largest value; the first of equal ones.
pub fn argmax(values: &[f32]) -> usize {
    let mut best = 0;
    for (index, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = index;
        }
    }
    best
}
