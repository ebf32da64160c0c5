//! Two-dimensional convolution and its two gradients.
//!
//! Indirect (Dukhan 2019): register tiles read the pixels where they lie, through a table of places,
//! so there is neither padding nor im2col to write first. All loops are over whole batches of
//! images; rayon shares groups of them between threads.

mod gather;
mod geometry;
mod outer;
mod plan;

use rayon::prelude::*;

use super::simd::dispatch;
use gather::{Gather, Panels};
use outer::Outer;
use plan::Plan;

pub use geometry::Geometry;

/// Images are taken in groups of at least so many output pixels, to use a panel of the kernel more
/// than once while it is in the cache.
const GROUP_PIXELS: usize = 144;

/// How many parts the batch is cut into for the gradient of the kernel, whatever the number of
/// threads.
const PARTS: usize = 8;

/// `y[n, oh, ow, co] = x[n, h, w, ci] * kernel[k, k, ci, co]`.
///
/// # Panics
/// If a slice's length disagrees with the geometry.
pub fn forward(g: &Geometry, x: &[f32], kernel: &[f32], y: &mut [f32]) {
    let panels = Panels::forward(kernel, g.taps(), g.channels_in, g.channels_out);
    gather(&Plan::forward(g), &panels, x, y);
}

/// The gradient of the input, from `dy` (shaped like the output) and the kernel.
///
/// # Panics
/// If a slice's length disagrees with the geometry.
pub fn input_gradient(g: &Geometry, dy: &[f32], kernel: &[f32], dx: &mut [f32]) {
    let panels = Panels::backward(kernel, g.taps(), g.channels_out, g.channels_in);
    gather(&Plan::backward(g), &panels, dy, dx);
}

fn gather(plan: &Plan, panels: &Panels, x: &[f32], y: &mut [f32]) {
    let zeros = vec![0.0; panels.sources()];
    let images = GROUP_PIXELS.div_ceil(plan.target_pixels);
    y.par_chunks_mut(images * plan.target_pixels * panels.targets())
        .zip(x.par_chunks(images * plan.source_pixels * panels.sources()))
        .for_each(|(y, x)| {
            dispatch(Gather {
                plan,
                panels,
                x,
                y,
                zeros: &zeros,
            });
        });
}

/// The gradient of the kernel, from `x` and `dy`.
///
/// # Panics
/// If a slice's length disagrees with the geometry.
pub fn kernel_gradient(g: &Geometry, x: &[f32], dy: &[f32], dkernel: &mut [f32]) {
    let plan = Plan::forward(g);
    let part = (x.len() / g.image_in()).div_ceil(PARTS).max(1);
    let parts: Vec<Vec<f32>> = x
        .par_chunks(part * g.image_in())
        .zip(dy.par_chunks(part * g.image_out()))
        .map(|(x, dy)| {
            let mut sum = vec![0.0; g.kernel_len()];
            dispatch(Outer {
                plan: &plan,
                channels_in: g.channels_in,
                channels_out: g.channels_out,
                x,
                dy,
                dkernel: &mut sum,
            });
            sum
        })
        .collect();
    dkernel.fill(0.0);
    for sum in parts {
        for (total, sum) in dkernel.iter_mut().zip(sum) {
            *total += sum;
        }
    }
}
