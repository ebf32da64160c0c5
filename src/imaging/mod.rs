//! Decoding photos: formats, limits, EXIF.
//!
//! A photo comes from a stranger's camera, a chat program or a failed copy. [`decode`] tells its
//! format by its content, keeps to [`Limits`], contains a decoder's panic, and answers with pixels
//! or with the reason to skip the file. It never gives a picture that is only partly there.

mod av1;
mod bitmap;
mod containment;
mod dates;
mod exif;
mod format;
mod heif;
mod hevc_colour;
mod jpeg;
mod jpeg_source;
mod limits;
mod sidecar;
mod thumbnail;
mod xmp;

use image::{ImageFormat, RgbImage};

pub use format::{Format, is_picture};
pub use limits::Limits;
pub use sidecar::{add_sidecar_keywords, sidecars};
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
    /// What its EXIF block tells; the date is absent where EXIF has none.
    pub capture: Capture,
    /// The format of the file, whatever its name says.
    pub format: Format,
}

/// Decodes the bytes of a file on the calling thread.
///
/// EXIF that cannot be read counts as absent.
///
/// # Errors
/// The reason to skip the file: [`SkipReason::Empty`], [`SkipReason::NotAnImage`],
/// [`SkipReason::UnsupportedFormat`], [`SkipReason::Damaged`] (also if the file was cut),
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

/// Stored pixels, and the EXIF block and the XMP packet as a file holds them.
struct Picture {
    pixels: RgbImage,
    exif: Option<Vec<u8>>,
    xmp: Option<Vec<u8>>,
}

fn decode_as(format: Format, task: &Task<'_>) -> Result<Decoded, Skip> {
    // The tags of a TIFF are its EXIF block, and tell a camera's raw file from a picture.
    let tiff = match format {
        Format::Tiff => Exif::parse(task.bytes.to_vec()),
        _ => None,
    };
    if let Some(name) = tiff.as_ref().and_then(Exif::camera_raw) {
        return Err(Skip::new(SkipReason::UnsupportedFormat, name));
    }
    let picture = match format {
        Format::Jpeg => jpeg::decode(task),
        Format::Png => bitmap::decode(task, ImageFormat::Png),
        Format::WebP => bitmap::decode(task, ImageFormat::WebP),
        Format::Gif => bitmap::decode(task, ImageFormat::Gif),
        Format::Tiff => bitmap::decode(task, ImageFormat::Tiff),
        Format::Bmp => bitmap::decode(task, ImageFormat::Bmp),
        Format::Heic | Format::Avif => heif::decode(task),
    }?;
    let keywords = picture.xmp.as_deref().map(xmp::keywords);
    let exif = tiff.or_else(|| picture.exif.and_then(Exif::parse));
    let orientation = match (format, &exif) {
        // Turned by their container already.
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
