//! Decodes uncompressed BMP in parts of some rows, so that the file can be released meanwhile. Each part is given to
//! the `image` crate as a file of its own: the header of the whole file, with the height of the part, and its rows.

use std::borrow::Cow;
use std::ops::Range;

use image::{ImageFormat, RgbImage};

use super::common_formats;
use super::file_bytes::{ByteReader, FileBytes};
use super::limits::Task;
use crate::error::Skip;

/// Longest header that is repeated for each part, in bytes. Without a palette, headers are much shorter.
const MAX_HEADER: usize = 4096;

/// Length in bytes of the file header and of the oldest Windows header (`BITMAPINFOHEADER`).
const MIN_HEADER: usize = 14 + 40;

/// The bytes of the header that hold the height.
const HEIGHT: Range<usize> = 22..26;

/// Bytes of rows that are decoded at once.
const PART: usize = 1 << 20;

/// The position and format of the rows in the file.
pub struct Rows {
    /// All bytes before the rows.
    header: Vec<u8>,
    width: u32,
    height: u32,
    /// Bits per pixel.
    bits: u16,
    /// Bytes per row.
    stride: usize,
    /// Whether the first row of the file is the upper one.
    is_top_down: bool,
}

impl Rows {
    /// The rows of a file; `None` if they are compressed or have a palette, or if the file ends before the last one.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let number = |at: usize| {
            bytes
                .get(at..)?
                .first_chunk()
                .map(|&four| u32::from_le_bytes(four))
        };
        let start = usize::try_from(number(10)?).ok()?;
        // Shorter headers have other fields. If the rows would begin within the headers, the `image` crate decides
        // where they are.
        let headers = 14 + usize::try_from(number(14)?).ok()?;
        let is_usual = headers >= MIN_HEADER && (headers..=MAX_HEADER).contains(&start);
        is_usual.then_some(())?;
        let header = bytes.get(..start)?.to_vec();
        let width = number(18)?;
        let height = number(HEIGHT.start)?.cast_signed();
        let bits = number(28)? as u16;
        // Colour masks (compression 3) exist only for 16 and 32 bits per pixel.
        let is_direct = matches!((bits, number(30)?), (16 | 24 | 32, 0) | (16 | 32, 3));
        is_direct.then_some(())?;
        let stride = usize::try_from(width)
            .ok()?
            .checked_mul(usize::from(bits))?;
        let stride = 4 * stride.div_ceil(32);
        let rows = Self {
            header,
            width,
            height: height.unsigned_abs(),
            bits,
            stride,
            is_top_down: height < 0,
        };
        let end = start.checked_add(stride.checked_mul(rows.height as usize)?)?;
        // Some writers omit the padding of the last row to a multiple of four bytes.
        let filling = stride - (width as usize * usize::from(bits)).div_ceil(8);
        (stride > 0 && end - filling <= bytes.len()).then_some(rows)
    }

    /// Decodes the picture from the end of the file, whose bytes are released on the way.
    pub fn pixels(&self, task: &Task<'_>, mut file: FileBytes<'_>) -> Result<RgbImage, Skip> {
        task.check_size(self.width, self.height)?;
        let mut pixels = RgbImage::new(self.width, self.height);
        let row = 3 * self.width as usize;
        let at_once = (PART / self.stride).max(1) as u32;
        for first in (0..self.height).step_by(at_once as usize).rev() {
            task.check_time()?;
            let rows = first..(first + at_once).min(self.height);
            let part = self.part(task, file.bytes(), rows.clone())?;
            let top = if self.is_top_down {
                rows.start
            } else {
                self.height - rows.end
            };
            let start = row * top as usize;
            (*pixels)[start..start + part.len()].copy_from_slice(&part);
            file.keep(self.offset(first));
        }
        Ok(pixels)
    }

    /// The offset of a row in the file.
    fn offset(&self, row: u32) -> usize {
        self.header.len() + row as usize * self.stride
    }

    /// Converts rows of blue, green and red, the most common format, without the `image` crate. The lower rows come
    /// first unless the file is top-down.
    fn reordered(&self, data: &[u8], height: u32) -> RgbImage {
        let mut part = RgbImage::new(self.width, height);
        let lines = part.chunks_exact_mut(3 * self.width as usize);
        let reorder = |(to, from): (&mut [u8], &[u8])| {
            for (to, [blue, green, red]) in to.as_chunks_mut().0.iter_mut().zip(from.as_chunks().0)
            {
                *to = [*red, *green, *blue];
            }
        };
        let rows = data.chunks_exact(self.stride);
        if self.is_top_down {
            lines.zip(rows).for_each(reorder);
        } else {
            lines.zip(rows.rev()).for_each(reorder);
        }
        part
    }

    /// Decodes some rows of the file.
    fn part(&self, task: &Task<'_>, bytes: &[u8], rows: Range<u32>) -> Result<RgbImage, Skip> {
        let range = self.offset(rows.start)..self.offset(rows.end);
        let data = bytes.get(range.clone()).map_or_else(
            || {
                let mut data = bytes[range.start..].to_vec();
                data.resize(range.len(), 0);
                Cow::Owned(data)
            },
            Cow::Borrowed,
        );
        if self.bits == 24 {
            return Ok(self.reordered(&data, rows.len() as u32));
        }
        let mut part = [&self.header[..], &data].concat();
        let height = (rows.end - rows.start).cast_signed();
        let height = if self.is_top_down { -height } else { height };
        part[HEIGHT].copy_from_slice(&height.to_le_bytes());
        common_formats::pixels(task, ImageFormat::Bmp, ByteReader::of(&part))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::{Format, Limits};

    /// A file of this many bits a pixel, whose rows are numbered.
    fn file(bits: u16, width: i32, height: i32, masks: &[u32]) -> Vec<u8> {
        let start = 54 + 4 * masks.len() as u32;
        let mut file = b"BM\0\0\0\0\0\0\0\0".to_vec();
        file.extend([start, 40].map(u32::to_le_bytes).concat());
        file.extend([width, height].map(i32::to_le_bytes).concat());
        file.extend([1, bits].map(u16::to_le_bytes).concat());
        file.extend(u32::from(!masks.is_empty()).wrapping_mul(3).to_le_bytes());
        file.extend([0; 20]);
        file.extend(masks.iter().flat_map(|mask| mask.to_le_bytes()));
        let stride = 4 * (width as usize * usize::from(bits)).div_ceil(32);
        for row in 0..height.unsigned_abs() {
            file.extend((0..stride).map(|at| (7 * at) as u8 ^ (row / 3) as u8));
        }
        file
    }

    #[test]
    fn parts_are_what_the_whole_is() {
        let limits = Limits::default();
        for (bits, height, masks) in [
            (24, 2500, &[][..]),
            (24, -2500, &[]),
            (32, 2000, &[]),
            (16, 2500, &[]),
            (16, -2500, &[0xf800, 0x07e0, 0x001f]),
            (32, 2000, &[0xff, 0xff00, 0x00ff_0000]),
        ] {
            let bytes = file(bits, 301, height, masks);
            let task = Task::new(&bytes, Format::Bmp, &limits);
            let rows = Rows::of(&bytes).unwrap();
            assert!(
                rows.stride * rows.height as usize > PART,
                "it has several parts"
            );
            let file = ByteReader::of(&bytes);
            let whole = common_formats::pixels(&task, ImageFormat::Bmp, file).unwrap();
            for file in [Cow::Borrowed(&bytes[..]), Cow::Owned(bytes.clone())] {
                assert!(
                    rows.pixels(&task, FileBytes::of(file)).unwrap() == whole,
                    "{bits} {height}"
                );
            }
        }
    }

    #[test]
    fn other_files_are_left_to_the_decoder_of_all() {
        assert!(Rows::of(b"BM").is_none());
        let whole = file(24, 30, 20, &[]);
        assert!(Rows::of(&whole).is_some());
        // 30 pixels are 90 bytes, which two more fill up.
        assert!(
            Rows::of(&whole[..whole.len() - 2]).is_some(),
            "not filled up"
        );
        assert!(Rows::of(&whole[..whole.len() - 3]).is_none(), "cut short");
        assert!(Rows::of(&file(8, 30, 20, &[])).is_none(), "a palette");
        assert!(Rows::of(&file(24, 0, 20, &[])).is_none(), "no pixels");
        let mut within = whole.clone();
        within[10] = 20;
        assert!(Rows::of(&within).is_none(), "rows within the headers");
    }
}
