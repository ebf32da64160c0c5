//! Averages the weights of two models into one.
//!
//! Two networks whose training started from the same weights are often in the same basin of the loss, and a point
//! between them generalises better than either (Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022).

use std::fmt::Display;
use std::path::Path;

use candle_core::{DType, Tensor};

use super::calibrate::same_heads;
use super::model_info::ModelInfo;
use super::weights::{self, TensorFile};
use crate::network::read_network;
use fer_core::error::{Error, Result};
use fer_core::network::NetworkSpec;

/// Writes the weighted mean of two models' weights to `out`, in which the second model has weight `share` (0 to 1).
/// Keeps the first model's metadata, without its calibration: the mean is not calibrated, even if both models are.
///
/// # Errors
/// If a model cannot be used, their networks differ, or the second was trained on parts of the data that
/// the first was not: the metadata would then hide that the mean was trained on them.
pub fn average(first: &Path, second: &Path, share: f64, out: &Path) -> Result<()> {
    let refuse = |problem: &str| {
        let pair = format!("{} and {}", first.display(), second.display());
        Err(Error::Usage(format!("{pair} {problem}")))
    };
    let (a, b) = (Model::read(first)?, Model::read(second)?);
    if a.spec.trunk != b.spec.trunk || !same_heads(&a.spec, &b.spec) {
        return refuse("have different architectures or heads and cannot be averaged");
    }
    let mut trained_on = b.info.train_on.iter();
    if !trained_on.all(|&part| a.info.was_trained_on(part)) {
        return refuse(
            "are in the wrong order: give the model that was trained on more parts of the data first",
        );
    }
    let TensorFile {
        mut tensors,
        mut metadata,
    } = a.file;
    let unusable = |e: &dyn Display| Error::Model(format!("{}: {e}", first.display()));
    for ((_, tensor), (_, other)) in tensors.iter_mut().zip(&b.file.tensors) {
        *tensor = mean(tensor, other, share).map_err(|e| unusable(&e))?;
    }
    metadata.retain(|key, _| !key.starts_with("temperature.") && !key.starts_with("shift."));
    let with = format!(
        "{share} of {}",
        b.info.name.as_deref().unwrap_or("another model")
    );
    metadata.insert("averaged".to_owned(), with);
    weights::save(out, tensors, metadata)
}

/// The contents of a model file.
struct Model {
    spec: NetworkSpec,
    info: ModelInfo,
    file: TensorFile,
}

impl Model {
    fn read(path: &Path) -> Result<Self> {
        let (bytes, what) = (weights::read_bytes(path)?, path.display().to_string());
        Ok(Self {
            spec: read_network(&bytes, &what)?.spec().clone(),
            info: ModelInfo::parse(&bytes, &what)?,
            file: weights::parse_tensors(&bytes, &what)?,
        })
    }
}

fn mean(first: &Tensor, second: &Tensor, share: f64) -> candle_core::Result<Tensor> {
    let (first, second) = (first.to_dtype(DType::F32)?, second.to_dtype(DType::F32)?);
    &first + ((second - &first)? * share)?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{signal, train};

    #[test]
    fn the_mean_lies_between_both_models_and_keeps_the_metadata_of_the_first() {
        let (dataset, folder) = (signal(60), tempfile::tempdir().unwrap());
        let first = train(
            &["epochs=1", "train_on=['training', 'public']"],
            &dataset,
            &folder.path().join("first"),
        );
        let second = train(
            &["epochs=1", "seed=9"],
            &dataset,
            &folder.path().join("second"),
        );
        let out = folder.path().join("mean");
        average(&first, &second, 0.25, &out).unwrap();
        let stem = |path: &Path| {
            let all = weights::read_tensors(path).unwrap().tensors;
            let (_, stem) = all
                .into_iter()
                .find(|(name, _)| name == "stem.conv.weight")
                .unwrap();
            stem.flatten_all().unwrap().to_vec1::<f32>().unwrap()
        };
        let (a, b, mean) = (stem(&first), stem(&second), stem(&out));
        assert_ne!(a, b);
        for ((a, b), mean) in a.iter().zip(&b).zip(mean) {
            assert!((0.75 * a + 0.25 * b - mean).abs() < 1e-6, "{a} {b} {mean}");
        }
        let info = ModelInfo::read(&out).unwrap();
        assert_eq!(info, ModelInfo::read(&first).unwrap());

        let refusal = average(&second, &first, 0.5, &out).unwrap_err();
        assert!(refusal.to_string().contains("order"), "{refusal}");
        let narrow = [
            "epochs=1",
            "network.trunk={ kind='residual', stem=8, blocks=[{ width=8 }] }",
        ];
        let refusal = average(
            &first,
            &train(&narrow, &dataset, &folder.path().join("narrow")),
            0.5,
            &out,
        )
        .unwrap_err();
        assert!(refusal.to_string().contains("different"), "{refusal}");
    }
}
