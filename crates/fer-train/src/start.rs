//! The weights that a run starts from.

use std::collections::BTreeMap;
use std::path::PathBuf;

use candle_nn::VarMap;
use serde::{Deserialize, Serialize};

use super::weights::{self, model_error};
use crate::network::{initialise, is_trainable};
use fer_core::error::{Error, Result};

/// Weights to start from, and which of them stay as they are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StartRecipe {
    /// A model file: every weight that has the same name and shape in it is taken over.
    pub init: Option<PathBuf>,
    /// Parts that are not trained, such as `stem` or `blocks.0`.
    pub freeze: Vec<String>,
}

impl StartRecipe {
    /// Draws the weights, then takes over those of the model file; returns their names.
    ///
    /// # Errors
    /// If the file cannot be read or fits in no weight.
    pub fn apply(&self, map: &VarMap, seed: u64) -> Result<Vec<String>> {
        initialise(map, seed).map_err(model_error)?;
        let Some(path) = &self.init else {
            return Ok(Vec::new());
        };
        let tensors: BTreeMap<_, _> = weights::read_file(path)?.tensors.into_iter().collect();
        let mut taken = Vec::new();
        for (name, variable) in weights::sorted(map) {
            if let Some(tensor) = tensors.get(&name).filter(|t| t.shape() == variable.shape()) {
                let tensor = tensor.to_dtype(variable.dtype()).map_err(model_error)?;
                variable.set(&tensor).map_err(model_error)?;
                taken.push(name);
            }
        }
        if taken.is_empty() {
            return Err(Error::Model(format!(
                "{} has no weight of this network",
                path.display()
            )));
        }
        Ok(taken)
    }

    /// Whether training changes the weight called `name`.
    pub fn trains(&self, name: &str) -> bool {
        let frozen = |part: &String| {
            name.strip_prefix(part.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        is_trainable(name) && !self.freeze.iter().any(frozen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_named() {
        let start = StartRecipe {
            init: Some("absent.safetensors".into()),
            ..StartRecipe::default()
        };
        let error = start.apply(&VarMap::new(), 1).unwrap_err().to_string();
        assert!(error.contains("absent.safetensors"), "{error}");
    }

    #[test]
    fn freezing_goes_by_whole_names() {
        let start = StartRecipe {
            freeze: vec!["blocks.1".to_owned(), "stem".to_owned()],
            ..StartRecipe::default()
        };
        assert!(!start.trains("blocks.1.conv1.weight") && !start.trains("stem.bn.bias"));
        assert!(start.trains("blocks.10.conv1.weight") && start.trains("heads.fer2013.bias"));
        assert!(!start.trains("blocks.2.bn1.running_mean"));
    }
}
