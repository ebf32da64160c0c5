//! The rows of a PNG that is cut short or damaged, up to the fault.

use image::RgbImage;
use png::{BitDepth, ColorType, Decoder, Limits, Transformations};

use super::common_formats::{MAX_BYTES_PER_PIXEL, TimedReader, on_white};
use super::format::Format;
use super::limits::Task;
use super::lost::{Lost, Pixels};
use crate::error::Skip;

/// Decodes the rows above the fault for which a PNG was `refused`.
///
/// # Errors
/// `refused` itself if no row is known, or the rows are interlaced, so that all are known only coarsely.
pub(super) fn pixels(task: &Task<'_>, refused: Skip) -> Result<Pixels, Skip> {
    let Some((pixels, known)) = known_rows(task) else {
        return Err(refused);
    };
    task.check_time()?;
    if known == 0 {
        return Err(refused);
    }
    let below = known..pixels.height();
    Ok(Pixels {
        pixels,
        lost: Some(Lost {
            rows: Vec::from([below]),
            problem: format!(
                "{}: its data end before the picture is complete",
                Format::Png
            ),
        }),
    })
}

/// The picture with its lower part white, and the number of rows above that part; `None` if its header is damaged.
fn known_rows(task: &Task<'_>) -> Option<(RgbImage, u32)> {
    let mut decoder = Decoder::new(TimedReader::of(task));
    let bytes = task.limits.max_pixels.saturating_mul(MAX_BYTES_PER_PIXEL);
    decoder.set_limits(Limits {
        bytes: usize::try_from(bytes).unwrap_or(usize::MAX),
    });
    decoder.set_transformations(Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().ok()?;
    let (width, height) = (reader.info().width, reader.info().height);
    task.check_size(width, height).ok()?;
    let (colour, depth) = reader.output_color_type();
    if reader.info().interlaced || depth != BitDepth::Eight {
        return None;
    }
    let mut pixels = RgbImage::from_pixel(width, height, [255; 3].into());
    let mut known = 0;
    while known < height
        && let Ok(Some(row)) = reader.next_row()
    {
        let data = row.data().to_vec();
        let row = match colour {
            ColorType::Grayscale => image::GrayImage::from_raw(width, 1, data)?.into(),
            ColorType::GrayscaleAlpha => image::GrayAlphaImage::from_raw(width, 1, data)?.into(),
            ColorType::Rgb => RgbImage::from_raw(width, 1, data)?.into(),
            ColorType::Rgba => image::RgbaImage::from_raw(width, 1, data)?.into(),
            ColorType::Indexed => return None,
        };
        image::imageops::replace(&mut pixels, &on_white(row), 0, known.into());
        known += 1;
    }
    Some((pixels, known))
}
