//! Vectors of four lanes with the instruction set NEON of 64-bit ARM.

use std::arch::aarch64::{
    float32x4_t, int16x4x2_t, int32x4_t, vaddq_f32, vcvtnq_s32_f32, vcvtq_f32_s32, vdup_n_s16,
    vdupq_n_f32, vdupq_n_s32, vfmaq_f32, vld1q_f32, vld2_s16, vmaxq_f32, vmlal_s16, vmulq_f32,
    vqmovn_s32, vst1_s16, vst1q_f32, vsubq_f32,
};

use super::Simd;

/// NEON: four lanes.
#[derive(Clone, Copy)]
pub struct Neon;

impl Simd for Neon {
    type Vector = float32x4_t;
    type Pairs = int16x4x2_t;
    type Integers = int32x4_t;
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
    #[inline(always)]
    unsafe fn load_pairs(from: *const [i16; 2]) -> int16x4x2_t {
        // SAFETY: the caller guarantees NEON and a pointer valid for `LANES` pairs; the instruction
        // needs no alignment of registers.
        unsafe { vld2_s16(from.cast()) }
    }
    #[inline(always)]
    unsafe fn splat_pair(pair: [i16; 2]) -> int16x4x2_t {
        // SAFETY: the caller guarantees NEON; the instructions touch no memory.
        unsafe { int16x4x2_t(vdup_n_s16(pair[0]), vdup_n_s16(pair[1])) }
    }
    #[inline(always)]
    unsafe fn integers() -> int32x4_t {
        // SAFETY: the caller guarantees NEON; the instruction touches no memory.
        unsafe { vdupq_n_s32(0) }
    }
    #[inline(always)]
    unsafe fn dot_pairs(a: int16x4x2_t, b: int16x4x2_t, c: int32x4_t) -> int32x4_t {
        // SAFETY: the caller guarantees NEON; the instructions touch no memory.
        unsafe { vmlal_s16(vmlal_s16(c, a.0, b.0), a.1, b.1) }
    }
    #[inline(always)]
    unsafe fn to_floats(v: int32x4_t) -> float32x4_t {
        // SAFETY: the caller guarantees NEON; the instruction touches no memory.
        unsafe { vcvtq_f32_s32(v) }
    }
    #[inline(always)]
    unsafe fn store_rounded(to: *mut i16, v: float32x4_t) {
        // SAFETY: the caller guarantees NEON and a pointer valid for `LANES` values; the
        // instructions need no alignment of registers.
        unsafe { vst1_s16(to, vqmovn_s32(vcvtnq_s32_f32(v))) }
    }
}
