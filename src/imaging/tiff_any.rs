//! Decodes TIFF, also of scanners and fax machines: palettes, `YCbCr`, JPEG inside, and fax codings (TIFF 6.0;
//! Technical Note 2 for JPEG). Also chooses which picture of a file counts.
//!
//! The `tiff` crate supports fewer kinds of pictures, and decodes at least a strip at once, which is often the whole
//! picture.

mod fax;
mod jpeg;
mod lab;
mod numbers;
mod old_jpeg;
mod pieces;
mod samples;
mod unpacked;
mod webp;

use std::ops::Range;

use super::Blocks;
use super::file_bytes::Source;
use super::inks::Inks;
use super::limits::Task;
use super::tiff_structure::{Directory, File};
use crate::error::Skip;
use pieces::Layout;
pub(super) use unpacked::Unpacked;

/// The tags that are read here.
pub(super) mod tag {
    pub const SUBFILE_TYPE: u16 = 254;
    pub const WIDTH: u16 = 256;
    pub const HEIGHT: u16 = 257;
    pub const BITS: u16 = 258;
    pub const COMPRESSION: u16 = 259;
    pub const PHOTOMETRIC: u16 = 262;
    pub const FILL_ORDER: u16 = 266;
    pub const STRIP_OFFSETS: u16 = 273;
    pub const SAMPLES: u16 = 277;
    pub const ROWS_PER_STRIP: u16 = 278;
    pub const STRIP_LENGTHS: u16 = 279;
    pub const PLANAR: u16 = 284;
    pub const FAX_OPTIONS: u16 = 292;
    pub const PREDICTOR: u16 = 317;
    pub const COLOUR_MAP: u16 = 320;
    pub const TILE_WIDTH: u16 = 322;
    pub const TILE_HEIGHT: u16 = 323;
    pub const TILE_OFFSETS: u16 = 324;
    pub const TILE_LENGTHS: u16 = 325;
    pub const JPEG_TABLES: u16 = 347;
    pub const JPEG_PROCESS: u16 = 512;
    pub const JPEG_OFFSET: u16 = 513;
    pub const JPEG_RESTARTS: u16 = 515;
    pub const JPEG_Q_TABLES: u16 = 519;
    pub const JPEG_DC_TABLES: u16 = 520;
    pub const JPEG_AC_TABLES: u16 = 521;
    pub const EXTRA_SAMPLES: u16 = 338;
    pub const SAMPLE_FORMAT: u16 = 339;
    pub const SUBSAMPLING: u16 = 530;
    pub const REFERENCE_BLACK_WHITE: u16 = 532;
    pub const ICC_PROFILE: u16 = 34_675;
}

/// The directory of the picture of a file: the first one, unless that is a thumbnail; then the largest.
pub(super) fn picture<'a>(file: &File<'a>) -> Option<Directory<'a>> {
    const IS_REDUCED: usize = 1;
    let is_reduced = |directory: &Directory<'_>| {
        directory
            .number(tag::SUBFILE_TYPE)
            .is_some_and(|kind| kind & IS_REDUCED != 0)
    };
    let first = file.first()?;
    if !is_reduced(&first) {
        return Some(first);
    }
    let area = |directory: &Directory<'_>| {
        let side = |tag| directory.number(tag).unwrap_or_default() as u64;
        side(tag::WIDTH).saturating_mul(side(tag::HEIGHT))
    };
    let others = file.directories().into_iter();
    let whole = others.filter(|directory| !is_reduced(directory) && area(directory) > 0);
    Some(whole.max_by_key(area).unwrap_or(first))
}

/// Checks the size of the picture. The EXIF block and the XMP packet of a TIFF are its tags.
pub(super) fn blocks(task: &Task<'_>) -> Result<Blocks, Skip> {
    let file = File::of(task.bytes).ok_or_else(|| task.damaged("it has no header"))?;
    let directory = picture(&file).ok_or_else(|| task.damaged("it has no directory"))?;
    Layout::of(task, &directory)?;
    Ok(Blocks::default())
}

/// A copy of a file with zeros in place of its picture, so that the picture is not in memory twice: pages that stay
/// zero take no memory. What tags refer to is copied even if it is inside the picture.
pub(super) fn without_pixels(task: &Task<'_>) -> Vec<u8> {
    let file = File::of(task.bytes);
    let ranges = || {
        let directory = picture(&file?)?;
        let is_plain = directory.number(tag::COMPRESSION).unwrap_or(1) == 1;
        let layout = Layout::of(task, &directory).ok()?;
        let samples = directory.number(tag::SAMPLES).unwrap_or(1).clamp(1, 16);
        let bits = directory.number(tag::BITS).unwrap_or(1).clamp(1, 64);
        let is_planar = directory.number(tag::PLANAR) == Some(2);
        let pieces = layout.pieces * if is_planar { samples } else { 1 };
        let row = (layout.piece_width * samples * bits).div_ceil(8);
        let range = |index: usize| {
            let mut range = layout.range(task, &directory, index).ok()?;
            if is_plain {
                // The stated length may exceed that of the samples.
                let most = row * layout.rows_of(&layout.place(index % layout.pieces));
                range.end = range.end.min(range.start + most);
            }
            Some(range)
        };
        (pieces <= unpacked::MAX_PIECES).then_some(())?;
        (0..pieces).map(range).collect::<Option<Vec<_>>>()
    };
    let by_start = |mut ranges: Vec<Range<usize>>| {
        ranges.sort_by_key(|range| range.start);
        ranges
    };
    let mut copy = vec![0; task.bytes.len()];
    let mut take = |from: usize, to: usize| {
        if from < to {
            copy[from..to].copy_from_slice(&task.bytes[from..to]);
        }
    };
    let mut at = 0;
    for range in by_start(ranges().unwrap_or_default()) {
        take(at, range.start);
        at = at.max(range.end);
    }
    take(at, task.bytes.len());
    at = 0;
    let ranges = file.map(|file| file.ranges());
    for range in by_start(ranges.unwrap_or_default()) {
        take(at.max(range.start), range.end);
        at = at.max(range.end);
    }
    copy
}

/// The ICC profile of the picture of a file.
pub(super) fn profile(bytes: &[u8]) -> Option<Vec<u8>> {
    let directory = picture(&File::of(bytes)?)?;
    directory
        .find(tag::ICC_PROFILE)
        .map(|tag| tag.value.to_vec())
}

/// The conversion of the inks of a picture, if it has inks and a profile of them.
fn inks(directory: &Directory<'_>) -> Option<Inks> {
    const INKS: usize = 5;
    let profile = directory.find(tag::ICC_PROFILE)?;
    let has_inks = directory.number(tag::PHOTOMETRIC) == Some(INKS);
    has_inks.then(|| Inks::of(profile.value)).flatten()
}

/// Decodes the picture of a file, or returns how to decode it.
pub(super) fn source(task: &Task<'_>) -> Result<Source, Skip> {
    let Some(file) = File::of(task.bytes) else {
        return Err(task.damaged("it has no header"));
    };
    let directory = picture(&file).ok_or_else(|| task.damaged("it has no directory"))?;
    let layout = Layout::of(task, &directory)?;
    match directory.number(tag::COMPRESSION).unwrap_or(1) {
        6 => old_jpeg::pixels(task, &directory, &layout).map(Source::Pixels),
        7 => jpeg::pixels(task, &directory, &layout).map(Source::Pixels),
        compression => Unpacked::of(task, &directory, layout, compression).map(Source::Tiff),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::{Format, Limits};

    #[test]
    fn without_its_pixels_a_file_keeps_what_tags_refer_to() {
        const MAKER: u16 = 271;
        let mut file: Vec<u8> = (0..400).map(|at| at as u8 | 1).collect();
        let tags: [(u16, u16, u32, u32); 8] = [
            (tag::WIDTH, 4, 1, 4),
            (tag::HEIGHT, 4, 1, 4),
            (tag::BITS, 4, 1, 8),
            (tag::COMPRESSION, 4, 1, 8),
            (tag::PHOTOMETRIC, 4, 1, 1),
            // An invalid file: this value is inside the strip.
            (MAKER, 2, 10, 250),
            (tag::STRIP_OFFSETS, 4, 1, 200),
            (tag::STRIP_LENGTHS, 4, 1, 100),
        ];
        let mut head = b"II*\0\x08\0\0\0\x08\0".to_vec();
        for (number, kind, count, value) in tags {
            head.extend([number, kind].map(u16::to_le_bytes).concat());
            head.extend([count, value].map(u32::to_le_bytes).concat());
        }
        head.extend([0; 4]);
        file[..head.len()].copy_from_slice(&head);
        let limits = Limits::default();
        let copy = without_pixels(&Task::new(&file, Format::Tiff, &limits));
        let mut expected = file.clone();
        expected[200..250].fill(0);
        expected[260..300].fill(0);
        assert_eq!(copy, expected);
    }
}
