//! Vectors of sixteen lanes with AVX-512F, and of eight lanes with AVX2 and FMA.
#![allow(
    clippy::wildcard_imports,
    reason = "the prefix `_mm` already sets the intrinsics apart"
)]

use std::arch::x86_64::*;

use super::Simd;

/// AVX-512F: sixteen lanes.
#[derive(Clone, Copy)]
pub struct Avx512;

/// AVX2 and FMA: eight lanes.
#[derive(Clone, Copy)]
pub struct Avx2;

macro_rules! implement {
    ($name:ident, $vector:ty, $lanes:literal, $rows:literal,
     $splat:ident, $load:ident, $store:ident, $fma:ident, $add:ident, $max:ident,
     $subtract:ident, $multiply:ident) => {
        impl Simd for $name {
            type Vector = $vector;
            const LANES: usize = $lanes;
            const ROWS: usize = $rows;

            #[inline(always)]
            fn prefetch(at: *const f32) {
                // SAFETY: the instruction is part of SSE, which every x86-64 has, and a prefetch of
                // an invalid address does not fault.
                unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
            }
            #[inline(always)]
            unsafe fn splat(x: f32) -> $vector {
                // SAFETY: the caller guarantees the instruction set; the instruction touches no
                // memory.
                unsafe { $splat(x) }
            }
            #[inline(always)]
            unsafe fn load(from: *const f32) -> $vector {
                // SAFETY: the caller guarantees the instruction set and a pointer valid for `LANES`
                // values; the instruction needs no alignment of registers.
                unsafe { $load(from) }
            }
            #[inline(always)]
            unsafe fn store(to: *mut f32, v: $vector) {
                // SAFETY: the caller guarantees the instruction set and a pointer valid for `LANES`
                // values; the instruction needs no alignment of registers.
                unsafe { $store(to, v) }
            }
            #[inline(always)]
            unsafe fn multiply_add(a: $vector, b: $vector, c: $vector) -> $vector {
                // SAFETY: the caller guarantees the instruction set; the instruction touches no
                // memory.
                unsafe { $fma(a, b, c) }
            }
            #[inline(always)]
            unsafe fn add(a: $vector, b: $vector) -> $vector {
                // SAFETY: the caller guarantees the instruction set; the instruction touches no
                // memory.
                unsafe { $add(a, b) }
            }
            #[inline(always)]
            unsafe fn max(a: $vector, b: $vector) -> $vector {
                // SAFETY: the caller guarantees the instruction set; the instruction touches no
                // memory.
                unsafe { $max(a, b) }
            }
            #[inline(always)]
            unsafe fn subtract(a: $vector, b: $vector) -> $vector {
                // SAFETY: the caller guarantees the instruction set; the instruction touches no
                // memory.
                unsafe { $subtract(a, b) }
            }
            #[inline(always)]
            unsafe fn multiply(a: $vector, b: $vector) -> $vector {
                // SAFETY: the caller guarantees the instruction set; the instruction touches no
                // memory.
                unsafe { $multiply(a, b) }
            }
        }
    };
}

implement!(
    Avx512,
    __m512,
    16,
    12,
    _mm512_set1_ps,
    _mm512_loadu_ps,
    _mm512_storeu_ps,
    _mm512_fmadd_ps,
    _mm512_add_ps,
    _mm512_max_ps,
    _mm512_sub_ps,
    _mm512_mul_ps
);
implement!(
    Avx2,
    __m256,
    8,
    6,
    _mm256_set1_ps,
    _mm256_loadu_ps,
    _mm256_storeu_ps,
    _mm256_fmadd_ps,
    _mm256_add_ps,
    _mm256_max_ps,
    _mm256_sub_ps,
    _mm256_mul_ps
);
