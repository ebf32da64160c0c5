//! Decodes JPEG with zune-jpeg, directly into the raster's buffer.
//!
//! If the data end early, zune-jpeg fills the rest with grey, and half a face is worse than none. The
//! source that it reads from detects such files.

use std::cell::Cell;

use image::RgbImage;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::jpeg_source::{Outcome, Source, unsupported_process};
use super::limits::Task;
use crate::error::Skip;

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
