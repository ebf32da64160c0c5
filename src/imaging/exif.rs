//! Reads a photo's EXIF block with kamadak-exif.
//!
//! Cameras write zeros, blanks or advertising into fields for which they have no value, so implausible
//! values count as absent.

use std::borrow::Cow;

use ::exif::{Context, Field, In, Reader, Tag, Value};
use jiff::Timestamp;
use jiff::tz::Offset;

use super::iptc;
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
        let mut statements = Statements::default();
        self.dates(&mut statements);
        if let Some(at) = self.position() {
            statements.add_position(at, Block::Exif);
        }
        let (maker, model) = (self.text(Tag::Make), self.text(Tag::Model));
        if let Some(name) = camera_name(maker.as_deref(), model.as_deref()) {
            statements.add_camera(&name, Block::Exif);
        }
        if let Some(lens) = self.text(Tag::LensModel) {
            statements.add_lens(&lens, Block::Exif);
        }
        if let Some(text) = self.text(Tag::ImageDescription) {
            statements.add_description(&text, Block::Exif);
        }
        if let Some(text) = self.comment() {
            statements.add_description(&text, Block::Comment);
        }
        self.windows(&mut statements);
        statements
    }

    /// The XMP packet that a TIFF has among its tags.
    pub(super) fn xmp(&self) -> Option<&[u8]> {
        const XMP: Tag = Tag(Context::Tiff, 0x02bc);
        match &self.field(XMP)?.value {
            Value::Byte(packet) | Value::Undefined(packet, _) => Some(packet),
            _ => None,
        }
    }

    /// The IPTC-IIM block that a TIFF has among its tags: the one by itself, or the one among Photoshop's resources if
    /// the former is cut or says nothing.
    pub(super) fn iptc(&self) -> Option<Vec<u8>> {
        const IPTC: Tag = Tag(Context::Tiff, 0x83bb);
        const PHOTOSHOP: Tag = Tag(Context::Tiff, 0x8649);
        let own = self.bytes(IPTC);
        if let Some(block) = own.as_ref().filter(|block| iptc::is_whole(block)) {
            return Some(block.to_vec());
        }
        let resources = self.bytes(PHOTOSHOP);
        let in_resources = resources.as_deref().and_then(iptc_of_photoshop);
        let whole = in_resources.filter(|block| iptc::is_whole(block));
        whole
            .or(own.as_deref())
            .or(in_resources)
            .map(<[u8]>::to_vec)
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

    /// A field. One of the EXIF directory may also be in the main directory, where TIFF/EP (ISO 12234-2) has it.
    fn field(&self, tag: Tag) -> Option<&Field> {
        let in_directory = |tag| self.0.get_field(tag, In::PRIMARY);
        in_directory(tag).or_else(|| match tag {
            Tag(Context::Exif, number) => in_directory(Tag(Context::Tiff, number)),
            _ => None,
        })
    }

    /// The numbers of a field; those that the camera omitted as 0/0 are not finite. Programs do not always use the
    /// standard's type: exiv2 can write signed integers, and some phones write signed rationals.
    fn numbers(&self, tag: Tag) -> Option<Vec<f64>> {
        fn all<T: Copy>(numbers: &[T], convert: impl Fn(T) -> f64) -> Vec<f64> {
            numbers.iter().map(|&number| convert(number)).collect()
        }
        Some(match &self.field(tag)?.value {
            Value::Byte(numbers) => all(numbers, f64::from),
            Value::SByte(numbers) => all(numbers, f64::from),
            Value::Short(numbers) => all(numbers, f64::from),
            Value::SShort(numbers) => all(numbers, f64::from),
            Value::Long(numbers) => all(numbers, f64::from),
            Value::SLong(numbers) => all(numbers, f64::from),
            Value::Rational(numbers) => all(numbers, |number| number.to_f64()),
            Value::SRational(numbers) => all(numbers, |number| number.to_f64()),
            Value::Float(numbers) => all(numbers, f64::from),
            Value::Double(numbers) => numbers.clone(),
            _ => return None,
        })
    }

    /// The first number of a field, if it is whole and not negative.
    fn number(&self, tag: Tag) -> Option<u32> {
        let number = *self.numbers(tag)?.first()?;
        let is_whole = number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
        is_whole.then_some(number as u32)
    }

    /// The bytes of a string up to its first NUL. EXIF 3.0 has the type UTF-8, which kamadak-exif does not support: it
    /// returns the length of the string and the offset of the field's value.
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
                    let bytes = [inline[0], inline[1], inline[2], inline[3]];
                    let start = if self.0.little_endian() {
                        u32::from_le_bytes(bytes)
                    } else {
                        u32::from_be_bytes(bytes)
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

    /// UTF-16 in the byte order of the block, unless it begins with the byte order mark of the other one.
    fn utf16(&self, text: &[u8]) -> String {
        let (is_little_endian, text) = match text {
            [0xff, 0xfe, rest @ ..] => (true, rest),
            [0xfe, 0xff, rest @ ..] => (false, rest),
            _ => (self.0.little_endian(), text),
        };
        utf16(text, is_little_endian)
    }

    /// The tags of Windows Explorer: texts in little-endian UTF-16, whatever the byte order of the block, and the
    /// rating in stars and in percent.
    fn windows(&self, statements: &mut Statements) {
        let text = |number| {
            let text = utf16(&self.bytes(Tag(Context::Tiff, number))?, true);
            (!text.trim().is_empty()).then_some(text)
        };
        if let Some(title) = text(0x9c9b) {
            statements.add_title(&title, Block::Windows);
        }
        // XPComment and XPSubject.
        for number in [0x9c9c, 0x9c9f] {
            if let Some(text) = text(number) {
                statements.add_description(&text, Block::Windows);
            }
        }
        for keyword in text(0x9c9e).unwrap_or_default().split(';') {
            statements.add_keyword(keyword, Block::Windows);
        }
        let number = |number| self.number(Tag(Context::Tiff, number));
        let stars = number(0x4746).and_then(|stars| i8::try_from(stars).ok());
        let percent = number(0x4749).and_then(|percent| i32::try_from(percent).ok());
        if let Some(stars) = stars.or_else(|| percent.map(stars_of_percent)) {
            statements.add_rating(stars, Block::Windows);
        }
    }

    fn dates(&self, statements: &mut Statements) {
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
            // If the blanks of an unknown month or day were dropped, the hour would be read in their place.
            let day = &text[..text.len().min(10)];
            let has_day = memchr::memmem::find(day, b"  ").is_none();
            if let Some(local) = date_time(text, fraction).filter(|_| has_day) {
                let offset = self.ascii(offset).and_then(utc_offset);
                let moment = Moment::Local { local, offset };
                statements.add_date(moment, Precision::Second, source);
            } else if let Some((moment, precision)) = day_alone(text) {
                statements.add_date(moment, precision, source);
            }
        }
        if let Some(utc) = self.gps_time() {
            let moment = Moment::Instant { utc };
            statements.add_date(moment, Precision::Second, DateSource::Gps);
        }
    }

    /// The time of the GPS receiver, in Coordinated Universal Time.
    fn gps_time(&self) -> Option<Timestamp> {
        let parts = self.numbers(Tag::GPSTimeStamp)?;
        let [hour, minute, second] = <[f64; 3]>::try_from(parts).ok()?;
        let clock = format!("{hour:.0}:{minute:.0}:{:.0}", second.floor());
        let text = [self.ascii(Tag::GPSDateStamp)?, b" ", clock.as_bytes()].concat();
        let time = date_time(&text, 0).filter(|_| hour.fract() == 0.0)?;
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
        let parts = self.numbers(tag)?;
        let sign = match self.ascii(direction)?.first()?.to_ascii_uppercase() {
            letter if letter == positive => 1.0,
            letter if letter == negative => -1.0,
            _ => return None,
        };
        let mut degrees = 0.0;
        for (part, unit) in parts.iter().zip([1.0, 60.0, 3600.0]) {
            // Cameras that omit the seconds write 0/0.
            if part.is_finite() && *part >= 0.0 {
                degrees += part / unit;
            } else if unit < 3600.0 || part.is_finite() {
                return None;
            }
        }
        (!parts.is_empty()).then_some(sign * degrees)
    }
}

/// A date without a time, since the standard allows blanks for what is not known: "2019:07:14   :  :  ",
/// "2019:07:     :  :  ". If the time is known only in part, as "15:  :  ", the day counts.
fn day_alone(text: &[u8]) -> Option<(Moment, Precision)> {
    let text = std::str::from_utf8(text).ok()?;
    let (day, clock) = text.split_at_checked(10)?;
    let is_zero = !clock.contains(|c: char| c.is_ascii_digit() && c != '0');
    let has_blank = || clock.split(':').any(|part| part.trim().is_empty());
    let has_day = !day.ends_with("  ");
    (is_zero || has_blank() || !has_day).then(|| xmp_date(day))?
}

/// Sets the type of the pointers to the directories of EXIF and GPS to `LONG`, the only one that kamadak-exif follows:
/// in a TIFF their type may be `IFD`, and some programs write `SLONG`. `None` if the block is cut before their end.
fn set_type_of_pointers(block: &mut [u8]) -> Option<()> {
    const LONG: u16 = 4;
    const SLONG: u16 = 9;
    const IFD: u16 = 13;
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
        if [0x8769, 0x8825].contains(&tag) && [SLONG, IFD].contains(&kind) {
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
mod tests;
