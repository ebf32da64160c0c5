//! Lists the photos below a folder and follows changes to them.

mod debounce;
mod filter;
mod markers;
mod scan;
mod watch;

pub use crate::names::FileKind;
pub use debounce::{Debouncer, Readiness};
pub use filter::{AlbumFilter, AlbumFilterSettings};
pub use scan::{
    FoundFile, ScanProblem, Visitor, leads_above, outermost, resolve_root, roots_apart, scan,
    separate_roots,
};
pub use watch::{Change, Followed, Watch, needs_polling};
