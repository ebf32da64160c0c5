//! Reads a photo's EXIF block with kamadak-exif.
//!
//! Cameras write zeros, blanks or advertising into fields for which they have no value, so implausible
//! values count as absent.

use ::exif::{Context, Field, In, Reader, Tag, Value};

use super::dates;
use crate::photo::{Capture, DateSource, GeoPoint, Precision, TakenAt};
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

    /// Date, position, camera, lens and description.
    pub(super) fn capture(&self) -> Capture {
        Capture {
            taken_at: self.taken_at(),
            position: self.position(),
            camera: self.camera(),
            lens: self.text(Tag::LensModel),
            description: self
                .text(Tag::ImageDescription)
                .filter(|text| !is_advertising(text)),
            keywords: Vec::new(),
        }
    }

    /// The XMP packet that a TIFF has among its tags.
    pub(super) fn xmp(&self) -> Option<&[u8]> {
        const XMP: Tag = Tag(Context::Tiff, 0x02bc);
        match &self.field(XMP)?.value {
            Value::Byte(packet) | Value::Undefined(packet, _) => Some(packet),
            _ => None,
        }
    }

    /// The name of the raw format, if this is the block of a camera's raw file that is a TIFF whose first
    /// picture is a thumbnail or sensor data.
    pub(super) fn camera_raw(&self) -> Option<String> {
        const DNG_VERSION: Tag = Tag(Context::Tiff, 0xc612);
        const NEW_SUBFILE_TYPE: Tag = Tag(Context::Tiff, 0xfe);
        // Compression schemes of Samsung, Sony, Nikon and Pentax; lossy DNG.
        const RAW: [u32; 7] = [32767, 32769, 32770, 32772, 34713, 34892, 65535];

        if self.field(DNG_VERSION).is_some() {
            return Some("Adobe raw (DNG)".to_owned());
        }
        let camera = self.camera()?;
        let is_thumbnail = self
            .number(NEW_SUBFILE_TYPE)
            .is_some_and(|bits| bits & 1 == 1);
        let is_raw = self
            .number(Tag::Compression)
            .is_some_and(|scheme| RAW.contains(&scheme));
        (is_thumbnail || is_raw).then(|| format!("raw file of a {camera}"))
    }

    fn field(&self, tag: Tag) -> Option<&Field> {
        self.0.get_field(tag, In::PRIMARY)
    }

    fn number(&self, tag: Tag) -> Option<u32> {
        self.field(tag)?.value.get_uint(0)
    }

    /// The bytes of a string up to its first NUL.
    fn ascii(&self, tag: Tag) -> Option<&[u8]> {
        match &self.field(tag)?.value {
            Value::Ascii(strings) => strings.first().map(Vec::as_slice),
            _ => None,
        }
    }

    /// A string without line breaks and control characters; `None` if it is blank.
    ///
    /// EXIF requires ASCII; cameras write UTF-8, older ones Latin-1.
    fn text(&self, tag: Tag) -> Option<String> {
        let bytes = self.ascii(tag)?;
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => bytes.iter().copied().map(char::from).collect(),
        };
        let words: Vec<&str> = text
            .split(|c: char| c.is_whitespace() || c.is_control())
            .filter(|word| !word.is_empty())
            .collect();
        (!words.is_empty()).then(|| words.join(" "))
    }

    /// Maker and model, without naming the maker twice: for "Canon" and "Canon EOS 5D", or "NIKON
    /// CORPORATION" and "NIKON D3100", the model alone.
    fn camera(&self) -> Option<String> {
        let (maker, model) = match (self.text(Tag::Make), self.text(Tag::Model)) {
            (Some(maker), Some(model)) => (maker, model),
            (maker, model) => return model.or(maker),
        };
        let first = model
            .split(|c: char| !c.is_alphanumeric())
            .next()
            .unwrap_or_default();
        if maker
            .split(' ')
            .any(|word| word.eq_ignore_ascii_case(first))
        {
            Some(model)
        } else {
            Some(format!("{maker} {model}"))
        }
    }

    fn taken_at(&self) -> Option<TakenAt> {
        [
            (
                Tag::DateTimeOriginal,
                Tag::SubSecTimeOriginal,
                Tag::OffsetTimeOriginal,
            ),
            (
                Tag::DateTimeDigitized,
                Tag::SubSecTimeDigitized,
                Tag::OffsetTimeDigitized,
            ),
            (Tag::DateTime, Tag::SubSecTime, Tag::OffsetTime),
        ]
        .into_iter()
        .find_map(|(date, fraction, offset)| {
            let fraction = self.ascii(fraction).map_or(0, dates::nanoseconds);
            Some(TakenAt {
                local: dates::date_time(self.ascii(date)?, fraction)?,
                offset: self.ascii(offset).and_then(dates::utc_offset),
                precision: Precision::Second,
                source: DateSource::Exif,
            })
        })
    }

    fn position(&self) -> Option<GeoPoint> {
        let latitude = self.degrees(Tag::GPSLatitude, Tag::GPSLatitudeRef, [b'N', b'S'])?;
        let longitude = self.degrees(Tag::GPSLongitude, Tag::GPSLongitudeRef, [b'E', b'W'])?;
        // 0°, 0° comes from a receiver without a fix, not from a boat in the Gulf of Guinea.
        let is_plausible = (latitude != 0.0 || longitude != 0.0)
            && (-90.0..=90.0).contains(&latitude)
            && (-180.0..=180.0).contains(&longitude);
        is_plausible.then_some(GeoPoint {
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

/// Whether a description is a text that a camera writes into every photo.
fn is_advertising(description: &str) -> bool {
    const ADVERTISING: [&str; 12] = [
        "ASUS DIGITAL CAMERA",
        "CASIO DIGITAL CAMERA",
        "DIGITAL CAMERA",
        "Exif_JPEG_PICTURE",
        "Exif JPEG",
        "JPEG Image",
        "KODAK Digital Still Camera",
        "MINOLTA DIGITAL CAMERA",
        "My beautiful picture",
        "OLYMPUS DIGITAL CAMERA",
        "SAMSUNG DIGITAL CAMERA",
        "SONY DSC",
    ];
    ADVERTISING
        .iter()
        .any(|text| description.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::exif::Rational;
    use ::exif::experimental::Writer;
    use jiff::civil::date;
    use jiff::tz::Offset;

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
        let capture = exif.capture();
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
    fn implausible_dates_are_ignored_and_the_next_field_is_used() {
        let local = |fields: &[(Tag, &str)]| {
            let exif = exif(fields.iter().map(|(tag, text)| ascii(*tag, text)));
            exif.capture().taken_at.map(|taken_at| taken_at.local)
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
            exif.capture().position
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
            exif([ascii(Tag::Make, make), ascii(Tag::Model, model)])
                .capture()
                .camera
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
            exif([(Tag::ImageDescription, Value::Ascii(vec![text.to_vec()]))])
                .capture()
                .description
        };
        assert_eq!(description(b"OLYMPUS DIGITAL CAMERA         "), None);
        assert_eq!(description(b"   "), None);
        assert_eq!(description("Größe".as_bytes()).as_deref(), Some("Größe"));
        assert_eq!(description(b"Gr\xf6\xdfe").as_deref(), Some("Größe"));
        // Control characters could send commands to a terminal.
        assert_eq!(description(b"a\x1b[31mb").as_deref(), Some("a [31mb"));
    }

    #[test]
    fn camera_raw_files_are_recognised() {
        let dng = (Tag(Context::Tiff, 0xc612), Value::Byte(vec![1, 4, 0, 0]));
        assert_eq!(exif([dng]).camera_raw().as_deref(), Some("Adobe raw (DNG)"));
        let thumbnail = || (Tag(Context::Tiff, 0xfe), Value::Long(vec![1]));
        let model = || ascii(Tag::Model, "NIKON D850");
        assert_eq!(
            exif([thumbnail(), model()]).camera_raw().as_deref(),
            Some("raw file of a NIKON D850")
        );
        let pentax = (Tag::Compression, Value::Short(vec![65535]));
        assert!(exif([pentax, model()]).camera_raw().is_some());
        assert_eq!(exif([model()]).camera_raw(), None);
        assert_eq!(exif([thumbnail()]).camera_raw(), None);
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
        assert_eq!(exif.capture(), Capture::default());
    }
}
