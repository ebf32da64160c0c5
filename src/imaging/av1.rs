//! Decodes one AV1 key frame with rav1d, built without assembly.
//!
//! rav1d's entry points are `extern "C"` functions, so a panic inside would end the process in spite of
//! [`contain`](super::containment::contain). Tens of thousands of damaged files have caused none; they do
//! in rav1d's own release 1.1.0, which lacks `re_rav1d`'s corrections.

use std::ops::Range;

use heic_rs::ChromaFormat;
use heic_rs::hevc::{Frame, Rows};
use heic_rs::{MatrixCoefficients, Nclx, Range as SampleRange};
use re_rav1d::dav1d::pixel::YUVRange;
use re_rav1d::dav1d::{Decoder, Error, Picture, PixelLayout, PlanarImageComponent, Settings};

use super::released::give_back;

/// Rows that are copied from a picture at once.
const AT_ONCE: u32 = 64;

/// The planes in their order.
const COMPONENTS: [PlanarImageComponent; 3] = [
    PlanarImageComponent::Y,
    PlanarImageComponent::U,
    PlanarImageComponent::V,
];

/// Rows around these that are needed to interpolate the colours at their edges.
const AROUND: u32 = 2;

/// A decoded frame.
pub(super) struct Planes {
    width: u32,
    height: u32,
    bit_depth: u8,
    chroma: ChromaFormat,
    /// The frame's own description of its colours, for a container without one.
    pub(super) nclx: Nclx,
    samples: Samples,
}

/// The planes of a frame: luma, and if it has any, the two of colour.
enum Samples {
    /// Those of the decoder, which gives back all or none.
    Decoder(Picture),
    /// Copies, which are given back row by row. Rows follow each other without a gap.
    Copied([Vec<u8>; 3]),
}

/// Decodes the first frame of an item.
///
/// # Errors
/// rav1d's error; also if the frame has more than `max_pixels`, or there is no frame.
pub(super) fn decode(item: Vec<u8>, max_pixels: u64) -> Result<Planes, Error> {
    let mut settings = Settings::new();
    settings.set_n_threads(1);
    settings.set_all_layers(false);
    settings.set_frame_size_limit(u32::try_from(max_pixels).unwrap_or(u32::MAX));
    let mut decoder = Decoder::with_settings(&settings)?;
    // "Again" from sending means that a frame must be taken first; from `get_picture`, that more data must
    // be sent. If it comes from `get_picture` and all data are sent, the item has no frame.
    let mut sent = decoder.send_data(item, None, None, None);
    let picture = loop {
        if let Err(error) = sent
            && !error.is_again()
        {
            return Err(error);
        }
        match decoder.get_picture() {
            Ok(picture) => break picture,
            Err(error) if error.is_again() && sent.is_err() => sent = decoder.send_pending_data(),
            Err(error) => return Err(error),
        }
    };
    // It has the picture as well.
    drop(decoder);
    Ok(Planes::of(picture))
}

impl Planes {
    /// The planes of a picture. Those of colours are copied if they are smaller than its pixels: both copies together take
    /// less than the pixels beside the decoder's planes, all of which would be there up to the end. Luma alone is less, and
    /// may be the opacity of pixels that are there already.
    fn of(picture: Picture) -> Self {
        const BYTES_OF_PIXEL: usize = 3;
        let mut planes = Self {
            width: picture.width(),
            height: picture.height(),
            bit_depth: picture.bit_depth() as u8,
            chroma: match picture.pixel_layout() {
                PixelLayout::I400 => ChromaFormat::Monochrome,
                PixelLayout::I420 => ChromaFormat::Yuv420,
                PixelLayout::I422 => ChromaFormat::Yuv422,
                PixelLayout::I444 => ChromaFormat::Yuv444,
            },
            nclx: nclx(&picture),
            samples: Samples::Copied(Default::default()),
        };
        let lines = [0, 1, 2].map(|plane| planes.lines(plane, planes.height) * planes.line(plane));
        let pixels = planes.width as usize * planes.height as usize;
        let is_large = lines.iter().sum::<usize>() >= BYTES_OF_PIXEL * pixels;
        if is_large || planes.chroma == ChromaFormat::Monochrome {
            planes.samples = Samples::Decoder(picture);
            return planes;
        }
        planes.samples = Samples::Copied([0, 1, 2].map(|plane| {
            let mut copy = Vec::with_capacity(lines[plane]);
            if lines[plane] > 0 {
                let stride = picture.stride(COMPONENTS[plane]) as usize;
                for row in picture.plane(COMPONENTS[plane]).chunks_exact(stride) {
                    copy.extend_from_slice(&row[..planes.line(plane)]);
                }
            }
            copy
        }));
        planes
    }

    /// Hands out the rows of the picture from the bottom up.
    ///
    /// # Errors
    /// Those of `sink`.
    pub(super) fn rows<E>(
        mut self,
        mut sink: impl FnMut(&Rows<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let height = self.height;
        for start in (0..height).step_by(AT_ONCE as usize).rev() {
            let end = (start + AT_ONCE).min(height);
            let top = start.saturating_sub(AROUND);
            let frame = self.part(top, (end + AROUND).min(height));
            sink(&Rows {
                frame: &frame,
                top,
                new: start - top..end - top,
                height,
            })?;
            self.keep(start + AROUND);
        }
        Ok(())
    }

    /// Keeps so many rows, and gives the others back if they are copies.
    fn keep(&mut self, rows: u32) {
        let lengths = [0, 1, 2].map(|plane| self.lines(plane, rows) * self.line(plane));
        if let Samples::Copied(planes) = &mut self.samples {
            for (plane, length) in planes.iter_mut().zip(lengths) {
                plane.truncate(length);
                give_back(plane);
            }
        }
    }

    /// The number of lines of a plane that so many rows of the picture have.
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

    /// Copies rows of the picture, one sample per `u16`. They begin with an even row.
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
        match &self.samples {
            Samples::Decoder(picture) => {
                let stride = picture.stride(COMPONENTS[plane]) as usize;
                self.wide(&picture.plane(COMPONENTS[plane]), (stride, line), lines)
            }
            Samples::Copied(planes) => self.wide(&planes[plane], (line, line), lines),
        }
    }

    fn wide(&self, plane: &[u8], (stride, line): (usize, usize), lines: Range<usize>) -> Vec<u16> {
        let mut samples = Vec::with_capacity(line * lines.len());
        for row in plane
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

fn nclx(picture: &Picture) -> Nclx {
    let matrix_code = picture.matrix_coefficients() as u16;
    Nclx {
        matrix: MatrixCoefficients::from_code(matrix_code),
        matrix_code,
        range: match picture.color_range() {
            YUVRange::Full => SampleRange::Full,
            YUVRange::Limited => SampleRange::Limited,
        },
        // The conversion does not use primaries and transfer.
        ..Nclx::default()
    }
}
