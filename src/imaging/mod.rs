//! Decodes photos and reads their metadata; also sidecars and thumbnails.
//!
//! A file may come from any camera or program, or from a copy that failed. [`decode`] recognises the format
//! by the content, enforces [`Limits`], contains a decoder's panic, and returns pixels or the reason to skip
//! the file. It never returns an incomplete picture. [`facts`] reads everything but the pixels, and a hash of
//! the picture data by which a file is recognised whose metadata alone were changed.

mod av1;
mod common_formats;
mod containment;
mod dates;
mod exif;
mod format;
mod heif;
mod hevc_colour;
mod jpeg;
mod jpeg_source;
mod limits;
mod picture;
mod png_chunks;
mod sidecar;
mod thumbnail;
mod xmp;

use image::RgbImage;

pub use format::{Format, is_picture};
pub use limits::Limits;
pub use sidecar::read_sidecars;
pub use thumbnail::{Thumbnails, reduced};

use crate::error::{Skip, SkipReason};
use crate::photo::{Capture, Picture};
use crate::raster::{Orientation, Raster};
use exif::Exif;
use limits::Task;

/// What is read from a photo without decoding its pixels.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The format by the file's content.
    pub format: Format,
    /// Its metadata from EXIF and XMP; the date is absent if EXIF has none.
    pub capture: Capture,
    /// The hash of its picture data, and the orientation of the stored pixels.
    pub picture: Picture,
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
            capture: metadata.capture,
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
    /// Its metadata from EXIF and XMP; the date is absent if EXIF has none.
    pub capture: Capture,
    /// The format by the file's content.
    pub format: Format,
}

/// Decodes the bytes of a file on the calling thread.
///
/// Unreadable EXIF counts as absent.
///
/// # Errors
/// The reason to skip the file: [`SkipReason::Empty`], [`SkipReason::NotAnImage`],
/// [`SkipReason::UnsupportedFormat`], [`SkipReason::Damaged`] (also if the file is truncated),
/// [`SkipReason::TooLarge`], [`SkipReason::TimedOut`] or [`SkipReason::Crashed`].
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded, Skip> {
    within(bytes, limits, |task| {
        let Metadata {
            capture,
            orientation,
        } = metadata(task)?;
        Ok(Decoded {
            raster: Raster::new(pixels(task)?, orientation),
            capture,
            format: task.format,
        })
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
        let (capture, orientation) = match facts {
            Some(facts) => (facts.capture, facts.picture.orientation),
            None => metadata(task).map(|read| (read.capture, read.orientation))?,
        };
        let reduced = match task.format {
            Format::Jpeg => jpeg::reduced(task, orientation, wanted)?,
            _ => None,
        };
        let raster = match reduced {
            Some(raster) => raster,
            None => Raster::new(pixels(task)?, orientation),
        };
        Ok(Decoded {
            raster,
            capture,
            format: task.format,
        })
    })
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
    let task = Task::new(bytes, format, limits);
    containment::contain(|| work(&task)).unwrap_or_else(|message| {
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
        Format::Jpeg => jpeg::blocks(task),
        Format::Heic | Format::Avif => heif::blocks(task),
        format => common_formats::blocks(task, format.of_image_crate()),
    }
}

/// The XMP packet inside a photo; `None` if it has none, or none that can be read as text.
pub fn embedded_xmp(bytes: &[u8]) -> Option<String> {
    let packet = within(bytes, &Limits::default(), |task| {
        let tiff = match task.format {
            Format::Tiff => Exif::parse(task.bytes.to_vec()),
            _ => None,
        };
        let of_tiff = || tiff.as_ref().and_then(Exif::xmp).map(<[u8]>::to_vec);
        Ok(blocks(task)?.xmp.or_else(of_tiff))
    });
    String::from_utf8(packet.ok()??).ok()
}

/// What the EXIF block and the XMP packet of a file say.
struct Metadata {
    capture: Capture,
    orientation: Orientation,
}

fn metadata(task: &Task<'_>) -> Result<Metadata, Skip> {
    // The tags of a TIFF are its EXIF block. They also show whether it is a camera's raw file.
    let tiff = match task.format {
        Format::Tiff => Exif::parse(task.bytes.to_vec()),
        _ => None,
    };
    if let Some(name) = tiff.as_ref().and_then(Exif::camera_raw) {
        return Err(Skip::new(SkipReason::UnsupportedFormat, name));
    }
    let blocks = blocks(task)?;
    let xmp = blocks.xmp.as_deref();
    let keywords = xmp
        .or_else(|| tiff.as_ref().and_then(Exif::xmp))
        .map(xmp::keywords);
    let exif = tiff.or_else(|| blocks.exif.and_then(Exif::parse));
    let orientation = match (task.format, &exif) {
        // The decoder applies the container's rotation.
        (Format::Heic | Format::Avif, _) | (_, None) => Orientation::Upright,
        (_, Some(exif)) => exif.orientation(),
    };
    Ok(Metadata {
        capture: Capture {
            keywords: keywords.unwrap_or_default(),
            ..exif.as_ref().map(Exif::capture).unwrap_or_default()
        },
        orientation,
    })
}

/// The pixels as stored, before orientation.
fn pixels(task: &Task<'_>) -> Result<RgbImage, Skip> {
    match task.format {
        Format::Jpeg => jpeg::pixels(task),
        Format::Heic | Format::Avif => heif::pixels(task),
        format => common_formats::pixels(task, format.of_image_crate()),
    }
}
