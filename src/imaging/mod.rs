//! Decodes photos and reads their metadata; also sidecars and thumbnails.
//!
//! A file may come from any camera or program, or from a copy that failed. [`decode`] recognises the format
//! by the content, enforces [`Limits`], contains a decoder's panic, and returns pixels or the reason to skip
//! the file. It never returns an incomplete picture.

mod av1;
mod containment;
mod dates;
mod embedded;
mod exif;
mod format;
mod heif;
mod hevc_colour;
mod image_crate;
mod jpeg;
mod jpeg_source;
mod limits;
mod sidecar;
mod thumbnail;
mod xmp;

use image::{ImageFormat, RgbImage};

pub use embedded::embedded_xmp;
pub use format::{Format, is_picture};
pub use limits::Limits;
pub use sidecar::read_sidecars;
pub use thumbnail::{Thumbnails, reduced};

use crate::error::{Skip, SkipReason};
use crate::photo::Capture;
use crate::raster::{Orientation, Raster};
use exif::Exif;
use limits::Task;

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
    if bytes.is_empty() {
        return Err(Skip::new(SkipReason::Empty, "the file has no bytes"));
    }
    limits.check_bytes(bytes.len() as u64)?;
    let format = Format::sniff(bytes)?;
    let task = Task::new(bytes, format, limits);
    containment::contain(|| decode_as(format, &task)).unwrap_or_else(|message| {
        Err(Skip::new(
            SkipReason::Crashed,
            format!("the {format} decoder panicked: {message}"),
        ))
    })
}

/// The pixels as stored, before orientation, and the raw EXIF block and XMP packet of a file.
struct Picture {
    pixels: RgbImage,
    exif: Option<Vec<u8>>,
    xmp: Option<Vec<u8>>,
}

fn decode_as(format: Format, task: &Task<'_>) -> Result<Decoded, Skip> {
    // The tags of a TIFF are its EXIF block. They also show whether it is a camera's raw file.
    let tiff = match format {
        Format::Tiff => Exif::parse(task.bytes.to_vec()),
        _ => None,
    };
    if let Some(name) = tiff.as_ref().and_then(Exif::camera_raw) {
        return Err(Skip::new(SkipReason::UnsupportedFormat, name));
    }
    let picture = match format {
        Format::Jpeg => jpeg::decode(task),
        Format::Png => image_crate::decode(task, ImageFormat::Png),
        Format::WebP => image_crate::decode(task, ImageFormat::WebP),
        Format::Gif => image_crate::decode(task, ImageFormat::Gif),
        Format::Tiff => image_crate::decode(task, ImageFormat::Tiff),
        Format::Bmp => image_crate::decode(task, ImageFormat::Bmp),
        Format::Heic | Format::Avif => heif::decode(task),
    }?;
    let keywords = picture.xmp.as_deref().map(xmp::keywords);
    let exif = tiff.or_else(|| picture.exif.and_then(Exif::parse));
    let orientation = match (format, &exif) {
        // The decoder has applied the container's rotation.
        (Format::Heic | Format::Avif, _) | (_, None) => Orientation::Upright,
        (_, Some(exif)) => exif.orientation(),
    };
    Ok(Decoded {
        raster: Raster::new(picture.pixels, orientation),
        capture: Capture {
            keywords: keywords.unwrap_or_default(),
            ..exif.as_ref().map(Exif::capture).unwrap_or_default()
        },
        format,
    })
}
