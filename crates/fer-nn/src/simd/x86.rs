//! AVX-512 and AVX2.
#![allow(
    clippy::wildcard_imports,
    reason = "the intrinsics' names are their own namespace"
)]

use std::arch::x86_64::*;

use super::Simd;

/// Sixteen lanes.
#[derive(Clone, Copy)]
pub struct Avx512;

/// Eight lanes.
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
                // SAFETY: every x86-64 has the instruction, which does not fault.
                unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
            }
            #[inline(always)]
            unsafe fn splat(x: f32) -> $vector {
                // SAFETY: the caller vouches for the unit.
                unsafe { $splat(x) }
            }
            #[inline(always)]
            unsafe fn load(from: *const f32) -> $vector {
                // SAFETY: the caller vouches for the unit and the pointer.
                unsafe { $load(from) }
            }
            #[inline(always)]
            unsafe fn store(to: *mut f32, v: $vector) {
                // SAFETY: the caller vouches for the unit and the pointer.
                unsafe { $store(to, v) }
            }
            #[inline(always)]
            unsafe fn multiply_add(a: $vector, b: $vector, c: $vector) -> $vector {
                // SAFETY: the caller vouches for the unit.
                unsafe { $fma(a, b, c) }
            }
            #[inline(always)]
            unsafe fn add(a: $vector, b: $vector) -> $vector {
                // SAFETY: the caller vouches for the unit.
                unsafe { $add(a, b) }
            }
            #[inline(always)]
            unsafe fn max(a: $vector, b: $vector) -> $vector {
                // SAFETY: the caller vouches for the unit.
                unsafe { $max(a, b) }
            }
            #[inline(always)]
            unsafe fn subtract(a: $vector, b: $vector) -> $vector {
                // SAFETY: the caller vouches for the unit.
                unsafe { $subtract(a, b) }
            }
            #[inline(always)]
            unsafe fn multiply(a: $vector, b: $vector) -> $vector {
                // SAFETY: the caller vouches for the unit.
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
