//! Decodes one AV1 key frame with rav1d, built without assembly.
//!
//! rav1d's entry points are `extern "C"` functions, so a panic inside would end the process in spite of
//! [`contain`](super::containment::contain). Tens of thousands of damaged files have caused none; they do
//! in rav1d's own release 1.1.0, which lacks `re_rav1d`'s corrections.

use heic_rs::ChromaFormat;
use heic_rs::hevc::Frame;
use heic_rs::{MatrixCoefficients, Nclx, Range};
use re_rav1d::dav1d::pixel::YUVRange;
use re_rav1d::dav1d::{Decoder, Error, Picture, PixelLayout, PlanarImageComponent, Settings};

/// Decodes the first frame of an item, and the colour description of its sequence header.
///
/// # Errors
/// rav1d's error; also if the frame has more than `max_pixels`, or there is no frame.
pub(super) fn decode(item: Vec<u8>, max_pixels: u64) -> Result<(Frame, Nclx), Error> {
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
            Ok(picture) => return Ok((frame(&picture), nclx(&picture))),
            Err(error) if error.is_again() && sent.is_err() => sent = decoder.send_pending_data(),
            Err(error) => return Err(error),
        }
    }
}

/// Copies the planes of a picture, one sample per `u16`.
fn frame(picture: &Picture) -> Frame {
    let (width, height) = (picture.width(), picture.height());
    let chroma = match picture.pixel_layout() {
        PixelLayout::I400 => ChromaFormat::Monochrome,
        PixelLayout::I420 => ChromaFormat::Yuv420,
        PixelLayout::I422 => ChromaFormat::Yuv422,
        PixelLayout::I444 => ChromaFormat::Yuv444,
    };
    let (chroma_width, chroma_height) = chroma.chroma_size(width, height);
    let [cb, cr] = match chroma {
        ChromaFormat::Monochrome => [Vec::new(), Vec::new()],
        _ => [PlanarImageComponent::U, PlanarImageComponent::V]
            .map(|component| plane(picture, component, chroma_width, chroma_height)),
    };
    Frame {
        width,
        height,
        bit_depth: picture.bit_depth() as u8,
        chroma,
        y: plane(picture, PlanarImageComponent::Y, width, height),
        cb,
        cr,
        y_stride: width,
        c_stride: chroma_width,
    }
}

fn plane(picture: &Picture, component: PlanarImageComponent, width: u32, height: u32) -> Vec<u16> {
    let stride = picture.stride(component) as usize;
    let bytes = picture.plane(component);
    let rows = bytes.chunks_exact(stride).take(height as usize);
    let width = width as usize;
    let mut samples = Vec::with_capacity(width * height as usize);
    for row in rows {
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
fn nclx(picture: &Picture) -> Nclx {
    let matrix_code = picture.matrix_coefficients() as u16;
    Nclx {
        matrix: MatrixCoefficients::from_code(matrix_code),
        matrix_code,
        range: match picture.color_range() {
            YUVRange::Full => Range::Full,
            YUVRange::Limited => Range::Limited,
        },
        // The conversion does not use primaries and transfer.
        ..Nclx::default()
    }
}
