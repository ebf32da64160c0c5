//! Decodes WebP to what is kept of it, so that the picture is in memory once: the `image` crate asks for all channels.

use image::RgbImage;
use image_webp::{DecodingError, WebPDecoder};

use super::common_formats::{TimedReader, on_white};
use super::limits::Task;
use crate::error::Skip;

/// Decodes a picture, of an animation the first frame; transparent pixels are blended onto white.
pub(super) fn pixels(task: &Task<'_>) -> Result<RgbImage, Skip> {
    let explain = |error| explain(task, error);
    let mut decoder = WebPDecoder::new(TimedReader::of(task)).map_err(explain)?;
    let (width, height) = decoder.dimensions();
    task.check_size(width, height)?;
    let samples = decoder.read_opaque(on_white).map_err(explain)?;
    RgbImage::from_raw(width, height, samples)
        .ok_or_else(|| task.damaged("the picture has another size than stated"))
}

fn explain(task: &Task<'_>, error: DecodingError) -> Skip {
    match error {
        _ if task.deadline.has_passed() => task.timed_out(),
        DecodingError::IoError(error) => task.damaged(error),
        error => task.damaged(error),
    }
}
