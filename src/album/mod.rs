//! Which files there are: the photos under a folder, and what happens to them.

mod filter;
mod scan;
mod settle;
mod watch;

pub use filter::{Filter, FilterSettings};
pub use scan::{FoundFile, ScanProblem, Visitor, outermost, resolve_root, scan};
pub use settle::{Readiness, Settling};
pub use watch::{Change, Followed, Watch, needs_polling};
