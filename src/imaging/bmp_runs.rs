//! Decodes BMP whose rows are coded as runs of equal pixels, of Windows and of OS/2, from the bottom or from the top.
//!
//! As in browsers, what a run has more than its row is left out, and so are rows beyond the last one. Pixels that no
//! run names are white.

use image::{Rgb, RgbImage};

use super::bmp_header::Header;
use super::limits::Task;
use super::lost::{Lost, Pixels};
use crate::error::Skip;

/// A picture of runs.
pub(super) struct Runs {
    header: Header,
    palette: Vec<[u8; 3]>,
}

impl Runs {
    /// The runs of a file; `None` if it has another coding.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let header = Header::of(bytes)?;
        let is_coded = match (header.compression, header.bits) {
            (1, 8) | (2, 4) => true,
            (4, 24) => header.is_of_os2,
            _ => false,
        };
        is_coded.then_some(())?;
        let colours = header.palette(bytes).as_chunks().0.iter();
        let palette = colours.map(|&[blue, green, red, _]| [red, green, blue]);
        Some(Self {
            palette: palette.collect(),
            header,
        })
    }

    /// Checks the size of the picture.
    pub fn check_size(&self, task: &Task<'_>) -> Result<(), Skip> {
        task.check_size(self.header.width, self.header.height)
    }

    /// Decodes the picture, of which the rows behind the end of the data are lost.
    pub fn pixels(&self, task: &Task<'_>) -> Result<Pixels, Skip> {
        self.check_size(task)?;
        let (width, height) = (self.header.width, self.header.height);
        let mut canvas = Canvas {
            pixels: RgbImage::from_pixel(width, height, Rgb([255; 3])),
            is_top_down: self.header.is_top_down,
            x: 0,
            y: 0,
        };
        let mut data = task.bytes.get(self.header.rows..).unwrap_or_default();
        let mut until_check = 0;
        while canvas.y < height {
            if until_check == 0 {
                task.check_time()?;
                until_check = 1 << 16;
            }
            until_check -= 1;
            match self.run(&mut data, &mut canvas) {
                Some(true) => {}
                Some(false) => return Ok(Pixels::whole(canvas.pixels)),
                None => return canvas.cut(task),
            }
        }
        Ok(Pixels::whole(canvas.pixels))
    }

    /// Takes one code; `Some(false)` for the end of the picture, `None` at the end of the data.
    fn run(&self, data: &mut &[u8], canvas: &mut Canvas) -> Option<bool> {
        match take(data, 2)? {
            [0, 0] => canvas.move_to(0, canvas.y + 1),
            [0, 1] => return Some(false),
            [0, 2] => {
                let by = take(data, 2)?;
                let [right, down] = [by[0], by[1]].map(u32::from);
                canvas.move_to(canvas.x.saturating_add(right), canvas.y + down);
            }
            &[0, number] => {
                let number = usize::from(number);
                let bytes = (number * usize::from(self.header.bits)).div_ceil(8);
                let pixels = take(data, bytes)?;
                (0..number).for_each(|at| canvas.put(self.colour(pixels, at)));
                // Filled up to an even number of bytes, which some writers leave out at the end.
                take(data, bytes % 2).unwrap_or_default();
            }
            &[number, first] => {
                let blue_green_red;
                let pixels = if self.header.bits == 24 {
                    let rest = take(data, 2)?;
                    blue_green_red = [first, rest[0], rest[1]];
                    &blue_green_red[..]
                } else {
                    blue_green_red = [first; 3];
                    &blue_green_red[..1]
                };
                // Two pixels of four bits alternate.
                let period = if self.header.bits == 4 { 2 } else { 1 };
                (0..usize::from(number))
                    .for_each(|at| canvas.put(self.colour(pixels, at % period)));
            }
            _ => return None,
        }
        Some(true)
    }

    /// The colour of one of the pixels in these bytes.
    fn colour(&self, pixels: &[u8], at: usize) -> [u8; 3] {
        let index = match self.header.bits {
            4 => pixels[at / 2] >> if at.is_multiple_of(2) { 4 } else { 0 } & 15,
            8 => pixels[at],
            _ => return [pixels[3 * at + 2], pixels[3 * at + 1], pixels[3 * at]],
        };
        let colour = self.palette.get(usize::from(index));
        colour.copied().unwrap_or_default()
    }
}

/// Takes the first bytes of the data; `None` if there are fewer.
fn take<'a>(data: &mut &'a [u8], number: usize) -> Option<&'a [u8]> {
    let (taken, rest) = data.split_at_checked(number)?;
    *data = rest;
    Some(taken)
}

/// The picture, and where its next pixel is, in the order of the file.
struct Canvas {
    pixels: RgbImage,
    is_top_down: bool,
    x: u32,
    y: u32,
}

impl Canvas {
    fn move_to(&mut self, x: u32, y: u32) {
        (self.x, self.y) = (x, y);
    }

    fn put(&mut self, colour: [u8; 3]) {
        let (width, height) = self.pixels.dimensions();
        if self.x < width {
            let y = if self.is_top_down {
                self.y
            } else {
                height - 1 - self.y
            };
            self.pixels.put_pixel(self.x, y, Rgb(colour));
            self.x += 1;
        }
    }

    /// The picture of data that end in this row.
    fn cut(self, task: &Task<'_>) -> Result<Pixels, Skip> {
        let problem = "its data end before the picture is complete";
        if self.y == 0 {
            return Err(task.damaged(problem));
        }
        let height = self.pixels.height();
        let rows = if self.is_top_down {
            self.y..height
        } else {
            0..height - self.y
        };
        Ok(Pixels {
            pixels: self.pixels,
            lost: Some(Lost {
                rows: vec![rows],
                problem: format!("{}: {problem}", task.format),
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::{Decoded, Format, Limits, decode};

    const HEIGHT: usize = 22;

    /// A picture of 4 × 3 pixels with a header of this length and these runs. Colour 1 is red, 2 green, 3 blue.
    fn file(length: u32, (compression, bits): (u32, u16), data: &[u8]) -> Vec<u8> {
        let palette = [0, 0, 0, 0, 0, 0, 255, 0, 0, 255, 0, 0, 255, 0, 0, 0];
        let mut file = b"BM\0\0\0\0\0\0\0\0".to_vec();
        file.extend(
            [14 + length + 16, length, 4, 3]
                .map(u32::to_le_bytes)
                .concat(),
        );
        file.extend([1, bits].map(u16::to_le_bytes).concat());
        file.extend([compression, 0, 0, 0, 4].map(u32::to_le_bytes).concat());
        file.resize(14 + length as usize, 0);
        [&file, &palette[..], data].concat()
    }

    fn shown(file: &[u8]) -> Decoded {
        decode(file, &Limits::default()).unwrap()
    }

    /// The pixels from the top: `R`, `G`, `B`, `K` for black and `.` for white.
    fn rows(file: &[u8]) -> Vec<String> {
        let raster = shown(file).raster;
        let letter = |pixel: &Rgb<u8>| match pixel.0 {
            [255, 0, 0] => 'R',
            [0, 255, 0] => 'G',
            [0, 0, 255] => 'B',
            [0, 0, 0] => 'K',
            [255, 255, 255] => '.',
            other => panic!("{other:?}"),
        };
        let rows = raster.stored().rows();
        rows.map(|row| row.map(letter).collect()).collect()
    }

    #[test]
    fn runs_are_read_from_the_bottom_and_from_the_top() {
        let data = [4, 1, 0, 0, 0, 3, 1, 2, 3, 0, 1, 0, 0, 0, 2, 2, 0, 1];
        let mut bytes = file(40, (1, 8), &data);
        assert_eq!(rows(&bytes), ["GG..", "RGBK", "RRRR"]);
        bytes[HEIGHT..HEIGHT + 4].copy_from_slice(&(-3_i32).to_le_bytes());
        assert_eq!(rows(&bytes), ["RRRR", "RGBK", "GG.."]);
        let data = [4, 0x12, 0, 0, 0, 3, 0x12, 0x30, 1, 0, 0, 0, 0, 1];
        assert_eq!(rows(&file(40, (2, 4), &data)), ["....", "RGBK", "RGRG"]);
    }

    #[test]
    fn runs_of_os2_are_read() {
        let data = [4, 1, 0, 0, 2, 2, 2, 3, 0, 0, 4, 0, 0, 1];
        assert_eq!(rows(&file(64, (1, 8), &data)), ["KKKK", "GGBB", "RRRR"]);
        let data = [
            2, 0, 0, 255, 2, 0, 255, 0, 0, 0, 0, 3, 255, 0, 0, 0, 0, 0, 0, 0, 255, 0, 0, 1,
        ];
        let bytes = file(64, (4, 24), &data);
        assert_eq!(rows(&bytes), ["....", "BKR.", "RRGG"]);
        assert!(decode(&file(40, (4, 24), &data)[..], &Limits::default()).is_err());
    }

    #[test]
    fn what_a_run_has_too_much_is_left_out() {
        // A run of seven, a step to the right beyond the row, a colour that does not exist, and a fourth row.
        let data = [7, 1, 0, 0, 0, 2, 9, 0, 3, 2, 0, 0, 4, 9, 0, 0, 4, 3, 0, 1];
        assert_eq!(rows(&file(40, (1, 8), &data)), ["KKKK", "....", "RRRR"]);
        let cut = file(40, (1, 8), &[4, 1, 0, 0, 2, 2]);
        assert_eq!(rows(&cut), ["....", "GG..", "RRRR"]);
        assert_eq!(shown(&cut).lost.unwrap().rows, vec![0..2]);
        let empty = file(40, (1, 8), &[2, 1]);
        assert!(decode(&empty[..], &Limits::default()).is_err());
        assert_eq!(shown(&cut).format, Format::Bmp);
    }
}
