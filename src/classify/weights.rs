//! Model files: safetensors whose metadata describes the network.

use candle_core::{DType, Device};
use candle_nn::VarBuilder;
use safetensors::SafeTensors;

use super::input;
use super::network::Network;
use crate::error::{Error, Result};

/// Reads the network of a model file; `what` names the file in an error.
///
/// # Errors
/// [`Error::Model`] if it does not describe its network, lacks a weight, or was trained on faces other
/// than this program makes.
pub fn read_network(bytes: &[u8], what: &str) -> Result<Network> {
    let unusable = |problem: String| Error::Model(format!("{what} is no model: {problem}"));
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| unusable(e.to_string()))?;
    let told = |key| header.metadata().as_ref().and_then(|all| all.get(key));
    if let Some(account) = told("input") {
        input::check(account).map_err(|e| Error::Model(format!("{what} cannot be used: {e}")))?;
    }
    let spec = told("spec").ok_or_else(|| unusable("its metadata has no \"spec\"".to_owned()))?;
    let spec = serde_json::from_str(spec).map_err(|e| unusable(format!("spec: {e}")))?;
    VarBuilder::from_slice_safetensors(bytes, DType::F32, &Device::Cpu)
        .and_then(|builder| Network::new(&spec, &builder))
        .map_err(|e| unusable(e.to_string()))
}
