//! Which instruction sets there are, and code compiled for each.

use super::Simd;
use super::portable::Portable;

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

/// An instruction set that this processor has. There is no way to make one that it has not, so that
/// running a kernel on it is safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level(Unit);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "aarch64")]
    Neon,
}

impl Level {
    /// The best.
    pub fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx512f") {
            return Self(Unit::Avx512);
        } else if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            return Self(Unit::Avx2);
        }
        #[cfg(target_arch = "aarch64")]
        if std::arch::is_aarch64_feature_detected!("neon") {
            return Self(Unit::Neon);
        }
        Self(Unit::Portable)
    }

    /// All of them, the best last.
    #[cfg(test)]
    pub fn supported() -> Vec<Self> {
        let best = Self::detect();
        let mut levels = vec![Self(Unit::Portable)];
        #[cfg(target_arch = "x86_64")]
        if best == Self(Unit::Avx512) && is_x86_feature_detected!("avx2") {
            levels.push(Self(Unit::Avx2));
        }
        if best != levels[0] {
            levels.push(best);
        }
        levels
    }

    /// Runs a kernel.
    pub fn run<K: Kernel>(self, kernel: K) -> K::Output {
        // SAFETY: a level is only made where the processor has the unit.
        unsafe {
            match self.0 {
                Unit::Portable => kernel.run::<Portable>(),
                #[cfg(target_arch = "x86_64")]
                Unit::Avx2 => on_avx2(kernel),
                #[cfg(target_arch = "x86_64")]
                Unit::Avx512 => on_avx512(kernel),
                #[cfg(target_arch = "aarch64")]
                Unit::Neon => on_neon(kernel),
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn on_avx512<K: Kernel>(kernel: K) -> K::Output {
    // SAFETY: the caller checked.
    unsafe { kernel.run::<super::x86::Avx512>() }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn on_avx2<K: Kernel>(kernel: K) -> K::Output {
    // SAFETY: the caller checked.
    unsafe { kernel.run::<super::x86::Avx2>() }
}

#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "neon")]
unsafe fn on_neon<K: Kernel>(kernel: K) -> K::Output {
    // SAFETY: the caller checked.
    unsafe { kernel.run::<super::neon::Neon>() }
}
