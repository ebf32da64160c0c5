//! The hash of a picture: metadata do not change it, and everything that changes the pixels does.

use exif::Tag;
use fer_index::imaging::{Limits, facts};
use fer_index::photo::Picture;
use fer_index::raster::Orientation;
use image::{ImageFormat, RgbImage};

use crate::common::exif_block::ExifBlock;
use crate::common::{self, fixture, photo};
use crate::decode;

fn picture(bytes: &[u8]) -> Picture {
    facts(bytes, &Limits::default()).unwrap().picture
}

/// A picture of 24 × 16 pixels, so that every byte of its file can be tried.
fn small() -> RgbImage {
    let photo = photo("formats/reference.png");
    image::imageops::thumbnail(&photo, 24, 16)
}

/// An EXIF block with all kinds of fields.
fn block() -> ExifBlock {
    ExifBlock::new()
        .with_orientation(1)
        .with_date("2008:05:30 15:56:01", "25", "-04:00")
        .with_text(Tag::Model, "Canon EOS 5D")
}

fn segment(code: u8, payload: &[u8]) -> Vec<u8> {
    let length = (2 + payload.len()) as u16;
    [&[0xff, code], length.to_be_bytes().as_slice(), payload].concat()
}

/// A JPEG with these segments after its first marker.
fn with_segments(jpeg: &[u8], segments: &[Vec<u8>]) -> Vec<u8> {
    [&jpeg[..2], &segments.concat(), &jpeg[2..]].concat()
}

fn png_chunk(kind: &[u8], data: &[u8]) -> Vec<u8> {
    let checked = [kind, data].concat();
    let length = (data.len() as u32).to_be_bytes();
    [
        &length,
        checked.as_slice(),
        &common::crc32(&checked).to_be_bytes(),
    ]
    .concat()
}

#[test]
fn writing_metadata_into_a_jpeg_keeps_its_picture() {
    let tables = |jpeg: &[u8]| jpeg.to_vec();
    for jpeg in [
        common::jpeg(small()),
        tables(&fixture("formats/progressive.jpg")),
        fixture("formats/cmyk.jpg"),
        fixture("hopper.jpg"),
    ] {
        let plain = picture(&jpeg);
        let xmp = [
            b"http://ns.adobe.com/xap/1.0/\0".as_slice(),
            b"<x:xmpmeta/>",
        ]
        .concat();
        let exif = [b"Exif\0\0".as_slice(), &block().bytes()].concat();
        let rotated = [b"Exif\0\0".as_slice(), &block().with_orientation(6).bytes()].concat();
        for segments in [
            vec![segment(0xe1, &exif)],
            vec![segment(0xe1, &exif), segment(0xe1, &xmp)],
            vec![
                segment(0xed, b"Photoshop 3.0\0 8BIM"),
                segment(0xfe, b"a comment"),
            ],
            vec![
                segment(0xe2, b"MPF\0 other pictures"),
                segment(0xec, b"Ducky"),
            ],
            // A thumbnail with markers of its own.
            vec![segment(0xe1, b"Exif\0\0MM \xff\xd8\xff\xda\xff\xd9")],
        ] {
            assert_eq!(picture(&with_segments(&jpeg, &segments)), plain);
        }
        let trailer = [jpeg.as_slice(), &jpeg, b"trailing bytes"].concat();
        assert_eq!(picture(&trailer), plain, "what follows the picture");
        let fill = [&jpeg[..2], b"\xff\xff", &jpeg[2..]].concat();
        assert_eq!(picture(&fill), plain, "fill bytes");

        let only = ExifBlock::new().with_orientation(6).bytes();
        let turned = picture(&common::jpeg_with_exif(&jpeg, &only));
        assert_eq!(turned.orientation, Orientation::Rotate90);
        assert_eq!(turned.hash, plain.hash);
        assert_eq!(
            picture(&with_segments(&jpeg, &[segment(0xe1, &rotated)])).hash,
            plain.hash
        );
    }
}

#[test]
fn the_colour_transform_of_a_jpeg_is_part_of_its_picture() {
    let jpeg = common::jpeg(small());
    let adobe = |transform| {
        segment(
            0xee,
            &[b"Adobe\0d\0\0\0\0".as_slice(), &[transform]].concat(),
        )
    };
    let with = |transform| with_segments(&jpeg, &[adobe(transform)]);
    assert_ne!(picture(&with(0)).hash, picture(&with(1)).hash);
    assert_ne!(picture(&with(1)).hash, picture(&jpeg).hash);
    // The density in the JFIF segment does not.
    let at = jpeg.windows(5).position(|part| part == b"JFIF\0").unwrap();
    let mut dense = jpeg.clone();
    dense[at + 8..at + 12].copy_from_slice(&[1, 44, 1, 44]);
    assert_eq!(picture(&dense), picture(&jpeg));
}

#[test]
fn writing_metadata_into_a_png_keeps_its_picture_and_they_are_found() {
    let png = common::encoded(small(), ImageFormat::Png);
    let plain = picture(&png);
    let xmp = b"XML:com.adobe.xmp\0\0\0\0\0<x:xmpmeta><dc:subject><rdf:Bag><rdf:li>Beach</rdf:li></rdf:Bag></dc:subject></x:xmpmeta>";
    let chunks = [
        png_chunk(b"tEXt", b"Comment\0hello"),
        png_chunk(b"iTXt", xmp),
        png_chunk(b"eXIf", &block().with_orientation(1).bytes()),
        png_chunk(b"pHYs", &[0, 0, 1, 0, 0, 0, 1, 0, 1]),
        png_chunk(b"tIME", &[7, 208, 1, 1, 1, 1, 1]),
    ]
    .concat();
    let end = png.len() - 12; // before the chunk that ends the file
    // The signature and the header take 33 bytes.
    for at in [33, end] {
        let tagged = [&png[..at], &chunks, &png[at..]].concat();
        assert_eq!(picture(&tagged), plain, "at {at}");
        let capture = facts(&tagged, &Limits::default()).unwrap().capture();
        assert_eq!(capture.keywords, ["Beach"], "at {at}");
        assert_eq!(capture.camera.as_deref(), Some("Canon EOS 5D"), "at {at}");
        assert_eq!(decode(&tagged).capture(), capture, "at {at}");
    }
}

#[test]
fn writing_metadata_into_a_webp_keeps_its_picture() {
    let plain = common::encoded(small(), ImageFormat::WebP);
    let tagged = common::webp_with_exif(&small(), &block().bytes());
    assert_eq!(picture(&tagged), picture(&plain));
    let again = common::webp_with_exif(&small(), &ExifBlock::new().with_orientation(8).bytes());
    assert_eq!(picture(&again).hash, picture(&plain).hash);
    assert_eq!(picture(&again).orientation, Orientation::Rotate270);
    // A lossy file in the simple format becomes one in the extended format.
    let lossy = fixture("formats/lossy.webp");
    let chunk = |kind: &[u8], data: &[u8]| {
        let length = (data.len() as u32).to_le_bytes();
        [kind, &length, data, &vec![0; data.len() % 2]].concat()
    };
    assert_eq!(&lossy[12..16], b"VP8 ");
    let header = [8, 0, 0, 0, 159, 0, 0, 127, 0, 0];
    let body = [
        b"WEBP".to_vec(),
        chunk(b"VP8X", &header),
        lossy[12..].to_vec(),
        chunk(b"EXIF", &block().bytes()),
    ]
    .concat();
    let extended = chunk(b"RIFF", &body);
    assert_eq!(decode(&extended).raster.width(), 160);
    assert_eq!(picture(&extended), picture(&lossy));
}

#[test]
fn writing_metadata_into_a_tiff_keeps_its_picture() {
    let plain = picture(&ExifBlock::new().tiff(&small()));
    assert_eq!(picture(&block().tiff(&small())), plain);
    let described = ExifBlock::new()
        .with_text(Tag::ImageDescription, &"long ".repeat(100))
        .with_orientation(3);
    let packet = b"<dc:subject><rdf:Bag><rdf:li>Beach</rdf:li></rdf:Bag></dc:subject>";
    let xmp = Tag(exif::Context::Tiff, 0x02bc);
    let described = described.with(xmp, exif::Value::Byte(packet.to_vec()));
    let file = described.tiff(&small());
    let capture = facts(&file, &Limits::default()).unwrap().capture();
    assert_eq!(capture.keywords, ["Beach"]);
    let turned = picture(&file);
    assert_eq!(turned.hash, plain.hash);
    assert_eq!(turned.orientation, Orientation::Rotate180);
}

#[test]
fn writing_a_comment_into_a_gif_keeps_its_picture() {
    let gif = common::encoded(small(), ImageFormat::Gif);
    let flags = gif[10];
    let colours = if flags & 0x80 == 0 {
        0
    } else {
        3 << ((flags & 7) + 1)
    };
    let (head, rest) = gif.split_at(13 + colours);
    let comment = b"!\xfe\x05hello\0";
    let application = b"!\xff\x0bXMP DataXMP\x03<x>\0";
    let tagged = [head, comment, application, rest, b"behind"].concat();
    assert_eq!(picture(&tagged), picture(&gif));
}

#[test]
fn what_follows_a_heic_or_avif_does_not_matter() {
    for name in ["plain.heic", "tiles.heic", "turned.avif"] {
        let bytes = fixture(&format!("formats/{name}"));
        let longer = [bytes.as_slice(), b"\0\0\0\x0cfree...."].concat();
        assert_eq!(picture(&longer), picture(&bytes), "{name}");
    }
}

#[test]
fn pictures_in_different_formats_are_different() {
    let mut hashes: Vec<_> = [
        ImageFormat::Png,
        ImageFormat::WebP,
        ImageFormat::Gif,
        ImageFormat::Tiff,
        ImageFormat::Bmp,
    ]
    .map(|format| picture(&common::encoded(small(), format)).hash)
    .into();
    hashes.push(picture(&common::jpeg(small())).hash);
    for name in ["plain.heic", "tiles.heic", "turned.avif", "ten-bit.avif"] {
        hashes.push(picture(&fixture(&format!("formats/{name}"))).hash);
    }
    let count = hashes.len();
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), count);
}

/// Changes each `step`th byte of a file. A change that keeps the hash must keep the pixels. Returns how many
/// of the changes kept it.
fn changes_that_keep_the_hash(name: &str, bytes: &[u8], step: usize) -> usize {
    let before = picture(bytes).hash;
    let pixels = decode(bytes).raster.stored().clone();
    let mut kept = 0;
    for at in (0..bytes.len()).step_by(step) {
        for mask in [0x01, 0x80] {
            let mut changed = bytes.to_vec();
            changed[at] ^= mask;
            let Ok(facts) = facts(&changed, &Limits::default()) else {
                continue;
            };
            if facts.picture.hash == before {
                kept += 1;
                let decoded = decode(&changed);
                assert_eq!(
                    *decoded.raster.stored(),
                    pixels,
                    "{name}: byte {at} ^ {mask}"
                );
            }
        }
    }
    kept
}

#[test]
fn a_byte_that_changes_the_pixels_changes_the_hash() {
    let small = small();
    let exif = block().bytes();
    let mut alpha = common::fading(&small);
    alpha.put_pixel(3, 3, image::Rgba([1, 2, 3, 4]));
    let files = [
        (
            "jpeg",
            common::jpeg_with_exif(&common::jpeg(small.clone()), &exif),
        ),
        (
            "grey jpeg",
            common::jpeg(image::DynamicImage::from(small.clone()).into_luma8()),
        ),
        ("png", common::encoded(small.clone(), ImageFormat::Png)),
        (
            "png with alpha",
            common::encoded(alpha.clone(), ImageFormat::Png),
        ),
        ("webp", common::webp_with_exif(&small, &exif)),
        ("webp with alpha", common::encoded(alpha, ImageFormat::WebP)),
        ("gif", common::encoded(small.clone(), ImageFormat::Gif)),
        ("tiff", block().tiff(&small)),
        ("bmp", common::encoded(small, ImageFormat::Bmp)),
    ];
    for (name, bytes) in files {
        let kept = changes_that_keep_the_hash(name, &bytes, 1);
        // The metadata of these files are small.
        assert!(kept < 900, "{name}: {kept} of {}", 2 * bytes.len());
    }
    for name in [
        "progressive.jpg",
        "cmyk.jpg",
        "lossy.webp",
        "plain.heic",
        "tiles.heic",
        "turned.avif",
        "alpha.avif",
    ] {
        changes_that_keep_the_hash(name, &fixture(&format!("formats/{name}")), 29);
    }
}

#[test]
fn a_truncated_file_has_another_hash() {
    for format in [
        ImageFormat::Png,
        ImageFormat::WebP,
        ImageFormat::Gif,
        ImageFormat::Tiff,
    ] {
        let bytes = common::encoded(small(), format);
        let whole = picture(&bytes).hash;
        for end in bytes.len() / 2..bytes.len() * 9 / 10 {
            if let Ok(facts) = facts(&bytes[..end], &Limits::default()) {
                assert_ne!(facts.picture.hash, whole, "{format:?} {end}");
            }
        }
    }
}
