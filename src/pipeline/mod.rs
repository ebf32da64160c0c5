//! From a path to a committed row.
//!
//! ```text
//! plan (scan, compare) ──jobs──▶ workers: read, hash, decode, detect, classify ──▶ one writer
//! ```
//!
//! Both channels are bounded, so a slow stage holds the one before it back.

mod analyse;
mod budget;
mod index;
mod plan;
mod summary;
mod work;
mod write;

pub use analyse::Analyser;
pub use index::{IndexOptions, Observer, Silent, index, look_at};
pub use plan::{Comparison, Plan};
pub use summary::{SkippedFile, SkippedFiles, Summary};
