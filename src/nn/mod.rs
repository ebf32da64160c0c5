//! Numerical kernels: what candle lacks or does slowly on a CPU.
//!
//! Tensors are `f32`, on the CPU, contiguous and NHWC (`[n, height, width, channels]`); convolution
//! kernels are HWIO (`[height, width, in, out]`), so that a kernel is the right-hand matrix of a
//! matrix product as it lies. [`op`] offers what training needs to candle's autograd; the modules
//! below it work on plain slices. Work is divided into parts that do not depend on the number of
//! threads and partial sums are added in a fixed order, so results are bit-equal however many
//! threads run. [`separable`] runs the detector's network.
#![allow(unsafe_code, reason = "register tiles in `std::arch`")]
#![allow(
    clippy::inline_always,
    reason = "a kernel must be inlined into its instruction set's entry point"
)]

mod bias;
pub mod conv;
pub mod conv_norm;
pub mod norm;
pub mod op;
pub mod pool;
mod scratch;
pub mod separable;
mod simd;
#[cfg(test)]
mod testing;

pub use bias::add_bias;
pub use op::{batch_norm, conv2d, global_average_pool, max_pool2d};
pub use simd::Level;
