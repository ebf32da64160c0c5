//! The colour profiles of photos, for copies that are shown.
//!
//! Faces are found in the values as they are stored, whose brightness a profile hardly changes (`docs/formats.md` has
//! the figures); only copies that are shown are converted to sRGB, as photo viewers do.

use std::sync::Arc;

use image::{ImageDecoder as _, RgbImage};
use moxcms::{
    ColorProfile, DataColorSpace, Layout, RenderingIntent, Transform8BitExecutor, TransformOptions,
};

use super::format::Format;
use super::limits::Task;
use super::{common_formats, containment, heif, jpeg_segments, jxl, raw, tiff_any};

/// Converts a picture to sRGB. It stays as it is without a profile, and if its profile describes inks, which are
/// converted during decoding.
pub(super) fn in_srgb(profile: Option<&ColorProfile>, mut picture: RgbImage) -> RgbImage {
    // A profile is untrusted input, and without it the photo can still be shown.
    let transform = containment::catch_panic(|| transform(profile?))
        .ok()
        .flatten();
    if let Some((transform, channels)) = transform {
        let mut before = Vec::new();
        for part in picture.chunks_mut(PART) {
            before.clear();
            before.extend(part.iter().step_by(3 / channels));
            let converted = containment::catch_panic(|| transform.transform(&before, part));
            debug_assert!(
                converted.is_ok_and(|done| done.is_ok()),
                "as many pixels as before"
            );
        }
    }
    picture
}

/// The profile of a photo, if it can be read.
pub(super) fn of(task: &Task<'_>) -> Option<ColorProfile> {
    containment::catch_panic(|| read(task)).ok().flatten()
}

fn read(task: &Task<'_>) -> Option<ColorProfile> {
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

/// Samples that are converted at once; a whole number of pixels.
const PART: usize = 3 << 14;

/// The conversion to sRGB, and the number of channels of its input.
fn transform(profile: &ColorProfile) -> Option<(Arc<Transform8BitExecutor>, usize)> {
    let options = TransformOptions {
        rendering_intent: RenderingIntent::RelativeColorimetric,
        ..TransformOptions::default()
    };
    let srgb = ColorProfile::new_srgb();
    let (layout, channels) = match profile.color_space {
        DataColorSpace::Rgb => (Layout::Rgb, 3),
        DataColorSpace::Gray => (Layout::Gray, 1),
        _ => return None,
    };
    let transform = profile.create_transform_8bit(layout, &srgb, Layout::Rgb, options);
    Some((transform.ok()?, channels))
}
