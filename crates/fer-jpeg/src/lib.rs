//! Decodes JPEG at n/8 of its size, row of blocks by row, and any part of it again at any other size.
//!
//! A search for faces needs a reduced copy of a photo, and then a few small parts of it at full size. So a photo is
//! decoded once to the reduced copy, by an inverse transform to smaller blocks, and no full frame is ever made. Every
//! few blocks the decoder records its state; a part of the picture is decoded again from the nearest record. Of a
//! progressive photo, the coefficients are kept instead.
//!
//! Supported are eight-bit sequential and progressive pictures with Huffman codes, grey or with luma and two components
//! of chroma. The decoder is strict: a file that deviates from the standard is an [`Error`], and the caller can try a
//! more tolerant decoder. It contains no unsafe code.
#![forbid(unsafe_code)]
#![allow(
    clippy::inline_always,
    reason = "a loop is compiled for an instruction set only where it is inlined"
)]

mod bits;
mod coefficients;
mod colour;
mod error;
mod header;
mod huffman;
mod render;
mod sequential;
mod transform;
mod upsample;

pub use error::{Error, Result};

use bits::ScanData;
use coefficients::Coefficients;
use header::{Frame, Next, ScanHeader, Segments};
use render::{Renderer, render};
use sequential::Sequential;

/// Most scans of a picture; each costs a pass over all its blocks.
const MAX_SCANS: usize = 100;

/// What a pixel consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channels {
    /// Luma alone: one byte.
    Grey,
    /// Red, green and blue: three bytes.
    Colour,
}

impl Channels {
    /// Bytes of a pixel.
    pub const fn count(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::Colour => 3,
        }
    }
}

/// Pixels of a picture, or of a part of it, at n/8 of its size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pixels {
    /// The column of the first pixel, in the whole picture at this size.
    pub x: usize,
    /// The row of the first pixel.
    pub y: usize,
    /// Pixels in a row.
    pub width: usize,
    /// Number of rows.
    pub height: usize,
    /// What a pixel consists of.
    pub channels: Channels,
    /// The pixels row by row.
    pub data: Vec<u8>,
}

/// A rectangle of a picture at its full size, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    /// The first column.
    pub x: usize,
    /// The first row.
    pub y: usize,
    /// Number of columns.
    pub width: usize,
    /// Number of rows.
    pub height: usize,
}

/// A JPEG whose header was read.
pub struct Header<'a> {
    bytes: &'a [u8],
    segments: Segments<'a>,
    frame: Frame,
    scan: ScanHeader,
}

impl<'a> Header<'a> {
    /// Reads everything before the first scan.
    ///
    /// # Errors
    /// If the file is not a JPEG that this decoder supports.
    pub fn read(bytes: &'a [u8]) -> Result<Self> {
        let mut segments = Segments::new(bytes)?;
        match (segments.next()?, segments.frame.clone()) {
            (Next::Scan(scan), Some(frame)) => Ok(Self {
                bytes,
                segments,
                frame,
                scan,
            }),
            _ => Err(Error::Irregular("it has no picture")),
        }
    }

    /// Width and height in pixels.
    pub const fn size(&self) -> (usize, usize) {
        (self.frame.width, self.frame.height)
    }

    /// Whether decoding keeps the coefficients, two bytes for each sample.
    pub fn keeps_coefficients(&self) -> bool {
        self.frame.is_progressive || self.scan.components.len() < self.frame.components.len()
    }

    /// Decodes the picture at `eighths`/8 of its size. Calls `stop` after each row of MCUs; stops if it returns
    /// `true`.
    ///
    /// # Errors
    /// If the data are not a complete picture, or decoding was stopped.
    ///
    /// # Panics
    /// If `eighths` is not 1 to 8.
    pub fn decode(
        self,
        eighths: usize,
        channels: Channels,
        stop: &dyn Fn() -> bool,
    ) -> Result<(Picture, Pixels)> {
        let frame = self.frame.clone();
        let (columns, rows) = (0..frame.mcus.0, 0..frame.mcus.1);
        if self.keeps_coefficients() {
            let coefficients = self.coefficients(stop)?;
            let picture = Picture {
                frame,
                coded: CodedData::Coefficients(coefficients),
            };
            let renderer = Renderer::new(&picture.frame, eighths, channels, columns, rows);
            let pixels = picture.render(renderer);
            return Ok((picture, pixels));
        }
        let mut segments = self.segments;
        let (data, scan_end) = scan_data(self.bytes, &segments)?;
        let mut coded = Sequential::new(&frame, &segments.tables, &self.scan, data)?;
        segments.at = scan_end;
        if !matches!(segments.next()?, Next::End) {
            return Err(Error::Irregular("it has more scans than it needs"));
        }
        let mut renderer = Renderer::new(&frame, eighths, channels, columns, rows);
        coded.decode(&mut renderer, |renderer, row| {
            renderer.finish_row(row);
            if stop() { Err(Error::Stopped) } else { Ok(()) }
        })?;
        let picture = Picture {
            frame,
            coded: CodedData::Sequential(coded),
        };
        Ok((picture, renderer.into_pixels()))
    }

    fn coefficients(self, stop: &dyn Fn() -> bool) -> Result<Coefficients> {
        let Self {
            bytes,
            mut segments,
            frame,
            mut scan,
        } = self;
        let mut coefficients = Coefficients::new(&frame, &segments.tables)?;
        for _ in 0..MAX_SCANS {
            let (data, scan_end) = scan_data(bytes, &segments)?;
            coefficients.read(&frame, &segments.tables, &scan, &data, stop)?;
            segments.at = scan_end;
            match segments.next()? {
                Next::Scan(next) => scan = next,
                Next::End => {
                    coefficients.check_complete()?;
                    return Ok(coefficients);
                }
            }
        }
        Err(Error::Unsupported("so many scans"))
    }
}

/// The data of the scan at the position of the segments, and the offset of their end in the file.
fn scan_data(bytes: &[u8], segments: &Segments<'_>) -> Result<(ScanData, usize)> {
    let scan = bytes.get(segments.at..).unwrap_or_default();
    let (data, length) =
        ScanData::read(scan).ok_or(Error::Irregular("the end of a scan is missing"))?;
    Ok((data, segments.at + length))
}

/// A decoded picture, any part of which can be decoded again at any size.
#[derive(Debug)]
pub struct Picture {
    frame: Frame,
    coded: CodedData,
}

#[derive(Debug)]
enum CodedData {
    Sequential(Sequential),
    Coefficients(Coefficients),
}

impl Picture {
    /// Width and height in pixels.
    pub const fn size(&self) -> (usize, usize) {
        (self.frame.width, self.frame.height)
    }

    /// The pixels of an area at `eighths`/8 of the full size. The result covers the area, as far as it is inside the
    /// picture, extended to the edges of its blocks.
    ///
    /// # Panics
    /// If `eighths` is not 1 to 8, or no pixel of the picture is in the area.
    pub fn area(&self, area: Area, eighths: usize, channels: Channels) -> Pixels {
        let (width, height) = self.frame.mcu_size();
        // Interpolated chroma depends on a further pixel.
        let margin = usize::from(channels == Channels::Colour) * 2;
        let mcus = |from: usize, length: usize, mcu: usize, count: usize| {
            let first = from.saturating_sub(margin) / mcu;
            let end = (from + length + margin).div_ceil(mcu).min(count);
            assert!(first < end, "no pixel of the picture lies in the area");
            first..end
        };
        let columns = mcus(area.x, area.width, width, self.frame.mcus.0);
        let rows = mcus(area.y, area.height, height, self.frame.mcus.1);
        self.render(Renderer::new(&self.frame, eighths, channels, columns, rows))
    }

    /// The whole picture at `eighths`/8 of the full size.
    ///
    /// # Panics
    /// If `eighths` is not 1 to 8.
    pub fn whole(&self, eighths: usize, channels: Channels) -> Pixels {
        let (columns, rows) = (0..self.frame.mcus.0, 0..self.frame.mcus.1);
        self.render(Renderer::new(&self.frame, eighths, channels, columns, rows))
    }

    fn render(&self, renderer: Renderer) -> Pixels {
        render(renderer, |row, columns, renderer| match &self.coded {
            CodedData::Sequential(coded) => coded.decode_again(row, columns, renderer),
            CodedData::Coefficients(coded) => {
                coded.pass_blocks(row, columns, renderer);
                Ok(())
            }
        })
    }
}
