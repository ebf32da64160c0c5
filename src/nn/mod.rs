//! Numerical kernels: what candle lacks or does slowly on a CPU.
//!
//! Tensors are `f32`, on the CPU, contiguous and NHWC (`[n, height, width, channels]`); convolution
//! kernels are HWIO (`[height, width, in, out]`), so that a kernel is the right-hand matrix of a
//! matrix product as it lies. [`op`] offers everything to candle's autograd; the modules below it
//! work on plain slices. Work is divided into parts that do not depend on the number of threads and
//! partial sums are added in a fixed order, so results are bit-equal however many threads run.

#![allow(unsafe_code)] // SIMD
#![allow(clippy::inline_always)] // code meant for a vector unit must become part of its caller

pub mod conv;
pub mod conv_norm;
pub mod norm;
pub mod op;
pub mod pool;
mod scratch;
mod simd;

pub use op::{batch_norm, conv2d, global_average_pool, max_pool2d};
