//! From coefficients to samples, and from samples to RGB.

use image::RgbImage;

use super::blocks::Block;
use super::frame::{Component, Picture};
use super::idct;
use super::{Colour, Fault, Options};

/// Writes the samples of one block, the one in this column and row, with 8 bits each.
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

/// The pixels of a decoded picture.
pub(super) fn pixels(
    picture: &mut Picture,
    colour: Colour,
    options: &Options<'_>,
) -> Result<RgbImage, Fault> {
    if picture.process.is_progressive {
        for component in &mut picture.components {
            transform(component, picture.bits, options)?;
        }
    }
    let mut pixels = RgbImage::new(picture.width, picture.height);
    let width = picture.width as usize;
    let mut lines = vec![vec![0; width]; picture.components.len()];
    let wanted = match colour {
        Colour::Grey => 1,
        Colour::YCbCr | Colour::Rgb => 3,
        Colour::Cmyk(_) | Colour::Ycck(_) => 4,
    };
    if lines.len() < wanted {
        return Err(Fault::Damaged("it has too few components for its colours"));
    }
    for (y, row) in pixels.chunks_exact_mut(3 * width).enumerate() {
        if y % 64 == 0 && (options.stops)() {
            return Err(Fault::Stopped);
        }
        for (component, line) in picture.components.iter().zip(&mut lines) {
            upsample(component, (picture.h, picture.v), y, line);
        }
        for (x, pixel) in row.as_chunks_mut().0.iter_mut().enumerate() {
            let sample = |index: usize| lines[index][x];
            *pixel = match colour {
                Colour::Grey => [sample(0); 3],
                Colour::Rgb => [sample(0), sample(1), sample(2)],
                Colour::YCbCr => rgb(sample(0), sample(1), sample(2)),
                Colour::Cmyk(is_inverted) => {
                    on_paper([sample(0), sample(1), sample(2)], sample(3), is_inverted)
                }
                Colour::Ycck(is_inverted) => {
                    let inks = rgb(sample(0), sample(1), sample(2)).map(|value| 255 - value);
                    on_paper(inks, sample(3), is_inverted)
                }
            };
        }
    }
    Ok(pixels)
}

/// Computes the samples of a progressive picture.
fn transform(component: &mut Component, bits: u32, options: &Options<'_>) -> Result<(), Fault> {
    let coefficients = std::mem::take(&mut component.coefficients);
    component.samples = vec![0; 64 * coefficients.len()];
    for (row, blocks) in coefficients.chunks(component.blocks_wide).enumerate() {
        if (options.stops)() {
            return Err(Fault::Stopped);
        }
        for (column, block) in blocks.iter().enumerate() {
            put_samples(component, bits, (column, row), block);
        }
    }
    Ok(())
}

/// The samples of one row of the picture. Factors of two are interpolated as libjpeg does it, others repeated.
fn upsample(component: &Component, (h, v): (usize, usize), y: usize, line: &mut [u8]) {
    let stride = 8 * component.blocks_wide;
    let row = |at: usize| &component.samples[at * stride..][..component.width];
    let at = (y * component.v / v).min(component.height - 1);
    let is_doubled = |whole: usize, part: usize| whole == 2 * part;
    let near = row(at);
    // The other row that this one is mixed with.
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

/// The colour of inks on white paper.
fn on_paper(inks: [u8; 3], black: u8, is_inverted: bool) -> [u8; 3] {
    let light = |ink: u8| u32::from(if is_inverted { ink } else { 255 - ink });
    inks.map(|ink| ((light(ink) * light(black) + 127) / 255) as u8)
}
