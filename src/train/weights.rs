//! Weights as named tensors in files.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Device, Result, Tensor, Var, bail};
use candle_nn::{VarBuilder, VarMap};

use super::atomic;
use crate::classify::network::{Network, NetworkSpec};
use crate::classify::read_network;
use crate::error::{self, Error};

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

/// Writes tensors with metadata to a safetensors file, atomically.
///
/// # Errors
/// If the file cannot be written.
pub fn save(
    path: &Path,
    tensors: Vec<(String, Tensor)>,
    metadata: HashMap<String, String>,
) -> error::Result<()> {
    let bytes = safetensors::serialize(tensors, Some(metadata))
        .map_err(|e| Error::Model(format!("{}: {e}", path.display())))?;
    atomic::write(path, &bytes)
}

/// Reads the network of a model file.
///
/// # Errors
/// If the file cannot be read, does not describe its network, or lacks a weight.
pub fn load(path: &Path) -> error::Result<Network> {
    let bytes = std::fs::read(path).map_err(|source| Error::Io {
        path: path.to_owned(),
        source,
    })?;
    read_network(&bytes, &path.display().to_string())
}
