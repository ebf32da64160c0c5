//! Decodes every JPEG of ITU-T T.81 that is coded with the DCT: sequential and progressive, with Huffman or arithmetic
//! coding, 8 or 12 bits per sample, any sampling of the components, any division into scans, with the height after the
//! first scan (DNL), and as much as is intact in a damaged file.
//!
//! The fast decoders for what cameras write are in `jpeg`; this one decodes all other files correctly, and returns
//! which rows of a damaged file are unknown. Hierarchical and lossless coding give an error that names them.

mod arithmetic;
mod blocks;
mod frame;
mod huffman;
mod idct;
mod output;
mod picture;
mod scan;

use std::ops::Range;

use image::RgbImage;

use super::inks::Inks;

/// Why a file cannot be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It violates the format.
    Damaged(&'static str),
    /// It has a coding that this decoder does not support.
    Unsupported(&'static str),
    /// The caller refused its size.
    Refused,
    /// The caller stopped it.
    Stopped,
}

/// What the caller of [`decode`] decides.
pub(super) struct Options<'a> {
    /// Whether a picture of this width and height may be decoded; called before memory is allocated.
    pub accepts_size: &'a dyn Fn(u32, u32) -> bool,
    /// Whether decoding must stop; called once for each row of blocks.
    pub should_stop: &'a dyn Fn() -> bool,
    /// Segments with tables for a file without them, as TIFF has.
    pub tables: &'a [u8],
    /// What the components mean.
    pub meaning: Meaning<'a>,
    /// How many bytes beyond four per pixel decoding may take. A progressive picture whose coefficients take more is
    /// decoded in several passes over the file.
    pub extra_bytes: i64,
}

/// What the components of a picture mean, as far as the JPEG itself does not say it.
#[derive(Clone, Copy, Default)]
pub(super) struct Meaning<'a> {
    /// Their colour model, if the file that contains this JPEG states it.
    pub colour: Option<Colour>,
    /// The conversion of inks to sRGB; `None` without a profile.
    pub inks: Option<&'a Inks>,
    /// Whether the component after those of the colours is the opacity; `true` if the colours are multiplied by it.
    pub opacity: Option<bool>,
}

/// The colour model of a picture's components.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colour {
    Grey,
    /// Grey of which zero is white.
    Negative,
    YCbCr,
    Rgb,
    /// Cyan, magenta, yellow and black; `true` if large values mean little ink.
    Cmyk(bool),
    /// The complement of RGB as `YCbCr`, and black; `true` as above.
    Ycck(bool),
}

impl Colour {
    /// How many components have the colours.
    pub const fn components(self) -> usize {
        match self {
            Self::Grey | Self::Negative => 1,
            Self::YCbCr | Self::Rgb => 3,
            Self::Cmyk(_) | Self::Ycck(_) => 4,
        }
    }
}

/// A decoded picture.
#[derive(Debug)]
pub(super) struct Decoded {
    pub pixels: RgbImage,
    /// The rows that are unknown or only known coarsely, because data are missing or invalid; from the top.
    pub lost: Vec<Range<u32>>,
    /// The first fault, if anything is missing: rows, or their finest details.
    pub fault: Option<Fault>,
}

/// Decodes a JPEG; of several pictures in the file the first.
///
/// # Errors
/// A [`Fault`] if no part of the picture is known.
pub(super) fn decode(bytes: &[u8], options: &Options<'_>) -> Result<Decoded, Fault> {
    let mut pixels = RgbImage::default();
    let mut start = 0;
    loop {
        let mut reader = frame::Reader::new(bytes, options);
        reader.tables(options.tables)?;
        let mut picture = reader.frame()?;
        let rows = picture.rows_of_pass(start, options.extra_bytes);
        picture.hold(&rows);
        let fault = scans(&mut reader, &mut picture)?;
        let fault = fault.or(Some(CUT)).filter(|_| !picture.is_exact());
        if picture.is_lost() {
            return Err(fault.unwrap_or(CUT));
        }
        let colour = options
            .meaning
            .colour
            .unwrap_or_else(|| reader.colour(&picture));
        output::add_pixels(&mut picture, colour, &rows, options, &mut pixels)?;
        start = rows.end;
        if start == picture.mcus_high {
            return Ok(Decoded {
                pixels,
                lost: picture.lost_rows(),
                fault,
            });
        }
    }
}

/// Decodes the scans of a picture as far as they are intact, and returns the first fault.
fn scans(
    reader: &mut frame::Reader<'_>,
    picture: &mut picture::Picture,
) -> Result<Option<Fault>, Fault> {
    let mut fault = None;
    loop {
        match reader.next_scan(picture) {
            Ok(Some(header)) => {
                let ended = scan::decode(reader, picture, &header)?;
                fault = fault.or(ended);
            }
            Ok(None) => return Ok(fault),
            Err(stop @ (Fault::Stopped | Fault::Refused | Fault::Unsupported(_))) => {
                return Err(stop);
            }
            Err(damaged) => return Ok(fault.or(Some(damaged))),
        }
    }
}

const CUT: Fault = Fault::Damaged("its data end before the picture is complete");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_over_a_progressive_picture_give_the_pixels_of_one() {
        for name in ["progressive-approximated", "arithmetic-progressive"] {
            let path = format!("tests/fixtures/matrix/jpeg-{name}.jpg");
            let file = std::fs::read(path).unwrap();
            let decoded = |extra_bytes| {
                let options = Options {
                    accepts_size: &|_, _| true,
                    should_stop: &|| false,
                    tables: &[],
                    meaning: Meaning::default(),
                    extra_bytes,
                };
                let mut reader = frame::Reader::new(&file, &options);
                let picture = reader.frame().unwrap();
                let first = picture.rows_of_pass(0, extra_bytes).end;
                (first < picture.mcus_high, decode(&file, &options).unwrap())
            };
            let (is_in_passes, whole) = decoded(i64::from(u32::MAX));
            assert!(!is_in_passes);
            let (is_in_passes, parts) = decoded(-i64::from(u32::MAX));
            assert!(is_in_passes, "{name}");
            assert!(whole.pixels == parts.pixels, "{name}");
            assert_eq!((parts.lost, parts.fault), (whole.lost, whole.fault));
        }
    }
}
