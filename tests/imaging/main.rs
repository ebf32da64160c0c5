//! Decoding, as the rest of the program sees it: bytes in, upright pixels or a reason out.

#![allow(missing_docs)]

#[path = "../common/mod.rs"]
mod common;

mod bad_input;
mod cameras;
mod formats;
mod metadata;

use fer_index::imaging::{self, Decoded, Limits};
use image::RgbImage;

fn decode(bytes: &[u8]) -> Decoded {
    imaging::decode(bytes, &Limits::default()).unwrap_or_else(|skip| panic!("{skip}"))
}

/// The pixels as they are seen.
fn upright(decoded: &Decoded) -> RgbImage {
    let raster = &decoded.raster;
    raster.resized(raster.width(), raster.height())
}
