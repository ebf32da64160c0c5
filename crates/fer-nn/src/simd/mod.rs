//! Vectors of `f32` over what the processor offers, chosen at run time: AVX-512, AVX2 with FMA, NEON,
//! or plain arrays that the compiler vectorises for the baseline.
//!
//! A kernel is written once over [`Simd`]; [`Level::run`] runs it compiled for one instruction set.

mod level;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
mod tiles;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use level::{Kernel, Level};
pub use tiles::{Columns, Rows, each_column, each_row};

/// A vector unit. The methods are unsafe because the processor must have it and pointers must be
/// valid for [`Simd::LANES`] values.
pub trait Simd: Copy {
    /// A register.
    type Vector: Copy;
    /// Values in a register.
    const LANES: usize;
    /// Rows of the register tile that, two registers wide, leaves room for its operands.
    const ROWS: usize;

    /// Asks for the cache line of an address, which need not be valid.
    #[inline(always)]
    fn prefetch(_at: *const f32) {}
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

/// Runs a kernel on the best unit of this processor.
pub fn dispatch<K: Kernel>(kernel: K) -> K::Output {
    Level::detect().run(kernel)
}
