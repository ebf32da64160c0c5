//! Computes the gradient of the kernel: for each tap, the sum over all output pixels of the outer
//! product of the input pixel under the tap and the gradient of the output pixel.

use super::plan::{Class, PADDING, Plan};
use crate::simd::{Columns, Kernel, Rows, Simd, each_column, each_row};

/// Pairs of pixels whose products are summed in registers before the sums are added to the kernel
/// gradient in memory.
pub const CHUNK: usize = 72;

/// The computation of the kernel gradient of some images.
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
    /// Whether the gradient is added to the values in `dkernel` instead of replacing them.
    pub add: bool,
}

/// Pairs of an input pixel and an output gradient that one tap connects: pointers to their first
/// channels.
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
                // SAFETY: the caller guarantees `S`. The assertions above ensure that `x` and `dy`
                // hold `images` images of the plan's sizes, so the pairs point to `ci` and `co`
                // values, and that `dkernel` is cut into `ci` rows of `co` columns for each tap.
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
    /// No pairs.
    pub const fn new() -> Self {
        Self {
            x: [std::ptr::null(); CHUNK],
            dy: [std::ptr::null(); CHUNK],
            len: 0,
        }
    }

    /// Removes all pairs.
    pub const fn clear(&mut self) {
        self.len = 0;
    }

    /// Adds a pair; panics if there are [`CHUNK`] already.
    #[inline(always)]
    pub const fn push(&mut self, x: *const f32, dy: *const f32) {
        self.x[self.len] = x;
        self.dy[self.len] = dy;
        self.len += 1;
    }

    /// Replaces the pairs by those of a chunk of output pixels, without the pixels whose source
    /// under `tap` is padding.
    ///
    /// # Safety
    /// `x` and `dy` must hold all images of the chunk, of the plan's sizes with `ci` and `co`
    /// channels.
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
                // SAFETY: `source` is a pixel of `x` and `row` one of `dy`: the caller guarantees
                // their images, and the plan's sources other than `PADDING` are below
                // `source_pixels`.
                unsafe { self.push(x.as_ptr().add(source * ci), dy.as_ptr().add(row * co)) };
            }
            pixel += 1;
            if pixel == plan.target_pixels {
                (image, pixel) = (image + 1, 0);
            }
        }
    }
}

/// The sum of the outer products of a chunk's pairs, written or added to `dkernel[rows, columns]`.
pub struct Products<'a> {
    /// The factors: `rows` and `columns` values at each pair of pointers.
    pub pairs: &'a Pairs,
    /// The target, `rows × columns` values.
    pub dkernel: &'a mut [f32],
    /// Input channels.
    pub rows: usize,
    /// Output channels.
    pub columns: usize,
    /// Whether the products are added to the target's values instead of replacing them.
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
        // SAFETY: the caller guarantees `S` and the columns; `dkernel` and the pairs have `rows`
        // rows.
        unsafe { each_row::<S, V>(&mut block, rows) }
    }
}

/// A block of columns of the products.
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
        // SAFETY: the caller guarantees `S`, and that the tile's rows and columns exist. `dkernel`
        // holds `rows × columns` values; the first `len` pairs point to `rows` and `columns`
        // values.
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
