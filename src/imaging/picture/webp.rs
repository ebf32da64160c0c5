//! WebP: size, the flags of transparency and animation, and all chunks except EXIF, XMP and ICC.

use super::Parts;

const NOT_READ: [&[u8; 4]; 3] = [b"EXIF", b"XMP ", b"ICCP"];

/// Adds the chunks of a file. A file in the simple format, which has no place for metadata, has the same parts as its
/// conversion to the extended format, which programs make to add metadata.
pub(super) fn add(parts: &mut Parts, bytes: &[u8]) -> Option<()> {
    let mut chunks = Chunks::of(bytes)?;
    let (kind, data) = chunks.next()??;
    match kind {
        b"VP8X" => {
            let flags = *data.first()?;
            let side = |at: usize| {
                let side = data.get(at..at + 3)?;
                Some(1 + u64::from(u32::from_le_bytes([side[0], side[1], side[2], 0])))
            };
            let is_set = |bit: u8| u64::from(flags & bit != 0);
            parts.add_numbers(b"frame", &[side(4)?, side(7)?, is_set(0x10), is_set(0x02)])?;
        }
        b"VP8 " => {
            let side = |at: usize| {
                let side = data.get(at..at + 2)?;
                Some(u64::from(u16::from_le_bytes([side[0], side[1]]) & 0x3fff))
            };
            parts.add_numbers(b"frame", &[side(6)?, side(8)?, 0, 0])?;
            return parts.add(kind, data);
        }
        b"VP8L" => {
            let (bits, _) = data.get(1..)?.split_first_chunk()?;
            let bits = u64::from(u32::from_le_bytes(*bits));
            let side = |shift: u32| 1 + (bits >> shift & 0x3fff);
            parts.add_numbers(b"frame", &[side(0), side(14), bits >> 28 & 1, 0])?;
            return parts.add(kind, data);
        }
        _ => return None,
    }
    for chunk in chunks {
        let (kind, data) = chunk?;
        if !NOT_READ.contains(&kind) {
            parts.add(kind, data)?;
        }
    }
    Some(())
}

/// The chunks of a file, each with its name; a chunk that is cut off is `None`.
struct Chunks<'a>(&'a [u8]);

impl<'a> Chunks<'a> {
    /// `None` unless the file is as long as its header says.
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let (length, _) = bytes.get(4..)?.split_first_chunk()?;
        let length = u32::from_le_bytes(*length) as usize;
        (bytes.len() == length.checked_add(8)?).then_some(())?;
        Some(Self(bytes.get(12..)?))
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = Option<(&'a [u8; 4], &'a [u8])>;

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = std::mem::take(&mut self.0);
        if bytes.is_empty() {
            return None;
        }
        let mut next = || {
            let (kind, rest) = bytes.split_first_chunk()?;
            let (length, rest) = rest.split_first_chunk()?;
            let length = u32::from_le_bytes(*length) as usize;
            let (data, rest) = rest.split_at_checked(length)?;
            // A chunk of odd length is followed by one byte.
            self.0 = if length % 2 == 1 {
                rest.get(1..)?
            } else {
                rest
            };
            Some((kind, data))
        };
        Some(next())
    }
}
