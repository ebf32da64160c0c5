//! TIFF: what scanners and fax machines write.

use std::io::Write as _;

use exif::Tag;
use fer_index::error::SkipReason;
use fer_index::imaging::{self, Format, Limits};
use image::{DynamicImage, RgbImage};

use super::{assert_shows, reference};
use crate::common::exif_block::ExifBlock;
use crate::common::{difference, fixture, photo};
use crate::{decode, upright};

#[test]
fn tiff_of_scanners_is_shown() {
    let grey = DynamicImage::from(reference()).into_luma8();
    for (name, expected, tolerance) in [
        ("palette", photo("matrix/palette.png"), 0.0),
        ("fax3", photo("matrix/black.png"), 0.0),
        ("fax4", photo("matrix/black.png"), 0.0),
        ("fax4-reversed", photo("matrix/black.png"), 0.0),
        ("fax3-2d", photo("matrix/black.png"), 0.0),
        ("fax-runs", photo("matrix/black.png"), 0.0),
        // What littleCMS makes of it differs as much from the picture, for 8 bits are few.
        ("lab", reference(), 0.4),
        ("lab-16", reference(), 0.01),
        ("icclab", reference(), 0.4),
        ("half", reference(), 0.0),
        ("zstd", reference(), 0.0),
        ("lzma", reference(), 0.0),
        ("webp", reference(), 0.0),
        ("jpeg", reference(), 4.0),
        ("jpeg-ycbcr", reference(), 5.0),
        ("jpeg-strips", reference(), 4.0),
        ("jpeg-tiles", reference(), 4.0),
        ("jpeg-planes", reference(), 4.0),
        ("jpeg-fading", faded(), 4.0),
        ("old-jpeg-tables", reference(), 4.0),
        ("old-jpeg-strips", reference(), 4.0),
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

/// The picture on white, transparent on the left and opaque on the right.
fn faded() -> RgbImage {
    let mut picture = reference();
    for (x, _, pixel) in picture.enumerate_pixels_mut() {
        let alpha = x * 255 / 95;
        let on_white = |part: u8| (u32::from(part) * alpha + 255 * (255 - alpha) + 127) / 255;
        pixel.0 = pixel.0.map(|part| on_white(part) as u8);
    }
    picture
}

/// A TIFF of one strip: the tags of the picture, and its data. `tags` come in ascending order, those of the strip
/// excluded.
fn tiff(tags: &[(u16, &[u16])], data: &[u8]) -> Vec<u8> {
    const STRIP_OFFSETS: u16 = 273;
    const STRIP_LENGTHS: u16 = 279;
    let mut all: Vec<(u16, u16, Vec<u8>)> = Vec::new();
    for (tag, values) in tags {
        let values = values.iter().flat_map(|value| value.to_le_bytes());
        all.push((*tag, 3, values.collect()));
    }
    let length = data.len() as u32;
    for (tag, value) in [(STRIP_OFFSETS, 8), (STRIP_LENGTHS, length)] {
        all.push((tag, 4, value.to_le_bytes().to_vec()));
    }
    all.sort();
    let start = 8 + length.next_multiple_of(2);
    let mut file = [b"II*\0", &start.to_le_bytes()[..], data].concat();
    file.resize(start as usize, 0);
    let mut behind = start + 2 + 12 * all.len() as u32 + 4;
    let mut long = Vec::new();
    file.extend((all.len() as u16).to_le_bytes());
    for (tag, kind, value) in all {
        let count = value.len() / if kind == 3 { 2 } else { 4 };
        file.extend([tag, kind].map(u16::to_le_bytes).concat());
        file.extend((count as u32).to_le_bytes());
        if value.len() <= 4 {
            let mut inline = value;
            inline.resize(4, 0);
            file.extend(inline);
        } else {
            file.extend(behind.to_le_bytes());
            behind += value.len() as u32;
            long.extend(value);
        }
    }
    file.extend([0; 4]);
    [file, long].concat()
}

const RGB: u16 = 2;
const YCBCR: u16 = 6;

/// The tags of `reference()` in samples of these bits.
fn tags_of<'a>(
    bits: &'a [u16],
    compression: &'a [u16; 1],
    colours: &'a [u16; 1],
) -> Vec<(u16, &'a [u16])> {
    vec![
        (256, &[96]),
        (257, &[80]),
        (258, bits),
        (259, compression),
        (262, colours),
        (277, &[3]),
    ]
}

fn deflated(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn bits_in_the_other_order_are_read_in_every_coding() {
    let picture = reference();
    let packbits: Vec<u8> = picture
        .as_raw()
        .chunks(128)
        .flat_map(|run| [&[run.len() as u8 - 1], run].concat())
        .collect();
    let lzw = weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8)
        .encode(picture.as_raw())
        .unwrap();
    let plain = picture.as_raw().clone();
    for (compression, data) in [
        (1, plain.clone()),
        (5, lzw),
        (8, deflated(&plain)),
        (32_773, packbits),
    ] {
        let kind = [compression];
        for order in [1, 2] {
            let mut tags = tags_of(&[8, 8, 8], &kind, &[RGB]);
            let order = [order];
            tags.push((266, &order));
            let data: Vec<u8> = match order {
                [2] => data.iter().map(|byte| byte.reverse_bits()).collect(),
                _ => data.clone(),
            };
            let decoded = decode(&tiff(&tags, &data));
            assert!(upright(&decoded) == picture, "{compression}, {order:?}");
        }
    }
}

#[test]
fn colour_differences_may_be_predicted() {
    let picture = reference();
    // ITU-R BT.601.
    let pixels = picture.pixels().map(|pixel| {
        let [red, green, blue] = pixel.0.map(f32::from);
        let luma = 0.299 * red + 0.587 * green + 0.114 * blue;
        let differences = [(blue - luma) / 1.772, (red - luma) / 1.402];
        let [blue, red] = differences.map(|value| (value + 128.0).round() as u8);
        [luma.round() as u8, blue, red]
    });
    let samples: Vec<u8> = pixels.flatten().collect();
    let mut predicted = samples.clone();
    for line in predicted.chunks_mut(96 * 3) {
        for at in (3..line.len()).rev() {
            line[at] = line[at].wrapping_sub(line[at - 3]);
        }
    }
    for (predictor, samples) in [(1, samples), (2, predicted)] {
        let predictor = [predictor];
        let mut tags = tags_of(&[8, 8, 8], &[8], &[YCBCR]);
        tags.push((317, &predictor));
        tags.push((530, &[1, 1]));
        let decoded = decode(&tiff(&tags, &deflated(&samples)));
        let difference = difference(&upright(&decoded), &picture);
        assert!(difference < 1.5, "{predictor:?}: {difference}");
        // No specification says how subsampled colours are predicted.
        tags.pop();
        tags.push((530, &[2, 2]));
        let decoded = imaging::decode(tiff(&tags, &deflated(&samples)), &Limits::default());
        let reason = decoded.err().map(|skip| skip.reason);
        let expected = (predictor == [2]).then_some(SkipReason::UnsupportedFormat);
        assert_eq!(reason, expected, "{predictor:?}");
    }
}

#[test]
fn samples_of_several_kinds_are_refused() {
    let data = vec![0; 96 * 80 * 3];
    let skip = |tags: &[(u16, &[u16])]| {
        let decoded = imaging::decode(tiff(tags, &data), &Limits::default());
        decoded.err().map(|skip| skip.reason)
    };
    let unsupported = Some(SkipReason::UnsupportedFormat);
    assert_eq!(skip(&tags_of(&[8, 8, 8], &[1], &[RGB])), None);
    assert_eq!(skip(&tags_of(&[5, 6, 5], &[1], &[RGB])), unsupported);
    let mut tags = tags_of(&[8, 8, 8], &[1], &[RGB]);
    tags.push((339, &[1, 1, 3]));
    assert_eq!(skip(&tags), unsupported);
}

/// Of integers, the least is black and the greatest white; of floating-point numbers, 0 and 1.
#[test]
fn numbers_of_every_kind_are_read() {
    const UNSIGNED: u16 = 1;
    const SIGNED: u16 = 2;
    const FLOATING: u16 = 3;
    let picture = reference();
    let data =
        |number: fn(u8) -> Vec<u8>| picture.iter().flat_map(|&value| number(value)).collect();
    let cases: [(u16, u16, Vec<u8>); 7] = [
        (8, SIGNED, data(|value| vec![value ^ 0x80])),
        (16, SIGNED, data(|value| vec![value, value ^ 0x80])),
        (32, UNSIGNED, data(|value| vec![value; 4])),
        (64, UNSIGNED, data(|value| vec![value; 8])),
        (
            32,
            SIGNED,
            data(|value| vec![value, value, value, value ^ 0x80]),
        ),
        (
            32,
            FLOATING,
            data(|value| (f32::from(value) / 255.0).to_le_bytes().to_vec()),
        ),
        (
            64,
            FLOATING,
            data(|value| (f64::from(value) / 255.0).to_le_bytes().to_vec()),
        ),
    ];
    for (bits, kind, data) in cases {
        let (all_bits, kinds) = ([bits; 3], [kind; 3]);
        let mut tags = tags_of(&all_bits, &[1], &[RGB]);
        tags.push((339, &kinds));
        assert!(
            upright(&decode(&tiff(&tags, &data))) == picture,
            "{bits} {kind}"
        );
    }
    let mut tags = tags_of(&[40, 40, 40], &[1], &[RGB]);
    tags.push((339, &[UNSIGNED; 3]));
    let skip = imaging::decode(tiff(&tags, &vec![0; 96 * 80 * 15]), &Limits::default());
    assert_eq!(skip.err().unwrap().reason, SkipReason::UnsupportedFormat);
}

#[test]
fn what_is_not_read_is_refused() {
    const GREY: u16 = 1;
    let skip = |tags: &[(u16, &[u16])], data: &[u8]| {
        let decoded = imaging::decode(tiff(tags, data), &Limits::default());
        decoded.err().map(|skip| skip.reason)
    };
    let unsupported = Some(SkipReason::UnsupportedFormat);
    let zeros = vec![0; 96 * 80 * 12];
    // JPEG 2000, LERC, JPEG XR and JPEG XL.
    for compression in [34_712, 34_887, 34_934, 50_002] {
        let kind = [compression];
        let tags = tags_of(&[8, 8, 8], &kind, &[RGB]);
        assert_eq!(skip(&tags, &[0; 100]), unsupported, "{compression}");
    }
    // ITU L*a*b*, and CIE L*a*b* of floating-point numbers.
    let tags = tags_of(&[8, 8, 8], &[1], &[10]);
    assert_eq!(skip(&tags, &zeros), unsupported);
    let mut tags = tags_of(&[32, 32, 32], &[1], &[8]);
    tags.push((339, &[3, 3, 3]));
    assert_eq!(skip(&tags, &zeros), unsupported);
    // Fax of grey.
    let mut tags = tags_of(&[8], &[4], &[GREY]);
    tags.pop();
    assert_eq!(skip(&tags, &[0xff; 1000]), unsupported);
    // JPEG before 1995 that is lossless.
    let mut tags = tags_of(&[8, 8, 8], &[6], &[YCBCR]);
    tags.push((512, &[14]));
    assert_eq!(skip(&tags, &[0xff; 1000]), unsupported);
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
        "fax3-2d",
        "fax-runs",
        "lab-16",
        "half",
        "zstd",
        "lzma",
        "webp",
        "jpeg-tiles",
        "jpeg-planes",
        "jpeg-fading",
        "old-jpeg-tables",
        "old-jpeg-strips",
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
