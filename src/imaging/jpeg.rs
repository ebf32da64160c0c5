//! Decodes JPEG: to a reduced copy with `fer-jpeg`, which is strict; at full size, and what `fer-jpeg` refuses, with
//! zune-jpeg, directly into the raster's buffer.
//!
//! If the data end early, zune-jpeg fills the rest with grey, and half a face is worse than none. [`Source`], from
//! which it reads, detects such files.

use std::cell::Cell;

use fer_jpeg::{Channels, Header};
use image::RgbImage;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::jpeg_any;
use super::jpeg_source::{Outcome, Source, unsupported_process};
use super::limits::Task;
use crate::error::Skip;
use crate::raster::{Orientation, Raster};

/// Largest copy, in eighths of the size, that is worth decoding; a larger copy takes as long as decoding all pixels.
const MAX_EIGHTHS: usize = 4;

/// Decodes a JPEG to the smallest n/8 of its size that has at least the `wanted` width and height. `None` if only
/// another decoder can read it, if more than half its size is wanted, or if it is progressive and would take too much
/// memory.
pub(super) fn reduced(
    task: &Task<'_>,
    orientation: Orientation,
    wanted: &dyn Fn(u32, u32) -> Option<(u32, u32)>,
) -> Result<Option<Raster>, Skip> {
    let Ok(header) = Header::read(task.bytes) else {
        return Ok(None);
    };
    // All coefficients of a progressive picture are in memory, beside a copy of at most a quarter of the pixels.
    let is_too_large = |(pixels, bytes)| bytes + pixels > 4 * pixels + jpeg_any::extra_bytes(task);
    if jpeg_any::coefficients(task.bytes).is_some_and(is_too_large) {
        return Ok(None);
    }
    let (width, height) = header.size();
    let size = (width as u32, height as u32);
    task.check_size(size.0, size.1)?;
    let upright = orientation.exchange(size);
    let wanted = wanted(upright.0, upright.1).map(|size| orientation.exchange(size));
    let suffices = |eighths: &usize| {
        let scaled = |side: usize| (side * eighths).div_ceil(8) as u32;
        wanted.is_some_and(|wanted| scaled(width) >= wanted.0 && scaled(height) >= wanted.1)
    };
    let Some(eighths) = (1..=MAX_EIGHTHS).find(suffices) else {
        return Ok(None);
    };
    let stop = || task.deadline.has_passed();
    match header.decode(eighths, Channels::Colour, &stop) {
        Ok((picture, copy)) => Ok(Some(Raster::of_jpeg(picture, copy, eighths, orientation))),
        Err(fer_jpeg::Error::Stopped) => Err(task.timed_out()),
        Err(_) => Ok(None),
    }
}

/// Decodes a JPEG; of several pictures in the file (thumbnails, gain maps, MPO) the first.
pub(super) fn pixels(task: &Task<'_>) -> Result<RgbImage, Skip> {
    let outcome = Cell::new(Outcome::Complete);
    let mut decoder = open(task, &outcome)?;
    let (width, height) = decoder.dimensions().unwrap_or_default();
    decoder.set_options(decoder.options().set_strict_mode(true));
    let mut pixels = RgbImage::new(width as u32, height as u32);
    decoder
        .decode_into(&mut pixels)
        .map_err(|error| explain(task, outcome.get(), error))?;
    match outcome.get() {
        Outcome::Complete => Ok(pixels),
        outcome => Err(explain(task, outcome, DecodeErrors::ExhaustedData)),
    }
}

/// A decoder that has read the headers of a JPEG and checked its size.
fn open<'a>(task: &Task<'a>, outcome: &'a Cell<Outcome>) -> Result<JpegDecoder<Source<'a>>, Skip> {
    // Lenient about garbage between header segments, which some cameras write; strict about the picture.
    let lenient = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(usize::MAX)
        .set_max_height(usize::MAX)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let source = Source::new(task.bytes, task.deadline, outcome);
    let mut decoder = JpegDecoder::new_with_options(source, lenient);
    decoder
        .decode_headers()
        .map_err(|error| explain(task, outcome.get(), error))?;
    let (width, height) = decoder.dimensions().unwrap_or_default();
    task.check_size(width as u32, height as u32)?;
    Ok(decoder)
}

fn explain(task: &Task<'_>, outcome: Outcome, error: DecodeErrors) -> Skip {
    match (outcome, unsupported_process(task.bytes)) {
        (Outcome::TimedOut, _) => task.timed_out(),
        (_, Some(process)) => task.unsupported(process),
        (Outcome::Truncated, _) => task.damaged("its data end before the picture is complete"),
        (Outcome::Complete, _) => task.damaged(error),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use image::codecs::jpeg::JpegEncoder;

    use super::*;
    use crate::error::SkipReason;
    use crate::imaging::{Decoded, Limits, decode, decode_for};

    /// A JPEG of 1000 × 600 pixels.
    fn photo() -> Vec<u8> {
        let pixels = RgbImage::from_fn(1000, 600, |x, y| {
            image::Rgb([(x / 4) as u8, (y / 3) as u8, ((x * y) >> 12) as u8])
        });
        let mut jpeg = Vec::new();
        JpegEncoder::new_with_quality(&mut jpeg, 90)
            .encode_image(&pixels)
            .unwrap();
        jpeg
    }

    /// Decodes a JPEG of which 300 × 200 pixels are going to be searched.
    fn decode_reduced(bytes: &[u8], limits: &Limits) -> Result<Decoded, Skip> {
        decode_for(&|_, _| Some((300, 200)), None, bytes, limits)
    }

    #[test]
    fn a_reduced_photo_has_the_size_and_the_pixels_of_the_whole() {
        let bytes = photo();
        let limits = Limits::default();
        let whole = decode(&bytes, &limits).unwrap().raster;
        let reduced = decode_reduced(&bytes, &limits).unwrap().raster;
        assert_eq!((reduced.width(), reduced.height()), (1000, 600));
        let copies = [&whole, &reduced].map(|raster| raster.resized(300, 180).into_raw());
        let pairs = copies[0].iter().zip(&copies[1]);
        let most = pairs.map(|(a, b)| a.abs_diff(*b)).max();
        assert!(most <= Some(8), "{most:?}");
        let all = whole.stored().iter().zip(reduced.stored().iter());
        let most = all.map(|(a, b)| a.abs_diff(*b)).max();
        assert!(most <= Some(3), "{most:?}");
    }

    #[test]
    fn a_photo_is_skipped_for_the_same_reason_whether_it_is_reduced_or_not() {
        let bytes = photo();
        let limits = Limits::default();
        let small = Limits {
            max_pixels: 1000,
            ..limits
        };
        let short = Limits {
            max_time: Duration::ZERO,
            ..limits
        };
        for (limits, reason) in [
            (&small, SkipReason::TooLarge),
            (&short, SkipReason::TimedOut),
        ] {
            let [whole, reduced] = [decode(&bytes, limits), decode_reduced(&bytes, limits)]
                .map(|decoded| decoded.map(|_| ()).unwrap_err());
            assert_eq!(whole.reason, reason, "{whole}");
            assert_eq!(reduced.reason, reason, "{reduced}");
        }
    }

    #[test]
    fn of_a_damaged_photo_the_same_part_is_lost_whether_it_is_reduced_or_not() {
        let bytes = photo();
        let limits = Limits::default();
        let mut damaged = bytes.clone();
        let middle = damaged.len() / 2;
        damaged[middle..middle + 40].fill(0xff);
        for bytes in [&bytes[..middle], &damaged] {
            let whole = decode(bytes, &limits).unwrap().lost;
            assert!(whole.is_some());
            assert_eq!(decode_reduced(bytes, &limits).unwrap().lost, whole);
        }
    }
}
