//! The colour profiles of photos, for the copies that people look at.
//!
//! Faces are found in the values as they are stored, whose brightness a profile hardly changes (`docs/formats.md` has
//! the figures); only what is shown is converted to sRGB, as programs that show photos do.

use image::{ImageDecoder as _, RgbImage};
use moxcms::{ColorProfile, DataColorSpace, Layout, RenderingIntent, TransformOptions};

use super::format::Format;
use super::limits::Task;
use super::{common_formats, containment, heif, jpeg_segments, jxl, raw, tiff_any};

/// A copy of a photo in sRGB. Without a profile that can be read it stays as it is, and so does one of inks, since their
/// values are converted while it is decoded.
pub(super) fn in_srgb(task: &Task<'_>, mut copy: RgbImage) -> RgbImage {
    // A profile may be anything, and without it the photo can still be shown.
    let converted = containment::contain(|| converted(&of(task)?, &copy));
    if let Some(samples) = converted.ok().flatten() {
        copy.copy_from_slice(&samples);
    }
    copy
}

/// The profile of a photo.
fn of(task: &Task<'_>) -> Option<ColorProfile> {
    let icc = match task.format {
        Format::Jpeg => jpeg_segments::profile(task.bytes),
        Format::Heic | Format::Avif => match heif::colours(task.bytes)? {
            heif::Colours::Icc(icc) => Some(icc),
            heif::Colours::DisplayP3 => return Some(ColorProfile::new_display_p3()),
        },
        Format::Tiff => tiff_any::profile(task.bytes),
        Format::Raw(raw) => jpeg_segments::profile(raw::preview(task, raw).ok()?),
        Format::Png | Format::WebP => common_formats::open(task, task.format.of_image_crate())
            .ok()?
            .icc_profile()
            .ok()?,
        Format::Jxl => jxl::profile(task),
        Format::Gif | Format::Bmp => None,
    };
    ColorProfile::new_from_slice(&icc?).ok()
}

/// The samples of a picture in sRGB.
fn converted(profile: &ColorProfile, picture: &RgbImage) -> Option<Vec<u8>> {
    let options = TransformOptions {
        rendering_intent: RenderingIntent::RelativeColorimetric,
        ..TransformOptions::default()
    };
    let srgb = ColorProfile::new_srgb();
    let mut samples = vec![0; picture.len()];
    match profile.color_space {
        DataColorSpace::Rgb => profile
            .create_transform_8bit(Layout::Rgb, &srgb, Layout::Rgb, options)
            .and_then(|transform| transform.transform(picture, &mut samples)),
        DataColorSpace::Gray => {
            let grey: Vec<u8> = picture.pixels().map(|pixel| pixel[0]).collect();
            profile
                .create_transform_8bit(Layout::Gray, &srgb, Layout::Rgb, options)
                .and_then(|transform| transform.transform(&grey, &mut samples))
        }
        _ => return None,
    }
    .ok()?;
    Some(samples)
}
