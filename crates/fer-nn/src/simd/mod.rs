//! SIMD vectors of `f32` with the instruction set chosen at run time: AVX-512, AVX2 with FMA, NEON,
//! or plain arrays, which the compiler vectorises with the target's baseline instructions.
//!
//! A kernel is written once, generic over [`Simd`]. [`Level::run`] calls the copy of it that is
//! compiled for one instruction set.

mod level;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
mod tiles;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use level::{Kernel, Level};
pub use tiles::{Columns, Rows, each_column, each_row};

/// The vector operations of an instruction set.
///
/// The methods are unsafe because the processor must support the instruction set, and because the
/// pointer of a method that loads or stores must be valid for [`Simd::LANES`] values and aligned as one
/// of them (not as a register).
pub trait Simd: Copy {
    /// A vector register.
    type Vector: Copy;
    /// A register with a pair of 16-bit integers for each lane; or with four bytes for each, see [`Simd::BYTES`].
    type Pairs: Copy;
    /// A register of 32-bit integers.
    type Integers: Copy;
    /// Number of values in a register.
    const LANES: usize;
    /// Rows of a register tile: the most that, in a tile two registers wide, leave registers for the operands.
    const ROWS: usize;
    /// Bytes per integer that is multiplied. If it is 1, four bytes take the place of each pair: unsigned values (`a`
    /// of [`Simd::dot_pairs`]) and signed weights (`b`).
    const BYTES: usize = 2;

    /// Prefetches the cache line of an address, which need not be valid; by default does nothing.
    #[inline(always)]
    fn prefetch(_at: *const f32) {}
    /// A register with `x` in every lane.
    unsafe fn splat(x: f32) -> Self::Vector;
    /// Unaligned load.
    unsafe fn load(from: *const f32) -> Self::Vector;
    /// Unaligned store.
    unsafe fn store(to: *mut f32, v: Self::Vector);
    /// `a · b + c`.
    unsafe fn multiply_add(a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// `a + b`.
    unsafe fn add(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// The larger value of each lane.
    unsafe fn max(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `a - b`.
    unsafe fn subtract(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `a · b`.
    unsafe fn multiply(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// Unaligned load of a pair for each lane.
    unsafe fn load_pairs(from: *const [i16; 2]) -> Self::Pairs;
    /// A register with a pair in every lane.
    unsafe fn splat_pair(pair: [i16; 2]) -> Self::Pairs;
    /// A register of zeros.
    unsafe fn integers() -> Self::Integers;
    /// `a[0] · b[0] + a[1] · b[1] + c` for each lane. No product may have two factors of -32768.
    unsafe fn dot_pairs(a: Self::Pairs, b: Self::Pairs, c: Self::Integers) -> Self::Integers;
    /// Converts integers.
    unsafe fn to_floats(v: Self::Integers) -> Self::Vector;
    /// Rounds to the nearest integers of [`Simd::BYTES`] bytes and stores them; values must be within ±32767, or from 0
    /// to 255 for bytes.
    unsafe fn store_rounded(to: *mut i16, v: Self::Vector);
}

/// Runs a kernel with the widest instruction set that this processor supports.
pub fn dispatch<K: Kernel>(kernel: K) -> K::Output {
    Level::detect().run(kernel)
}
