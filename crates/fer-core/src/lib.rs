//! What the program and its training share: emotions and faces, the crop that the emotion network
//! sees, model files, and inference.
//!
//! [`classify::Cnn`] turns face crops into [`emotion::EmotionScores`]. It reads its weights from a
//! safetensors file ([`network::ModelFile`]) and runs on the kernels of `fer-nn`; candle, which
//! defines and trains the same networks, is named by `fer-train` alone.
#![forbid(unsafe_code)]

pub mod affine;
pub mod atomic;
pub mod classify;
pub mod emotion;
pub mod error;
pub mod face;
pub mod font;
pub mod network;
pub mod output;
pub mod raster;
pub mod sample;
