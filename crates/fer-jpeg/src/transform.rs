//! The inverse cosine transform, to blocks of 1 × 1 to 8 × 8 samples.
//!
//! At full size it is libjpeg's accurate integer transform (`islow`: C. Loeffler, A. Ligtenberg and G. Moschytz,
//! "Practical fast 1-D DCT algorithms with 11 multiplications", ICASSP 1989) bit for bit. For a smaller block, the low
//! frequencies are transformed at that size, which is an ideal low-pass filter.
//!
//! The loops run over arrays of eight, which the compiler turns into vector instructions.

use crate::header::ZIGZAG;
use crate::sequential::Block;

type Lanes = [i32; 8];

/// Samples of a transformed block across and down, each 1 to 8.
pub type Size = (usize, usize);

/// The transform to blocks of one size.
#[derive(Debug, Clone)]
pub struct Transform {
    size: Size,
    /// How many coefficients the transform needs, in the order in which they are coded.
    pub needed_coefficients: usize,
    across: Basis,
    down: Basis,
}

/// For each frequency, the values of its cosine at the samples.
type Basis = [[f32; 8]; 8];

/// The last coefficient, in the order of coding, before any is outside the first three of its row and column.
const LAST_OF_THREE: usize = 5;

/// The same for the first four of each row and column.
const LAST_OF_FOUR: usize = 9;

/// How many bytes after its samples a row of a block may overwrite.
pub const ROW_OVERRUN: usize = 8;

impl Transform {
    /// The transform to blocks of this size.
    pub fn new(size: Size) -> Self {
        let is_low = |position: u8| {
            let (row, column) = (usize::from(position / 8), usize::from(position % 8));
            column < size.0 && row < size.1
        };
        Self {
            size,
            needed_coefficients: ZIGZAG.iter().rposition(|&p| is_low(p)).unwrap_or(0) + 1,
            across: basis(size.0),
            down: basis(size.1),
        }
    }

    /// Transforms a block to samples at the beginning of `plane`, whose rows are `stride` apart. Each row may overwrite
    /// up to [`ROW_OVERRUN`] bytes that follow it, so blocks must be passed from left to right. `last` is the last
    /// coefficient, in the order of coding, that is not zero.
    #[inline(always)]
    pub fn run(&self, block: &Block, last: usize, plane: &mut [u8], stride: usize) {
        if last == 0 {
            let mean = clamp((i32::from(block[0]) + 4) >> 3);
            for row in plane.chunks_mut(stride).take(self.size.1) {
                row[..8].fill(mean);
            }
            return;
        }
        match self.size {
            (8, 8) if last <= LAST_OF_FOUR => islow_block::<4>(block, plane, stride),
            (8, 8) => islow_block::<8>(block, plane, stride),
            // Of a photo at three eighths; chroma has half or all of luma's resolution in either direction.
            (3, 3) => self.run_reduced::<3, 4, 3, 3>(block, plane, stride),
            (6, 6) if last <= LAST_OF_THREE => self.run_reduced::<6, 8, 3, 3>(block, plane, stride),
            (6, 6) => self.run_reduced::<6, 8, 6, 6>(block, plane, stride),
            (6, 3) if last <= LAST_OF_THREE => self.run_reduced::<3, 8, 3, 3>(block, plane, stride),
            (6, 3) => self.run_reduced::<3, 8, 6, 3>(block, plane, stride),
            // At a half and a quarter, where luma is as large as chroma.
            (4, 4) => self.run_reduced::<4, 4, 4, 4>(block, plane, stride),
            (2, 2) => self.run_reduced::<2, 4, 2, 2>(block, plane, stride),
            (_, down) => self.run_any_size(down, block, plane, stride),
        }
    }

    /// The transform to `DOWN` rows of at most `LANES` samples, from the first `U` coefficients of the first `V` rows.
    #[inline(always)]
    #[allow(
        clippy::needless_range_loop,
        reason = "loops of constant length over several arrays become vector instructions without branches"
    )]
    fn run_reduced<const DOWN: usize, const LANES: usize, const U: usize, const V: usize>(
        &self,
        block: &Block,
        plane: &mut [u8],
        stride: usize,
    ) {
        let rows: [[f32; LANES]; V] =
            std::array::from_fn(|v| std::array::from_fn(|u| f32::from(block[8 * v + u])));
        // The result is computed row by row: if each coefficient were added to all rows, the compiler would compute a
        // column at once, whose values are apart in memory.
        let columns: [[f32; LANES]; DOWN] = std::array::from_fn(|y| {
            let mut sums = [0.0; LANES];
            for v in 0..V {
                for lane in 0..LANES {
                    sums[lane] += self.down[v][y] * rows[v][lane];
                }
            }
            sums
        });
        for y in 0..DOWN {
            let mut sums = [0.0; LANES];
            for u in 0..U {
                for lane in 0..LANES {
                    sums[lane] += columns[y][u] * self.across[u][lane];
                }
            }
            let row = plane[y * stride..].first_chunk_mut::<LANES>();
            store(row.expect("room for a row"), sums, round);
        }
    }

    /// The transform to any other size.
    #[inline(always)]
    fn run_any_size(&self, down: usize, block: &Block, plane: &mut [u8], stride: usize) {
        for (y, row) in plane.chunks_mut(stride).take(down).enumerate() {
            let mut column = [0.0; 8];
            for (v, values) in block.as_chunks::<8>().0.iter().enumerate().take(down) {
                for (sum, &value) in column.iter_mut().zip(values) {
                    *sum += self.down[v][y] * f32::from(value);
                }
            }
            let mut sums = [0.0; 8];
            for (column, weights) in column.iter().zip(&self.across) {
                for (sum, weight) in sums.iter_mut().zip(weights) {
                    *sum += column * weight;
                }
            }
            let row = row.first_chunk_mut::<8>();
            store(row.expect("room for a row"), sums, round);
        }
    }
}

/// The cosines of a transform to `size` samples; a constant block keeps its value.
fn basis(size: usize) -> Basis {
    std::array::from_fn(|u| {
        std::array::from_fn(|x| {
            let scale = if u == 0 { 0.125_f64.sqrt() } else { 0.5 };
            let angle = (2 * x + 1) as f64 * u as f64 * std::f64::consts::PI / (2 * size) as f64;
            if x < size && u < size {
                (scale * angle.cos()) as f32
            } else {
                0.0
            }
        })
    })
}

/// The sample nearest to a value relative to the middle of the range.
#[inline(always)]
fn round(value: f32) -> u8 {
    // Adding this puts the rounded integer into the low bits, without a saturating conversion.
    const SHIFT: f32 = 12_582_912.0;
    let integer = (value.clamp(-256.0, 256.0) + SHIFT).to_bits() as i32;
    clamp(integer.wrapping_sub(SHIFT.to_bits() as i32))
}

/// A sample from its difference to the middle of the range.
#[inline(always)]
fn clamp(value: i32) -> u8 {
    (value + 128).clamp(0, 255) as u8
}

const CONST_BITS: u32 = 13;
const PASS1_BITS: u32 = 2;

/// The factor of each frequency for each sample in one dimension of `jpeg_idct_islow`, times 2¹³. Before rounding,
/// `jpeg_idct_islow` only adds and multiplies integers, so the sums of these products are exactly its sums.
const ISLOW: [[i32; 8]; 8] = {
    let mut weights = [[0; 8]; 8];
    let mut frequency = 0;
    while frequency < 8 {
        let mut wave = [0; 8];
        wave[frequency] = 1;
        weights[frequency] = islow(wave);
        frequency += 1;
    }
    weights
};

/// One dimension of `jpeg_idct_islow` without the rounding, with the names of the original.
const fn islow(x: [i32; 8]) -> [i32; 8] {
    let z1 = (x[2] + x[6]) * 4433;
    let tmp2 = z1 - x[6] * 15137;
    let tmp3 = z1 + x[2] * 6270;
    let tmp0 = (x[0] + x[4]) << CONST_BITS;
    let tmp1 = (x[0] - x[4]) << CONST_BITS;
    let (tmp10, tmp13) = (tmp0 + tmp3, tmp0 - tmp3);
    let (tmp11, tmp12) = (tmp1 + tmp2, tmp1 - tmp2);

    let (z3, z4) = (x[7] + x[3], x[5] + x[1]);
    let z5 = (z3 + z4) * 9633;
    let z1 = (x[7] + x[1]) * -7373;
    let z2 = (x[5] + x[3]) * -20995;
    let z3 = z3 * -16069 + z5;
    let z4 = z4 * -3196 + z5;
    let tmp0 = x[7] * 2446 + z1 + z3;
    let tmp1 = x[5] * 16819 + z2 + z4;
    let tmp2 = x[3] * 25172 + z2 + z3;
    let tmp3 = x[1] * 12299 + z1 + z4;
    [
        tmp10 + tmp3,
        tmp11 + tmp2,
        tmp12 + tmp1,
        tmp13 + tmp0,
        tmp13 - tmp0,
        tmp12 - tmp1,
        tmp11 - tmp2,
        tmp10 - tmp3,
    ]
}

/// The transform to 8 × 8 samples of a block whose coefficients beyond the first `LOW` of each row and column are zero.
///
/// The products are those of a matrix, which needs no transposition; with vector instructions that is faster than
/// fewer multiplications.
#[inline(always)]
fn islow_block<const LOW: usize>(block: &Block, plane: &mut [u8], stride: usize) {
    let mut columns = [[1_i32 << (CONST_BITS - PASS1_BITS - 1); 8]; 8];
    for (v, weights) in ISLOW.iter().enumerate().take(LOW) {
        let row: Lanes = std::array::from_fn(|u| i32::from(block[8 * v + u]));
        for (sums, &weight) in columns.iter_mut().zip(weights) {
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum = sum.wrapping_add(value.wrapping_mul(weight));
            }
        }
    }
    for (y, column) in columns.iter().enumerate() {
        let mut sums = [1_i32 << (CONST_BITS + PASS1_BITS + 2); 8];
        for (u, weights) in ISLOW.iter().enumerate().take(LOW) {
            let value = column[u] >> (CONST_BITS - PASS1_BITS);
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum = sum.wrapping_add(value.wrapping_mul(*weight));
            }
        }
        let row = plane[y * stride..].first_chunk_mut();
        let sample = |sum: i32| clamp(sum >> (CONST_BITS + PASS1_BITS + 3));
        store(row.expect("room for a row"), sums, sample);
    }
}

/// Writes values as samples. Assigning an array of bytes would combine them in a word, byte by byte.
#[inline(always)]
fn store<T: Copy, const N: usize>(row: &mut [u8; N], values: [T; N], sample: impl Fn(T) -> u8) {
    for (out, value) in row.iter_mut().zip(values) {
        *out = sample(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The samples of a block whose only coefficient is that of `(u, v)`, by the definition.
    fn wave(size: Size, (u, v): (usize, usize), value: f64, (x, y): (usize, usize)) -> f64 {
        let along = |k: usize, i: usize, n: usize| {
            let scale = if k == 0 { 0.125_f64.sqrt() } else { 0.5 };
            scale * ((2 * i + 1) as f64 * k as f64 * std::f64::consts::PI / (2 * n) as f64).cos()
        };
        (128.0 + value * along(u, x, size.0) * along(v, y, size.1)).clamp(0.0, 255.0)
    }

    #[test]
    fn every_size_transforms_every_low_frequency_as_defined() {
        for (across, down) in (1..=8).flat_map(|w| (1..=8).map(move |h| (w, h))) {
            let transform = Transform::new((across, down));
            for (u, v) in (0..across).flat_map(|u| (0..down).map(move |v| (u, v))) {
                let mut block = [0; 64];
                block[8 * v + u] = 700;
                let last = ZIGZAG
                    .iter()
                    .position(|&p| usize::from(p) == 8 * v + u)
                    .unwrap();
                assert!(last < transform.needed_coefficients);
                let mut plane = [0; 8 * 16];
                transform.run(&block, last, &mut plane, 16);
                for (x, y) in (0..across).flat_map(|x| (0..down).map(move |y| (x, y))) {
                    let expected = wave((across, down), (u, v), 700.0, (x, y));
                    let found = f64::from(plane[16 * y + x]);
                    assert!(
                        (found - expected).abs() < 0.75,
                        "{across}×{down} {u},{v}: {found} {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_value_beyond_the_range_is_clamped() {
        for size in 1..=8 {
            for (value, expected) in [(i16::MAX, 255), (i16::MIN, 0)] {
                let mut block = [0; 64];
                block[0] = value;
                let mut plane = [7; 8 * 16];
                Transform::new((size, size)).run(&block, 63, &mut plane, 16);
                assert_eq!(plane[0], expected);
            }
        }
    }
}
