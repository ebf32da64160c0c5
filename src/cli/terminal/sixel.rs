//! SIXEL, the graphics of the VT340: <https://vt100.net/docs/vt3xx-gp/chapter14.html>.
//!
//! Implemented here because the crates that encode SIXEL have about twenty dependencies. The palette comes from the
//! GIF encoder's quantiser, the dithering from `image`.

use std::io::{self, Write};

use color_quant::NeuQuant;
use image::imageops::{ColorMap, dither, index_colors};
use image::{DynamicImage, RgbImage, Rgba};

/// Number of colours in the palette, which is the most that terminals support.
const COLOURS: usize = 256;

/// The palette is fitted to every third pixel. This is fast enough, since the pictures are small.
const SAMPLE: i32 = 3;

/// Rows of pixels in a band: a SIXEL character encodes six.
const BAND: usize = 6;

/// Appends a picture as SIXEL to `text`.
pub(super) fn encode(text: &mut Vec<u8>, picture: &RgbImage) -> io::Result<()> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let (palette, indices) = quantise(picture);

    // No scaling (9); pixels that are not set keep their colour (1).
    write!(text, "\x1bP9;1;0q\"1;1;{width};{height}")?;
    for (index, colour) in palette.iter().enumerate() {
        let percent = |value: u8| (u32::from(value) * 100 + 127) / 255;
        let [red, green, blue] = [0, 1, 2].map(|channel| percent(colour[channel]));
        write!(text, "#{index};2;{red};{green};{blue}")?;
    }
    for band in indices.chunks(BAND * width) {
        write_band(text, band, width)?;
    }
    text.extend_from_slice(b"\x1b\\");
    Ok(())
}

/// The palette of a picture, and the index of each pixel's colour in it.
fn quantise(picture: &RgbImage) -> (Vec<[u8; 3]>, Vec<u8>) {
    // NeuQuant's network cannot be trained with so few pixels.
    if picture.pixels().len() <= COLOURS {
        let palette: Vec<_> = picture.pixels().map(|pixel| pixel.0).collect();
        let indices = (0..palette.len()).map(|index| index as u8).collect();
        return (palette, indices);
    }
    let mut rgba = DynamicImage::from(picture.clone()).into_rgba8();
    let palette = Palette(NeuQuant::new(SAMPLE, COLOURS, rgba.as_raw()));
    // `dither` of image 0.25.10 cannot take a picture that is one pixel wide.
    if picture.width() > 1 && picture.height() > 1 {
        dither(&mut rgba, &palette);
    }
    let indices = index_colors(&rgba, &palette).into_raw();
    let colours = palette.0.color_map_rgb();
    (colours.as_chunks::<3>().0.to_vec(), indices)
}

/// The colours of a picture.
struct Palette(NeuQuant);

impl ColorMap for Palette {
    type Color = Rgba<u8>;

    fn index_of(&self, colour: &Rgba<u8>) -> usize {
        self.0.index_of(&colour.0)
    }

    fn map_color(&self, colour: &mut Rgba<u8>) {
        self.0.map_pixel(&mut colour.0);
    }
}

/// Writes up to six rows of pixels. Each pass over them sets the pixels of one colour.
fn write_band(text: &mut Vec<u8>, band: &[u8], width: usize) -> io::Result<()> {
    let mut used = [false; COLOURS];
    for &index in band {
        used[usize::from(index)] = true;
    }
    for colour in (0..=u8::MAX).filter(|&colour| used[usize::from(colour)]) {
        write!(text, "#{colour}")?;
        let column = |x: usize| {
            let rows = band.chunks_exact(width).enumerate();
            rows.fold(0, |bits, (y, row)| bits | u8::from(row[x] == colour) << y)
        };
        let mut x = 0;
        while x < width {
            let bits = column(x);
            let run = 1 + (x + 1..width).take_while(|&x| column(x) == bits).count();
            let character = char::from(b'?' + bits);
            if run > 3 {
                write!(text, "!{run}{character}")?;
            } else {
                (0..run).try_for_each(|_| write!(text, "{character}"))?;
            }
            x += run;
        }
        text.push(b'$'); // carriage return: back to the first column of the band
    }
    text.push(b'-'); // new line: to the next band
    Ok(())
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    /// Reads what [`encode`] writes, as a terminal does.
    fn decode(text: &[u8]) -> RgbImage {
        let text = std::str::from_utf8(text).unwrap();
        let text = text.strip_prefix("\x1bP9;1;0q\"1;1;").unwrap();
        let text = text.strip_suffix("\x1b\\").unwrap();
        let numbers = |text: &str| -> Vec<u32> {
            let numbers = text.split(';').map(|n| n.parse().unwrap());
            numbers.collect()
        };
        let (size, mut rest) = text.split_at(text.find('#').unwrap());
        let size = numbers(size);
        let mut picture = RgbImage::new(size[0], size[1]);
        let mut palette = std::collections::HashMap::new();
        let (mut colour, mut x, mut y, mut run) = (0, 0, 0, 1);
        while let Some(command) = rest.chars().next() {
            rest = &rest[1..];
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != ';');
            let argument = &rest[..end.unwrap_or(rest.len())];
            match command {
                '#' => {
                    let numbers = numbers(argument);
                    colour = numbers[0];
                    if let [_, 2, rgb @ ..] = &numbers[..] {
                        let channel = |i: usize| (rgb[i] * 255 / 100) as u8;
                        palette.insert(colour, Rgb([channel(0), channel(1), channel(2)]));
                    }
                }
                '!' => run = argument.parse().unwrap(),
                '$' => x = 0,
                '-' => (x, y) = (0, y + BAND as u32),
                sixel => {
                    let bits = sixel as u8 - b'?';
                    for x in x..x + run {
                        for row in (0..BAND as u32).filter(|row| bits >> row & 1 == 1) {
                            picture.put_pixel(x, y + row, palette[&colour]);
                        }
                    }
                    (x, run) = (x + run, 1);
                }
            }
            rest = match command {
                '#' | '!' => &rest[argument.len()..],
                _ => rest,
            };
        }
        picture
    }

    #[test]
    fn colours_and_size_survive() {
        for (width, height) in [(60, 48), (61, 47), (1, 300), (1, 1)] {
            let picture = RgbImage::from_fn(width, height, |x, y| {
                Rgb([(x * 4) as u8, (y * 5) as u8, 90])
            });
            let mut text = Vec::new();
            encode(&mut text, &picture).unwrap();
            let back = decode(&text);
            assert_eq!(back.dimensions(), picture.dimensions());
            let differences = back.as_raw().iter().zip(picture.as_raw());
            let off: u64 = differences.map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
            assert!(off / picture.len() as u64 <= 12, "{off}");
        }
    }
}
