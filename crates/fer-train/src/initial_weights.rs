//! Sets the initial weights of a run: random, or taken from a model file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use candle_nn::VarMap;
use serde::{Deserialize, Serialize};

use super::weights::{self, model_error};
use crate::network::{initialise, is_trainable};
use fer_core::error::{Error, Result};

/// Where the initial weights come from, and which of them are frozen.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InitialWeightsRecipe {
    /// A model file; every weight with the same name and shape in it is copied.
    pub init: Option<PathBuf>,
    /// Names of parts that are not trained, such as `stem` or `blocks.0`.
    pub freeze: Vec<String>,
}

impl InitialWeightsRecipe {
    /// Initialises all weights at random, then copies those of the model file; returns the names of the
    /// copied weights.
    ///
    /// # Errors
    /// If the file cannot be read or none of its weights fits.
    pub fn apply(&self, map: &VarMap, seed: u64) -> Result<Vec<String>> {
        initialise(map, seed).map_err(model_error)?;
        let Some(path) = &self.init else {
            return Ok(Vec::new());
        };
        weights::require(path, "the initial weights", "start.init=FILE")?;
        let tensors: BTreeMap<_, _> = weights::read_tensors(path)?.tensors.into_iter().collect();
        let mut copied = Vec::new();
        for (name, variable) in weights::sorted_variables(map) {
            if let Some(tensor) = tensors.get(&name).filter(|t| t.shape() == variable.shape()) {
                let tensor = tensor.to_dtype(variable.dtype()).map_err(model_error)?;
                variable.set(&tensor).map_err(model_error)?;
                copied.push(name);
            }
        }
        if copied.is_empty() {
            return Err(Error::Model(format!(
                "{} has no weight with the name and shape of one in this network",
                path.display()
            )));
        }
        Ok(copied)
    }

    /// Whether training changes the weight called `name`.
    pub fn is_trained(&self, name: &str) -> bool {
        let frozen = |part: &String| is_part(name, part);
        is_trainable(name) && !self.freeze.iter().any(frozen)
    }
}

/// Whether the weight called `name` belongs to the part called `part`.
pub fn is_part(name: &str, part: &str) -> bool {
    name.strip_prefix(part)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_model_file_is_named_in_the_error() {
        let start = InitialWeightsRecipe {
            init: Some("absent.safetensors".into()),
            ..InitialWeightsRecipe::default()
        };
        let error = start.apply(&VarMap::new(), 1).unwrap_err().to_string();
        assert!(error.contains("absent.safetensors"), "{error}");
    }

    #[test]
    fn freezing_matches_whole_path_components() {
        let start = InitialWeightsRecipe {
            freeze: vec!["blocks.1".to_owned(), "stem".to_owned()],
            ..InitialWeightsRecipe::default()
        };
        assert!(!start.is_trained("blocks.1.conv1.weight") && !start.is_trained("stem.bn.bias"));
        assert!(
            start.is_trained("blocks.10.conv1.weight") && start.is_trained("heads.fer2013.bias")
        );
        assert!(!start.is_trained("blocks.2.bn1.running_mean"));
    }
}
