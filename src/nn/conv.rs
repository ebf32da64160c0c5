//! Two-dimensional convolution and its two gradients, as matrix products over im2col patches.

use gemm::{Parallelism, gemm};
use rayon::prelude::*;

use super::scratch;

/// How many parts the batch is cut into for the weight gradient, whatever the number of threads.
const PARTS: usize = 16;

/// The sizes of a convolution with a square kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    /// Images.
    pub batch: usize,
    /// Input height.
    pub height: usize,
    /// Input width.
    pub width: usize,
    /// Input channels.
    pub channels_in: usize,
    /// Output channels.
    pub channels_out: usize,
    /// Side of the kernel.
    pub kernel: usize,
    /// Step between patches, both ways.
    pub stride: usize,
    /// Zeros around the image.
    pub padding: usize,
}

impl Geometry {
    /// Output height.
    pub const fn out_height(&self) -> usize {
        (self.height + 2 * self.padding - self.kernel) / self.stride + 1
    }

    /// Output width.
    pub const fn out_width(&self) -> usize {
        (self.width + 2 * self.padding - self.kernel) / self.stride + 1
    }

    /// Output pixels of one image.
    pub const fn pixels_out(&self) -> usize {
        self.out_height() * self.out_width()
    }

    /// Values of one input image.
    pub const fn image_in(&self) -> usize {
        self.height * self.width * self.channels_in
    }

    /// Values of one output image.
    pub const fn image_out(&self) -> usize {
        self.pixels_out() * self.channels_out
    }

    /// Values of one patch: the rows of the kernel matrix.
    pub const fn patch(&self) -> usize {
        self.kernel * self.kernel * self.channels_in
    }

    /// Values of the kernel.
    pub const fn kernel_len(&self) -> usize {
        self.patch() * self.channels_out
    }

    /// Calls `f(pixel, tap, position)` for every output pixel and kernel tap, where `position` is
    /// the input pixel under the tap, if it lies inside the image.
    fn for_each_tap(&self, mut f: impl FnMut(usize, usize, Option<usize>)) {
        let inside = |at: usize, limit: usize| at.checked_sub(self.padding).filter(|&i| i < limit);
        for oy in 0..self.out_height() {
            for ox in 0..self.out_width() {
                for ky in 0..self.kernel {
                    let y = inside(oy * self.stride + ky, self.height);
                    for kx in 0..self.kernel {
                        let x = inside(ox * self.stride + kx, self.width);
                        let position = y.zip(x).map(|(y, x)| y * self.width + x);
                        f(oy * self.out_width() + ox, ky * self.kernel + kx, position);
                    }
                }
            }
        }
    }

    fn im2col(&self, image: &[f32], patches: &mut [f32]) {
        let ci = self.channels_in;
        self.for_each_tap(|pixel, tap, position| {
            let at = pixel * self.patch() + tap * ci;
            let target = &mut patches[at..at + ci];
            match position {
                Some(p) => target.copy_from_slice(&image[p * ci..(p + 1) * ci]),
                None => target.fill(0.0),
            }
        });
    }

    fn col2im(&self, patches: &[f32], image: &mut [f32]) {
        let ci = self.channels_in;
        image.fill(0.0);
        self.for_each_tap(|pixel, tap, position| {
            if let Some(p) = position {
                let at = pixel * self.patch() + tap * ci;
                let target = &mut image[p * ci..(p + 1) * ci];
                for (t, s) in target.iter_mut().zip(&patches[at..at + ci]) {
                    *t += s;
                }
            }
        });
    }
}

/// A row-major matrix, or the transpose of one.
#[derive(Clone, Copy)]
struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    const fn new(data: &'a [f32], rows: usize, columns: usize) -> Self {
        assert!(data.len() == rows * columns);
        Self {
            data,
            rows,
            columns,
            row_stride: columns,
            column_stride: 1,
        }
    }

    const fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
}

/// `target = a · b`, or `target += a · b`; `target` is row-major.
fn product(target: &mut [f32], a: Matrix<'_>, b: Matrix<'_>, add: bool) {
    assert!(a.columns == b.rows && target.len() == a.rows * b.columns);
    // SAFETY: the strides keep every element inside the slices whose lengths were checked.
    unsafe {
        gemm(
            a.rows,
            b.columns,
            a.columns,
            target.as_mut_ptr(),
            1,
            b.columns as isize,
            add,
            a.data.as_ptr(),
            a.column_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.column_stride as isize,
            b.row_stride as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

/// `y[n, oh, ow, co] = x[n, h, w, ci] * kernel[k, k, ci, co]`.
///
/// # Panics
/// If a slice's length disagrees with the geometry.
pub fn forward(g: &Geometry, x: &[f32], kernel: &[f32], y: &mut [f32]) {
    assert!(x.len() == g.batch * g.image_in() && y.len() == g.batch * g.image_out());
    let kernel = Matrix::new(kernel, g.patch(), g.channels_out);
    y.par_chunks_exact_mut(g.image_out())
        .zip(x.par_chunks_exact(g.image_in()))
        .for_each(|(y, x)| {
            scratch::with(g.pixels_out() * g.patch(), |patches| {
                g.im2col(x, patches);
                product(
                    y,
                    Matrix::new(patches, g.pixels_out(), g.patch()),
                    kernel,
                    false,
                );
            });
        });
}

/// The gradient of the input, from `dy` (shaped like the output) and the kernel.
///
/// # Panics
/// If a slice's length disagrees with the geometry.
pub fn input_gradient(g: &Geometry, dy: &[f32], kernel: &[f32], dx: &mut [f32]) {
    assert!(dx.len() == g.batch * g.image_in() && dy.len() == g.batch * g.image_out());
    let kernel = Matrix::new(kernel, g.patch(), g.channels_out).transposed();
    dx.par_chunks_exact_mut(g.image_in())
        .zip(dy.par_chunks_exact(g.image_out()))
        .for_each(|(dx, dy)| {
            scratch::with(g.pixels_out() * g.patch(), |patches| {
                let dy = Matrix::new(dy, g.pixels_out(), g.channels_out);
                product(patches, dy, kernel, false);
                g.col2im(patches, dx);
            });
        });
}

/// The gradient of the kernel, from `x` and `dy`.
///
/// # Panics
/// If a slice's length disagrees with the geometry.
pub fn kernel_gradient(g: &Geometry, x: &[f32], dy: &[f32], dkernel: &mut [f32]) {
    assert!(x.len() == g.batch * g.image_in() && dy.len() == g.batch * g.image_out());
    let part = g.batch.div_ceil(PARTS).max(1);
    let partial: Vec<Vec<f32>> = x
        .par_chunks(part * g.image_in())
        .zip(dy.par_chunks(part * g.image_out()))
        .map(|(x, dy)| {
            let mut sum = vec![0.0; g.kernel_len()];
            let images = x
                .chunks_exact(g.image_in())
                .zip(dy.chunks_exact(g.image_out()));
            for (x, dy) in images {
                scratch::with(g.pixels_out() * g.patch(), |patches| {
                    g.im2col(x, patches);
                    let patches = Matrix::new(patches, g.pixels_out(), g.patch()).transposed();
                    let dy = Matrix::new(dy, g.pixels_out(), g.channels_out);
                    product(&mut sum, patches, dy, true);
                });
            }
            sum
        })
        .collect();
    dkernel.fill(0.0);
    for sum in partial {
        for (t, s) in dkernel.iter_mut().zip(sum) {
            *t += s;
        }
    }
}
