//! Damaged files: an error or a picture, never a panic; and files that this decoder accepts, another decoder accepts
//! too.

mod common;

use common::{decode, file, files};
use fer_jpeg::{Area, Channels, Error, Header};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::options::DecoderOptions;

/// Largest picture that the test decodes: a mutated header may state any size.
const MAX_PIXELS: usize = 1 << 20;

/// Changes a few bytes, or inserts, removes or repeats some.
fn mutate(bytes: &mut Vec<u8>, random: &mut ChaCha8Rng) {
    for _ in 0..random.random_range(1..=4) {
        if bytes.len() < 4 {
            return;
        }
        let at = random.random_range(0..bytes.len() - 2);
        // Half of the changes hit the headers, which are a small part of the file.
        let at = if random.random() {
            at
        } else {
            at % 700.min(bytes.len())
        };
        match random.random_range(0..6) {
            0 => bytes[at] = random.random(),
            1 => bytes[at] ^= 1 << random.random_range(0..8),
            2 => bytes[at] = [0, 0xff, 0x11, 0x22, 0xd0, 0xd9][random.random_range(0..6)],
            3 => bytes.insert(at, random.random()),
            4 => drop(bytes.remove(at)),
            _ => bytes.truncate(at.max(4)),
        }
    }
}

fn zune_accepts(bytes: &[u8]) -> bool {
    let options = DecoderOptions::default().set_strict_mode(true);
    let mut decoder = zune_jpeg::JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    // zune-jpeg reads the headers of some files only if it is lenient.
    decoder.set_options(options.set_strict_mode(false));
    decoder.decode_headers().is_ok() && {
        decoder.set_options(options);
        decoder.decode().is_ok()
    }
}

/// Decodes `count` mutations of each file. Returns how many were decoded.
fn try_mutated(seed: u64, count: usize) -> usize {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut decoded = 0;
    for (name, original) in files() {
        if original.len() > 30_000 {
            continue;
        }
        for round in 0..count {
            let mut bytes = original.clone();
            mutate(&mut bytes, &mut random);
            let Ok(header) = Header::read(&bytes) else {
                continue;
            };
            let (width, height) = header.size();
            if width * height > MAX_PIXELS {
                continue;
            }
            let eighths = random.random_range(1..=8);
            let Ok((picture, _)) = header.decode(eighths, Channels::Colour, &|| false) else {
                continue;
            };
            decoded += 1;
            let area = Area {
                x: random.random_range(0..width),
                y: random.random_range(0..height),
                width: random.random_range(1..=width),
                height: random.random_range(1..=height),
            };
            picture.area(area, random.random_range(1..=8), Channels::Colour);
            picture.area(area, random.random_range(1..=8), Channels::Grey);
            assert!(
                zune_accepts(&bytes),
                "{name}, round {round}, is accepted here alone"
            );
        }
    }
    decoded
}

#[test]
fn mutated_files_do_not_panic_and_are_accepted_only_where_zune_jpeg_accepts_them() {
    assert!(try_mutated(1, 300) > 100);
}

/// The same for any number of rounds: `FER_JPEG_ROUNDS=1000000 cargo test -p fer-jpeg -- --ignored`.
#[test]
#[ignore = "takes as long as one likes"]
fn many_mutated_files() {
    let rounds = std::env::var("FER_JPEG_ROUNDS").unwrap_or_default();
    for seed in 2..rounds.parse().unwrap_or(100) {
        try_mutated(seed, 100);
    }
}

#[test]
fn a_file_without_its_end_is_refused() {
    for (name, bytes) in files() {
        let (_, data) = bytes.split_at(bytes.len() / 2);
        for cut in [2, 3, data.len() / 2, data.len()] {
            let mut bytes = bytes[..bytes.len() - cut].to_vec();
            assert!(decode(&bytes, 4, Channels::Grey).is_err(), "{name} {cut}");
            // Also with an end-of-image marker after the truncated data.
            bytes.extend(b"\xff\xd9");
            if cut > 3 && !name.contains("progressive") {
                assert!(
                    decode(&bytes, 4, Channels::Grey).is_err(),
                    "{name} {cut} with an end"
                );
            }
        }
    }
}

#[test]
fn a_hundred_scans_are_read_and_one_more_is_left_to_others() {
    let bytes = file("420-progressive.jpg");
    let start = bytes
        .windows(2)
        .rposition(|pair| pair == b"\xff\xda")
        .unwrap();
    let scans = bytes.windows(2).filter(|pair| pair == b"\xff\xda").count();
    // Repeats the first scan of the file after the last one, which refines.
    let first = bytes
        .windows(2)
        .position(|pair| pair == b"\xff\xda")
        .unwrap();
    let next = first
        + 2
        + bytes[first + 2..]
            .windows(2)
            .position(|pair| pair[0] == 0xff && ![0, 0xff].contains(&pair[1]))
            .unwrap();
    assert!(next < start);
    let with = |number: usize| {
        let again = bytes[first..next].repeat(number - scans);
        let mut bytes = bytes.clone();
        bytes.splice(first..first, again);
        decode(&bytes, 8, Channels::Colour).map(|(picture, _)| picture.size())
    };
    for number in [99, 100, 101, 1000] {
        let refused = matches!(with(number), Err(Error::Unsupported("so many scans")));
        assert_eq!(refused, number > 100, "{number} scans: {:?}", with(number));
    }
}

#[test]
fn bytes_behind_the_picture_are_ignored() {
    let mut bytes = file("420.jpg");
    let (_, expected) = decode(&bytes, 8, Channels::Colour).unwrap();
    bytes.extend_from_slice(&file("422.jpg"));
    assert_eq!(decode(&bytes, 8, Channels::Colour).unwrap().1, expected);
}

#[test]
fn what_is_left_to_other_decoders_is_named() {
    let bytes = file("420.jpg");
    let with = |from: &[u8], to: &[u8]| {
        let at = bytes
            .windows(from.len())
            .position(|window| window == from)
            .unwrap();
        let mut bytes = bytes.clone();
        bytes[at..at + from.len()].copy_from_slice(to);
        decode(&bytes, 8, Channels::Colour).map(|_| ()).unwrap_err()
    };
    let frame = b"\xff\xc0\x00\x11\x08";
    let is_unsupported = |error| matches!(error, Error::Unsupported(_));
    for changed in [
        b"\xff\xc9\x00\x11\x08", // arithmetic coding
        b"\xff\xc3\x00\x11\x08", // lossless
        b"\xff\xc0\x00\x11\x0c", // twelve bits
    ] {
        assert!(is_unsupported(with(frame, changed)));
    }
    // Luma with a lower resolution than chroma.
    assert!(is_unsupported(with(
        b"\x01\x22\x00\x02\x11",
        b"\x01\x11\x00\x02\x22"
    )));
    assert!(is_unsupported(with(
        b"\x00\x35\x00\x4d",
        b"\x00\x00\x00\x4d"
    )));
    assert!(is_unsupported(with(
        b"\x01\x22\x00\x02\x11\x01\x03",
        b"R\x22\x00G\x11\x01B"
    )));
}

#[test]
fn decoding_stops_when_asked() {
    for name in ["420.jpg", "420-progressive.jpg"] {
        let bytes = file(name);
        let header = Header::read(&bytes).unwrap();
        let stopped = header.decode(8, Channels::Colour, &|| true);
        assert_eq!(stopped.map(|_| ()).unwrap_err(), Error::Stopped);
    }
}
