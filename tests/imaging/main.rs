//! Tests of decoding through its public interface: from bytes to upright pixels or a reason to skip.

#![allow(missing_docs)]

#[path = "../common/mod.rs"]
mod common;

mod bad_input;
mod cameras;
mod formats;
mod matrix;
mod memory;
mod metadata;
mod picture;

use fer_index::imaging::{self, Decoded, Limits};
use image::RgbImage;

fn decode(bytes: &[u8]) -> Decoded {
    imaging::decode(bytes, &Limits::default()).unwrap_or_else(|skip| panic!("{skip}"))
}

/// The pixels after the orientation is applied.
fn upright(decoded: &Decoded) -> RgbImage {
    let raster = &decoded.raster;
    raster.resized(raster.width(), raster.height())
}
