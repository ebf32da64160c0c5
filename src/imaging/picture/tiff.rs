//! TIFF: the tags of the picture, except metadata and offsets, and its strips or tiles.

use super::Parts;
use crate::imaging::tiff_any::picture;
use crate::imaging::tiff_any::tag::{ICC_PROFILE, JPEG_Q_TABLES, PHOTOMETRIC};
use crate::imaging::tiff_structure::File;

/// Tags that the decoder does not use for the pixels: descriptions, dates, names, resolution, orientation, thumbnails,
/// and blocks of metadata; also the colour profile, unless it describes inks.
const NOT_READ: [u16; 33] = [
    0x010d, 0x010e, 0x010f, 0x0110, 0x0112, 0x011a, 0x011b, 0x011d, 0x011e, 0x011f, 0x0128, 0x0129,
    0x0131, 0x0132, 0x013b, 0x013c, 0x014a, 0x02bc, 0x4746, 0x4749, 0x8298, 0x83bb, 0x8649, 0x8769,
    0x8773, 0x8825, 0x935c, 0x9c9b, 0x9c9c, 0x9c9d, 0x9c9e, 0x9c9f, 0xea1c,
];

/// Tags with the offsets of strips, tiles and a JPEG, and those with their lengths.
const OFFSETS: [(u16, u16); 3] = [(0x0111, 0x0117), (0x0144, 0x0145), (0x0201, 0x0202)];

pub(super) fn add(parts: &mut Parts, bytes: &[u8]) -> Option<()> {
    let file = File::of(bytes)?;
    // Samples of more than eight bits are in the byte order of the file.
    parts.add(b"byte order", bytes.get(..2)?)?;
    let directory = picture(&file).filter(|directory| directory.is_complete)?;
    // The tables of a JPEG in parts are somewhere in the file.
    directory.find(JPEG_Q_TABLES).is_none().then_some(())?;
    for tag in &directory.tags {
        let is_place = OFFSETS
            .iter()
            .any(|(offsets, lengths)| [*offsets, *lengths].contains(&tag.number));
        let is_of_inks = tag.number == ICC_PROFILE && directory.number(PHOTOMETRIC) == Some(5);
        if is_of_inks || !is_place && !NOT_READ.contains(&tag.number) {
            let numbers = [u64::from(tag.number), u64::from(tag.kind), tag.count];
            parts.add_numbers(b"tag", &numbers)?;
            parts.add(b"value", tag.value)?;
        }
    }
    let mut has_pixels = false;
    for (offsets, lengths) in OFFSETS {
        let (offsets, lengths) = match (directory.find(offsets), directory.find(lengths)) {
            (Some(offsets), Some(lengths)) => (offsets, lengths),
            (None, None) => continue,
            _ => return None,
        };
        (offsets.count == lengths.count).then_some(())?;
        parts.add_numbers(b"pieces", &[u64::from(offsets.number), offsets.count])?;
        for index in 0..usize::try_from(offsets.count).ok()? {
            let start = directory.number_of(offsets, index)?;
            let end = start.checked_add(directory.number_of(lengths, index)?)?;
            parts.add(b"piece", bytes.get(start..end)?)?;
            has_pixels = true;
        }
    }
    has_pixels.then_some(())
}
