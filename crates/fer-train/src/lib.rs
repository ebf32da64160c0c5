//! Training and measuring the emotion network: data sets, recipes, the training loop, evaluation and
//! plots.
//!
//! This is the only crate that names candle, rand and plotters.
#![forbid(unsafe_code)]

pub mod architecture;
pub mod augment;
mod average;
pub mod batch;
pub mod calibrate;
mod checkpoint;
pub mod dataset;
pub mod evaluate;
pub mod fit;
pub mod folds;
pub mod loss;
pub mod metrics;
pub mod network;
mod op;
pub mod optimizer;
pub mod plots;
pub mod random;
pub mod recipe;
pub mod schedule;
pub mod shares;
mod sharpness;
pub mod soup;
pub mod start;
pub mod sweep;
pub mod targets;
pub mod teachers;
#[cfg(test)]
mod testing;
mod update;
pub mod weights;

pub use dataset::Dataset;
pub use fit::{Observer, Run};
pub use recipe::Recipe;
