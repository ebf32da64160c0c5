//! Computes the gradient of the transformed kernel.

use super::tiling::{Tiled, Tiling};
use super::transform::{ForwardTransform, PointMatrices};
use crate::conv::outer::{CHUNK, Pairs, Products};
use crate::scratch::Buffer;
use crate::simd::{Kernel, Simd, each_column};

/// The computation of the transformed kernel's gradient, `[points, ci, co]`, over some images.
pub struct KernelGradient<'a> {
    /// The division of the images into tiles.
    pub tiling: Tiling,
    /// Channels of the input.
    pub channels_in: usize,
    /// Channels of the output.
    pub channels_out: usize,
    /// Input images.
    pub x: &'a [f32],
    /// Gradient of the output images.
    pub dy: &'a [f32],
    /// The gradient: a sum over the tiles.
    pub sum: &'a mut [f32],
    /// Whether the gradient is added to the values in `sum` instead of replacing them.
    pub add: bool,
}

impl Kernel for KernelGradient<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // SAFETY: the caller guarantees that the processor supports `S`.
        unsafe { self.tiling.size.work::<S>(self) }
    }
}

impl Tiled for KernelGradient<'_> {
    #[inline(always)]
    unsafe fn work<S: Simd, const IN: usize, const OUT: usize>(self) {
        let points = IN * IN;
        let (ci, co) = (self.channels_in, self.channels_out);
        let images = self.x.len() / (self.tiling.pixels() * ci);
        let tiles = images * self.tiling.tiles();
        assert!(self.x.len() == images * self.tiling.pixels() * ci);
        assert!(self.dy.len() == images * self.tiling.pixels() * co);
        assert!(self.sum.len() == points * ci * co);
        let mut x = Buffer::take(PointMatrices::len(points, tiles, ci));
        let mut dy = Buffer::take(PointMatrices::len(points, tiles, co));
        let mut zeros = Buffer::take(ci.max(co));
        zeros.fill(0.0);
        let x = PointMatrices::new(&mut x, points, tiles, ci);
        let dy = PointMatrices::new(&mut dy, points, tiles, co);
        let mut pairs = Pairs::new();
        // SAFETY: the caller guarantees `S`. The assertions above ensure that `x` and `dy` hold
        // `images` images and `sum` `ci` rows of `co` values for each point. The matrices have room
        // for `tiles` rows of `ci` and of `co` values at each point, in buffers that live to the
        // end of this function; `zeros` has as many values as the wider of the two.
        unsafe {
            ForwardTransform::<IN, IN>::new(self.tiling, self.x, &zeros, x).all::<S>(tiles);
            ForwardTransform::<OUT, IN>::new(self.tiling, self.dy, &zeros, dy).all::<S>(tiles);
            for (point, sum) in self.sum.chunks_exact_mut(ci * co).enumerate() {
                for start in (0..tiles).step_by(CHUNK) {
                    pairs.clear();
                    for tile in start..tiles.min(start + CHUNK) {
                        pairs.push(x.at(point, tile, 0), dy.at(point, tile, 0));
                    }
                    let mut products = Products {
                        pairs: &pairs,
                        dkernel: sum,
                        rows: ci,
                        columns: co,
                        add: self.add || start > 0,
                    };
                    each_column::<S>(&mut products, co);
                }
            }
        }
    }
}
