//! JPEG XL: lossy, lossless, grey, and made of a JPEG; with the orientation of its header.

use fer_index::error::SkipReason;
use fer_index::imaging::{self, Format, Limits};
use image::DynamicImage;
use jiff::civil::date;

use super::{assert_shows, reference};
use crate::common::{fixture, photo};
use crate::decode;

#[test]
fn jpeg_xl_is_shown_upright() {
    for (name, tolerance) in [
        ("lossless", 0.0),
        ("lossy", 4.0),
        ("progressive", 4.0),
        ("of-jpeg", 4.0),
        ("turned", 4.0),
    ] {
        assert_shows(&format!("jxl-{name}.jxl"), &reference(), tolerance);
    }
    for orientation in 1..=8 {
        let name = format!("jxl-orientation{orientation}.jxl");
        assert_shows(&name, &photo("matrix/side.png"), 4.0);
    }
    let grey = DynamicImage::from(reference()).into_luma8();
    assert_shows("jxl-grey.jxl", &DynamicImage::from(grey).into_rgb8(), 3.0);
}

#[test]
fn the_metadata_of_jpeg_xl_are_read_and_not_hashed() {
    let turned = fixture("matrix/jxl-turned.jxl");
    let decoded = decode(&turned);
    assert_eq!(decoded.format, Format::Jxl);
    let taken = decoded.capture().taken_at.unwrap();
    assert_eq!(taken.local, date(2020, 2, 29).at(12, 34, 56, 0));
    assert_eq!(decoded.capture().camera.as_deref(), Some("Model"));

    let hash = |bytes: &[u8]| {
        imaging::facts(bytes, &Limits::default())
            .unwrap()
            .picture
            .hash
    };
    let described = [turned.as_slice(), b"\0\0\0\x0cxml <x/>"].concat();
    assert_eq!(hash(&turned), hash(&described));
    let place = turned.windows(4).rposition(|part| part == b"jxlp").unwrap();
    let mut other = turned.clone();
    other[place + 200] ^= 1;
    assert_ne!(hash(&turned), hash(&other));
}

#[test]
fn jpeg_xl_that_is_cut_short_is_damaged() {
    let limits = Limits::default();
    for name in ["lossless", "lossy", "turned"] {
        let whole = fixture(&format!("matrix/jxl-{name}.jxl"));
        for percent in [30, 60, 90] {
            let skip = imaging::decode(&whole[..whole.len() * percent / 100], &limits).unwrap_err();
            assert_eq!(
                skip.reason,
                SkipReason::Damaged,
                "{name} {percent} %: {skip}"
            );
        }
    }
}
