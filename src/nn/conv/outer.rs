//! The gradient of the kernel: for each tap, the sum over all pixels of the outer product of what
//! went in and the gradient of what came out.

use super::plan::{Class, PADDING, Plan};
use crate::nn::simd::{Columns, Kernel, Simd, each_column};

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
        let mut pairs = Pairs::new();
        for start in (0..rows).step_by(CHUNK) {
            for (tap, dkernel) in self.dkernel.chunks_exact_mut(ci * co).enumerate() {
                let chunk = start..rows.min(start + CHUNK);
                // SAFETY: the plan's pixels lie in the images, whose sizes were checked, and the
                // columns in the channels.
                unsafe {
                    pairs.collect(self.plan, class, tap, chunk, (self.x, ci), (self.dy, co));
                    let mut products = Products {
                        pairs: &pairs,
                        dkernel,
                        rows: ci,
                        columns: co,
                    };
                    each_column::<S>(&mut products, co);
                }
            }
        }
    }
}

impl Pairs {
    const fn new() -> Self {
        Self {
            x: [std::ptr::null(); CHUNK],
            dy: [std::ptr::null(); CHUNK],
            len: 0,
        }
    }

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
}

/// The outer products of a chunk under one tap, on their way into `dkernel[rows, columns]`.
struct Products<'a> {
    pairs: &'a Pairs,
    dkernel: &'a mut [f32],
    rows: usize,
    columns: usize,
}

impl Columns for Products<'_> {
    #[inline(always)]
    unsafe fn work<S: Simd, const V: usize>(&mut self, column: usize) {
        let mut row = 0;
        while row < self.rows {
            // SAFETY: the caller vouches for the columns; the rows are those of the channels.
            unsafe {
                row += match (self.rows - row).min(S::ROWS) {
                    12.. => self.tile::<S, 12, V>(row, column),
                    8.. => self.tile::<S, 8, V>(row, column),
                    6.. => self.tile::<S, 6, V>(row, column),
                    4.. => self.tile::<S, 4, V>(row, column),
                    2.. => self.tile::<S, 2, V>(row, column),
                    _ => self.tile::<S, 1, V>(row, column),
                };
            }
        }
    }
}

impl Products<'_> {
    /// `N` input channels by `V` registers of output channels; returns `N`.
    #[inline(always)]
    unsafe fn tile<S: Simd, const N: usize, const V: usize>(
        &mut self,
        row: usize,
        column: usize,
    ) -> usize {
        let Pairs { x, dy, len } = self.pairs;
        // SAFETY: the caller vouches for rows and columns, here and in every pair.
        unsafe {
            let target = self.dkernel.as_mut_ptr().add(row * self.columns + column);
            let place = |n, v| target.add(n * self.columns + v * S::LANES);
            let mut sum: [[S::Vector; V]; N] =
                std::array::from_fn(|n| std::array::from_fn(|v| S::load(place(n, v))));
            for (x, dy) in x[..*len].iter().zip(&dy[..*len]) {
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
                    S::store(place(n, v), sum);
                }
            }
        }
        N
    }
}
