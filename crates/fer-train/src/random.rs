//! Random numbers that depend only on seed, purpose, epoch and index, so that a resumed or repeated run draws the same
//! ones.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What random numbers are drawn for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// The order of an epoch's rows.
    Order = 1,
    /// The augmentation of an image; the index is its row.
    Augmentation = 2,
    /// Mixup in a batch; the index is the batch.
    Mixup = 3,
    /// Dropout in a batch; the index is the batch.
    Dropout = 4,
    /// Bootstrap resampling; the index is the resample.
    Bootstrap = 5,
}

/// A generator seeded by all four parameters.
pub fn rng(seed: u64, purpose: Purpose, epoch: usize, index: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    let words = [seed, purpose as u64, epoch as u64, index];
    for (bytes, word) in key.chunks_exact_mut(8).zip(words) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}
