//! Types and functions that the program and the training share: emotions and faces, the crop that is
//! the emotion network's input, model files, and inference.
//!
//! [`classify::Cnn`] turns face crops into [`emotion::EmotionScores`]. It reads its weights from a
//! safetensors file ([`network::ModelFile`]) and runs on the kernels of `fer-nn`; only `fer-train`
//! depends on candle, which defines and trains the same networks.
#![forbid(unsafe_code)]

pub mod affine;
pub mod atomic;
pub mod classify;
pub mod emotion;
pub mod error;
pub mod face;
pub mod features;
pub mod font;
pub mod likeness;
pub mod network;
pub mod output;
pub mod personal;
pub mod raster;
pub mod sample;
