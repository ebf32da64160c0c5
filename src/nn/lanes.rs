//! Sixteen `f32` lanes on whatever registers the CPU has.
//!
//! A kernel is written once over [`F32x16`], inlined into an entry point compiled for each
//! instruction set, and chosen at run time by [`Level::detect`].

/// Sixteen `f32` lanes.
///
/// # Safety
/// Every method may only be called where the instruction set of the implementation is present, and
/// inlined into a function compiled for it; pointers must be valid for sixteen values.
pub(crate) trait F32x16: Copy {
    unsafe fn splat(value: f32) -> Self;
    unsafe fn load(from: *const f32) -> Self;
    unsafe fn store(self, to: *mut f32);
    /// `self * factor + addend`, fused where the CPU can.
    unsafe fn mul_add(self, factor: Self, addend: Self) -> Self;
    unsafe fn max(self, other: Self) -> Self;
}

/// The instruction sets that kernels are compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Level {
    /// What every CPU of the target has.
    Portable,
    /// AVX2 with FMA.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AVX-512F.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// NEON.
    #[cfg(target_arch = "aarch64")]
    Neon,
}

impl Level {
    /// Every level that this CPU supports, the best last.
    pub fn supported() -> Vec<Self> {
        #[allow(unused_mut, reason = "other targets add nothing")]
        let mut levels = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                levels.push(Self::Avx2);
            }
            if is_x86_feature_detected!("avx512f") {
                levels.push(Self::Avx512);
            }
        }
        #[cfg(target_arch = "aarch64")]
        if std::arch::is_aarch64_feature_detected!("neon") {
            levels.push(Self::Neon);
        }
        levels
    }

    /// The best level that this CPU supports.
    pub fn detect() -> Self {
        Self::supported().pop().unwrap_or(Self::Portable)
    }
}

/// Plain arrays: the compiler makes of them what the target's baseline allows.
#[derive(Clone, Copy)]
pub(crate) struct Portable([f32; 16]);

impl F32x16 for Portable {
    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Self([value; 16])
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller vouches for sixteen readable values; an array of f32 has their layout.
        Self(unsafe { from.cast::<[f32; 16]>().read() })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller vouches for sixteen writable values.
        unsafe { to.cast::<[f32; 16]>().write(self.0) }
    }

    #[inline(always)]
    unsafe fn mul_add(mut self, factor: Self, addend: Self) -> Self {
        // Not `f32::mul_add`: without FMA in the baseline that is a library call.
        for i in 0..16 {
            self.0[i] = self.0[i] * factor.0[i] + addend.0[i];
        }
        self
    }

    #[inline(always)]
    unsafe fn max(mut self, other: Self) -> Self {
        for i in 0..16 {
            self.0[i] = if self.0[i] > other.0[i] {
                self.0[i]
            } else {
                other.0[i]
            };
        }
        self
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::F32x16;
    use std::arch::x86_64::{
        __m256, __m512, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_max_ps, _mm256_set1_ps,
        _mm256_storeu_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_max_ps, _mm512_set1_ps,
        _mm512_storeu_ps,
    };

    /// Two 256-bit registers.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx2(__m256, __m256);

    // SAFETY (of every block below): the trait's contract gives AVX2, FMA and valid pointers.
    impl F32x16 for Avx2 {
        #[inline(always)]
        unsafe fn splat(value: f32) -> Self {
            let v = unsafe { _mm256_set1_ps(value) };
            Self(v, v)
        }

        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            unsafe { Self(_mm256_loadu_ps(from), _mm256_loadu_ps(from.add(8))) }
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            unsafe {
                _mm256_storeu_ps(to, self.0);
                _mm256_storeu_ps(to.add(8), self.1);
            }
        }

        #[inline(always)]
        unsafe fn mul_add(self, factor: Self, addend: Self) -> Self {
            unsafe {
                Self(
                    _mm256_fmadd_ps(self.0, factor.0, addend.0),
                    _mm256_fmadd_ps(self.1, factor.1, addend.1),
                )
            }
        }

        #[inline(always)]
        unsafe fn max(self, other: Self) -> Self {
            unsafe {
                Self(
                    _mm256_max_ps(self.0, other.0),
                    _mm256_max_ps(self.1, other.1),
                )
            }
        }
    }

    /// One 512-bit register.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx512(__m512);

    // SAFETY (of every block below): the trait's contract gives AVX-512F and valid pointers.
    impl F32x16 for Avx512 {
        #[inline(always)]
        unsafe fn splat(value: f32) -> Self {
            Self(unsafe { _mm512_set1_ps(value) })
        }

        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            Self(unsafe { _mm512_loadu_ps(from) })
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            unsafe { _mm512_storeu_ps(to, self.0) }
        }

        #[inline(always)]
        unsafe fn mul_add(self, factor: Self, addend: Self) -> Self {
            Self(unsafe { _mm512_fmadd_ps(self.0, factor.0, addend.0) })
        }

        #[inline(always)]
        unsafe fn max(self, other: Self) -> Self {
            Self(unsafe { _mm512_max_ps(self.0, other.0) })
        }
    }
}

#[cfg(target_arch = "aarch64")]
pub(crate) use arm::Neon;

#[cfg(target_arch = "aarch64")]
mod arm {
    use super::F32x16;
    use std::arch::aarch64::{
        float32x4_t, vdupq_n_f32, vfmaq_f32, vld1q_f32, vmaxq_f32, vst1q_f32,
    };

    /// Four 128-bit registers.
    #[derive(Clone, Copy)]
    pub(crate) struct Neon([float32x4_t; 4]);

    // SAFETY (of every block below): the trait's contract gives NEON and valid pointers.
    impl F32x16 for Neon {
        #[inline(always)]
        unsafe fn splat(value: f32) -> Self {
            Self([unsafe { vdupq_n_f32(value) }; 4])
        }

        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            unsafe {
                Self([
                    vld1q_f32(from),
                    vld1q_f32(from.add(4)),
                    vld1q_f32(from.add(8)),
                    vld1q_f32(from.add(12)),
                ])
            }
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            for (i, lane) in self.0.into_iter().enumerate() {
                unsafe { vst1q_f32(to.add(4 * i), lane) }
            }
        }

        #[inline(always)]
        unsafe fn mul_add(mut self, factor: Self, addend: Self) -> Self {
            for i in 0..4 {
                self.0[i] = unsafe { vfmaq_f32(addend.0[i], self.0[i], factor.0[i]) };
            }
            self
        }

        #[inline(always)]
        unsafe fn max(mut self, other: Self) -> Self {
            for i in 0..4 {
                self.0[i] = unsafe { vmaxq_f32(self.0[i], other.0[i]) };
            }
            self
        }
    }
}
