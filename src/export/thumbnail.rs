//! Thumbnails of photos, for contact sheets and previews in the terminal.

use std::path::Path;

use image::RgbImage;

use crate::error::Skip;
use crate::file::read_bytes;
use crate::imaging::{self, Limits};

/// An upright copy of the photo at `path`, reduced to fit into `size` (width and height in pixels); never enlarged.
///
/// # Errors
/// Why the photo cannot be read.
pub fn thumbnail_of(path: &Path, limits: &Limits, size: (u32, u32)) -> Result<RgbImage, Skip> {
    let bytes = read_bytes(path, limits.max_bytes)?;
    imaging::copy(&bytes, limits, size.0, size.1)
}
