//! Computes depthwise-separable networks row by row.
//!
//! A chain of layers pulls rows through line buffers: a separable layer keeps the three rows that
//! its depthwise filter reads, and requests the next row from the layer before it. So the values
//! between layers stay in the cache, and only the output of the last layer is written to memory as
//! a whole map.

mod chain;
mod depthwise;
mod dot;
mod feature_map;
mod integer_weights;
mod integers;
mod pairs;
#[cfg(test)]
mod tests;
mod tiles;
mod weights;

pub use chain::{Layer, Source, Workspace, run};
pub use feature_map::FeatureMap;
pub use weights::{Separable, Stem};

/// Channels of a group: kernels compute output channels in groups of a register of the widest
/// instruction set.
const GROUP: usize = 16;
