//! Unpacks strips or tiles line by line: one of them may be the whole picture, with many bytes per pixel.

use std::io::Read;
use std::ops::Range;

use image::RgbImage;

use super::fax::MAX_WIDTH;
use super::pieces::{Layout, Packing, Place};
use super::samples::Converter;
use crate::error::{Skip, SkipReason};
use crate::imaging::file_bytes::{ByteReader, FileBytes};
use crate::imaging::limits::Task;
use crate::imaging::tiff_structure::Directory;

/// Most strips or tiles of a picture, in all its planes. Even 250 megapixels in the smallest tiles have a million.
pub(super) const MAX_PIECES: usize = 1 << 22;

/// Bytes of uncompressed data that are read at once.
const PART: usize = 1 << 20;

/// Least length in bytes of a packed piece whose memory is released while it is read.
const LONG: usize = 4 << 20;

/// How a picture is unpacked. Does not borrow the file, so that its memory can be released meanwhile.
pub struct Unpacked {
    layout: Layout,
    converter: Converter,
    packing: Packing,
    /// The positions of the pieces in the file, plane after plane.
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
        let packing = Packing::of(directory, compression);
        if packing.is_fax() && !converter.is_bits() {
            return Err(task.unsupported("fax of more than one bit a pixel"));
        }
        if packing.is_fax() && layout.piece_width > MAX_WIDTH {
            return Err(task.unsupported(format!("fax of more than {MAX_WIDTH} pixels a line")));
        }
        let pieces = layout.pieces * converter.planes();
        if pieces > MAX_PIECES {
            let detail = format!("this {} has more than {MAX_PIECES} parts", task.format);
            return Err(Skip::new(SkipReason::TooLarge, detail));
        }
        let ranges = (0..pieces).map(|index| layout.range(task, directory, index));
        Ok(Self {
            ranges: ranges.collect::<Result<_, Skip>>()?,
            packing,
            layout,
            converter,
        })
    }

    /// Decodes the picture from the end of the file, whose memory is released piece by piece, and within long packed
    /// pieces. If the pieces are not in the order of the picture, or planes overlap in the file, nothing is released.
    pub fn pixels(&self, task: &Task<'_>, file: FileBytes<'_>) -> Result<RgbImage, Skip> {
        let mut parts = self.parts(file);
        let mut pixels = RgbImage::new(self.layout.width, self.layout.height);
        for place in (0..self.layout.pieces)
            .rev()
            .map(|index| self.layout.place(index))
        {
            let rows = self.layout.rows_of(&place);
            let at_once = self.rows_at_once(rows);
            for first in (0..rows).step_by(at_once).rev() {
                let part = first..(first + at_once).min(rows);
                self.paste(task, &mut parts, &place, part, &mut pixels)?;
                let above = self.converter.lines(first) * self.row_bytes();
                for (plane, part) in parts.iter_mut().enumerate() {
                    if part.is_ordered {
                        let range = self.range(&place, plane);
                        part.file.keep(range.start + above - part.start);
                    }
                }
            }
        }
        Ok(pixels)
    }

    /// The part of the file that contains each plane, or the whole file for all planes if their pieces are not in
    /// order.
    fn parts<'a>(&self, file: FileBytes<'a>) -> Vec<Part<'a>> {
        let follow = |pair: &[Range<usize>]| pair[0].end <= pair[1].start;
        let whole = |file, is_ordered| {
            Vec::from([Part {
                file,
                start: 0,
                is_ordered,
            }])
        };
        let planes: Vec<_> = self.ranges.chunks(self.layout.pieces).collect();
        let is_ordered = planes.iter().all(|ranges| ranges.windows(2).all(follow));
        if let [_] = planes[..] {
            return whole(file, is_ordered);
        }
        let mut spans: Vec<_> = planes
            .iter()
            .map(|ranges| ranges[0].start..ranges[ranges.len() - 1].end)
            .enumerate()
            .collect();
        spans.sort_by_key(|(_, span)| span.start);
        let are_apart = spans
            .windows(2)
            .all(|pair| pair[0].1.end <= pair[1].1.start);
        if !is_ordered || !are_apart {
            return whole(file, false);
        }
        let (mut rest, mut parts) = (file, Vec::new());
        for (plane, span) in spans.into_iter().rev() {
            let (before, file) = rest.split_at(span.start);
            rest = before;
            let part = Part {
                file,
                start: span.start,
                is_ordered: true,
            };
            parts.push((plane, part));
        }
        parts.sort_by_key(|(plane, _)| *plane);
        parts.into_iter().map(|(_, part)| part).collect()
    }

    /// The position of a piece of a plane in the file.
    fn range(&self, place: &Place, plane: usize) -> Range<usize> {
        self.ranges[place.index + plane * self.layout.pieces].clone()
    }

    fn row_bytes(&self) -> usize {
        self.converter.row_bytes(self.layout.piece_width)
    }

    /// How many rows of a piece are read at once; of uncompressed data, a multiple of the rows that share a line of
    /// data.
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
        parts: &mut [Part<'_>],
        place: &Place,
        rows: Range<usize>,
        pixels: &mut RgbImage,
    ) -> Result<(), Skip> {
        let above = self.converter.lines(rows.start) * self.row_bytes();
        let length = self.converter.lines(rows.len()) * self.row_bytes();
        let is_packed = !self.packing.is_none();
        let ranges = (0..self.converter.planes()).map(|plane| self.range(place, plane));
        let planes: Result<Vec<_>, Skip> = match parts {
            [all] if self.converter.planes() > 1 => ranges
                .map(|range| self.unpacking(task, all.data(range, above), length))
                .collect(),
            parts => parts
                .iter_mut()
                .zip(ranges)
                .map(|(part, range)| {
                    let data = if is_packed && part.is_ordered && range.len() >= LONG {
                        let range = range.start - part.start..range.end - part.start;
                        Some(part.file.reader(range))
                    } else {
                        part.data(range, above)
                    };
                    self.unpacking(task, data, length)
                })
                .collect(),
        };
        let mut planes = planes?;
        let place = Place {
            y: place.y + rows.start as u32,
            ..*place
        };
        let size = (self.layout.piece_width, rows.len());
        self.converter
            .paste(task, &mut planes, &place, size, pixels)
    }

    /// Unpacks the data of a piece, of which `length` bytes are wanted.
    fn unpacking<'a>(
        &self,
        task: &Task<'_>,
        data: Option<ByteReader<'a>>,
        length: usize,
    ) -> Result<Box<dyn Read + 'a>, Skip> {
        let data =
            data.ok_or_else(|| task.damaged("its data end before the picture is complete"))?;
        self.packing
            .unpacking(task, data, length, self.layout.piece_width)
    }
}

/// A file, or the part of it that contains a plane.
struct Part<'a> {
    file: FileBytes<'a>,
    /// Its offset in the file.
    start: usize,
    /// Whether its pieces are in order, so that data after a piece that has been read are not needed.
    is_ordered: bool,
}

impl Part<'_> {
    /// The data of a piece after its first `above` bytes, as far as they have not been released.
    fn data(&self, range: Range<usize>, above: usize) -> Option<ByteReader<'_>> {
        let bytes = self.file.bytes();
        let end = (range.end - self.start).min(bytes.len());
        let data = bytes.get(range.start - self.start..end)?.get(above..)?;
        Some(ByteReader::of(data))
    }
}
