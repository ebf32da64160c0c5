//! Decodes every JPEG of ITU-T T.81 that is coded with the DCT: sequential and progressive, with Huffman or
//! arithmetic coding, 8 or 12 bits a sample, any sampling of the components, in any scans, with the height behind
//! the first scan (DNL), and as far as a damaged file goes.
//!
//! The decoder that is fast for what cameras write is elsewhere; this one is right for all the others, and says
//! which rows a damaged file left unknown. Hierarchical and lossless coding are named and refused.

mod arithmetic;
mod blocks;
mod frame;
mod huffman;
mod idct;
mod output;
mod scan;

use std::ops::Range;

use image::RgbImage;

/// Why a file cannot be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It violates the format.
    Damaged(&'static str),
    /// It is coded in a way that is not decoded here.
    Unsupported(&'static str),
    /// The caller refused its size.
    Refused,
    /// The caller stopped it.
    Stopped,
}

/// What the caller of [`decode`] decides.
pub(super) struct Options<'a> {
    /// Whether a picture of this width and height may be decoded; called before memory is allocated.
    pub admits: &'a dyn Fn(u32, u32) -> bool,
    /// Whether decoding must stop; called once for each row of blocks.
    pub stops: &'a dyn Fn() -> bool,
    /// Segments with tables for a file without them, as TIFF has.
    pub tables: &'a [u8],
    /// How the components are to be read, if the file around this one says it.
    pub colour: Option<Colour>,
}

/// What the components of a picture are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colour {
    Grey,
    YCbCr,
    Rgb,
    /// Cyan, magenta, yellow and black; `true` if large values are little ink.
    Cmyk(bool),
    /// The complement of RGB as `YCbCr`, and black; `true` as above.
    Ycck(bool),
}

/// A decoded picture.
#[derive(Debug)]
pub(super) struct Decoded {
    pub pixels: RgbImage,
    /// The rows that are unknown or only known coarsely, because data are missing or invalid; from the top.
    pub lost: Vec<Range<u32>>,
    /// The first fault that was met, if anything is missing: rows, or their finest details.
    pub fault: Option<Fault>,
}

/// Decodes a JPEG; of several pictures in the file the first.
///
/// # Errors
/// A [`Fault`] if no part of the picture is known.
pub(super) fn decode(bytes: &[u8], options: &Options<'_>) -> Result<Decoded, Fault> {
    let mut reader = frame::Reader::new(bytes, options);
    reader.tables(options.tables)?;
    let mut picture = reader.frame()?;
    let mut fault = None;
    loop {
        match reader.next_scan(&picture) {
            Ok(Some(header)) => {
                let ended = scan::decode(&mut reader, &mut picture, &header)?;
                fault = fault.or(ended);
            }
            Ok(None) => break,
            Err(stop @ (Fault::Stopped | Fault::Refused | Fault::Unsupported(_))) => {
                return Err(stop);
            }
            Err(damaged) => {
                fault = fault.or(Some(damaged));
                break;
            }
        }
    }
    let lost = picture.lost_rows();
    let fault = fault.or(Some(CUT)).filter(|_| !picture.is_exact());
    if picture.is_lost() {
        return Err(fault.unwrap_or(CUT));
    }
    let colour = options.colour.unwrap_or_else(|| reader.colour(&picture));
    let pixels = output::pixels(&mut picture, colour, options)?;
    Ok(Decoded {
        pixels,
        lost,
        fault,
    })
}

const CUT: Fault = Fault::Damaged("its data end before the picture is complete");
