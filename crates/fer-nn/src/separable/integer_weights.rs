//! The weights of pointwise convolutions as integers, packed for [`PairDot`](super::pairs::PairDot).

use super::GROUP;
use super::pairs::{MAX_INTEGER, MIN_ROW_MAXIMUM};
use crate::AlignedVec;

/// The largest weight that fits a signed byte.
const MAX_BYTE: f32 = 127.0;

/// The weights of a pointwise convolution.
#[derive(Debug, Clone)]
pub(super) struct PairWeights {
    /// `[group][pair of inputs][16]`.
    pub weights: AlignedVec<[i16; 2]>,
    /// The value of the integer 1 for each output, `[group][16]`.
    pub scales: AlignedVec<f32>,
}

impl PairWeights {
    /// Whether there are integer kernels for this number of inputs. With fewer inputs, scaling them takes as much time
    /// as the integers save.
    pub const fn supports(inputs: usize) -> bool {
        inputs >= 32 && inputs.is_multiple_of(GROUP)
    }

    /// Scales and packs weights, `[out][in]`.
    pub fn new(weights: &[f32], outputs: usize) -> Self {
        let integers = Integers::new(weights, outputs, MAX_INTEGER);
        let pair = |row: &[i16]| [row[0], row[1]];
        integers.packed::<2>(pair)
    }
}

/// The weights of a pointwise convolution whose inputs are not negative, as bytes.
#[derive(Debug, Clone)]
pub(super) struct ByteWeights {
    /// The weights as pairs of 16-bit integers.
    pub pairs: PairWeights,
    /// The same weights as bytes, four in the place of each pair.
    pub quads: PairWeights,
}

impl ByteWeights {
    /// Scales and packs weights, `[out][in]`.
    pub fn new(weights: &[f32], outputs: usize) -> Self {
        let integers = Integers::new(weights, outputs, MAX_BYTE);
        let quad = |row: &[i16]| {
            let [a, b, c, d] = [0, 1, 2, 3].map(|i| row[i] as u8);
            [i16::from_ne_bytes([a, b]), i16::from_ne_bytes([c, d])]
        };
        Self {
            pairs: integers.packed::<2>(|row| [row[0], row[1]]),
            quads: integers.packed::<4>(quad),
        }
    }
}

/// Weights scaled to integers.
struct Integers {
    /// The weights of each output.
    rows: Vec<Vec<i16>>,
    /// The value of the integer 1 for each output.
    scales: Vec<f32>,
}

impl Integers {
    /// Scales weights, `[out][in]`, to integers within ±`max_integer`.
    fn new(weights: &[f32], outputs: usize, max_integer: f32) -> Self {
        let rows = weights.chunks_exact(weights.len() / outputs);
        let scales: Vec<f32> = rows.clone().map(|row| scale(row, max_integer)).collect();
        let scaled = rows.zip(&scales);
        Self {
            rows: scaled
                .map(|(row, scale)| row.iter().map(|w| (w / scale).round() as i16).collect())
                .collect(),
            scales,
        }
    }

    /// Packs `PER` integers each by `pack`, `[group][in / PER][16]`.
    fn packed<const PER: usize>(&self, pack: impl Fn(&[i16]) -> [i16; 2]) -> PairWeights {
        let mut weights = Vec::new();
        for group in self.rows.chunks_exact(GROUP) {
            for first in (0..group[0].len()).step_by(PER) {
                weights.extend(group.iter().map(|row| pack(&row[first..first + PER])));
            }
        }
        PairWeights {
            weights: weights.into(),
            scales: self.scales.as_slice().into(),
        }
    }
}

/// The value of the integer 1 if the weights of an output become integers within ±`max_integer`. It keeps the sum of
/// the weights' magnitudes below 2¹⁶, however they are rounded, so that the sum of their products with values below 2¹⁵
/// is below 2³¹.
fn scale(weights: &[f32], max_integer: f32) -> f32 {
    let sum: f32 = weights.iter().map(|w| w.abs()).sum();
    let largest = weights
        .iter()
        .fold(0.0_f32, |largest, w| largest.max(w.abs()));
    let sum_of_integers = 65_535.0 - weights.len() as f32;
    (sum / sum_of_integers)
        .max(largest / max_integer)
        .max(MIN_ROW_MAXIMUM)
}
