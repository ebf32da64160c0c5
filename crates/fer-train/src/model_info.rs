//! Reads from a model file how the model was trained.

use std::path::Path;

use safetensors::SafeTensors;

use super::dataset::Usage;
use super::metrics::EpochMetrics;
use super::recipe::Recipe;
use super::weights;
use fer_core::error::{Error, Result};

/// What the metadata of a model file say about its training.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModelInfo {
    /// The recipe's name.
    pub name: Option<String>,
    /// The metrics of the epoch that the weights are from.
    pub metrics: Option<EpochMetrics>,
    /// The parts of its data set that the model was trained on; empty if the file does not state them.
    pub train_on: Vec<Usage>,
    /// The hash of its data set ([`Dataset::digest`](super::dataset::Dataset::digest)).
    pub dataset: Option<String>,
}

impl ModelInfo {
    /// Parses the metadata of a model file; all fields are empty if another program wrote the file.
    ///
    /// # Errors
    /// If the bytes are not a safetensors file; `what` names the file in the error.
    pub fn parse(bytes: &[u8], what: &str) -> Result<Self> {
        let (_, header) =
            SafeTensors::read_metadata(bytes).map_err(|e| Error::Model(format!("{what}: {e}")))?;
        let value = |key: &str| header.metadata().as_ref()?.get(key);
        // This version may be unable to parse a recipe that another version wrote.
        let recipe = value("recipe").and_then(|text| Recipe::parse(text, &[]).ok());
        Ok(Self {
            name: value("name").cloned(),
            metrics: value("metrics").and_then(|json| serde_json::from_str(json).ok()),
            train_on: recipe.map_or_else(Vec::new, |recipe| recipe.train_on),
            dataset: value("dataset").cloned(),
        })
    }

    /// [`ModelInfo::parse`] for a file.
    ///
    /// # Errors
    /// If the file cannot be read or is not a safetensors file.
    pub fn read(path: &Path) -> Result<Self> {
        Self::parse(&weights::read_bytes(path)?, &path.display().to_string())
    }

    /// Whether the file states that the model was trained on the rows of `part`.
    pub fn was_trained_on(&self, part: Usage) -> bool {
        self.train_on.contains(&part)
    }
}
