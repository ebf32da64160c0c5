//! The planes of an AV1 key frame, decoded with rav1d, which is built without assembly.

use std::ops::Range;

use fer_nn::av1::{Component, Error, Frame as Decoded, PixelLayout};
use heic_rs::ChromaFormat;
use heic_rs::hevc::{Frame, Rows};
use heic_rs::{MatrixCoefficients, Nclx, Range as SampleRange};

/// Rows of a picture that are copied at once.
const ROWS_AT_ONCE: u32 = 64;

/// The planes; the index is the plane's number in this module.
const COMPONENTS: [Component; 3] = [Component::Y, Component::U, Component::V];

/// Rows above and below the copied ones that are needed to interpolate the colours at their edges.
const CONTEXT_ROWS: u32 = 2;

/// A decoded frame.
pub(super) struct Planes {
    frame: Decoded,
    width: u32,
    height: u32,
    bit_depth: u8,
    chroma: ChromaFormat,
    /// The frame's own description of its colours, for a container without one.
    pub(super) nclx: Nclx,
}

/// Decodes the first frame of an item.
///
/// # Errors
/// rav1d's error; also if the frame has more than `max_pixels`, or there is no frame.
pub(super) fn decode(item: Vec<u8>, max_pixels: u64) -> Result<Planes, Error> {
    let frame = Decoded::decode(item, max_pixels)?;
    Ok(Planes {
        width: frame.width(),
        height: frame.height(),
        bit_depth: frame.bit_depth() as u8,
        chroma: match frame.layout() {
            PixelLayout::I400 => ChromaFormat::Monochrome,
            PixelLayout::I420 => ChromaFormat::Yuv420,
            PixelLayout::I422 => ChromaFormat::Yuv422,
            PixelLayout::I444 => ChromaFormat::Yuv444,
        },
        nclx: nclx(&frame),
        frame,
    })
}

impl Planes {
    /// Passes the rows of the picture to `sink` from the bottom up, and releases the memory of those that were passed.
    ///
    /// # Errors
    /// Those of `sink`.
    pub(super) fn rows<E>(
        mut self,
        mut sink: impl FnMut(&Rows<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let height = self.height;
        for start in (0..height).step_by(ROWS_AT_ONCE as usize).rev() {
            let end = (start + ROWS_AT_ONCE).min(height);
            let top = start.saturating_sub(CONTEXT_ROWS);
            let frame = self.part(top, (end + CONTEXT_ROWS).min(height));
            sink(&Rows {
                frame: &frame,
                top,
                new: start - top..end - top,
                height,
            })?;
            self.keep(start + CONTEXT_ROWS);
        }
        Ok(())
    }

    /// Keeps the upper `rows` rows, and releases the memory of the others.
    fn keep(&mut self, rows: u32) {
        for (plane, component) in COMPONENTS.into_iter().enumerate() {
            if self.line(plane) > 0 {
                let lines = self.lines(plane, rows);
                self.frame.release(component, lines);
            }
        }
    }

    /// The number of lines of a plane that belong to `rows` rows of the picture.
    fn lines(&self, plane: usize, rows: u32) -> usize {
        match plane {
            0 => rows as usize,
            _ => self.chroma.chroma_size(self.width, rows).1 as usize,
        }
    }

    /// The length of a line of a plane in bytes.
    fn line(&self, plane: usize) -> usize {
        let samples = match plane {
            0 => self.width,
            _ => self.chroma.chroma_size(self.width, self.height).0,
        };
        samples as usize * if self.bit_depth == 8 { 1 } else { 2 }
    }

    /// Copies rows of the picture, one sample per `u16`. `top` is even, since two rows may share a line of colours.
    fn part(&self, top: u32, end: u32) -> Frame {
        let (width, height) = (self.width, end - top);
        let (chroma_width, chroma_height) = self.chroma.chroma_size(width, height);
        let chroma_top = top >> self.chroma.y_shift();
        let chroma = chroma_top as usize..(chroma_top + chroma_height) as usize;
        Frame {
            width,
            height,
            bit_depth: self.bit_depth,
            chroma: self.chroma,
            y: self.samples_of(0, top as usize..end as usize),
            cb: self.samples_of(1, chroma.clone()),
            cr: self.samples_of(2, chroma),
            y_stride: width,
            c_stride: chroma_width,
        }
    }

    /// The samples of some lines of a plane.
    fn samples_of(&self, plane: usize, lines: Range<usize>) -> Vec<u16> {
        let line = self.line(plane);
        if line == 0 {
            return Vec::new();
        }
        let stride = self.frame.stride(COMPONENTS[plane]);
        let mut samples = Vec::with_capacity(line * lines.len());
        for row in self
            .frame
            .lines(COMPONENTS[plane])
            .chunks_exact(stride)
            .skip(lines.start)
            .take(lines.len())
        {
            if self.bit_depth == 8 {
                samples.extend(row[..line].iter().map(|&sample| u16::from(sample)));
            } else {
                let pairs = row[..line].as_chunks().0;
                samples.extend(pairs.iter().map(|&pair| u16::from_ne_bytes(pair)));
            }
        }
        samples
    }
}

fn nclx(frame: &Decoded) -> Nclx {
    let matrix_code = frame.matrix() as u16;
    Nclx {
        matrix: MatrixCoefficients::from_code(matrix_code),
        matrix_code,
        range: if frame.is_full_range() {
            SampleRange::Full
        } else {
            SampleRange::Limited
        },
        // The conversion does not use primaries and transfer.
        ..Nclx::default()
    }
}
