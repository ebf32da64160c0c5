//! Writes EXIF blocks for tests.

use std::io::Cursor;

use exif::experimental::Writer;
use exif::{Context, Field, In, Rational, Tag, Value};
use image::RgbImage;

const SAMPLES_PER_PIXEL: Tag = Tag(Context::Tiff, 0x115);

const DNG_VERSION: Tag = Tag(Context::Tiff, 0xc612);

/// The fields of an EXIF block.
#[derive(Default)]
pub struct ExifBlock(Vec<Field>);

impl ExifBlock {
    /// A block without fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds any field.
    pub fn with(mut self, tag: Tag, value: Value) -> Self {
        self.0.push(Field {
            tag,
            ifd_num: In::PRIMARY,
            value,
        });
        self
    }

    /// Adds a string.
    pub fn with_text(self, tag: Tag, text: &str) -> Self {
        self.with(tag, Value::Ascii(vec![text.as_bytes().to_vec()]))
    }

    /// Adds an orientation, 1 to 8.
    pub fn with_orientation(self, orientation: u16) -> Self {
        self.with(Tag::Orientation, Value::Short(vec![orientation]))
    }

    /// Adds the date of the photo, such as "2008:05:30 15:56:01", "25" and "+02:00".
    pub fn with_date(self, date: &str, subseconds: &str, offset: &str) -> Self {
        self.with_text(Tag::DateTimeOriginal, date)
            .with_text(Tag::SubSecTimeOriginal, subseconds)
            .with_text(Tag::OffsetTimeOriginal, offset)
    }

    /// Adds a position in degrees, north and east positive.
    pub fn with_position(self, latitude: f64, longitude: f64) -> Self {
        let parts = |degrees: f64| {
            let thousandths = (degrees.abs() * 3_600_000.0).round() as u32;
            let (degrees, rest) = (thousandths / 3_600_000, thousandths % 3_600_000);
            let (minutes, seconds) = (rest / 60_000, rest % 60_000);
            let parts = [(degrees, 1), (minutes, 1), (seconds, 1000)];
            Value::Rational(parts.map(Rational::from).to_vec())
        };
        let letter = |degrees: f64, letters: [&'static str; 2]| letters[usize::from(degrees < 0.0)];
        self.with(Tag::GPSLatitude, parts(latitude))
            .with_text(Tag::GPSLatitudeRef, letter(latitude, ["N", "S"]))
            .with(Tag::GPSLongitude, parts(longitude))
            .with_text(Tag::GPSLongitudeRef, letter(longitude, ["E", "W"]))
    }

    /// The bytes of the block, beginning with its TIFF header.
    pub fn bytes(&self) -> Vec<u8> {
        self.write(&[])
    }

    /// The bytes of the block with a JPEG as its thumbnail.
    pub fn with_thumbnail(&self, thumbnail: &[u8]) -> Vec<u8> {
        let mut writer = Writer::new();
        for field in &self.0 {
            writer.push_field(field);
        }
        writer.set_jpeg(thumbnail, In::THUMBNAIL);
        let mut block = Cursor::new(Vec::new());
        writer.write(&mut block, true).unwrap();
        block.into_inner()
    }

    /// A TIFF file with the fields, and the picture as one uncompressed strip.
    pub fn tiff(self, picture: &RgbImage) -> Vec<u8> {
        let number = |number: u32| Value::Long(vec![number]);
        self.with(Tag::ImageWidth, number(picture.width()))
            .with(Tag::ImageLength, number(picture.height()))
            .with(Tag::RowsPerStrip, number(picture.height()))
            .with(Tag::BitsPerSample, Value::Short(vec![8; 3]))
            .with(Tag::Compression, Value::Short(vec![1]))
            .with(Tag::PhotometricInterpretation, Value::Short(vec![2]))
            .with(SAMPLES_PER_PIXEL, Value::Short(vec![3]))
            .write(&[picture.as_raw()])
    }

    /// A camera raw file (DNG) with the fields, and a JPEG of this size as its preview.
    pub fn dng(self, preview: &[u8], (width, height): (u32, u32)) -> Vec<u8> {
        let number = |number: u32| Value::Long(vec![number]);
        self.with(DNG_VERSION, Value::Byte(vec![1, 4, 0, 0]))
            .with(Tag::ImageWidth, number(width))
            .with(Tag::ImageLength, number(height))
            .with(Tag::RowsPerStrip, number(height))
            .with(Tag::BitsPerSample, Value::Short(vec![8; 3]))
            .with(Tag::Compression, Value::Short(vec![7]))
            .with(Tag::PhotometricInterpretation, Value::Short(vec![6]))
            .with(SAMPLES_PER_PIXEL, Value::Short(vec![3]))
            .write(&[preview])
    }

    fn write(&self, strips: &[&[u8]]) -> Vec<u8> {
        let mut writer = Writer::new();
        for field in &self.0 {
            writer.push_field(field);
        }
        if !strips.is_empty() {
            writer.set_strips(strips, In::PRIMARY);
        }
        let mut block = Cursor::new(Vec::new());
        writer.write(&mut block, true).unwrap();
        block.into_inner()
    }
}
