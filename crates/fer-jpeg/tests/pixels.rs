//! The pixels: at full size equal to libjpeg's and close to zune-jpeg's, at other sizes close to a reduction of these,
//! and in any part equal to those of the whole.

mod common;

use std::path::Path;

use common::{decode, file, files};
use fer_jpeg::{Area, Channels, Pixels};
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// The files that are photos.
const PHOTOS: [&str; 5] = [
    "astronaut.jpg",
    "camera.jpg",
    "chelsea.jpg",
    "coffee.jpg",
    "hopper.jpg",
];

/// The 64-bit FNV-1a hash, as in `fixtures/make.py`.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

#[test]
fn at_full_size_every_pixel_is_that_of_libjpeg() {
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/expected.tsv");
    let list = std::fs::read_to_string(list).unwrap();
    for line in list.lines() {
        let [name, size, hash] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let (picture, pixels) = decode(&file(name), 8, Channels::Colour).unwrap();
        assert_eq!(
            format!("{} {}", pixels.width, pixels.height),
            size,
            "{name}"
        );
        assert_eq!(format!("{:016x}", fnv(&pixels.data)), hash, "{name}");
        assert_eq!(picture.whole(8, Channels::Colour), pixels, "{name}");
    }
}

#[test]
fn at_full_size_the_pixels_are_nearly_those_of_zune_jpeg() {
    for (name, bytes) in files() {
        // For this file, zune-jpeg 0.5.15 returns other blocks than libjpeg.
        if name == "separate-scans.jpg" {
            continue;
        }
        let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::RGB);
        let mut other = zune_jpeg::JpegDecoder::new_with_options(ZCursor::new(&bytes), options);
        let theirs = other.decode().unwrap();
        let (picture, pixels) = decode(&bytes, 8, Channels::Colour).unwrap();
        assert_eq!(Some(picture.size()), other.dimensions(), "{name}");
        // zune-jpeg interpolates the chroma of narrow and of unusually sampled pictures differently.
        let is_other = ["411", "440", "narrow"]
            .iter()
            .any(|part| name.starts_with(part));
        let mean = mean_difference(&pixels.data, &theirs);
        assert!(mean < if is_other { 15.0 } else { 1.0 }, "{name}: {mean}");
    }
}

fn mean_difference(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    let sum: u64 = a
        .iter()
        .zip(b)
        .map(|(a, b)| u64::from(a.abs_diff(*b)))
        .sum();
    sum as f64 / a.len() as f64
}

/// For each pixel of a picture at an eighth, a quarter or a half, the mean of the pixels that it covers.
fn averaged(full: &Pixels, side: usize) -> Vec<u8> {
    let count = full.channels.count();
    let (width, height) = (full.width.div_ceil(side), full.height.div_ceil(side));
    let mut means = Vec::new();
    for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
        for channel in 0..count {
            let rows = side * y..full.height.min(side * (y + 1));
            let columns = side * x..full.width.min(side * (x + 1));
            let covered = rows.len() * columns.len();
            let pixels = rows.flat_map(|y| columns.clone().map(move |x| y * full.width + x));
            let sum: usize = pixels
                .map(|at| usize::from(full.data[at * count + channel]))
                .sum();
            means.push((sum / covered) as u8);
        }
    }
    means
}

#[test]
fn a_reduced_picture_is_nearly_the_average_of_the_full_one() {
    for (name, bytes) in files() {
        // A low-pass filter and an average differ at the edges and in the noise of the computed pictures.
        let limit = if PHOTOS.contains(&&name[..]) {
            2.0
        } else {
            20.0
        };
        for channels in [Channels::Grey, Channels::Colour] {
            let (_, full) = decode(&bytes, 8, channels).unwrap();
            for (eighths, side) in [(1, 8), (2, 4), (4, 2)] {
                let (_, reduced) = decode(&bytes, eighths, channels).unwrap();
                let mean = mean_difference(&reduced.data, &averaged(&full, side));
                assert!(mean < limit, "{name} {eighths}/8: {mean}");
            }
        }
    }
}

#[test]
fn every_size_is_the_number_of_eighths_rounded_up() {
    for (name, bytes) in files() {
        for eighths in 1..=8 {
            let (picture, pixels) = decode(&bytes, eighths, Channels::Colour).unwrap();
            let (width, height) = picture.size();
            let expected = [width, height].map(|side| (side * eighths).div_ceil(8));
            assert_eq!([pixels.width, pixels.height], expected, "{name}");
            assert_eq!(pixels.data.len(), 3 * expected[0] * expected[1]);
        }
    }
}

#[test]
fn an_area_has_the_pixels_of_the_whole() {
    for (name, bytes) in files() {
        let (picture, _) = decode(&bytes, 1, Channels::Grey).unwrap();
        let (width, height) = picture.size();
        for (eighths, channels) in [
            (8, Channels::Colour),
            (8, Channels::Grey),
            (5, Channels::Colour),
            (3, Channels::Colour),
            (2, Channels::Grey),
        ] {
            let whole = picture.whole(eighths, channels);
            for (x, y) in [(0, 0), (width / 3, height / 2), (width - 1, height - 1)] {
                let area = Area {
                    x,
                    y,
                    width: width / 4 + 1,
                    height: height / 5 + 1,
                };
                let part = picture.area(area, eighths, channels);
                let to_scale = |at: usize| at * eighths / 8;
                let end = |at: usize, limit: usize| (at.min(limit) * eighths).div_ceil(8);
                let columns = to_scale(x)..end(x + area.width, width);
                let rows = to_scale(y)..end(y + area.height, height);
                assert!(
                    part.x <= columns.start && part.x + part.width >= columns.end,
                    "{name}"
                );
                assert!(
                    part.y <= rows.start && part.y + part.height >= rows.end,
                    "{name}"
                );
                for y in rows {
                    let row = |from: &Pixels| {
                        let at = (y - from.y) * from.width + columns.start - from.x;
                        let count = channels.count();
                        from.data[count * at..count * (at + columns.len())].to_vec()
                    };
                    assert_eq!(row(&part), row(&whole), "{name} {eighths}/8 row {y}");
                }
            }
        }
    }
}

#[test]
fn grey_is_the_luma_of_the_colours() {
    let bytes = file("444.jpg");
    let (_, grey) = decode(&bytes, 8, Channels::Grey).unwrap();
    let (_, colour) = decode(&bytes, 8, Channels::Colour).unwrap();
    for (grey, rgb) in grey.data.iter().zip(colour.data.as_chunks::<3>().0) {
        if rgb.iter().all(|value| (1..255).contains(value)) {
            let [r, g, b] = rgb.map(f64::from);
            let luma = 0.299 * r + 0.587 * g + 0.114 * b;
            assert!((luma - f64::from(*grey)).abs() < 1.5, "{luma} {grey}");
        }
    }
}
