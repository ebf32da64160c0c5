//! Unpacks strips or tiles line by line: one of them may be the whole picture, of many bytes a pixel.

use std::ops::Range;

use image::RgbImage;

use super::pieces::{Layout, Packing, Place};
use super::samples::Converter;
use crate::error::{Skip, SkipReason};
use crate::imaging::limits::Task;
use crate::imaging::released::FileEnd;
use crate::imaging::tiff_structure::Directory;

/// Most strips or tiles of a picture, in all its planes. Even 250 megapixels in the smallest tiles have a million.
pub(super) const MOST_PIECES: usize = 1 << 22;

/// Bytes that are read at once of what is not packed.
const PART: usize = 1 << 20;

/// How a picture is unpacked; does not refer to the file, so that the file can be given back meanwhile.
pub struct Unpacked {
    layout: Layout,
    converter: Converter,
    packing: Packing,
    /// Where the pieces lie in the file, plane after plane.
    ranges: Vec<Range<usize>>,
}

impl Unpacked {
    pub(super) fn of(
        task: &Task<'_>,
        directory: &Directory<'_>,
        layout: Layout,
        compression: usize,
    ) -> Result<Self, Skip> {
        let converter = Converter::of(task, directory)?;
        let pieces = layout.pieces * converter.planes();
        if pieces > MOST_PIECES {
            let detail = format!("this {} has more than {MOST_PIECES} parts", task.format);
            return Err(Skip::new(SkipReason::TooLarge, detail));
        }
        let ranges = (0..pieces).map(|index| layout.range(task, directory, index));
        Ok(Self {
            ranges: ranges.collect::<Result<_, Skip>>()?,
            packing: Packing::of(directory, compression),
            layout,
            converter,
        })
    }

    /// Reads the picture; from the end of the file, which is given back piece by piece, if its pieces lie in their order.
    pub fn pixels(&self, task: &Task<'_>, mut file: FileEnd<'_>) -> Result<RgbImage, Skip> {
        let follow = |pair: &[Range<usize>]| pair[0].end <= pair[1].start;
        let is_ordered = self.converter.planes() == 1 && self.ranges.windows(2).all(follow);
        let mut pixels = RgbImage::new(self.layout.width, self.layout.height);
        for place in (0..self.layout.pieces)
            .rev()
            .map(|index| self.layout.place(index))
        {
            let rows = self.layout.rows_of(&place);
            let at_once = self.rows_at_once(rows);
            for first in (0..rows).step_by(at_once).rev() {
                let part = first..(first + at_once).min(rows);
                self.paste(task, file.bytes(), &place, part, &mut pixels)?;
                if is_ordered {
                    let above = self.converter.lines(first) * self.row_bytes();
                    file.keep(self.ranges[place.index].start + above);
                }
            }
        }
        Ok(pixels)
    }

    fn row_bytes(&self) -> usize {
        self.converter.row_bytes(self.layout.piece_width)
    }

    /// How many rows of a piece are read at once: of what is not packed, a multiple of those that may share a line of data.
    fn rows_at_once(&self, rows: usize) -> usize {
        if self.packing.is_none() && !self.layout.is_tiled {
            (PART / self.row_bytes().max(1))
                .next_multiple_of(4)
                .clamp(4, rows.max(4))
        } else {
            rows.max(1)
        }
    }

    /// Writes some rows of a piece at their place.
    fn paste(
        &self,
        task: &Task<'_>,
        bytes: &[u8],
        place: &Place,
        rows: Range<usize>,
        pixels: &mut RgbImage,
    ) -> Result<(), Skip> {
        let above = self.converter.lines(rows.start) * self.row_bytes();
        let length = self.converter.lines(rows.len()) * self.row_bytes();
        let planes = (0..self.converter.planes()).map(|plane| {
            let range = self.ranges[place.index + plane * self.layout.pieces].clone();
            // What lay behind these rows may have been given back.
            let data = bytes[range.start..range.end.min(bytes.len())].get(above..);
            let data =
                data.ok_or_else(|| task.damaged("its data end before the picture is complete"))?;
            self.packing
                .unpacking(task, data, length, self.layout.piece_width)
        });
        let mut planes = planes.collect::<Result<Vec<_>, Skip>>()?;
        let place = Place {
            y: place.y + rows.start as u32,
            ..*place
        };
        let size = (self.layout.piece_width, rows.len());
        self.converter
            .paste(task, &mut planes, &place, size, pixels)
    }
}
