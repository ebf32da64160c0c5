//! Files that contain more than the picture that is shown: further pictures, frames, thumbnails, and a film after the
//! photo.

use fer_index::error::SkipReason;
use fer_index::imaging::{self, Format, Limits};

use super::{assert_shows, picture_hash, reference};
use crate::common::exif_block::ExifBlock;
use crate::common::{difference, fixture, jpeg, jpeg_with_exif, photo};
use crate::{decode, upright};

#[test]
fn of_several_pictures_the_first_is_shown() {
    let first = photo("matrix/side.png");
    for (name, tolerance) in [
        ("mpf.mpo", 4.0),
        ("pages.tif", 0.0),
        ("animated.png", 0.0),
        ("animated.webp", 0.0),
        // It has only 256 colours.
        ("animated.gif", 5.0),
        ("animated.jxl", 5.0),
        ("avif-sequence.avif", 4.0),
    ] {
        assert_shows(name, &first, tolerance);
    }
}

#[test]
fn a_film_without_a_still_picture_is_named() {
    let film = fixture("matrix/heif-film.heic");
    let skip = imaging::decode(&film, &Limits::default()).unwrap_err();
    assert_eq!(skip.reason, SkipReason::UnsupportedFormat);
    assert_eq!(skip.detail, "HEIC: a film without a still picture");
}

fn number(number: usize) -> [u8; 4] {
    (number as u32).to_be_bytes()
}

/// A film as phones append it to a photo: boxes of MP4, one of which contains a JPEG.
fn film() -> Vec<u8> {
    let other = jpeg(photo("matrix/side.png"));
    [
        b"\0\0\0\x18ftypmp42\0\0\0\0isommp42".as_slice(),
        &number(8 + other.len()),
        b"mdat",
        &other,
    ]
    .concat()
}

/// A JPEG with an XMP packet that has these attributes of Google's camera.
fn with_xmp(jpeg: &[u8], attributes: &str) -> Vec<u8> {
    let packet = format!(
        "http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF \
         xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"><rdf:Description rdf:about=\"\" \
         xmlns:GCamera=\"http://ns.google.com/photos/1.0/camera/\" \
         xmlns:hdrgm=\"http://ns.adobe.com/hdr-gain-map/1.0/\" {attributes}/></rdf:RDF></x:xmpmeta>"
    );
    let length = (2 + packet.len() as u16).to_be_bytes();
    let (start, rest) = jpeg.split_at(2);
    [start, b"\xff\xe1", &length, packet.as_bytes(), rest].concat()
}

/// An index of the Multi-Picture Format (CIPA DC-007) of two pictures, the second directly after the first.
fn with_second_picture(first: &[u8], second: &[u8]) -> Vec<u8> {
    const SEGMENT: usize = 2 + 2 + 4 + 8 + 2 + 3 * 12 + 4 + 32;
    let size = first.len() + SEGMENT;
    let entry = |tag: u16, kind: u16, count: u32, value: [u8; 4]| {
        [
            &tag.to_be_bytes()[..],
            &kind.to_be_bytes(),
            &count.to_be_bytes(),
            &value,
        ]
        .concat()
    };
    // Offsets are relative to the header of the index, which is 8 bytes after the marker.
    let picture = |attributes: u32, length: usize, place: usize| {
        [
            &attributes.to_be_bytes()[..],
            &number(length),
            &number(place),
            &[0; 4],
        ]
        .concat()
    };
    let index = [
        b"MPF\0MM\0*\0\0\0\x08\0\x03".to_vec(),
        entry(0xb000, 7, 4, *b"0100"),
        entry(0xb001, 4, 1, number(2)),
        entry(0xb002, 7, 32, number(50)),
        vec![0; 4],
        picture(0x2003_0000, size, 0),
        picture(0, second.len(), size - 10),
    ]
    .concat();
    assert_eq!(index.len() + 4, SEGMENT);
    let length = (2 + index.len() as u16).to_be_bytes();
    let (start, rest) = first.split_at(2);
    [start, b"\xff\xe2", &length, &index, rest, second].concat()
}

#[test]
fn what_phones_put_behind_a_jpeg_is_no_part_of_its_picture() {
    let shown = reference();
    let photo_alone = jpeg(shown.clone());
    let film = film();
    let gains = jpeg(photo("matrix/side.png"));
    let google = |name: &str| {
        let xmp = format!(
            "GCamera:{name}=\"1\" GCamera:{name}Version=\"1\" GCamera:{name}Offset=\"{}\"",
            film.len()
        );
        [with_xmp(&photo_alone, &xmp), film.clone()].concat()
    };
    // Two entries of Samsung's directory, and its end.
    let samsung = [
        photo_alone.as_slice(),
        b"\0\0\x01\x0a\x0e\0\0\0Image_UTC_Data1563109200123",
        b"\0\0\x30\x0a\x10\0\0\0MotionPhoto_Data",
        &film,
        b"SEFH\x6b\0\0\0\x01\0\0\0\0\0\x30\x0a\0\0\0\0\0\0\0\0\x18\0\0\0SEFT",
    ]
    .concat();
    let ultra_hdr = with_xmp(
        &with_second_picture(&photo_alone, &with_xmp(&gains, "hdrgm:Version=\"1.0\"")),
        "hdrgm:Version=\"1.0\"",
    );
    let with_thumbnail = ExifBlock::new().with_orientation(1).with_thumbnail(&gains);
    for (name, file) in [
        ("micro video", google("MicroVideo")),
        ("motion photo", google("MotionPhoto")),
        ("Samsung's motion photo", samsung),
        ("gains for bright screens", ultra_hdr),
        (
            "a second picture",
            with_second_picture(&photo_alone, &gains),
        ),
        ("a thumbnail", jpeg_with_exif(&photo_alone, &with_thumbnail)),
    ] {
        let decoded = decode(&file);
        assert_eq!(decoded.format, Format::Jpeg);
        assert!(decoded.lost.is_none(), "{name}");
        let difference = difference(&upright(&decoded), &shown);
        assert!(difference < 3.0, "{name}: {difference:.2}");
        assert_eq!(picture_hash(&file), picture_hash(&photo_alone), "{name}");
    }
}

/// As Google's and Samsung's cameras write them: the film in a separate box after the photo.
#[test]
fn a_film_behind_a_heic_is_no_part_of_its_picture() {
    let photo_alone = fixture("matrix/heif-second.heic");
    let film = film();
    for kind in [b"mpvd", b"sefd"] {
        let file = [
            photo_alone.as_slice(),
            &number(8 + film.len()),
            kind.as_slice(),
            &film,
        ]
        .concat();
        let decoded = decode(&file);
        let difference = difference(&upright(&decoded), &photo("matrix/side.png"));
        assert!(difference < 4.0, "{difference:.2}");
        assert_eq!(picture_hash(&file), picture_hash(&photo_alone));
    }
}
