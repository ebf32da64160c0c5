use super::*;
use crate::facts::of_content;
use crate::photo::{Capture, TakenAt};
use ::exif::experimental::Writer;
use ::exif::{Rational, SRational};
use jiff::civil::date;

fn ascii(tag: Tag, text: &str) -> (Tag, Value) {
    (tag, Value::Ascii(vec![text.as_bytes().to_vec()]))
}

fn rationals<const N: usize>(tag: Tag, parts: [(u32, u32); N]) -> (Tag, Value) {
    (tag, Value::Rational(parts.map(Rational::from).to_vec()))
}

fn exif(fields: impl IntoIterator<Item = (Tag, Value)>) -> Exif {
    let fields: Vec<Field> = fields
        .into_iter()
        .map(|(tag, value)| Field {
            tag,
            ifd_num: In::PRIMARY,
            value,
        })
        .collect();
    let mut writer = Writer::new();
    for field in &fields {
        writer.push_field(field);
    }
    let mut block = std::io::Cursor::new(Vec::new());
    writer.write(&mut block, false).unwrap();
    Exif::parse(block.into_inner()).unwrap()
}

#[test]
fn a_full_block_is_read() {
    let exif = exif([
        (Tag::Orientation, Value::Short(vec![6])),
        ascii(Tag::Make, "Canon"),
        ascii(Tag::Model, "Canon EOS 5D  "),
        ascii(Tag::LensModel, "EF50mm f/1.8"),
        ascii(Tag::ImageDescription, " A walk\nby the  sea "),
        ascii(Tag::DateTimeOriginal, "2019:07:21 18:05:09"),
        ascii(Tag::SubSecTimeOriginal, "05"),
        ascii(Tag::OffsetTimeOriginal, "+05:30"),
        ascii(Tag::DateTime, "2022:01:01 00:00:00"),
        rationals(Tag::GPSLatitude, [(33, 1), (51, 1), (3540, 100)]),
        ascii(Tag::GPSLatitudeRef, "S"),
        rationals(Tag::GPSLongitude, [(151, 1), (12, 1), (0, 0)]),
        ascii(Tag::GPSLongitudeRef, "E"),
    ]);
    assert_eq!(exif.orientation(), Orientation::Rotate90);
    let capture = of_content(&exif.statements());
    assert_eq!(
        capture.taken_at,
        Some(TakenAt {
            local: date(2019, 7, 21).at(18, 5, 9, 50_000_000),
            offset: Some(Offset::from_seconds(19_800).unwrap()),
            precision: Precision::Second,
            source: DateSource::Exif,
        })
    );
    let position = capture.position.unwrap();
    assert!((position.latitude + 33.859_833).abs() < 1e-5);
    assert!((position.longitude - 151.2).abs() < 1e-9);
    assert_eq!(capture.camera.as_deref(), Some("Canon EOS 5D"));
    assert_eq!(capture.lens.as_deref(), Some("EF50mm f/1.8"));
    assert_eq!(capture.description.as_deref(), Some("A walk by the sea"));
}

#[test]
fn numbers_are_read_whatever_their_type() {
    let signed = |tag, parts: [(i32, i32); 3]| {
        let parts = parts.map(|(num, denom)| SRational { num, denom });
        (tag, Value::SRational(parts.to_vec()))
    };
    let block = exif([
        (Tag::Orientation, Value::SLong(vec![6])),
        (Tag(Context::Tiff, 0x4746), Value::SShort(vec![4])),
        signed(Tag::GPSLatitude, [(60, 1), (8, 1), (48_120, 1000)]),
        ascii(Tag::GPSLatitudeRef, "N"),
        (Tag::GPSLongitude, Value::Double(vec![24.0, 54.0, 24.48])),
        ascii(Tag::GPSLongitudeRef, "E"),
        signed(Tag::GPSTimeStamp, [(10, 1), (20, 1), (30, 1)]),
        ascii(Tag::GPSDateStamp, "2024:05:01"),
    ]);
    assert_eq!(block.orientation(), Orientation::Rotate90);
    let statements = block.statements();
    assert_eq!(of_content(&statements).rating, Some(4));
    let position = of_content(&statements).position.unwrap();
    assert!((position.latitude - 60.146_7).abs() < 1e-5);
    assert!((position.longitude - 24.906_8).abs() < 1e-5);
    assert_eq!(
        of_content(&statements).taken_at.unwrap().local,
        date(2024, 5, 1).at(10, 20, 30, 0)
    );
    let negative = exif([
        (Tag::Orientation, Value::SLong(vec![-6])),
        signed(Tag::GPSLatitude, [(-60, 1), (0, 1), (0, 1)]),
        ascii(Tag::GPSLatitudeRef, "N"),
        signed(Tag::GPSLongitude, [(24, 1), (0, 1), (0, 1)]),
        ascii(Tag::GPSLongitudeRef, "E"),
    ]);
    assert_eq!(negative.orientation(), Orientation::default());
    assert_eq!(of_content(&negative.statements()).position, None);
}

#[test]
fn the_hour_24_is_the_first_of_the_day() {
    let block = exif([ascii(Tag::DateTimeOriginal, "2019:01:01 24:04:20")]);
    let taken = of_content(&block.statements()).taken_at.unwrap();
    assert_eq!(taken.local, date(2019, 1, 1).at(0, 4, 20, 0));
}

#[test]
fn an_angle_may_be_one_number() {
    let block = exif([
        rationals(Tag::GPSLatitude, [(419, 10)]),
        ascii(Tag::GPSLatitudeRef, "N"),
        rationals(Tag::GPSLongitude, [(125, 10)]),
        ascii(Tag::GPSLongitudeRef, "W"),
    ]);
    let at = of_content(&block.statements()).position.unwrap();
    assert!((at.latitude - 41.9).abs() < 1e-9 && (at.longitude + 12.5).abs() < 1e-9);
}

#[test]
fn fields_of_exif_are_found_among_those_of_the_tiff() {
    let block = exif([
        ascii(Tag(Context::Tiff, 0x9003), "2006:05:27 12:37:03"),
        ascii(Tag(Context::Tiff, 0x9291), "5"),
    ]);
    let taken = of_content(&block.statements()).taken_at.unwrap();
    assert_eq!(taken.local, date(2006, 5, 27).at(12, 37, 3, 500_000_000));
    assert_eq!(taken.source, DateSource::Exif);
}

#[test]
fn directories_are_found_by_pointers_of_every_type() {
    let date = Field {
        tag: Tag::DateTimeOriginal,
        ifd_num: In::PRIMARY,
        value: ascii(Tag::DateTimeOriginal, "2019:07:21 18:05:09").1,
    };
    for is_little_endian in [false, true] {
        let mut writer = Writer::new();
        writer.push_field(&date);
        let mut block = std::io::Cursor::new(Vec::new());
        writer.write(&mut block, is_little_endian).unwrap();
        let mut block = block.into_inner();
        let short = |number: u16| {
            if is_little_endian {
                number.to_le_bytes()
            } else {
                number.to_be_bytes()
            }
        };
        let pointer = [short(0x8769), short(4)].concat();
        let at = memchr::memmem::find(&block, &pointer).unwrap();
        for kind in [4, 9, 13] {
            block[at + 2..at + 4].copy_from_slice(&short(kind));
            let statements = Exif::parse(block.clone()).unwrap().statements();
            assert_eq!(statements.dates.len(), 1, "{is_little_endian}, {kind}");
        }
        for end in 0..block.len() {
            let _ = Exif::parse(block[..end].to_vec());
        }
    }
}

#[test]
fn implausible_dates_are_ignored_and_the_next_field_is_used() {
    let local = |fields: &[(Tag, &str)]| {
        let exif = exif(fields.iter().map(|(tag, text)| ascii(*tag, text)));
        of_content(&exif.statements())
            .taken_at
            .map(|taken_at| taken_at.local)
    };
    let good = date(2005, 3, 4).at(1, 2, 3, 0);
    let (original, digitized, date_time) =
        (Tag::DateTimeOriginal, Tag::DateTimeDigitized, Tag::DateTime);
    for blank in [
        "0000:00:00 00:00:00",
        "    :  :     :  :  ",
        "",
        "2005:13:04 01:02:03",
        "2005:03:04 25:02:03",
        "2005:03",
        "99999:03:04 01:02:03",
    ] {
        assert_eq!(local(&[(original, blank)]), None, "{blank}");
        let both = [(original, blank), (digitized, "2005:03:04 01:02:03")];
        assert_eq!(local(&both), Some(good), "{blank}");
    }
    assert_eq!(local(&[(date_time, "2005-03-04T01:02:03Z")]), Some(good));
    assert_eq!(
        local(&[(date_time, "2005/03/04 01:02")]),
        Some(date(2005, 3, 4).at(1, 2, 0, 0))
    );
}

#[test]
fn of_a_date_with_blanks_what_is_known_counts() {
    for (text, expected) in [
        (
            "1985:07:14   :  :  ",
            Some((date(1985, 7, 14), Precision::Day)),
        ),
        (
            "1985:07:14 15:  :  ",
            Some((date(1985, 7, 14), Precision::Day)),
        ),
        (
            "1985:07:     :  :  ",
            Some((date(1985, 7, 1), Precision::Month)),
        ),
        (
            "1985:07:  :  :  ",
            Some((date(1985, 7, 1), Precision::Month)),
        ),
        (
            "1985:  :     :  :  ",
            Some((date(1985, 1, 1), Precision::Year)),
        ),
        (
            "1985:07:   12:10:00",
            Some((date(1985, 7, 1), Precision::Month)),
        ),
        (
            "1985: 7: 4 12:10:00",
            Some((date(1985, 7, 4), Precision::Second)),
        ),
        ("    :  :     :  :  ", None),
        ("    :07:14   :  :  ", None),
    ] {
        let exif = exif([ascii(Tag::DateTimeOriginal, text)]);
        let taken = of_content(&exif.statements()).taken_at;
        let found = taken.map(|taken| (taken.local.date(), taken.precision));
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn positions_without_a_fix_are_absent() {
    let position = |north: [(u32, u32); 3], east: [(u32, u32); 3], letters: [&str; 2]| {
        let exif = exif([
            rationals(Tag::GPSLatitude, north),
            ascii(Tag::GPSLatitudeRef, letters[0]),
            rationals(Tag::GPSLongitude, east),
            ascii(Tag::GPSLongitudeRef, letters[1]),
        ]);
        of_content(&exif.statements()).position
    };
    let degrees = |whole| [(whole, 1), (0, 1), (0, 1)];
    assert!(position(degrees(0), degrees(10), ["N", "E"]).is_some());
    assert!(position(degrees(90), degrees(180), ["s", "w"]).is_some());
    assert_eq!(position(degrees(0), degrees(0), ["N", "E"]), None);
    assert_eq!(position(degrees(91), degrees(10), ["N", "E"]), None);
    assert_eq!(position(degrees(9), degrees(181), ["N", "E"]), None);
    assert_eq!(position(degrees(9), degrees(10), ["", "E"]), None);
    assert_eq!(position(degrees(9), degrees(10), ["N", "X"]), None);
    assert_eq!(position([(0, 0); 3], degrees(10), ["N", "E"]), None);
}

#[test]
fn the_maker_is_not_repeated() {
    let camera = |make: &str, model: &str| {
        let exif = exif([ascii(Tag::Make, make), ascii(Tag::Model, model)]);
        of_content(&exif.statements()).camera
    };
    assert_eq!(
        camera("NIKON CORPORATION", "NIKON D3100").as_deref(),
        Some("NIKON D3100")
    );
    assert_eq!(
        camera("EASTMAN KODAK COMPANY", "KODAK Z1012 IS").as_deref(),
        Some("KODAK Z1012 IS")
    );
    assert_eq!(camera("SONY", "DSC-T5").as_deref(), Some("SONY DSC-T5"));
    assert_eq!(camera("", "DSC-T5").as_deref(), Some("DSC-T5"));
    assert_eq!(camera("SONY", " ").as_deref(), Some("SONY"));
    assert_eq!(camera("", ""), None);
}

#[test]
fn descriptions_are_cleaned() {
    let description = |text: &[u8]| {
        let exif = exif([(Tag::ImageDescription, Value::Ascii(vec![text.to_vec()]))]);
        of_content(&exif.statements()).description
    };
    assert_eq!(description(b"OLYMPUS DIGITAL CAMERA         "), None);
    assert_eq!(description(b"   "), None);
    assert_eq!(description("Größe".as_bytes()).as_deref(), Some("Größe"));
    assert_eq!(description(b"Gr\xf6\xdfe").as_deref(), Some("Größe"));
    // Control characters could send commands to a terminal.
    assert_eq!(description(b"a\x1b[31mb").as_deref(), Some("a [31mb"));
}

#[test]
fn the_readable_fields_of_a_broken_block_are_kept() {
    assert!(Exif::parse(Vec::new()).is_none());
    assert!(Exif::parse(b"Exif\0\0II*\0".to_vec()).is_none());
    let mut block = b"Exif\0\0MM\0*\0\0\0\x08\0\x02".to_vec();
    block.extend(b"\x01\x12\0\x03\0\0\0\x01\0\x03\0\0"); // orientation 3
    block.extend(b"\x01\x0f\0\x02\xff\xff\xff\xff\0\0\0\0"); // a maker of 4 GiB
    let exif = Exif::parse(block).unwrap();
    assert_eq!(exif.orientation(), Orientation::Rotate180);
    assert_eq!(of_content(&exif.statements()), Capture::default());
}

#[test]
fn iptc_that_is_cut_in_its_own_tag_is_read_from_the_resources_of_photoshop() {
    fn text_of(own: &[u8], in_resources: &[u8]) -> Vec<String> {
        let mut resources = b"8BIM\x04\x04\0\0".to_vec();
        resources.extend((in_resources.len() as u32).to_be_bytes());
        resources.extend(in_resources);
        let both = [
            (
                Tag(Context::Tiff, 0x83bb),
                Value::Undefined(own.to_vec(), 0),
            ),
            (Tag(Context::Tiff, 0x8649), Value::Byte(resources)),
        ];
        let block = exif(both).iptc().unwrap();
        let keywords = iptc::statements(&block).keywords.into_iter();
        keywords.map(|keyword| keyword.value).collect()
    }
    let character_set = b"\x1c\x01\x5a\0\x03\x1b%G";
    let whole = [
        &character_set[..],
        b"\x1c\x02\x19\0\x04Roma\x1c\x02\x19\0\x03Opa",
    ]
    .concat();
    // A quarter of it, as ImageMagick writes it: within a data set, at the end of one, and without any.
    for end in [whole.len() / 4, 8, 13, 18, 0] {
        assert_eq!(text_of(&whole[..end], &whole), ["Roma", "Opa"], "{end}");
    }
    // The tag itself counts if it is whole, also with zeros at its end.
    let other = b"\x1c\x02\x19\0\x04Lake\0\0\0";
    assert_eq!(text_of(other, &whole), ["Lake"]);
    // What is left of it, if there is nothing else.
    assert_eq!(text_of(&whole[..20], b""), ["Roma"]);
}
