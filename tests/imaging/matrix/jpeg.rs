//! JPEG: sampling, separate scans, arithmetic coding, depth, and the codings that are refused by name.

use fer_index::error::SkipReason;
use fer_index::imaging::{self, Limits};
use image::DynamicImage;

use super::{assert_shows, reference};
use crate::common::fixture;

#[test]
fn jpeg_of_every_sampling_and_coding_is_shown() {
    for (name, tolerance) in [
        ("separate-2x2", 4.5),
        ("separate-1x1-restarts", 3.5),
        ("luma-1x2", 4.5),
        ("luma-3x1", 4.5),
        ("luma-4x1", 5.0),
        ("rgb", 3.0),
        ("arithmetic", 4.5),
        ("arithmetic-restarts", 4.5),
        ("arithmetic-progressive", 4.5),
        ("progressive-approximated", 4.5),
        ("12-bit", 4.5),
        ("dnl", 4.5),
        // The encoder halved the luma of the first, and each colour of the second in another direction.
        ("chroma-finer", 9.0),
        ("chroma-mixed", 5.0),
    ] {
        assert_shows(&format!("jpeg-{name}.jpg"), &reference(), tolerance);
    }
    let grey = DynamicImage::from(reference()).into_luma8();
    let grey = DynamicImage::from(grey).into_rgb8();
    assert_shows("jpeg-arithmetic-grey.jpg", &grey, 3.0);
}

#[test]
fn jpeg_without_the_dct_is_named() {
    let lossless = fixture("matrix/jpeg-lossless.jpg");
    let skip = imaging::decode(&lossless, &Limits::default()).unwrap_err();
    assert_eq!(skip.reason, SkipReason::UnsupportedFormat);
    assert_eq!(skip.detail, "JPEG: lossless coding");
    // The same picture under the marker of JPEG-LS (ISO/IEC 14495-1).
    let marker = lossless.windows(2).position(|pair| pair == [0xff, 0xc3]);
    let mut other = lossless.clone();
    other[marker.unwrap() + 1] = 0xf7;
    let skip = imaging::decode(&other, &Limits::default()).unwrap_err();
    assert_eq!(skip.reason, SkipReason::UnsupportedFormat);
    assert_eq!(skip.detail, "JPEG: JPEG-LS");
}
