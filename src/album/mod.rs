//! Which files there are: the photos under a folder.

mod filter;
mod scan;

pub use filter::{Filter, FilterSettings};
pub use scan::{FoundFile, ScanProblem, ScannedFolder, resolve_root, scan};
