//! Random divisions of rows, stratified by label.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::{Dataset, Usage};
use fer_core::error::{Error, Result};

impl Dataset {
    /// Makes a random `train_fraction` of all rows training rows and the others validation rows
    /// ([`Usage::PublicTest`]), stratified by label.
    ///
    /// # Errors
    /// If the fraction is not between 0 and 1.
    pub fn split(&mut self, train_fraction: f64, seed: u64) -> Result<()> {
        if !(train_fraction > 0.0 && train_fraction < 1.0) {
            return Err(Error::Usage(format!(
                "the training fraction must be between 0 and 1, not {train_fraction}"
            )));
        }
        let all: Vec<usize> = (0..self.rows.len()).collect();
        for mut group in self.by_label(&all, seed) {
            let training = (group.len() as f64 * train_fraction).round() as usize;
            let validation = group.split_off(training);
            for (indices, usage) in [(group, Usage::Training), (validation, Usage::PublicTest)] {
                for index in indices {
                    self.rows[index].usage = usage;
                }
            }
        }
        Ok(())
    }

    /// Divides `indices` into `k` folds for cross-validation (Stone 1974), stratified by label.
    pub fn folds(&self, indices: &[usize], k: usize, seed: u64) -> Vec<Vec<usize>> {
        let mut folds = vec![Vec::new(); k];
        let shuffled = self.by_label(indices, seed).into_iter().flatten();
        for (position, index) in shuffled.enumerate() {
            folds[position % k].push(index);
        }
        for fold in &mut folds {
            fold.sort_unstable();
        }
        folds
    }

    /// The given rows, grouped by label and shuffled within a group.
    fn by_label(&self, indices: &[usize], seed: u64) -> Vec<Vec<usize>> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        self.emotions
            .iter()
            .map(|&emotion| {
                let mut group: Vec<usize> = indices
                    .iter()
                    .copied()
                    .filter(|&index| self.rows[index].label == emotion)
                    .collect();
                group.shuffle(&mut rng);
                group
            })
            .collect()
    }
}
