//! Vectors of sixteen lanes with AVX-512F and AVX-512BW, and of eight lanes with AVX2 and FMA.
#![allow(
    clippy::wildcard_imports,
    reason = "the prefix `_mm` already sets the intrinsics apart"
)]

use std::arch::x86_64::*;

use super::Simd;

/// AVX-512F and AVX-512BW: sixteen lanes.
#[derive(Clone, Copy)]
pub struct Avx512;

/// [`Avx512`] with AVX-512 VNNI, which multiplies pairs of integers and adds them with one instruction.
#[derive(Clone, Copy)]
pub struct Avx512Vnni;

/// [`Avx512Vnni`], which multiplies four bytes for each lane in the place of a pair.
#[derive(Clone, Copy)]
pub struct Avx512Bytes;

/// AVX2 and FMA: eight lanes.
#[derive(Clone, Copy)]
pub struct Avx2;

macro_rules! implement {
    ($name:ident, $vector:ty, $lanes:literal, $rows:literal, $bytes:literal,
     $splat:ident, $load:ident, $store:ident, $fma:ident, $add:ident, $max:ident,
     $subtract:ident, $multiply:ident, $integers:ty, $load_integers:ident,
     $splat_integer:ident, $dot_pairs:ident, $to_floats:ident,
     $store_rounded:ident) => {
        impl Simd for $name {
            type Vector = $vector;
            type Pairs = $integers;
            type Integers = $integers;
            const LANES: usize = $lanes;
            const ROWS: usize = $rows;
            const BYTES: usize = $bytes;

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
            #[inline(always)]
            unsafe fn load_pairs(from: *const [i16; 2]) -> $integers {
                // SAFETY: the caller guarantees the instruction set and a pointer valid for `LANES`
                // pairs; the instruction needs no alignment of registers.
                unsafe { $load_integers(from.cast()) }
            }
            #[inline(always)]
            unsafe fn splat_pair(pair: [i16; 2]) -> $integers {
                let [first, second] = pair.map(|value| u32::from(value as u16));
                // SAFETY: the caller guarantees the instruction set; the instruction touches no
                // memory.
                unsafe { $splat_integer((first | second << 16) as i32) }
            }
            #[inline(always)]
            unsafe fn integers() -> $integers {
                // SAFETY: the caller guarantees the instruction set; the instruction touches no
                // memory.
                unsafe { $splat_integer(0) }
            }
            #[inline(always)]
            unsafe fn dot_pairs(a: $integers, b: $integers, c: $integers) -> $integers {
                // SAFETY: the caller guarantees the instruction set; the instructions touch no
                // memory.
                unsafe { $dot_pairs(a, b, c) }
            }
            #[inline(always)]
            unsafe fn to_floats(v: $integers) -> $vector {
                // SAFETY: the caller guarantees the instruction set; the instruction touches no
                // memory.
                unsafe { $to_floats(v) }
            }
            #[inline(always)]
            unsafe fn store_rounded(to: *mut i16, v: $vector) {
                // SAFETY: the caller guarantees the instruction set and a pointer valid for `LANES`
                // values.
                unsafe { $store_rounded(to, v) }
            }
        }
    };
}

implement!(
    Avx512,
    __m512,
    16,
    12,
    2,
    _mm512_set1_ps,
    _mm512_loadu_ps,
    _mm512_storeu_ps,
    _mm512_fmadd_ps,
    _mm512_add_ps,
    _mm512_max_ps,
    _mm512_sub_ps,
    _mm512_mul_ps,
    __m512i,
    _mm512_loadu_si512,
    _mm512_set1_epi32,
    dot_pairs_512,
    _mm512_cvtepi32_ps,
    store_rounded_512
);
implement!(
    Avx512Vnni,
    __m512,
    16,
    12,
    2,
    _mm512_set1_ps,
    _mm512_loadu_ps,
    _mm512_storeu_ps,
    _mm512_fmadd_ps,
    _mm512_add_ps,
    _mm512_max_ps,
    _mm512_sub_ps,
    _mm512_mul_ps,
    __m512i,
    _mm512_loadu_si512,
    _mm512_set1_epi32,
    dot_pairs_vnni,
    _mm512_cvtepi32_ps,
    store_rounded_512
);
implement!(
    Avx512Bytes,
    __m512,
    16,
    12,
    1,
    _mm512_set1_ps,
    _mm512_loadu_ps,
    _mm512_storeu_ps,
    _mm512_fmadd_ps,
    _mm512_add_ps,
    _mm512_max_ps,
    _mm512_sub_ps,
    _mm512_mul_ps,
    __m512i,
    _mm512_loadu_si512,
    _mm512_set1_epi32,
    dot_quads_vnni,
    _mm512_cvtepi32_ps,
    store_bytes_512
);
implement!(
    Avx2,
    __m256,
    8,
    6,
    2,
    _mm256_set1_ps,
    _mm256_loadu_ps,
    _mm256_storeu_ps,
    _mm256_fmadd_ps,
    _mm256_add_ps,
    _mm256_max_ps,
    _mm256_sub_ps,
    _mm256_mul_ps,
    __m256i,
    _mm256_loadu_si256,
    _mm256_set1_epi32,
    dot_pairs_256,
    _mm256_cvtepi32_ps,
    store_rounded_256
);

/// The sums of the products of pairs and of `c`.
///
/// # Safety
/// The processor must support AVX-512F and AVX-512BW.
#[inline(always)]
unsafe fn dot_pairs_512(a: __m512i, b: __m512i, c: __m512i) -> __m512i {
    // SAFETY: the caller guarantees the instruction sets; the instructions touch no memory.
    unsafe { _mm512_add_epi32(_mm512_madd_epi16(a, b), c) }
}

/// The sums of the products of pairs and of `c`.
///
/// # Safety
/// The processor must support AVX-512F and AVX-512 VNNI.
#[inline(always)]
unsafe fn dot_pairs_vnni(a: __m512i, b: __m512i, c: __m512i) -> __m512i {
    // SAFETY: the caller guarantees the instruction sets; the instruction touches no memory.
    unsafe { _mm512_dpwssd_epi32(c, a, b) }
}

/// The sums of `c` and of the products of four bytes each, those of `a` unsigned and those of `b` signed.
///
/// # Safety
/// The processor must support AVX-512F and AVX-512 VNNI.
#[inline(always)]
unsafe fn dot_quads_vnni(a: __m512i, b: __m512i, c: __m512i) -> __m512i {
    // SAFETY: the caller guarantees the instruction sets; the instruction touches no memory.
    unsafe { _mm512_dpbusd_epi32(c, a, b) }
}

/// The sums of the products of pairs and of `c`.
///
/// # Safety
/// The processor must support AVX2.
#[inline(always)]
unsafe fn dot_pairs_256(a: __m256i, b: __m256i, c: __m256i) -> __m256i {
    // SAFETY: the caller guarantees the instruction set; the instructions touch no memory.
    unsafe { _mm256_add_epi32(_mm256_madd_epi16(a, b), c) }
}

/// Stores the nearest integers to sixteen values.
///
/// # Safety
/// The processor must support AVX-512F, and `to` must be valid for sixteen values.
#[inline(always)]
unsafe fn store_rounded_512(to: *mut i16, v: __m512) {
    // SAFETY: the caller guarantees the instruction set and the pointer; the store needs no
    // alignment.
    unsafe {
        let integers = _mm512_cvtsepi32_epi16(_mm512_cvtps_epi32(v));
        _mm256_storeu_si256(to.cast(), integers);
    }
}

/// Stores the nearest integers to sixteen values from 0 to 255, as bytes.
///
/// # Safety
/// The processor must support AVX-512F, and `to` must be valid for sixteen bytes.
#[inline(always)]
unsafe fn store_bytes_512(to: *mut i16, v: __m512) {
    // SAFETY: the caller guarantees the instruction set and the pointer; the store needs no
    // alignment.
    unsafe {
        let integers = _mm512_cvtusepi32_epi8(_mm512_cvtps_epi32(v));
        _mm_storeu_si128(to.cast(), integers);
    }
}

/// Stores the nearest integers to eight values.
///
/// # Safety
/// The processor must support AVX2, and `to` must be valid for eight values.
#[inline(always)]
unsafe fn store_rounded_256(to: *mut i16, v: __m256) {
    // SAFETY: the caller guarantees the instruction set and the pointer; the store needs no
    // alignment.
    unsafe {
        let integers = _mm256_cvtps_epi32(v);
        // Each half of the register is narrowed separately.
        let narrow = _mm256_packs_epi32(integers, integers);
        let joined = _mm256_permute4x64_epi64::<0b1000>(narrow);
        _mm_storeu_si128(to.cast(), _mm256_castsi256_si128(joined));
    }
}
