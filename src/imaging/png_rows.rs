//! Decodes PNG row by row, so that besides the picture only one row is in memory, whatever its samples are. Of a
//! truncated or damaged file it returns the rows above the fault.

use std::io::ErrorKind;

use image::{DynamicImage, ImageBuffer, Luma, LumaA, Pixel, Rgb, RgbImage, Rgba};
use png::{
    BitDepth, ColorType, Decoder, DecodingError, InterlaceInfo, Limits, Reader, Transformations,
    expand_interlaced_row,
};

use super::common_formats::{MAX_BYTES_PER_PIXEL, TimedReader, opaque};
use super::file_bytes::ByteReader;
use super::limits::Task;
use super::lost::{Lost, Pixels};
use crate::error::{Skip, SkipReason};

/// Decodes a picture; of an animation the first frame.
///
/// # Errors
/// If no row is known, or if rows are missing in an interlaced picture, so that all of it is known only coarsely.
pub(super) fn pixels(task: &Task<'_>, file: ByteReader<'_>) -> Result<Pixels, Skip> {
    let explain = |error| explain(task, error);
    let mut decoder = Decoder::new(TimedReader::of(task, file));
    let bytes = task.limits.max_pixels.saturating_mul(MAX_BYTES_PER_PIXEL);
    decoder.set_limits(Limits {
        bytes: usize::try_from(bytes).unwrap_or(usize::MAX),
    });
    decoder.set_transformations(Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(explain)?;
    let (width, height) = (reader.info().width, reader.info().height);
    task.check_size(width, height)?;
    let mut pixels = RgbImage::new(width, height);
    let mut known = 0;
    match rows(&mut reader, &mut pixels, &mut known) {
        Ok(()) => Ok(Pixels::whole(pixels)),
        // All rows are known; only data after the last row are missing.
        Err(DecodingError::IoError(error))
            if error.kind() == ErrorKind::UnexpectedEof
                && known == rows_of(width, height, reader.info().interlaced) =>
        {
            Ok(Pixels::whole(pixels))
        }
        Err(error) => {
            let refused = explain(error);
            if known == 0 || reader.info().interlaced || refused.reason != SkipReason::Damaged {
                return Err(refused);
            }
            let first = 3 * width as usize * known as usize;
            (*pixels)[first..].fill(255);
            let below = known..height;
            Ok(Pixels {
                pixels,
                lost: Some(Lost {
                    rows: Vec::from([below]),
                    problem: format!(
                        "{}: its data end before the picture is complete",
                        task.format
                    ),
                }),
            })
        }
    }
}

/// The number of rows in the data. An interlaced picture has those of its seven passes (PNG, 8.2); a pass without
/// pixels has none.
fn rows_of(width: u32, height: u32, is_interlaced: bool) -> u32 {
    /// For each pass, its first column and row, and the distance between columns and between rows.
    const PASSES: [[u32; 4]; 7] = [
        [0, 0, 8, 8],
        [4, 0, 8, 8],
        [0, 4, 4, 8],
        [2, 0, 4, 4],
        [0, 2, 2, 4],
        [1, 0, 2, 2],
        [0, 1, 1, 2],
    ];
    if !is_interlaced {
        return height;
    }
    let with_pixels = PASSES.into_iter().filter(|[x, ..]| width > *x);
    with_pixels
        .map(|[_, y, _, down]| height.saturating_sub(y).div_ceil(down))
        .sum()
}

/// Reads all rows, and counts those that the file has.
fn rows(
    reader: &mut Reader<TimedReader<'_>>,
    pixels: &mut RgbImage,
    known: &mut u32,
) -> Result<(), DecodingError> {
    let stride = 3 * pixels.width() as usize;
    let (colour, depth) = reader.output_color_type();
    if (colour, depth) == (ColorType::Rgb, BitDepth::Eight) && !reader.info().interlaced {
        for row in pixels.chunks_exact_mut(stride) {
            reader.read_row(row)?;
            *known += 1;
        }
        // Reads what follows the last row, and its checksum.
        return reader.read_row(&mut []).map(|_| ());
    }
    while let Some(row) = reader.next_interlaced_row()? {
        let samples = as_rgb(row.data(), colour, depth);
        match row.interlace() {
            InterlaceInfo::Adam7(pass) => {
                expand_interlaced_row(pixels, stride, &samples, pass, 24);
            }
            InterlaceInfo::Null(_) => {
                let start = stride * *known as usize;
                let row = &mut (**pixels)[start..start + stride];
                row.copy_from_slice(&samples);
            }
        }
        *known += 1;
    }
    Ok(())
}

/// A row as RGB of 8 bits, with transparent pixels blended onto white.
fn as_rgb(row: &[u8], colour: ColorType, depth: BitDepth) -> Vec<u8> {
    let wide = || {
        row.as_chunks()
            .0
            .iter()
            .map(|&pair| u16::from_be_bytes(pair))
    };
    let picture = match (colour, depth) {
        (ColorType::Grayscale, BitDepth::Sixteen) => of_samples::<Luma<u16>>(wide().collect()),
        (ColorType::GrayscaleAlpha, BitDepth::Sixteen) => {
            of_samples::<LumaA<u16>>(wide().collect())
        }
        (ColorType::Rgb, BitDepth::Sixteen) => of_samples::<Rgb<u16>>(wide().collect()),
        (ColorType::Rgba, BitDepth::Sixteen) => of_samples::<Rgba<u16>>(wide().collect()),
        (ColorType::GrayscaleAlpha, _) => of_samples::<LumaA<u8>>(row.to_vec()),
        (ColorType::Rgb, _) => return row.to_vec(),
        (ColorType::Rgba, _) => of_samples::<Rgba<u8>>(row.to_vec()),
        // The decoder has replaced palette indices by their colours.
        (ColorType::Grayscale | ColorType::Indexed, _) => of_samples::<Luma<u8>>(row.to_vec()),
    };
    opaque(picture).into_raw()
}

/// A picture of one row.
fn of_samples<P: Pixel>(samples: Vec<P::Subpixel>) -> DynamicImage
where
    DynamicImage: From<ImageBuffer<P, Vec<P::Subpixel>>>,
{
    let width = samples.len() as u32 / u32::from(P::CHANNEL_COUNT);
    ImageBuffer::from_raw(width, 1, samples)
        .expect("a row has whole pixels")
        .into()
}

fn explain(task: &Task<'_>, error: DecodingError) -> Skip {
    match error {
        _ if task.deadline.has_passed() => task.timed_out(),
        DecodingError::LimitsExceeded => Skip::new(
            SkipReason::TooLarge,
            format!("this {} takes more memory than allowed", task.format),
        ),
        DecodingError::IoError(error) => task.damaged(error),
        error => task.damaged(error),
    }
}
