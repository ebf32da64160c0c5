//! The identity of a photo and of its picture, and the metadata that its EXIF block and XMP packet contain.

use std::time::SystemTime;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use serde::{Deserialize, Serialize};

use crate::raster::Orientation;

mod hash;
mod source;

pub use hash::{ContentHash, PictureHash};
pub use source::{DateSource, FactSources, Source};

/// The picture in a file: its stored pixels, and the orientation in which they are shown. Everything that is
/// detected in a photo follows from these two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Picture {
    /// The hash of the picture data.
    pub hash: PictureHash,
    /// The orientation that makes the stored pixels upright.
    pub orientation: Orientation,
}

/// The precision of a date.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// To the second, or finer.
    #[default]
    Second,
    /// The day.
    Day,
    /// The month.
    Month,
    /// The year.
    Year,
}

impl Precision {
    /// Whether the moment is known, and not only its day, month or year.
    #[allow(
        clippy::trivially_copy_pass_by_ref,
        reason = "the form that serde requires"
    )]
    pub const fn is_exact(&self) -> bool {
        matches!(self, Self::Second)
    }

    /// Its name in the database and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Day => "day",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// The precision of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Second, Self::Day, Self::Month, Self::Year];
        all.into_iter().find(|precision| precision.name() == name)
    }
}

/// When a photo was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakenAt {
    /// Local time at the place of the photo.
    pub local: DateTime,
    /// Offset from UTC; often absent from EXIF.
    pub offset: Option<Offset>,
    /// Its precision; if only the day, month or year is known, `local` is the beginning of that.
    pub precision: Precision,
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
            precision: Precision::Second,
            source: DateSource::FileTime,
        })
    }
}

/// A position on the globe in degrees (WGS 84).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct GeoPoint {
    /// North positive, −90 to 90.
    pub latitude: f64,
    /// East positive, −180 to 180.
    pub longitude: f64,
}

/// Which raw files may be in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Raws {
    /// Only those without a picture of the same shot beside them.
    Alone,
    /// All.
    #[default]
    All,
}

impl Raws {
    /// Its name in settings and flags.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alone => "alone",
            Self::All => "all",
        }
    }
}

/// The facts of a photo, each by the source that counts; `None` if a fact is absent.
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
    /// Title.
    pub title: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// Keywords, each without line breaks: in an analysis those in the file, for a photo in the index also those of its
    /// sidecars. The levels of a hierarchical one are separated by `|`.
    pub keywords: Vec<String>,
    /// Rating: 1 to 5, 0 for none, −1 for a photo that was rejected.
    pub rating: Option<i8>,
    /// The sources of all facts but the date.
    pub sources: FactSources,
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
    fn sources_have_the_same_name_in_json_and_in_the_database() {
        for source in DateSource::ALL {
            assert_eq!(DateSource::from_name(source.name()), Some(source));
            let json = serde_json::to_string(&source).unwrap();
            assert_eq!(json, format!("\"{}\"", source.name()));
        }
    }

    #[test]
    fn sources_of_other_facts_do_as_well() {
        for source in Source::ALL {
            assert_eq!(Source::from_name(source.name()), Some(source));
            let json = serde_json::to_string(&source).unwrap();
            assert_eq!(json, format!("\"{}\"", source.name()));
        }
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
                precision: Precision::Second,
                source: DateSource::FileTime,
            })
        );
        assert!(TakenAt::from_file_time(SystemTime::now()).is_some());
    }
}
