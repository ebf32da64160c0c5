//! Exports photos from the index: folders of links or copies, contact sheets, keywords in XMP sidecars.

mod folder;
mod manifest;
mod sheet;
mod survey;
mod thumbnail;
mod xmp;

pub use folder::{Placement, add_to_folder, fill_folder, is_filled};
pub use sheet::contact_sheet;
pub use thumbnail::thumbnail_of;
pub use xmp::write_sidecar;
