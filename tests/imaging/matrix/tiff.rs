//! TIFF: what scanners and fax machines write.

use exif::Tag;
use fer_index::error::SkipReason;
use fer_index::imaging::{self, Format, Limits};
use image::DynamicImage;

use super::{assert_shows, reference};
use crate::common::exif_block::ExifBlock;
use crate::common::{fixture, photo};
use crate::{decode, upright};

#[test]
fn tiff_of_scanners_is_shown() {
    let grey = DynamicImage::from(reference()).into_luma8();
    for (name, expected, tolerance) in [
        ("palette", photo("matrix/palette.png"), 0.0),
        ("fax3", photo("matrix/black.png"), 0.0),
        ("fax4", photo("matrix/black.png"), 0.0),
        ("fax4-reversed", photo("matrix/black.png"), 0.0),
        ("jpeg", reference(), 4.0),
        ("jpeg-ycbcr", reference(), 5.0),
        ("jpeg-strips", reference(), 4.0),
        ("jpeg-tiles", reference(), 4.0),
        ("jpeg-grey", DynamicImage::from(grey).into_rgb8(), 3.0),
        ("ycbcr-2x2", reference(), 3.0),
        ("ycbcr-2x1", reference(), 2.5),
        // Photoshop Elements writes a fourth sample that means nothing.
        ("fourth-sample", reference(), 0.0),
        // The first picture of the file is a thumbnail.
        ("thumbnail-first", reference(), 0.0),
    ] {
        assert_shows(&format!("tiff-{name}.tif"), &expected, tolerance);
    }
}

/// Scanners name their maker, as raw files do, and put a thumbnail in front.
#[test]
fn a_tiff_that_names_a_maker_of_cameras_is_no_raw_file() {
    for maker in ["EPSON", "NIKON CORPORATION", "Canon"] {
        let file = ExifBlock::new()
            .with_text(Tag::Make, maker)
            .with_text(Tag::Model, "Scanner")
            .tiff(&reference());
        let decoded = decode(&file);
        assert_eq!(decoded.format, Format::Tiff, "{maker}");
        assert_eq!(upright(&decoded), reference(), "{maker}");
    }
}

/// A TIFF in every coding, cut and with flipped bits, is shown or skipped with a reason.
#[test]
fn damaged_tiff_never_crashes() {
    for name in [
        "palette",
        "fax3",
        "fax4",
        "jpeg-tiles",
        "ycbcr-2x2",
        "thumbnail-first",
    ] {
        let whole = fixture(&format!("matrix/tiff-{name}.tif"));
        for at in 0..400.min(whole.len()) {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << (at % 8);
            for bytes in [&flipped, &whole[..whole.len() * at / 400]] {
                if let Err(skip) = imaging::decode(bytes, &Limits::default()) {
                    assert_ne!(skip.reason, SkipReason::Crashed, "{name} {at}: {skip}");
                }
            }
        }
    }
}
