//! Training and measuring the emotion network.

pub mod album;
pub mod atomic;
pub mod augment;
mod average;
pub mod batch;
mod checkpoint;
pub mod dataset;
pub mod evaluate;
pub mod fit;
pub mod loss;
pub mod metrics;
pub mod optimizer;
pub mod random;
pub mod recipe;
pub mod schedule;
pub mod targets;
mod update;
pub mod weights;

pub use dataset::Dataset;
pub use fit::{Observer, Run};
pub use recipe::Recipe;
