//! Stores a model in fewer bytes.

use std::path::Path;

use candle_core::{DType, Tensor};

use super::weights::{self, model_error};
use fer_core::error::Result;
use fer_core::network::ModelFile;

/// Tensors of fewer values keep their type: they take little space, and rounding them would change every score.
const LARGE: usize = 1000;

/// Writes a model with its large tensors as 16-bit floats.
///
/// # Errors
/// If the model cannot be used, or `out` cannot be written.
pub fn pack(model: &Path, out: &Path) -> Result<()> {
    let (bytes, what) = (weights::read_bytes(model)?, model.display().to_string());
    ModelFile::parse(&bytes, &what)?.fold(1)?;
    let mut file = weights::parse_tensors(&bytes, &what)?;
    halve(&mut file.tensors)?;
    weights::save(out, file.tensors, file.metadata)
}

/// Converts the values of large tensors to 16-bit floats.
pub(crate) fn halve(tensors: &mut [(String, Tensor)]) -> Result<()> {
    for (_, tensor) in tensors {
        if tensor.elem_count() >= LARGE {
            *tensor = tensor.to_dtype(DType::F16).map_err(model_error)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{signal, train};

    #[test]
    fn a_packed_model_is_smaller_and_sealed_and_predicts_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let model = train(&["epochs=1"], &signal(60), folder.path());
        let packed = folder.path().join("packed.safetensors");
        pack(&model, &packed).unwrap();
        let bytes = [&model, &packed].map(|path| std::fs::read(path).unwrap());
        assert!(bytes[1].len() < bytes[0].len());
        assert!(fer_core::output::is_sealed(&bytes[1]));
        let [before, after] = bytes.each_ref().map(|bytes| {
            let network = ModelFile::parse(bytes, "a model").unwrap().fold(1).unwrap();
            network.infer_all(&[0.5; 48 * 48]).concat()
        });
        for (a, b) in before.iter().zip(&after) {
            assert!((a - b).abs() < 0.02, "{before:?} {after:?}");
        }
        // Packing a packed model changes nothing.
        let again = folder.path().join("again.safetensors");
        pack(&packed, &again).unwrap();
        assert_eq!(std::fs::read(&again).unwrap(), bytes[1]);
        let other = folder.path().join("other");
        std::fs::write(&other, "text").unwrap();
        assert!(pack(&other, &again).is_err());
    }
}
