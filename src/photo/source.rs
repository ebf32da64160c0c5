//! Names the sources of a photo's facts.

use serde::{Deserialize, Serialize};

/// The source of a photo's date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateSource {
    /// EXIF `DateTimeOriginal`.
    Exif,
    /// EXIF `DateTimeDigitized`.
    ExifDigitized,
    /// EXIF `DateTime`: when the file was last changed.
    ExifChanged,
    /// EXIF `GPSDateStamp` and `GPSTimeStamp`.
    Gps,
    /// XMP in the file: creation of the picture.
    Xmp,
    /// XMP in the file: digitisation of the picture.
    XmpDigitized,
    /// IPTC-IIM.
    Iptc,
    /// A text chunk of a PNG.
    Png,
    /// `tIME` of a PNG: when the file was last changed.
    PngChanged,
    /// An XMP sidecar.
    Sidecar,
    /// The JSON of Google Takeout.
    Takeout,
    /// The name of the file.
    FileName,
    /// The names of its folders.
    Folder,
    /// The file's modification time, if nothing else has a date.
    #[serde(rename = "file")]
    FileTime,
}

impl DateSource {
    /// Every source.
    pub const ALL: [Self; 14] = [
        Self::Exif,
        Self::ExifDigitized,
        Self::ExifChanged,
        Self::Gps,
        Self::Xmp,
        Self::XmpDigitized,
        Self::Iptc,
        Self::Png,
        Self::PngChanged,
        Self::Sidecar,
        Self::Takeout,
        Self::FileName,
        Self::Folder,
        Self::FileTime,
    ];

    /// Its name in the database and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exif => "exif",
            Self::ExifDigitized => "exif_digitized",
            Self::ExifChanged => "exif_changed",
            Self::Gps => "gps",
            Self::Xmp => "xmp",
            Self::XmpDigitized => "xmp_digitized",
            Self::Iptc => "iptc",
            Self::Png => "png",
            Self::PngChanged => "png_changed",
            Self::Sidecar => "sidecar",
            Self::Takeout => "takeout",
            Self::FileName => "file_name",
            Self::Folder => "folder",
            Self::FileTime => "file",
        }
    }

    /// The source of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.name() == name)
    }

    /// Whether the camera states it, or a program that wrote the camera's fields.
    pub const fn is_exif(self) -> bool {
        matches!(self, Self::Exif | Self::ExifDigitized | Self::ExifChanged)
    }
}

/// The source of a fact other than the date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// EXIF.
    Exif,
    /// XMP in the file.
    Xmp,
    /// IPTC-IIM.
    Iptc,
    /// The tags of the Windows Explorer within EXIF.
    Windows,
    /// A comment of a JPEG.
    Jpeg,
    /// A text chunk of a PNG.
    Png,
    /// An XMP sidecar.
    Sidecar,
    /// The JSON of Google Takeout.
    Takeout,
    /// A file `.picasa.ini`.
    Picasa,
    /// Estimated from other photos.
    Estimated,
}

impl Source {
    /// Every source.
    pub const ALL: [Self; 10] = [
        Self::Exif,
        Self::Xmp,
        Self::Iptc,
        Self::Windows,
        Self::Jpeg,
        Self::Png,
        Self::Sidecar,
        Self::Takeout,
        Self::Picasa,
        Self::Estimated,
    ];

    /// Its name in the database and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exif => "exif",
            Self::Xmp => "xmp",
            Self::Iptc => "iptc",
            Self::Windows => "windows",
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::Sidecar => "sidecar",
            Self::Takeout => "takeout",
            Self::Picasa => "picasa",
            Self::Estimated => "estimated",
        }
    }

    /// The source of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.name() == name)
    }
}

/// The sources of the facts of a photo other than its date; `None` for what is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FactSources {
    /// Of its position.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<Source>,
    /// Of the camera's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub camera: Option<Source>,
    /// Of the lens's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lens: Option<Source>,
    /// Of the title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<Source>,
    /// Of the description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Source>,
    /// Of the rating.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rating: Option<Source>,
    /// Of the keywords, each source once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<Source>,
}
