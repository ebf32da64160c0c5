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
//! Imports run down only: `cli` → `daemon`, `export`, `gallery`, `train` → `pipeline`, `query` →
//! `album`, `imaging`, `detect`, `classify`,
//! `store` → `nn`, `config` and the leaves. Siblings do not import each other; what two of them
//! share is a leaf.

pub mod affine;
pub mod atomic;
pub mod emotion;
pub mod error;
pub mod face;
pub mod file;
pub mod font;
pub mod geo;
pub mod heap;
pub mod output;
pub mod photo;
pub mod raster;
pub mod sample;

pub mod album;
pub mod classify;
pub mod cli;
pub mod config;
#[cfg(unix)]
pub mod daemon;
pub mod detect;
pub mod export;
pub mod gallery;
pub mod imaging;
pub mod nn;
pub mod pipeline;
pub mod query;
pub mod store;
pub mod train;
