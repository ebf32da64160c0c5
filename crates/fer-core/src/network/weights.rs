//! Reads the weights of a network from a safetensors file, as named arrays of `f32`.

use std::collections::BTreeMap;

use half::{bf16, f16};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

/// A weight: an array of values.
#[derive(Debug, Clone, PartialEq)]
pub struct Weight {
    /// Its dimensions, outermost first.
    pub shape: Vec<usize>,
    /// Its values, row-major.
    pub values: Vec<f32>,
}

/// The weights of a network by name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Weights(BTreeMap<String, Weight>);

/// The reason why weights cannot be read or do not fit an architecture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WeightError {
    /// The bytes are not a safetensors file.
    #[error("{0}")]
    NotSafetensors(String),
    /// A weight that the architecture needs is missing.
    #[error("it has no weight \"{0}\"")]
    Missing(String),
    /// A weight has another shape than the architecture requires.
    #[error("its weight \"{name}\" has shape {found:?} and should have {expected:?}")]
    Shape {
        /// The name of the weight.
        name: String,
        /// Its shape in the file.
        found: Vec<usize>,
        /// The shape that the architecture requires.
        expected: Vec<usize>,
    },
    /// The values of a weight are not floating-point numbers.
    #[error("its weight \"{name}\" holds {dtype} values, not floating-point numbers")]
    Type {
        /// The name of the weight.
        name: String,
        /// The type of its values, by safetensors' name.
        dtype: String,
    },
    /// A value of a weight is not finite, as after a training run that diverged.
    #[error("its weight \"{0}\" has a value that is not finite")]
    NotFinite(String),
    /// The architecture itself is impossible.
    #[error("{0}")]
    Architecture(String),
}

impl Weights {
    /// Reads every array of a safetensors file; values of other floating-point types become `f32`.
    ///
    /// # Errors
    /// [`WeightError::NotSafetensors`], [`WeightError::Type`] or [`WeightError::NotFinite`].
    pub fn parse(bytes: &[u8]) -> Result<Self, WeightError> {
        let file = SafeTensors::deserialize(bytes)
            .map_err(|error| WeightError::NotSafetensors(error.to_string()))?;
        let mut weights = Self::default();
        for (name, tensor) in file.iter() {
            let weight = Weight {
                shape: tensor.shape().to_vec(),
                values: values(name, &tensor)?,
            };
            if !weight.values.iter().all(|value| value.is_finite()) {
                return Err(WeightError::NotFinite(name.to_owned()));
            }
            weights.insert(name, weight);
        }
        Ok(weights)
    }

    /// Adds a weight, or replaces the one of the same name.
    pub fn insert(&mut self, name: impl Into<String>, weight: Weight) {
        self.0.insert(name.into(), weight);
    }

    /// The weight called `name`; `None` if there is none.
    pub fn find(&self, name: &str) -> Option<&Weight> {
        self.0.get(name)
    }

    /// The weight called `name`.
    ///
    /// # Errors
    /// [`WeightError::Missing`].
    pub fn get(&self, name: &str) -> Result<&Weight, WeightError> {
        self.find(name)
            .ok_or_else(|| WeightError::Missing(name.to_owned()))
    }

    /// The values of the weight called `name`, which must have this shape.
    ///
    /// # Errors
    /// [`WeightError::Missing`] or [`WeightError::Shape`].
    pub fn values(&self, name: &str, shape: &[usize]) -> Result<&[f32], WeightError> {
        let weight = self.get(name)?;
        if weight.shape == shape {
            Ok(&weight.values)
        } else {
            Err(WeightError::Shape {
                name: name.to_owned(),
                found: weight.shape.clone(),
                expected: shape.to_vec(),
            })
        }
    }
}

/// The values of a tensor as `f32`.
fn values(name: &str, tensor: &TensorView<'_>) -> Result<Vec<f32>, WeightError> {
    let data = tensor.data();
    let halves = || data.as_chunks::<2>().0.iter();
    Ok(match tensor.dtype() {
        Dtype::F32 => (data.as_chunks::<4>().0.iter())
            .map(|bytes| f32::from_le_bytes(*bytes))
            .collect(),
        Dtype::F16 => halves().map(|b| f16::from_le_bytes(*b).to_f32()).collect(),
        Dtype::BF16 => halves().map(|b| bf16::from_le_bytes(*b).to_f32()).collect(),
        Dtype::F64 => (data.as_chunks::<8>().0.iter())
            .map(|bytes| f64::from_le_bytes(*bytes) as f32)
            .collect(),
        other => {
            return Err(WeightError::Type {
                name: name.to_owned(),
                dtype: format!("{other:?}"),
            });
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(dtype: Dtype, bytes: &[u8]) -> Vec<u8> {
        let tensor = TensorView::new(dtype, vec![2], bytes).unwrap();
        safetensors::serialize([("a", tensor)], None).unwrap()
    }

    #[test]
    fn every_floating_point_type_is_read() {
        let half = [1.5, -2.0].map(|v| f16::from_f32(v).to_le_bytes()).concat();
        let brain = [1.5, -2.0]
            .map(|v| bf16::from_f32(v).to_le_bytes())
            .concat();
        let single = [1.5_f32, -2.0].map(f32::to_le_bytes).concat();
        let double = [1.5_f64, -2.0].map(f64::to_le_bytes).concat();
        for (dtype, bytes) in [
            (Dtype::F16, half),
            (Dtype::BF16, brain),
            (Dtype::F32, single),
            (Dtype::F64, double),
        ] {
            let weights = Weights::parse(&file(dtype, &bytes)).unwrap();
            assert_eq!(weights.values("a", &[2]).unwrap(), [1.5, -2.0], "{dtype:?}");
        }
    }

    #[test]
    fn an_error_names_the_weight_that_does_not_fit() {
        let weights = Weights::parse(&file(Dtype::F32, &[0; 8])).unwrap();
        let error = weights.values("b", &[2]).unwrap_err().to_string();
        assert_eq!(error, "it has no weight \"b\"");
        let error = weights.values("a", &[1, 2]).unwrap_err().to_string();
        assert_eq!(
            error,
            "its weight \"a\" has shape [2] and should have [1, 2]"
        );
        let error = Weights::parse(&file(Dtype::I32, &[0; 8])).unwrap_err();
        assert!(error.to_string().contains("I32"), "{error}");
        assert!(matches!(
            Weights::parse(b"text").unwrap_err(),
            WeightError::NotSafetensors(_)
        ));
    }
}
