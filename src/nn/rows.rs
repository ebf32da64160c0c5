//! Row kernels of a depthwise-separable network: the arithmetic of one output row each.
//!
//! A row holds `width` pixels of `channels` values, channels innermost; `channels` is a multiple
//! of sixteen. Weights are packed by groups of sixteen output channels so that one register holds
//! one input's weights for a group.
#![allow(
    clippy::needless_range_loop,
    reason = "indices run over registers of several arrays"
)]

use super::lanes::{F32x16, Level, Portable};

/// Lanes of a weight group.
pub(crate) const LANES: usize = 16;

/// Input of [`dot_rows`]: `taps` rows that each contribute `k` values to a pixel.
#[derive(Clone, Copy)]
pub(crate) struct DotInput<'a> {
    /// One slice per tap; pixel `x` reads `k` values from `x * stride` on.
    pub taps: [&'a [f32]; 3],
    /// How many of the taps are used.
    pub count: usize,
    /// Values between neighbouring pixels.
    pub stride: usize,
    /// Values each tap contributes.
    pub k: usize,
}

/// Adds products of inputs and weights: for each of `width` pixels and each output channel, the
/// bias plus the sum over taps and their `k` values.
///
/// `weights` is `[group][tap][k][16]`, `bias` `[group][16]`; `out` has `width * groups * 16` values.
pub(crate) fn dot_rows(
    level: Level,
    input: DotInput<'_>,
    weights: &[f32],
    bias: &[f32],
    relu: bool,
    width: usize,
    out: &mut [f32],
) {
    let groups = bias.len() / LANES;
    assert!(width > 0 && (1..=3).contains(&input.count));
    assert_eq!(bias.len(), groups * LANES);
    assert_eq!(weights.len(), groups * input.count * input.k * LANES);
    assert_eq!(out.len(), width * groups * LANES);
    for tap in &input.taps[..input.count] {
        assert!(tap.len() >= (width - 1) * input.stride + input.k);
    }
    // SAFETY: the assertions above bound every access; the level was found on this CPU.
    unsafe {
        match level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => dot_rows_avx512(input, weights, bias, relu, width, out),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => dot_rows_avx2(input, weights, bias, relu, width, out),
            #[cfg(target_arch = "aarch64")]
            Level::Neon => dot_rows_neon(input, weights, bias, relu, width, out),
            Level::Portable => {
                dot_shape::<Portable, 1, 1, ANY, ANY>(input, weights, bias, relu, width, out);
            }
        }
    }
}

/// Depthwise 3×3 over three rows that are one pixel wider on either side.
///
/// `rows` are `(width + 2) * channels` long, the outermost pixels zero where the picture ends;
/// `weights` is `[group][9][16]`, `bias` `[group][16]`; `out` has `width * channels` values.
pub(crate) fn depthwise_row(
    level: Level,
    rows: [&[f32]; 3],
    weights: &[f32],
    bias: &[f32],
    relu: bool,
    out: &mut [f32],
) {
    let channels = bias.len();
    let width = out.len() / channels;
    assert_eq!(channels % LANES, 0);
    assert_eq!(out.len(), width * channels);
    assert_eq!(weights.len(), 9 * channels);
    for row in rows {
        assert_eq!(row.len(), (width + 2) * channels);
    }
    // SAFETY: the assertions above bound every access; the level was found on this CPU.
    unsafe {
        match level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => depthwise_row_avx512(rows, weights, bias, relu, width, out),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => depthwise_row_avx2(rows, weights, bias, relu, width, out),
            #[cfg(target_arch = "aarch64")]
            Level::Neon => depthwise_row_neon(rows, weights, bias, relu, width, out),
            Level::Portable => {
                depthwise_row_with::<Portable, 1>(rows, weights, bias, relu, width, out);
            }
        }
    }
}

/// Maximum over 2×2 pixels: two rows of `2 * width` pixels give one of `width`.
pub(crate) fn max_pool_row(upper: &[f32], lower: &[f32], channels: usize, out: &mut [f32]) {
    let pairs = upper
        .chunks_exact(2 * channels)
        .zip(lower.chunks_exact(2 * channels));
    for (out, (upper, lower)) in out.chunks_exact_mut(channels).zip(pairs) {
        let (a, b) = upper.split_at(channels);
        let (c, d) = lower.split_at(channels);
        for i in 0..channels {
            out[i] = a[i].max(b[i]).max(c[i].max(d[i]));
        }
    }
}

/// Entry points for an instruction set: same body, compiled with its features.
macro_rules! entry_points {
    ($arch:literal, $feature:literal, $simd:path, $dot:ident<$p:literal, $g:literal>,
     $depthwise:ident<$q:literal>) => {
        #[cfg(target_arch = $arch)]
        #[target_feature(enable = $feature)]
        unsafe fn $dot(
            input: DotInput<'_>,
            weights: &[f32],
            bias: &[f32],
            relu: bool,
            width: usize,
            out: &mut [f32],
        ) {
            // SAFETY: the caller's; the features are enabled here.
            unsafe { dot_rows_with::<$simd, $p, $g>(input, weights, bias, relu, width, out) }
        }

        #[cfg(target_arch = $arch)]
        #[target_feature(enable = $feature)]
        unsafe fn $depthwise(
            rows: [&[f32]; 3],
            weights: &[f32],
            bias: &[f32],
            relu: bool,
            width: usize,
            out: &mut [f32],
        ) {
            // SAFETY: the caller's; the features are enabled here.
            unsafe { depthwise_row_with::<$simd, $q>(rows, weights, bias, relu, width, out) }
        }
    };
}

// Tile sizes keep accumulators, weights and one broadcast inside the register file: 32 × 512 bits,
// 16 × 256 bits (a lane group takes two), 32 × 128 bits (a lane group takes four).
entry_points!("x86_64", "avx512f", super::lanes::Avx512, dot_rows_avx512<12, 2>, depthwise_row_avx512<4>);
entry_points!("x86_64", "avx2,fma", super::lanes::Avx2, dot_rows_avx2<6, 1>, depthwise_row_avx2<4>);
entry_points!("aarch64", "neon", super::lanes::Neon, dot_rows_neon<6, 1>, depthwise_row_neon<4>);

/// # Safety
/// As [`dot_rows`] asserts; `S`'s instruction set is present and enabled in the caller.
#[inline(always)]
unsafe fn dot_rows_with<S: F32x16, const P: usize, const G: usize>(
    input: DotInput<'_>,
    weights: &[f32],
    bias: &[f32],
    relu: bool,
    width: usize,
    out: &mut [f32],
) {
    // With the shape known, a pixel's place is a constant in the instruction; the shapes are those
    // of the stem and of the units that there are.
    // SAFETY: the caller's.
    unsafe {
        match (input.k, input.stride) {
            (9, 6) => dot_shape::<S, P, G, 9, 6>(input, weights, bias, relu, width, out),
            (16, 16) => dot_shape::<S, P, G, 16, 16>(input, weights, bias, relu, width, out),
            (32, 32) => dot_shape::<S, P, G, 32, 32>(input, weights, bias, relu, width, out),
            (64, 64) => dot_shape::<S, P, G, 64, 64>(input, weights, bias, relu, width, out),
            _ => dot_shape::<S, 1, 1, ANY, ANY>(input, weights, bias, relu, width, out),
        }
    }
}

/// Stands for a shape that is known at run time only.
const ANY: usize = 0;

/// All groups, `G` at a time.
#[inline(always)]
unsafe fn dot_shape<
    S: F32x16,
    const P: usize,
    const G: usize,
    const K: usize,
    const STRIDE: usize,
>(
    input: DotInput<'_>,
    weights: &[f32],
    bias: &[f32],
    relu: bool,
    width: usize,
    out: &mut [f32],
) {
    let groups = bias.len() / LANES;
    let mut group = 0;
    while group < groups {
        // SAFETY: the caller's.
        unsafe {
            if group + G <= groups {
                dot_groups::<S, P, G, K, STRIDE>(&input, weights, bias, relu, width, group, out);
                group += G;
            } else {
                dot_groups::<S, P, 1, K, STRIDE>(&input, weights, bias, relu, width, group, out);
                group += 1;
            }
        }
    }
}

/// All pixels of `G` neighbouring groups.
#[inline(always)]
unsafe fn dot_groups<
    S: F32x16,
    const P: usize,
    const G: usize,
    const K: usize,
    const STRIDE: usize,
>(
    input: &DotInput<'_>,
    weights: &[f32],
    bias: &[f32],
    relu: bool,
    width: usize,
    group: usize,
    out: &mut [f32],
) {
    let mut x = 0;
    while x < width {
        // SAFETY: the caller's; the last full tile starts at width - P.
        unsafe {
            if width >= P {
                // The last tile overlaps the one before it rather than being cut short.
                let start = x.min(width - P);
                dot_tile::<S, P, G, K, STRIDE>(input, weights, bias, relu, start, group, out);
                x = start + P;
            } else {
                dot_tile::<S, 1, G, K, STRIDE>(input, weights, bias, relu, x, group, out);
                x += 1;
            }
        }
    }
}

/// `P` pixels × `G` groups held in registers.
#[inline(always)]
unsafe fn dot_tile<
    S: F32x16,
    const P: usize,
    const G: usize,
    const K: usize,
    const STRIDE: usize,
>(
    input: &DotInput<'_>,
    weights: &[f32],
    bias: &[f32],
    relu: bool,
    x: usize,
    group: usize,
    out: &mut [f32],
) {
    let k = if K == ANY { input.k } else { K };
    let stride = if STRIDE == ANY { input.stride } else { STRIDE };
    let channels = bias.len();
    let per_group = input.count * k * LANES;
    // SAFETY: the caller's bounds; every pointer stays inside its slice.
    unsafe {
        let mut acc = [[S::splat(0.0); P]; G];
        for g in 0..G {
            acc[g] = [S::load(bias.as_ptr().add((group + g) * LANES)); P];
        }
        for (tap, values) in input.taps[..input.count].iter().enumerate() {
            let source = values.as_ptr().add(x * stride);
            let weight = weights.as_ptr().add(group * per_group + tap * k * LANES);
            for i in 0..k {
                let mut w = [S::splat(0.0); G];
                for g in 0..G {
                    w[g] = S::load(weight.add(g * per_group + i * LANES));
                }
                for p in 0..P {
                    let value = S::splat(*source.add(p * stride + i));
                    for g in 0..G {
                        acc[g][p] = value.mul_add(w[g], acc[g][p]);
                    }
                }
            }
        }
        let floor = S::splat(0.0);
        for p in 0..P {
            for g in 0..G {
                let value = if relu {
                    acc[g][p].max(floor)
                } else {
                    acc[g][p]
                };
                value.store(
                    out.as_mut_ptr()
                        .add((x + p) * channels + (group + g) * LANES),
                );
            }
        }
    }
}

/// # Safety
/// As [`depthwise_row`] asserts; `S`'s instruction set is present and enabled in the caller.
#[inline(always)]
unsafe fn depthwise_row_with<S: F32x16, const P: usize>(
    rows: [&[f32]; 3],
    weights: &[f32],
    bias: &[f32],
    relu: bool,
    width: usize,
    out: &mut [f32],
) {
    for group in 0..bias.len() / LANES {
        let mut x = 0;
        while x < width {
            // SAFETY: the caller's; the last full tile starts at width - P.
            unsafe {
                if width >= P {
                    let start = x.min(width - P);
                    depthwise_tile::<S, P>(rows, weights, bias, relu, start, group, out);
                    x = start + P;
                } else {
                    depthwise_tile::<S, 1>(rows, weights, bias, relu, x, group, out);
                    x += 1;
                }
            }
        }
    }
}

/// `P` pixels of one group.
#[inline(always)]
unsafe fn depthwise_tile<S: F32x16, const P: usize>(
    rows: [&[f32]; 3],
    weights: &[f32],
    bias: &[f32],
    relu: bool,
    x: usize,
    group: usize,
    out: &mut [f32],
) {
    let channels = bias.len();
    // SAFETY: the caller's bounds; column x + P + 1 is the last one of a row.
    unsafe {
        let weight = weights.as_ptr().add(group * 9 * LANES);
        let mut acc = [S::load(bias.as_ptr().add(group * LANES)); P];
        for (ky, row) in rows.into_iter().enumerate() {
            let source = row.as_ptr().add(x * channels + group * LANES);
            for kx in 0..3 {
                let w = S::load(weight.add((ky * 3 + kx) * LANES));
                for p in 0..P {
                    acc[p] = S::load(source.add((p + kx) * channels)).mul_add(w, acc[p]);
                }
            }
        }
        let floor = S::splat(0.0);
        for p in 0..P {
            let value = if relu { acc[p].max(floor) } else { acc[p] };
            value.store(out.as_mut_ptr().add((x + p) * channels + group * LANES));
        }
    }
}
