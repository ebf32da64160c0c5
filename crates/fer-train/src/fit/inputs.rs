//! What a run learns from besides its recipe, as hashes.

use std::path::Path;

use blake3::Hasher;
use serde::{Deserialize, Serialize};

use super::RowSplit;
use crate::dataset::Dataset;
use crate::recipe::Recipe;
use crate::weights;
use fer_core::error::{Error, Result};

/// Hashes of the data set, of the division of its rows and of the model files that the recipe names. A run continues only
/// with the same: its epochs would otherwise not be those of one run, and rows that it has learned from could validate it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunInputs {
    /// Of the data set.
    dataset: String,
    /// Of the rows to train on and of those for validation.
    rows: String,
    /// Of the contents of the initial model and the teachers.
    models: String,
}

impl RunInputs {
    /// Hashes what a run is given.
    ///
    /// # Errors
    /// If a model file cannot be read.
    pub(super) fn new(recipe: &Recipe, dataset: &Dataset, rows: &RowSplit) -> Result<Self> {
        let mut split = Hasher::new();
        for part in [&rows.training, &rows.validation] {
            split.update(&(part.len() as u64).to_le_bytes());
            for &row in part {
                split.update(&(row as u64).to_le_bytes());
            }
        }
        let mut models = Hasher::new();
        for model in recipe.start.init.iter().chain(&recipe.teachers.models) {
            let content = blake3::hash(&weights::read_bytes(model)?);
            models.update(content.as_bytes());
        }
        Ok(Self {
            dataset: dataset.digest().to_string(),
            rows: split.finalize().to_string(),
            models: models.finalize().to_string(),
        })
    }

    /// The hash of the data set ([`Dataset::digest`]).
    pub fn dataset(&self) -> &str {
        &self.dataset
    }

    /// Checks that the run in `folder`, which was begun with `self`, may continue with `now`.
    ///
    /// # Errors
    /// [`Error::Usage`] says what differs and what to do.
    pub(super) fn check(&self, now: &Self, folder: &Path) -> Result<()> {
        let (differs, remedy) = if self.dataset != now.dataset {
            ("on another data set", "that data set")
        } else if self.rows != now.rows {
            (
                "that divides the data set otherwise into training and validation rows",
                "its number of folds",
            )
        } else if self.models != now.models {
            (
                "that was begun when a model file that its recipe names had another content",
                "that file",
            )
        } else {
            return Ok(());
        };
        Err(Error::Usage(format!(
            "{} holds a run {differs}; give another folder, or {remedy} to continue the run",
            folder.display()
        )))
    }
}
