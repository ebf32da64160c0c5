//! Two-dimensional convolution and its two gradients.
//!
//! An indirect convolution (Dukhan 2019): a table holds the index of each source pixel, and
//! register tiles read the pixels through that table, so neither a padded image nor an im2col
//! matrix has to be written first. 3×3 convolutions of stride 1 use Winograd's algorithm where the
//! image is large enough.

mod epilogue;
mod gather;
mod geometry;
mod outer;
mod panels;
mod plan;
#[cfg(test)]
mod tests;
mod winograd;

use rayon::prelude::*;

use super::scratch::Buffer;
use super::simd::Level;
use gather::Gather;
use outer::Outer;
use plan::Plan;
use winograd::{Convolve, KernelGradient, Size, Tiling};

pub use epilogue::{Add, Epilogue};
pub use geometry::Geometry;
pub use panels::Panels;

/// Output pixels of a group of images, about: a group uses each panel of the kernel several times
/// while the panel is in the cache.
const GROUP_PIXELS: usize = 288;

/// Least number of tiles in a group for Winograd's algorithm: with fewer rows, the matrix products
/// save less time than the transforms cost.
const MIN_TILES: usize = 9;

/// Least side of an image in pixels for Winograd's algorithm: smaller images fill too little of
/// their tiles.
const MIN_SIDE: usize = 6;

/// Values that a thread sums at a time in [`Convolution::finish_kernel_gradient`].
const SUM_CHUNK: usize = 4096;

/// A convolution of given sizes, with its algorithm and tables but without weights.
#[derive(Debug, Clone)]
pub struct Convolution {
    level: Level,
    geometry: Geometry,
    group: usize,
    forward: Plan,
    backward: Plan,
    winograd: Option<Tiling>,
}

impl Convolution {
    /// Chooses the algorithm for convolving `images` images at a time, and computes its tables.
    pub fn new(geometry: Geometry, images: usize) -> Self {
        let pixels = geometry.pixels_out();
        let group = GROUP_PIXELS.div_ceil(pixels).min(images);
        let winograd = [Size::Four, Size::Two]
            .into_iter()
            .filter_map(|size| Tiling::new(&geometry, size))
            .find(|tiling| {
                geometry.channels_in > 1
                    && geometry.height.min(geometry.width) >= MIN_SIDE
                    && group * tiling.tiles() >= MIN_TILES
            });
        Self {
            level: Level::detect(),
            geometry,
            group,
            forward: Plan::forward(&geometry),
            backward: Plan::backward(&geometry),
            winograd,
        }
    }

    /// The sizes of the convolution.
    pub const fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// Number of images to pass to one call; it does not depend on the number of threads, so
    /// neither do sums over groups.
    pub const fn group(&self) -> usize {
        self.group
    }

    /// Packs `kernel[k, k, ci, co]` for [`Convolution::forward`].
    pub fn pack(&self, kernel: &[f32], panels: &mut Panels) {
        let g = &self.geometry;
        self.with_transformed(kernel, false, |kernel, taps| {
            panels.pack(kernel, taps, g.channels_in, g.channels_out);
        });
    }

    /// Packs `kernel[k, k, ci, co]` for [`Convolution::input_gradient`].
    pub fn pack_backward(&self, kernel: &[f32], panels: &mut Panels) {
        let g = &self.geometry;
        self.with_transformed(kernel, true, |kernel, taps| {
            panels.pack_transposed(kernel, taps, g.channels_out, g.channels_in);
        });
    }

    /// Calls `pack` with the kernel and its number of taps: for Winograd's algorithm with the
    /// transformed kernel, which has a tap for each interpolation point.
    fn with_transformed(&self, kernel: &[f32], flip: bool, pack: impl FnOnce(&[f32], usize)) {
        if let Some(Tiling { size, .. }) = self.winograd {
            let mut transformed = Buffer::take(kernel.len() / 9 * size.points());
            winograd::transform_kernel(size, kernel, flip, &mut transformed);
            pack(&transformed, size.points());
        } else {
            pack(kernel, self.geometry.taps());
        }
    }

    /// `y[n, oh, ow, co] = x[n, h, w, ci] * kernel[k, k, ci, co]`, then the epilogue; `panels` from
    /// [`Convolution::pack`].
    ///
    /// # Panics
    /// If a slice's length disagrees with the geometry, or the panels have fewer taps than the
    /// kernel.
    pub fn forward(&self, panels: &Panels, x: &[f32], y: &mut [f32], epilogue: Epilogue<'_>) {
        self.convolve(&self.forward, panels, x, y, epilogue);
    }

    /// Writes the gradient of the input to `dx`, or adds it there if `add`, from the gradient of
    /// the output `dy`; `panels` from [`Convolution::pack_backward`].
    ///
    /// # Panics
    /// If a slice's length disagrees with the geometry, or the panels have fewer taps than the
    /// kernel.
    pub fn input_gradient(&self, panels: &Panels, dy: &[f32], dx: &mut [f32], add: bool) {
        let epilogue = Epilogue {
            add: if add { Add::Target } else { Add::Nothing },
            ..Epilogue::default()
        };
        self.convolve(&self.backward, panels, dy, dx, epilogue);
    }

    fn convolve(
        &self,
        plan: &Plan,
        panels: &Panels,
        x: &[f32],
        y: &mut [f32],
        epilogue: Epilogue<'_>,
    ) {
        if let Some(tiling) = self.winograd {
            self.level.run(Convolve {
                tiling,
                panels,
                x,
                y,
                epilogue,
            });
        } else {
            self.level.run(Gather {
                plan,
                panels,
                x,
                y,
                epilogue,
            });
        }
    }

    /// Writes the gradient of the kernel to `sum`, or adds it there if `add`, in a form that can be summed over groups
    /// of images: [`Convolution::kernel_sum_len`] values, from which [`Convolution::finish_kernel_gradient`] computes
    /// the gradient.
    ///
    /// # Panics
    /// If a slice's length disagrees with the geometry.
    pub fn kernel_gradient(&self, x: &[f32], dy: &[f32], sum: &mut [f32], add: bool) {
        let Geometry {
            channels_in,
            channels_out,
            ..
        } = self.geometry;
        if let Some(tiling) = self.winograd {
            self.level.run(KernelGradient {
                tiling,
                channels_in,
                channels_out,
                x,
                dy,
                sum,
                add,
            });
        } else {
            self.level.run(Outer {
                plan: &self.forward,
                channels_in,
                channels_out,
                x,
                dy,
                dkernel: sum,
                add,
            });
        }
    }

    /// Number of values of a sum of kernel gradients.
    pub const fn kernel_sum_len(&self) -> usize {
        match self.winograd {
            Some(tiling) => {
                tiling.size.points() * self.geometry.channels_in * self.geometry.channels_out
            }
            None => self.geometry.kernel_len(),
        }
    }

    /// Writes the gradient of the kernel, `[k, k, ci, co]`, to `dkernel`, from its sums over the
    /// parts of a batch, which are added in their order into the first of them.
    pub fn finish_kernel_gradient(&self, parts: &mut [Vec<f32>], dkernel: &mut [f32]) {
        let Some((total, rest)) = parts.split_first_mut() else {
            return dkernel.fill(0.0);
        };
        total
            .par_chunks_mut(SUM_CHUNK)
            .enumerate()
            .for_each(|(i, total)| {
                for part in &*rest {
                    let part = &part[i * SUM_CHUNK..][..total.len()];
                    for (total, part) in total.iter_mut().zip(part) {
                        *total += part;
                    }
                }
            });
        if let Some(tiling) = self.winograd {
            winograd::gradient_of_kernel(tiling.size, total, dkernel);
        } else {
            dkernel.copy_from_slice(total);
        }
    }
}
