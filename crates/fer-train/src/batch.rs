//! Training batches, prepared on a separate thread while the network trains on earlier ones.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::Scope;

use rand::Rng;
use rand::seq::SliceRandom;
use rand_distr::{Beta, Distribution};
use serde::{Deserialize, Serialize};

use super::augment::{Augmentation, Mixup};
use super::dataset::{Dataset, PIXELS};
use super::random::{Purpose, rng};
use super::targets::{HeadTargets, Targets};
use fer_core::network::PixelScaling;

/// Batches that may wait for the training step.
const PREFETCHED: usize = 3;

/// How the rows of an epoch are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sampling {
    /// Every row once.
    #[default]
    All,
    /// As many rows as there are, drawn with replacement so that each label is equally frequent.
    Balanced,
}

/// Images with their targets.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Number of images.
    pub len: usize,
    /// Scaled pixels, `len` × [`PIXELS`].
    pub images: Vec<f32>,
    /// The targets of each head.
    pub targets: Vec<HeadTargets>,
}

/// Prepares the batches of an epoch.
#[derive(Debug, Clone, Copy)]
pub struct Batches<'a> {
    /// The faces.
    pub dataset: &'a Dataset,
    /// The training rows.
    pub rows: &'a [usize],
    /// The targets of the rows.
    pub targets: &'a Targets,
    /// The augmentation of the images.
    pub augmentation: &'a Augmentation,
    /// How the grey values are scaled.
    pub pixels: PixelScaling,
    /// How the rows of an epoch are chosen.
    pub sampling: Sampling,
    /// Images per batch, if there are enough rows.
    pub batch_size: usize,
    /// Epochs of the whole run.
    pub epochs: usize,
    /// The run's seed.
    pub seed: u64,
}

impl<'a> Batches<'a> {
    /// Images per batch: `batch_size`, or the number of rows if that is less.
    pub fn batch_len(&self) -> usize {
        self.batch_size.min(self.rows.len())
    }

    /// Batches per epoch; rows left over after the last full batch are not used in that epoch.
    pub fn per_epoch(&self) -> usize {
        self.rows.len() / self.batch_len()
    }

    /// Starts a thread that prepares the batches of an epoch in order; it ends when the receiver is
    /// dropped.
    pub fn spawn<'scope>(self, epoch: usize, scope: &'scope Scope<'scope, '_>) -> Receiver<Batch>
    where
        'a: 'scope,
    {
        let (sender, receiver) = sync_channel(PREFETCHED);
        scope.spawn(move || {
            let order = self.order(epoch);
            for (index, rows) in order.chunks_exact(self.batch_len()).enumerate() {
                if sender.send(self.batch(epoch, index, rows)).is_err() {
                    return;
                }
            }
        });
        receiver
    }

    /// The rows of an epoch, shuffled.
    fn order(&self, epoch: usize) -> Vec<usize> {
        let mut rng = rng(self.seed, Purpose::Order, epoch, 0);
        let mut order = match self.sampling {
            Sampling::All => self.rows.to_vec(),
            Sampling::Balanced => self.balanced(&mut rng),
        };
        order.shuffle(&mut rng);
        order
    }

    /// Draws rows with replacement, one label after the other.
    fn balanced(&self, rng: &mut impl Rng) -> Vec<usize> {
        let label = |row: &usize| self.dataset.rows()[*row].label;
        let groups: Vec<Vec<usize>> = self
            .dataset
            .emotions()
            .iter()
            .map(|&emotion| {
                let rows = self.rows.iter().copied();
                rows.filter(|row| label(row) == emotion).collect()
            })
            .filter(|group: &Vec<usize>| !group.is_empty())
            .collect();
        groups
            .iter()
            .cycle()
            .take(self.rows.len())
            .map(|group| group[rng.random_range(0..group.len())])
            .collect()
    }

    fn batch(&self, epoch: usize, index: usize, rows: &[usize]) -> Batch {
        let mut batch = Batch {
            len: rows.len(),
            images: Vec::with_capacity(rows.len() * PIXELS),
            targets: vec![HeadTargets::default(); self.targets.heads()],
        };
        for &row in rows {
            let mut rng = rng(self.seed, Purpose::Augmentation, epoch, row as u64);
            let pixels = self.dataset.pixels(row);
            let mut image = self.augmentation.transform_geometry(pixels, &mut rng);
            self.augmentation.degrade.apply(&mut image, &mut rng);
            self.pixels.apply(&mut image);
            self.augmentation.transform_intensity(&mut image, &mut rng);
            batch.images.extend(image);
            for (head, targets) in batch.targets.iter_mut().enumerate() {
                self.targets
                    .append(head, row, &self.dataset.rows()[row], targets);
            }
        }
        if let Some(mixup) = self.augmentation.mixup
            && epoch + mixup.off_for_last < self.epochs
        {
            apply_mixup(&mut batch, mixup, self.seed, epoch, index);
        }
        batch
    }
}

/// One batch of all `rows`, in order and without augmentation.
pub fn unaugmented(
    dataset: &Dataset,
    targets: &Targets,
    pixels: PixelScaling,
    rows: &[usize],
) -> Batch {
    let batches = Batches {
        dataset,
        rows,
        targets,
        augmentation: &Augmentation::default(),
        pixels,
        sampling: Sampling::All,
        batch_size: rows.len(),
        epochs: 0,
        seed: 0,
    };
    batches.batch(0, 0, rows)
}

/// Mixes image `i` of `n` with image `n - 1 - i`, and their targets with the same share.
fn apply_mixup(batch: &mut Batch, mixup: Mixup, seed: u64, epoch: usize, index: usize) {
    let Ok(beta) = Beta::new(mixup.alpha, mixup.alpha) else {
        return;
    };
    let share = beta.sample(&mut rng(seed, Purpose::Mixup, epoch, index as u64));
    let targets = batch.targets.iter_mut();
    let targets = targets.flat_map(|head| [&mut head.values, &mut head.weights]);
    for values in targets.chain([&mut batch.images]) {
        let width = values.len() / batch.len;
        let partners = values.chunks_exact(width).rev().flatten();
        let partner: Vec<f32> = partners.copied().collect();
        for (value, other) in values.iter_mut().zip(partner) {
            *value = share * *value + (1.0 - share) * other;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Row, Usage};
    use crate::targets::TargetRecipe;
    use fer_core::emotion::Emotion;
    use fer_core::network::HeadSpec;

    /// Nine happy rows and a sad one; every pixel of row `i` has the grey value `i`.
    fn dataset() -> Dataset {
        let rows = (0..10)
            .map(|i| Row {
                label: if i < 9 { Emotion::Happy } else { Emotion::Sad },
                votes: None,
                usage: Usage::Training,
            })
            .collect();
        let pixels = (0..10 * PIXELS).map(|i| (i / PIXELS) as u8).collect();
        Dataset::new(vec![Emotion::Happy, Emotion::Sad], rows, pixels)
    }

    fn with_batches<R>(
        augmentation: &Augmentation,
        sampling: Sampling,
        f: impl FnOnce(Batches) -> R,
    ) -> R {
        let dataset = dataset();
        let rows: Vec<usize> = (0..10).collect();
        let head = HeadSpec::new("labels", dataset.emotions());
        let targets = Targets::new(TargetRecipe::default(), &[head], &dataset, &rows).unwrap();
        f(Batches {
            dataset: &dataset,
            rows: &rows,
            targets: &targets,
            augmentation,
            pixels: PixelScaling::default(),
            sampling,
            batch_size: 4,
            epochs: 3,
            seed: 1,
        })
    }

    fn epoch(batches: Batches, epoch: usize) -> Vec<Batch> {
        std::thread::scope(|scope| batches.spawn(epoch, scope).into_iter().collect())
    }

    #[test]
    fn an_epoch_has_full_batches_in_an_order_that_differs_from_other_epochs() {
        with_batches(&Augmentation::default(), Sampling::All, |batches| {
            let first = epoch(batches, 0);
            assert_eq!((first.len(), batches.per_epoch()), (2, 2));
            assert!(first.iter().all(|batch| batch.len == 4));
            assert_eq!(first, epoch(batches, 0));
            assert_ne!(batches.order(0), batches.order(1));
            let mut order = batches.order(1);
            order.sort_unstable();
            assert_eq!(order, batches.rows);
        });
    }

    #[test]
    fn balanced_sampling_draws_each_label_equally_often() {
        with_batches(&Augmentation::default(), Sampling::Balanced, |batches| {
            let order = batches.order(0);
            assert_eq!(order.len(), 10);
            assert_eq!(order.iter().filter(|&&row| row == 9).count(), 5);
        });
    }

    #[test]
    fn mixup_mixes_targets_too_and_ends_before_the_last_epochs() {
        let augmentation = Augmentation {
            mixup: Some(Mixup {
                alpha: 5.0,
                off_for_last: 1,
            }),
            ..Augmentation::default()
        };
        with_batches(&augmentation, Sampling::Balanced, |batches| {
            let mixed = |index| {
                let batches = epoch(batches, index);
                let values = batches.iter().flat_map(|batch| &batch.targets[0].values);
                values.filter(|t| **t > 0.0 && **t < 1.0).count()
            };
            assert!(mixed(0) > 0);
            assert_eq!(mixed(2), 0);
        });
    }
}
