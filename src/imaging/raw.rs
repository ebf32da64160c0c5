//! Decodes the largest preview of a camera raw file: a JPEG or JPEG XL by the camera or a converter. The sensor's data
//! are not developed.
//!
//! If the file has the structure of a TIFF, its directories name the previews. Some cameras store the largest one in
//! their maker notes, and other formats elsewhere, so a file in which the directories name no large preview is also
//! searched for JPEGs: a start marker followed by valid segments up to the first scan.

mod canon;

use std::fmt;

use super::Blocks;
use super::file_bytes::ByteReader;
use super::format::Format;
use super::jpeg_any::{self, Segments, is_frame};
use super::limits::Task;
use super::lost::Pixels;
use super::tiff_structure::{Directory, File};
use super::{jpeg, jxl};
use crate::error::Skip;
use crate::raster::{Orientation, Raster};

/// A format of raw files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Raw {
    /// Adobe, Apple, Google, Leica, Samsung and others.
    Dng,
    /// Canon since 2018, in the ISO base media format.
    Cr3,
    /// Canon until 2018, built like a TIFF.
    Cr2,
    /// Canon before 2004.
    Crw,
    /// Fujifilm.
    Raf,
    /// Olympus and OM System.
    Orf,
    /// Panasonic and Leica.
    Rw2,
    /// Sigma.
    X3f,
    /// Minolta.
    Mrw,
    /// Built like a TIFF: Nikon, Sony, Pentax, Samsung, Epson, Kodak, Hasselblad and others.
    Tiff,
}

impl Raw {
    /// Its usual name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dng => "Adobe raw (DNG)",
            Self::Cr3 => "Canon raw (CR3)",
            Self::Cr2 => "Canon raw (CR2)",
            Self::Crw => "Canon raw (CRW)",
            Self::Raf => "Fujifilm raw (RAF)",
            Self::Orf => "Olympus raw (ORF)",
            Self::Rw2 => "Panasonic raw (RW2)",
            Self::X3f => "Sigma raw (X3F)",
            Self::Mrw => "Minolta raw (MRW)",
            Self::Tiff => "camera raw",
        }
    }

    /// Whether the file is built like a TIFF, so that its directories are its EXIF block.
    pub(super) const fn is_like_tiff(self) -> bool {
        matches!(
            self,
            Self::Dng | Self::Cr2 | Self::Orf | Self::Rw2 | Self::Tiff
        )
    }
}

impl fmt::Display for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The tags of TIFF that are read here.
mod tag {
    pub(super) const WIDTH: u16 = 0x0100;
    pub(super) const HEIGHT: u16 = 0x0101;
    pub(super) const COMPRESSION: u16 = 0x0103;
    pub(super) const PHOTOMETRIC: u16 = 0x0106;
    pub(super) const STRIP_OFFSETS: u16 = 0x0111;
    pub(super) const STRIP_LENGTHS: u16 = 0x0117;
    pub(super) const JPEG_OFFSET: u16 = 0x0201;
    pub(super) const JPEG_LENGTH: u16 = 0x0202;
    /// Panasonic's tag with the bytes of a JPEG.
    pub(super) const PANASONIC_JPEG: u16 = 0x002e;
    pub(super) const DNG_VERSION: u16 = 0xc612;
}

/// The raw format of a file that begins like a TIFF; `None` if it is a TIFF.
pub(super) fn of_tiff(bytes: &[u8]) -> Option<Raw> {
    let directories = File::of(bytes)?.directories();
    if directories
        .iter()
        .any(|each| each.find(tag::DNG_VERSION).is_some())
    {
        return Some(Raw::Dng);
    }
    directories.iter().any(has_sensor_data).then_some(Raw::Tiff)
}

/// Whether the picture of a directory is sensor data.
fn has_sensor_data(directory: &Directory<'_>) -> bool {
    /// Colour filter array, linear raw.
    const PHOTOMETRIC: [usize; 2] = [32_803, 34_892];
    /// The codings of Sony, packed samples, Samsung (two), Nikon, Kodak and Pentax.
    const COMPRESSION: [usize; 7] = [32_767, 32_769, 32_770, 32_772, 34_713, 65_000, 65_535];
    let is_one_of = |tag, values: &[usize]| {
        directory
            .number(tag)
            .is_some_and(|value| values.contains(&value))
    };
    is_one_of(tag::PHOTOMETRIC, &PHOTOMETRIC) || is_one_of(tag::COMPRESSION, &COMPRESSION)
}

/// The largest preview of a raw file.
///
/// # Errors
/// If it has none that can be decoded.
pub(super) fn preview<'a>(task: &Task<'a>, raw: Raw) -> Result<&'a [u8], Skip> {
    /// A preview with fewer pixels is too small to replace the photo, so the file is searched for a larger one.
    const ENOUGH: u64 = 1_000_000;
    let listed = match raw {
        Raw::Raf => listed_in_raf(task.bytes)
            .and_then(sized)
            .into_iter()
            .collect(),
        _ if raw.is_like_tiff() => listed_in_tiff(task.bytes),
        _ => Vec::new(),
    };
    let listed = largest(&listed);
    if let Some((pixels, preview)) = listed
        && pixels >= ENOUGH
    {
        return Ok(preview);
    }
    let searched = largest(&search(task.bytes));
    let found = match (listed, searched) {
        (Some(listed), Some(searched)) if searched.0 > listed.0 => Some(searched),
        (listed, searched) => listed.or(searched),
    };
    found
        .map(|(_, preview)| preview)
        .ok_or_else(|| task.unsupported("it has no JPEG preview"))
}

/// A preview and the number of its pixels.
type Sized<'a> = (u64, &'a [u8]);

/// A JPEG that can be shown, with the number of its pixels.
fn sized(jpeg: &[u8]) -> Option<Sized<'_>> {
    Some((pixels_of(jpeg)?, jpeg))
}

/// The preview with the most pixels; of several the first.
fn largest<'a>(previews: &[Sized<'a>]) -> Option<Sized<'a>> {
    let previews = previews.iter().copied();
    previews.rev().max_by_key(|(pixels, _)| *pixels)
}

/// Whether a preview is JPEG XL and not JPEG.
pub(super) fn is_jxl(preview: &[u8]) -> bool {
    Format::sniff(preview) == Ok(Format::Jxl)
}

/// The previews that the directories of a file name: JPEG, and JPEG XL, which DNG has since version 1.7.
fn listed_in_tiff(bytes: &[u8]) -> Vec<Sized<'_>> {
    const JPEG_XL: usize = 52_546;
    let directories = File::of(bytes).map(|file| file.directories());
    let mut previews = Vec::new();
    for directory in directories.unwrap_or_default() {
        let mut add = |offset: Option<usize>, length: Option<usize>| {
            if let (Some(offset), Some(length)) = (offset, length)
                && let Some(part) = bytes.get(offset..offset.saturating_add(length))
            {
                let of_jxl = || {
                    let sides = [tag::WIDTH, tag::HEIGHT].map(|side| directory.number(side));
                    let pixels = sides[0]?.checked_mul(sides[1]?)?;
                    is_jxl(part).then_some((pixels as u64, part))
                };
                previews.extend(sized(part).or_else(of_jxl));
            }
        };
        add(
            directory.number(tag::JPEG_OFFSET),
            directory.number(tag::JPEG_LENGTH),
        );
        // A preview in one strip. Sensor data may be JPEG or JPEG XL as well.
        let is_preview = matches!(directory.number(tag::COMPRESSION), Some(6 | 7 | JPEG_XL));
        let is_one = directory
            .find(tag::STRIP_OFFSETS)
            .is_some_and(|strips| strips.count == 1);
        if is_preview && is_one && !has_sensor_data(&directory) {
            add(
                directory.number(tag::STRIP_OFFSETS),
                directory.number(tag::STRIP_LENGTHS),
            );
        }
        if let Some(jpeg) = directory.find(tag::PANASONIC_JPEG) {
            previews.extend(sized(jpeg.value));
        }
    }
    previews
}

/// The JPEG that the header of a RAF names.
fn listed_in_raf(bytes: &[u8]) -> Option<&[u8]> {
    const PLACE: usize = 84;
    let number = |at: usize| {
        let (number, _) = bytes.get(at..)?.split_first_chunk()?;
        Some(u32::from_be_bytes(*number) as usize)
    };
    let (offset, length) = (number(PLACE)?, number(PLACE + 4)?);
    bytes.get(offset..offset.saturating_add(length))
}

/// All JPEGs in a file, found by their first bytes.
fn search(bytes: &[u8]) -> Vec<Sized<'_>> {
    /// More previews than any camera writes.
    const MAX_PREVIEWS: usize = 32;
    /// More start markers than sensor data have by chance and, below, more bytes than a preview has before its first
    /// scan. Every start is parsed separately, so without these bounds the time could grow with the square of the
    /// file's length.
    const MAX_PLACES: usize = 256;
    const MAX_HEADER: usize = 1 << 20;
    let starts = memchr::memmem::find_iter(bytes, b"\xff\xd8\xff").map(|at| &bytes[at..]);
    let sized = |jpeg| {
        let header: &[u8] = jpeg;
        let header = &header[..header.len().min(MAX_HEADER)];
        Some((pixels_of(header)?, jpeg))
    };
    let found = starts.take(MAX_PLACES).filter_map(sized);
    found.take(MAX_PREVIEWS).collect()
}

/// The number of pixels of a JPEG that can be shown; `None` for lossless JPEG, which is sensor data, and for other
/// data.
fn pixels_of(jpeg: &[u8]) -> Option<u64> {
    jpeg.starts_with(b"\xff\xd8\xff").then_some(())?;
    let mut pixels = None;
    for (code, payload) in Segments::of(jpeg) {
        match (code, payload) {
            (0xc0..=0xc2, [8, y0, y1, x0, x1, 1 | 3, ..]) => {
                let side = |high: &u8, low: &u8| u64::from(u16::from_be_bytes([*high, *low]));
                pixels = Some(side(x0, x1) * side(y0, y1));
            }
            (0xda, _) => return pixels.filter(|&pixels| pixels > 0),
            _ if is_frame(code) => return None,
            _ => {}
        }
    }
    None
}

/// The pixels of the preview as stored.
pub(super) fn pixels(task: &Task<'_>, raw: Raw) -> Result<Pixels, Skip> {
    let preview = preview(task, raw)?;
    let part = of_part(task, preview);
    if is_jxl(preview) {
        jxl::pixels(&part, ByteReader::of(part.bytes)).map(Pixels::whole)
    } else {
        jpeg_any::pixels(&part)
    }
}

/// The preview decoded to a reduced copy, as [`jpeg::reduced`]; `None` if it is not JPEG.
pub(super) fn reduced(
    task: &Task<'_>,
    raw: Raw,
    orientation: Orientation,
    wanted: &dyn Fn(u32, u32) -> Option<(u32, u32)>,
) -> Result<Option<Raster>, Skip> {
    jpeg::reduced(&of_part(task, preview(task, raw)?), orientation, wanted)
}

/// The EXIF block and the XMP packet: the file's own, or those of the preview.
pub(super) fn blocks(task: &Task<'_>, raw: Raw) -> Result<Blocks, Skip> {
    let preview = preview(task, raw)?;
    let part = of_part(task, preview);
    let of_preview = if is_jxl(preview) {
        jxl::blocks(&part)?
    } else {
        jpeg_any::blocks(&part)?
    };
    let own = match raw {
        Raw::Cr3 => canon::blocks(task.bytes),
        Raw::Mrw => Blocks {
            exif: minolta_exif(task.bytes).map(<[u8]>::to_vec),
            xmp: None,
        },
        _ if raw.is_like_tiff() => Blocks {
            exif: Some(as_tiff(task.bytes)),
            xmp: None,
        },
        _ => Blocks::default(),
    };
    Ok(Blocks {
        exif: own.exif.or(of_preview.exif),
        xmp: own.xmp.or(of_preview.xmp),
    })
}

/// The file with the magic number of a TIFF, in place of which some cameras write another number.
fn as_tiff(bytes: &[u8]) -> Vec<u8> {
    let mut tiff = bytes.to_vec();
    if let Some(mark) = tiff.get_mut(2..4) {
        mark.copy_from_slice(if bytes.starts_with(b"II") {
            b"*\0"
        } else {
            b"\0*"
        });
    }
    tiff
}

/// The TIFF in a raw file of Minolta.
fn minolta_exif(bytes: &[u8]) -> Option<&[u8]> {
    let head = &bytes[..bytes.len().min(1 << 16)];
    bytes.get(memchr::memmem::find(head, b"\0TTW")? + 8..)
}

/// The task of decoding a part of a file.
fn of_part<'a>(task: &Task<'a>, part: &'a [u8]) -> Task<'a> {
    Task {
        bytes: part,
        ..*task
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_32_previews_are_looked_at() {
        let preview = b"\xff\xd8\xff\xc0\0\x0b\x08\0\x08\0\x08\x01\x01\x11\0\xff\xda\0\x08\x01\x01\0\0?\0\xff\xd9";
        for (number, expected) in [(31, 31), (32, 32), (33, 32)] {
            assert_eq!(search(&preview.repeat(number)).len(), expected);
        }
    }

    #[test]
    fn a_place_is_looked_at_up_to_a_mebibyte_and_256_places_of_a_file() {
        let preview = |before: usize| {
            let garbage = vec![0; before];
            let frame = b"\xff\xc0\0\x0b\x08\0\x08\0\x08\x01\x01\x11\0";
            let scan = b"\xff\xda\0\x08\x01\x01\0\0?\0";
            [b"\xff\xd8", &frame[..], &garbage, scan].concat()
        };
        let most = (1 << 20) - preview(0).len();
        assert_eq!(search(&preview(most)).len(), 1);
        assert_eq!(search(&preview(most + 1)).len(), 0);
        let nothing = b"\xff\xd8\xff\xd9";
        for (number, expected) in [(255, 1), (256, 0)] {
            let file = [nothing.repeat(number), preview(0)].concat();
            assert_eq!(search(&file).len(), expected);
        }
    }
}
