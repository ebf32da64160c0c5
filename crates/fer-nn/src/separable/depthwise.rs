//! Depthwise convolution and pooling of a row.
#![allow(
    clippy::needless_range_loop,
    reason = "indices run over registers of several arrays"
)]

use super::LANES;
use super::dot::{load, store};
use crate::simd::{Kernel, Simd};

/// Depthwise 3×3 over three rows that are one pixel wider on either side.
pub(super) struct Depthwise<'a> {
    /// `(width + 2) * channels` values each, the outermost pixels zero where the picture ends.
    pub rows: [&'a [f32]; 3],
    /// `[group][9][16]`, groups of sixteen channels.
    pub weights: &'a [f32],
    /// `[group][16]`.
    pub bias: &'a [f32],
    /// Whether negative sums become zero.
    pub relu: bool,
    /// `[width][group][16]`.
    pub out: &'a mut [f32],
}

impl Kernel for Depthwise<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(mut self) {
        let channels = self.bias.len();
        let width = self.out.len() / channels;
        assert_eq!(channels % LANES, 0);
        assert_eq!(self.out.len(), width * channels);
        assert_eq!(self.weights.len(), 9 * channels);
        for row in self.rows {
            assert_eq!(row.len(), (width + 2) * channels);
        }
        // Registers of a group, and pixels of a tile as for `Dot`.
        // SAFETY: the caller's for the unit; the assertions bound every access.
        unsafe {
            match (S::LANES, S::ROWS) {
                (16, _) => self.groups::<S, 1, 4>(width),
                (8, _) => self.groups::<S, 2, 4>(width),
                (_, 12) => self.groups::<S, 4, 4>(width),
                _ => self.groups::<S, 4, 2>(width),
            }
        }
    }
}

impl Depthwise<'_> {
    #[inline(always)]
    unsafe fn groups<S: Simd, const V: usize, const P: usize>(&mut self, width: usize) {
        for group in 0..self.bias.len() / LANES {
            // SAFETY: the caller's; the pixels are those of the row.
            unsafe {
                if width < P {
                    for x in 0..width {
                        self.tile::<S, V, 1>(x, group);
                    }
                } else {
                    // The last tile overlaps the one before it rather than being cut short.
                    for x in (0..width).step_by(P) {
                        self.tile::<S, V, P>(x.min(width - P), group);
                    }
                }
            }
        }
    }

    /// `P` pixels of one group.
    #[inline(always)]
    unsafe fn tile<S: Simd, const V: usize, const P: usize>(&mut self, x: usize, group: usize) {
        let channels = self.bias.len();
        // SAFETY: `run` checked the slices; column x + P + 1 is the last one of a row.
        unsafe {
            let weight = self.weights.as_ptr().add(group * 9 * LANES);
            let mut sum = [load::<S, V>(self.bias.as_ptr().add(group * LANES)); P];
            for (ky, row) in self.rows.into_iter().enumerate() {
                let source = row.as_ptr().add(x * channels + group * LANES);
                for kx in 0..3 {
                    let w = load::<S, V>(weight.add((ky * 3 + kx) * LANES));
                    for (p, sum) in sum.iter_mut().enumerate() {
                        let values = load::<S, V>(source.add((p + kx) * channels));
                        for v in 0..V {
                            sum[v] = S::multiply_add(values[v], w[v], sum[v]);
                        }
                    }
                }
            }
            let out = self.out.as_mut_ptr();
            for (p, sum) in sum.into_iter().enumerate() {
                let to = out.add((x + p) * channels + group * LANES);
                store::<S, V>(to, sum, self.relu);
            }
        }
    }
}

/// Maximum over 2×2 pixels: two rows of `2 * width` pixels give one of `width`.
pub(super) fn max_pool_row(upper: &[f32], lower: &[f32], channels: usize, out: &mut [f32]) {
    let pairs = upper
        .chunks_exact(2 * channels)
        .zip(lower.chunks_exact(2 * channels));
    for (out, (upper, lower)) in out.chunks_exact_mut(channels).zip(pairs) {
        let (a, b) = upper.split_at(channels);
        let (c, d) = lower.split_at(channels);
        for i in 0..channels {
            out[i] = a[i].max(b[i]).max(c[i].max(d[i]));
        }
    }
}
