//! Decodes photos and reads their metadata; also sidecars and thumbnails.
//!
//! A file may come from any camera or program, or be an incomplete copy. [`decode`] recognises the format by the
//! content, enforces [`Limits`], contains a decoder's panic, and returns pixels or the reason to skip the file. Of a
//! truncated or damaged JPEG or PNG it returns what it could decode, and says what is missing ([`Lost`]); in other
//! formats an incomplete picture is an error. [`facts`] reads everything but the pixels, and hashes the picture data,
//! so that a file is recognised after only its metadata changed.

mod av1;
mod bmp;
mod bmp_header;
mod bmp_runs;
mod colour_profile;
mod common_formats;
mod containment;
mod exif;
mod file_bytes;
mod format;
mod heif;
mod heif_derived;
mod heif_grid;
mod hevc_colour;
mod inks;
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
mod webp;

pub use format::{Format, Raw, is_picture};
pub use limits::Limits;
pub use lost::Lost;
pub use sidecar::read_sidecars;
pub use thumbnail::{Thumbnails, jpeg_of};

use std::borrow::Cow;

use crate::error::{Skip, SkipReason};
use crate::facts::{Statements, of_content};
use crate::photo::{Capture, Picture};
use crate::raster::Raster;
use exif::Exif;
use file_bytes::{FileBytes, Source};
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
    pub statements: Statements,
    /// The hash of its picture data, and the orientation of the stored pixels.
    pub picture: Picture,
}

impl Facts {
    /// The facts of the photo by its content alone.
    pub fn capture(&self) -> Capture {
        of_content(&self.statements)
    }
}

/// Reads a photo's metadata and hashes its picture data.
///
/// Unreadable EXIF counts as absent.
///
/// # Errors
/// Those of [`decode`] that the headers of a file show. A file whose facts are read may still be damaged.
pub fn facts(bytes: &[u8], limits: &Limits) -> Result<Facts, Skip> {
    with_limits(bytes, limits, |task| {
        let metadata = metadata(task)?;
        Ok(Facts {
            format: task.format,
            statements: metadata.statements,
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
    pub statements: Statements,
    /// The format by the file's content.
    pub format: Format,
    /// What could not be decoded of it; `None` if it is complete.
    pub lost: Option<Lost>,
}

impl Decoded {
    /// The facts of the photo by its content alone.
    pub fn capture(&self) -> Capture {
        of_content(&self.statements)
    }
}

/// Decodes the bytes of a file on the calling thread.
///
/// Unreadable EXIF counts as absent. If the caller passes ownership of the bytes, their memory is released while they
/// are decoded.
///
/// # Errors
/// The reason to skip the file: [`SkipReason::Empty`], [`SkipReason::NotAnImage`],
/// [`SkipReason::UnsupportedFormat`], [`SkipReason::Damaged`] (also if the file is truncated and no part of it can be
/// shown),
/// [`SkipReason::TooLarge`], [`SkipReason::TimedOut`] or [`SkipReason::Crashed`].
pub fn decode<'a>(bytes: impl Into<Cow<'a, [u8]>>, limits: &Limits) -> Result<Decoded, Skip> {
    decode_for(&|_, _| None, None, bytes, limits)
}

/// Decodes a photo at a reduced size if that suffices. `wanted` maps the upright size of the photo to the size of the
/// copy that the caller will read, beside details at full resolution; `None` means all pixels. `facts` are the photo's
/// facts if they have been read already.
///
/// # Errors
/// Those of [`decode`].
pub fn decode_for<'a>(
    wanted: &dyn Fn(u32, u32) -> Option<(u32, u32)>,
    facts: Option<Facts>,
    bytes: impl Into<Cow<'a, [u8]>>,
    limits: &Limits,
) -> Result<Decoded, Skip> {
    let bytes = bytes.into();
    let (decoded, ()) = decode_and(wanted, facts, bytes, limits, |_| ())?;
    Ok(decoded)
}

/// An upright copy of a photo to be shown, in sRGB, reduced to at most `width` × `height` pixels. A smaller photo is
/// not enlarged.
///
/// # Errors
/// Those of [`decode`].
///
/// # Panics
/// If a bound is zero.
pub fn copy<'a>(
    bytes: impl Into<Cow<'a, [u8]>>,
    limits: &Limits,
    width: u32,
    height: u32,
) -> Result<RgbImage, Skip> {
    let all = |_, _| None;
    let (decoded, profile) = decode_and(&all, None, bytes.into(), limits, colour_profile::of)?;
    let copy = decoded.raster.fitted(width, height);
    Ok(colour_profile::in_srgb(profile.as_ref(), copy))
}

/// Decodes a photo as [`decode_for`] does, and calls `also` on the file before its memory is released.
fn decode_and<T>(
    wanted: &dyn Fn(u32, u32) -> Option<(u32, u32)>,
    facts: Option<Facts>,
    bytes: Cow<'_, [u8]>,
    limits: &Limits,
    also: impl FnOnce(&Task<'_>) -> T,
) -> Result<(Decoded, T), Skip> {
    let (format, statements, orientation, found, other) = with_limits(&bytes, limits, |task| {
        let (statements, orientation) = match facts {
            Some(facts) => (facts.statements, facts.picture.orientation),
            None => metadata(task).map(|read| (read.statements, read.orientation))?,
        };
        let reduced = match task.format {
            Format::Jpeg => jpeg::reduced(task, orientation, wanted)?,
            Format::Raw(raw) => raw::reduced(task, raw, orientation, wanted)?,
            _ => None,
        };
        let found = match reduced {
            Some(raster) => Found::Reduced(raster),
            None => Found::Source(source(task)?),
        };
        Ok((task.format, statements, orientation, found, also(task)))
    })?;
    let (raster, lost) = match found {
        Found::Reduced(raster) => (raster, None),
        Found::Source(source) => {
            let task = Task::new(&[], format, limits);
            let pixels = with_panics_caught(format, || source.pixels(&task, FileBytes::of(bytes)))?;
            (Raster::new(pixels.pixels, orientation), pixels.lost)
        }
    };
    let decoded = Decoded {
        raster,
        statements,
        format,
        lost,
    };
    Ok((decoded, other))
}

/// What has been decoded while the whole file is still in memory.
enum Found {
    Reduced(Raster),
    Source(Source),
}

/// Recognises the format of a file and runs `work` on it, within the limits and with panics contained.
fn with_limits<T>(
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
    with_panics_caught(format, || {
        if format == Format::Tiff {
            task.format = raw::of_tiff(bytes).map_or(format, Format::Raw);
        }
        work(&task)
    })
}

/// Runs `work` for a file of this format, with panics contained.
fn with_panics_caught<T>(
    format: Format,
    work: impl FnOnce() -> Result<T, Skip>,
) -> Result<T, Skip> {
    containment::catch_panic(work).unwrap_or_else(|message| {
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
        Format::Bmp => bmp::blocks(task),
        Format::Tiff => tiff_any::blocks(task),
        Format::Raw(raw) => raw::blocks(task, raw),
        format => common_formats::blocks(task, format.of_image_crate()),
    }
}

/// The XMP packet inside a photo; `None` if it has none, or none that can be read as text.
pub fn embedded_xmp(bytes: &[u8]) -> Option<String> {
    let packet = with_limits(bytes, &Limits::default(), |task| {
        let mut parts = Parts::of(task, blocks(task)?);
        let block = match task.format {
            Format::Tiff => Some(tiff_any::without_pixels(task)),
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
        Format::Tiff => Exif::parse(tiff_any::without_pixels(task)),
        _ => None,
    };
    Ok(Metadata::of(task, blocks(task)?, tiff))
}

/// The stored pixels, before orientation, or how to read them.
fn source(task: &Task<'_>) -> Result<Source, Skip> {
    let pixels = match task.format {
        Format::Jpeg => jpeg_any::pixels(task)?,
        Format::Heic | Format::Avif => Pixels::whole(heif::pixels(task)?),
        Format::Tiff => return tiff_any::source(task),
        Format::Raw(raw) => raw::pixels(task, raw)?,
        Format::Bmp => return bmp::source(task),
        Format::Png | Format::WebP | Format::Jxl | Format::Gif => return Ok(Source::Unread),
    };
    Ok(Source::Pixels(pixels))
}
