//! Vectors of four lanes with the instruction set NEON of 64-bit ARM.

use std::arch::aarch64::{
    float32x4_t, vaddq_f32, vdupq_n_f32, vfmaq_f32, vld1q_f32, vmaxq_f32, vmulq_f32, vst1q_f32,
    vsubq_f32,
};

use super::Simd;

/// NEON: four lanes.
#[derive(Clone, Copy)]
pub struct Neon;

impl Simd for Neon {
    type Vector = float32x4_t;
    const LANES: usize = 4;
    const ROWS: usize = 12;

    #[inline(always)]
    unsafe fn splat(x: f32) -> float32x4_t {
        // SAFETY: the caller guarantees NEON; the instruction touches no memory.
        unsafe { vdupq_n_f32(x) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> float32x4_t {
        // SAFETY: the caller guarantees NEON and a pointer valid for `LANES` values; the
        // instruction needs no alignment of registers.
        unsafe { vld1q_f32(from) }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, v: float32x4_t) {
        // SAFETY: the caller guarantees NEON and a pointer valid for `LANES` values; the
        // instruction needs no alignment of registers.
        unsafe { vst1q_f32(to, v) }
    }
    #[inline(always)]
    unsafe fn multiply_add(a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
        // SAFETY: the caller guarantees NEON; the instruction touches no memory.
        unsafe { vfmaq_f32(c, a, b) }
    }
    #[inline(always)]
    unsafe fn add(a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: the caller guarantees NEON; the instruction touches no memory.
        unsafe { vaddq_f32(a, b) }
    }
    #[inline(always)]
    unsafe fn max(a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: the caller guarantees NEON; the instruction touches no memory.
        unsafe { vmaxq_f32(a, b) }
    }
    #[inline(always)]
    unsafe fn subtract(a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: the caller guarantees NEON; the instruction touches no memory.
        unsafe { vsubq_f32(a, b) }
    }
    #[inline(always)]
    unsafe fn multiply(a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: the caller guarantees NEON; the instruction touches no memory.
        unsafe { vmulq_f32(a, b) }
    }
}
