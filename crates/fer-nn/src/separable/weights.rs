//! The layers of a depthwise-separable network that have weights, packed for the kernels.

use super::GROUP;
use super::integer_weights::{ByteWeights, PairWeights};
use crate::AlignedVec;

/// Packs `[out][per_out]` into `[out / 16][per_out][16]`.
fn pack(values: &[f32], outputs: usize) -> AlignedVec<f32> {
    let per_out = values.len() / outputs;
    let mut packed = Vec::with_capacity(values.len());
    for group in 0..outputs / GROUP {
        for i in 0..per_out {
            packed.extend((0..GROUP).map(|lane| values[(group * GROUP + lane) * per_out + i]));
        }
    }
    packed.into()
}

/// Values that a row of the stem's kernel reads: three pixels, and one more, with the weight zero, that completes a
/// pair.
pub(super) const STEM_INPUTS: usize = 10;

/// 3×3 convolution of an RGB picture with stride 2 and padding 1, followed by a rectifier.
#[derive(Debug, Clone)]
pub struct Stem {
    /// The weights of three taps, one per row of the kernel, with [`STEM_INPUTS`] each.
    pub(super) weights: PairWeights,
    pub(super) bias: AlignedVec<f32>,
}

impl Stem {
    /// Packs weights `[out][ky][kx][rgb]` and one bias per output channel.
    ///
    /// # Panics
    /// If the lengths disagree, or the number of output channels is not a multiple of sixteen.
    pub fn new(weights: &[f32], bias: &[f32]) -> Self {
        assert_eq!(bias.len() % GROUP, 0);
        assert_eq!(weights.len(), 27 * bias.len());
        let mut even = Vec::with_capacity(3 * STEM_INPUTS * bias.len());
        for row in weights.chunks_exact(9) {
            even.extend_from_slice(row);
            even.push(0.0);
        }
        Self {
            weights: PairWeights::new(&even, bias.len()),
            bias: bias.into(),
        }
    }
}

/// The weights of a pointwise convolution.
#[derive(Debug, Clone)]
pub(super) enum Pointwise {
    /// `[group][in][16]`.
    Floats(AlignedVec<f32>),
    /// Integer weights, for many inputs.
    Pairs(PairWeights),
    /// Weights as bytes, for many inputs that are not negative.
    Bytes(ByteWeights),
}

/// A depthwise-separable convolution: pointwise 1×1 convolution, depthwise 3×3 convolution with padding 1, and an
/// optional rectifier.
#[derive(Debug, Clone)]
pub struct Separable {
    pub(super) inputs: usize,
    pub(super) pointwise: Pointwise,
    pub(super) pointwise_bias: AlignedVec<f32>,
    pub(super) depthwise: AlignedVec<f32>,
    pub(super) depthwise_bias: AlignedVec<f32>,
    pub(super) relu: bool,
}

impl Separable {
    /// Packs the weights and biases of the pointwise convolution, `[out][in]`, and of the depthwise convolution,
    /// `[out][3 × 3]`; `relu` selects the rectifier. `rectified` promises that no input is negative; many such inputs
    /// are rounded to bytes, among which negative ones would become 0.
    ///
    /// # Panics
    /// If the lengths disagree, or the number of output channels is not a multiple of sixteen.
    pub fn new(
        pointwise: (&[f32], &[f32]),
        depthwise: (&[f32], &[f32]),
        rectified: bool,
        relu: bool,
    ) -> Self {
        let outputs = pointwise.1.len();
        assert_eq!(outputs % GROUP, 0);
        assert_eq!(
            (depthwise.0.len(), depthwise.1.len()),
            (9 * outputs, outputs)
        );
        let inputs = pointwise.0.len() / outputs;
        assert_eq!(pointwise.0.len(), inputs * outputs);
        Self {
            inputs,
            pointwise: match (PairWeights::supports(inputs), rectified) {
                (true, true) => Pointwise::Bytes(ByteWeights::new(pointwise.0, outputs)),
                (true, false) => Pointwise::Pairs(PairWeights::new(pointwise.0, outputs)),
                (false, _) => Pointwise::Floats(pack(pointwise.0, outputs)),
            },
            pointwise_bias: pointwise.1.into(),
            depthwise: pack(depthwise.0, outputs),
            depthwise_bias: depthwise.1.into(),
            relu,
        }
    }

    /// Number of output channels.
    pub(super) fn outputs(&self) -> usize {
        self.pointwise_bias.len()
    }
}
