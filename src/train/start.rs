//! The weights that a run starts from.

use std::path::PathBuf;

use candle_core::{Device, Result, bail};
use candle_nn::VarMap;
use serde::{Deserialize, Serialize};

use super::weights;
use crate::classify::network::{initialise, is_trainable};

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
        initialise(map, seed)?;
        let Some(path) = &self.init else {
            return Ok(Vec::new());
        };
        let tensors = candle_core::safetensors::load(path, &Device::Cpu)?;
        let mut taken = Vec::new();
        for (name, variable) in weights::sorted(map) {
            if let Some(tensor) = tensors.get(&name).filter(|t| t.shape() == variable.shape()) {
                variable.set(&tensor.to_dtype(variable.dtype())?)?;
                taken.push(name);
            }
        }
        if taken.is_empty() {
            bail!("{} has no weight of this network", path.display());
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
