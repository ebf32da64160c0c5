//! Training batches, made on a thread of their own while the network works on the one before.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::Scope;

use rand::seq::SliceRandom;
use rand_distr::{Beta, Distribution};

use super::augment::{Augmentation, Mixup};
use super::dataset::{Dataset, PIXELS};
use super::random::{Purpose, rng};
use super::targets::Targets;
use crate::classify::network::standardise;

/// Batches made ahead of time.
const AHEAD: usize = 3;

/// Images with their targets.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Number of images.
    pub len: usize,
    /// Standardised pixels, `len` × [`PIXELS`].
    pub images: Vec<f32>,
    /// For each head the targets, `len` × classes.
    pub targets: Vec<Vec<f32>>,
}

/// Makes an epoch's batches.
#[derive(Debug, Clone, Copy)]
pub struct Batches<'a> {
    /// The faces.
    pub dataset: &'a Dataset,
    /// The training rows.
    pub rows: &'a [usize],
    /// What the network is to answer.
    pub targets: &'a Targets,
    /// How the images are varied.
    pub augmentation: &'a Augmentation,
    /// Images in a batch.
    pub batch_size: usize,
    /// Epochs of the whole run.
    pub epochs: usize,
    /// The run's seed.
    pub seed: u64,
}

impl<'a> Batches<'a> {
    /// Images in a batch: fewer than asked for where there are not as many rows.
    fn batch_len(&self) -> usize {
        self.batch_size.min(self.rows.len())
    }

    /// Batches in an epoch; rows that do not fill one wait for the next epoch.
    pub fn per_epoch(&self) -> usize {
        self.rows.len() / self.batch_len()
    }

    /// The batches of an epoch, in order, from a thread that ends with the receiver.
    pub fn spawn<'scope>(self, epoch: usize, scope: &'scope Scope<'scope, '_>) -> Receiver<Batch>
    where
        'a: 'scope,
    {
        let (sender, receiver) = sync_channel(AHEAD);
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

    fn order(&self, epoch: usize) -> Vec<usize> {
        let mut order = self.rows.to_vec();
        order.shuffle(&mut rng(self.seed, Purpose::Order, epoch, 0));
        order
    }

    fn batch(&self, epoch: usize, index: usize, rows: &[usize]) -> Batch {
        let mut batch = Batch {
            len: rows.len(),
            images: Vec::with_capacity(rows.len() * PIXELS),
            targets: vec![Vec::new(); self.targets.heads()],
        };
        for &row in rows {
            let mut rng = rng(self.seed, Purpose::Augmentation, epoch, row as u64);
            let mut image = self.augmentation.place(self.dataset.pixels(row), &mut rng);
            standardise(&mut image);
            self.augmentation.shade(&mut image, &mut rng);
            batch.images.extend(image);
            for (head, targets) in batch.targets.iter_mut().enumerate() {
                self.targets
                    .append(head, &self.dataset.rows()[row], targets);
            }
        }
        if let Some(mixup) = self.augmentation.mixup
            && epoch + mixup.off_for_last < self.epochs
        {
            mix(&mut batch, mixup, self.seed, epoch, index);
        }
        batch
    }
}

/// The rows as they are, in order.
pub fn plain(dataset: &Dataset, targets: &Targets, rows: &[usize]) -> Batch {
    let batches = Batches {
        dataset,
        rows,
        targets,
        augmentation: &Augmentation::default(),
        batch_size: rows.len(),
        epochs: 0,
        seed: 0,
    };
    batches.batch(0, 0, rows)
}

/// Mixes each image with its mirror place in the batch.
fn mix(batch: &mut Batch, mixup: Mixup, seed: u64, epoch: usize, index: usize) {
    let Ok(beta) = Beta::new(mixup.alpha, mixup.alpha) else {
        return;
    };
    let share = beta.sample(&mut rng(seed, Purpose::Mixup, epoch, index as u64));
    for values in batch.targets.iter_mut().chain([&mut batch.images]) {
        let width = values.len() / batch.len;
        let partners = values.chunks_exact(width).rev().flatten();
        let partner: Vec<f32> = partners.copied().collect();
        for (value, other) in values.iter_mut().zip(partner) {
            *value = share * *value + (1.0 - share) * other;
        }
    }
}
