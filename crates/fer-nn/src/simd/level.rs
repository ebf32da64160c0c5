//! Detects the processor's instruction sets and runs kernels compiled for them.

use std::marker::PhantomData;

use pulp::NullaryFnOnce;
#[cfg(target_arch = "aarch64")]
use pulp::aarch64::Neon;
#[cfg(target_arch = "x86_64")]
use pulp::x86::{V3, V4};

use super::Simd;
use super::portable::Portable;
#[cfg(target_arch = "x86_64")]
use super::x86::{Avx2, Avx512, Avx512Bytes, Avx512Vnni};

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

/// An instruction set that this processor supports. pulp creates its tokens only where it has detected the
/// instructions, so running a kernel at any level is safe.
#[derive(Debug, Clone, Copy)]
pub struct Level(InstructionSet);

#[derive(Debug, Clone, Copy)]
enum InstructionSet {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2(V3),
    #[cfg(target_arch = "x86_64")]
    Avx512(V4),
    #[cfg(target_arch = "aarch64")]
    Neon(Neon),
}

impl Level {
    /// The widest instruction set that this processor supports.
    pub fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(token) = V4::try_new() {
            return Self(InstructionSet::Avx512(token));
        } else if let Some(token) = V3::try_new() {
            return Self(InstructionSet::Avx2(token));
        }
        #[cfg(target_arch = "aarch64")]
        if let Some(token) = Neon::try_new() {
            return Self(InstructionSet::Neon(token));
        }
        Self(InstructionSet::Portable)
    }

    /// The name of the instruction set.
    pub const fn name(self) -> &'static str {
        match self.0 {
            InstructionSet::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx2(_) => "AVX2",
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx512(_) => "AVX-512",
            #[cfg(target_arch = "aarch64")]
            InstructionSet::Neon(_) => "NEON",
        }
    }

    /// Every instruction set that this processor supports, the widest last.
    #[cfg(test)]
    pub fn supported() -> Vec<Self> {
        let mut levels = vec![InstructionSet::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            levels.extend(V3::try_new().map(InstructionSet::Avx2));
            levels.extend(V4::try_new().map(InstructionSet::Avx512));
        }
        #[cfg(target_arch = "aarch64")]
        levels.extend(Neon::try_new().map(InstructionSet::Neon));
        levels.into_iter().map(Self).collect()
    }

    /// [`Level::run`] for a kernel that multiplies pairs of integers, for which some processors have a further
    /// instruction.
    pub fn run_pairs<K: Kernel>(self, kernel: K) -> K::Output {
        #[cfg(target_arch = "x86_64")]
        if self.multiplies_bytes() {
            // SAFETY: VNNI was just detected, and pulp's token proves the others.
            return unsafe { run_vnni::<K, Avx512Vnni>(kernel) };
        }
        self.run(kernel)
    }

    /// Whether the processor multiplies bytes faster than pairs of larger integers.
    pub fn multiplies_bytes(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        if matches!(self.0, InstructionSet::Avx512(_)) {
            return is_x86_feature_detected!("avx512vnni");
        }
        false
    }

    /// [`Level::run`] for a kernel whose integers are bytes.
    ///
    /// # Panics
    /// If the processor does not multiply them ([`Level::multiplies_bytes`]).
    pub fn run_bytes<K: Kernel>(self, kernel: K) -> K::Output {
        assert!(self.multiplies_bytes(), "the processor lacks VNNI");
        #[cfg(target_arch = "x86_64")]
        // SAFETY: VNNI was just detected, and pulp's token proves the others.
        return unsafe { run_vnni::<K, Avx512Bytes>(kernel) };
        #[cfg(not(target_arch = "x86_64"))]
        self.run(kernel)
    }

    /// Runs the copy of a kernel that is compiled for this instruction set.
    pub fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self.0 {
            InstructionSet::Portable => Run::<K, Portable>::new(kernel).call(),
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx2(token) => token.vectorize(Run::<K, Avx2>::new(kernel)),
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx512(token) => token.vectorize(Run::<K, Avx512>::new(kernel)),
            #[cfg(target_arch = "aarch64")]
            InstructionSet::Neon(token) => {
                token.vectorize(Run::<K, super::neon::Neon>::new(kernel))
            }
        }
    }
}

/// Runs a kernel compiled for AVX-512 with VNNI, for which pulp has no token.
///
/// # Safety
/// The processor must support the instruction sets, and `S` must need no others.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512vnni,avx2,fma")]
unsafe fn run_vnni<K: Kernel, S: Simd>(kernel: K) -> K::Output {
    // SAFETY: the caller guarantees what `S` needs.
    unsafe { kernel.run::<S>() }
}

/// A kernel and its instruction set, in the form in which pulp takes a function: it is inlined into a function that
/// enables the instructions of the token.
struct Run<K, S> {
    kernel: K,
    set: PhantomData<S>,
}

impl<K: Kernel, S: Simd> Run<K, S> {
    const fn new(kernel: K) -> Self {
        Self {
            kernel,
            set: PhantomData,
        }
    }
}

impl<K: Kernel, S: Simd> NullaryFnOnce for Run<K, S> {
    type Output = K::Output;

    #[inline(always)]
    fn call(self) -> K::Output {
        // SAFETY: `Level::run` pairs each token, which proves that the processor supports its instructions, with an `S`
        // that needs no others: `Avx512` needs AVX-512F and AVX-512BW, parts of V4; `Avx2` needs AVX2 and FMA, parts of
        // V3; `Portable` needs nothing beyond the target's baseline.
        unsafe { self.kernel.run::<S>() }
    }
}
