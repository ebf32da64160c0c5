//! What leaves the index: folders of links or copies, contact sheets, keywords in XMP sidecars.

mod folder;
mod manifest;
mod sheet;
mod small;
mod survey;
mod xmp;

pub use folder::{Placed, fill_folder};
pub use sheet::contact_sheet;
pub use small::small_copy;
pub use xmp::{Naming, sidecar, write_sidecar};
