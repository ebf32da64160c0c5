//! Two-dimensional convolution and its two gradients.
//!
//! Indirect (Dukhan 2019): register tiles read the pixels where they lie, through a table of places,
//! so there is neither padding nor im2col to write first.

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

/// Images are taken in groups of about so many output pixels, to use a panel of the kernel more than
/// once while it is in the cache.
const GROUP_PIXELS: usize = 288;

/// Winograd's matrix products need so many rows to be worth their transforms, and images so many
/// pixels not to waste most of a tile.
const LEAST_TILES: usize = 9;
const LEAST_SIDE: usize = 6;

/// Values that a thread sums at a time.
const SUM_CHUNK: usize = 4096;

/// A convolution of given sizes, without its weights.
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
    /// Works out how best to convolve `images` at a time.
    pub fn new(geometry: Geometry, images: usize) -> Self {
        let pixels = geometry.pixels_out();
        let group = GROUP_PIXELS.div_ceil(pixels).min(images);
        let winograd = [Size::Four, Size::Two]
            .into_iter()
            .filter_map(|size| Tiling::new(&geometry, size))
            .find(|tiling| {
                geometry.channels_in > 1
                    && geometry.height.min(geometry.width) >= LEAST_SIDE
                    && group * tiling.tiles() >= LEAST_TILES
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

    /// The sizes.
    pub const fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// How many images to hand to a pass at once: fixed, so that sums over groups do not depend on
    /// the number of threads.
    pub const fn group(&self) -> usize {
        self.group
    }

    /// Packs `kernel[k, k, ci, co]` for [`Convolution::forward`].
    pub fn pack(&self, kernel: &[f32], panels: &mut Panels) {
        let g = &self.geometry;
        self.at_points(kernel, false, |kernel, taps| {
            panels.pack(kernel, taps, g.channels_in, g.channels_out);
        });
    }

    /// Packs `kernel[k, k, ci, co]` for [`Convolution::input_gradient`].
    pub fn pack_backward(&self, kernel: &[f32], panels: &mut Panels) {
        let g = &self.geometry;
        self.at_points(kernel, true, |kernel, taps| {
            panels.pack_transposed(kernel, taps, g.channels_out, g.channels_in);
        });
    }

    /// Hands on the kernel as it is or, for Winograd, at the points.
    fn at_points(&self, kernel: &[f32], flip: bool, pack: impl FnOnce(&[f32], usize)) {
        if let Some(Tiling { size, .. }) = self.winograd {
            let mut transformed = Buffer::take(kernel.len() / 9 * size.points());
            winograd::transform_kernel(size, kernel, flip, &mut transformed);
            pack(&transformed, size.points());
        } else {
            pack(kernel, self.geometry.taps());
        }
    }

    /// `y[n, oh, ow, co] = x[n, h, w, ci] * kernel[k, k, ci, co]`, then the epilogue.
    ///
    /// # Panics
    /// If a slice's length disagrees with the geometry.
    pub fn forward(&self, panels: &Panels, x: &[f32], y: &mut [f32], epilogue: Epilogue<'_>) {
        self.convolve(&self.forward, panels, x, y, epilogue);
    }

    /// The gradient of the input, from `dy` (shaped like the output); added to `dx` if `add`.
    ///
    /// # Panics
    /// If a slice's length disagrees with the geometry.
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

    /// The gradient of the kernel in a form that can be summed over groups of images:
    /// [`Convolution::kernel_sum_len`] values, written or added to `sum`.
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

    /// The length of a sum of kernel gradients.
    pub const fn kernel_sum_len(&self) -> usize {
        match self.winograd {
            Some(tiling) => {
                tiling.size.points() * self.geometry.channels_in * self.geometry.channels_out
            }
            None => self.geometry.kernel_len(),
        }
    }

    /// The gradient of the kernel, `[k, k, ci, co]`, from its sums over parts of a batch, which are
    /// added up in their order.
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
