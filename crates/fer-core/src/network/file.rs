//! Reads model files: safetensors files whose metadata describes the network.

use std::fmt::Display;

use fer_nn::shared::Parts;
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
    /// [`Error::Model`] if the bytes are not a safetensors file, if it does not describe its network, or if the network
    /// was trained on faces that were cut or scaled differently.
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
        self.fold_shared(batch, None)
    }

    /// The same with the weights that another process has written ([`FoldedNetwork::with_shared`]).
    ///
    /// # Errors
    /// Those of [`ModelFile::fold`].
    pub fn fold_shared(&self, batch: usize, shared: Option<Parts>) -> Result<FoldedNetwork> {
        FoldedNetwork::with_shared(&self.spec, &self.weights, batch, shared)
            .map_err(|error| self.unusable(&error))
    }

    /// The error for a problem with this file.
    pub fn unusable(&self, problem: &dyn Display) -> Error {
        unusable(&self.name, problem)
    }
}

/// Reads only the architecture of a model file, which its metadata describes.
///
/// # Errors
/// As for [`ModelFile::parse`], without the errors of the weights.
pub fn read_spec(bytes: &[u8], name: &str) -> Result<NetworkSpec> {
    if let Some(kind) = foreign(bytes) {
        return Err(Error::Model(format!(
            "{name} is {kind}, which fer-index cannot run; name a file that `fer-index train` wrote"
        )));
    }
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| unusable(name, &e))?;
    let entry = |key| header.metadata().as_ref().and_then(|all| all.get(key));
    let spec = entry("spec").ok_or_else(|| unusable(name, &"its metadata has no \"spec\""))?;
    let spec: NetworkSpec = serde_json::from_str(spec)
        .map_err(|e| unusable(name, &format_args!("the \"spec\" in its metadata: {e}")))?;
    if let Some(input) = entry("input") {
        check_input(input, spec.pixels)
            .map_err(|e| Error::Model(format!("{name} cannot be used as a model: {e}")))?;
    }
    Ok(spec)
}

/// The kind of another program's model, by the first bytes; `None` if it is none.
fn foreign(bytes: &[u8]) -> Option<&'static str> {
    // ModelProto begins with the version of its format, a small number, and usually goes on with the producer's name,
    // the opset or the graph.
    let onnx = matches!(bytes, [0x08, 1..=0x7f, 0x12 | 0x1a | 0x3a | 0x42, ..]);
    let kinds: [(bool, &str); 4] = [
        (onnx, "an ONNX model"),
        (bytes.starts_with(b"\x89HDF\r\n"), "a Keras model (HDF5)"),
        (
            bytes.starts_with(b"PK\x03\x04"),
            "a zip archive, such as a PyTorch or Keras model",
        ),
        (bytes.get(4..8) == Some(b"TFL3"), "a TensorFlow Lite model"),
    ];
    let found = kinds.into_iter().find(|(is, _)| *is);
    found.map(|(_, kind)| kind)
}

fn unusable(name: &str, problem: &dyn Display) -> Error {
    Error::Model(format!(
        "{name} cannot be used as a model: {problem}; name a file that `fer-index train` wrote"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_of_other_programs_are_named_whatever_the_file_is_called() {
        for (bytes, kind) in [
            (b"\x08\x07\x12\x07pytorch".as_slice(), "an ONNX model"),
            (b"\x89HDF\r\n\x1a\n", "HDF5"),
            (b"PK\x03\x04....", "zip"),
            (b"\x1c\0\0\0TFL3", "TensorFlow"),
        ] {
            let error = read_spec(bytes, "x.safetensors").unwrap_err().to_string();
            assert!(
                error.contains(kind) && error.contains("x.safetensors"),
                "{error}"
            );
        }
        let error = read_spec(b"text", "x.onnx").unwrap_err().to_string();
        assert!(!error.contains("ONNX"), "{error}");
    }
}
