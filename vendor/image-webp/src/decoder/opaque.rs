//! The first frame of an image as RGB, with no more than four bytes a pixel in memory at any time

use std::io::{self, BufRead, Read, Seek};

use byteorder_lite::ReadBytesExt;

use super::{read_chunk_header, DecodingError, WebPDecoder, WebPRiffChunk};
use crate::extended::{self, read_alpha_chunk};
use crate::lossless::LosslessDecoder;
use crate::vp8::Vp8Decoder;

impl<R: BufRead + Seek> WebPDecoder<R> {
    /// Returns the image, or the first frame of an animation, as RGB. The color of a pixel follows from its own
    /// color and its alpha value; in an image without alpha it is kept.
    pub fn read_opaque(
        &mut self,
        color: impl Fn([u8; 3], u8) -> [u8; 3],
    ) -> Result<Vec<u8>, DecodingError> {
        let size = self.dimensions();
        let has_alpha = self.has_alpha();
        if self.is_animated() {
            return self.read_first_frame(size, color);
        }
        if let Some(range) = self.chunks.get(&WebPRiffChunk::VP8L).cloned() {
            let color = |rgb, alpha| if has_alpha { color(rgb, alpha) } else { rgb };
            return lossless(self.chunk(range.start, range.end)?, size, color);
        }
        let alpha = if has_alpha {
            let range = self.chunks.get(&WebPRiffChunk::ALPH).cloned();
            let range = range.ok_or(DecodingError::ChunkMissing)?;
            Some(alpha(self.chunk(range.start, range.end)?, size)?)
        } else {
            None
        };
        let range = self.chunks.get(&WebPRiffChunk::VP8).cloned();
        let range = range.ok_or(DecodingError::ChunkMissing)?;
        self.lossy(range.start, range.end, size, alpha, color)
    }

    /// Reads the first frame of an animation onto a transparent canvas, which is black in an animation without alpha
    fn read_first_frame(
        &mut self,
        canvas: (u32, u32),
        color: impl Fn([u8; 3], u8) -> [u8; 3],
    ) -> Result<Vec<u8>, DecodingError> {
        let range = self.chunks.get(&WebPRiffChunk::ANMF).cloned();
        let range = range.ok_or(DecodingError::ChunkMissing)?;
        if range.end - range.start < 32 {
            return Err(DecodingError::ChunkHeaderInvalid(*b"ANMF"));
        }
        self.r.seek(io::SeekFrom::Start(range.start))?;
        let x = extended::read_3_bytes(&mut self.r)? * 2;
        let y = extended::read_3_bytes(&mut self.r)? * 2;
        let width = extended::read_3_bytes(&mut self.r)? + 1;
        let height = extended::read_3_bytes(&mut self.r)? + 1;
        if width > 16384 || height > 16384 {
            return Err(DecodingError::ImageTooLarge);
        }
        if x + width > canvas.0 || y + height > canvas.1 {
            return Err(DecodingError::FrameOutsideImage);
        }

        let _duration = extended::read_3_bytes(&mut self.r)?;
        let blends = self.r.read_u8()? & 0b0000_0010 == 0;
        let has_alpha = self.has_alpha();
        let background = if has_alpha { color([0; 3], 0) } else { [0; 3] };
        let color = |rgb, alpha| match alpha {
            alpha if has_alpha => color(rgb, alpha),
            0 if blends => background,
            _ => rgb,
        };

        let header = range.start + 16;
        let (mut kind, mut start, mut end) = self.chunk_of_frame(header, range.end)?;
        let mut values = None;
        if let WebPRiffChunk::ALPH = kind {
            values = Some(alpha(self.chunk(start, end)?, (width, height))?);
            (kind, start, end) = self.chunk_of_frame(end + (end - start) % 2, range.end)?;
        }
        let frame = match (kind, values) {
            (WebPRiffChunk::VP8, values) => {
                self.lossy(start, end, (width, height), values, &color)?
            }
            (WebPRiffChunk::VP8L, None) => {
                lossless(self.chunk(start, end)?, (width, height), &color)?
            }
            (kind, _) => return Err(DecodingError::ChunkHeaderInvalid(kind.to_fourcc())),
        };
        Ok(on_canvas(
            frame,
            (x, y),
            (width, height),
            canvas,
            background,
        ))
    }

    /// The kind, the start and the end of the chunk at this position in a frame
    fn chunk_of_frame(
        &mut self,
        position: u64,
        frame_end: u64,
    ) -> Result<(WebPRiffChunk, u64, u64), DecodingError> {
        self.r.seek(io::SeekFrom::Start(position))?;
        let (kind, size, _) = read_chunk_header(&mut self.r)?;
        let start = position + 8;
        if start + size > frame_end {
            return Err(DecodingError::ChunkHeaderInvalid(kind.to_fourcc()));
        }
        Ok((kind, start, start + size))
    }

    fn chunk(&mut self, start: u64, end: u64) -> Result<impl BufRead + '_, DecodingError> {
        self.r.seek(io::SeekFrom::Start(start))?;
        Ok((&mut self.r).take(end - start))
    }

    fn lossy(
        &mut self,
        start: u64,
        end: u64,
        size: (u32, u32),
        alpha: Option<Vec<u8>>,
        color: impl Fn([u8; 3], u8) -> [u8; 3],
    ) -> Result<Vec<u8>, DecodingError> {
        let upsampling = self.webp_decode_options.lossy_upsampling;
        let mut pixels = vec![0; size.0 as usize * size.1 as usize * 3];
        Vp8Decoder::decode_frame::<3>(self.chunk(start, end)?, size, &mut pixels, upsampling)?;
        if let Some(alpha) = alpha {
            for (pixel, alpha) in pixels.chunks_exact_mut(3).zip(alpha) {
                pixel.copy_from_slice(&color([pixel[0], pixel[1], pixel[2]], alpha));
            }
        }
        Ok(pixels)
    }
}

fn alpha(mut reader: impl BufRead, (width, height): (u32, u32)) -> Result<Vec<u8>, DecodingError> {
    // The canvas may claim more than the 14 bits that the frame has for a side
    let side = |side: u32| u16::try_from(side).map_err(|_| DecodingError::ImageTooLarge);
    read_alpha_chunk(&mut reader, side(width)?, side(height)?)
}

fn lossless(
    reader: impl BufRead,
    (width, height): (u32, u32),
    color: impl Fn([u8; 3], u8) -> [u8; 3],
) -> Result<Vec<u8>, DecodingError> {
    let pixels = width as usize * height as usize;
    let mut data = vec![0; 4 * pixels];
    LosslessDecoder::new(reader).decode_frame(width, height, false, &mut data)?;
    // In place, so that the image is not in memory twice
    const AT_ONCE: usize = 1024;
    let mut part = [0; 3 * AT_ONCE];
    for start in (0..pixels).step_by(AT_ONCE) {
        let end = (start + AT_ONCE).min(pixels);
        let part = &mut part[..3 * (end - start)];
        let before = data[4 * start..4 * end].chunks_exact(4);
        for (to, pixel) in part.chunks_exact_mut(3).zip(before) {
            to.copy_from_slice(&color([pixel[0], pixel[1], pixel[2]], pixel[3]));
        }
        data[3 * start..3 * end].copy_from_slice(part);
    }
    data.truncate(3 * pixels);
    data.shrink_to_fit();
    Ok(data)
}

/// Places a frame on a canvas of one color, in the frame's own memory
fn on_canvas(
    mut frame: Vec<u8>,
    (x, y): (u32, u32),
    (width, height): (u32, u32),
    canvas: (u32, u32),
    background: [u8; 3],
) -> Vec<u8> {
    if (width, height) == canvas {
        return frame;
    }
    let (x, y) = (x as usize, y as usize);
    let (width, height) = (width as usize, height as usize);
    let (canvas_width, canvas_height) = (canvas.0 as usize, canvas.1 as usize);
    frame.resize(3 * canvas_width * canvas_height, 0);
    let fill = |pixels: &mut [u8]| {
        for pixel in pixels.chunks_exact_mut(3) {
            pixel.copy_from_slice(&background);
        }
    };
    fill(&mut frame[3 * canvas_width * (y + height)..]);
    // From the bottom, so that no row is overwritten before it has moved
    for row in (0..height).rev() {
        let start = 3 * canvas_width * (y + row);
        frame.copy_within(3 * width * row..3 * width * (row + 1), start + 3 * x);
        fill(&mut frame[start..start + 3 * x]);
        fill(&mut frame[start + 3 * (x + width)..start + 3 * canvas_width]);
    }
    fill(&mut frame[..3 * canvas_width * y]);
    frame
}
