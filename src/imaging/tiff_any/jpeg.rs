//! Pictures whose strips or tiles are JPEGs (Technical Note 2), perhaps with an opacity, or one JPEG for each channel.

use image::RgbImage;

use super::pieces::{Layout, Place};
use super::{inks, tag};
use crate::error::Skip;
use crate::imaging::common_formats::blended;
use crate::imaging::jpeg_any;
use crate::imaging::jpeg_general::{Colour, Meaning};
use crate::imaging::limits::Task;
use crate::imaging::lost::Pixels;
use crate::imaging::tiff_structure::Directory;

/// Decodes the picture of a directory.
pub(super) fn pixels(
    task: &Task<'_>,
    directory: &Directory<'_>,
    layout: &Layout,
) -> Result<Pixels, Skip> {
    let colour = colour(task, directory)?;
    let tables = tables(directory);
    let samples = directory.number(tag::SAMPLES).unwrap_or(1);
    let colours = colour.components();
    let opacity = match directory.number(tag::EXTRA_SAMPLES) {
        Some(kind @ (1 | 2)) if samples > colours => Some(kind == 1),
        _ => None,
    };
    if directory.number(tag::PLANAR) == Some(2) && samples > 1 {
        return match colour {
            Colour::Grey | Colour::Negative | Colour::Rgb => {
                planar(task, directory, layout, (colour, colours, opacity))
            }
            _ => Err(task.unsupported("a JPEG for each channel of these colours")),
        };
    }
    let inks = inks(directory);
    let meaning = Meaning {
        colour: Some(colour),
        inks: inks.as_ref(),
        opacity,
    };
    let mut pixels = RgbImage::new(layout.width, layout.height);
    for place in layout.places() {
        let data = layout.data(task, directory, place.index)?;
        let part = part(task, data, tables, meaning)?;
        if part.dimensions() == (layout.width, layout.height) {
            return Ok(Pixels::whole(part));
        }
        image::imageops::replace(&mut pixels, &part, place.x.into(), place.y.into());
    }
    Ok(Pixels::whole(pixels))
}

/// The segments with tables that all JPEGs of a picture share.
fn tables<'a>(directory: &Directory<'a>) -> &'a [u8] {
    let tables = directory.find(tag::JPEG_TABLES);
    tables.map_or(&[], |tables| tables.value)
}

/// The colour model that the tags state.
pub(super) fn colour(task: &Task<'_>, directory: &Directory<'_>) -> Result<Colour, Skip> {
    Ok(match directory.number(tag::PHOTOMETRIC) {
        Some(0) => Colour::Negative,
        Some(1) => Colour::Grey,
        Some(2) => Colour::Rgb,
        Some(5) => Colour::Cmyk(false),
        Some(6) => Colour::YCbCr,
        _ => return Err(task.unsupported("JPEG of other colours than its own")),
    })
}

/// The JPEG of a strip or tile, which must be complete.
pub(super) fn part(
    task: &Task<'_>,
    data: &[u8],
    tables: &[u8],
    meaning: Meaning<'_>,
) -> Result<RgbImage, Skip> {
    task.check_time()?;
    let part = jpeg_any::general(task, data, tables, meaning)?;
    match part.lost {
        Some(lost) => Err(task.damaged(lost.problem)),
        None => Ok(part.pixels),
    }
}

/// Decodes a picture with a JPEG for each channel of each strip or tile, of which the first `colours` channels are
/// its colours and the next one may be its opacity; `true` if the colours are multiplied by it.
fn planar(
    task: &Task<'_>,
    directory: &Directory<'_>,
    layout: &Layout,
    (colour, colours, opacity): (Colour, usize, Option<bool>),
) -> Result<Pixels, Skip> {
    let tables = tables(directory);
    let mut pixels = RgbImage::new(layout.width, layout.height);
    for place in layout.places() {
        for plane in 0..colours + usize::from(opacity.is_some()) {
            let index = place.index + plane * layout.pieces;
            let is_colour = plane < colours;
            let meaning = Meaning {
                colour: Some(match colour {
                    Colour::Negative if is_colour => Colour::Negative,
                    _ => Colour::Grey,
                }),
                ..Meaning::default()
            };
            let data = layout.data(task, directory, index)?;
            let part = part(task, data, tables, meaning)?;
            paste(&mut pixels, &part, &place, |pixel, value| {
                if let (Some(is_multiplied), false) = (opacity, is_colour) {
                    *pixel = blended(*pixel, value, is_multiplied);
                } else if colours == 1 {
                    *pixel = [value; 3];
                } else {
                    pixel[plane] = value;
                }
            });
        }
    }
    Ok(Pixels::whole(pixels))
}

/// Gives `put` each pixel at a place in the picture, and the value there of a grey part.
fn paste(
    pixels: &mut RgbImage,
    part: &RgbImage,
    place: &Place,
    mut put: impl FnMut(&mut [u8; 3], u8),
) {
    let (width, height) = pixels.dimensions();
    for (y, row) in (place.y..height).zip(part.rows()) {
        for (x, value) in (place.x..width).zip(row) {
            put(&mut pixels.get_pixel_mut(x, y).0, value.0[0]);
        }
    }
}
