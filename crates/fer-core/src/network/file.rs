//! Reads model files: safetensors files whose metadata describes the network.

use std::fmt::Display;

use safetensors::SafeTensors;

use super::{FoldedNetwork, NetworkSpec, Weights};
use crate::classify::check_input;
use crate::error::{Error, Result};

/// The content of a model file: the architecture, and weights that are not yet checked against it.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelFile {
    /// The architecture.
    pub spec: NetworkSpec,
    /// The weights.
    pub weights: Weights,
    /// The file's name in error messages.
    name: String,
}

impl ModelFile {
    /// Reads a model file; errors call it `name`.
    ///
    /// # Errors
    /// [`Error::Model`] if the bytes are not a safetensors file, if it does not describe its
    /// network, or if the network was trained on faces cut or scaled otherwise than this program
    /// does it.
    pub fn parse(bytes: &[u8], name: &str) -> Result<Self> {
        Ok(Self {
            spec: read_spec(bytes, name)?,
            weights: Weights::parse(bytes).map_err(|error| unusable(name, &error))?,
            name: name.to_owned(),
        })
    }

    /// The network for inference, with the fastest algorithms for `batch` faces at a time.
    ///
    /// # Errors
    /// [`Error::Model`] if a weight is missing or of another shape.
    pub fn fold(&self, batch: usize) -> Result<FoldedNetwork> {
        FoldedNetwork::new(&self.spec, &self.weights, batch)
            .map_err(|error| unusable(&self.name, &error))
    }
}

/// Reads only the architecture of a model file, which its metadata describes.
///
/// # Errors
/// As for [`ModelFile::parse`], without the errors of the weights.
pub fn read_spec(bytes: &[u8], name: &str) -> Result<NetworkSpec> {
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| unusable(name, &e))?;
    let entry = |key| header.metadata().as_ref().and_then(|all| all.get(key));
    if let Some(input) = entry("input") {
        check_input(input)
            .map_err(|e| Error::Model(format!("{name} cannot be used as a model: {e}")))?;
    }
    let spec = entry("spec").ok_or_else(|| unusable(name, &"its metadata has no \"spec\""))?;
    serde_json::from_str(spec)
        .map_err(|e| unusable(name, &format_args!("the \"spec\" in its metadata: {e}")))
}

fn unusable(name: &str, problem: &dyn Display) -> Error {
    Error::Model(format!(
        "{name} cannot be used as a model: {problem}; name a file that `fer-index train` wrote"
    ))
}
