//! Vectors of `f32` over what the processor offers, chosen at run time: AVX-512, AVX2 with FMA, or
//! plain arrays that the compiler vectorises for the baseline.

/// A vector unit. The methods are unsafe because the processor must have it and pointers must be
/// valid for [`Simd::LANES`] values.
pub trait Simd: Copy {
    /// A register.
    type Vector: Copy;
    /// Values in a register.
    const LANES: usize;
    /// Rows of the register tile that, two registers wide, leaves room for its operands.
    const ROWS: usize;

    /// Every lane `x`.
    unsafe fn splat(x: f32) -> Self::Vector;
    /// Unaligned load.
    unsafe fn load(from: *const f32) -> Self::Vector;
    /// Unaligned store.
    unsafe fn store(to: *mut f32, v: Self::Vector);
    /// `a · b + c`.
    unsafe fn multiply_add(a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// `a + b`.
    unsafe fn add(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// The larger of each pair.
    unsafe fn max(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `a - b`.
    unsafe fn subtract(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `a · b`.
    unsafe fn multiply(a: Self::Vector, b: Self::Vector) -> Self::Vector;
}

/// Arrays, for processors without the wider units.
#[derive(Clone, Copy)]
pub struct Portable;

impl Simd for Portable {
    type Vector = [f32; 4];
    const LANES: usize = 4;
    const ROWS: usize = 4;

    #[inline(always)]
    unsafe fn splat(x: f32) -> [f32; 4] {
        [x; 4]
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> [f32; 4] {
        // SAFETY: the caller vouches for four values.
        unsafe { from.cast::<[f32; 4]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, v: [f32; 4]) {
        // SAFETY: the caller vouches for four values.
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
}

/// One value at a time, for what no register fits.
#[derive(Clone, Copy)]
pub struct Scalar;

impl Simd for Scalar {
    type Vector = f32;
    const LANES: usize = 1;
    const ROWS: usize = 8;

    #[inline(always)]
    unsafe fn splat(x: f32) -> f32 {
        x
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> f32 {
        // SAFETY: the caller vouches for the value.
        unsafe { *from }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, v: f32) {
        // SAFETY: the caller vouches for the value.
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
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    #![allow(clippy::wildcard_imports)] // the intrinsics' names are their own namespace
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
            // SAFETY (each method): the caller runs on a processor with the unit and vouches for
            // the pointer.
            impl Simd for $name {
                type Vector = $vector;
                const LANES: usize = $lanes;
                const ROWS: usize = $rows;

                #[inline(always)]
                unsafe fn splat(x: f32) -> $vector {
                    unsafe { $splat(x) }
                }
                #[inline(always)]
                unsafe fn load(from: *const f32) -> $vector {
                    unsafe { $load(from) }
                }
                #[inline(always)]
                unsafe fn store(to: *mut f32, v: $vector) {
                    unsafe { $store(to, v) }
                }
                #[inline(always)]
                unsafe fn multiply_add(a: $vector, b: $vector, c: $vector) -> $vector {
                    unsafe { $fma(a, b, c) }
                }
                #[inline(always)]
                unsafe fn add(a: $vector, b: $vector) -> $vector {
                    unsafe { $add(a, b) }
                }
                #[inline(always)]
                unsafe fn max(a: $vector, b: $vector) -> $vector {
                    unsafe { $max(a, b) }
                }
                #[inline(always)]
                unsafe fn subtract(a: $vector, b: $vector) -> $vector {
                    unsafe { $subtract(a, b) }
                }
                #[inline(always)]
                unsafe fn multiply(a: $vector, b: $vector) -> $vector {
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
}

/// Work written once for every vector unit. `run` must be `#[inline(always)]`, so that it is
/// compiled with the unit's instructions.
pub trait Kernel {
    /// What the work yields.
    type Output;

    /// Does the work.
    ///
    /// # Safety
    /// The processor must have the unit `S`.
    unsafe fn run<S: Simd>(self) -> Self::Output;
}

/// Work on the columns of row-major values, written once for every width.
pub trait Columns {
    /// Works on `V` registers of columns from `column` on.
    ///
    /// # Safety
    /// The processor must have the unit `S`, and the columns must exist.
    unsafe fn work<S: Simd, const V: usize>(&mut self, column: usize);
}

/// Takes all of `count` columns, two registers at a time, then one, then single values.
///
/// # Safety
/// The processor must have the unit `S`, and the columns must exist.
#[inline(always)]
pub unsafe fn each_column<S: Simd>(work: &mut impl Columns, count: usize) {
    let mut column = 0;
    // SAFETY: a block is only taken where that many columns are left.
    unsafe {
        while column + 2 * S::LANES <= count {
            work.work::<S, 2>(column);
            column += 2 * S::LANES;
        }
        while column + S::LANES <= count {
            work.work::<S, 1>(column);
            column += S::LANES;
        }
        while column < count {
            work.work::<Scalar, 1>(column);
            column += 1;
        }
    }
}

/// Work on rows of a register tile, written once for every height.
pub trait Rows {
    /// Works on `N` rows from `row` on, `V` registers wide.
    ///
    /// # Safety
    /// The processor must have the unit `S`, and the rows must exist.
    unsafe fn work<S: Simd, const N: usize, const V: usize>(&mut self, row: usize);
}

/// Takes all of `count` rows, in tiles as high as the unit has registers for.
///
/// # Safety
/// The processor must have the unit `S`, and the rows must exist.
#[inline(always)]
pub unsafe fn each_row<S: Simd, const V: usize>(work: &mut impl Rows, count: usize) {
    let mut row = 0;
    macro_rules! take {
        ($n:literal) => {{
            // SAFETY: at least so many rows are left.
            unsafe { work.work::<S, $n, V>(row) };
            row += $n;
        }};
    }
    while row < count {
        match (count - row).min(S::ROWS) {
            12.. => take!(12),
            9.. => take!(9),
            8 => take!(8),
            6.. => take!(6),
            4.. => take!(4),
            2.. => take!(2),
            _ => take!(1),
        }
    }
}

/// Runs a kernel on the widest unit of this processor.
pub fn dispatch<K: Kernel>(kernel: K) -> K::Output {
    // SAFETY: each unit was just found to be there.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        if is_x86_feature_detected!("avx512f") {
            return on_avx512(kernel);
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            return on_avx2(kernel);
        }
    }
    // SAFETY: arrays work everywhere.
    unsafe { kernel.run::<Portable>() }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn on_avx512<K: Kernel>(kernel: K) -> K::Output {
    // SAFETY: the caller checked.
    unsafe { kernel.run::<x86::Avx512>() }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn on_avx2<K: Kernel>(kernel: K) -> K::Output {
    // SAFETY: the caller checked.
    unsafe { kernel.run::<x86::Avx2>() }
}
