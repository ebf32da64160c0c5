//! Vectors without a SIMD instruction set: arrays of four values, and single values.

use super::Simd;

/// Arrays of four values, for processors without a wider instruction set.
#[derive(Clone, Copy)]
pub struct Portable;

impl Simd for Portable {
    type Vector = [f32; 4];
    type Pairs = [[i16; 2]; 4];
    type Integers = [i32; 4];
    const LANES: usize = 4;
    const ROWS: usize = 4;

    #[inline(always)]
    unsafe fn splat(x: f32) -> [f32; 4] {
        [x; 4]
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> [f32; 4] {
        // SAFETY: the caller guarantees a pointer valid for four values; alignment does not matter.
        unsafe { from.cast::<[f32; 4]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, v: [f32; 4]) {
        // SAFETY: the caller guarantees a pointer valid for four values; alignment does not matter.
        unsafe { to.cast::<[f32; 4]>().write_unaligned(v) }
    }
    #[inline(always)]
    unsafe fn multiply_add(a: [f32; 4], b: [f32; 4], c: [f32; 4]) -> [f32; 4] {
        std::array::from_fn(|i| a[i] * b[i] + c[i])
    }
    #[inline(always)]
    unsafe fn add(a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        std::array::from_fn(|i| a[i] + b[i])
    }
    #[inline(always)]
    unsafe fn max(a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        std::array::from_fn(|i| a[i].max(b[i]))
    }
    #[inline(always)]
    unsafe fn subtract(a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        std::array::from_fn(|i| a[i] - b[i])
    }
    #[inline(always)]
    unsafe fn multiply(a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        std::array::from_fn(|i| a[i] * b[i])
    }
    #[inline(always)]
    unsafe fn load_pairs(from: *const [i16; 2]) -> [[i16; 2]; 4] {
        // SAFETY: the caller guarantees a pointer valid for four pairs; alignment does not matter.
        unsafe { from.cast::<[[i16; 2]; 4]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn splat_pair(pair: [i16; 2]) -> [[i16; 2]; 4] {
        [pair; 4]
    }
    #[inline(always)]
    unsafe fn integers() -> [i32; 4] {
        [0; 4]
    }
    #[inline(always)]
    unsafe fn dot_pairs(a: [[i16; 2]; 4], b: [[i16; 2]; 4], c: [i32; 4]) -> [i32; 4] {
        std::array::from_fn(|i| dot(a[i], b[i], c[i]))
    }
    #[inline(always)]
    unsafe fn to_floats(v: [i32; 4]) -> [f32; 4] {
        v.map(|v| v as f32)
    }
    #[inline(always)]
    unsafe fn store_rounded(to: *mut i16, v: [f32; 4]) {
        // SAFETY: the caller guarantees a pointer valid for four values; alignment does not matter.
        unsafe { to.cast::<[i16; 4]>().write_unaligned(v.map(rounded)) }
    }
}

/// The sum of the products of two pairs and `c`.
#[inline(always)]
fn dot(a: [i16; 2], b: [i16; 2], c: i32) -> i32 {
    let product = |i: usize| i32::from(a[i]) * i32::from(b[i]);
    product(0).wrapping_add(product(1)).wrapping_add(c)
}

/// The nearest integer.
#[inline(always)]
fn rounded(value: f32) -> i16 {
    value.round_ties_even() as i16
}

/// Single values, for the remaining columns that do not fill a register.
#[derive(Clone, Copy)]
pub struct Scalar;

impl Simd for Scalar {
    type Vector = f32;
    type Pairs = [i16; 2];
    type Integers = i32;
    const LANES: usize = 1;
    const ROWS: usize = 8;

    #[inline(always)]
    unsafe fn splat(x: f32) -> f32 {
        x
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> f32 {
        // SAFETY: the caller guarantees a pointer valid for one value and aligned as an `f32`.
        unsafe { *from }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, v: f32) {
        // SAFETY: the caller guarantees a pointer valid for one value and aligned as an `f32`.
        unsafe { *to = v }
    }
    #[inline(always)]
    unsafe fn multiply_add(a: f32, b: f32, c: f32) -> f32 {
        a * b + c
    }
    #[inline(always)]
    unsafe fn add(a: f32, b: f32) -> f32 {
        a + b
    }
    #[inline(always)]
    unsafe fn max(a: f32, b: f32) -> f32 {
        a.max(b)
    }
    #[inline(always)]
    unsafe fn subtract(a: f32, b: f32) -> f32 {
        a - b
    }
    #[inline(always)]
    unsafe fn multiply(a: f32, b: f32) -> f32 {
        a * b
    }
    #[inline(always)]
    unsafe fn load_pairs(from: *const [i16; 2]) -> [i16; 2] {
        // SAFETY: the caller guarantees a pointer valid for one pair and aligned as an `i16`.
        unsafe { *from }
    }
    #[inline(always)]
    unsafe fn splat_pair(pair: [i16; 2]) -> [i16; 2] {
        pair
    }
    #[inline(always)]
    unsafe fn integers() -> i32 {
        0
    }
    #[inline(always)]
    unsafe fn dot_pairs(a: [i16; 2], b: [i16; 2], c: i32) -> i32 {
        dot(a, b, c)
    }
    #[inline(always)]
    unsafe fn to_floats(v: i32) -> f32 {
        v as f32
    }
    #[inline(always)]
    unsafe fn store_rounded(to: *mut i16, v: f32) {
        // SAFETY: the caller guarantees a pointer valid for one value and aligned as an `i16`.
        unsafe { *to = rounded(v) }
    }
}
