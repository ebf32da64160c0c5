//! The identity of a photo, and the metadata that its EXIF block and XMP packet contain.

use std::fmt;
use std::time::SystemTime;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

/// BLAKE3 digest of a file's bytes: the identity of a photo, whatever its path.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContentHash([u8; 32]);

impl ContentHash {
    /// Hashes the bytes of a whole file.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// Wraps a stored digest.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The digest.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The source of a photo's date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateSource {
    /// EXIF `DateTimeOriginal`, or `DateTimeDigitized` or `DateTime` in its place.
    Exif,
    /// The file's modification time, if EXIF has no date.
    FileTime,
}

/// When a photo was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakenAt {
    /// Local time at the place of the photo.
    pub local: DateTime,
    /// Offset from UTC; often absent from EXIF.
    pub offset: Option<Offset>,
    /// The source of the date.
    pub source: DateSource,
}

impl TakenAt {
    /// The modification time of a file, for a photo without a date, in the system's time zone. `None`
    /// outside of the years −9999 to 9999.
    pub fn from_file_time(modified: SystemTime) -> Option<Self> {
        Self::from_file_time_in(modified, TimeZone::system())
    }

    fn from_file_time_in(modified: SystemTime, zone: TimeZone) -> Option<Self> {
        let moment = Timestamp::try_from(modified).ok()?.to_zoned_datetime(zone);
        Some(Self {
            local: moment.datetime(),
            offset: Some(moment.offset()),
            source: DateSource::FileTime,
        })
    }
}

/// A position on the globe in degrees (WGS 84).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GeoPoint {
    /// North positive, −90 to 90.
    pub latitude: f64,
    /// East positive, −180 to 180.
    pub longitude: f64,
}

/// How a photo was taken, by its metadata; `None` for what is absent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Capture {
    /// When it was taken.
    pub taken_at: Option<TakenAt>,
    /// Where it was taken.
    pub position: Option<GeoPoint>,
    /// Maker and model of the camera.
    pub camera: Option<String>,
    /// Model of the lens.
    pub lens: Option<String>,
    /// EXIF `ImageDescription`.
    pub description: Option<String>,
    /// Keywords and title from XMP, each without line breaks: of an analysis those embedded in the file, of a
    /// photo in the index also those of its sidecars.
    pub keywords: Vec<String>,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::civil::date;

    use super::*;

    #[test]
    fn hash_prints_as_hex() {
        // The BLAKE3 digest of no bytes, from the specification's test vectors.
        assert_eq!(
            ContentHash::of(b"").to_string(),
            "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
        );
    }

    #[test]
    fn a_date_from_the_file_time_has_that_source() {
        let offset = Offset::from_seconds(-2 * 3600).unwrap();
        let mtime = SystemTime::UNIX_EPOCH + Duration::new(86_400, 500_000_000);
        let zone = TimeZone::fixed(offset);
        assert_eq!(
            TakenAt::from_file_time_in(mtime, zone),
            Some(TakenAt {
                local: date(1970, 1, 1).at(22, 0, 0, 500_000_000),
                offset: Some(offset),
                source: DateSource::FileTime,
            })
        );
        assert!(TakenAt::from_file_time(SystemTime::now()).is_some());
    }
}
