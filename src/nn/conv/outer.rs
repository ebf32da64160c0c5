//! The gradient of the kernel: for each tap, the sum over all pixels of the outer product of what
//! went in and the gradient of what came out.

use super::plan::{Class, PADDING, Plan};
use crate::nn::simd::{Kernel, Scalar, Simd};

/// Pixels that are summed in registers between two visits to the kernel gradient in memory.
const CHUNK: usize = 72;

/// Adds the kernel gradient of some images to `dkernel`.
pub struct Outer<'a> {
    /// The plan of the forward pass.
    pub plan: &'a Plan,
    /// Channels of the input.
    pub channels_in: usize,
    /// Channels of the output.
    pub channels_out: usize,
    /// Input images.
    pub x: &'a [f32],
    /// Gradient of the output images.
    pub dy: &'a [f32],
    /// Gradient of the kernel, `[taps, input channels, output channels]`.
    pub dkernel: &'a mut [f32],
}

/// Where the channels of the pixels that a tap joins begin.
struct Pairs {
    x: [*const f32; CHUNK],
    dy: [*const f32; CHUNK],
    len: usize,
}

impl Kernel for Outer<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let (ci, co) = (self.channels_in, self.channels_out);
        let class = &self.plan.classes[0];
        let rows = self.dy.len() / co;
        let images = rows / self.plan.target_pixels;
        assert!(self.dy.len() == images * self.plan.target_pixels * co);
        assert!(self.x.len() == images * self.plan.source_pixels * ci);
        assert!(self.dkernel.len() == class.taps.len() * ci * co);
        let mut pairs = Pairs {
            x: [std::ptr::null(); CHUNK],
            dy: [std::ptr::null(); CHUNK],
            len: 0,
        };
        for start in (0..rows).step_by(CHUNK) {
            for (tap, dkernel) in self.dkernel.chunks_exact_mut(ci * co).enumerate() {
                let chunk = start..rows.min(start + CHUNK);
                // SAFETY: the plan's pixels lie in the images, whose sizes were checked, and the
                // columns in the channels.
                unsafe {
                    pairs.collect(self.plan, class, tap, chunk, (self.x, ci), (self.dy, co));
                    let mut column = 0;
                    while column < co {
                        let rest = co - column;
                        column += if rest >= 2 * S::LANES {
                            pairs.add::<S, 2>(dkernel, ci, co, column)
                        } else if rest >= S::LANES {
                            pairs.add::<S, 1>(dkernel, ci, co, column)
                        } else {
                            pairs.add::<Scalar, 1>(dkernel, ci, co, column)
                        };
                    }
                }
            }
        }
    }
}

impl Pairs {
    /// Finds the pixels of a chunk of rows that have a source under `tap`.
    #[inline(always)]
    unsafe fn collect(
        &mut self,
        plan: &Plan,
        class: &Class,
        tap: usize,
        chunk: std::ops::Range<usize>,
        (x, ci): (&[f32], usize),
        (dy, co): (&[f32], usize),
    ) {
        let sources = &class.sources[tap * plan.target_pixels..][..plan.target_pixels];
        let mut image = chunk.start / plan.target_pixels;
        let mut pixel = chunk.start % plan.target_pixels;
        self.len = 0;
        for row in chunk {
            if sources[pixel] != PADDING {
                let source = image * plan.source_pixels + sources[pixel] as usize;
                // SAFETY: the caller vouches for plan and images.
                unsafe {
                    self.x[self.len] = x.as_ptr().add(source * ci);
                    self.dy[self.len] = dy.as_ptr().add(row * co);
                }
                self.len += 1;
            }
            pixel += 1;
            if pixel == plan.target_pixels {
                (image, pixel) = (image + 1, 0);
            }
        }
    }

    /// Adds the outer products to `V` registers of columns of `dkernel[ci, co]`; returns how many
    /// columns that is.
    #[inline(always)]
    unsafe fn add<S: Simd, const V: usize>(
        &self,
        dkernel: &mut [f32],
        ci: usize,
        co: usize,
        column: usize,
    ) -> usize {
        let mut row = 0;
        while row < ci {
            let rest = (ci - row).min(S::ROWS);
            // SAFETY: the caller vouches for the columns; the rows are those of the channels.
            unsafe {
                let target = dkernel.as_mut_ptr().add(row * co + column);
                row += match rest {
                    12.. => self.tile::<S, 12, V>(target, co, row, column),
                    8.. => self.tile::<S, 8, V>(target, co, row, column),
                    6.. => self.tile::<S, 6, V>(target, co, row, column),
                    4.. => self.tile::<S, 4, V>(target, co, row, column),
                    2.. => self.tile::<S, 2, V>(target, co, row, column),
                    _ => self.tile::<S, 1, V>(target, co, row, column),
                };
            }
        }
        V * S::LANES
    }

    /// `N` input channels by `V` registers of output channels.
    #[inline(always)]
    unsafe fn tile<S: Simd, const N: usize, const V: usize>(
        &self,
        target: *mut f32,
        co: usize,
        row: usize,
        column: usize,
    ) -> usize {
        // SAFETY: the caller vouches for the target and for the channels of every pair.
        unsafe {
            let mut sum: [[S::Vector; V]; N] = std::array::from_fn(|n| {
                std::array::from_fn(|v| S::load(target.add(n * co + v * S::LANES)))
            });
            for (x, dy) in self.x[..self.len].iter().zip(&self.dy[..self.len]) {
                let (x, dy) = (x.add(row), dy.add(column));
                let dy: [S::Vector; V] = std::array::from_fn(|v| S::load(dy.add(v * S::LANES)));
                for (n, sum) in sum.iter_mut().enumerate() {
                    let x = S::splat(*x.add(n));
                    for (sum, dy) in sum.iter_mut().zip(dy) {
                        *sum = S::multiply_add(x, dy, *sum);
                    }
                }
            }
            for (n, sum) in sum.into_iter().enumerate() {
                for (v, sum) in sum.into_iter().enumerate() {
                    S::store(target.add(n * co + v * S::LANES), sum);
                }
            }
        }
        N
    }
}
