//! Decodes photos and reads their metadata; also sidecars and thumbnails.
//!
//! A file may come from any camera or program, or from a copy that failed. [`decode`] recognises the format
//! by the content, enforces [`Limits`], contains a decoder's panic, and returns pixels or the reason to skip
//! the file. Of a JPEG or PNG that is cut short or damaged it returns what is known, and says what is not ([`Lost`]); of no
//! other format it returns an incomplete picture. [`facts`] reads everything but the pixels, and a hash of
//! the picture data by which a file is recognised whose metadata alone were changed.

mod av1;
mod colour_profile;
mod common_formats;
mod containment;
mod exif;
mod format;
mod heif;
mod heif_derived;
mod heif_grid;
mod hevc_colour;
mod iptc;
mod jpeg;
mod jpeg_any;
mod jpeg_general;
mod jpeg_segments;
mod jpeg_source;
mod jxl;
mod limits;
mod lost;
mod metadata;
mod picture;
mod png_chunks;
mod png_rows;
mod png_texts;
mod raw;
mod sidecar;
mod thumbnail;
mod tiff_any;
mod tiff_structure;

pub use format::{Format, Raw, is_picture};
pub use limits::Limits;
pub use lost::Lost;
pub use sidecar::read_sidecars;
pub use thumbnail::{Thumbnails, jpeg_of};

use crate::error::{Skip, SkipReason};
use crate::facts::{Statements, of_content};
use crate::photo::{Capture, Picture};
use crate::raster::{Orientation, Raster};
use exif::Exif;
use image::RgbImage;
use limits::Task;
use lost::Pixels;
use metadata::{Metadata, Parts};

/// What is read from a photo without decoding its pixels.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The format by the file's content.
    pub format: Format,
    /// What its metadata say.
    pub said: Statements,
    /// The hash of its picture data, and the orientation of the stored pixels.
    pub picture: Picture,
}

impl Facts {
    /// The facts of the photo by its content alone.
    pub fn capture(&self) -> Capture {
        of_content(&self.said)
    }
}

/// Reads a photo's metadata and hashes its picture data.
///
/// Unreadable EXIF counts as absent.
///
/// # Errors
/// Those of [`decode`] that the headers of a file show. A file whose facts are read may still be damaged.
pub fn facts(bytes: &[u8], limits: &Limits) -> Result<Facts, Skip> {
    within(bytes, limits, |task| {
        let metadata = metadata(task)?;
        Ok(Facts {
            format: task.format,
            said: metadata.said,
            picture: Picture {
                hash: picture::hash(task.format, task.bytes),
                orientation: metadata.orientation,
            },
        })
    })
}

/// A decoded photo.
#[derive(Debug, Clone)]
pub struct Decoded {
    /// Its pixels, with the orientation that makes them upright.
    pub raster: Raster,
    /// What its metadata say.
    pub said: Statements,
    /// The format by the file's content.
    pub format: Format,
    /// What could not be decoded of it; `None` if it is complete.
    pub lost: Option<Lost>,
}

impl Decoded {
    /// The facts of the photo by its content alone.
    pub fn capture(&self) -> Capture {
        of_content(&self.said)
    }
}

/// Decodes the bytes of a file on the calling thread.
///
/// Unreadable EXIF counts as absent.
///
/// # Errors
/// The reason to skip the file: [`SkipReason::Empty`], [`SkipReason::NotAnImage`],
/// [`SkipReason::UnsupportedFormat`], [`SkipReason::Damaged`] (also if the file is truncated and no part of it can be
/// shown),
/// [`SkipReason::TooLarge`], [`SkipReason::TimedOut`] or [`SkipReason::Crashed`].
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded, Skip> {
    within(bytes, limits, |task| {
        let Metadata { said, orientation } = metadata(task)?;
        Ok(decoded(task, pixels(task)?, orientation, said))
    })
}

/// Decodes a photo of which a copy of `wanted` pixels, by the upright size of the photo, and details at full
/// resolution are going to be read; `None` stands for all pixels. Its metadata are those of `facts` if these were
/// read already.
///
/// # Errors
/// Those of [`decode`].
pub fn decode_for(
    wanted: &dyn Fn(u32, u32) -> Option<(u32, u32)>,
    facts: Option<Facts>,
    bytes: &[u8],
    limits: &Limits,
) -> Result<Decoded, Skip> {
    within(bytes, limits, |task| {
        let (said, orientation) = match facts {
            Some(facts) => (facts.said, facts.picture.orientation),
            None => metadata(task).map(|read| (read.said, read.orientation))?,
        };
        let reduced = match task.format {
            Format::Jpeg => jpeg::reduced(task, orientation, wanted)?,
            Format::Raw(raw) => raw::reduced(task, raw, orientation, wanted)?,
            _ => None,
        };
        match reduced {
            Some(raster) => Ok(Decoded {
                raster,
                said,
                format: task.format,
                lost: None,
            }),
            None => Ok(decoded(task, pixels(task)?, orientation, said)),
        }
    })
}

/// An upright copy of a photo for people to look at, in sRGB, reduced to at most `width` × `height` pixels. A smaller
/// photo is not enlarged.
///
/// # Errors
/// Those of [`decode`].
///
/// # Panics
/// If a bound is zero.
pub fn copy(bytes: &[u8], limits: &Limits, width: u32, height: u32) -> Result<RgbImage, Skip> {
    within(bytes, limits, |task| {
        let Metadata { said, orientation } = metadata(task)?;
        let raster = decoded(task, pixels(task)?, orientation, said).raster;
        Ok(colour_profile::in_srgb(task, raster.fitted(width, height)))
    })
}

fn decoded(
    task: &Task<'_>,
    Pixels { pixels, lost }: Pixels,
    orientation: Orientation,
    said: Statements,
) -> Decoded {
    Decoded {
        raster: Raster::new(pixels, orientation),
        said,
        format: task.format,
        lost,
    }
}

/// Recognises the format of a file and does `work` on it, within the limits and with panics contained.
fn within<T>(
    bytes: &[u8],
    limits: &Limits,
    work: impl FnOnce(&Task<'_>) -> Result<T, Skip>,
) -> Result<T, Skip> {
    if bytes.is_empty() {
        return Err(Skip::new(SkipReason::Empty, "the file has no bytes"));
    }
    limits.check_bytes(bytes.len() as u64)?;
    let format = Format::sniff(bytes)?;
    let mut task = Task::new(bytes, format, limits);
    containment::contain(|| {
        if format == Format::Tiff {
            task.format = raw::of_tiff(bytes).map_or(format, Format::Raw);
        }
        work(&task)
    })
    .unwrap_or_else(|message| {
        Err(Skip::new(
            SkipReason::Crashed,
            format!("the {format} decoder panicked: {message}"),
        ))
    })
}

/// The raw EXIF block and XMP packet of a file.
#[derive(Default)]
struct Blocks {
    exif: Option<Vec<u8>>,
    xmp: Option<Vec<u8>>,
}

fn blocks(task: &Task<'_>) -> Result<Blocks, Skip> {
    match task.format {
        Format::Jpeg => jpeg_any::blocks(task),
        Format::Heic | Format::Avif => heif::blocks(task),
        Format::Jxl => jxl::blocks(task),
        Format::Tiff => tiff_any::blocks(task),
        Format::Raw(raw) => raw::blocks(task, raw),
        format => common_formats::blocks(task, format.of_image_crate()),
    }
}

/// The XMP packet inside a photo; `None` if it has none, or none that can be read as text.
pub fn embedded_xmp(bytes: &[u8]) -> Option<String> {
    let packet = within(bytes, &Limits::default(), |task| {
        let mut parts = Parts::of(task, blocks(task)?);
        let block = match task.format {
            Format::Tiff => Some(task.bytes.to_vec()),
            _ => parts.exif.take(),
        };
        let exif = || block.and_then(Exif::parse);
        Ok(parts
            .first_xmp()
            .or_else(|| exif()?.xmp().map(<[u8]>::to_vec)))
    });
    String::from_utf8(packet.ok()??).ok()
}

fn metadata(task: &Task<'_>) -> Result<Metadata, Skip> {
    // The tags of a TIFF are its EXIF block.
    let tiff = match task.format {
        Format::Tiff => Exif::parse(task.bytes.to_vec()),
        _ => None,
    };
    Ok(Metadata::of(task, blocks(task)?, tiff))
}

/// The pixels as stored, before orientation.
fn pixels(task: &Task<'_>) -> Result<Pixels, Skip> {
    match task.format {
        Format::Jpeg => jpeg_any::pixels(task),
        Format::Heic | Format::Avif => heif::pixels(task).map(Pixels::whole),
        Format::Jxl => jxl::pixels(task).map(Pixels::whole),
        Format::Tiff => tiff_any::pixels(task),
        Format::Png => png_rows::pixels(task),
        Format::Raw(raw) => raw::pixels(task, raw),
        format => common_formats::pixels(task, format.of_image_crate()).map(Pixels::whole),
    }
}
