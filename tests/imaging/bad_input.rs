//! Files that cannot be decoded give a reason and a description, never a panic or an incomplete picture.

use std::time::Duration;

use exif::{Context, Tag, Value};
use fer_index::error::{Skip, SkipReason};
use fer_index::imaging::{self, Decoded, Limits};
use image::ImageFormat;

use crate::common::exif_block::ExifBlock;
use crate::common::{self, fixture, photo, truncated};
use crate::decode;

fn skip_within(bytes: &[u8], limits: &Limits) -> Skip {
    match imaging::decode(bytes, limits) {
        Ok(decoded) => panic!("decoded as {}", decoded.format),
        Err(skip) => skip,
    }
}

fn skip(bytes: &[u8]) -> Skip {
    skip_within(bytes, &Limits::default())
}

/// Whether two outcomes are the same pixels, or the same reason.
fn is_same(one: &Result<Decoded, Skip>, other: &Result<Decoded, Skip>) -> bool {
    let pixels = |decoded: &Decoded| {
        let raster = &decoded.raster;
        raster.resized(raster.width(), raster.height())
    };
    match (one, other) {
        (Ok(one), Ok(other)) => pixels(one) == pixels(other) && one.lost == other.lost,
        (Err(one), Err(other)) => one.to_string() == other.to_string(),
        _ => false,
    }
}

/// One file of every format, with a name.
fn one_of_each() -> Vec<(&'static str, Vec<u8>)> {
    let photo = photo("formats/reference.png");
    let encoded = |format| common::encoded(photo.clone(), format);
    vec![
        ("baseline JPEG", fixture("astronaut.jpg")),
        ("progressive JPEG", fixture("formats/progressive.jpg")),
        ("CMYK JPEG", fixture("formats/cmyk.jpg")),
        ("PNG", fixture("formats/reference.png")),
        ("lossy WebP", fixture("formats/lossy.webp")),
        ("lossless WebP", encoded(ImageFormat::WebP)),
        ("GIF", encoded(ImageFormat::Gif)),
        ("TIFF", encoded(ImageFormat::Tiff)),
        ("BMP", encoded(ImageFormat::Bmp)),
        ("HEIC", fixture("formats/plain.heic")),
        ("tiled HEIC", fixture("formats/tiles.heic")),
        ("AVIF", fixture("formats/turned.avif")),
        ("AVIF of ten bits", fixture("formats/ten-bit.avif")),
    ]
}

#[test]
fn files_that_are_no_images_are_described() {
    assert_eq!(skip(b"").to_string(), "empty: the file has no bytes");
    let text = skip(b"Dear diary,\ntoday I renamed this file to photo.jpg.\n");
    assert_eq!(text.to_string(), "not an image: it holds text");
    assert_eq!(skip(&[0; 5000]).reason, SkipReason::NotAnImage);
}

#[test]
fn formats_without_a_decoder_are_named() {
    let pdf = skip(b"%PDF-1.7\n");
    assert_eq!(pdf.to_string(), "unsupported format: PDF document");
    // A raw file without a preview.
    let raw = ExifBlock::new()
        .with(Tag(Context::Tiff, 0xc612), Value::Byte(vec![1, 4, 0, 0]))
        .tiff(&photo("formats/reference.png"));
    assert_eq!(
        skip(&raw).to_string(),
        "unsupported format: Adobe raw (DNG): it has no JPEG preview"
    );
}

#[test]
fn truncated_files_are_damaged() {
    for (name, bytes) in one_of_each() {
        // Truncated files of these formats are shown as far as they are intact.
        let is_shown = name.contains("JPEG") || name == "PNG";
        let percents: &[usize] = if is_shown { &[] } else { &[30, 60, 90] };
        for &percent in percents {
            let skip = skip(&truncated(&bytes, percent));
            assert_eq!(
                skip.reason,
                SkipReason::Damaged,
                "{name} {percent} %: {skip}"
            );
        }
        // The signature and little more.
        for length in 1..64.min(bytes.len()) {
            let skip = skip(&bytes[..length]);
            let damaged = matches!(skip.reason, SkipReason::Damaged | SkipReason::NotAnImage);
            assert!(damaged, "{name}, {length} bytes: {skip}");
        }
    }
}

#[test]
fn a_truncated_jpeg_is_incomplete_and_one_without_its_last_marker_is_not() {
    for name in ["astronaut.jpg", "hopper.jpg", "formats/progressive.jpg"] {
        let whole = fixture(name);
        let expected = decode(&whole);
        let without_marker = &whole[..whole.len() - 2];
        let with_garbage = [&whole, b"\0\0garbage\xff\xd8\xff".as_slice()].concat();
        for bytes in [without_marker, &with_garbage] {
            let decoded = decode(bytes);
            assert_eq!(decoded.raster.stored(), expected.raster.stored());
            assert!(decoded.lost.is_none());
        }
        // Recovery tools append the marker to the data that they could save.
        for percent in [50, 80, 95] {
            let recovered = [truncated(&whole, percent), b"\xff\xd9".to_vec()].concat();
            let lost = decode(&recovered).lost.unwrap();
            assert_eq!(
                lost.problem,
                "JPEG: its data end before the picture is complete"
            );
        }
    }
}

/// The rows of a damaged JPEG or PNG that are said to be known are those of the whole one.
#[test]
fn the_known_rows_of_a_damaged_jpeg_or_png_are_right() {
    let restarting = fixture("matrix/jpeg-separate-1x1-restarts.jpg");
    let markers: Vec<usize> = (0..restarting.len() - 1)
        .filter(|&at| restarting[at] == 0xff && matches!(restarting[at + 1], 0xd0..=0xd7))
        .collect();
    let mut files = Vec::new();
    for name in [
        "astronaut.jpg",
        "hopper.jpg",
        "formats/cmyk.jpg",
        "formats/reference.png",
    ] {
        let whole = fixture(name);
        files.extend([30, 60, 95].map(|percent| (whole.clone(), truncated(&whole, percent))));
    }
    let between = |pair: &&[usize]| &restarting[pair[0]..pair[1]];
    let is_in_a_scan = |pair: &&[usize]| between(pair).windows(2).all(|code| code != b"\xff\xda");
    for pair in markers.windows(2).filter(is_in_a_scan) {
        // One restart interval is missing.
        let bad = [&restarting[..pair[0]], &restarting[pair[1]..]].concat();
        files.push((restarting.clone(), bad));
        // A marker has a wrong number, so that nothing is missing.
        let mut bad = restarting.clone();
        bad[pair[0] + 1] = 0xd0 + (bad[pair[0] + 1] + 3) % 8;
        let decoded = decode(&bad);
        assert_eq!(decoded.lost, None);
        assert_eq!(decoded.raster.stored(), decode(&restarting).raster.stored());
    }
    for (whole, damaged) in files {
        let expected = decode(&whole);
        let decoded = decode(&damaged);
        let lost = decoded.lost.expect("it is damaged");
        let (width, height) = expected.raster.stored().dimensions();
        assert_eq!(decoded.raster.stored().dimensions(), (width, height));
        let mut known = 0;
        for y in 0..height {
            let row = fer_index::face::BoundingBox {
                x: 0.0,
                y: y as f32,
                width: width as f32,
                height: 1.0,
            };
            if !lost.touches(&decoded.raster, &row) {
                known += 1;
                let crop = |picture| image::imageops::crop_imm(picture, 0, y, width, 1).to_image();
                let difference = common::difference(
                    &crop(expected.raster.stored()),
                    &crop(decoded.raster.stored()),
                );
                // The two decoders round differently.
                assert!(difference < 1.5, "row {y}: {difference}");
            }
        }
        assert!(known > 0 && known < height, "{known} of {height}");
    }
}

#[test]
fn pictures_with_too_many_pixels_are_skipped_before_allocation() {
    let bomb = skip(&common::png_bomb());
    assert_eq!(
        bomb.to_string(),
        "too large: 100000 × 100000 pixels are more than the 250 megapixels allowed"
    );
    let mut jpeg = fixture("astronaut.jpg");
    let frame = jpeg
        .windows(2)
        .position(|pair| pair == b"\xff\xc0")
        .unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xff; 4]);
    assert_eq!(skip(&jpeg).reason, SkipReason::TooLarge);

    let limits = Limits {
        max_pixels: 160 * 128 - 1,
        ..Limits::default()
    };
    let enough = Limits {
        max_pixels: 512 * 512,
        ..Limits::default()
    };
    for (name, bytes) in one_of_each() {
        let skip = skip_within(&bytes, &limits);
        assert_eq!(skip.reason, SkipReason::TooLarge, "{name}: {skip}");
        imaging::decode(&bytes, &enough).unwrap_or_else(|skip| panic!("{name}: {skip}"));
    }
}

#[test]
fn files_with_too_many_bytes_are_skipped() {
    let bytes = fixture("astronaut.jpg");
    let limits = Limits {
        max_bytes: bytes.len() as u64 - 1,
        ..Limits::default()
    };
    assert_eq!(skip_within(&bytes, &limits).reason, SkipReason::TooLarge);
}

#[test]
fn decoding_stops_at_the_deadline() {
    let limits = Limits {
        max_time: Duration::ZERO,
        ..Limits::default()
    };
    for (name, bytes) in one_of_each() {
        // The deadline is checked every 4096 words, and a JPEG of 20 kB is decoded before the first check.
        if name != "progressive JPEG" && name != "CMYK JPEG" {
            let skip = skip_within(&bytes, &limits);
            assert_eq!(skip.reason, SkipReason::TimedOut, "{name}: {skip}");
        }
    }
}

#[test]
fn a_webp_whose_canvas_is_wider_than_its_frame_can_be_is_damaged() {
    let mut bytes = fixture("matrix/webp-fading.webp");
    assert_eq!(&bytes[12..16], b"VP8X");
    bytes[24..27].copy_from_slice(&[0xff, 0xff, 0]); // 65,536 pixels, whose lower 16 bits are 0
    assert_eq!(skip(&bytes).reason, SkipReason::Damaged);
}

/// Truncates files and flips bits; the fixed seed makes a failure reproducible.
#[test]
fn damaged_files_are_decoded_or_skipped_with_a_reason() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let files = one_of_each();
    let limits = Limits {
        max_pixels: 1_000_000,
        ..Limits::default()
    };
    let (mut decoded, mut crashed) = (0, 0);
    for round in 0..40 {
        for (name, whole) in &files {
            let mut bytes = whole.clone();
            if round % 4 == 0 {
                bytes.truncate(1 + random(whole.len()));
            }
            for _ in 0..=random(6) {
                // Half of the flips are in the headers, where they have the largest effect.
                let range = if random(2) == 0 { 400 } else { usize::MAX };
                let at = random(bytes.len().min(range));
                bytes[at] ^= 1 << random(8);
            }
            let outcome = imaging::decode(&bytes, &limits);
            // Bytes that are passed with ownership are read in another way.
            let other = imaging::decode(bytes, &limits);
            assert!(is_same(&outcome, &other), "{name}, round {round}");
            match outcome {
                Ok(_) => decoded += 1,
                Err(skip) if skip.reason == SkipReason::Crashed => crashed += 1,
                Err(skip) => assert!(!skip.detail.is_empty(), "{name}, round {round}: {skip}"),
            }
        }
    }
    // Most files with flips in the pixel data can be decoded, and contained panics are rare.
    assert!(decoded > 50, "{decoded}");
    assert!(crashed < 20, "{crashed}");
}

#[test]
fn a_picture_may_take_eight_bytes_a_pixel() {
    let limits = Limits {
        max_pixels: 40 * 30,
        ..Limits::default()
    };
    let deep = image::ImageBuffer::from_pixel(40, 30, image::Rgba([1_u16, 2, 3, 65_535]));
    let png = common::encoded(image::DynamicImage::ImageRgba16(deep), ImageFormat::Png);
    assert!(imaging::decode(&png, &limits).is_ok());
    let one_less = Limits {
        max_pixels: 40 * 30 - 1,
        ..limits
    };
    assert_eq!(skip_within(&png, &one_less).reason, SkipReason::TooLarge);
}

#[test]
fn a_box_that_claims_more_than_a_gibibyte_is_refused() {
    let heic = fixture("formats/plain.heic");
    let first = u32::from_be_bytes([heic[0], heic[1], heic[2], heic[3]]) as usize;
    for size in [(1_u64 << 30) + 1, 1 << 40, u64::MAX] {
        let (before, after) = heic.split_at(first);
        let long = [
            &[0, 0, 0, 1],
            &after[4..8],
            &size.to_be_bytes(),
            &after[8..],
        ]
        .concat();
        let refused = skip(&[before, &long].concat());
        assert_eq!(refused.reason, SkipReason::Damaged, "{size}: {refused}");
    }
}
