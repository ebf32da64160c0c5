//! Reads EXIF from each format that can contain it.

use exif::Tag;
use fer_index::imaging::Format;
use fer_index::photo::{Capture, DateSource, FactSources, GeoPoint, Precision, Source, TakenAt};
use fer_index::raster::Orientation;
use image::codecs::png::PngEncoder;
use image::{ImageEncoder, RgbImage};
use jiff::civil::date;
use jiff::tz::offset;

use crate::common::exif_block::ExifBlock;
use crate::common::{self, difference, fixture, photo, stored};
use crate::{decode, upright};

fn png_with_exif(picture: &RgbImage, block: Vec<u8>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = PngEncoder::new(&mut bytes);
    encoder.set_exif_metadata(block).unwrap();
    let (width, height) = picture.dimensions();
    encoder
        .write_image(picture, width, height, image::ExtendedColorType::Rgb8)
        .unwrap();
    bytes
}

/// A JPEG XL in a container (ISO/IEC 18181-2) with an EXIF box.
fn jxl_with_exif(codestream: &[u8], exif: &[u8]) -> Vec<u8> {
    let boxed = |kind: &[u8; 4], content: &[u8]| {
        let length = (8 + content.len()) as u32;
        [&length.to_be_bytes(), kind.as_slice(), content].concat()
    };
    [
        boxed(b"JXL ", b"\r\n\x87\n"),
        boxed(b"ftyp", b"jxl \0\0\0\0jxl "),
        boxed(b"Exif", exif),
        boxed(b"jxlc", codestream),
    ]
    .concat()
}

#[test]
fn the_eight_orientations_give_the_same_upright_picture() {
    let photo = photo("formats/reference.png");
    for orientation in 1..=8 {
        let block = ExifBlock::new().with_orientation(orientation);
        let stored = stored(&photo, orientation);
        let files = [
            common::jpeg_with_exif(&common::jpeg(stored.clone()), &block.bytes()),
            png_with_exif(&stored, block.bytes()),
            common::webp_with_exif(&stored, &block.bytes()),
            block.tiff(&stored),
        ];
        for file in files {
            let decoded = decode(&file);
            let difference = difference(&upright(&decoded), &photo);
            assert!(
                difference < 2.0,
                "{orientation} {}: {difference}",
                decoded.format
            );
            assert_eq!(
                decoded.raster.stored().dimensions(),
                stored.dimensions(),
                "the stored pixels are not rotated"
            );
        }
    }
}

#[test]
fn heic_and_avif_are_not_rotated_twice() {
    // Both are stored rotated, and state this in the container and in EXIF.
    for (name, format) in [("tiles.heic", Format::Heic), ("turned.avif", Format::Avif)] {
        let decoded = decode(&fixture(&format!("formats/{name}")));
        assert_eq!(decoded.format, format);
        let size = (decoded.raster.width(), decoded.raster.height());
        assert_eq!(size, (160, 128));
        assert_eq!(decoded.capture().camera.as_deref(), Some("Maker Model"));
        let taken_at = decoded.capture().taken_at.unwrap();
        assert_eq!(taken_at.local, date(2020, 2, 29).at(12, 34, 56, 0));
    }
}

#[test]
fn all_exif_fields_are_read_from_every_container() {
    let block = ExifBlock::new()
        .with_date("2008:05:30 15:56:01", "25", "-04:00")
        .with_position(-33.856_786, 151.215_289)
        .with_text(Tag::Make, "Canon")
        .with_text(Tag::Model, "Canon EOS 5D")
        .with_text(Tag::LensModel, "EF24-105mm f/4L IS USM")
        .with_text(Tag::ImageDescription, "At the opera")
        .bytes();
    let photo = photo("formats/reference.png");
    let jxl = fixture("matrix/jxl-lossless.jxl");
    let files = [
        // With the offset of the TIFF header, and without, as an encoder writes it.
        jxl_with_exif(&jxl, &[&[0; 4], block.as_slice()].concat()),
        jxl_with_exif(&jxl, &[b"\0\0\0\x06Exif\0\0", block.as_slice()].concat()),
        jxl_with_exif(&jxl, &block),
        common::jpeg_with_exif(&common::jpeg(photo.clone()), &block),
        png_with_exif(&photo, block.clone()),
        common::webp_with_exif(&photo, &block),
        common::webp_with_exif(&photo, &[b"Exif\0\0".as_slice(), &block].concat()),
    ];
    for file in files {
        let mut capture = decode(&file).capture();
        let GeoPoint {
            latitude,
            longitude,
        } = capture.position.take().unwrap();
        assert!((latitude + 33.856_786).abs() < 1e-6);
        assert!((longitude - 151.215_289).abs() < 1e-6);
        let expected = Capture {
            keywords: Vec::new(),
            taken_at: Some(TakenAt {
                local: date(2008, 5, 30).at(15, 56, 1, 250_000_000),
                offset: Some(offset(-4)),
                precision: Precision::Second,
                source: DateSource::Exif,
            }),
            position: None,
            camera: Some("Canon EOS 5D".to_owned()),
            lens: Some("EF24-105mm f/4L IS USM".to_owned()),
            title: None,
            description: Some("At the opera".to_owned()),
            rating: None,
            sources: FactSources {
                position: Some(Source::Exif),
                camera: Some(Source::Exif),
                lens: Some(Source::Exif),
                description: Some(Source::Exif),
                ..FactSources::default()
            },
        };
        assert_eq!(capture, expected);
    }
}

#[test]
fn a_photo_with_broken_exif_decodes() {
    let jpeg = common::jpeg(photo("formats/reference.png"));
    let whole = ExifBlock::new()
        .with_orientation(6)
        .with_date("2008:05:30 15:56:01", "25", "-04:00")
        .bytes();
    for block in [b"".as_slice(), b"garbage", &whole[..20], &[0xff; 100]] {
        let decoded = decode(&common::jpeg_with_exif(&jpeg, block));
        assert_eq!(decoded.raster.width(), 160);
        assert_eq!(decoded.capture(), Capture::default());
    }
    for orientation in [0, 9, u16::MAX] {
        let block = ExifBlock::new().with_orientation(orientation).bytes();
        let decoded = decode(&common::jpeg_with_exif(&jpeg, &block));
        assert_eq!(decoded.raster.width(), 160);
        let map = decoded.raster.upright_to_stored();
        let upright = fer_index::raster::Raster::new(RgbImage::new(160, 128), Orientation::Upright);
        assert_eq!(map, upright.upright_to_stored());
    }
}
