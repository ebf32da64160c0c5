//! The gradient of the kernel: for each tap, the sum over all pixels of the outer product of what
//! went in and the gradient of what came out.

use super::plan::{Class, PADDING, Plan};
use crate::simd::{Columns, Kernel, Rows, Simd, each_column, each_row};

/// Pixels that are summed in registers between two visits to the kernel gradient in memory.
pub const CHUNK: usize = 72;

/// The kernel gradient of some images.
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
    /// Whether it is added to what `dkernel` holds.
    pub add: bool,
}

/// Where the channels of the pixels that a tap joins begin.
pub struct Pairs {
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
                        add: self.add || start > 0,
                    };
                    each_column::<S>(&mut products, co);
                }
            }
        }
    }
}

impl Pairs {
    /// None yet.
    pub const fn new() -> Self {
        Self {
            x: [std::ptr::null(); CHUNK],
            dy: [std::ptr::null(); CHUNK],
            len: 0,
        }
    }

    /// Forgets all.
    pub const fn clear(&mut self) {
        self.len = 0;
    }

    /// Adds a pair; there must be fewer than [`CHUNK`].
    #[inline(always)]
    pub const fn push(&mut self, x: *const f32, dy: *const f32) {
        self.x[self.len] = x;
        self.dy[self.len] = dy;
        self.len += 1;
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
        self.clear();
        for row in chunk {
            if sources[pixel] != PADDING {
                let source = image * plan.source_pixels + sources[pixel] as usize;
                // SAFETY: the caller vouches for plan and images.
                unsafe { self.push(x.as_ptr().add(source * ci), dy.as_ptr().add(row * co)) };
            }
            pixel += 1;
            if pixel == plan.target_pixels {
                (image, pixel) = (image + 1, 0);
            }
        }
    }
}

/// The outer products of a chunk under one tap, on their way into `dkernel[rows, columns]`.
pub struct Products<'a> {
    /// What is multiplied.
    pub pairs: &'a Pairs,
    /// Where it is added.
    pub dkernel: &'a mut [f32],
    /// Input channels.
    pub rows: usize,
    /// Output channels.
    pub columns: usize,
    /// Whether the target's content counts.
    pub add: bool,
}

impl Columns for Products<'_> {
    #[inline(always)]
    unsafe fn work<S: Simd, const V: usize>(&mut self, column: usize) {
        let rows = self.rows;
        let mut block = Block {
            products: self,
            column,
        };
        // SAFETY: the caller vouches for the columns; the rows are those of the channels.
        unsafe { each_row::<S, V>(&mut block, rows) }
    }
}

/// Some columns of the products.
struct Block<'a, 'b> {
    products: &'a mut Products<'b>,
    column: usize,
}

impl Rows for Block<'_, '_> {
    #[inline(always)]
    unsafe fn work<S: Simd, const N: usize, const V: usize>(&mut self, row: usize) {
        let Products {
            pairs: &Pairs { x, dy, len },
            columns,
            ..
        } = *self.products;
        // SAFETY: the caller vouches for rows and columns, here and in every pair.
        unsafe {
            let start = row * columns + self.column;
            let target = self.products.dkernel.as_mut_ptr().add(start);
            let mut sum = [[S::splat(0.0); V]; N];
            if self.products.add {
                for (n, sum) in sum.iter_mut().enumerate() {
                    for (v, sum) in sum.iter_mut().enumerate() {
                        *sum = S::load(target.add(n * columns + v * S::LANES));
                    }
                }
            }
            for (x, dy) in x[..len].iter().zip(&dy[..len]) {
                let (x, dy) = (x.add(row), dy.add(self.column));
                let mut gradient = [S::splat(0.0); V];
                for (v, gradient) in gradient.iter_mut().enumerate() {
                    *gradient = S::load(dy.add(v * S::LANES));
                }
                for (n, sum) in sum.iter_mut().enumerate() {
                    let x = S::splat(*x.add(n));
                    for (sum, gradient) in sum.iter_mut().zip(gradient) {
                        *sum = S::multiply_add(x, gradient, *sum);
                    }
                }
            }
            for (n, sum) in sum.into_iter().enumerate() {
                for (v, sum) in sum.into_iter().enumerate() {
                    S::store(target.add(n * columns + v * S::LANES), sum);
                }
            }
        }
    }
}
