//! A pointwise convolution, and the stem, with integers: a register multiplies two or four times as many of them as of
//! `f32`.
//!
//! Each row of values is scaled so that the largest is 32767, and the weights of each output so that no sum can
//! overflow. So a value is off by at most 1/65534 of the largest of its row. The pixels of a picture are integers
//! already.
//!
//! Values that are known not to be negative, and their weights, are scaled to bytes. Where the processor multiplies
//! bytes, four take the place of a pair; elsewhere they are pairs of the same small integers, so that the results are
//! equal.
#![allow(
    clippy::needless_range_loop,
    reason = "an index runs over the registers of several arrays"
)]

use super::GROUP;
use super::dot::{load, store};
use super::integer_weights::PairWeights;
use super::tiles::{DYNAMIC, Tiles};
use crate::simd::{Kernel, Simd};

/// The largest integer of a row.
pub(super) const MAX_INTEGER: f32 = 32_767.0;

/// The least maximum of a row that is assumed for scaling, so that a row of zeros can be scaled.
pub(super) const MIN_ROW_MAXIMUM: f32 = 1e-20;

/// The largest byte of a row.
const MAX_BYTE: f32 = 255.0;

/// Scales a row of values to integers; returns the value of the integer 1.
pub(super) struct Quantise<'a> {
    /// A multiple of [`GROUP`] values.
    pub values: &'a [f32],
    /// Whether they become bytes; if so, negative ones become 0.
    pub bytes: bool,
    /// As long as `values`, or half as long for bytes, of which two take the place of each integer.
    pub out: &'a mut [i16],
}

impl Kernel for Quantise<'_> {
    type Output = f32;

    #[inline(always)]
    unsafe fn run<S: Simd>(self) -> f32 {
        let Self { values, bytes, out } = self;
        assert!(values.len().is_multiple_of(GROUP) && (bytes || S::BYTES == 2));
        assert_eq!(size_of_val::<[i16]>(out), values.len() * S::BYTES);
        let (min_value, max_integer) = if bytes {
            (0.0, MAX_BYTE)
        } else {
            (f32::MIN, MAX_INTEGER)
        };
        // SAFETY: the caller guarantees `S`. The loops step through whole groups, which are whole registers, and the
        // assertions ensure that both slices consist of them.
        unsafe {
            let mut largest = [S::splat(MIN_ROW_MAXIMUM); 2];
            for at in (0..values.len()).step_by(S::LANES) {
                let value = S::load(values.as_ptr().add(at));
                let magnitude = S::max(value, S::subtract(S::splat(0.0), value));
                // Two independent maxima, so that the processor can compute them in parallel.
                let largest = &mut largest[at / S::LANES % 2];
                *largest = S::max(*largest, magnitude);
            }
            let mut lanes = [0.0; GROUP];
            S::store(lanes.as_mut_ptr(), S::max(largest[0], largest[1]));
            let largest = lanes
                .iter()
                .fold(MIN_ROW_MAXIMUM, |largest, &value| largest.max(value));
            let (factor, min_value) = (S::splat(max_integer / largest), S::splat(min_value));
            let to = out.as_mut_ptr().cast::<u8>();
            for at in (0..values.len()).step_by(S::LANES) {
                let value = S::max(S::load(values.as_ptr().add(at)), min_value);
                S::store_rounded(to.add(at * S::BYTES).cast(), S::multiply(value, factor));
            }
            largest / max_integer
        }
    }
}

/// Copies bytes to integers of 16 bits.
pub(super) struct Widen<'a> {
    pub bytes: &'a [u8],
    /// As long as `bytes`.
    pub values: &'a mut [i16],
}

impl Kernel for Widen<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        for (value, byte) in self.values.iter_mut().zip(self.bytes) {
            *value = i16::from(*byte);
        }
    }
}

/// A row of `width` output pixels: for each output channel, the bias plus the sum, over the taps and their values, of
/// value times weight.
pub(super) struct PairDot<'a> {
    /// One slice per tap; output pixel `x` reads `inputs` values from `x * stride` on. If the integers are bytes, two
    /// count as one value.
    pub taps: &'a [&'a [i16]],
    /// Distance in values between the inputs of neighbouring output pixels; even.
    pub stride: usize,
    /// Number of values that each tap contributes to a pixel; even.
    pub inputs: usize,
    /// The value of the integer 1 in `taps`.
    pub scale: f32,
    /// The weights, with as many inputs as all taps together.
    pub weights: &'a PairWeights,
    /// `[group][16]`.
    pub bias: &'a [f32],
    /// Whether negative sums become zero (the rectifier).
    pub relu: bool,
    pub width: usize,
    /// `[width][group][16]`.
    pub out: &'a mut [f32],
}

impl Kernel for PairDot<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(mut self) {
        let channels = self.bias.len();
        assert!(channels.is_multiple_of(GROUP));
        assert!(self.inputs.is_multiple_of(2) && self.stride.is_multiple_of(2));
        assert_eq!(self.weights.scales.len(), channels);
        let inputs = self.taps.len() * self.inputs;
        assert_eq!(self.weights.weights.len(), channels * inputs / 2);
        for tap in self.taps {
            assert!(tap.len() >= self.width.saturating_sub(1) * self.stride + self.inputs);
        }
        assert_eq!(self.out.len(), self.width * channels);
        // `V`, the registers of a group, and `P` and `G`, the pixels and groups of a tile, as for `Dot`.
        // SAFETY: the caller guarantees `S`; the assertions above give every slice the length that
        // `shapes` requires.
        unsafe {
            match (S::LANES, S::ROWS) {
                (16, _) => self.shapes::<S, 1, 12, 2>(),
                (8, _) => self.shapes::<S, 2, 6, 1>(),
                (_, 12) => self.shapes::<S, 4, 6, 1>(),
                _ => self.shapes::<S, 4, 2, 1>(),
            }
        }
    }
}

impl PairDot<'_> {
    /// Chooses the copy that is compiled for this number of inputs and stride: those of the detector's stem and separable layers.
    /// Any other works, but more slowly.
    ///
    /// # Safety
    /// The processor must support the instruction set `S`, the slices must have the lengths that
    /// `run` asserts, and `V` registers must be a group.
    #[inline(always)]
    unsafe fn shapes<S: Simd, const V: usize, const P: usize, const G: usize>(&mut self) {
        // SAFETY: the caller guarantees what `all` requires; `PAIRS` and `STRIDE` are half of the fields.
        unsafe {
            match (self.inputs, self.stride) {
                (10, 6) => Fixed::<5, 3>(self).all::<S, V, P, G>(),
                (16, 16) => Fixed::<8, 8>(self).all::<S, V, P, G>(),
                (32, 32) => Fixed::<16, 16>(self).all::<S, V, P, G>(),
                (64, 64) => Fixed::<32, 32>(self).all::<S, V, P, G>(),
                _ => Fixed::<DYNAMIC, DYNAMIC>(self).all::<S, V, 1, 1>(),
            }
        }
    }
}

/// The kernel with constants for half the number of inputs and half the stride, or [`DYNAMIC`].
struct Fixed<'k, 'a, const PAIRS: usize, const STRIDE: usize>(&'k mut PairDot<'a>);

impl<const PAIRS: usize, const STRIDE: usize> Tiles for Fixed<'_, '_, PAIRS, STRIDE> {
    #[inline(always)]
    fn width(&self) -> usize {
        self.0.width
    }

    #[inline(always)]
    fn groups(&self) -> usize {
        self.0.bias.len() / GROUP
    }

    #[inline(always)]
    unsafe fn tile<S: Simd, const V: usize, const P: usize, const G: usize>(
        &mut self,
        x: usize,
        group: usize,
    ) {
        let Self(dot) = self;
        let pairs = if PAIRS == DYNAMIC {
            dot.inputs / 2
        } else {
            PAIRS
        };
        let stride = if STRIDE == DYNAMIC {
            dot.stride / 2
        } else {
            STRIDE
        };
        let channels = dot.bias.len();
        let per_group = dot.taps.len() * pairs * GROUP;
        // SAFETY: the caller guarantees `S`, pixels below `width` and existing groups. For these
        // `run` asserted that each tap has `pairs` pairs from pair `(x + P - 1) * stride` on, and that
        // bias, scales, weights and output hold whole groups, which are `V` registers each. A pair is
        // aligned as an `i16`.
        unsafe {
            let mut sum = [[[S::integers(); V]; P]; G];
            for (tap, values) in dot.taps.iter().enumerate() {
                let source = values.as_ptr().cast::<[i16; 2]>().add(x * stride);
                let weight = dot.weights.weights.as_ptr();
                let weight = weight.add(group * per_group + tap * pairs * GROUP);
                for i in 0..pairs {
                    let mut w = [[S::splat_pair([0; 2]); V]; G];
                    for (g, w) in w.iter_mut().enumerate() {
                        for (v, w) in w.iter_mut().enumerate() {
                            let from = g * per_group + i * GROUP + v * S::LANES;
                            *w = S::load_pairs(weight.add(from));
                        }
                    }
                    for p in 0..P {
                        let value = S::splat_pair(*source.add(p * stride + i));
                        for g in 0..G {
                            for v in 0..V {
                                sum[g][p][v] = S::dot_pairs(value, w[g][v], sum[g][p][v]);
                            }
                        }
                    }
                }
            }
            let scale = S::splat(dot.scale);
            for (g, sum) in sum.iter().enumerate() {
                let first = (group + g) * GROUP;
                let bias = load::<S, V>(dot.bias.as_ptr().add(first));
                let scales = load::<S, V>(dot.weights.scales.as_ptr().add(first));
                for (p, sum) in sum.iter().enumerate() {
                    let mut values = bias;
                    for v in 0..V {
                        let scale = S::multiply(scales[v], scale);
                        values[v] = S::multiply_add(S::to_floats(sum[v]), scale, bias[v]);
                    }
                    let to = dot.out.as_mut_ptr().add((x + p) * channels + first);
                    store::<S, V>(to, values, dot.relu);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::integer_weights::ByteWeights;
    use super::*;
    use crate::Level;
    use crate::testing::{CASES, Noise};

    #[test]
    fn the_largest_sums_do_not_overflow() {
        for inputs in [32, 64, 256] {
            // Equal weights have the largest sum, unequal ones the largest rounding.
            let weights: Vec<f32> = (0..GROUP * inputs)
                .map(|i| {
                    if i < inputs {
                        -1.0
                    } else {
                        0.1 + (i % 7) as f32
                    }
                })
                .collect();
            let packed = PairWeights::new(&weights, GROUP);
            for level in Level::supported() {
                let mut out = [0.0; GROUP];
                level.run_pairs(PairDot {
                    taps: &[&vec![-32_767; inputs]],
                    stride: inputs,
                    inputs,
                    scale: 1.0 / MAX_INTEGER,
                    weights: &packed,
                    bias: &[0.0; GROUP],
                    relu: false,
                    width: 1,
                    out: &mut out,
                });
                for (row, found) in weights.chunks_exact(inputs).zip(out) {
                    let expected = -row.iter().sum::<f32>();
                    let error = (found - expected).abs() / expected.abs();
                    assert!(error < 1e-3, "{level:?} {inputs}: {found} {expected}");
                }
            }
        }
    }

    #[test]
    fn integers_are_multiplied_and_added_exactly_at_every_level() {
        for seed in 0..CASES {
            let mut noise = Noise::new(seed);
            let width = noise.size(1, 30);
            // For 48 inputs there is no copy with a constant shape.
            let inputs = noise.one_of(&[32, 48, 64]);
            let outputs = noise.one_of(&[16, 32, 48, 64]);
            let weights = PairWeights::new(&noise.values(inputs * outputs), outputs);
            let values = noise.values(width * inputs);
            let values: Vec<i16> = values.iter().map(|v| (v * 65_534.0) as i16).collect();
            let sum = |pixel: &[i16], output: usize| {
                let (group, lane) = (output / GROUP, output % GROUP);
                let pairs = pixel.as_chunks::<2>().0.iter().enumerate();
                let terms = pairs.map(|(i, value)| {
                    let at = (group * inputs / 2 + i) * GROUP + lane;
                    let product =
                        |k: usize| i64::from(value[k]) * i64::from(weights.weights[at][k]);
                    product(0) + product(1)
                });
                terms.sum::<i64>() as f32 * weights.scales[output]
            };
            let expected: Vec<f32> = values
                .chunks_exact(inputs)
                .flat_map(|pixel| (0..outputs).map(move |output| (pixel, output)))
                .map(|(pixel, output)| sum(pixel, output))
                .collect();
            for level in Level::supported() {
                let mut out = vec![7.0; width * outputs];
                level.run_pairs(PairDot {
                    taps: &[&values],
                    stride: inputs,
                    inputs,
                    scale: 1.0,
                    weights: &weights,
                    bias: &vec![0.0; outputs],
                    relu: false,
                    width,
                    out: &mut out,
                });
                assert_eq!(out, expected, "{level:?}, {width}, {inputs} to {outputs}");
            }
        }
    }

    #[test]
    fn a_row_is_scaled_to_the_same_integers_at_every_level() {
        for seed in 0..CASES {
            let mut noise = Noise::new(seed);
            let width = noise.size(1, 20);
            let mut values = noise.values(width * 32);
            if seed == 0 {
                values.fill(0.0);
            }
            let largest = values
                .iter()
                .fold(MIN_ROW_MAXIMUM, |largest, value| largest.max(value.abs()));
            for level in Level::supported() {
                let mut out = vec![7; values.len()];
                let scale = level.run(Quantise {
                    values: &values,
                    bytes: false,
                    out: &mut out,
                });
                assert!((scale * MAX_INTEGER / largest - 1.0).abs() < 1e-6);
                for (value, integer) in values.iter().zip(&out) {
                    let error = (value / scale - f32::from(*integer)).abs();
                    assert!(error < 0.51, "{level:?}: {value} {scale} {integer}");
                }
            }
        }
    }

    #[test]
    fn bytes_are_multiplied_and_added_exactly_at_every_level() {
        for seed in 0..CASES {
            let mut noise = Noise::new(seed);
            let (width, inputs) = (noise.size(1, 20), noise.one_of(&[32, 48, 64]));
            let outputs = noise.one_of(&[16, 32, 48]);
            // The largest products, too: 255 and ±127.
            let mut values = noise.values(width * inputs);
            values[..inputs].fill(1.0);
            let mut weights = noise.values(outputs * inputs);
            weights[..inputs].fill(-1.0);
            let weights = ByteWeights::new(&weights, outputs);

            let integers: Vec<i64> = values
                .iter()
                .map(|value| (value.max(0.0) * 255.0).round_ties_even() as i64)
                .collect();
            let weight = |output: usize, input: usize| {
                let group = output / GROUP * inputs / 2 + input / 2;
                weights.pairs.weights[group * GROUP + output % GROUP][input % 2]
            };
            let sum = |pixel: &[i64], output: usize| {
                let terms = pixel.iter().enumerate();
                let terms = terms.map(|(input, value)| value * i64::from(weight(output, input)));
                terms.sum::<i64>() as f32
            };
            for level in Level::supported() {
                let is_quads = level.multiplies_bytes();
                let per = if is_quads { 2 } else { 1 };
                let mut quantised = vec![7; values.len() / per];
                let mut out = vec![7.0; width * outputs];
                let quantise = Quantise {
                    values: &values,
                    bytes: true,
                    out: &mut quantised,
                };
                let scale = if is_quads {
                    level.run_bytes(quantise)
                } else {
                    level.run(quantise)
                };
                assert!((scale * 255.0 - 1.0).abs() < 1e-6, "{level:?}");
                let dot = PairDot {
                    taps: &[&quantised],
                    stride: inputs / per,
                    inputs: inputs / per,
                    scale: 1.0,
                    weights: if is_quads {
                        &weights.quads
                    } else {
                        &weights.pairs
                    },
                    bias: &vec![0.0; outputs],
                    relu: false,
                    width,
                    out: &mut out,
                };
                if is_quads {
                    level.run_bytes(dot);
                } else {
                    level.run_pairs(dot);
                }
                let pixels = integers.chunks_exact(inputs);
                let expected: Vec<f32> = pixels
                    .flat_map(|pixel| (0..outputs).map(move |output| (pixel, output)))
                    .map(|(pixel, output)| sum(pixel, output) * weights.pairs.scales[output])
                    .collect();
                assert_eq!(out, expected, "{level:?}, {width}, {inputs} to {outputs}");
            }
        }
    }
}
