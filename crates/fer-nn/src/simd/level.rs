//! Detects the processor's instruction sets and runs kernels compiled for them.

use super::Simd;
use super::portable::Portable;

/// A computation written once for every instruction set. `run` must be `#[inline(always)]`: it is
/// compiled for an instruction set only where it is inlined into a function that enables that set.
pub trait Kernel {
    /// Result of the computation.
    type Output;

    /// Computes the result.
    ///
    /// # Safety
    /// The processor must support the instruction set `S`.
    unsafe fn run<S: Simd>(self) -> Self::Output;
}

/// An instruction set that this processor supports. Only detection constructs a level, so running a
/// kernel at any level is safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level(InstructionSet);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InstructionSet {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "aarch64")]
    Neon,
}

impl Level {
    /// The widest instruction set that this processor supports.
    pub fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx512f") {
            return Self(InstructionSet::Avx512);
        } else if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            return Self(InstructionSet::Avx2);
        }
        #[cfg(target_arch = "aarch64")]
        if std::arch::is_aarch64_feature_detected!("neon") {
            return Self(InstructionSet::Neon);
        }
        Self(InstructionSet::Portable)
    }

    /// Every instruction set that this processor supports, the widest last.
    #[cfg(test)]
    pub fn supported() -> Vec<Self> {
        let best = Self::detect();
        let mut levels = vec![Self(InstructionSet::Portable)];
        #[cfg(target_arch = "x86_64")]
        if best == Self(InstructionSet::Avx512)
            && is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
        {
            levels.push(Self(InstructionSet::Avx2));
        }
        if best != levels[0] {
            levels.push(best);
        }
        levels
    }

    /// Runs the copy of a kernel that is compiled for this instruction set.
    pub fn run<K: Kernel>(self, kernel: K) -> K::Output {
        // SAFETY: only `detect` and `supported` construct a level, and of AVX-512, AVX2 and NEON
        // only after the standard library detected the features that `on_avx512`, `on_avx2` or
        // `on_neon` enables. `Portable` uses no instruction beyond the target's baseline.
        unsafe {
            match self.0 {
                InstructionSet::Portable => kernel.run::<Portable>(),
                #[cfg(target_arch = "x86_64")]
                InstructionSet::Avx2 => on_avx2(kernel),
                #[cfg(target_arch = "x86_64")]
                InstructionSet::Avx512 => on_avx512(kernel),
                #[cfg(target_arch = "aarch64")]
                InstructionSet::Neon => on_neon(kernel),
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn on_avx512<K: Kernel>(kernel: K) -> K::Output {
    // SAFETY: the caller guarantees that the processor supports AVX-512F, the only feature that
    // `Avx512` uses.
    unsafe { kernel.run::<super::x86::Avx512>() }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn on_avx2<K: Kernel>(kernel: K) -> K::Output {
    // SAFETY: the caller guarantees that the processor supports AVX2 and FMA, which is all that
    // `Avx2` uses.
    unsafe { kernel.run::<super::x86::Avx2>() }
}

#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "neon")]
unsafe fn on_neon<K: Kernel>(kernel: K) -> K::Output {
    // SAFETY: the caller guarantees that the processor supports NEON, the only feature that `Neon`
    // uses.
    unsafe { kernel.run::<super::neon::Neon>() }
}
