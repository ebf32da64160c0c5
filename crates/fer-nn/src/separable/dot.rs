//! Pointwise and stem convolutions: products of a row's inputs with weights.
#![allow(
    clippy::needless_range_loop,
    reason = "indices run over registers of several arrays"
)]

use super::LANES;
use crate::simd::{Kernel, Simd};

/// For each of `width` pixels and each output channel, the bias plus the sum over taps and their `k`
/// values of value times weight.
pub(super) struct Dot<'a> {
    /// One slice per tap; pixel `x` reads `k` values from `x * stride` on.
    pub taps: &'a [&'a [f32]],
    /// Values between neighbouring pixels.
    pub stride: usize,
    /// Values each tap contributes.
    pub k: usize,
    /// `[group][tap][k][16]`, groups of sixteen output channels.
    pub weights: &'a [f32],
    /// `[group][16]`.
    pub bias: &'a [f32],
    /// Whether negative sums become zero.
    pub relu: bool,
    /// Pixels in the row.
    pub width: usize,
    /// `[width][group][16]`.
    pub out: &'a mut [f32],
}

/// Stands for a shape that is known at run time only.
const ANY: usize = 0;

impl Kernel for Dot<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(mut self) {
        let groups = self.bias.len() / LANES;
        assert_eq!(self.bias.len(), groups * LANES);
        assert_eq!(self.weights.len(), groups * self.per_group());
        assert_eq!(self.out.len(), self.width * groups * LANES);
        for tap in self.taps {
            assert!(tap.len() >= self.width.saturating_sub(1) * self.stride + self.k);
        }
        // Registers of a group, pixels and groups of a tile: its sums, a value and the weights stay
        // in the registers that the unit has.
        // SAFETY: the caller's for the unit; the assertions bound every access.
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

impl Dot<'_> {
    fn per_group(&self) -> usize {
        self.taps.len() * self.k * LANES
    }

    /// With the shape known, a pixel's place is a constant in the instruction; these are the shapes
    /// of the stem and of the units that there are.
    #[inline(always)]
    unsafe fn shapes<S: Simd, const V: usize, const P: usize, const G: usize>(&mut self) {
        // SAFETY: the caller's.
        unsafe {
            match (self.k, self.stride) {
                (9, 6) => self.groups::<S, V, P, G, 9, 6>(),
                (16, 16) => self.groups::<S, V, P, G, 16, 16>(),
                (32, 32) => self.groups::<S, V, P, G, 32, 32>(),
                (64, 64) => self.groups::<S, V, P, G, 64, 64>(),
                _ => self.groups::<S, V, 1, 1, ANY, ANY>(),
            }
        }
    }

    /// All groups, `G` at a time.
    #[inline(always)]
    unsafe fn groups<
        S: Simd,
        const V: usize,
        const P: usize,
        const G: usize,
        const K: usize,
        const STRIDE: usize,
    >(
        &mut self,
    ) {
        let groups = self.bias.len() / LANES;
        let mut group = 0;
        while group < groups {
            // SAFETY: the caller's; so many groups are left.
            unsafe {
                if group + G <= groups {
                    self.row::<S, V, P, G, K, STRIDE>(group);
                    group += G;
                } else {
                    self.row::<S, V, P, 1, K, STRIDE>(group);
                    group += 1;
                }
            }
        }
    }

    /// All pixels of `G` neighbouring groups.
    #[inline(always)]
    unsafe fn row<
        S: Simd,
        const V: usize,
        const P: usize,
        const G: usize,
        const K: usize,
        const STRIDE: usize,
    >(
        &mut self,
        group: usize,
    ) {
        let width = self.width;
        // SAFETY: the caller's; the pixels are those of the row.
        unsafe {
            if width < P {
                for x in 0..width {
                    self.tile::<S, V, 1, G, K, STRIDE>(x, group);
                }
            } else {
                // The last tile overlaps the one before it rather than being cut short.
                for x in (0..width).step_by(P) {
                    self.tile::<S, V, P, G, K, STRIDE>(x.min(width - P), group);
                }
            }
        }
    }

    /// `P` pixels × `G` groups of `V` registers.
    #[inline(always)]
    unsafe fn tile<
        S: Simd,
        const V: usize,
        const P: usize,
        const G: usize,
        const K: usize,
        const STRIDE: usize,
    >(
        &mut self,
        x: usize,
        group: usize,
    ) {
        let k = if K == ANY { self.k } else { K };
        let stride = if STRIDE == ANY { self.stride } else { STRIDE };
        let channels = self.bias.len();
        let per_group = self.per_group();
        // SAFETY: `run` checked the slices; `V` registers are a group.
        unsafe {
            let bias = self.bias.as_ptr().add(group * LANES);
            let mut sum = [[[S::splat(0.0); V]; P]; G];
            for (g, sum) in sum.iter_mut().enumerate() {
                *sum = [load::<S, V>(bias.add(g * LANES)); P];
            }
            for (tap, values) in self.taps.iter().enumerate() {
                let source = values.as_ptr().add(x * stride);
                let weight = self
                    .weights
                    .as_ptr()
                    .add(group * per_group + tap * k * LANES);
                for i in 0..k {
                    let mut w = [[S::splat(0.0); V]; G];
                    for (g, w) in w.iter_mut().enumerate() {
                        *w = load::<S, V>(weight.add(g * per_group + i * LANES));
                    }
                    for p in 0..P {
                        let value = S::splat(*source.add(p * stride + i));
                        for g in 0..G {
                            for v in 0..V {
                                sum[g][p][v] = S::multiply_add(value, w[g][v], sum[g][p][v]);
                            }
                        }
                    }
                }
            }
            let out = self.out.as_mut_ptr();
            for p in 0..P {
                for (g, sum) in sum.iter().enumerate() {
                    let to = out.add((x + p) * channels + (group + g) * LANES);
                    store::<S, V>(to, sum[p], self.relu);
                }
            }
        }
    }
}

/// The `V` registers of a group.
#[inline(always)]
pub(super) unsafe fn load<S: Simd, const V: usize>(from: *const f32) -> [S::Vector; V] {
    // SAFETY: the caller vouches for a group's values.
    unsafe {
        let mut group = [S::splat(0.0); V];
        for (v, register) in group.iter_mut().enumerate() {
            *register = S::load(from.add(v * S::LANES));
        }
        group
    }
}

/// Writes a group, without what is negative if `relu`.
#[inline(always)]
pub(super) unsafe fn store<S: Simd, const V: usize>(to: *mut f32, sum: [S::Vector; V], relu: bool) {
    // SAFETY: the caller vouches for the place of a group.
    unsafe {
        for (v, sum) in sum.into_iter().enumerate() {
            let value = if relu {
                S::max(sum, S::splat(0.0))
            } else {
                sum
            };
            S::store(to.add(v * S::LANES), value);
        }
    }
}
