//! Colour profiles: copies that are shown are in sRGB, whatever the colour space of the file.

use fer_index::imaging::{self, Limits};
use image::{DynamicImage, RgbImage};

use super::picture_hash;
use crate::common::{difference, fixture, photo};
use crate::{decode, upright};

fn copy(bytes: &[u8]) -> RgbImage {
    imaging::copy(bytes, &Limits::default(), 1000, 1000).unwrap()
}

#[test]
fn copies_are_in_srgb() {
    let colours = photo("matrix/side.png");
    let grey = DynamicImage::from(DynamicImage::from(colours.clone()).into_luma8()).into_rgb8();
    for (name, expected) in [
        ("profile-p3.jpg", &colours),
        ("profile-p3.png", &colours),
        ("profile-p3.webp", &colours),
        ("profile-p3.tif", &colours),
        ("heif-profile-p3.heic", &colours),
        ("heif-profile-p3-tile.heic", &colours),
        ("avif-p3.avif", &colours),
        ("profile-adobe.jpg", &colours),
        ("jxl-profile.jxl", &colours),
        ("profile-grey.jpg", &grey),
    ] {
        let file = fixture(&format!("matrix/{name}"));
        let shown = difference(&copy(&file), expected);
        let stored = difference(&upright(&decode(&file)), expected);
        assert!(
            shown < 3.0 && shown + 1.0 < stored,
            "{name}: {shown:.2}, {stored:.2}"
        );
    }
    // A picture in sRGB stays unchanged, with a profile and without.
    for name in ["profile-srgb.jpg", "jpeg-separate-2x2.jpg"] {
        let file = fixture(&format!("matrix/{name}"));
        let changed = difference(&copy(&file), &upright(&decode(&file)));
        assert!(changed < 0.6, "{name}: {changed:.2}");
    }
}

/// Inks are shown as Little CMS shows them, and the detector searches the converted colours.
#[test]
fn inks_look_as_their_profile_says() {
    let expected = photo("matrix/inks.png");
    for name in ["profile-inks.jpg", "profile-inks.tif"] {
        let file = fixture(&format!("matrix/{name}"));
        for shown in [copy(&file), upright(&decode(&file))] {
            let difference = difference(&shown, &expected);
            assert!(difference < 1.5, "{name}: {difference:.2}");
        }
        // Therefore the profile is part of the picture hash.
        let mut other = file.clone();
        let table = file.windows(4).position(|part| part == b"mft2").unwrap();
        other[table + 1000] ^= 1;
        assert_ne!(picture_hash(&file), picture_hash(&other), "{name}");
    }
}

/// A profile that is damaged, or for other colours than the photo's, does not hide the photo.
#[test]
fn a_photo_with_a_wrong_profile_is_shown_without_it() {
    for name in [
        "profile-p3.jpg",
        "heif-profile-p3.heic",
        "profile-inks.jpg",
        "profile-inks.tif",
    ] {
        let whole = fixture(&format!("matrix/{name}"));
        let stored = upright(&decode(&whole));
        let mark = whole.windows(4).position(|part| part == b"acsp").unwrap();
        for at in mark - 36..mark + 120 {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x80;
            assert_eq!(
                copy(&damaged).dimensions(),
                stored.dimensions(),
                "{name} {at}"
            );
        }
    }
}
