//! Numerical kernels on the CPU: convolution, batch normalisation and pooling with their gradients,
//! and depthwise-separable networks computed row by row.
//!
//! Tensors are `f32` slices, contiguous and NHWC (`[n, height, width, channels]`); convolution
//! kernels are HWIO (`[height, width, in, out]`), so that the memory of a kernel already is the
//! right-hand matrix of a matrix product. Work is divided into parts that do not depend on the
//! number of threads, and partial sums are added in a fixed order, so results are bit-equal on any
//! number of threads. The instruction set is chosen at run time ([`Level`]).
//!
//! All `unsafe` code of the project is in this crate: SIMD kernels, calls of the C library that release memory
//! ([`allocator`], [`av1`]), and memory that processes share.
#![allow(
    unsafe_code,
    reason = "SIMD kernels read and write through pointers; `allocator` and `av1` call the C library; `shared` maps memory"
)]
#![allow(
    clippy::inline_always,
    reason = "a kernel is compiled for an instruction set only where it is inlined"
)]

mod aligned;
pub mod allocator;
pub mod av1;
pub mod conv;
pub mod conv_norm;
pub mod norm;
pub mod pool;
mod scratch;
pub mod separable;
#[cfg_attr(not(target_os = "linux"), path = "shared_absent.rs")]
pub mod shared;
mod simd;
#[cfg(test)]
mod testing;

pub use aligned::AlignedVec;
pub use simd::Level;
