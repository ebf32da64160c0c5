//! Small copies of photos.

use std::path::Path;

use image::RgbImage;

use crate::error::Skip;
use crate::file::read_bytes;
use crate::imaging::{self, Limits};

/// An upright copy of the photo at `path` that fits into `room` (width and height in pixels); not
/// enlarged.
///
/// # Errors
/// Why the photo cannot be read.
pub fn small_copy(path: &Path, limits: &Limits, room: (u32, u32)) -> Result<RgbImage, Skip> {
    let bytes = read_bytes(path, limits.max_bytes)?;
    Ok(imaging::decode(&bytes, limits)?
        .raster
        .fitted(room.0, room.1))
}
