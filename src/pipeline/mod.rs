//! The indexing pipeline: from a path to committed rows.
//!
//! ```text
//! plan (scan, compare) ──jobs──▶ workers: read, hash, decode, detect, classify ──▶ one writer
//! ```
//!
//! Both channels are bounded, so that a slow stage slows the stage before it (backpressure).

mod analyse;
mod budget;
mod decoder;
mod first_bytes;
mod index;
mod kin;
mod linked_roots;
mod open;
mod plan;
#[cfg(unix)]
mod process;
mod sidecars;
mod stages;
mod summary;
mod work;
mod write;

pub use analyse::LocalAnalyser;
pub use decoder::Decoder;
pub use index::{
    IndexObserver, IndexOptions, Silent, Unmet, due, index, index_files, of_absent_mount, unmet,
};
pub use kin::{carry_imported, carry_over};
pub use linked_roots::drop_linked_roots;
#[cfg(unix)]
pub use open::Isolated;
pub use open::{Analyser, Opened};
pub use plan::{Comparison, Plan};
#[cfg(unix)]
pub use process::{
    Confinement, Decoders, Detector, Launch, ProcessSettings, Processes, confinement, serve,
};
pub use sidecars::refresh_sidecars;
pub use stages::Stage;
pub use summary::{SkippedFile, SkippedFiles, Summary};
