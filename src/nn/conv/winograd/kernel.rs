//! The kernel at the points, and back.

use super::{IN, POINTS};

/// `G`, by which a kernel goes to the points.
const KERNEL_TRANSFORM: [[f32; 3]; IN] = [
    [0.25, 0.0, 0.0],
    [-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
    [-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0],
    [1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0],
    [1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0],
    [0.0, 0.0, 1.0],
];

/// Calls `f(point, tap, weight)` for every place of `G ⊗ G` that is not zero.
fn kernel_transform(mut f: impl FnMut(usize, usize, f32)) {
    for point in 0..POINTS {
        for tap in 0..9 {
            let weight =
                KERNEL_TRANSFORM[point / IN][tap / 3] * KERNEL_TRANSFORM[point % IN][tap % 3];
            if weight != 0.0 {
                f(point, tap, weight);
            }
        }
    }
}

/// `target += weight · source`.
fn add_scaled(target: &mut [f32], source: &[f32], weight: f32) {
    for (target, source) in target.iter_mut().zip(source) {
        *target += weight * source;
    }
}

/// `U[points, ci, co]` of `kernel[3, 3, ci, co]`, turned by 180° if `flip`.
pub fn transform_kernel(kernel: &[f32], flip: bool, transformed: &mut [f32]) {
    let tap_len = kernel.len() / 9;
    transformed.fill(0.0);
    kernel_transform(|point, tap, weight| {
        let tap = if flip { 8 - tap } else { tap };
        let source = &kernel[tap * tap_len..(tap + 1) * tap_len];
        add_scaled(
            &mut transformed[point * tap_len..(point + 1) * tap_len],
            source,
            weight,
        );
    });
}

/// The gradient of the kernel, `[3, 3, ci, co]`, from that of `U`.
pub fn gradient_of_kernel(transformed: &[f32], gradient: &mut [f32]) {
    gradient.fill(0.0);
    let tap_len = gradient.len() / 9;
    kernel_transform(|point, tap, weight| {
        let source = &transformed[point * tap_len..(point + 1) * tap_len];
        add_scaled(
            &mut gradient[tap * tap_len..(tap + 1) * tap_len],
            source,
            weight,
        );
    });
}
