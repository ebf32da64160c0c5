//! The matrix: one picture in many codings, each compared with what the reference program of its format shows.
//! `make.py` makes the files, and `compare.py` does the same with any folder and the reference decoders that are
//! installed.

mod heif;
mod jpeg;
mod jxl;
mod png;
mod profile;
mod raw;
mod structure;
mod tiff;
mod webp;

use fer_index::imaging::{self, Limits};
use fer_index::photo::PictureHash;
use image::RgbImage;

use crate::common::{difference, fixture, photo};
use crate::{decode, upright};

/// Decodes a file of the matrix and compares it with `expected`; `tolerance` is the allowed mean difference in
/// grey levels.
fn assert_shows(name: &str, expected: &RgbImage, tolerance: f64) {
    let decoded = decode(&fixture(&format!("matrix/{name}")));
    let shown = upright(&decoded);
    assert_eq!(shown.dimensions(), expected.dimensions(), "{name}");
    let difference = difference(&shown, expected);
    assert!(difference <= tolerance, "{name}: {difference:.2}");
}

/// The picture that the files of the matrix show.
fn reference() -> RgbImage {
    photo("matrix/reference.png")
}

/// The picture of 48 × 40 pixels on white, where the opacity of a column is five times its number.
fn fading() -> RgbImage {
    let side = photo("matrix/side.png");
    RgbImage::from_fn(side.width(), side.height(), |x, y| {
        let opacity = 5 * x;
        let on_white = |part: u8| (u32::from(part) * opacity + 255 * (255 - opacity) + 127) / 255;
        image::Rgb(side.get_pixel(x, y).0.map(|part| on_white(part) as u8))
    })
}

fn picture_hash(bytes: &[u8]) -> PictureHash {
    let facts = imaging::facts(bytes, &Limits::default()).unwrap();
    facts.picture.hash
}
