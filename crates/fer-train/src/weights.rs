//! Weights as named tensors in files.

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{DType, Device, Result, Tensor, Var, bail};
use candle_nn::{VarBuilder, VarMap};
use safetensors::SafeTensors;

use super::dataset::Usage;
use super::metrics::EpochMetrics;
use super::recipe::Recipe;
use crate::network::Network;
use crate::network::read_network;
use fer_core::error::{self, Error};
use fer_core::network::NetworkSpec;
use fer_core::output::{self, Form};

/// What candle cannot do with a model.
#[allow(clippy::needless_pass_by_value, reason = "as map_err wants it")]
pub fn model_error(error: candle_core::Error) -> Error {
    Error::Model(error.to_string())
}

/// The variables of a map, in the order of their names.
pub fn sorted(weights: &VarMap) -> Vec<(String, Var)> {
    let data = weights.data();
    let data = data
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut variables: Vec<_> = data.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
    variables.sort_by(|a, b| a.0.cmp(&b.0));
    variables
}

/// Makes a network over variables of its own.
///
/// # Errors
/// If the architecture is not possible.
pub fn network(spec: &NetworkSpec) -> Result<(VarMap, Network)> {
    let weights = VarMap::new();
    let builder = VarBuilder::from_varmap(&weights, DType::F32, &Device::Cpu);
    let network = Network::new(spec, &builder)?;
    Ok((weights, network))
}

/// Copies every value of `from` into the variable of the same name in `to`.
///
/// # Errors
/// If a name or a shape differs.
pub fn copy(from: &VarMap, to: &VarMap) -> Result<()> {
    for ((name, source), (other, target)) in sorted(from).into_iter().zip(sorted(to)) {
        if name != other {
            bail!("{name} stands where {other} should");
        }
        target.set(&source.as_detached_tensor())?;
    }
    Ok(())
}

/// Writes tensors with metadata to a safetensors file, atomically; the seal of a file that they were
/// read from is left out.
///
/// # Errors
/// If the file cannot be written, or one that is not ours is in the way.
pub fn save(
    path: &Path,
    tensors: Vec<(String, Tensor)>,
    metadata: impl IntoIterator<Item = (String, String)>,
) -> error::Result<()> {
    let metadata = metadata.into_iter().filter(|(key, _)| key != "seal");
    let bytes = safetensors::serialize(tensors, Some(metadata.collect()))
        .map_err(|e| Error::Model(format!("{}: {e}", path.display())))?;
    output::write(path, Form::Tensors, &bytes)
}

/// Everything in a safetensors file.
#[derive(Debug, Clone)]
pub struct TensorFile {
    /// The tensors, in the order of their names.
    pub tensors: Vec<(String, Tensor)>,
    /// What the file tells of itself.
    pub metadata: BTreeMap<String, String>,
}

/// Reads a safetensors file.
///
/// # Errors
/// If it cannot be read or is none.
pub fn read_file(path: &Path) -> error::Result<TensorFile> {
    parse(&read(path)?, &path.display().to_string())
}

/// [`read_file`] for its bytes; `what` names them in an error.
///
/// # Errors
/// If they are no safetensors file.
pub fn parse(bytes: &[u8], what: &str) -> error::Result<TensorFile> {
    let unusable = |problem: String| Error::Model(format!("{what}: {problem}"));
    let tensors = candle_core::safetensors::load_buffer(bytes, &Device::Cpu)
        .map_err(|e| unusable(e.to_string()))?;
    let mut tensors: Vec<_> = tensors.into_iter().collect();
    tensors.sort_by(|a, b| a.0.cmp(&b.0));
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| unusable(e.to_string()))?;
    let metadata = header.metadata().iter().flatten();
    Ok(TensorFile {
        tensors,
        metadata: metadata.map(|(k, v)| (k.clone(), v.clone())).collect(),
    })
}

/// Reads a model file as it is.
///
/// # Errors
/// If it cannot be read.
pub fn read(path: &Path) -> error::Result<Vec<u8>> {
    std::fs::read(path).map_err(|source| Error::Io {
        path: path.to_owned(),
        source,
    })
}

/// Reads the network of a model file.
///
/// # Errors
/// If the file cannot be read, does not describe its network, or lacks a weight.
pub fn load(path: &Path) -> error::Result<Network> {
    read_network(&read(path)?, &path.display().to_string())
}

/// What a model file tells of its training.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModelInfo {
    /// The recipe's name.
    pub name: Option<String>,
    /// The figures of the epoch that the weights are from.
    pub metrics: Option<EpochMetrics>,
    /// The parts of its data set that it learned from, as far as it tells.
    pub train_on: Vec<Usage>,
}

impl ModelInfo {
    /// Whether it tells that the rows of a part are among those it learned from.
    pub fn has_learned(&self, part: Usage) -> bool {
        self.train_on.contains(&part)
    }
}

/// Reads what a model tells of its training; nothing where another program wrote it.
///
/// # Errors
/// If the bytes are no safetensors file; `what` names it in the error.
pub fn describe(bytes: &[u8], what: &str) -> error::Result<ModelInfo> {
    let (_, header) =
        SafeTensors::read_metadata(bytes).map_err(|e| Error::Model(format!("{what}: {e}")))?;
    let told = |key: &str| header.metadata().as_ref()?.get(key);
    // The recipe of another version may not be readable: then it tells nothing.
    let recipe = told("recipe").and_then(|text| Recipe::parse(text, &[]).ok());
    Ok(ModelInfo {
        name: told("name").cloned(),
        metrics: told("metrics").and_then(|json| serde_json::from_str(json).ok()),
        train_on: recipe.map_or_else(Vec::new, |recipe| recipe.train_on),
    })
}

/// [`describe()`] for a file.
///
/// # Errors
/// If it cannot be read or is no safetensors file.
pub fn describe_file(path: &Path) -> error::Result<ModelInfo> {
    describe(&read(path)?, &path.display().to_string())
}
