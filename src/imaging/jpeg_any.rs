//! Decodes JPEG with the decoder that suits its coding: a fast one for what cameras write, and for everything else
//! [`jpeg_general`], which also decodes what is intact in a damaged file.

use super::containment::catch_panic;
use super::format::Format;
use super::inks::Inks;
use super::jpeg_general::{self, Fault, Meaning, Options};
use super::limits::Task;
use super::lost::{Lost, Pixels};
use super::{Blocks, jpeg, jpeg_segments};
use crate::error::{Skip, SkipReason};

/// The EXIF block and the XMP packet. Reads the segments up to the first scan, and checks the size of the picture.
pub(super) fn blocks(task: &Task<'_>) -> Result<Blocks, Skip> {
    let mut blocks = Blocks::default();
    let mut has_frame = false;
    for (code, payload) in Segments::of(task.bytes) {
        if code == 0xe1 {
            if let Some(exif) = payload.strip_prefix(b"Exif\0\0") {
                blocks.exif.get_or_insert_with(|| exif.to_vec());
            } else if let Some(xmp) = payload.strip_prefix(b"http://ns.adobe.com/xap/1.0/\0") {
                blocks.xmp.get_or_insert_with(|| xmp.to_vec());
            }
        } else if is_frame(code) || code == JPEG_LS {
            has_frame = true;
            if let &[_, y0, y1, x0, x1, ..] = payload {
                let (width, height) = (u16::from_be_bytes([x0, x1]), u16::from_be_bytes([y0, y1]));
                // If the height is zero, it is stated after the first scan.
                task.check_size(width.into(), height.max(1).into())?;
            }
        }
    }
    if has_frame {
        Ok(blocks)
    } else {
        Err(task.damaged("its data end before the picture begins"))
    }
}

/// Decodes a JPEG; of several pictures in the file (thumbnails, gain maps, MPO) the first.
pub(super) fn pixels(task: &Task<'_>) -> Result<Pixels, Skip> {
    // The fast decoder has the coefficients of a progressive picture and its pixels in memory at once.
    let is_too_large = |(pixels, bytes)| bytes + 3 * pixels > 4 * pixels + extra_bytes(task);
    let inks = inks(task.bytes);
    let meaning = Meaning {
        inks: inks.as_ref(),
        ..Meaning::default()
    };
    let is_slow = is_rare(task.bytes) || coefficients(task.bytes).is_some_and(is_too_large);
    if is_slow || inks.is_some() {
        return general(task, task.bytes, &[], meaning);
    }
    // Contained separately, so that a file that makes the fast decoder panic is still decoded by the general one.
    let fast = catch_panic(|| jpeg::pixels(task));
    match fast {
        Ok(Ok(pixels)) => Ok(Pixels::whole(pixels)),
        Ok(Err(skip)) if matches!(skip.reason, SkipReason::TooLarge | SkipReason::TimedOut) => {
            Err(skip)
        }
        Ok(Err(_)) | Err(_) => general(task, task.bytes, &[], meaning),
    }
}

/// The conversion of the inks of a picture, if it has inks and a profile of them.
fn inks(bytes: &[u8]) -> Option<Inks> {
    profile_of_inks(bytes).and_then(|icc| Inks::of(&icc))
}

/// The ICC profile of a picture of four components.
pub(super) fn profile_of_inks(bytes: &[u8]) -> Option<Vec<u8>> {
    let (_, frame) = Segments::of(bytes).find(|(code, _)| is_frame(*code))?;
    (frame.get(5) == Some(&4)).then_some(())?;
    jpeg_segments::profile(bytes)
}

/// How many bytes beyond four per pixel the decoding of a file may take: 64 MB, less 24 MB for the program and the size
/// of the file.
pub(super) fn extra_bytes(task: &Task<'_>) -> i64 {
    40_000_000 - task.bytes.len() as i64
}

/// How many pixels a progressive picture has, and how many bytes its coefficients take; `None` for any other coding.
pub(super) fn coefficients(bytes: &[u8]) -> Option<(i64, i64)> {
    let (_, frame) = Segments::of(bytes).find(|(code, _)| matches!(code, 0xc2 | 0xca))?;
    let &[_, y0, y1, x0, x1, _, ref parts @ ..] = frame else {
        return None;
    };
    let side = |high: u8, low: u8| i64::from(u16::from_be_bytes([high, low]));
    let pixels = side(x0, x1) * side(y0, y1);
    let factors = parts
        .chunks_exact(3)
        .map(|part| (i64::from(part[1] >> 4), i64::from(part[1] & 15)));
    let most = |factor: fn((i64, i64)) -> i64| factors.clone().map(factor).max().unwrap_or(1);
    let whole = (most(|(h, _)| h) * most(|(_, v)| v)).max(1);
    let samples = factors.clone().map(|(h, v)| h * v).sum::<i64>() * pixels / whole;
    Some((pixels, samples * size_of::<i16>() as i64))
}

/// Decodes a JPEG of any coding. For a JPEG inside a TIFF, the caller passes what the TIFF states: tables and what the
/// components mean.
pub(super) fn general(
    task: &Task<'_>,
    bytes: &[u8],
    tables: &[u8],
    meaning: Meaning<'_>,
) -> Result<Pixels, Skip> {
    let options = Options {
        accepts_size: &|width, height| task.check_size(width, height).is_ok(),
        should_stop: &|| task.deadline.has_passed(),
        tables,
        meaning,
        extra_bytes: extra_bytes(task),
    };
    let decoded = jpeg_general::decode(bytes, &options).map_err(|fault| match fault {
        Fault::Damaged(problem) => task.damaged(problem),
        Fault::Unsupported(process) => task.unsupported(process),
        Fault::Stopped => task.timed_out(),
        Fault::Refused => Skip::new(SkipReason::TooLarge, "a JPEG in it is too large"),
    })?;
    let lost = match decoded.fault {
        Some(Fault::Damaged(problem)) => Some(Lost {
            rows: decoded.lost,
            problem: format!("{}: {problem}", Format::Jpeg),
        }),
        _ => None,
    };
    Ok(Pixels {
        pixels: decoded.pixels,
        lost,
    })
}

/// Whether the coding is one that fast decoders get wrong or refuse: arithmetic coding, other than 8 bits per sample, a
/// height after the scan, components that are sampled more finely than the first one or by three or four, components in
/// separate scans of a sequential picture, and RGB that is recognisable only by the names of the components.
fn is_rare(bytes: &[u8]) -> bool {
    let (mut is_labelled, mut sequential_components) = (false, None);
    for (code, payload) in Segments::of(bytes) {
        match code {
            0xe0 => is_labelled |= payload.starts_with(b"JFIF\0"),
            0xee => is_labelled |= payload.starts_with(b"Adobe"),
            0xda if sequential_components.is_some() => {
                return sequential_components != payload.first().copied();
            }
            _ if is_frame(code) => {
                let &[bits, y0, y1, _, _, number, ref parts @ ..] = payload else {
                    return true;
                };
                let factors = parts
                    .chunks_exact(3)
                    .map(|part| (part[1] >> 4, part[1] & 15));
                let (h, v) = factors.clone().next().unwrap_or_default();
                let is_odd = |(part_h, part_v): (u8, u8)| part_h > h || part_v > v;
                let is_named_rgb = !is_labelled && parts.iter().step_by(3).eq(b"RGB");
                if !matches!(code, 0xc0..=0xc2)
                    || bits != 8
                    || [y0, y1] == [0; 2]
                    || h > 2
                    || v > 2
                    || factors.clone().any(is_odd)
                    || is_named_rgb
                {
                    return true;
                }
                if code != 0xc2 {
                    sequential_components = Some(number);
                }
            }
            _ => {}
        }
    }
    false
}

/// The marker of the frame header of JPEG-LS (ISO/IEC 14495-1), which is like those of JPEG.
const JPEG_LS: u8 = 0xf7;

/// Whether a marker begins a frame header.
pub(super) const fn is_frame(code: u8) -> bool {
    matches!(code, 0xc0..=0xcf) && !matches!(code, 0xc4 | 0xc8 | 0xcc)
}

/// The segments of a JPEG up to its first scan, each as its marker and its payload.
pub(super) struct Segments<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The offset of what follows the latest segment.
    pub(super) behind: usize,
}

impl<'a> Segments<'a> {
    pub(super) const fn of(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 2,
            behind: 2,
        }
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            // Some cameras write garbage between segments.
            self.at += memchr::memchr(0xff, self.bytes.get(self.at..)?)?;
            let code = *self.bytes.get(self.at + 1)?;
            if matches!(code, 0x00 | 0x01 | 0xd0..=0xd8 | 0xff) {
                self.at += if code == 0xff { 1 } else { 2 };
                continue;
            }
            let (length, _) = self.bytes.get(self.at + 2..)?.split_first_chunk()?;
            let length = usize::from(u16::from_be_bytes(*length));
            let payload = self.bytes.get(self.at + 4..self.at + 2 + length)?;
            self.behind = self.at + 2 + length;
            self.at = match code {
                0xda | 0xd9 => self.bytes.len(),
                _ => self.behind,
            };
            return (code != 0xd9).then_some((code, payload));
        }
    }
}
