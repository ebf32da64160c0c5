//! Recognises file formats by their first bytes; file names are ignored.

use std::fmt;

use image::ImageFormat;
use serde::{Deserialize, Serialize};

pub use super::raw::Raw;
use crate::error::{Skip, SkipReason};

/// A format that is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Format {
    /// ITU-T T.81: baseline and progressive; grey, YCbCr, RGB and CMYK.
    Jpeg,
    /// Portable Network Graphics.
    Png,
    /// WebP; of an animation the first frame.
    WebP,
    /// GIF; of an animation the first frame.
    Gif,
    /// TIFF; of several pictures the first.
    Tiff,
    /// Windows bitmap.
    Bmp,
    /// HEVC in the HEIF container (ISO/IEC 23008-12).
    Heic,
    /// AV1 in the HEIF container.
    Avif,
    /// JPEG XL; of an animation the first frame.
    Jxl,
    /// A camera's raw file, by its preview.
    Raw(Raw),
}

impl Format {
    /// The name that messages show.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::WebP => "WebP",
            Self::Gif => "GIF",
            Self::Tiff => "TIFF",
            Self::Bmp => "BMP",
            Self::Heic => "HEIC",
            Self::Avif => "AVIF",
            Self::Jxl => "JPEG XL",
            Self::Raw(raw) => raw.name(),
        }
    }

    /// The `image` crate's name of a format that it decodes. For other formats the result has no meaning.
    pub(super) const fn of_image_crate(self) -> ImageFormat {
        match self {
            Self::Jpeg | Self::Raw(_) => ImageFormat::Jpeg,
            Self::Png => ImageFormat::Png,
            Self::WebP => ImageFormat::WebP,
            Self::Gif => ImageFormat::Gif,
            Self::Tiff => ImageFormat::Tiff,
            Self::Bmp => ImageFormat::Bmp,
            Self::Heic | Self::Avif | Self::Jxl => ImageFormat::Avif,
        }
    }

    /// Recognises a file by its first bytes.
    ///
    /// # Errors
    /// [`SkipReason::UnsupportedFormat`] with the name of a format that is known but not decoded;
    /// [`SkipReason::NotAnImage`] for everything else.
    pub fn sniff(bytes: &[u8]) -> Result<Self, Skip> {
        if let Some((_, kind)) = SIGNATURES.iter().find(|(parts, _)| matches(parts, bytes)) {
            return kind.decodable();
        }
        if let Some(kind) = brand(bytes) {
            return kind.decodable();
        }
        if is_svg(bytes) {
            return Unsupported("SVG drawing").decodable();
        }
        Err(Skip::new(SkipReason::NotAnImage, describe(bytes)))
    }
}

/// Whether a file is a picture by its first bytes, including formats that are not decoded, such as camera
/// raw files.
pub fn is_picture(bytes: &[u8]) -> bool {
    match Format::sniff(bytes) {
        Ok(_) => true,
        Err(skip) => skip.reason == SkipReason::UnsupportedFormat,
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The kind of file that a signature identifies.
#[derive(Clone, Copy)]
enum Kind {
    Decoded(Format),
    Unsupported(&'static str),
}

impl Kind {
    fn decodable(self) -> Result<Format, Skip> {
        match self {
            Self::Decoded(format) => Ok(format),
            Self::Unsupported(name) => Err(Skip::new(SkipReason::UnsupportedFormat, name)),
        }
    }
}

use Kind::{Decoded, Unsupported};

/// Byte strings and the offsets at which they must occur, all of them.
type Parts = &'static [(usize, &'static [u8])];

/// Signatures, more specific ones before more general ones.
#[rustfmt::skip]
const SIGNATURES: &[(Parts, Kind)] = &[
    (&[(0, b"\xff\xd8\xff")], Decoded(Format::Jpeg)),
    (&[(0, b"\x89PNG\r\n\x1a\n")], Decoded(Format::Png)),
    (&[(0, b"RIFF"), (8, b"WEBP")], Decoded(Format::WebP)),
    (&[(0, b"GIF87a")], Decoded(Format::Gif)),
    (&[(0, b"GIF89a")], Decoded(Format::Gif)),
    // Many texts begin with "BM", so the signature includes the size of the header that follows.
    (&[(0, b"BM"), (14, b"\x0c\0\0\0")], Decoded(Format::Bmp)),
    (&[(0, b"BM"), (14, b"\x28\0\0\0")], Decoded(Format::Bmp)),
    (&[(0, b"BM"), (14, b"\x34\0\0\0")], Decoded(Format::Bmp)),
    (&[(0, b"BM"), (14, b"\x38\0\0\0")], Decoded(Format::Bmp)),
    (&[(0, b"BM"), (14, b"\x6c\0\0\0")], Decoded(Format::Bmp)),
    (&[(0, b"BM"), (14, b"\x7c\0\0\0")], Decoded(Format::Bmp)),
    (&[(0, b"BM"), (14, b"\x10\0\0\0")], Decoded(Format::Bmp)),
    (&[(0, b"BM"), (14, b"\x40\0\0\0")], Decoded(Format::Bmp)),
    // Raw files with a signature of their own; those that begin like a TIFF are recognised by their tags.
    (&[(0, b"II*\0"), (8, b"CR\x02")], Decoded(Format::Raw(Raw::Cr2))),
    (&[(0, b"II\x1a\0\0\0HEAPCCDR")], Decoded(Format::Raw(Raw::Crw))),
    (&[(0, b"FUJIFILMCCD-RAW")], Decoded(Format::Raw(Raw::Raf))),
    (&[(0, b"IIRO")], Decoded(Format::Raw(Raw::Orf))),
    (&[(0, b"IIRS")], Decoded(Format::Raw(Raw::Orf))),
    (&[(0, b"MMOR")], Decoded(Format::Raw(Raw::Orf))),
    (&[(0, b"IIU\0")], Decoded(Format::Raw(Raw::Rw2))),
    (&[(0, b"FOVb")], Decoded(Format::Raw(Raw::X3f))),
    (&[(0, b"\0MRM")], Decoded(Format::Raw(Raw::Mrw))),
    (&[(0, b"II*\0")], Decoded(Format::Tiff)),
    (&[(0, b"MM\0*")], Decoded(Format::Tiff)),
    (&[(0, b"II+\0")], Decoded(Format::Tiff)),
    (&[(0, b"MM\0+")], Decoded(Format::Tiff)),
    (&[(0, b"II\xbc\x01")], Unsupported("JPEG XR")),
    (&[(0, b"\xff\x0a")], Decoded(Format::Jxl)),
    (&[(0, b"\0\0\0\x0cJXL \r\n\x87\n")], Decoded(Format::Jxl)),
    (&[(0, b"\0\0\0\x0cjP  \r\n\x87\n")], Unsupported("JPEG 2000")),
    (&[(0, b"\xff\x4f\xff\x51")], Unsupported("JPEG 2000")),
    (&[(0, b"8BPS")], Unsupported("Photoshop document (PSD)")),
    (&[(0, b"gimp xcf ")], Unsupported("GIMP document (XCF)")),
    (&[(0, b"%PDF-")], Unsupported("PDF document")),
    (&[(0, b"%!PS")], Unsupported("PostScript document")),
    (&[(0, b"\x76\x2f\x31\x01")], Unsupported("OpenEXR")),
    (&[(0, b"#?RADIANCE")], Unsupported("Radiance HDR")),
    (&[(0, b"DDS ")], Unsupported("DirectDraw surface (DDS)")),
    (&[(0, b"\0\0\x01\0"), (5, b"\0")], Unsupported("Windows icon (ICO)")),
    (&[(0, b"qoif")], Unsupported("QOI")),
    (&[(0, b"RIFF"), (8, b"AVI ")], Unsupported("AVI video")),
    (&[(0, b"\x1a\x45\xdf\xa3")], Unsupported("Matroska or WebM video")),
    (&[(0, b"\0\0\x01\xba")], Unsupported("MPEG video")),
    (&[(0, b"\0\0\x01\xb3")], Unsupported("MPEG video")),
    (&[(0, b"FLV\x01")], Unsupported("Flash video")),
    (&[(0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11")], Unsupported("Windows Media video")),
    (&[(4, b"moov")], Unsupported("QuickTime video")),
    (&[(4, b"mdat")], Unsupported("QuickTime video")),
];

fn matches(parts: Parts, bytes: &[u8]) -> bool {
    parts.iter().all(|(offset, part)| {
        bytes
            .get(*offset..)
            .is_some_and(|rest| rest.starts_with(part))
    })
}

/// The kind of an ISO base media file by its major brand, then by its compatible brands.
fn brand(bytes: &[u8]) -> Option<Kind> {
    let (size, rest) = bytes.split_first_chunk()?;
    let brands = rest.strip_prefix(b"ftyp")?;
    let size = u32::from_be_bytes(*size).saturating_sub(8) as usize;
    let (brands, _) = brands[..size.min(brands.len())].as_chunks();
    let (major, rest) = brands.split_first()?;
    let compatible = rest.iter().skip(1); // the minor version
    for brand in [major].into_iter().chain(compatible) {
        match brand {
            b"avif" | b"avis" => return Some(Decoded(Format::Avif)),
            b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" => return Some(Decoded(Format::Heic)),
            b"crx " => return Some(Decoded(Format::Raw(Raw::Cr3))),
            _ => {}
        }
    }
    Some(match major {
        // These HEIF brands do not name the codec; each item of the file does.
        b"mif1" | b"msf1" | b"mif2" => Decoded(Format::Heic),
        b"qt  " => Unsupported("QuickTime video"),
        _ => Unsupported("MPEG-4 video"),
    })
}

/// Whether a file begins like XML and has an `<svg` tag in its first 1024 bytes.
fn is_svg(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(1024)];
    let text = head.trim_ascii_start();
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    text.starts_with(b"<") && head.windows(4).any(|window| window == b"<svg")
}

/// Describes a file that is not an image.
fn describe(bytes: &[u8]) -> &'static str {
    let head = &bytes[..bytes.len().min(1024)];
    if head.iter().all(|&byte| byte == 0) {
        return "it holds zeros; a copy of it may have failed";
    }
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // The first 1024 bytes may end inside a character.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => "\0",
    };
    let is_text = text
        .chars()
        .all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t'));
    if is_text {
        "it holds text"
    } else {
        "its first bytes are those of no known image format"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unsupported(bytes: &[u8]) -> String {
        let skip = Format::sniff(bytes).unwrap_err();
        assert_eq!(skip.reason, SkipReason::UnsupportedFormat, "{skip}");
        skip.detail
    }

    fn no_image(bytes: &[u8]) -> String {
        let skip = Format::sniff(bytes).unwrap_err();
        assert_eq!(skip.reason, SkipReason::NotAnImage, "{skip}");
        skip.detail
    }

    #[test]
    fn formats_are_recognised_by_content() {
        assert_eq!(Format::sniff(b"\xff\xd8\xff\xe0").unwrap(), Format::Jpeg);
        assert_eq!(
            Format::sniff(b"RIFF\0\0\0\0WEBPVP8 ").unwrap(),
            Format::WebP
        );
        assert_eq!(
            Format::sniff(b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif").unwrap(),
            Format::Avif
        );
        assert_eq!(
            Format::sniff(b"\0\0\0\x18ftypmif1\0\0\0\0mif1miaf").unwrap(),
            Format::Heic
        );
    }

    #[test]
    fn raw_files_are_recognised() {
        for (bytes, expected) in [
            (b"II*\0\x10\0\0\0CR\x02\0".as_slice(), Raw::Cr2),
            (b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom", Raw::Cr3),
            (b"FUJIFILMCCD-RAW 0201", Raw::Raf),
        ] {
            assert_eq!(Format::sniff(bytes).unwrap(), Format::Raw(expected));
        }
    }

    #[test]
    fn formats_without_a_decoder_are_named() {
        assert_eq!(unsupported(b"II\xbc\x01"), "JPEG XR");
        assert_eq!(
            unsupported(b"\0\0\0\x14ftypisom\0\0\x02\0mp41"),
            "MPEG-4 video"
        );
        assert_eq!(unsupported(b"<?xml version='1.0'?>\n<svg/>"), "SVG drawing");
    }

    #[test]
    fn the_minor_version_is_not_read_as_a_brand() {
        assert_eq!(unsupported(b"\0\0\0\x14ftypisomavifisom"), "MPEG-4 video");
    }

    #[test]
    fn other_files_are_described() {
        assert_eq!(no_image(b"BMW and Audi, compared"), "it holds text");
        assert_eq!(no_image("é".repeat(1000).as_bytes()), "it holds text");
        assert!(no_image(&[0; 4096]).contains("zeros"));
        assert!(no_image(b"\x7fELF\x02\x01\x01").contains("no known"));
        assert!(no_image(b"\0\0\0").contains("zeros"));
    }

    #[test]
    fn a_truncated_box_does_not_panic() {
        let whole = b"\0\0\0\x18ftypavif\0\0\0\0mif1miaf";
        for end in 0..whole.len() {
            let _ = Format::sniff(&whole[..end]);
        }
        assert!(no_image(b"\0\0\0\x02ftypavif").contains("no known"));
    }
}
