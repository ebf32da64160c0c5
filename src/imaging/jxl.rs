//! Decodes JPEG XL (ISO/IEC 18181) with jxl-rs, which returns the pixels group by group.

use std::io::Read;

use brotli_decompressor::Decompressor;
use image::{RgbImage, RgbaImage};
use jxl::api::{
    AlphaMode, Event, ExtraChannel, JxlAuxBox, JxlAuxBoxType, JxlColorEncoding, JxlColorProfile,
    JxlColorType, JxlDataFormat, JxlDecoder, JxlDecoderOptions, JxlOutputBuffer, JxlPixelFormat,
    JxlTransferFunction, ProfileLevel,
};
use jxl::error::Error;
use moxcms::ColorProfile;

use super::common_formats::{on_white, opaque};
use super::file_bytes::ByteReader;
use super::limits::Task;
use super::{Blocks, colour_profile};
use crate::error::{Skip, SkipReason};

/// Bytes that are given to the decoder between two checks of the deadline. It decodes what is complete in them, and
/// keeps the rest in memory.
const PIECE: usize = 256 << 10;

/// Samples per pixel (colours and transparency) of a picture that has as many pixels as allowed. Pictures with fewer
/// pixels may have further channels.
const SAMPLES: u64 = 4;

/// Most bytes of metadata that are decompressed from a box; a few bytes may decompress to gigabytes.
const MAX_UNPACKED: u64 = 32 << 20;

/// The EXIF block and the XMP packet.
pub(super) fn blocks(task: &Task<'_>) -> Result<Blocks, Skip> {
    let mut reader = Reader::of(task, ByteReader::of(task.bytes), true);
    reader.header()?;
    // The boxes may follow the picture, and are read even if the picture is damaged.
    while !matches!(reader.next(None), Ok(Event::Complete) | Err(_)) {}
    task.check_time()?;
    let exif = reader.aux_box(JxlAuxBoxType::EXIF);
    Ok(Blocks {
        exif: exif.and_then(|data| {
            // Some encoders leave the offset of the TIFF header out; no file is as long as these headers would be as offsets.
            if [&b"II*\0"[..], b"MM\0*"]
                .iter()
                .any(|header| data.starts_with(header))
            {
                return Some(data);
            }
            let (offset, rest) = data.split_first_chunk()?;
            rest.get(u32::from_be_bytes(*offset) as usize..)
                .map(<[u8]>::to_vec)
        }),
        xmp: reader.aux_box(JxlAuxBoxType::XMP),
    })
}

/// Decodes a picture, of an animation the first frame, and applies the orientation of its header.
pub(super) fn pixels(task: &Task<'_>, file: ByteReader<'_>) -> Result<RgbImage, Skip> {
    let mut reader = Reader::of(task, file, false);
    let header = reader.header()?;
    while reader.next(None)? != Event::FrameHeader {}
    let row = header.width as usize * header.channels;
    let mut samples = vec![0; row * header.height as usize];
    loop {
        let buffer = JxlOutputBuffer::new(&mut samples, header.height as usize, row);
        if let Event::FrameComplete { .. } = reader.next(Some(buffer))? {
            break;
        }
    }
    let described = match reader.decoder.output_color_profile() {
        Some(profile @ JxlColorProfile::Simple(_)) if !stays(profile) => profile.try_as_icc(),
        _ => None,
    };
    let described = described.and_then(|icc| ColorProfile::new_from_slice(&icc).ok());
    drop(reader);
    let picture = as_rgb(samples, &header)
        .ok_or_else(|| task.damaged("the picture has another size than stated"))?;
    Ok(colour_profile::in_srgb(described.as_ref(), picture))
}

/// The ICC profile by which the colours are described, if that is the only description of them. Only such a picture
/// keeps its colours when it is decoded, as in other formats.
pub(super) fn profile(task: &Task<'_>) -> Option<Vec<u8>> {
    let mut reader = Reader::of(task, ByteReader::of(task.bytes), true);
    reader.header().ok()?;
    match reader.decoder.output_color_profile()? {
        JxlColorProfile::Icc(icc) => Some(icc.clone()),
        JxlColorProfile::Simple(_) => None,
    }
}

/// Whether colours are shown without conversion: sRGB and, as in other formats, high dynamic range.
fn stays(profile: &JxlColorProfile) -> bool {
    let is_grey = profile.channels() == 1;
    let srgb = JxlColorProfile::Simple(JxlColorEncoding::srgb(is_grey));
    let transfer = profile.transfer_function();
    let is_bright = matches!(
        transfer,
        Some(JxlTransferFunction::PQ | JxlTransferFunction::HLG)
    );
    is_bright || profile.same_color_encoding(&srgb)
}

/// What is known of a picture before its first frame.
struct Header {
    /// Width and height of the upright picture.
    width: u32,
    height: u32,
    /// Samples per pixel: one or three, and one more for transparency.
    channels: usize,
}

/// Reads a file piece by piece.
struct Reader<'a> {
    task: &'a Task<'a>,
    decoder: JxlDecoder,
    /// The part of the file that the decoder has not taken.
    rest: ByteReader<'a>,
    /// Bytes that the decoder is given at once.
    piece: usize,
}

impl<'a> Reader<'a> {
    /// A reader of a file, or only of its metadata.
    fn of(task: &'a Task<'a>, file: ByteReader<'a>, is_for_metadata: bool) -> Self {
        let mut options = JxlDecoderOptions::default();
        let samples = task.limits.max_pixels.saturating_mul(SAMPLES);
        options.sample_limit = Some(usize::try_from(samples).unwrap_or(usize::MAX));
        options.alpha_mode = AlphaMode::Unpremultiplied;
        options.max_profile_level = ProfileLevel::Main10;
        if is_for_metadata {
            options.scan_frames_only = true;
            options.request_aux_boxes = vec![JxlAuxBoxType::EXIF, JxlAuxBoxType::XMP];
        }
        Self {
            task,
            decoder: JxlDecoder::new(options),
            rest: file,
            piece: PIECE,
        }
    }

    /// Reads up to the first frame, checks the size of the picture, and asks for samples of 8 bits.
    fn header(&mut self) -> Result<Header, Skip> {
        let task = self.task;
        while self.next(None)? != Event::BasicInfo {}
        let (Some(info), Some(profile)) = (
            self.decoder.basic_info(),
            self.decoder.embedded_color_profile(),
        ) else {
            return Err(task.damaged("its data end before the picture begins"));
        };
        let (width, height) = info.size;
        let side = |side| u32::try_from(side).unwrap_or(u32::MAX);
        let (width, height) = (side(width), side(height));
        task.check_size(width, height)?;
        let has = |kind| {
            info.extra_channels
                .iter()
                .any(|extra| extra.ec_type == kind)
        };
        if has(ExtraChannel::Black) || profile.is_cmyk() {
            return Err(task.unsupported("inks instead of colours"));
        }
        let color_type = match (profile.channels() == 1, has(ExtraChannel::Alpha)) {
            (true, false) => JxlColorType::Grayscale,
            (true, true) => JxlColorType::GrayscaleAlpha,
            (false, false) => JxlColorType::Rgb,
            (false, true) => JxlColorType::Rgba,
        };
        let format = JxlPixelFormat {
            color_type,
            color_data_format: Some(JxlDataFormat::U8 { bit_depth: 8 }),
            extra_channel_format: vec![None; info.extra_channels.len()],
        };
        self.decoder
            .set_pixel_format(format)
            .map_err(|error| explain(task, &error))?;
        Ok(Header {
            width,
            height,
            channels: color_type.samples_per_pixel(),
        })
    }

    /// Decodes up to the next event.
    fn next(&mut self, mut pixels: Option<JxlOutputBuffer<'_>>) -> Result<Event, Skip> {
        loop {
            self.task.check_time()?;
            let is_last = self.rest.left() <= self.piece;
            if is_last {
                self.decoder.close_input();
            }
            let mut piece = self.rest.peek(self.piece);
            let given = piece.len();
            let buffers = pixels.as_mut().map(std::slice::from_mut);
            let event = self.decoder.process(&mut piece, buffers, None);
            let taken = given - piece.len();
            self.rest.pass(taken);
            match event.map_err(|error| explain(self.task, &error))? {
                Event::NeedMoreInput { .. } if taken == 0 && is_last => {
                    return Err(self
                        .task
                        .damaged("its data end before the picture is complete"));
                }
                // If it takes nothing, it needs a longer piece.
                Event::NeedMoreInput { .. } if taken == 0 => self.piece *= 2,
                Event::NeedMoreInput { .. } => self.piece = PIECE,
                event => return Ok(event),
            }
        }
    }

    /// The data of the first box of a kind.
    fn aux_box(&mut self, kind: JxlAuxBoxType) -> Option<Vec<u8>> {
        let rest = self.rest.peek(usize::MAX);
        let trailing = || {
            let last = self.decoder.trailing_box();
            last.filter(|last| last.box_type() == kind)
        };
        let data = |found: &JxlAuxBox, rest: &[u8]| {
            if found.is_compressed() {
                unpacked(found.raw_data().chain(rest), MAX_UNPACKED)
            } else {
                Some([found.raw_data(), rest].concat())
            }
        };
        match self.decoder.aux_boxes(kind).first() {
            Some(found) => data(found, &[]),
            None => data(trailing()?, rest),
        }
    }
}

/// Decompresses Brotli data, up to `most` bytes; `None` if the data are damaged before that.
fn unpacked(packed: impl Read, most: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let reader = Decompressor::new(packed, 1 << 12);
    reader.take(most).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Converts the samples of a picture to RGB in place; transparent pixels are blended onto white.
fn as_rgb(mut samples: Vec<u8>, header: &Header) -> Option<RgbImage> {
    let (width, height) = (header.width, header.height);
    match header.channels {
        3 => {}
        4 => return RgbaImage::from_raw(width, height, samples).map(|image| opaque(image.into())),
        channels => {
            let pixels = samples.len() / channels;
            samples.resize(3 * pixels, 0);
            // From the end, so that no sample is overwritten before it is read.
            for pixel in (0..pixels).rev() {
                let grey = samples[channels * pixel];
                let alpha = if channels == 2 {
                    samples[2 * pixel + 1]
                } else {
                    255
                };
                samples[3 * pixel..3 * pixel + 3].copy_from_slice(&on_white([grey; 3], alpha));
            }
        }
    }
    RgbImage::from_raw(width, height, samples)
}

fn explain(task: &Task<'_>, error: &Error) -> Skip {
    match error {
        Error::OutOfMemory(_)
        | Error::ImageOutOfMemory(..)
        | Error::ImageSizeTooLarge(..)
        | Error::ImageDimensionTooLarge(_) => Skip::new(
            SkipReason::TooLarge,
            format!("this {} takes more memory than allowed", task.format),
        ),
        error => task.damaged(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_metadata_are_cut_at_the_bound() {
        // Ten uncompressed bytes after their number, and the end.
        let packed = b"\x90\0\x100123456789\x03";
        for (most, kept) in [(9, "012345678"), (10, "0123456789"), (11, "0123456789")] {
            assert_eq!(unpacked(&packed[..], most).unwrap(), kept.as_bytes());
        }
        assert_eq!(unpacked(&packed[..7], 11), None);
        assert_eq!(unpacked(&packed[..7], 3).unwrap(), b"012");
    }
}
