//! Camera raw files: the largest preview, with the orientation and the date of the raw file.

use fer_index::error::SkipReason;
use fer_index::imaging::{self, Format, Limits, Raw};
use image::RgbImage;
use image::imageops::{FilterType, resize, rotate90};
use jiff::civil::date;

use super::reference;
use crate::common::exif_block::ExifBlock;
use crate::common::{difference, fixture, jpeg, jpeg_with_exif, photo, stored};
use crate::{decode, upright};

/// A preview, and the same picture much smaller.
fn previews() -> (RgbImage, Vec<u8>, Vec<u8>) {
    let large = photo("astronaut.jpg");
    let small = resize(&large, 64, 64, FilterType::Triangle);
    (large.clone(), jpeg(large), jpeg(small))
}

/// A directory of a little-endian TIFF. Values longer than four bytes are offsets in the file.
type Directory = Vec<(u16, u16, u32, u32)>;
/// Makes a directory from the offsets of all directories and of all pieces.
type Make<'a> = &'a dyn Fn(&[u32], &[u32]) -> Directory;

/// Places directories and pieces of data after `head`, one after the other. Each directory is made when all offsets are
/// known.
fn laid_out(head: &[u8], pieces: &[&[u8]], directories: &[Make<'_>]) -> Vec<u8> {
    let mut at = 1024_u32;
    let mut piece_places = Vec::new();
    for piece in pieces {
        piece_places.push(at);
        at += piece.len() as u32;
    }
    let places: Vec<u32> = (0..directories.len() as u32)
        .map(|n| 16 + 160 * n)
        .collect();
    let mut bytes = vec![0; 1024];
    bytes[..head.len()].copy_from_slice(head);
    bytes[4..8].copy_from_slice(&places[0].to_le_bytes());
    for (directory, place) in directories.iter().zip(&places) {
        let tags = directory(&places, &piece_places);
        let mut block = (tags.len() as u16).to_le_bytes().to_vec();
        for (number, kind, count, value) in tags {
            block.extend(number.to_le_bytes());
            block.extend(kind.to_le_bytes());
            block.extend(count.to_le_bytes());
            block.extend(value.to_le_bytes());
        }
        block.extend([0; 4]);
        let place = *place as usize;
        bytes[place..place + block.len()].copy_from_slice(&block);
    }
    for piece in pieces {
        bytes.extend_from_slice(piece);
    }
    bytes
}

const SHORT: u16 = 3;
const LONG: u16 = 4;
const ASCII: u16 = 2;
const UNDEFINED: u16 = 7;
const DATE: &[u8; 20] = b"2015:06:07 08:09:10\0";

/// Files as the makers build them: a directory for the camera, its date, previews, and sensor data.
fn like_tiff() -> Vec<(Raw, Vec<u8>)> {
    let (_, large, small) = previews();
    let pieces: &[&[u8]] = &[DATE, &large, &small, &[0x55; 5000]];
    let (large_size, small_size) = (large.len() as u32, small.len() as u32);
    let exif = |_: &[u32], at: &[u32]| vec![(0x9003, ASCII, 20, at[0])];
    let sensor = |_: &[u32], at: &[u32]| {
        vec![
            (0x0103, SHORT, 1, 34713),
            (0x0106, SHORT, 1, 32803),
            (0x0111, LONG, 1, at[3]),
            (0x0117, LONG, 1, 5000),
        ]
    };
    let small_preview =
        |_: &[u32], at: &[u32]| vec![(0x0201, LONG, 1, at[2]), (0x0202, LONG, 1, small_size)];
    // A directory below the first one for the large preview, another one for the sensor, as Nikon writes it; the list
    // of their two offsets follows the other data.
    let nikon = |head: &[u8]| {
        let lists: Vec<u8> = [16 + 2 * 160_u32, 16 + 3 * 160]
            .iter()
            .flat_map(|at| at.to_le_bytes())
            .collect();
        let mut pieces = pieces.to_vec();
        pieces.push(&lists);
        laid_out(
            head,
            &pieces,
            &[
                &|ifds, at| {
                    vec![
                        (0x0112, SHORT, 1, 6),
                        (0x014a, LONG, 2, at[4]),
                        (0x8769, LONG, 1, ifds[1]),
                    ]
                },
                &exif,
                &|_, at| vec![(0x0201, LONG, 1, at[1]), (0x0202, LONG, 1, large_size)],
                &sensor,
            ],
        )
    };
    // The large preview in a strip of the first directory, as Canon and DNG have it.
    let strip = |ifds: &[u32], at: &[u32]| {
        vec![
            (0x0103, SHORT, 1, 6),
            (0x0111, LONG, 1, at[1]),
            (0x0112, SHORT, 1, 6),
            (0x0117, LONG, 1, large_size),
            (0x014a, LONG, 1, ifds[2]),
            (0x8769, LONG, 1, ifds[1]),
        ]
    };
    let dng = |ifds: &[u32], at: &[u32]| {
        let mut tags = strip(ifds, at);
        tags.push((0xc612, 1, 4, 0x0000_0401));
        tags
    };
    // In a separate tag, as Panasonic has it.
    let panasonic = |ifds: &[u32], at: &[u32]| {
        vec![
            (0x002e, UNDEFINED, large_size, at[1]),
            (0x0112, SHORT, 1, 6),
            (0x8769, LONG, 1, ifds[1]),
        ]
    };
    // In the maker notes, to which no directory points.
    let olympus = |ifds: &[u32], _: &[u32]| {
        vec![
            (0x0112, SHORT, 1, 6),
            (0x014a, LONG, 1, ifds[2]),
            (0x8769, LONG, 1, ifds[1]),
        ]
    };
    vec![
        (Raw::Tiff, nikon(b"II*\0")),
        (
            Raw::Cr2,
            laid_out(
                b"II*\0\x10\0\0\0CR\x02\0",
                pieces,
                &[&strip, &exif, &sensor],
            ),
        ),
        (
            Raw::Dng,
            laid_out(b"II*\0", pieces, &[&dng, &exif, &sensor]),
        ),
        (Raw::Rw2, laid_out(b"IIU\0", pieces, &[&panasonic, &exif])),
        (
            Raw::Orf,
            laid_out(b"IIRO", pieces, &[&olympus, &exif, &small_preview]),
        ),
    ]
}

fn number(number: u32) -> [u8; 4] {
    number.to_be_bytes()
}

fn boxed(kind: &[u8], content: &[u8]) -> Vec<u8> {
    [&number(8 + content.len() as u32), kind, content].concat()
}

/// A raw file of Canon in the ISO base media format.
fn cr3() -> Vec<u8> {
    let (_, large, small) = previews();
    let camera = ExifBlock::new().with_orientation(6).bytes();
    let exposure = laid_out(
        b"II*\0",
        &[DATE],
        &[&|_, at| vec![(0x9003, ASCII, 20, at[0])]],
    );
    let canon = [
        b"\x85\xc0\xb6\x87\x82\x0f\x11\xe0\x81\x11\xf4\xce\x46\x2b\x6a\x48".to_vec(),
        boxed(b"CMT1", &camera),
        boxed(b"CMT2", &exposure),
        boxed(b"THMB", &small),
    ];
    [
        boxed(b"ftyp", b"crx \0\0\0\x01crx isom"),
        boxed(b"moov", &boxed(b"uuid", &canon.concat())),
        boxed(b"mdat", &[large, vec![0x55; 5000]].concat()),
    ]
    .concat()
}

fn metadata() -> Vec<u8> {
    let block = ExifBlock::new().with_orientation(6);
    block.with_date("2015:06:07 08:09:10", "", "").bytes()
}

/// A raw file of Fujifilm, whose metadata are those of its preview.
fn raf() -> Vec<u8> {
    let (_, large, _) = previews();
    let preview = jpeg_with_exif(&large, &metadata());
    let mut bytes = vec![0; 200];
    bytes[..16].copy_from_slice(b"FUJIFILMCCD-RAW ");
    bytes[84..88].copy_from_slice(&number(200));
    bytes[88..92].copy_from_slice(&number(preview.len() as u32));
    [bytes, preview, vec![0x55; 5000]].concat()
}

/// Raw files of Sigma and old ones of Canon, whose structure is not read: their previews are searched for.
fn searched() -> [(Raw, Vec<u8>); 2] {
    let (_, large, small) = previews();
    let preview = jpeg_with_exif(&large, &metadata());
    [
        (Raw::X3f, b"FOVb\0\0\x02\0".as_slice()),
        (Raw::Crw, b"II\x1a\0\0\0HEAPCCDR\x02\0\x01\0"),
    ]
    .map(|(raw, head)| {
        let file = [head, &[0; 64], &small, &[0x55; 5000], &preview].concat();
        (raw, file)
    })
}

/// A raw file of Minolta: blocks, of which one is a TIFF with the metadata, then the preview.
fn mrw() -> Vec<u8> {
    let (_, large, _) = previews();
    let metadata = metadata();
    let tiff = [
        b"\0TTW".as_slice(),
        &number(metadata.len() as u32),
        &metadata,
    ]
    .concat();
    let sensor = [b"\0PRD".as_slice(), &number(24), &[0; 24]].concat();
    let blocks = [sensor, tiff].concat();
    [
        b"\0MRM".as_slice(),
        &number(blocks.len() as u32),
        &blocks,
        &[0x55; 5000],
        &large,
    ]
    .concat()
}

fn all() -> Vec<(Raw, Vec<u8>)> {
    let mut files = like_tiff();
    files.extend([(Raw::Cr3, cr3()), (Raw::Raf, raf()), (Raw::Mrw, mrw())]);
    files.extend(searched());
    files
}

#[test]
fn the_largest_preview_is_shown_upright_and_dated() {
    let (large, ..) = previews();
    for (raw, bytes) in all() {
        let decoded = decode(&bytes);
        assert_eq!(decoded.format, Format::Raw(raw));
        let difference = difference(&upright(&decoded), &rotate90(&large));
        assert!(difference < 2.0, "{raw}: {difference:.2}");
        let taken = decoded
            .capture()
            .taken_at
            .unwrap_or_else(|| panic!("{raw} has no date"));
        assert_eq!(taken.local, date(2015, 6, 7).at(8, 9, 10, 0), "{raw}");
    }
}

/// Every orientation of the raw file with every one that its preview states: that of the raw file counts.
#[test]
fn of_the_raw_file_and_its_preview_the_raw_file_says_what_is_up() {
    let picture = reference();
    for orientation in 1..=8 {
        let stored = stored(&picture, orientation);
        for other in 1..=8 {
            let block = ExifBlock::new().with_orientation(other).bytes();
            let preview = jpeg_with_exif(&jpeg(stored.clone()), &block);
            let raw = ExifBlock::new().with_orientation(orientation);
            let decoded = decode(&raw.dng(&preview, stored.dimensions()));
            assert_eq!(decoded.format, Format::Raw(Raw::Dng));
            let difference = difference(&upright(&decoded), &picture);
            assert!(difference < 3.0, "{orientation} {other}: {difference:.2}");
        }
    }
}

#[test]
fn the_picture_of_a_raw_file_is_its_preview() {
    let (_, large, _) = previews();
    for (raw, bytes) in all() {
        let hash = |bytes: &[u8]| {
            imaging::facts(bytes, &Limits::default())
                .unwrap()
                .picture
                .hash
        };
        // A byte outside the preview.
        let place = bytes
            .windows(100)
            .position(|part| part == [0x55; 100])
            .unwrap();
        let mut sensor = bytes.clone();
        sensor[place] ^= 1;
        assert_eq!(hash(&bytes), hash(&sensor), "{raw}");
        let tail = &large[large.len() - 100..];
        let place = bytes.windows(100).position(|part| part == tail).unwrap();
        let mut preview = bytes.clone();
        preview[place + 50] ^= 1;
        assert_ne!(hash(&bytes), hash(&preview), "{raw}");
    }
}

/// A DNG whose only directory has a preview in JPEG XL of 96 × 80 pixels, stored on its side; and another preview.
fn with_jxl(jxl: &[u8], other: &[u8]) -> Vec<u8> {
    laid_out(
        b"II*\0",
        &[jxl, other],
        &[&|_, at| {
            vec![
                (0x0100, SHORT, 1, 96),
                (0x0101, SHORT, 1, 80),
                (0x0103, SHORT, 1, 52546),
                (0x0106, SHORT, 1, 6),
                (0x0111, LONG, 1, at[0]),
                (0x0112, SHORT, 1, 6),
                (0x0117, LONG, 1, jxl.len() as u32),
                (0x0201, LONG, 1, at[1]),
                (0x0202, LONG, 1, other.len() as u32),
                (0xc612, 1, 4, 0x0000_0701),
            ]
        }],
    )
}

#[test]
fn a_preview_in_jpeg_xl_is_shown_if_it_is_the_largest() {
    let (large, large_jpeg, small_jpeg) = previews();
    for name in ["jxl-lossy.jxl", "jxl-lossless.jxl", "jxl-of-jpeg.jxl"] {
        let jxl = fixture(&format!("matrix/{name}"));
        let decoded = decode(&with_jxl(&jxl, &small_jpeg));
        assert_eq!(decoded.format, Format::Raw(Raw::Dng));
        let difference = difference(&upright(&decoded), &rotate90(&reference()));
        assert!(difference < 4.0, "{name}: {difference:.2}");
    }
    let jxl = fixture("matrix/jxl-lossy.jxl");
    let decoded = decode(&with_jxl(&jxl, &large_jpeg));
    assert!(difference(&upright(&decoded), &rotate90(&large)) < 2.0);
    let hash = |bytes: &[u8]| {
        imaging::facts(bytes, &Limits::default())
            .unwrap()
            .picture
            .hash
    };
    assert_eq!(
        hash(&with_jxl(&jxl, b"")),
        hash(&with_jxl(&jxl, &small_jpeg))
    );
    assert_ne!(
        hash(&with_jxl(&jxl, b"")),
        hash(&with_jxl(&fixture("matrix/jxl-grey.jxl"), b""))
    );
}

#[test]
fn a_raw_file_without_a_preview_is_named() {
    let sensor_alone = laid_out(
        b"II*\0",
        &[&[0x55; 5000]],
        &[&|_, at| {
            vec![
                (0x0106, SHORT, 1, 32803),
                (0x0111, LONG, 1, at[0]),
                (0x0117, LONG, 1, 5000),
            ]
        }],
    );
    let skip = imaging::decode(&sensor_alone, &Limits::default()).unwrap_err();
    assert_eq!(skip.reason, SkipReason::UnsupportedFormat);
    assert_eq!(skip.detail, "camera raw: it has no JPEG preview");
}

#[test]
fn damaged_raw_files_are_decoded_or_skipped_with_a_reason() {
    for (raw, bytes) in all() {
        for end in (0..bytes.len()).step_by(bytes.len() / 7) {
            if let Err(skip) = imaging::decode(&bytes[..end], &Limits::default()) {
                assert!(skip.reason != SkipReason::Crashed, "{raw}: {skip}");
            }
        }
    }
}
