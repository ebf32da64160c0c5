//! The matrix: one picture in many codings, each beside what its own program shows. `make.py` makes the files, and
//! `compare.py` does the same with any folder and the reference decoders that are installed.

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

fn picture_hash(bytes: &[u8]) -> PictureHash {
    let facts = imaging::facts(bytes, &Limits::default()).unwrap();
    facts.picture.hash
}
