//! Decodes uncompressed BMP in parts of some rows, so that the file can be released meanwhile. Each part is given to
//! the `image` crate as a file of its own: the header of the whole file, with the height of the part, and its rows.

use std::borrow::Cow;
use std::ops::Range;

use image::{ImageFormat, RgbImage};

use super::bmp_header::{FILE_HEADER, Header, INFO_HEADER};
use super::bmp_runs::Runs;
use super::file_bytes::{ByteReader, FileBytes, Source};
use super::limits::Task;
use super::{Blocks, common_formats};
use crate::error::Skip;

/// Longest header that is repeated for each part, in bytes. Without a palette, headers are much shorter.
const MAX_HEADER: usize = 4096;

/// The bytes of the header that hold the height.
const HEIGHT: Range<usize> = 22..26;

/// The bytes of the header that hold the number of colours of the palette.
const COLOURS: Range<usize> = 46..50;

/// Bytes of rows that are decoded at once.
const PART: usize = 1 << 20;

/// The position and format of the rows in the file.
pub struct Rows {
    /// All bytes before the rows; of OS/2 a header of Windows with the same palette.
    header: Vec<u8>,
    /// The offset of the rows in the file.
    start: usize,
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
    /// The rows of a file; `None` if they are compressed or have a palette, or if the file ends before the last one. Those
    /// of OS/2 2.x may have a palette.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let stated = Header::of(bytes)?;
        let Header { width, bits, .. } = stated;
        let start = stated.rows;
        // Shorter headers have other fields. If the rows would begin within the headers, the `image` crate decides
        // where they are.
        let is_usual = (stated.end..=MAX_HEADER).contains(&start);
        // Colour masks (compression 3) exist only for 16 and 32 bits per pixel, and not in OS/2.
        let is_direct = match (stated.compression, bits) {
            (0, 1 | 4 | 8) => stated.is_of_os2,
            (0, 16 | 24 | 32) => true,
            (3, 16 | 32) => !stated.is_of_os2,
            _ => false,
        };
        (is_usual && is_direct).then_some(())?;
        let header = if stated.is_of_os2 {
            of_windows(bytes, &stated)?
        } else {
            bytes.get(..start)?.to_vec()
        };
        let stride = usize::try_from(width)
            .ok()?
            .checked_mul(usize::from(bits))?;
        let stride = 4 * stride.div_ceil(32);
        let rows = Self {
            header,
            start,
            width,
            height: stated.height,
            bits,
            stride,
            is_top_down: stated.is_top_down,
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
        self.start + row as usize * self.stride
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

/// Checks the size of the picture.
pub(super) fn blocks(task: &Task<'_>) -> Result<Blocks, Skip> {
    if let Some(runs) = Runs::of(task.bytes) {
        runs.check_size(task)?;
    } else if let Some(rows) = Rows::of(task.bytes) {
        task.check_size(rows.width, rows.height)?;
    } else if let Some(header) = Header::of(task.bytes).filter(|header| header.is_of_os2) {
        return Err(match header.compression {
            0 => task.damaged("its data end before the picture is complete"),
            _ => task.unsupported("this compression of OS/2"),
        });
    } else {
        return common_formats::blocks(task, ImageFormat::Bmp);
    }
    Ok(Blocks::default())
}

/// Decodes the picture, or returns how to decode it.
pub(super) fn source(task: &Task<'_>) -> Result<Source, Skip> {
    if let Some(runs) = Runs::of(task.bytes) {
        return runs.pixels(task).map(Source::Pixels);
    }
    Ok(Rows::of(task.bytes).map_or(Source::Unread, Source::Bmp))
}

/// The headers that a file of OS/2 would have in Windows.
fn of_windows(bytes: &[u8], stated: &Header) -> Option<Vec<u8>> {
    let palette = match stated.bits {
        1 | 4 | 8 => stated.palette(bytes),
        _ => &[],
    };
    let length = (FILE_HEADER + INFO_HEADER + palette.len()) as u32;
    let mut header = bytes
        .get(..stated.end.min(FILE_HEADER + INFO_HEADER))?
        .to_vec();
    header.resize(FILE_HEADER + INFO_HEADER, 0);
    header[10..14].copy_from_slice(&length.to_le_bytes());
    header[FILE_HEADER..FILE_HEADER + 4].copy_from_slice(&(INFO_HEADER as u32).to_le_bytes());
    header[COLOURS].copy_from_slice(&(palette.len() as u32 / 4).to_le_bytes());
    header.extend(palette);
    Some(header)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::SkipReason;
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
    fn files_of_os2_show_what_those_of_windows_do() {
        let limits = Limits::default();
        for (bits, colours) in [(1, 2), (4, 16), (8, 256), (8, 100), (24, 0)] {
            let mut windows = file(bits, 30, 20, &[]);
            let palette: Vec<u8> = (0..4 * colours).map(|at| (at * 5) as u8 & 0xfc).collect();
            windows.splice(54..54, palette);
            windows[10..14].copy_from_slice(&(54 + 4 * colours as u32).to_le_bytes());
            windows[COLOURS].copy_from_slice(&(colours as u32).to_le_bytes());
            let whole = crate::imaging::decode(&windows[..], &limits).unwrap();
            for length in [64_u32, 16] {
                if length == 16 && colours == 100 {
                    continue; // This header does not say how many colours there are.
                }
                let mut os2 = windows.clone();
                os2.splice(54..54, [0; 24]);
                os2.drain(14 + length as usize..14 + 64);
                os2[14..18].copy_from_slice(&length.to_le_bytes());
                let start = 14 + length + 4 * colours as u32;
                os2[10..14].copy_from_slice(&start.to_le_bytes());
                let shown = crate::imaging::decode(&os2[..], &limits).unwrap();
                assert_eq!(
                    shown.raster.stored(),
                    whole.raster.stored(),
                    "{bits} {length}"
                );
                assert!(crate::imaging::facts(&os2, &limits).is_ok());
                let cut = crate::imaging::decode(&os2[..os2.len() / 2], &limits);
                assert_eq!(cut.unwrap_err().reason, SkipReason::Damaged);
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
