//! fer-index finds the faces in photos, classifies the apparent expression of each face, and stores the results in an
//! SQLite database that can be searched. Nothing leaves the machine.
//!
//! The path of a photo through the modules:
//!
//! ```text
//! album ──path──▶ imaging ──pixels, EXIF──▶ detect ──faces──▶ classify ──scores──▶ store
//!   ▲                       pipeline drives it                                       │
//!   └──────────────────── cli queries, shows ◀───────── query ──────────────────────┘
//! ```
//!
//! This crate is the program: the daemon, the one-off index, the queries, the gallery and the command line. It depends
//! on `fer-core` (emotions, faces, the crop, model files and inference), which depends on `fer-nn` (numerical kernels),
//! and, with the feature `train`, on `fer-train` (data sets, training, evaluation, plots). `ARCHITECTURE.md` lists
//! which module may import which.
#![forbid(unsafe_code)]

pub use fer_core::{
    affine, atomic, classify, emotion, face, features, likeness, network, output, personal, raster,
    sample,
};

pub mod borders;
pub mod canvas;
pub mod error;
pub mod facts;
pub mod file;
pub mod geo;
pub mod lock;
pub mod mount;
pub mod names;
pub mod photo;
pub mod real_path;
pub mod sidecar;

pub mod xmp;
pub mod zones;

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
