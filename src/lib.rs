//! fer-index finds the faces in a folder of photos, reads the apparent expression of each and keeps
//! the answers in SQLite, so that the happy photos are one query away. Nothing leaves the machine.
//!
//! A photo travels one way:
//!
//! ```text
//! album ──path──▶ imaging ──pixels, EXIF──▶ detect ──faces──▶ classify ──scores──▶ store
//!   ▲                       pipeline drives it                                       │
//!   └──────────────────── cli asks and shows ◀───────── query ──────────────────────┘
//! ```
//!
//! This crate is the program: the daemon, the one-off index, the queries and the gallery. Below it
//! are `fer-core` (emotions, faces, the crop, model files and inference) and `fer-nn` (kernels);
//! beside it, behind the feature `train`, `fer-train` (data sets, training, evaluation, plots).
//! Inside it, imports run down only; `ARCHITECTURE.md` has the order.
#![forbid(unsafe_code)]

pub use fer_core::{affine, atomic, classify, emotion, face, network, output, raster, sample};

pub mod canvas;
pub mod error;
pub mod file;
pub mod geo;
pub mod photo;

pub mod album;
pub mod cli;
pub mod config;
#[cfg(unix)]
pub mod daemon;
pub mod detect;
#[cfg(feature = "train")]
pub mod evaluation;
pub mod export;
pub mod gallery;
pub mod imaging;
pub mod pipeline;
pub mod query;
pub mod store;
