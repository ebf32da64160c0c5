//! Words for the sources of facts, as `show` and `status` print them.

use crate::photo::{DateSource, Source};

/// The source of a date.
pub(super) const fn date_source_in_words(source: DateSource) -> &'static str {
    match source {
        DateSource::Exif => "EXIF",
        DateSource::ExifDigitized => "EXIF: made digital",
        DateSource::ExifChanged => "EXIF: last change of the file",
        DateSource::Gps => "GPS time in EXIF",
        DateSource::Xmp => "XMP",
        DateSource::XmpDigitized => "XMP: made digital",
        DateSource::Iptc => "IPTC",
        DateSource::Png => "PNG text",
        DateSource::PngChanged => "PNG: last change of the file",
        DateSource::Sidecar => "sidecar",
        DateSource::Takeout => "Google Takeout",
        DateSource::FileName => "name of the file",
        DateSource::Folder => "name of the folder",
        DateSource::FileTime => "modification time of the file; the photo has no date",
    }
}

/// The source of another fact.
pub(super) const fn source_in_words(source: Source) -> &'static str {
    match source {
        Source::Exif => "EXIF",
        Source::Xmp => "XMP",
        Source::Iptc => "IPTC",
        Source::Windows => "EXIF of Windows",
        Source::Jpeg => "comment of the JPEG",
        Source::Png => "PNG text",
        Source::Sidecar => "sidecar",
        Source::Takeout => "Google Takeout",
        Source::Picasa => "Picasa",
        Source::Estimated => "estimated",
    }
}
