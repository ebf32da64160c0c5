//! Depthwise-separable networks, run row by row.
//!
//! A chain of units pulls rows through line buffers: a unit keeps the three rows its depthwise
//! filter sees and asks the unit before it for the next one, so what passes between units stays in
//! the cache and only the maps that are wanted are written out.

mod chain;
mod depthwise;
mod dot;
mod feature_map;
#[cfg(test)]
mod tests;
mod units;

pub use chain::{Layer, Source, Workspace, run};
pub use feature_map::FeatureMap;
pub use units::{Separable, Stem};

/// Output channels come in groups of so many: a register of the widest unit.
const LANES: usize = 16;
