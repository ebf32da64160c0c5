//! JPEG as TIFF 6.0 first described it (section 22), which Technical Note 2 replaced in 1995: a whole JPEG beside the
//! tags or in the only strip, or strips and tiles with the coded data alone, whose tables are in tags or in a JPEG
//! beside them. Of these a JPEG is made for each strip or tile. As in libtiff, each of them begins anew.

use image::RgbImage;

use super::jpeg::{colour, part};
use super::pieces::{Layout, Place};
use super::tag;
use crate::error::Skip;
use crate::imaging::jpeg_any::{self, Segments};
use crate::imaging::jpeg_general::Meaning;
use crate::imaging::limits::Task;
use crate::imaging::lost::Pixels;
use crate::imaging::tiff_structure::Directory;

const START: &[u8] = b"\xff\xd8";
/// The markers of tables, of the frame and of the scan.
const QUANTISATION: u8 = 0xdb;
const HUFFMAN: u8 = 0xc4;
const RESTARTS: u8 = 0xdd;
const FRAME: u8 = 0xc0;
const SCAN: u8 = 0xda;

/// Decodes the picture of a directory.
pub(super) fn pixels(
    task: &Task<'_>,
    directory: &Directory<'_>,
    layout: &Layout,
) -> Result<Pixels, Skip> {
    /// The value of the tag `JPEGProc` for lossless coding.
    const LOSSLESS: usize = 14;
    let whole = whole(task, directory).map(|bytes| jpeg_any::pixels(&Task { bytes, ..*task }));
    let is_one = layout.pieces == 1;
    match whole {
        Some(Ok(pixels)) if pixels.lost.is_none() => return Ok(pixels),
        _ if directory.number(tag::JPEG_PROCESS) == Some(LOSSLESS) => {
            return Err(task.unsupported("lossless JPEG"));
        }
        _ if directory.number(tag::PLANAR) == Some(2) => {
            return Err(task.unsupported("JPEG in parts for each channel, as before 1995"));
        }
        _ => {}
    }
    let in_parts =
        Header::of(task, directory).and_then(|header| header.pixels(task, directory, layout));
    match (in_parts, whole) {
        (Ok(pixels), _) => Ok(Pixels::whole(pixels)),
        // Data that begin like a JPEG may be only its tables, or the first of many parts.
        (Err(_), Some(whole)) if is_one => whole,
        (Err(skip), _) => Err(skip),
    }
}

/// Everything from the beginning of a JPEG on, if there is one beside the tags or in the only strip.
fn whole<'a>(task: &Task<'a>, directory: &Directory<'_>) -> Option<&'a [u8]> {
    let part = |offset: u16| {
        let rest = task.bytes.get(directory.number(offset)?..)?;
        rest.starts_with(b"\xff\xd8\xff").then_some(rest)
    };
    let is_one = directory
        .find(tag::STRIP_OFFSETS)
        .is_none_or(|strips| strips.count == 1);
    part(tag::JPEG_OFFSET).or_else(|| part(tag::STRIP_OFFSETS).filter(|_| is_one))
}

/// What the JPEGs of all strips or tiles have in common.
struct Header {
    /// Segments with tables.
    tables: Vec<u8>,
    /// The payload of the frame header, whose size is that of the part.
    frame: Vec<u8>,
    /// The payload of the scan header.
    scan: Vec<u8>,
}

impl Header {
    fn of(task: &Task<'_>, directory: &Directory<'_>) -> Result<Self, Skip> {
        let beside = directory
            .number(tag::JPEG_OFFSET)
            .and_then(|offset| task.bytes.get(offset..));
        let first = directory
            .number(tag::STRIP_OFFSETS)
            .and_then(|offset| task.bytes.get(offset..));
        let mut jpegs = [beside, first].into_iter().flatten();
        jpegs
            .find_map(Self::of_jpeg)
            .or_else(|| Self::of_tags(task, directory))
            .ok_or_else(|| task.damaged("its JPEG tables are missing"))
    }

    /// The header of a JPEG up to its scan; `None` if this is none, or one that is not sequential.
    fn of_jpeg(bytes: &[u8]) -> Option<Self> {
        bytes.starts_with(START).then_some(())?;
        let (mut tables, mut frame, mut scan) = (START.to_vec(), None, None);
        for (code, payload) in Segments::of(bytes) {
            match code {
                QUANTISATION | HUFFMAN | RESTARTS => tables.extend(segment(code, payload)),
                FRAME | 0xc1 => frame = Some(payload.to_vec()),
                SCAN => scan = Some(payload.to_vec()),
                _ => {}
            }
        }
        Some(Self {
            tables,
            frame: frame.filter(|frame| frame.len() >= 6)?,
            scan: scan?,
        })
    }

    /// The header that the tags describe: for each component the offset of its tables.
    fn of_tags(task: &Task<'_>, directory: &Directory<'_>) -> Option<Self> {
        const QUANTISED: usize = 64;
        let number = directory.number(tag::SAMPLES).unwrap_or(1);
        matches!(number, 1 | 3 | 4).then_some(())?;
        let mut tables = START.to_vec();
        for index in 0..number {
            let at = |tag| {
                let offset = directory.number_of(directory.find(tag)?, index)?;
                task.bytes.get(offset..)
            };
            let table = at(tag::JPEG_Q_TABLES)?.get(..QUANTISED)?;
            tables.extend(segment(QUANTISATION, &[&[index as u8], table].concat()));
            for (tag, class) in [(tag::JPEG_DC_TABLES, 0), (tag::JPEG_AC_TABLES, 0x10)] {
                let table = at(tag)?;
                let values: usize = table
                    .get(..16)?
                    .iter()
                    .map(|&count| usize::from(count))
                    .sum();
                let table = table.get(..16 + values)?;
                tables.extend(segment(HUFFMAN, &[&[class | index as u8], table].concat()));
            }
        }
        if let Some(restarts) = directory.number(tag::JPEG_RESTARTS) {
            tables.extend(segment(RESTARTS, &(restarts as u16).to_be_bytes()));
        }
        let sampling = match (
            directory.number(tag::PHOTOMETRIC),
            directory.numbers(tag::SUBSAMPLING),
        ) {
            (Some(6), factors) => match factors[..] {
                [h @ (1 | 2 | 4), v @ (1 | 2 | 4)] => (h << 4 | v) as u8,
                _ => 0x22,
            },
            _ => 0x11,
        };
        let (mut frame, mut scan) = (vec![8, 0, 0, 0, 0, number as u8], vec![number as u8]);
        for index in 0..number as u8 {
            frame.extend([index, if index == 0 { sampling } else { 0x11 }, index]);
            scan.extend([index, index << 4 | index]);
        }
        scan.extend([0, 63, 0]);
        Some(Self {
            tables,
            frame,
            scan,
        })
    }

    /// Decodes the JPEG of each strip or tile.
    fn pixels(
        &self,
        task: &Task<'_>,
        directory: &Directory<'_>,
        layout: &Layout,
    ) -> Result<RgbImage, Skip> {
        let meaning = Meaning {
            colour: Some(colour(task, directory)?),
            ..Meaning::default()
        };
        let mut pixels = RgbImage::new(layout.width, layout.height);
        for place in layout.places() {
            let data = layout.data(task, directory, place.index)?;
            let jpeg = self
                .jpeg(data, layout, &place)
                .ok_or_else(|| task.damaged("a part of it is too large for a JPEG"))?;
            let part = part(task, &jpeg, &self.tables, meaning)?;
            image::imageops::replace(&mut pixels, &part, place.x.into(), place.y.into());
        }
        Ok(pixels)
    }

    /// A JPEG of the data of a strip or tile; `None` if it has more rows or columns than a JPEG can have.
    fn jpeg(&self, data: &[u8], layout: &Layout, place: &Place) -> Option<Vec<u8>> {
        let mut frame = self.frame.clone();
        let side = |side: usize| u16::try_from(side).ok().map(u16::to_be_bytes);
        frame[1..3].copy_from_slice(&side(layout.rows_of(place))?);
        frame[3..5].copy_from_slice(&side(layout.piece_width)?);
        let mut jpeg = START.to_vec();
        jpeg.extend(segment(FRAME, &frame));
        jpeg.extend(segment(SCAN, &self.scan));
        jpeg.extend(scan_of(data));
        Some(jpeg)
    }
}

/// A segment of a JPEG.
fn segment(code: u8, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u16 + 2).to_be_bytes();
    [&[0xff, code][..], &length, payload].concat()
}

/// The coded data of a strip or tile, which may begin with the headers of a JPEG.
fn scan_of(data: &[u8]) -> &[u8] {
    let mut segments = Segments::of(data);
    let is_jpeg = data.starts_with(START);
    if is_jpeg && segments.any(|(code, _)| code == SCAN) {
        &data[segments.behind..]
    } else {
        data
    }
}
