//! The same picture is decoded from every format.

use fer_index::imaging::Format;
use image::{DynamicImage, ImageFormat, RgbImage};

use crate::common::{self, difference, fixture, photo};
use crate::{decode, upright};

/// Decodes a file and compares it with `expected`; `tolerance` is the allowed mean difference in grey levels.
fn assert_decodes_to(bytes: &[u8], format: Format, expected: &RgbImage, tolerance: f64) {
    let decoded = decode(bytes);
    assert_eq!(decoded.format, format);
    let difference = difference(&upright(&decoded), expected);
    assert!(difference <= tolerance, "{format}: {difference:.2}");
}

#[test]
fn lossless_formats_are_exact() {
    let reference = photo("formats/reference.png");
    for (format, expected) in [
        (ImageFormat::Png, Format::Png),
        (ImageFormat::WebP, Format::WebP),
        (ImageFormat::Tiff, Format::Tiff),
        (ImageFormat::Bmp, Format::Bmp),
    ] {
        let bytes = common::encoded(reference.clone(), format);
        assert_decodes_to(&bytes, expected, &reference, 0.0);
    }
}

#[test]
fn lossy_formats_are_close() {
    let reference = photo("formats/reference.png");
    for (name, format, tolerance) in [
        ("progressive.jpg", Format::Jpeg, 3.0),
        ("cmyk.jpg", Format::Jpeg, 3.0),
        ("lossy.webp", Format::WebP, 4.0),
        ("plain.heic", Format::Heic, 3.0),
        ("tiles.heic", Format::Heic, 3.0),
        ("turned.avif", Format::Avif, 3.0),
        ("ten-bit.avif", Format::Avif, 3.0),
    ] {
        let bytes = fixture(&format!("formats/{name}"));
        assert_decodes_to(&bytes, format, &reference, tolerance);
    }
    let gif = common::encoded(reference.clone(), ImageFormat::Gif);
    assert_decodes_to(&gif, Format::Gif, &reference, 6.0);
    assert_decodes_to(
        &common::jpeg(reference.clone()),
        Format::Jpeg,
        &reference,
        2.0,
    );
}

#[test]
fn grey_becomes_three_equal_channels() {
    let reference = DynamicImage::from(photo("formats/reference.png")).into_luma8();
    let expected = DynamicImage::from(reference.clone()).into_rgb8();
    let jpeg = common::jpeg(reference.clone());
    assert_decodes_to(&jpeg, Format::Jpeg, &expected, 2.0);
    let png = common::encoded(reference, ImageFormat::Png);
    assert_decodes_to(&png, Format::Png, &expected, 0.0);
    assert_decodes_to(&fixture("formats/grey.avif"), Format::Avif, &expected, 2.0);
}

#[test]
fn sixteen_bits_become_eight() {
    let reference = photo("formats/reference.png");
    let deep = DynamicImage::from(reference.clone()).into_rgb16();
    for format in [ImageFormat::Png, ImageFormat::Tiff] {
        let decoded = decode(&common::encoded(deep.clone(), format));
        assert_eq!(upright(&decoded), reference);
    }
}

#[test]
fn transparent_pixels_become_white() {
    let reference = photo("formats/reference.png");
    let fading = common::encoded(common::fading(&reference), ImageFormat::Png);
    let seen = upright(&decode(&fading));
    let right = reference.width() - 1;
    for y in 0..reference.height() {
        assert_eq!(seen.get_pixel(0, y), reference.get_pixel(0, y));
        assert_eq!(seen.get_pixel(right, y).0, [255; 3]);
    }
    // This one fades from the bottom to the top.
    let seen = upright(&decode(&fixture("formats/alpha.avif")));
    let rows = |from: u32| image::imageops::crop_imm(&seen, 0, from, 160, 4).to_image();
    let original = image::imageops::crop_imm(&reference, 0, 124, 160, 4).to_image();
    assert!(difference(&rows(0), &RgbImage::from_pixel(160, 4, [255; 3].into())) < 5.0);
    assert!(difference(&rows(124), &original) < 8.0);
}

#[test]
fn the_fixture_photos_decode() {
    for (name, size) in [
        ("astronaut.jpg", (512, 512)),
        ("camera.jpg", (512, 512)),
        ("chelsea.jpg", (451, 300)),
        ("coffee.jpg", (600, 400)),
        ("hopper.jpg", (512, 600)),
    ] {
        let decoded = decode(&fixture(name));
        assert_eq!((decoded.raster.width(), decoded.raster.height()), size);
        assert!(difference(&upright(&decoded), &photo(name)) < 1.0, "{name}");
    }
}

#[test]
fn pictures_of_odd_sizes_decode_completely() {
    let photo = photo("astronaut.jpg");
    for (width, height) in [(1, 1), (7, 3), (1, 500), (500, 1), (17, 9)] {
        let small = image::imageops::crop_imm(&photo, 0, 0, width, height).to_image();
        let decoded = decode(&common::jpeg(small.clone()));
        assert!(difference(&upright(&decoded), &small) < 12.0);
    }
}

#[test]
fn a_group_of_twelve_megapixels_decodes() {
    let group = common::group(&[photo("astronaut.jpg"), photo("hopper.jpg")], 300);
    let large = common::twelve_megapixels(&group);
    let decoded = decode(&common::jpeg(large.clone()));
    assert_eq!(
        (decoded.raster.width(), decoded.raster.height()),
        (4000, 3000)
    );
    assert!(difference(decoded.raster.stored(), &large) < 2.0);
}
