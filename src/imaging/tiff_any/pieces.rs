//! The strips and tiles of a picture: where they lie, and how their data are unpacked.

use std::io::Read;

use fax::Color;
use fax::decoder::{DecodeStatus, Group3Decoder, decode_g4, pels};
use weezl::decode::Configuration;
use weezl::{BitOrder, LzwStatus};

use super::tag;
use crate::error::Skip;
use crate::imaging::limits::Task;
use crate::imaging::tiff_structure::Directory;

/// How a picture is divided into strips or tiles.
pub(super) struct Layout {
    pub width: u32,
    pub height: u32,
    pub piece_width: usize,
    piece_height: usize,
    across: usize,
    is_tiled: bool,
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
        (0..self.pieces).map(|index| Place {
            index,
            x: (index % self.across * self.piece_width) as u32,
            y: (index / self.across * self.piece_height) as u32,
        })
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
        let (offsets, lengths) = if self.is_tiled {
            (tag::TILE_OFFSETS, tag::TILE_LENGTHS)
        } else {
            (tag::STRIP_OFFSETS, tag::STRIP_LENGTHS)
        };
        let number = |tag| directory.number_of(directory.find(tag)?, index);
        let offset = number(offsets).ok_or_else(|| task.damaged("a part of it is missing"))?;
        let rest = task.bytes.get(offset..).unwrap_or_default();
        let data = match number(lengths) {
            Some(length) => rest.get(..length),
            // Some scanners write no lengths for a single strip.
            None if self.pieces == 1 => Some(rest),
            None => None,
        };
        data.ok_or_else(|| task.damaged("its data end before the picture is complete"))
    }
}

/// Unpacks the data of a piece into `length` bytes.
pub(super) fn unpacked(
    task: &Task<'_>,
    directory: &Directory<'_>,
    compression: usize,
    data: &[u8],
    length: usize,
    width: usize,
) -> Result<Vec<u8>, Skip> {
    let reversed;
    let data = if directory.number(tag::FILL_ORDER) == Some(2) && compression <= 4 {
        reversed = data
            .iter()
            .map(|byte| byte.reverse_bits())
            .collect::<Vec<_>>();
        &reversed
    } else {
        data
    };
    let mut bytes = match compression {
        1 => data.to_vec(),
        3 if directory.number(tag::FAX_OPTIONS).unwrap_or(0) & 1 == 0 => {
            group_3(data, width, length)
        }
        4 => group_4(data, width, length),
        5 => lzw(data, length),
        8 | 32_946 => {
            let mut bytes = Vec::new();
            let inflated = flate2::read::ZlibDecoder::new(data).take(length as u64);
            // What was unpacked before a fault is counted below.
            let _ = { inflated }.read_to_end(&mut bytes);
            bytes
        }
        32_773 => pack_bits(data, length),
        2 => return Err(task.unsupported("CCITT run-length coding")),
        3 => return Err(task.unsupported("CCITT group 3 in two dimensions")),
        other => return Err(task.unsupported(format!("compression {other}"))),
    };
    if bytes.len() < length {
        return Err(task.damaged("its data end before the picture is complete"));
    }
    bytes.truncate(length);
    Ok(bytes)
}

/// LZW, also as some programs wrote it before TIFF 6.0, with the bits of a code in the other order.
fn lzw(data: &[u8], length: usize) -> Vec<u8> {
    let mut decoder = if data.starts_with(&[0, 1]) {
        Configuration::new(BitOrder::Lsb, 8).build()
    } else {
        Configuration::with_tiff_size_switch(BitOrder::Msb, 8).build()
    };
    let (mut bytes, mut read, mut written) = (vec![0; length], 0, 0);
    while written < length {
        let result = decoder.decode_bytes(&data[read..], &mut bytes[written..]);
        read += result.consumed_in;
        written += result.consumed_out;
        if !matches!(result.status, Ok(LzwStatus::Ok)) {
            break;
        }
    }
    bytes.truncate(written);
    bytes
}

/// Runs of equal bytes, and runs of others.
fn pack_bits(data: &[u8], length: usize) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), data);
    while bytes.len() < length
        && let Some((&head, after)) = rest.split_first()
    {
        rest = after;
        match head.cast_signed() {
            -128 => {}
            head @ ..0 => {
                let Some((&byte, after)) = rest.split_first() else {
                    break;
                };
                bytes.resize(bytes.len() + 1 + usize::from(head.unsigned_abs()), byte);
                rest = after;
            }
            head => {
                let (run, after) = rest.split_at(rest.len().min(1 + head as usize));
                bytes.extend_from_slice(run);
                rest = after;
            }
        }
    }
    bytes
}

/// Fax in two dimensions (T.6). Lines that end the picture early are white.
fn group_4(data: &[u8], width: usize, length: usize) -> Vec<u8> {
    let (Ok(wide), Some(lines)) = (u16::try_from(width), length.checked_div(width.div_ceil(8)))
    else {
        return Vec::new();
    };
    let mut bytes = Vec::new();
    let complete = u16::try_from(lines).ok().and_then(|lines| {
        decode_g4(data.iter().copied(), wide, Some(lines), |line| {
            put_line(line, wide, &mut bytes);
        })
    });
    if complete.is_none() && bytes.len() < length / 2 {
        bytes.clear();
    }
    bytes
}

/// Fax in one dimension (T.4), each line behind an end-of-line code.
fn group_3(data: &[u8], width: usize, length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let Ok(wide) = u16::try_from(width) else {
        return bytes;
    };
    let reader = data
        .iter()
        .map(|&byte| Ok::<u8, std::convert::Infallible>(byte));
    let Ok(mut decoder) = Group3Decoder::new(reader) else {
        return bytes;
    };
    while bytes.len() < length {
        let advanced = decoder.advance();
        let is_last = !matches!(advanced, Ok(DecodeStatus::Incomplete));
        if advanced.is_ok() || !decoder.transitions().is_empty() {
            put_line(decoder.transitions(), wide, &mut bytes);
        }
        if is_last {
            break;
        }
    }
    bytes
}

/// Adds a line of a fax, in which a set bit is black.
fn put_line(transitions: &[u16], width: u16, bytes: &mut Vec<u8>) {
    let (mut byte, mut bits) = (0, 0);
    for colour in pels(transitions, width) {
        byte = byte << 1 | u8::from(colour == Color::Black);
        bits += 1;
        if bits == 8 {
            bytes.push(byte);
            (byte, bits) = (0, 0);
        }
    }
    if bits > 0 {
        bytes.push(byte << (8 - bits));
    }
}
