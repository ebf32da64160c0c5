//! Model files: safetensors whose metadata describes the network.

use std::fmt::Display;

use safetensors::SafeTensors;

use super::{FoldedNetwork, NetworkSpec, Weights};
use crate::classify::check_input;
use crate::error::{Error, Result};

/// A model file as it was read: the architecture, and weights that are not yet held against it.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelFile {
    /// The architecture.
    pub spec: NetworkSpec,
    /// The weights.
    pub weights: Weights,
    /// What errors call the file.
    what: String,
}

impl ModelFile {
    /// Reads a model file; `what` names it in an error.
    ///
    /// # Errors
    /// [`Error::Model`] if it does not describe its network or was trained on faces other than this
    /// program makes.
    pub fn parse(bytes: &[u8], what: &str) -> Result<Self> {
        Ok(Self {
            spec: read_spec(bytes, what)?,
            weights: Weights::parse(bytes).map_err(|error| unusable(what, &error))?,
            what: what.to_owned(),
        })
    }

    /// The network ready to infer, with the algorithms chosen for `batch` faces at a time.
    ///
    /// # Errors
    /// [`Error::Model`] if a weight is missing or of another shape.
    pub fn fold(&self, batch: usize) -> Result<FoldedNetwork> {
        FoldedNetwork::new(&self.spec, &self.weights, batch)
            .map_err(|error| unusable(&self.what, &error))
    }
}

/// Reads how a model file describes its network, and leaves the weights alone.
///
/// # Errors
/// As for [`ModelFile::parse`], but for the weights.
pub fn read_spec(bytes: &[u8], what: &str) -> Result<NetworkSpec> {
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| unusable(what, &e))?;
    let entry = |key| header.metadata().as_ref().and_then(|all| all.get(key));
    if let Some(input) = entry("input") {
        check_input(input).map_err(|e| Error::Model(format!("{what} cannot be used: {e}")))?;
    }
    let spec = entry("spec").ok_or_else(|| unusable(what, &"its metadata has no \"spec\""))?;
    serde_json::from_str(spec).map_err(|e| unusable(what, &format_args!("spec: {e}")))
}

fn unusable(what: &str, problem: &dyn Display) -> Error {
    Error::Model(format!("{what} is no model: {problem}"))
}
