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

/// Rows that are copied from a picture at once.
const AT_ONCE: u32 = 64;

/// Rows around these that are needed to interpolate the colours at their edges.
const AROUND: u32 = 2;

/// Decodes the first frame of an item.
///
/// # Errors
/// rav1d's error; also if the frame has more than `max_pixels`, or there is no frame.
pub(super) fn decode(item: Vec<u8>, max_pixels: u64) -> Result<Picture, Error> {
    let mut settings = Settings::new();
    settings.set_n_threads(1);
    settings.set_all_layers(false);
    settings.set_frame_size_limit(u32::try_from(max_pixels).unwrap_or(u32::MAX));
    let mut decoder = Decoder::with_settings(&settings)?;
    // "Again" from sending means that a frame must be taken first; from `get_picture`, that more data must
    // be sent. If it comes from `get_picture` and all data are sent, the item has no frame.
    let mut sent = decoder.send_data(item, None, None, None);
    loop {
        if let Err(error) = sent
            && !error.is_again()
        {
            return Err(error);
        }
        match decoder.get_picture() {
            Ok(picture) => return Ok(picture),
            Err(error) if error.is_again() && sent.is_err() => sent = decoder.send_pending_data(),
            Err(error) => return Err(error),
        }
    }
}

/// Hands out the rows of a picture from the top; the decoder has it in memory as a whole.
///
/// # Errors
/// Those of `sink`.
pub(super) fn rows<E>(
    picture: &Picture,
    mut sink: impl FnMut(&Rows<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let height = picture.height();
    for start in (0..height).step_by(AT_ONCE as usize) {
        let end = (start + AT_ONCE).min(height);
        let top = start.saturating_sub(AROUND);
        let frame = part(picture, top, (end + AROUND).min(height));
        sink(&Rows {
            frame: &frame,
            top,
            new: start - top..end - top,
            height,
        })?;
    }
    Ok(())
}

/// Copies rows of a picture, one sample per `u16`. They begin with an even row.
fn part(picture: &Picture, top: u32, end: u32) -> Frame {
    let (width, height) = (picture.width(), end - top);
    let chroma = match picture.pixel_layout() {
        PixelLayout::I400 => ChromaFormat::Monochrome,
        PixelLayout::I420 => ChromaFormat::Yuv420,
        PixelLayout::I422 => ChromaFormat::Yuv422,
        PixelLayout::I444 => ChromaFormat::Yuv444,
    };
    let (chroma_width, chroma_height) = chroma.chroma_size(width, height);
    let chroma_top = top >> chroma.y_shift();
    let [cb, cr] = match chroma {
        ChromaFormat::Monochrome => [Vec::new(), Vec::new()],
        _ => [PlanarImageComponent::U, PlanarImageComponent::V].map(|component| {
            plane(
                picture,
                component,
                chroma_width,
                chroma_top..chroma_top + chroma_height,
            )
        }),
    };
    Frame {
        width,
        height,
        bit_depth: picture.bit_depth() as u8,
        chroma,
        y: plane(picture, PlanarImageComponent::Y, width, top..end),
        cb,
        cr,
        y_stride: width,
        c_stride: chroma_width,
    }
}

fn plane(
    picture: &Picture,
    component: PlanarImageComponent,
    width: u32,
    lines: Range<u32>,
) -> Vec<u16> {
    let stride = picture.stride(component) as usize;
    let bytes = picture.plane(component);
    let width = width as usize;
    let mut samples = Vec::with_capacity(width * lines.len());
    for row in bytes
        .chunks_exact(stride)
        .skip(lines.start as usize)
        .take(lines.len())
    {
        if picture.bit_depth() == 8 {
            samples.extend(row[..width].iter().map(|&sample| u16::from(sample)));
        } else {
            let pairs = row[..2 * width].as_chunks().0;
            samples.extend(pairs.iter().map(|&pair| u16::from_ne_bytes(pair)));
        }
    }
    samples
}

/// The picture's own colour description, for a container without one.
pub(super) fn nclx(picture: &Picture) -> Nclx {
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
