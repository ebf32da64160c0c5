//! Reads and writes weights as named tensors in safetensors files.

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{DType, Device, Result, Tensor, Var, bail};
use candle_nn::{VarBuilder, VarMap};
use safetensors::SafeTensors;

use crate::network::{Network, read_network};
use crate::tensor_file::ordered;
use fer_core::error::{self, Error};
use fer_core::network::NetworkSpec;
use fer_core::output::{self, Form};

/// Converts an error of candle.
#[allow(
    clippy::needless_pass_by_value,
    reason = "the signature that map_err takes"
)]
pub fn model_error(error: candle_core::Error) -> Error {
    Error::Model(error.to_string())
}

/// The variables of a map, sorted by name.
pub fn sorted_variables(weights: &VarMap) -> Vec<(String, Var)> {
    let data = weights.data();
    let data = data
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut variables: Vec<_> = data.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
    variables.sort_by(|a, b| a.0.cmp(&b.0));
    variables
}

/// Builds a network over new variables, all of them still to be initialised.
///
/// # Errors
/// If the architecture is not possible.
pub fn build_network(spec: &NetworkSpec) -> Result<(VarMap, Network)> {
    let weights = VarMap::new();
    let builder = VarBuilder::from_varmap(&weights, DType::F32, &Device::Cpu);
    let network = Network::new(spec, &builder)?;
    Ok((weights, network))
}

/// Copies every value of `from` into the variable of the same name in `to`.
///
/// # Errors
/// If a name or a shape differs.
pub fn copy_values(from: &VarMap, to: &VarMap) -> Result<()> {
    for ((name, source), (other, target)) in
        sorted_variables(from).into_iter().zip(sorted_variables(to))
    {
        if name != other {
            bail!("cannot copy {name} into {other}: the networks differ");
        }
        target.set(&source.as_detached_tensor())?;
    }
    Ok(())
}

/// Writes tensors with metadata to a safetensors file, atomically. Leaves out a seal among the metadata, which belongs
/// to the file from which they were read.
///
/// # Errors
/// If the file cannot be written, or a file that this program did not write is in the way.
pub fn save(
    path: &Path,
    tensors: Vec<(String, Tensor)>,
    metadata: impl IntoIterator<Item = (String, String)>,
) -> error::Result<()> {
    let metadata = metadata.into_iter().filter(|(key, _)| key != "seal");
    let bytes = safetensors::serialize(tensors, Some(metadata.collect()))
        .map_err(|e| Error::Model(format!("{}: {e}", path.display())))?;
    output::write(path, Form::Tensors, &ordered(bytes))
}

/// Everything in a safetensors file.
#[derive(Debug, Clone)]
pub struct TensorFile {
    /// The tensors, sorted by name.
    pub tensors: Vec<(String, Tensor)>,
    /// The metadata of its header.
    pub metadata: BTreeMap<String, String>,
}

/// Reads a safetensors file.
///
/// # Errors
/// If the file cannot be read or is not a safetensors file.
pub fn read_tensors(path: &Path) -> error::Result<TensorFile> {
    parse_tensors(&read_bytes(path)?, &path.display().to_string())
}

/// [`read_tensors`] for the bytes of a file; `what` names the file in an error.
///
/// # Errors
/// If the bytes are not a safetensors file.
pub fn parse_tensors(bytes: &[u8], what: &str) -> error::Result<TensorFile> {
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

/// Reads the bytes of a model file.
///
/// # Errors
/// If the file cannot be read.
pub fn read_bytes(path: &Path) -> error::Result<Vec<u8>> {
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
    read_network(&read_bytes(path)?, &path.display().to_string())
}

/// The error for a model that a recipe needs as its `role` and that is missing; `setting` names it in the recipe.
///
/// # Errors
/// [`Error::Usage`] if nothing is at `path`.
pub fn require(path: &Path, role: &str, setting: &str) -> error::Result<()> {
    if path.exists() {
        return Ok(());
    }
    Err(Error::Usage(format!(
        "{}, {role} of the recipe, is missing; it is the model of another run, so train that recipe first (models/train.sh \
         trains all in their order), or name another model with --set {setting}",
        path.display()
    )))
}
