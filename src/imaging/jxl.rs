//! Decodes JPEG XL (ISO/IEC 18181) with jxl-oxide.

use image::{DynamicImage, GrayAlphaImage, GrayImage, RgbImage, RgbaImage};
use jxl_oxide::{
    AllocTracker, AuxBoxData, CropInfo, EnumColourEncoding, InitializeResult, JxlImage,
    PixelFormat, RenderingIntent,
};

use super::common_formats::opaque;
use super::limits::Task;
use super::{Blocks, Limits};
use crate::error::{Skip, SkipReason};

/// Bytes that are given to the decoder between two checks of the deadline.
const PIECE: usize = 64 << 10;

/// Bytes of memory for a pixel: three channels as floating-point numbers, twice.
const BYTES_PER_PIXEL: u64 = 24;

/// The EXIF block and the XMP packet.
pub(super) fn blocks(task: &Task<'_>) -> Result<Blocks, Skip> {
    let image = read(task)?;
    let boxes = image.aux_boxes();
    let exif = match boxes.first_exif() {
        Ok(AuxBoxData::Data(exif)) => exif
            .payload()
            .get(exif.tiff_header_offset() as usize..)
            .map(<[u8]>::to_vec),
        _ => None,
    };
    let xmp = match boxes.first_xml() {
        AuxBoxData::Data(xmp) => Some(xmp.to_vec()),
        _ => None,
    };
    Ok(Blocks { exif, xmp })
}

/// Decodes a picture, of an animation the first frame, and applies the orientation of its header.
///
/// It is rendered in strips, since a pixel takes many times as much memory while it is rendered as afterwards.
pub(super) fn pixels(task: &Task<'_>) -> Result<RgbImage, Skip> {
    let mut image = read(task)?;
    if image.num_loaded_keyframes() == 0 {
        return Err(task.damaged("its data end before the picture is complete"));
    }
    let format = image.pixel_format();
    if format.has_black() {
        return Err(task.unsupported("inks instead of colours"));
    }
    // Only a picture that an ICC profile describes keeps its colours, as in other formats.
    if described(&image).is_none() {
        let intent = RenderingIntent::Relative;
        image.request_color_encoding(if format.is_grayscale() {
            EnumColourEncoding::gray_srgb(intent)
        } else {
            EnumColourEncoding::srgb(intent)
        });
    }
    let rows = rows_at_once(image.width(), image.height());
    in_strips(task, &mut image, rows)
}

/// The ICC profile by which the colours are described, if that is the only description of them.
pub(super) fn profile(task: &Task<'_>) -> Option<Vec<u8>> {
    described(&read(task).ok()?).map(<[u8]>::to_vec)
}

fn described(image: &JxlImage) -> Option<&[u8]> {
    let is_lossy = image.image_header().metadata.xyb_encoded;
    image.original_icc().filter(|_| !is_lossy)
}

/// Renders a picture in strips of this many rows, whole groups.
fn in_strips(task: &Task<'_>, image: &mut JxlImage, rows: u32) -> Result<RgbImage, Skip> {
    let (width, height) = (image.width(), image.height());
    let mut picture = Vec::with_capacity(3 * width as usize * height as usize);
    let mut top = 0;
    while top < height {
        task.check_time()?;
        let end = top.next_multiple_of(GROUP) + rows;
        let bottom = if end < height {
            end - GROUP / 2
        } else {
            height
        };
        image.set_image_region(CropInfo {
            left: 0,
            top,
            width,
            height: bottom - top,
        });
        add_rendered(task, image, &mut picture)?;
        top = bottom;
    }
    RgbImage::from_raw(width, height, picture)
        .ok_or_else(|| task.damaged("the picture has another size than stated"))
}

/// The side of the squares in which a picture is coded. Of a group of which one row is needed all are decoded, and the
/// filters need some rows beyond the edge; so strips end in the middle of groups, which costs one row of groups each.
const GROUP: u32 = 256;

/// How many rows of a picture are rendered at once: whole groups, so that the picture and what its strip takes are at
/// most 4 bytes a pixel and 64 MB, if one row of groups is not more than that.
fn rows_at_once(width: u32, height: u32) -> u32 {
    const STRIP: u64 = 40 << 20;
    let (width, height) = (u64::from(width), u64::from(height));
    let rows = (STRIP + width * height) / (BYTES_PER_PIXEL * width).max(1);
    let groups = rows.saturating_sub(u64::from(GROUP) / 2) / u64::from(GROUP);
    GROUP * (groups.max(1) as u32)
}

/// Adds the pixels of the region that is set.
fn add_rendered(task: &Task<'_>, image: &JxlImage, picture: &mut Vec<u8>) -> Result<(), Skip> {
    let render = image
        .render_frame(0)
        .map_err(|error| explain(task, &*error))?;
    let mut stream = render.stream();
    let (width, height) = (stream.width(), stream.height());
    let length = width as usize * height as usize * stream.channels() as usize;
    if (image.pixel_format(), stream.channels()) == (PixelFormat::Rgb, 3) {
        let start = picture.len();
        picture.resize(start + length, 0);
        stream.write_to_buffer(&mut picture[start..]);
        return Ok(());
    }
    let mut samples = vec![0_u8; length];
    stream.write_to_buffer(&mut samples);
    let part = match image.pixel_format() {
        PixelFormat::Gray => GrayImage::from_raw(width, height, samples).map(DynamicImage::from),
        PixelFormat::Graya => {
            GrayAlphaImage::from_raw(width, height, samples).map(DynamicImage::from)
        }
        PixelFormat::Rgba => RgbaImage::from_raw(width, height, samples).map(DynamicImage::from),
        PixelFormat::Rgb | PixelFormat::Cmyk | PixelFormat::Cmyka => None,
    };
    let part =
        part.ok_or_else(|| task.unsupported("channels other than colour and transparency"))?;
    picture.extend_from_slice(&opaque(part));
    Ok(())
}

/// Reads a file up to its end, without rendering it.
fn read(task: &Task<'_>) -> Result<JxlImage, Skip> {
    let explain = |error: Error| explain(task, &*error);
    let memory = task.limits.max_pixels.saturating_mul(BYTES_PER_PIXEL);
    let memory = memory.max(Limits::default().max_pixels);
    let tracker = AllocTracker::with_limit(usize::try_from(memory).unwrap_or(usize::MAX));
    let mut waiting = Some(JxlImage::builder().alloc_tracker(tracker).build_uninit());
    let mut image = None;
    for piece in task.bytes.chunks(PIECE) {
        task.check_time()?;
        if let Some(mut reading) = waiting.take() {
            reading.feed_bytes(piece).map_err(explain)?;
            match reading.try_init().map_err(explain)? {
                InitializeResult::NeedMoreData(reading) => waiting = Some(reading),
                InitializeResult::Initialized(read) => {
                    task.check_size(read.width(), read.height())?;
                    image = Some(read);
                }
            }
        } else if let Some(image) = &mut image {
            image.feed_bytes(piece).map_err(explain)?;
        }
    }
    let mut image = image.ok_or_else(|| task.damaged("its data end before the picture begins"))?;
    image.finalize().map_err(explain)?;
    Ok(image)
}

type Error = Box<dyn std::error::Error + Send + Sync>;

fn explain(task: &Task<'_>, error: &(dyn std::error::Error + 'static)) -> Skip {
    let text = error.to_string();
    if text.contains("out of memory") {
        return Skip::new(
            SkipReason::TooLarge,
            format!("this {} takes more memory than allowed", task.format),
        );
    }
    task.damaged(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::Format;

    #[test]
    fn strips_are_parts_of_the_picture() {
        let limits = Limits::default();
        for name in ["tall", "tall-lossless", "tall-turned"] {
            let path = format!("tests/fixtures/matrix/jxl-{name}.jxl");
            let file = std::fs::read(path).unwrap();
            let task = Task::new(&file, Format::Jxl, &limits);
            let rendered = |rows| in_strips(&task, &mut read(&task).unwrap(), rows).unwrap();
            let whole = rendered(1024);
            assert_eq!(whole.dimensions(), (64, 700));
            for rows in [256, 512] {
                assert!(rendered(rows) == whole, "{name} in strips of {rows}");
            }
        }
    }
}
