//! Photos for the integration tests: the fixtures, and pictures that are made from them.

// Every test crate uses a part of this module, and a skipped test must print that it was skipped.
#![allow(dead_code, clippy::print_stderr)]

pub mod dump;
pub mod exif_block;

use std::io::Cursor;
use std::path::{Path, PathBuf};

use exif_block::ExifBlock;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};

/// The path of a fixture.
pub fn fixture_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

/// The bytes of a fixture.
pub fn fixture(name: &str) -> Vec<u8> {
    let path = fixture_path(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The pixels of a fixture, decoded by the `image` crate.
pub fn photo(name: &str) -> RgbImage {
    let bytes = fixture(name);
    image::load_from_memory(&bytes).unwrap().into_rgb8()
}

/// A folder of `../shared/data`; `None`, with a message on standard error, if it does not exist.
pub fn shared(folder: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/data")
        .join(folder);
    if path.is_dir() {
        return Some(path);
    }
    skip(&format!("there is no {}", path.display()));
    None
}

/// Reports that a test cannot run here. In CI, which has everything that such tests need, it fails: what CI skips would
/// never be tested.
pub fn skip(reason: &str) {
    assert!(std::env::var_os("CI").is_none(), "{reason}");
    eprintln!("SKIPPED: {reason}");
}

/// Encodes a picture in a format that `image` writes.
pub fn encoded(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Encodes a JPEG of high quality.
pub fn jpeg(picture: impl Into<DynamicImage>) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 95)
        .encode_image(&picture.into())
        .unwrap();
    bytes
}

/// A fixture with EXIF data: the date, (latitude, longitude) in degrees, and the name of the camera.
pub fn photo_taken(name: &str, date: &str, position: (f64, f64), camera: &str) -> Vec<u8> {
    let block = ExifBlock::new()
        .with_date(date, "", "")
        .with_position(position.0, position.1)
        .with_text(exif::Tag::Model, camera);
    jpeg_with_exif(&fixture(name), &block.bytes())
}

/// A JPEG with an EXIF segment after its first marker.
pub fn jpeg_with_exif(jpeg: &[u8], block: &[u8]) -> Vec<u8> {
    let length = (2 + 6 + block.len()) as u16;
    let (start_of_image, rest) = jpeg.split_at(2);
    [
        start_of_image,
        b"\xff\xe1",
        &length.to_be_bytes(),
        b"Exif\0\0",
        block,
        rest,
    ]
    .concat()
}

/// A JPEG with a comment after its first marker: the same picture in other bytes.
pub fn with_comment(jpeg: &[u8], comment: &str) -> Vec<u8> {
    let length = (comment.len() as u16 + 2).to_be_bytes();
    let (start_of_image, rest) = jpeg.split_at(2);
    [
        start_of_image,
        b"\xff\xfe",
        &length,
        comment.as_bytes(),
        rest,
    ]
    .concat()
}

/// Changes the bytes of a file in place and then sets back its modification time, like `exiv2 -k`.
pub fn rewrite_keeping_time(path: &Path, bytes: &[u8]) {
    let before = std::fs::metadata(path).unwrap().modified().unwrap();
    let mut file = std::fs::File::options().write(true).open(path).unwrap();
    std::io::Write::write_all(&mut file, bytes).unwrap();
    file.set_len(bytes.len() as u64).unwrap();
    file.set_modified(before).unwrap();
}

/// A sidecar with these keywords.
pub fn sidecar(keywords: &[&str]) -> String {
    let items = keywords.join("</rdf:li><rdf:li>");
    format!(
        "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"
                  xmlns:dc=\"http://purl.org/dc/elements/1.1/\">
         <rdf:Description><dc:subject><rdf:Bag><rdf:li>{items}</rdf:li></rdf:Bag></dc:subject>
         </rdf:Description></rdf:RDF>"
    )
}

/// An extended WebP file: lossless pixels and an EXIF chunk.
pub fn webp_with_exif(picture: &RgbImage, block: &[u8]) -> Vec<u8> {
    let plain = encoded(picture.clone(), ImageFormat::WebP);
    let side = |pixels: u32| (pixels - 1).to_le_bytes()[..3].to_vec();
    let mut header = vec![0b1000, 0, 0, 0]; // the flag for an EXIF chunk
    header.extend(side(picture.width()));
    header.extend(side(picture.height()));
    let chunk = |name: &[u8], data: &[u8]| {
        let padding = vec![0; data.len() % 2];
        let length = (data.len() as u32).to_le_bytes();
        [name, &length, data, &padding].concat()
    };
    let body = [
        b"WEBP".to_vec(),
        chunk(b"VP8X", &header),
        plain[12..].to_vec(),
        chunk(b"EXIF", block),
    ]
    .concat();
    chunk(b"RIFF", &body)
}

/// The pixels of an upright photo as a camera stores them with this EXIF orientation, 1 to 8.
pub fn stored(upright: &RgbImage, orientation: u16) -> RgbImage {
    use imageops::{flip_horizontal, flip_vertical, rotate90, rotate180, rotate270};
    match orientation {
        2 => flip_horizontal(upright),
        3 => rotate180(upright),
        4 => flip_vertical(upright),
        5 => flip_horizontal(&rotate90(upright)),
        6 => rotate270(upright),
        7 => flip_horizontal(&rotate270(upright)),
        8 => rotate90(upright),
        _ => upright.clone(),
    }
}

/// Photos side by side, each scaled to `height` pixels.
pub fn group(photos: &[RgbImage], height: u32) -> RgbImage {
    let scaled: Vec<RgbImage> = photos
        .iter()
        .map(|photo| {
            let width = (photo.width() * height).div_ceil(photo.height());
            imageops::resize(photo, width, height, FilterType::Triangle)
        })
        .collect();
    let width = scaled.iter().map(RgbImage::width).sum();
    let mut canvas = RgbImage::from_pixel(width, height, Rgb([128; 3]));
    let mut x = 0;
    for photo in scaled {
        imageops::replace(&mut canvas, &photo, i64::from(x), 0);
        x += photo.width();
    }
    canvas
}

/// A photo of twelve megapixels, 4000 × 3000: the given one in the middle, its edge pixels repeated to both
/// sides.
pub fn twelve_megapixels(photo: &RgbImage) -> RgbImage {
    let (width, height) = (4000, 3000);
    let side = (photo.width() * height / photo.height()).min(width);
    let middle = imageops::resize(photo, side, height, FilterType::Triangle);
    let margin = (width - side) / 2;
    RgbImage::from_fn(width, height, |x, y| {
        *middle.get_pixel(x.saturating_sub(margin).min(side - 1), y)
    })
}

/// The photo with an alpha channel from opaque at the left edge to transparent at the right edge.
pub fn fading(photo: &RgbImage) -> RgbaImage {
    let width = photo.width();
    RgbaImage::from_fn(width, photo.height(), |x, y| {
        let [red, green, blue] = photo.get_pixel(x, y).0;
        Rgba([red, green, blue, (255 - 255 * x / (width - 1)) as u8])
    })
}

/// A PNG of 47 bytes whose header states 100,000 × 100,000 pixels.
pub fn png_bomb() -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let size = 100_000_u32.to_be_bytes();
    let header = [size.as_slice(), &size, &[8, 2, 0, 0, 0]].concat();
    for (name, data) in [(b"IHDR", header), (b"IDAT", vec![0x78, 0x9c])] {
        let checked = [name.as_slice(), &data].concat();
        png.extend((data.len() as u32).to_be_bytes());
        png.extend(&checked);
        png.extend(crc32(&checked).to_be_bytes());
    }
    png
}

/// The checksum of PNG chunks.
pub fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

/// The first `percent` of the bytes.
pub fn truncated(bytes: &[u8], percent: usize) -> Vec<u8> {
    bytes[..bytes.len() * percent / 100].to_vec()
}

/// The mean absolute difference of two pictures of the same size, in grey levels.
pub fn difference(a: &RgbImage, b: &RgbImage) -> f64 {
    assert_eq!(a.dimensions(), b.dimensions());
    let sum: u64 = a
        .iter()
        .zip(b.iter())
        .map(|(a, b)| u64::from(a.abs_diff(*b)))
        .sum();
    sum as f64 / a.len() as f64
}

/// A photo of 1600 × 1200 pixels of somebody far away, whose face is too small for the search of the whole photo: 15 ×
/// 18 pixels at 793, 585.
pub fn far_away() -> RgbImage {
    let person = photo("hopper.jpg");
    let scale = 50.0 / f64::from(person.height().max(person.width()));
    let scaled = |side: u32| (f64::from(side) * scale).round() as u32;
    let (width, height) = (scaled(person.width()), scaled(person.height()));
    let person = imageops::resize(&person, width, height, FilterType::Triangle);
    let mut photo = RgbImage::from_pixel(1600, 1200, Rgb([0x55, 0x66, 0x55]));
    imageops::replace(
        &mut photo,
        &person,
        (800 - width / 2).into(),
        (600 - height / 2).into(),
    );
    photo
}

/// A region as Picasa writes it: the edges in 16 bits each, without leading zeros.
pub fn rect64([x, y, w, h]: [f64; 4]) -> String {
    let edge = |at: f64| (at.clamp(0.0, 1.0) * 65_535.0).round() as u64;
    let edges = [x, y, x + w, y + h].map(edge);
    let bits = edges.iter().fold(0, |bits, edge| bits << 16 | edge);
    format!("rect64({bits:x})")
}
