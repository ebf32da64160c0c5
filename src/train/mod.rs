//! Training and measuring the emotion network.

pub mod atomic;
pub mod dataset;
