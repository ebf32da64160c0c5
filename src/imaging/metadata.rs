//! The metadata of a file: what its EXIF, XMP, IPTC-IIM and text chunks say of the photo, and its orientation.

use jiff::civil::DateTime;

use super::exif::Exif;
use super::format::Format;
use super::limits::Task;
use super::{Blocks, iptc, jpeg_segments, png_chunks, png_texts};
use crate::facts::{Statements, latin1_or_utf8, of_xmp};
use crate::raster::Orientation;
use crate::xmp::Packet;

/// The blocks of metadata in a file.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// The EXIF block that counts, beginning with the header of a TIFF.
    pub exif: Option<Vec<u8>>,
    /// The XMP packet that counts, and its extension.
    pub xmp: Vec<Vec<u8>>,
    /// The IPTC-IIM block.
    pub iptc: Option<Vec<u8>>,
    /// The texts of a PNG, each with its keyword.
    pub texts: Vec<(String, String)>,
    /// The comments of a JPEG.
    pub comments: Vec<Vec<u8>>,
    /// The time chunk of a PNG, in Coordinated Universal Time.
    pub png_time: Option<DateTime>,
}

impl Parts {
    /// All parts of a file, in which a decoder has found these blocks.
    pub fn of(task: &Task<'_>, blocks: Blocks) -> Self {
        match task.format {
            Format::Jpeg => jpeg_segments::parts(task.bytes),
            Format::Png => png_chunks::parts(task.bytes),
            _ => Self {
                exif: blocks.exif,
                xmp: blocks.xmp.into_iter().collect(),
                ..Self::default()
            },
        }
    }

    /// The XMP packet, without its extension.
    pub fn first_xmp(self) -> Option<Vec<u8>> {
        self.xmp.into_iter().next()
    }
}

/// The statements and the orientation in the metadata of a file.
pub(super) struct Metadata {
    pub statements: Statements,
    pub orientation: Orientation,
}

impl Metadata {
    /// Reads the metadata of a file in which a decoder has found these blocks. `tiff` has the tags of a TIFF, which
    /// serve as its EXIF block.
    pub fn of(task: &Task<'_>, blocks: Blocks, tiff: Option<Exif>) -> Self {
        let mut parts = Parts::of(task, blocks);
        let exif = tiff.or_else(|| parts.exif.take().and_then(Exif::parse));
        let mut statements = exif.as_ref().map(Exif::statements).unwrap_or_default();
        if parts.xmp.is_empty() {
            let in_tags = exif.as_ref().and_then(Exif::xmp);
            parts.xmp.extend(in_tags.map(<[u8]>::to_vec));
        }
        for packet in &parts.xmp {
            statements.extend(of_xmp(&Packet::parse(packet).0));
        }
        let in_tags = || exif.as_ref().and_then(Exif::iptc);
        if let Some(block) = parts.iptc.or_else(in_tags) {
            statements.extend(iptc::statements(&block));
        }
        for comment in &parts.comments {
            statements.add_comment(&latin1_or_utf8(comment));
        }
        statements.extend(png_texts::statements(&parts.texts, parts.png_time));
        let orientation = match (task.format, &exif) {
            // The decoder has already applied the container's rotation.
            (Format::Heic | Format::Avif | Format::Jxl, _) | (_, None) => Orientation::Upright,
            (_, Some(exif)) => exif.orientation(),
        };
        Self {
            statements,
            orientation,
        }
    }
}
