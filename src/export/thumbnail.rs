//! Thumbnails of photos, for contact sheets and previews in the terminal.

use std::path::Path;

use image::RgbImage;

use crate::error::Skip;
use crate::file::read_bytes;
use crate::pipeline::Decoder;

/// An upright copy of the photo at `path`, reduced to fit into `size` (width and height in pixels); never enlarged.
///
/// # Errors
/// The reason why the photo cannot be read.
pub fn thumbnail_of(path: &Path, decoder: &Decoder, size: (u32, u32)) -> Result<RgbImage, Skip> {
    let bytes = read_bytes(path, decoder.limits().max_bytes)?;
    decoder.copy(&bytes, size)
}
