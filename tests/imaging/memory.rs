//! Decoding takes little more memory than the pixels. `benches/compare/format_memory.py` measures more codings, and up
//! to 250 megapixels.
#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout)] // one process sends its result to the other by it

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use fer_index::imaging::{self, Limits};
use flate2::Compression;
use flate2::write::ZlibEncoder;

use crate::common::fixture;

const WIDTH: u32 = 4000;
const HEIGHT: u32 = 3000;
const PIXELS: u64 = WIDTH as u64 * HEIGHT as u64;

/// Compressions of TIFF.
const NOT_COMPRESSED: u32 = 1;
const LZW: u32 = 5;

/// The variable that names the file to decode in a separate process.
const FILE: &str = "FER_INDEX_MEMORY_TEST";

/// The text before the measured number.
const PEAK: &str = "peak kB: ";

/// Most bytes that decoding, with the file, may take beyond four per pixel. The goal is 64 MB, but a few rows should
/// suffice; this is less than a second copy of the picture takes.
const ROWS: u64 = 16_000_000;

#[test]
fn a_picture_takes_four_bytes_a_pixel_and_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let small = folder.path().join("small");
    std::fs::write(&small, fixture("formats/reference.png")).unwrap();
    let idle = peak(&small);
    let wide_row = vec![0x5a; 8 * WIDTH as usize];
    let noise = noise(3 * PIXELS as usize);
    let plane = vec![0x5a; PIXELS as usize];
    let row = |bytes: usize| &wide_row[..bytes * WIDTH as usize];
    let strip = |bytes| deflated(row(bytes), HEIGHT);
    for (name, file, spare) in [
        ("png", png(2, 8, row(3)), ROWS),
        ("png-transparent", png(6, 8, row(4)), ROWS),
        ("png-16", png(2, 16, row(6)), ROWS),
        ("png-16-transparent", png(6, 16, row(8)), ROWS),
        ("tiff", tiff(8, 3, &[strip(3)]), ROWS),
        ("tiff-16", tiff(16, 3, &[strip(6)]), ROWS),
        ("tiff-16-cmyk", tiff(16, 4, &[strip(8)]), ROWS),
        (
            "tiff-planes",
            tiff(16, 3, &[strip(2), strip(2), strip(2)]),
            ROWS,
        ),
        // These files take as much memory as the pixels, and are released during decoding.
        ("tiff-not-compressed", tiff_of_one_strip(row(3)), ROWS),
        ("tiff-cmyk-not-compressed", tiff_of_one_strip(row(4)), ROWS),
        (
            "tiff-planes-not-compressed",
            tiff_of(8, 3, NOT_COMPRESSED, &[plane.clone(), plane.clone(), plane]),
            ROWS,
        ),
        // Compressed noise takes as much memory as the pixels, and is released from its beginning on.
        ("png-noise", png_of_noise(&noise), ROWS),
        ("tiff-noise", tiff(8, 3, &[stored(&noise)]), ROWS),
        ("tiff-lzw-noise", tiff_of(8, 3, LZW, &[lzw(&noise)]), ROWS),
        ("webp-lossless-noise", webp(&noise), ROWS),
        ("bmp", bmp(24), ROWS),
        ("bmp-32", bmp(32), ROWS),
        ("webp", fixture("memory/large.webp"), ROWS),
        ("webp-lossless", fixture("memory/large-lossless.webp"), ROWS),
        (
            "webp-transparent",
            fixture("memory/large-transparent.webp"),
            ROWS,
        ),
        ("webp-animated", fixture("memory/large-animated.webp"), ROWS),
        ("gif", gif(), ROWS),
        ("jpeg", jpeg(false), ROWS),
        // Up to 20 megapixels, the coefficients are in memory together with the pixels.
        ("jpeg-progressive", jpeg(true), 64_000_000 - idle),
        ("heic-turned", fixture("memory/large-turned.heic"), ROWS),
        ("heic-422-10", fixture("memory/large-422-10.heic"), ROWS),
        ("avif", fixture("memory/large.avif"), ROWS),
        ("avif-10", fixture("memory/large-10.avif"), ROWS),
        ("avif-444", fixture("memory/large-444.avif"), ROWS),
        (
            "avif-444-transparent",
            fixture("memory/large-444-transparent.avif"),
            ROWS,
        ),
        ("jxl", fixture("memory/large.jxl"), ROWS),
        ("jxl-lossless", fixture("memory/large-lossless.jxl"), ROWS),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, &file).unwrap();
        let taken = peak(&path).saturating_sub(idle);
        let allowed = 4 * PIXELS + spare;
        println!(
            "{name}: {} MB of {} MB",
            taken / 1_000_000,
            allowed / 1_000_000
        );
        assert!(taken >= 5 * PIXELS / 2, "{name} was not decoded: {taken}");
        assert!(
            taken <= allowed,
            "{name} takes {taken} bytes, more than {allowed}"
        );
    }
}

/// The peak of the resident memory of a process that decodes a file, in bytes.
fn peak(file: &Path) -> u64 {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "memory::a_file_is_decoded_in_a_process_of_its_own",
        ])
        .args(["--ignored", "--nocapture", "--test-threads=1"])
        .env(FILE, file)
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    let number = printed.lines().find_map(|line| line.split_once(PEAK));
    let number = number.unwrap_or_else(|| panic!("{}: {printed}", file.display()));
    1024 * number.1.trim().parse::<u64>().unwrap()
}

/// Started by the other test.
#[test]
#[ignore = "the other test starts it with a file"]
fn a_file_is_decoded_in_a_process_of_its_own() {
    let bytes = std::fs::read(std::env::var_os(FILE).expect("a file is named")).unwrap();
    let decoded = imaging::decode(bytes, &Limits::default()).unwrap();
    assert!(decoded.raster.width() > 0);
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    println!("{PEAK}{}", peak.unwrap().trim().trim_end_matches(" kB"));
}

/// A row, repeated and deflated.
fn deflated(row: &[u8], times: u32) -> Vec<u8> {
    let mut packer = ZlibEncoder::new(Vec::new(), Compression::fast());
    for _ in 0..times {
        packer.write_all(row).unwrap();
    }
    packer.finish().unwrap()
}

/// Incompressible bytes.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let words = (0..length.div_ceil(8)).flat_map(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.take(length).collect()
}

/// Deflate data with stored (uncompressed) blocks.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let mut packer = ZlibEncoder::new(Vec::new(), Compression::none());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

fn lzw(bytes: &[u8]) -> Vec<u8> {
    weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8)
        .encode(bytes)
        .unwrap()
}

fn webp(pixels: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    image::codecs::webp::WebPEncoder::new_lossless(&mut file)
        .encode(pixels, WIDTH, HEIGHT, image::ExtendedColorType::Rgb8)
        .unwrap();
    file
}

fn png_of_noise(pixels: &[u8]) -> Vec<u8> {
    let rows = pixels.chunks(3 * WIDTH as usize);
    let rows: Vec<u8> = rows
        .flat_map(|row| [0].into_iter().chain(row.iter().copied()))
        .collect();
    png_of(2, 8, &stored(&rows))
}

/// A PNG with these samples in every row.
fn png(colour: u8, bits: u8, row: &[u8]) -> Vec<u8> {
    png_of(colour, bits, &deflated(&[&[0], row].concat(), HEIGHT))
}

/// A PNG of these compressed rows.
fn png_of(colour: u8, bits: u8, packed: &[u8]) -> Vec<u8> {
    let chunk = |kind: &[u8; 4], data: &[u8]| {
        let checked = [kind, data].concat();
        let mut sum = flate2::Crc::new();
        sum.update(&checked);
        let length = (data.len() as u32).to_be_bytes();
        [&length, &checked[..], &sum.sum().to_be_bytes()].concat()
    };
    let mut header = [WIDTH.to_be_bytes(), HEIGHT.to_be_bytes()].concat();
    header.extend([bits, colour, 0, 0, 0]);
    [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(b"IHDR", &header),
        chunk(b"IDAT", packed),
        chunk(b"IEND", b""),
    ]
    .concat()
}

/// A TIFF of RGB or CMYK in one uncompressed strip, in which every row is this one.
fn tiff_of_one_strip(row: &[u8]) -> Vec<u8> {
    let channels = row.len() as u32 / WIDTH;
    tiff_of(8, channels, NOT_COMPRESSED, &[row.repeat(HEIGHT as usize)])
}

/// A TIFF of RGB or CMYK, the whole picture in one strip or each channel in one.
fn tiff(bits: u32, channels: u32, strips: &[Vec<u8>]) -> Vec<u8> {
    const DEFLATE: u32 = 8;
    tiff_of(bits, channels, DEFLATE, strips)
}

fn tiff_of(bits: u32, channels: u32, compression: u32, strips: &[Vec<u8>]) -> Vec<u8> {
    let number = strips.len() as u32;
    let mut file = b"II*\0\0\0\0\0".to_vec();
    let places = |file: &mut Vec<u8>, values: &[u32]| {
        if let [value] = values {
            return *value;
        }
        let place = file.len() as u32;
        file.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        place
    };
    let mut offsets = Vec::new();
    for strip in strips {
        offsets.push(file.len() as u32);
        file.extend(strip);
    }
    let lengths: Vec<u32> = strips.iter().map(|strip| strip.len() as u32).collect();
    let (offsets, lengths) = (places(&mut file, &offsets), places(&mut file, &lengths));
    let tags = [
        (256, 1, WIDTH),
        (257, 1, HEIGHT),
        (258, 1, bits),
        (259, 1, compression),
        (262, 1, if channels == 4 { 5 } else { 2 }),
        (273, number, offsets),
        (277, 1, channels),
        (278, 1, HEIGHT),
        (279, number, lengths),
        (284, 1, if number > 1 { 2 } else { 1 }),
    ];
    let directory = (file.len() as u32).to_le_bytes();
    file[4..8].copy_from_slice(&directory);
    file.extend((tags.len() as u16).to_le_bytes());
    for (tag, count, value) in tags {
        file.extend(u16::to_le_bytes(tag));
        file.extend(u16::to_le_bytes(4));
        file.extend([count, value].map(u32::to_le_bytes).concat());
    }
    file.extend([0; 4]);
    file
}

/// A BMP of grey.
fn bmp(bits: u16) -> Vec<u8> {
    let mut file = b"BM\0\0\0\0\0\0\0\0".to_vec();
    file.extend([54, 40, WIDTH, HEIGHT].map(u32::to_le_bytes).concat());
    file.extend([1, bits].map(u16::to_le_bytes).concat());
    file.extend([0; 24]);
    let bytes = u64::from(bits) / 8 * PIXELS;
    file.resize(file.len() + bytes as usize, 0x5a);
    file
}

/// A GIF of one colour.
fn gif() -> Vec<u8> {
    let mut file = b"GIF89a".to_vec();
    let size = [WIDTH as u16, HEIGHT as u16].map(u16::to_le_bytes).concat();
    file.extend(&size);
    file.extend([0x80, 0, 0, 10, 20, 30, 40, 50, 60, 0x2c, 0, 0, 0, 0]);
    file.extend(&size);
    file.extend([0, 2]);
    let mut packer = weezl::encode::Encoder::new(weezl::BitOrder::Lsb, 2);
    let packed = packer.encode(&vec![1; PIXELS as usize]).unwrap();
    for block in packed.chunks(255) {
        file.push(block.len() as u8);
        file.extend(block);
    }
    file.extend([0, 0x3b]);
    file
}

fn jpeg(is_progressive: bool) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut file, 80);
    encoder.set_progressive(is_progressive);
    let grey = vec![0x5a; 3 * PIXELS as usize];
    encoder
        .encode(
            &grey,
            WIDTH as u16,
            HEIGHT as u16,
            jpeg_encoder::ColorType::Rgb,
        )
        .unwrap();
    file
}
