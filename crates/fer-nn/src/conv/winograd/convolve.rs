//! Computes a convolution: transforms the input, multiplies at each point, transforms the products
//! back.

use super::tiling::{Tiled, Tiling};
use super::transform::{ForwardTransform, PointMatrices, inverse_transform};
use crate::conv::epilogue::Epilogue;
use crate::conv::panels::{Panels, multiply};
use crate::scratch::Buffer;
use crate::simd::{Kernel, Rows, Simd, each_row};

/// The convolution of some images.
pub struct Convolve<'a> {
    /// The division of the images into tiles.
    pub tiling: Tiling,
    /// The transformed kernel, with a tap for each point.
    pub panels: &'a Panels,
    /// Input images.
    pub x: &'a [f32],
    /// Output images.
    pub y: &'a mut [f32],
    /// Operations on the sums before they are written.
    pub epilogue: Epilogue<'a>,
}

impl Kernel for Convolve<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // SAFETY: the caller guarantees that the processor supports `S`.
        unsafe { self.tiling.size.work::<S>(self) }
    }
}

impl Tiled for Convolve<'_> {
    #[inline(always)]
    unsafe fn work<S: Simd, const IN: usize, const OUT: usize>(self) {
        let points = IN * IN;
        let (sources, targets) = (self.panels.sources(), self.panels.targets());
        let images = self.x.len() / (self.tiling.pixels() * sources);
        let tiles = images * self.tiling.tiles();
        assert!(self.x.len() == images * self.tiling.pixels() * sources);
        assert!(self.y.len() == images * self.tiling.pixels() * targets);
        assert!(self.panels.taps() == points);
        self.epilogue.check(self.y.len(), targets);
        let width = 2 * S::LANES;
        let mut input = Buffer::take(PointMatrices::len(points, tiles, sources));
        let mut output = Buffer::take(PointMatrices::len(points, tiles, width));
        let input = PointMatrices::new(&mut input, points, tiles, sources);
        let output = PointMatrices::new(&mut output, points, tiles, width);
        // SAFETY: the caller guarantees `S`. The assertions above ensure that `x` and `y` hold
        // `images` images, that the panels have a tap for each point, and that the epilogue fits
        // `y`. `input` and `output` have room for `tiles` rows of `sources` and of `width` values
        // at each point, in buffers that live to the end of this function. Only pixels inside the
        // window, hence inside an image, are written.
        unsafe {
            ForwardTransform::<IN, IN>::new(self.tiling, self.x, self.panels.zeros(), input)
                .all::<S>(tiles);
            for column in (0..targets).step_by(width) {
                for point in 0..points {
                    let mut product = Product {
                        input: input.at(point, 0, 0),
                        channels: sources,
                        panel: self.panels.rows(point, column),
                        output: output.at(point, 0, 0),
                    };
                    if column + S::LANES < targets {
                        each_row::<S, 2>(&mut product, tiles);
                    } else {
                        each_row::<S, 1>(&mut product, tiles);
                    }
                }
                for tile in 0..tiles {
                    let window = self.tiling.window(tile, OUT, 0);
                    for v in (0..width)
                        .step_by(S::LANES)
                        .take_while(|v| column + v < targets)
                    {
                        let rows =
                            inverse_transform::<S, IN, OUT>(output.at(0, tile, v), output.stride);
                        for (y, row) in rows.into_iter().enumerate().take(window.rows.to) {
                            for (x, sum) in row.into_iter().enumerate().take(window.columns.to) {
                                let start = window.pixel(y, x) * targets;
                                let y = self.y.as_mut_ptr();
                                self.epilogue
                                    .finish::<S>(sum, y, start, column + v, targets);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The matrix product at one point, one or two registers of columns wide.
struct Product {
    input: *const f32,
    channels: usize,
    panel: *const f32,
    output: *mut f32,
}

impl Rows for Product {
    #[inline(always)]
    unsafe fn work<S: Simd, const N: usize, const V: usize>(&mut self, row: usize) {
        // SAFETY: the caller guarantees `S` and rows below `tiles`. A row of `input` has `channels`
        // values and one of `output` two registers; the panel has `channels` rows with `V`
        // registers from `panel` on.
        unsafe {
            let mut sum = [[S::splat(0.0); V]; N];
            let rows = std::array::from_fn(|n| self.input.add((row + n) * self.channels));
            multiply::<S, N, V>(&mut sum, rows, self.panel, self.channels);
            for (n, sum) in sum.into_iter().enumerate() {
                let to = self.output.add((row + n) * 2 * S::LANES);
                for (v, sum) in sum.into_iter().enumerate() {
                    S::store(to.add(v * S::LANES), sum);
                }
            }
        }
    }
}
