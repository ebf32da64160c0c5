//! Trains and measures the emotion network: data sets, recipes, the training loop, evaluation and
//! plots.
//!
//! No other crate of the workspace depends on candle, rand or plotters.
#![forbid(unsafe_code)]

pub mod architecture;
pub mod augment;
pub mod batch;
pub mod calibrate;
mod checkpoint;
pub mod cross_validation;
pub mod dataset;
mod elementwise;
mod ema;
pub mod ensemble;
pub mod evaluate;
pub mod fit;
pub mod initial_weights;
pub mod loss;
pub mod metrics;
pub mod model_info;
pub mod network;
pub mod onnx;
mod op;
pub mod optimizer;
pub mod pack;
pub mod photos;
pub mod plots;
pub mod random;
pub mod recipe;
mod sam;
pub mod schedule;
pub mod sweep;
pub mod targets;
pub mod teachers;
mod tensor_file;
#[cfg(test)]
mod testing;
pub mod weight_average;
pub mod weights;

pub use dataset::Dataset;
pub use fit::{Run, TrainingObserver};
pub use recipe::Recipe;
