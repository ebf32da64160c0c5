//! Checkpoints: the state from which an interrupted run continues.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use candle_core::{Device, Tensor, Var, bail};
use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};

use super::fit::RunInputs;
use super::metrics::EpochMetrics;
use super::recipe::Recipe;
use super::weights;
use fer_core::error::{Error, Result};

/// The progress of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The recipe as TOML; a run continues only under the same recipe.
    pub recipe: String,
    /// The data set and the other files; `None` in a checkpoint of a version that did not record them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<RunInputs>,
    /// Optimiser steps taken.
    pub steps: u64,
    /// The metrics of the finished epochs.
    pub history: Vec<EpochMetrics>,
}

/// The progress of a run, with its tensors at that moment, by name.
#[derive(Debug)]
pub struct Checkpoint {
    /// How far the run has come.
    pub progress: Progress,
    tensors: HashMap<String, Tensor>,
}

impl Progress {
    /// The progress before the first finished epoch.
    pub fn new(recipe: &Recipe, inputs: RunInputs) -> Self {
        Self {
            recipe: recipe.to_toml(),
            inputs: Some(inputs),
            ..Self::default()
        }
    }
}

const PROGRESS: &str = "progress";

impl Checkpoint {
    /// Writes progress and tensors to one file, atomically.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(path: &Path, progress: &Progress, variables: &[(String, Var)]) -> Result<()> {
        let progress = serde_json::to_string(progress)
            .map_err(|e| Error::Model(format!("{}: {e}", path.display())))?;
        let tensors = variables
            .iter()
            .map(|(name, variable)| (name.clone(), variable.as_detached_tensor()))
            .collect();
        weights::save(path, tensors, [(PROGRESS.to_owned(), progress)])
    }

    /// Reads a checkpoint; `None` if there is no such file.
    ///
    /// # Errors
    /// If the file exists and cannot be read.
    pub fn load(path: &Path) -> Result<Option<Self>> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                return Err(Error::Io {
                    path: path.to_owned(),
                    source,
                });
            }
        };
        Self::parse(&bytes).map(Some).ok_or_else(|| {
            Error::Model(format!(
                "{} is not a checkpoint of a run; remove it to start anew",
                path.display()
            ))
        })
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (_, header) = SafeTensors::read_metadata(bytes).ok()?;
        let progress = header.metadata().as_ref()?.get(PROGRESS)?;
        Some(Self {
            progress: serde_json::from_str(progress).ok()?,
            tensors: candle_core::safetensors::load_buffer(bytes, &Device::Cpu).ok()?,
        })
    }

    /// Sets each variable to the tensor of its name.
    ///
    /// # Errors
    /// If a tensor is missing or has another shape.
    pub fn restore(&self, variables: &[(String, Var)]) -> candle_core::Result<()> {
        for (name, variable) in variables {
            match self.tensors.get(name) {
                Some(value) => variable.set(value)?,
                None => bail!("the checkpoint has no tensor {name}"),
            }
        }
        Ok(())
    }
}
