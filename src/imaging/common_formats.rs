//! Decodes GIF and BMP with the `image` crate, which also reads the headers of PNG and WebP, and the metadata of WebP.

use std::io::{self, BufRead, Read, Seek, SeekFrom};

use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, RgbImage};

use super::Blocks;
use super::file_bytes::ByteReader;
use super::limits::{Deadline, Task};
use crate::error::{Skip, SkipReason};

/// The EXIF block and the XMP packet.
pub(super) fn blocks(task: &Task<'_>, format: ImageFormat) -> Result<Blocks, Skip> {
    let mut decoder = open(task, format)?;
    if format == ImageFormat::Png {
        // They may follow the pixels, where this decoder stops reading; `png_chunks` reads them.
        return Ok(Blocks::default());
    }
    Ok(Blocks {
        exif: decoder.exif_metadata().unwrap_or_default(),
        xmp: decoder.xmp_metadata().unwrap_or_default(),
    })
}

/// Decodes a picture; of an animation the first frame, of a file with several pictures the first one.
pub(super) fn pixels(
    task: &Task<'_>,
    format: ImageFormat,
    file: ByteReader<'_>,
) -> Result<RgbImage, Skip> {
    let decoder = decoder(task, format, file)?;
    let picture = DynamicImage::from_decoder(decoder).map_err(|error| explain(task, error))?;
    Ok(opaque(picture))
}

/// A decoder that has read the headers of a file and checked the size of the picture.
pub(super) fn open<'a>(
    task: &Task<'a>,
    format: ImageFormat,
) -> Result<impl ImageDecoder + 'a, Skip> {
    decoder(task, format, ByteReader::of(task.bytes))
}

fn decoder<'a>(
    task: &Task<'_>,
    format: ImageFormat,
    file: ByteReader<'a>,
) -> Result<impl ImageDecoder + use<'a>, Skip> {
    let mut reader = ImageReader::with_format(TimedReader::of(task, file), format);
    let mut limits = image::Limits::no_limits();
    limits.max_alloc = Some(task.limits.max_pixels.saturating_mul(MAX_BYTES_PER_PIXEL));
    reader.limits(limits);
    let decoder = reader
        .into_decoder()
        .map_err(|error| explain(task, error))?;
    let (width, height) = decoder.dimensions();
    task.check_size(width, height)?;
    Ok(decoder)
}

/// 16 bits for each of red, green, blue and alpha.
pub(super) const MAX_BYTES_PER_PIXEL: u64 = 8;

fn explain(task: &Task<'_>, error: ImageError) -> Skip {
    match error {
        _ if task.deadline.has_passed() => task.timed_out(),
        ImageError::Unsupported(error) => task.unsupported(error),
        ImageError::Limits(_) => Skip::new(
            SkipReason::TooLarge,
            format!("this {} takes more memory than allowed", task.format),
        ),
        // The error's own text, "Format error decoding Png: …", would repeat the format's name.
        ImageError::Decoding(error) => match std::error::Error::source(&error) {
            Some(cause) => task.damaged(cause),
            None => task.damaged(error),
        },
        error => task.damaged(error),
    }
}

/// Converts a picture to 8 bits per channel, with transparent pixels blended onto white.
pub(super) fn opaque(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let picture = picture.into_rgba8();
    let (width, height) = picture.dimensions();
    // In place, so that the picture is not in memory twice.
    let mut samples = picture.into_raw();
    let pixels = samples.len() / 4;
    for pixel in 0..pixels {
        let [red, green, blue, alpha] = [0, 1, 2, 3].map(|channel| samples[4 * pixel + channel]);
        let opaque = on_white([red, green, blue], alpha);
        samples[3 * pixel..3 * pixel + 3].copy_from_slice(&opaque);
    }
    samples.truncate(3 * pixels);
    samples.shrink_to_fit();
    RgbImage::from_raw(width, height, samples).expect("three of four samples of each pixel remain")
}

/// Blends a pixel of this opacity onto white.
pub(super) fn on_white([red, green, blue]: [u8; 3], alpha: u8) -> [u8; 3] {
    let alpha = u32::from(alpha);
    [red, green, blue]
        .map(|channel| ((u32::from(channel) * alpha + 255 * (255 - alpha) + 127) / 255) as u8)
}

/// Blends a pixel of this opacity onto white; `is_multiplied` if its colours are multiplied by the opacity already.
pub(super) fn blended(colour: [u8; 3], alpha: u8, is_multiplied: bool) -> [u8; 3] {
    if is_multiplied {
        colour.map(|channel| channel.saturating_add(255 - alpha))
    } else {
        on_white(colour, alpha)
    }
}

/// A reader of the file's bytes that returns small pieces, and an error after the deadline.
pub(super) struct TimedReader<'a> {
    bytes: ByteReader<'a>,
    deadline: Deadline,
    /// Bytes that may be read before the clock is read again: some decoders read single pixels, which takes less time
    /// than reading the clock.
    admitted: usize,
}

impl<'a> TimedReader<'a> {
    /// A reader of a file, until the deadline of its task.
    pub fn of(task: &Task<'_>, file: ByteReader<'a>) -> Self {
        Self {
            bytes: file,
            deadline: task.deadline,
            admitted: 0,
        }
    }
}

impl TimedReader<'_> {
    /// Most bytes that are returned at once. Even at deflate's best ratio, 1 : 1032, decoding them takes a
    /// fraction of a second.
    const PIECE: usize = 16 << 10;
}

impl Read for TimedReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for TimedReader<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.admitted == 0 {
            if self.deadline.has_passed() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            self.admitted = Self::PIECE;
        }
        let rest = self.bytes.fill_buf()?;
        Ok(&rest[..rest.len().min(self.admitted)])
    }

    fn consume(&mut self, amount: usize) {
        self.admitted = self.admitted.saturating_sub(amount);
        self.bytes.consume(amount);
    }
}

impl Seek for TimedReader<'_> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.admitted = 0;
        self.bytes.seek(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Rgba, RgbaImage};
    use std::time::Duration;

    #[test]
    fn transparent_pixels_are_blended_onto_white() {
        let picture =
            RgbaImage::from_fn(3, 1, |x, _| Rgba([100, 0, 200, [0, 51, 255][x as usize]]));
        let opaque = opaque(picture.into());
        assert_eq!(opaque.get_pixel(0, 0).0, [255; 3]);
        // One fifth colour, four fifths white.
        assert_eq!(opaque.get_pixel(1, 0).0, [224, 204, 244]);
        assert_eq!(opaque.get_pixel(2, 0).0, [100, 0, 200]);
    }

    #[test]
    fn the_reader_returns_all_bytes_in_pieces_and_an_error_after_the_deadline() {
        let bytes: Vec<u8> = (0..40_000_u32).map(|i| i as u8).collect();
        let mut reader = TimedReader {
            bytes: ByteReader::of(&bytes),
            deadline: Deadline::after(Duration::MAX),
            admitted: 0,
        };
        assert_eq!(reader.fill_buf().unwrap().len(), TimedReader::PIECE);
        let mut read = Vec::new();
        reader.read_to_end(&mut read).unwrap();
        assert_eq!(read, bytes);

        reader.deadline = Deadline::after(Duration::ZERO);
        reader.rewind().unwrap();
        let error = reader.read(&mut [0; 8]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
