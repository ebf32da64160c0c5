//! Transforms a kernel to the interpolation points, and the gradient of the transformed kernel back.

use super::Size;

/// The kernel transform `G` for tiles of 2×2 output pixels.
const TWO: [[f32; 3]; 4] = [
    [1.0, 0.0, 0.0],
    [0.5, 0.5, 0.5],
    [0.5, -0.5, 0.5],
    [0.0, 0.0, 1.0],
];

/// The kernel transform `G` for tiles of 4×4 output pixels.
const FOUR: [[f32; 3]; 6] = [
    [0.25, 0.0, 0.0],
    [-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
    [-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0],
    [1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0],
    [1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0],
    [0.0, 0.0, 1.0],
];

/// Calls `f(point, tap, weight)` for every element of `G ⊗ G` that is not zero.
fn kernel_transform(size: Size, mut f: impl FnMut(usize, usize, f32)) {
    let transform: &[[f32; 3]] = match size {
        Size::Two => &TWO,
        Size::Four => &FOUR,
    };
    let side = transform.len();
    for point in 0..side * side {
        for tap in 0..9 {
            let weight = transform[point / side][tap / 3] * transform[point % side][tap % 3];
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

/// Writes `U[points, ci, co]`, the transform of `kernel[3, 3, ci, co]`, which is rotated by 180°
/// first if `flip`.
pub fn transform_kernel(size: Size, kernel: &[f32], flip: bool, transformed: &mut [f32]) {
    let tap_len = kernel.len() / 9;
    transformed.fill(0.0);
    kernel_transform(size, |point, tap, weight| {
        let tap = if flip { 8 - tap } else { tap };
        let source = &kernel[tap * tap_len..(tap + 1) * tap_len];
        add_scaled(
            &mut transformed[point * tap_len..(point + 1) * tap_len],
            source,
            weight,
        );
    });
}

/// Writes the gradient of the kernel, `[3, 3, ci, co]`, from the gradient of `U`.
pub fn gradient_of_kernel(size: Size, transformed: &[f32], gradient: &mut [f32]) {
    gradient.fill(0.0);
    let tap_len = gradient.len() / 9;
    kernel_transform(size, |point, tap, weight| {
        let source = &transformed[point * tap_len..(point + 1) * tap_len];
        add_scaled(
            &mut gradient[tap * tap_len..(tap + 1) * tap_len],
            source,
            weight,
        );
    });
}
