//! Reads a photo's EXIF block with kamadak-exif.
//!
//! Cameras write zeros, blanks or advertising into fields for which they have no value, so implausible
//! values count as absent.

use std::borrow::Cow;

use ::exif::{Context, Field, In, Reader, Tag, Value};
use jiff::Timestamp;
use jiff::tz::Offset;

use super::jpeg_segments::iptc_of_photoshop;
use crate::facts::{
    Block, Moment, Statements, camera_name, date_time, latin1_or_utf8, nanoseconds,
    stars_of_percent, utc_offset, xmp_date,
};
use crate::photo::{DateSource, GeoPoint, Precision};
use crate::raster::Orientation;

/// A parsed EXIF block.
pub(super) struct Exif(::exif::Exif);

impl Exif {
    /// Parses a block that begins with a TIFF header, with or without the prefix that JPEG puts before it.
    /// Keeps the readable fields of a broken block; `None` if there are none.
    pub(super) fn parse(mut block: Vec<u8>) -> Option<Self> {
        if block.starts_with(b"Exif\0\0") {
            block.drain(..6);
        }
        let _ = set_type_of_pointers(&mut block);
        let mut reader = Reader::new();
        reader.continue_on_error(true);
        let exif = reader
            .read_raw(block)
            .or_else(|error| error.distill_partial_result(|_| ()));
        exif.ok().map(Self)
    }

    /// The orientation that makes the stored pixels upright.
    pub(super) fn orientation(&self) -> Orientation {
        self.number(Tag::Orientation)
            .map_or_else(Orientation::default, Orientation::from_exif)
    }

    /// What the block says of the photo.
    pub(super) fn statements(&self) -> Statements {
        let mut said = Statements::default();
        self.dates(&mut said);
        if let Some(at) = self.position() {
            said.position(at, Block::Exif);
        }
        let (maker, model) = (self.text(Tag::Make), self.text(Tag::Model));
        if let Some(name) = camera_name(maker.as_deref(), model.as_deref()) {
            said.camera(&name, Block::Exif);
        }
        if let Some(lens) = self.text(Tag::LensModel) {
            said.lens(&lens, Block::Exif);
        }
        if let Some(text) = self.text(Tag::ImageDescription) {
            said.description(&text, Block::Exif);
        }
        if let Some(text) = self.comment() {
            said.description(&text, Block::Comment);
        }
        self.windows(&mut said);
        said
    }

    /// The XMP packet that a TIFF has among its tags.
    pub(super) fn xmp(&self) -> Option<&[u8]> {
        const XMP: Tag = Tag(Context::Tiff, 0x02bc);
        match &self.field(XMP)?.value {
            Value::Byte(packet) | Value::Undefined(packet, _) => Some(packet),
            _ => None,
        }
    }

    /// The IPTC-IIM block that a TIFF has among its tags, by itself or among Photoshop's resources.
    pub(super) fn iptc(&self) -> Option<Vec<u8>> {
        const IPTC: Tag = Tag(Context::Tiff, 0x83bb);
        const PHOTOSHOP: Tag = Tag(Context::Tiff, 0x8649);
        if let Some(block) = self.bytes(IPTC) {
            return Some(block.into_owned());
        }
        let resources = self.bytes(PHOTOSHOP)?;
        iptc_of_photoshop(&resources).map(<[u8]>::to_vec)
    }

    /// The bytes of a tag; programs also write IPTC-IIM as numbers of four bytes.
    fn bytes(&self, tag: Tag) -> Option<Cow<'_, [u8]>> {
        match &self.field(tag)?.value {
            Value::Byte(bytes) | Value::Undefined(bytes, _) => Some(Cow::Borrowed(bytes)),
            Value::Long(numbers) => {
                let bytes = numbers.iter().map(|number| {
                    if self.0.little_endian() {
                        number.to_le_bytes()
                    } else {
                        number.to_be_bytes()
                    }
                });
                Some(Cow::Owned(bytes.flatten().collect()))
            }
            _ => None,
        }
    }

    fn field(&self, tag: Tag) -> Option<&Field> {
        self.0.get_field(tag, In::PRIMARY)
    }

    fn number(&self, tag: Tag) -> Option<u32> {
        self.field(tag)?.value.get_uint(0)
    }

    /// The bytes of a string up to its first NUL. A string of EXIF 3.0 may be of the type UTF-8, which the reader
    /// does not know: it leaves where its length and place are.
    fn ascii(&self, tag: Tag) -> Option<&[u8]> {
        const UTF8: u16 = 129;
        match &self.field(tag)?.value {
            Value::Ascii(strings) => strings.first().map(Vec::as_slice),
            Value::Unknown(UTF8, length, at) => {
                let (length, at) = (*length as usize, *at as usize);
                let block = self.0.buf();
                let inline = block.get(at..at.checked_add(4)?)?;
                let text = if length <= 4 {
                    &inline[..length]
                } else {
                    let place = [inline[0], inline[1], inline[2], inline[3]];
                    let start = if self.0.little_endian() {
                        u32::from_le_bytes(place)
                    } else {
                        u32::from_be_bytes(place)
                    } as usize;
                    block.get(start..start.checked_add(length)?)?
                };
                text.split(|byte| *byte == 0).next()
            }
            _ => None,
        }
    }

    /// A string; `None` if it is blank. EXIF requires ASCII; cameras write UTF-8, older ones Latin-1.
    fn text(&self, tag: Tag) -> Option<String> {
        let text = latin1_or_utf8(self.ascii(tag)?);
        (!text.trim().is_empty()).then_some(text)
    }

    /// `UserComment`, of which the first eight bytes name the character set; `None` if it is blank or Japanese (JIS).
    fn comment(&self) -> Option<String> {
        let bytes = self.bytes(Tag::UserComment)?;
        let (code, text) = bytes.split_first_chunk::<8>()?;
        let text = match code {
            b"UNICODE\0" => self.utf16(text),
            b"ASCII\0\0\0" | [0, 0, 0, 0, 0, 0, 0, 0] => {
                let end = text.iter().position(|byte| *byte == 0);
                latin1_or_utf8(&text[..end.unwrap_or(text.len())])
            }
            _ => return None,
        };
        (!text.trim().is_empty()).then_some(text)
    }

    /// UTF-16 in the byte order of the block, unless it begins with the mark of another one.
    fn utf16(&self, text: &[u8]) -> String {
        let (is_little_endian, text) = match text {
            [0xff, 0xfe, rest @ ..] => (true, rest),
            [0xfe, 0xff, rest @ ..] => (false, rest),
            _ => (self.0.little_endian(), text),
        };
        utf16(text, is_little_endian)
    }

    /// The tags of the Windows Explorer: UTF-16 in little-endian order whatever the order of the block, and the rating in
    /// stars and in percent.
    fn windows(&self, said: &mut Statements) {
        let text = |number| {
            let text = utf16(&self.bytes(Tag(Context::Tiff, number))?, true);
            (!text.trim().is_empty()).then_some(text)
        };
        if let Some(title) = text(0x9c9b) {
            said.title(&title, Block::Windows);
        }
        // The comment, and the subject.
        for number in [0x9c9c, 0x9c9f] {
            if let Some(text) = text(number) {
                said.description(&text, Block::Windows);
            }
        }
        for keyword in text(0x9c9e).unwrap_or_default().split(';') {
            said.keyword(keyword, Block::Windows);
        }
        let number = |number| self.number(Tag(Context::Tiff, number));
        let stars = number(0x4746).and_then(|stars| i8::try_from(stars).ok());
        let percent = number(0x4749).and_then(|percent| i32::try_from(percent).ok());
        if let Some(stars) = stars.or_else(|| percent.map(stars_of_percent)) {
            said.rating(stars, Block::Windows);
        }
    }

    fn dates(&self, said: &mut Statements) {
        for (date, fraction, offset, source) in [
            (
                Tag::DateTimeOriginal,
                Tag::SubSecTimeOriginal,
                Tag::OffsetTimeOriginal,
                DateSource::Exif,
            ),
            (
                Tag::DateTimeDigitized,
                Tag::SubSecTimeDigitized,
                Tag::OffsetTimeDigitized,
                DateSource::ExifDigitized,
            ),
            (
                Tag::DateTime,
                Tag::SubSecTime,
                Tag::OffsetTime,
                DateSource::ExifChanged,
            ),
        ] {
            let Some(text) = self.ascii(date) else {
                continue;
            };
            let fraction = self.ascii(fraction).map_or(0, nanoseconds);
            if let Some(local) = date_time(text, fraction) {
                let offset = self.ascii(offset).and_then(utc_offset);
                let moment = Moment::Local { local, offset };
                said.date(moment, Precision::Second, source);
            } else if let Some((moment, precision)) = day_alone(text) {
                said.date(moment, precision, source);
            }
        }
        if let Some(utc) = self.gps_time() {
            let moment = Moment::Instant { utc };
            said.date(moment, Precision::Second, DateSource::Gps);
        }
    }

    /// The time of the GPS receiver, in Coordinated Universal Time.
    fn gps_time(&self) -> Option<Timestamp> {
        let Value::Rational(parts) = &self.field(Tag::GPSTimeStamp)?.value else {
            return None;
        };
        let mut numbers = [0.0; 3];
        for (number, part) in numbers.iter_mut().zip(parts) {
            *number = part.to_f64();
        }
        let [hour, minute, second] = numbers;
        let clock = format!("{hour:.0}:{minute:.0}:{:.0}", second.floor());
        let text = [self.ascii(Tag::GPSDateStamp)?, b" ", clock.as_bytes()].concat();
        let (is_whole, is_complete) = (hour.fract() == 0.0, parts.len() == 3);
        let time = date_time(&text, 0).filter(|_| is_whole && is_complete)?;
        Offset::UTC.to_timestamp(time).ok()
    }

    fn position(&self) -> Option<GeoPoint> {
        let latitude = self.degrees(Tag::GPSLatitude, Tag::GPSLatitudeRef, [b'N', b'S'])?;
        let longitude = self.degrees(Tag::GPSLongitude, Tag::GPSLongitudeRef, [b'E', b'W'])?;
        Some(GeoPoint {
            latitude,
            longitude,
        })
    }

    /// An angle from degrees, minutes and seconds; its sign is that of the letter in `direction`.
    fn degrees(&self, tag: Tag, direction: Tag, [positive, negative]: [u8; 2]) -> Option<f64> {
        let Value::Rational(parts) = &self.field(tag)?.value else {
            return None;
        };
        let sign = match self.ascii(direction)?.first()?.to_ascii_uppercase() {
            letter if letter == positive => 1.0,
            letter if letter == negative => -1.0,
            _ => return None,
        };
        let mut degrees = 0.0;
        for (part, unit) in parts.iter().zip([1.0, 60.0, 3600.0]) {
            // Cameras that omit the seconds write 0/0.
            if part.denom != 0 {
                degrees += part.to_f64() / unit;
            } else if unit < 3600.0 {
                return None;
            }
        }
        (parts.len() >= 2).then_some(sign * degrees)
    }
}

/// A date without a time, as the standard lets a clock that is not known be blanks: "2019:07:14   :  :  ".
fn day_alone(text: &[u8]) -> Option<(Moment, Precision)> {
    let text = std::str::from_utf8(text).ok()?;
    let (day, clock) = text.split_at_checked(10)?;
    let is_blank = !clock.contains(|c: char| c.is_ascii_digit() && c != '0');
    is_blank.then(|| xmp_date(day))?
}

/// Sets the type of the pointers to the directories of EXIF and GPS to `LONG`: a TIFF may give them the type `IFD` (13),
/// which the reader does not follow. `None` if the block is cut before their end.
fn set_type_of_pointers(block: &mut [u8]) -> Option<()> {
    const IFD: u16 = 13;
    const LONG: u16 = 4;
    let is_little_endian = block.starts_with(b"II");
    let short = |bytes: [u8; 2]| {
        if is_little_endian {
            u16::from_le_bytes(bytes)
        } else {
            u16::from_be_bytes(bytes)
        }
    };
    let first = *block.get(4..)?.first_chunk()?;
    let first = if is_little_endian {
        u32::from_le_bytes(first)
    } else {
        u32::from_be_bytes(first)
    } as usize;
    let entries = block.get_mut(first..)?;
    let (count, entries) = entries.split_first_chunk_mut::<2>()?;
    let (entries, _) = entries.as_chunks_mut::<12>();
    for entry in entries.iter_mut().take(short(*count).into()) {
        let [tag, kind] = [0, 2].map(|at| short([entry[at], entry[at + 1]]));
        if [0x8769, 0x8825].contains(&tag) && kind == IFD {
            let long = if is_little_endian {
                LONG.to_le_bytes()
            } else {
                LONG.to_be_bytes()
            };
            entry[2..4].copy_from_slice(&long);
        }
    }
    Some(())
}

/// UTF-16 up to the first NUL.
fn utf16(bytes: &[u8], is_little_endian: bool) -> String {
    let units = bytes.chunks_exact(2).map(|pair| {
        let pair = [pair[0], pair[1]];
        if is_little_endian {
            u16::from_le_bytes(pair)
        } else {
            u16::from_be_bytes(pair)
        }
    });
    char::decode_utf16(units.take_while(|unit| *unit != 0))
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::of_content;
    use crate::photo::{Capture, TakenAt};
    use ::exif::Rational;
    use ::exif::experimental::Writer;
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
    fn directories_are_found_by_pointers_of_either_type() {
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
            block[at + 2..at + 4].copy_from_slice(&short(13));
            let said = Exif::parse(block.clone()).unwrap().statements();
            assert_eq!(said.dates.len(), 1, "{is_little_endian}");
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
}
