//! Converts coefficients to samples, and samples to RGB. Each step releases the memory of its input on the way, so that
//! the picture is in memory once.

use std::ops::Range;

use image::RgbImage;

use super::blocks::Block;
use super::idct;
use super::picture::{Component, Picture};
use super::{Colour, Fault, Options};
use crate::imaging::common_formats::blended;
use crate::imaging::file_bytes::release;

/// Writes the samples of the block in this column and row, with 8 bits each.
pub(super) fn put_samples(
    component: &mut Component,
    bits: u32,
    (column, row): (usize, usize),
    block: &Block,
) {
    let table = component.table.as_ref().unwrap_or(&[1; 64]);
    let mut coefficients = [0; 64];
    for ((to, &value), &factor) in coefficients.iter_mut().zip(block).zip(table) {
        *to = i64::from(value) * i64::from(factor);
    }
    let samples = idct::samples(coefficients);
    let stride = 8 * component.blocks_wide;
    let start = 8 * (row * stride + column);
    let (middle, highest) = (1_i64 << (bits - 1), (1_i64 << bits) - 1);
    for (line, values) in samples.chunks_exact(8).enumerate() {
        let at = start + line * stride;
        for (to, &value) in component.samples[at..at + 8].iter_mut().zip(values) {
            let value = (value + middle).clamp(0, highest);
            *to = ((value * 255 + highest / 2) / highest) as u8;
        }
    }
}

/// Appends the pixels of some rows of MCUs, all of which are held, to the pixels above them.
pub(super) fn add_pixels(
    picture: &mut Picture,
    colour: Colour,
    rows: &Range<usize>,
    options: &Options<'_>,
    pixels: &mut RgbImage,
) -> Result<(), Fault> {
    let wanted = colour.components();
    let opacity = options.meaning.opacity;
    if picture.components.len() < wanted + usize::from(opacity.is_some()) {
        return Err(Fault::Damaged("it has too few components for its colours"));
    }
    if picture.process.is_progressive {
        for component in &mut picture.components {
            transform(component, picture.bits, options)?;
        }
    }
    // Allocated only here, after the memory of the coefficients was released.
    if pixels.is_empty() {
        *pixels = RgbImage::new(picture.width, picture.height);
    }
    let width = picture.width as usize;
    let high = 8 * picture.v;
    let (top, bottom) = (
        high * rows.start,
        (high * rows.end).min(picture.height as usize),
    );
    let mut lines = vec![vec![0; width]; picture.components.len()];
    let rows = (**pixels)[3 * width * top..3 * width * bottom].chunks_exact_mut(3 * width);
    // From the bottom up, so that the memory of samples can be released while pixels are written.
    for (y, row) in (top..bottom).zip(rows).rev() {
        if y % 64 == 0 {
            if (options.should_stop)() {
                return Err(Fault::Stopped);
            }
            for component in &mut picture.components {
                let above = 8 * component.v * picture.held.start;
                component.keep_rows(y * component.v / picture.v + 2 - above);
            }
        }
        for (component, line) in picture.components.iter().zip(&mut lines) {
            let above = 8 * component.v * picture.held.start;
            upsample(component, (picture.h, picture.v), y, above, line);
        }
        let row = row.as_chunks_mut().0;
        if let (Some(inks), Colour::Cmyk(is_inverted) | Colour::Ycck(is_inverted)) =
            (options.meaning.inks, colour)
        {
            let is_ycc = matches!(colour, Colour::Ycck(_));
            let amounts = (0..width).map(|x| amounts(&lines, x, is_ycc, is_inverted));
            inks.convert(&amounts.collect::<Vec<_>>(), row);
        } else {
            for (x, pixel) in row.iter_mut().enumerate() {
                *pixel = shown(&lines, x, colour);
            }
        }
        if let Some(is_multiplied) = opacity {
            for (pixel, &alpha) in row.iter_mut().zip(&lines[wanted]) {
                *pixel = blended(*pixel, alpha, is_multiplied);
            }
        }
    }
    Ok(())
}

/// The colour of a pixel without a profile of its inks.
fn shown(lines: &[Vec<u8>], x: usize, colour: Colour) -> [u8; 3] {
    let sample = |index: usize| lines[index][x];
    match colour {
        Colour::Grey => [sample(0); 3],
        Colour::Negative => [255 - sample(0); 3],
        Colour::Rgb => [sample(0), sample(1), sample(2)],
        Colour::YCbCr => rgb(sample(0), sample(1), sample(2)),
        Colour::Cmyk(is_inverted) => {
            on_paper([sample(0), sample(1), sample(2)], sample(3), is_inverted)
        }
        Colour::Ycck(is_inverted) => {
            let inks = rgb(sample(0), sample(1), sample(2)).map(|value| 255 - value);
            on_paper(inks, sample(3), is_inverted)
        }
    }
}

/// Computes the samples of a progressive picture.
fn transform(component: &mut Component, bits: u32, options: &Options<'_>) -> Result<(), Fault> {
    let mut coefficients = std::mem::take(&mut component.coefficients);
    component.samples = vec![0; 64 * coefficients.len()];
    let wide = component.blocks_wide;
    // From the bottom up, so that the memory of coefficients can be released while samples are written.
    for row in (0..coefficients.len() / wide).rev() {
        if (options.should_stop)() {
            return Err(Fault::Stopped);
        }
        for (column, block) in coefficients[row * wide..].iter().enumerate() {
            put_samples(component, bits, (column, row), block);
        }
        coefficients.truncate(row * wide);
        release(&mut coefficients);
    }
    Ok(())
}

impl Component {
    /// Keeps the first `rows` rows of the samples held, in pixels, and releases the memory of the others.
    fn keep_rows(&mut self, rows: usize) {
        self.samples.truncate(8 * self.blocks_wide * rows);
        release(&mut self.samples);
    }
}

/// The samples of one row of the picture; `above` is the number of rows of samples that are not held. Factors of two
/// are interpolated as libjpeg does it, others repeated.
fn upsample(
    component: &Component,
    (h, v): (usize, usize),
    y: usize,
    above: usize,
    line: &mut [u8],
) {
    let stride = 8 * component.blocks_wide;
    let row = |at: usize| &component.samples[(at - above) * stride..][..component.width];
    let at = (y * component.v / v).min(component.height - 1);
    let is_doubled = |whole: usize, part: usize| whole == 2 * part;
    let near = row(at);
    // The other row with which the nearest one is interpolated.
    let far = if !is_doubled(v, component.v) {
        near
    } else if y.is_multiple_of(2) {
        row(at.saturating_sub(1))
    } else {
        row((at + 1).min(component.height - 1))
    };
    let mixed = |x: usize| 3 * u32::from(near[x]) + u32::from(far[x]);
    if !is_doubled(h, component.h) {
        let is_tall = is_doubled(v, component.v);
        let round = if y.is_multiple_of(2) { 1 } else { 2 };
        for (x, to) in line.iter_mut().enumerate() {
            let x = (x * component.h / h).min(component.width - 1);
            *to = if is_tall {
                ((mixed(x) + round) >> 2) as u8
            } else {
                near[x]
            };
        }
        return;
    }
    if component.width < 3 {
        for (x, to) in line.iter_mut().enumerate() {
            *to = near[(x / 2).min(component.width - 1)];
        }
        return;
    }
    let last = component.width - 1;
    for (x, to) in line.iter_mut().enumerate() {
        let at = (x / 2).min(last);
        let side = if x % 2 == 0 {
            at.saturating_sub(1)
        } else {
            (at + 1).min(last)
        };
        *to = if is_doubled(v, component.v) {
            let round = if x % 2 == 0 { 8 } else { 7 };
            ((3 * mixed(at) + mixed(side) + round) >> 4) as u8
        } else {
            let round = if x % 2 == 0 { 1 } else { 2 };
            ((3 * u32::from(near[at]) + u32::from(near[side]) + round) >> 2) as u8
        };
    }
}

/// From luma and colour differences of full range to RGB (JFIF).
fn rgb(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    let (y, cb, cr) = (i32::from(y), i32::from(cb) - 128, i32::from(cr) - 128);
    // Constants with 16 bits after the point.
    let red = y + ((91_881 * cr + 32_768) >> 16);
    let green = y + ((-22_554 * cb - 46_802 * cr + 32_768) >> 16);
    let blue = y + ((116_130 * cb + 32_768) >> 16);
    [red, green, blue].map(|value| value.clamp(0, 255) as u8)
}

/// The amount of each ink in a pixel.
fn amounts(lines: &[Vec<u8>], x: usize, is_ycc: bool, is_inverted: bool) -> [u8; 4] {
    let [c, m, y, k] = [0, 1, 2, 3].map(|index| lines[index][x]);
    let [c, m, y] = if is_ycc {
        rgb(c, m, y).map(|value| 255 - value)
    } else {
        [c, m, y]
    };
    [c, m, y, k].map(|ink| if is_inverted { 255 - ink } else { ink })
}

/// The colour of inks on white paper.
fn on_paper(inks: [u8; 3], black: u8, is_inverted: bool) -> [u8; 3] {
    let light = |ink: u8| u32::from(if is_inverted { ink } else { 255 - ink });
    inks.map(|ink| ((light(ink) * light(black) + 127) / 255) as u8)
}
