//! Computes a row of a depthwise convolution, and a row of a maximum pooling.
#![allow(
    clippy::needless_range_loop,
    reason = "an index runs over the registers of several arrays"
)]

use super::GROUP;
use super::dot::{load, store};
use crate::simd::{Kernel, Simd};

/// A row of a depthwise 3×3 convolution, from three rows that are one pixel wider at either end.
pub(super) struct Depthwise<'a> {
    /// `(width + 2) * channels` values each; the first and the last pixel are zeros.
    pub rows: [&'a [f32]; 3],
    /// `[group][9][16]`, groups of sixteen channels.
    pub weights: &'a [f32],
    /// `[group][16]`.
    pub bias: &'a [f32],
    /// Whether negative sums become zero (the rectifier).
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
        assert_eq!(channels % GROUP, 0);
        assert_eq!(self.out.len(), width * channels);
        assert_eq!(self.weights.len(), 9 * channels);
        for row in self.rows {
            assert_eq!(row.len(), (width + 2) * channels);
        }
        // `V`, the registers of a group, and `P`, the pixels of a tile, so that the sums and a
        // tap's weights stay in the registers of the instruction set, as for `Dot`.
        // SAFETY: the caller guarantees `S`; the assertions above give every slice the length that
        // `groups` requires.
        unsafe {
            match (S::LANES, S::ROWS) {
                (16, _) => self.groups::<S, 1, 6>(width),
                (8, _) => self.groups::<S, 2, 4>(width),
                (_, 12) => self.groups::<S, 4, 4>(width),
                _ => self.groups::<S, 4, 2>(width),
            }
        }
    }
}

impl Depthwise<'_> {
    /// Computes all channel groups.
    ///
    /// # Safety
    /// The processor must support the instruction set `S`, the slices must have the lengths that
    /// their fields name, and `V` registers must be a group.
    #[inline(always)]
    unsafe fn groups<S: Simd, const V: usize, const P: usize>(&mut self, width: usize) {
        for group in 0..self.bias.len() / GROUP {
            // SAFETY: the caller guarantees `S` and the slices; each tile ends at pixel `width` at
            // most.
            unsafe {
                if width < P {
                    for x in 0..width {
                        self.tile::<S, V, 1>(x, group);
                    }
                } else {
                    // The last tile overlaps the one before it, so that all tiles have `P` pixels.
                    for x in (0..width).step_by(P) {
                        self.tile::<S, V, P>(x.min(width - P), group);
                    }
                }
            }
        }
    }

    /// Computes `P` pixels of one group.
    ///
    /// # Safety
    /// As for [`Self::groups`]; the pixels from `x` to `x + P` and the group must exist.
    #[inline(always)]
    unsafe fn tile<S: Simd, const V: usize, const P: usize>(&mut self, x: usize, group: usize) {
        let channels = self.bias.len();
        // SAFETY: the caller guarantees `S`, the slices, and that `x + P` is `width` at most, so
        // pixel `x + P + 1`, the last one that is read, is inside the rows' `width + 2` pixels. `V`
        // registers are the `GROUP` channels of an existing group, so weights, bias and output are
        // inside their slices too.
        unsafe {
            let weight = self.weights.as_ptr().add(group * 9 * GROUP);
            let mut sum = [load::<S, V>(self.bias.as_ptr().add(group * GROUP)); P];
            for (ky, row) in self.rows.into_iter().enumerate() {
                let source = row.as_ptr().add(x * channels + group * GROUP);
                for kx in 0..3 {
                    let w = load::<S, V>(weight.add((ky * 3 + kx) * GROUP));
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
                let to = out.add((x + p) * channels + group * GROUP);
                store::<S, V>(to, sum, self.relu);
            }
        }
    }
}

/// A row of a maximum pooling over 2×2 pixels, from two rows of twice as many pixels.
pub(super) struct MaxPool<'a> {
    pub upper: &'a [f32],
    pub lower: &'a [f32],
    /// A multiple of [`GROUP`].
    pub channels: usize,
    pub out: &'a mut [f32],
}

impl Kernel for MaxPool<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Self {
            upper,
            lower,
            channels,
            out,
        } = self;
        assert_eq!(channels % GROUP, 0);
        let pixels = out.chunks_exact_mut(channels);
        let pairs = upper.chunks_exact(2 * channels);
        for ((out, upper), lower) in pixels.zip(pairs).zip(lower.chunks_exact(2 * channels)) {
            for at in (0..channels).step_by(S::LANES) {
                // SAFETY: the caller guarantees `S`. A register ends at `channels` at most, since that is a multiple of
                // all registers' lengths; `out` has that many values, and the others have twice as many.
                unsafe {
                    let pair = |row: &[f32]| {
                        let left = row.as_ptr().add(at);
                        S::max(S::load(left), S::load(left.add(channels)))
                    };
                    let most = S::max(pair(upper), pair(lower));
                    S::store(out.as_mut_ptr().add(at), most);
                }
            }
        }
    }
}
