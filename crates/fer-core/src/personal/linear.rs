//! A linear function of the features of a face.

use crate::features::Features;

/// `C` amounts that are linear in the features: for each, a weight per feature and a constant.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Linear<const C: usize> {
    /// `[C, features]`.
    pub weight: Vec<f32>,
    pub bias: [f32; C],
}

impl<const C: usize> Linear<C> {
    /// The amounts of a face; `None` if the number of features differs.
    pub fn of(&self, features: &Features) -> Option<[f32; C]> {
        if features.is_empty() || features.len() * C != self.weight.len() {
            return None;
        }
        let values: Vec<f32> = features.values().collect();
        let mut amounts = self.bias;
        for (sum, row) in amounts
            .iter_mut()
            .zip(self.weight.chunks_exact(values.len()))
        {
            *sum += row.iter().zip(&values).map(|(w, x)| w * x).sum::<f32>();
        }
        Some(amounts)
    }

    /// The stored form: the constants and the weights as little-endian `f32`.
    pub fn to_bytes(&self) -> Vec<u8> {
        let values = self.bias.iter().chain(&self.weight);
        values.flat_map(|value| value.to_le_bytes()).collect()
    }

    /// The inverse of [`Linear::to_bytes`]; `None` if the bytes do not have this form.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (numbers, rest) = bytes.as_chunks::<4>();
        let numbers = numbers.iter().map(|number| f32::from_le_bytes(*number));
        let values: Vec<f32> = numbers.collect();
        let (bias, weight) = values.split_first_chunk()?;
        let is_linear = rest.is_empty()
            && weight.len().is_multiple_of(C)
            && values.iter().all(|value| value.is_finite());
        is_linear.then(|| Self {
            weight: weight.to_vec(),
            bias: *bias,
        })
    }
}
