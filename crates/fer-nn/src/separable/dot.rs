//! Computes a row of a pointwise convolution with few inputs, as dot products of inputs and weights.
#![allow(
    clippy::needless_range_loop,
    reason = "an index runs over the registers of several arrays"
)]

use super::GROUP;
use super::tiles::{DYNAMIC, Tiles};
use crate::simd::{Kernel, Simd};

/// A row of `width` output pixels: for each output channel, the bias plus the sum of value times weight.
pub(super) struct Dot<'a> {
    /// `width` pixels of `inputs` values.
    pub values: &'a [f32],
    pub inputs: usize,
    /// `[group][inputs][16]`, groups of sixteen output channels.
    pub weights: &'a [f32],
    /// `[group][16]`.
    pub bias: &'a [f32],
    /// Number of output pixels in the row.
    pub width: usize,
    /// `[width][group][16]`.
    pub out: &'a mut [f32],
}

impl Kernel for Dot<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(mut self) {
        let groups = self.bias.len() / GROUP;
        assert_eq!(self.bias.len(), groups * GROUP);
        assert_eq!(self.weights.len(), groups * self.inputs * GROUP);
        assert_eq!(self.values.len(), self.width * self.inputs);
        assert_eq!(self.out.len(), self.width * groups * GROUP);
        // `V`, the registers of a group, and `P` and `G`, the pixels and groups of a tile: large
        // enough to use the registers of the instruction set, small enough that sums, a value and
        // the weights stay in them.
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

impl Dot<'_> {
    /// Chooses the copy that is compiled for this number of inputs: with a constant, the offset of a pixel's values is
    /// part of the instruction. The detector's stem and its separable layers of more than 16 inputs are left to `PairDot`; any
    /// other number works, but more slowly.
    ///
    /// # Safety
    /// The processor must support the instruction set `S`, the slices must have the lengths that
    /// `run` asserts, and `V` registers must be a group.
    #[inline(always)]
    unsafe fn shapes<S: Simd, const V: usize, const P: usize, const G: usize>(&mut self) {
        // SAFETY: the caller guarantees what `all` requires; `INPUTS` is the value of the field.
        unsafe {
            match self.inputs {
                16 => Fixed::<16>(self).all::<S, V, P, G>(),
                _ => Fixed::<DYNAMIC>(self).all::<S, V, 1, 1>(),
            }
        }
    }
}

/// The kernel with a constant number of inputs, or [`DYNAMIC`].
struct Fixed<'k, 'a, const INPUTS: usize>(&'k mut Dot<'a>);

impl<const INPUTS: usize> Tiles for Fixed<'_, '_, INPUTS> {
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
        let inputs = if INPUTS == DYNAMIC {
            dot.inputs
        } else {
            INPUTS
        };
        let channels = dot.bias.len();
        // SAFETY: the caller guarantees `S`, pixels below `width` and existing groups. For these
        // `run` asserted that the values have `inputs` of them from `(x + P - 1) * inputs` on, and that
        // bias, weights and output hold whole groups, which are `V` registers each.
        unsafe {
            let bias = dot.bias.as_ptr().add(group * GROUP);
            let mut sum = [[[S::splat(0.0); V]; P]; G];
            for (g, sum) in sum.iter_mut().enumerate() {
                *sum = [load::<S, V>(bias.add(g * GROUP)); P];
            }
            let source = dot.values.as_ptr().add(x * inputs);
            let weight = dot.weights.as_ptr().add(group * inputs * GROUP);
            for i in 0..inputs {
                let mut w = [[S::splat(0.0); V]; G];
                for (g, w) in w.iter_mut().enumerate() {
                    *w = load::<S, V>(weight.add((g * inputs + i) * GROUP));
                }
                for p in 0..P {
                    let value = S::splat(*source.add(p * inputs + i));
                    for g in 0..G {
                        for v in 0..V {
                            sum[g][p][v] = S::multiply_add(value, w[g][v], sum[g][p][v]);
                        }
                    }
                }
            }
            let out = dot.out.as_mut_ptr();
            for p in 0..P {
                for (g, sum) in sum.iter().enumerate() {
                    let to = out.add((x + p) * channels + (group + g) * GROUP);
                    store::<S, V>(to, sum[p], false);
                }
            }
        }
    }
}

/// Loads the `V` registers of a group.
///
/// # Safety
/// The processor must support the instruction set `S`, and `from` must be valid for `V` registers.
#[inline(always)]
pub(super) unsafe fn load<S: Simd, const V: usize>(from: *const f32) -> [S::Vector; V] {
    // SAFETY: the caller guarantees `S` and `V` readable registers.
    unsafe {
        let mut group = [S::splat(0.0); V];
        for (v, register) in group.iter_mut().enumerate() {
            *register = S::load(from.add(v * S::LANES));
        }
        group
    }
}

/// Stores the `V` registers of a group; with `relu`, negative values become zero.
///
/// # Safety
/// The processor must support the instruction set `S`, and `to` must be valid for writing `V`
/// registers.
#[inline(always)]
pub(super) unsafe fn store<S: Simd, const V: usize>(to: *mut f32, sum: [S::Vector; V], relu: bool) {
    // SAFETY: the caller guarantees `S` and `V` writable registers.
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
