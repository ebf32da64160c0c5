//! Numerical kernels: what candle lacks or does slowly on a CPU.
#![allow(unsafe_code, reason = "register tiles in `std::arch`")]
#![allow(
    clippy::inline_always,
    reason = "a kernel must be inlined into its instruction set's entry point"
)]

mod lanes;
mod rows;
mod separable;

pub use lanes::Level;
pub use separable::{FeatureMap, Layer, Separable, Source, Stem, Workspace, run};
