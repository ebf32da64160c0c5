//! Decodes WebP directly to RGB, so that the picture is in memory once: the `image` crate decodes the opacity as well.

use image::RgbImage;
use image_webp::{DecodingError, WebPDecoder};

use super::common_formats::{TimedReader, on_white};
use super::file_bytes::{ByteReader, FileBytes};
use super::limits::Task;
use crate::error::Skip;

/// Decodes a picture, of an animation the first frame; transparent pixels are blended onto white.
pub(super) fn pixels(task: &Task<'_>, mut file: FileBytes<'_>) -> Result<RgbImage, Skip> {
    let explain = |error| explain(task, error);
    let reader = TimedReader::of(task, ByteReader::of(file.bytes()));
    let mut decoder = WebPDecoder::new(reader).map_err(explain)?;
    let (width, height) = decoder.dimensions();
    task.check_size(width, height)?;
    let samples = if decoder.is_lossy() || decoder.is_animated() {
        // Lossy and animated files have several chunks, which may be in any order, so the decoder must be able to seek.
        decoder.read_opaque(on_white)
    } else {
        let decoder = decoder.with_reader(());
        decoder
            .with_reader(TimedReader::of(task, file.all()))
            .read_opaque(on_white)
    };
    let samples = samples.map_err(explain)?;
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
