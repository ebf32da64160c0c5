//! The inverse cosine transform, to blocks of 1 × 1 to 8 × 8 samples.
//!
//! To the full size it is libjpeg's accurate integer transform (`islow`: C. Loeffler, A. Ligtenberg and
//! G. Moschytz, "Practical fast 1-D DCT algorithms with 11 multiplications", ICASSP 1989) bit for bit. A smaller
//! block is the transform of that size of its low frequencies, which is an ideal low-pass filter.
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
    /// How many coefficients it needs, in the order in which they are coded.
    pub needed: usize,
    across: Basis,
    down: Basis,
}

/// For each frequency the values of its wave at the samples.
type Basis = [[f32; 8]; 8];

/// How many bytes beyond its samples a row of a block may overwrite.
pub const SPILL: usize = 8;

impl Transform {
    /// The transform to blocks of this size.
    pub fn new(size: Size) -> Self {
        let is_low = |position: u8| {
            let (row, column) = (usize::from(position / 8), usize::from(position % 8));
            column < size.0 && row < size.1
        };
        Self {
            size,
            needed: ZIGZAG.iter().rposition(|&p| is_low(p)).unwrap_or(0) + 1,
            across: basis(size.0),
            down: basis(size.1),
        }
    }

    /// Transforms a block to samples at the beginning of `plane`, whose rows are `stride` apart. Each row may
    /// overwrite up to [`SPILL`] bytes that follow it, so the blocks must come from left to right. Of the
    /// coefficients, `last` is the last one in the order of coding that is not zero.
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
            (8, 8) => full(block, plane, stride),
            (3, 3) => self.reduced::<3, 3, 4>(block, plane, stride),
            (6, 6) => self.reduced::<6, 6, 8>(block, plane, stride),
            (4, 4) => self.reduced::<4, 4, 4>(block, plane, stride),
            (2, 2) => self.reduced::<2, 2, 4>(block, plane, stride),
            (_, down) => self.any(down, block, plane, stride),
        }
    }

    /// The transform to `ACROSS` × `DOWN` samples, `LANES` of them at once.
    #[inline(always)]
    fn reduced<const ACROSS: usize, const DOWN: usize, const LANES: usize>(
        &self,
        block: &Block,
        plane: &mut [u8],
        stride: usize,
    ) {
        let mut columns = [[0.0; LANES]; DOWN];
        for v in 0..DOWN {
            let row: [f32; LANES] = std::array::from_fn(|u| f32::from(block[8 * v + u]));
            for (y, sums) in columns.iter_mut().enumerate() {
                for (sum, value) in sums.iter_mut().zip(row) {
                    *sum += self.down[v][y] * value;
                }
            }
        }
        for (y, column) in columns.iter().enumerate() {
            let mut sums = [0.0; LANES];
            for u in 0..ACROSS {
                for (i, sum) in sums.iter_mut().enumerate() {
                    *sum += column[u] * self.across[u][i];
                }
            }
            let row = plane[y * stride..].first_chunk_mut::<LANES>();
            store(row.expect("room for a row"), sums, round);
        }
    }

    /// The transform to any other size.
    #[inline(always)]
    fn any(&self, down: usize, block: &Block, plane: &mut [u8], stride: usize) {
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

/// The waves of a transform to `size` samples; a constant block keeps its value.
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

/// The nearest sample to a value around 0.
#[inline(always)]
fn round(value: f32) -> u8 {
    // Adding this puts the integer into the low bits, and needs no conversion that saturates.
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

/// The transform to 8 × 8 samples.
#[inline(always)]
fn full(block: &Block, plane: &mut [u8], stride: usize) {
    let (rows, _) = block.as_chunks::<8>();
    let rows: [Lanes; 8] = std::array::from_fn(|v| rows[v].map(i32::from));
    let columns = transpose(&pass::<{ CONST_BITS - PASS1_BITS }>(&rows));
    let samples = transpose(&pass::<{ CONST_BITS + PASS1_BITS + 3 }>(&columns));
    for (samples, row) in samples.iter().zip(plane.chunks_mut(stride)) {
        store(
            row.first_chunk_mut().expect("room for a row"),
            *samples,
            clamp,
        );
    }
}

/// Writes values as samples. Assigning an array of bytes would assemble them in a word, byte by byte.
#[inline(always)]
fn store<T: Copy, const N: usize>(row: &mut [u8; N], values: [T; N], sample: impl Fn(T) -> u8) {
    for (out, value) in row.iter_mut().zip(values) {
        *out = sample(value);
    }
}

#[inline(always)]
fn transpose(rows: &[Lanes; 8]) -> [Lanes; 8] {
    std::array::from_fn(|i| std::array::from_fn(|j| rows[j][i]))
}

#[inline(always)]
fn each(a: Lanes, b: Lanes, f: impl Fn(i32, i32) -> i32) -> Lanes {
    std::array::from_fn(|i| f(a[i], b[i]))
}

#[inline(always)]
fn add(a: Lanes, b: Lanes) -> Lanes {
    each(a, b, i32::wrapping_add)
}

#[inline(always)]
fn sub(a: Lanes, b: Lanes) -> Lanes {
    each(a, b, i32::wrapping_sub)
}

/// `a` × a constant that is given as a fraction of 2¹³.
#[inline(always)]
fn times(a: Lanes, factor: i32) -> Lanes {
    a.map(|a| a.wrapping_mul(factor))
}

/// One dimension of `jpeg_idct_islow`, for eight lanes at once; the names are its names.
#[inline(always)]
fn pass<const SHIFT: u32>(x: &[Lanes; 8]) -> [Lanes; 8] {
    let z1 = times(add(x[2], x[6]), 4433);
    let tmp2 = sub(z1, times(x[6], 15137));
    let tmp3 = add(z1, times(x[2], 6270));
    let tmp0 = add(x[0], x[4]).map(|a| a.wrapping_shl(CONST_BITS));
    let tmp1 = sub(x[0], x[4]).map(|a| a.wrapping_shl(CONST_BITS));
    let (tmp10, tmp13) = (add(tmp0, tmp3), sub(tmp0, tmp3));
    let (tmp11, tmp12) = (add(tmp1, tmp2), sub(tmp1, tmp2));

    let (z3, z4) = (add(x[7], x[3]), add(x[5], x[1]));
    let z5 = times(add(z3, z4), 9633);
    let z1 = times(add(x[7], x[1]), -7373);
    let z2 = times(add(x[5], x[3]), -20995);
    let z3 = add(times(z3, -16069), z5);
    let z4 = add(times(z4, -3196), z5);
    let tmp0 = add(times(x[7], 2446), add(z1, z3));
    let tmp1 = add(times(x[5], 16819), add(z2, z4));
    let tmp2 = add(times(x[3], 25172), add(z2, z3));
    let tmp3 = add(times(x[1], 12299), add(z1, z4));

    let descale = |a: Lanes| a.map(|a| a.wrapping_add(1 << (SHIFT - 1)) >> SHIFT);
    [
        descale(add(tmp10, tmp3)),
        descale(add(tmp11, tmp2)),
        descale(add(tmp12, tmp1)),
        descale(add(tmp13, tmp0)),
        descale(sub(tmp13, tmp0)),
        descale(sub(tmp12, tmp1)),
        descale(sub(tmp11, tmp2)),
        descale(sub(tmp10, tmp3)),
    ]
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
                assert!(last < transform.needed);
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
