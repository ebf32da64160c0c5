//! Model files: safetensors whose metadata describes the network.

use std::fmt::Display;

use candle_core::{DType, Device};
use candle_nn::VarBuilder;
use safetensors::SafeTensors;

use super::input;
use super::network::{Network, NetworkSpec};
use crate::error::{Error, Result};

/// Reads the network of a model file; `what` names the file in an error.
///
/// # Errors
/// [`Error::Model`] if it does not describe its network, lacks a weight, or was trained on faces other
/// than this program makes.
pub fn read_network(bytes: &[u8], what: &str) -> Result<Network> {
    let spec = read_spec(bytes, what)?;
    VarBuilder::from_slice_safetensors(bytes, DType::F32, &Device::Cpu)
        .and_then(|builder| Network::new(&spec, &builder))
        .map_err(|error| unusable(what, &error))
}

/// Reads how a model file describes its network, and leaves the weights alone.
///
/// # Errors
/// As for [`read_network`], but for the weights.
pub(super) fn read_spec(bytes: &[u8], what: &str) -> Result<NetworkSpec> {
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| unusable(what, &e))?;
    let told = |key| header.metadata().as_ref().and_then(|all| all.get(key));
    if let Some(account) = told("input") {
        input::check(account).map_err(|e| Error::Model(format!("{what} cannot be used: {e}")))?;
    }
    let spec = told("spec").ok_or_else(|| unusable(what, &"its metadata has no \"spec\""))?;
    serde_json::from_str(spec).map_err(|e| unusable(what, &format_args!("spec: {e}")))
}

fn unusable(what: &str, problem: &dyn Display) -> Error {
    Error::Model(format!("{what} is no model: {problem}"))
}
