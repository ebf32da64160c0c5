//! Two-dimensional convolution and its two gradients.
//!
//! Indirect (Dukhan 2019): register tiles read the pixels where they lie, through a table of places,
//! so there is neither padding nor im2col to write first.

mod gather;
mod geometry;
mod outer;
mod plan;

use super::simd::dispatch;
use gather::Gather;
use outer::Outer;
use plan::Plan;

pub use gather::{Add, Epilogue, Panels};
pub use geometry::Geometry;

/// Images are taken in groups of at least so many output pixels, to use a panel of the kernel more
/// than once while it is in the cache.
const GROUP_PIXELS: usize = 144;

/// A convolution of given sizes, without its weights.
#[derive(Debug, Clone)]
pub struct Convolution {
    geometry: Geometry,
    forward: Plan,
    backward: Plan,
}

impl Convolution {
    /// Works out where every pixel comes from.
    pub fn new(geometry: Geometry) -> Self {
        Self {
            geometry,
            forward: Plan::forward(&geometry),
            backward: Plan::backward(&geometry),
        }
    }

    /// The sizes.
    pub const fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// How many images to hand to a pass at once: fixed, so that sums over groups do not depend on
    /// the number of threads.
    pub const fn group(&self) -> usize {
        GROUP_PIXELS.div_ceil(self.geometry.pixels_out())
    }

    /// Packs `kernel[k, k, ci, co]` for [`Convolution::forward`].
    pub fn pack(&self, kernel: &[f32], panels: &mut Panels) {
        let g = &self.geometry;
        panels.pack(kernel, g.taps(), g.channels_in, g.channels_out);
    }

    /// Packs `kernel[k, k, ci, co]` for [`Convolution::input_gradient`].
    pub fn pack_backward(&self, kernel: &[f32], panels: &mut Panels) {
        let g = &self.geometry;
        panels.pack_transposed(kernel, g.taps(), g.channels_out, g.channels_in);
    }

    /// `y[n, oh, ow, co] = x[n, h, w, ci] * kernel[k, k, ci, co]`, then the epilogue.
    ///
    /// # Panics
    /// If a slice's length disagrees with the geometry.
    pub fn forward(&self, panels: &Panels, x: &[f32], y: &mut [f32], epilogue: Epilogue<'_>) {
        dispatch(Gather {
            plan: &self.forward,
            panels,
            x,
            y,
            epilogue,
        });
    }

    /// The gradient of the input, from `dy` (shaped like the output); added to `dx` if `add`.
    ///
    /// # Panics
    /// If a slice's length disagrees with the geometry.
    pub fn input_gradient(&self, panels: &Panels, dy: &[f32], dx: &mut [f32], add: bool) {
        dispatch(Gather {
            plan: &self.backward,
            panels,
            x: dy,
            y: dx,
            epilogue: Epilogue {
                add: if add { Add::Target } else { Add::Nothing },
                ..Epilogue::default()
            },
        });
    }

    /// Adds the gradient of the kernel, from `x` and `dy`, to `sum`, which has
    /// [`Geometry::kernel_len`] values.
    ///
    /// # Panics
    /// If a slice's length disagrees with the geometry.
    pub fn kernel_gradient(&self, x: &[f32], dy: &[f32], sum: &mut [f32]) {
        dispatch(Outer {
            plan: &self.forward,
            channels_in: self.geometry.channels_in,
            channels_out: self.geometry.channels_out,
            x,
            dy,
            dkernel: sum,
        });
    }
}
