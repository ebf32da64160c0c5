//! Computes a row of a pointwise convolution with integers.

use super::integer_weights::PairWeights;
use super::pairs::{PairDot, Quantise};
use super::weights::Pointwise;
use crate::{AlignedVec, Level};

/// A row of `width` output pixels.
pub(super) struct IntegerRow<'a> {
    /// `width` pixels of `inputs` values.
    pub values: &'a [f32],
    /// A buffer for the scaled values, reused between rows.
    pub integers: &'a mut AlignedVec<i16>,
    pub inputs: usize,
    /// `[group][16]`.
    pub bias: &'a [f32],
    pub width: usize,
    /// `[width][group][16]`.
    pub out: &'a mut [f32],
}

impl IntegerRow<'_> {
    /// Scales the values to integers of the same size as the weights, and multiplies them.
    ///
    /// # Panics
    /// If the weights are not integers.
    pub fn run(self, level: Level, weights: &Pointwise) {
        match weights {
            Pointwise::Floats(_) => panic!("the weights are no integers"),
            Pointwise::Pairs(weights) => {
                self.run_with(weights, false, 1, |k| level.run(k), |k| level.run_pairs(k));
            }
            Pointwise::Bytes(weights) if level.multiplies_bytes() => {
                let weights = &weights.quads;
                self.run_with(
                    weights,
                    true,
                    2,
                    |k| level.run_bytes(k),
                    |k| level.run_bytes(k),
                );
            }
            Pointwise::Bytes(weights) => {
                let weights = &weights.pairs;
                self.run_with(weights, true, 1, |k| level.run(k), |k| level.run_pairs(k));
            }
        }
    }

    /// Scales the values to integers, in the range of bytes if `bytes`, and multiplies them. `per` integers share an
    /// `i16`.
    fn run_with(
        self,
        weights: &PairWeights,
        bytes: bool,
        per: usize,
        quantise: impl Fn(Quantise<'_>) -> f32,
        multiply: impl Fn(PairDot<'_>),
    ) {
        let Self {
            values,
            integers,
            inputs,
            bias,
            width,
            out,
        } = self;
        integers.resize(values.len() / per);
        let scale = quantise(Quantise {
            values,
            bytes,
            out: integers,
        });
        multiply(PairDot {
            taps: &[integers],
            stride: inputs / per,
            inputs: inputs / per,
            scale,
            weights,
            bias,
            relu: false,
            width,
            out,
        });
    }
}
