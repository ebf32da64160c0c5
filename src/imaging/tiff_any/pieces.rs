//! The strips and tiles of a picture (its pieces): their positions, and how their data are decompressed.

use std::io::{self, BufRead, Cursor, Read};
use std::ops::Range;

use lzma_rust2::XzReader;
use ruzstd::decoding::errors::FrameDecoderError;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};
use weezl::decode::Configuration;
use weezl::{BitOrder, LzwStatus};

use super::fax::{self, Coding};
use super::{tag, webp};
use crate::error::{Skip, SkipReason};
use crate::imaging::file_bytes::ByteReader;
use crate::imaging::limits::Task;
use crate::imaging::tiff_structure::Directory;

/// How a picture is divided into strips or tiles.
pub(super) struct Layout {
    pub width: u32,
    pub height: u32,
    pub piece_width: usize,
    piece_height: usize,
    across: usize,
    pub is_tiled: bool,
    /// Number of pieces of one plane.
    pub pieces: usize,
}

/// A strip or tile in the picture.
pub(super) struct Place {
    pub index: usize,
    pub x: u32,
    pub y: u32,
}

impl Layout {
    pub fn of(task: &Task<'_>, directory: &Directory<'_>) -> Result<Self, Skip> {
        let side = |tag| {
            directory
                .number(tag)
                .and_then(|side| u32::try_from(side).ok())
        };
        let (width, height) = (
            side(tag::WIDTH).unwrap_or_default(),
            side(tag::HEIGHT).unwrap_or_default(),
        );
        task.check_size(width, height)?;
        let is_tiled = directory.find(tag::TILE_OFFSETS).is_some();
        let (piece_width, piece_height) = if is_tiled {
            let sides = (side(tag::TILE_WIDTH), side(tag::TILE_HEIGHT));
            let (Some(wide @ 1..), Some(high @ 1..)) = sides else {
                return Err(task.damaged("its tiles have no size"));
            };
            task.check_size(wide, high)?;
            (wide, high)
        } else {
            let rows = side(tag::ROWS_PER_STRIP).unwrap_or(height);
            (width, rows.clamp(1, height))
        };
        let across = width.div_ceil(piece_width) as usize;
        let down = height.div_ceil(piece_height) as usize;
        Ok(Self {
            width,
            height,
            piece_width: piece_width as usize,
            piece_height: piece_height as usize,
            across,
            is_tiled,
            pieces: across * down,
        })
    }

    /// The places of the pieces of one plane.
    pub fn places(&self) -> impl Iterator<Item = Place> {
        (0..self.pieces).map(|index| self.place(index))
    }

    /// The place of a piece.
    pub fn place(&self, index: usize) -> Place {
        Place {
            index,
            x: (index % self.across * self.piece_width) as u32,
            y: (index / self.across * self.piece_height) as u32,
        }
    }

    /// The number of rows that the data of a piece have. Tiles are whole, the last strip may be cut.
    pub fn rows_of(&self, place: &Place) -> usize {
        if self.is_tiled {
            self.piece_height
        } else {
            self.piece_height.min((self.height - place.y) as usize)
        }
    }

    /// The packed data of a piece.
    pub fn data<'a>(
        &self,
        task: &Task<'a>,
        directory: &Directory<'_>,
        index: usize,
    ) -> Result<&'a [u8], Skip> {
        Ok(&task.bytes[self.range(task, directory, index)?])
    }

    /// The position of the packed data of a piece in the file.
    pub fn range(
        &self,
        task: &Task<'_>,
        directory: &Directory<'_>,
        index: usize,
    ) -> Result<Range<usize>, Skip> {
        let (offsets, lengths) = if self.is_tiled {
            (tag::TILE_OFFSETS, tag::TILE_LENGTHS)
        } else {
            (tag::STRIP_OFFSETS, tag::STRIP_LENGTHS)
        };
        let number = |tag| directory.number_of(directory.find(tag)?, index);
        let offset = number(offsets).ok_or_else(|| task.damaged("a part of it is missing"))?;
        let offset = offset.min(task.bytes.len());
        let end = match number(lengths) {
            Some(length) => offset.checked_add(length),
            // Some scanners write no lengths for a single strip.
            None if self.pieces == 1 => Some(task.bytes.len()),
            None => None,
        };
        end.filter(|&end| end <= task.bytes.len())
            .map(|end| offset..end)
            .ok_or_else(|| task.damaged("its data end before the picture is complete"))
    }
}

/// How the pieces of a picture are packed.
#[derive(Clone, Copy)]
pub(super) struct Packing {
    compression: usize,
    /// Whether the first pixel is in the lowest bit of each byte (`FillOrder` 2).
    is_reversed: bool,
    fax_options: usize,
    /// How many pieces are unpacked at the same time: one of each plane.
    at_once: u32,
}

impl Packing {
    pub fn of(directory: &Directory<'_>, compression: usize) -> Self {
        Self {
            compression,
            is_reversed: directory.number(tag::FILL_ORDER) == Some(2),
            fax_options: directory.number(tag::FAX_OPTIONS).unwrap_or(0),
            at_once: match directory.number(tag::PLANAR) {
                Some(2) => directory.number(tag::SAMPLES).unwrap_or(1).clamp(1, 16) as u32,
                _ => 1,
            },
        }
    }

    /// Whether the data are uncompressed samples.
    pub fn is_none(self) -> bool {
        self.compression == 1 && !self.is_reversed
    }

    /// Whether the data can only be bits, one sample a pixel.
    pub fn is_fax(self) -> bool {
        matches!(self.compression, 2..=4)
    }

    /// Unpacks the data of a piece of this width, of which `length` bytes are wanted.
    pub fn unpacking<'a>(
        self,
        task: &Task<'_>,
        mut data: ByteReader<'a>,
        length: usize,
        width: usize,
    ) -> Result<Box<dyn Read + 'a>, Skip> {
        if self.is_reversed {
            let reversed = data.peek(usize::MAX).iter().map(|byte| byte.reverse_bits());
            let reversed: Vec<u8> = reversed.collect();
            return self.unpacked(task, Cursor::new(reversed), length, width);
        }
        self.unpacked(task, data, length, width)
    }

    /// Unpacks data whose first pixel is in the highest bit.
    fn unpacked<'a>(
        self,
        task: &Task<'_>,
        mut data: impl BufRead + 'a,
        length: usize,
        width: usize,
    ) -> Result<Box<dyn Read + 'a>, Skip> {
        let mut fax = |coding: Coding| {
            let mut bytes = Vec::new();
            data.read_to_end(&mut bytes)
                .map_err(|error| task.damaged(error))?;
            let lines = fax::unpacked(coding, &bytes, (width, length), &|| {
                task.deadline.has_passed()
            });
            Ok(Box::new(Cursor::new(lines)))
        };
        Ok(match self.compression {
            1 => Box::new(data),
            5 => Box::new(Lzw::new(data)),
            8 | 32_946 => Box::new(flate2::bufread::ZlibDecoder::new(data)),
            32_773 => Box::new(PackBits {
                data,
                literal: 0,
                repeated: (0, 0),
            }),
            2 => fax(Coding::Runs)?,
            3 => fax(Coding::Group3(self.fax_options & 1 != 0))?,
            4 => fax(Coding::Group4)?,
            34_925 => {
                let most = (MAX_WINDOW / self.at_once) >> 10;
                Box::new(XzReader::new_mem_limit(data, false, most))
            }
            50_000 => zstandard(task, data, MAX_WINDOW / self.at_once)?,
            50_001 => {
                let mut bytes = Vec::new();
                data.read_to_end(&mut bytes)
                    .map_err(|error| task.damaged(error))?;
                Box::new(Cursor::new(webp::unpacked(task, &bytes, width, length)?))
            }
            other => return Err(task.unsupported(format!("compression {other}"))),
        })
    }
}

/// Most bytes that LZMA and Zstandard may refer back by, in all planes. Memory is taken only for those that have been unpacked.
const MAX_WINDOW: u32 = 128 << 20;

/// Zstandard (RFC 8878), one frame that may refer back by `most` bytes.
fn zstandard<'a>(
    task: &Task<'_>,
    data: impl Read + 'a,
    most: u32,
) -> Result<Box<dyn Read + 'a>, Skip> {
    let mut decoder = FrameDecoder::new();
    decoder.set_max_window_size(most.into());
    match StreamingDecoder::new_with_decoder(data, decoder) {
        Ok(decoder) => Ok(Box::new(decoder)),
        Err(FrameDecoderError::WindowSizeTooBig { .. }) => {
            let detail = format!("this {} takes more memory than allowed", task.format);
            Err(Skip::new(SkipReason::TooLarge, detail))
        }
        Err(error) => Err(task.damaged(error)),
    }
}

/// LZW, also as some programs wrote it before TIFF 6.0, with the bits of a code in the other order.
struct Lzw<R> {
    decoder: weezl::decode::Decoder,
    data: R,
    is_over: bool,
}

impl<R: BufRead> Lzw<R> {
    fn new(mut data: R) -> Self {
        // A read error occurs again, and is reported, when the data are unpacked.
        let start = data.fill_buf().unwrap_or_default();
        let decoder = if start.starts_with(&[0, 1]) {
            Configuration::new(BitOrder::Lsb, 8).build()
        } else {
            Configuration::with_tiff_size_switch(BitOrder::Msb, 8).build()
        };
        Self {
            decoder,
            data,
            is_over: false,
        }
    }
}

impl<R: BufRead> Read for Lzw<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.is_over {
            let result = self.decoder.decode_bytes(self.data.fill_buf()?, buffer);
            self.data.consume(result.consumed_in);
            self.is_over = !matches!(result.status, Ok(LzwStatus::Ok));
            if result.consumed_out > 0 {
                return Ok(result.consumed_out);
            }
        }
        Ok(0)
    }
}

/// `PackBits` (TIFF 6.0, section 9): runs of equal bytes, and runs of literal ones.
struct PackBits<R> {
    data: R,
    /// How many literal bytes follow.
    literal: usize,
    /// How many copies of which byte follow.
    repeated: (usize, u8),
}

impl<R: BufRead> PackBits<R> {
    /// The next byte, if there is one.
    fn byte(&mut self) -> io::Result<Option<u8>> {
        let byte = self.data.fill_buf()?.first().copied();
        self.data.consume(byte.map_or(0, |_| 1));
        Ok(byte)
    }
}

impl<R: BufRead> Read for PackBits<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.literal == 0 && self.repeated.0 == 0 {
            let Some(head) = self.byte()? else {
                return Ok(0);
            };
            match head.cast_signed() {
                -128 => {}
                head @ ..0 => {
                    let Some(byte) = self.byte()? else {
                        return Ok(0);
                    };
                    self.repeated = (1 + usize::from(head.unsigned_abs()), byte);
                }
                head => self.literal = 1 + head as usize,
            }
        }
        if self.literal > 0 {
            let wanted = self.literal.min(buffer.len());
            let number = self.data.read(&mut buffer[..wanted])?;
            self.literal -= number;
            return Ok(number);
        }
        let (left, byte) = self.repeated;
        let number = left.min(buffer.len());
        buffer[..number].fill(byte);
        self.repeated.0 -= number;
        Ok(number)
    }
}
