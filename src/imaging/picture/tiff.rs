//! TIFF: the tags of the first picture, except metadata and offsets, and its strips or tiles.

use super::Parts;

/// Tags that the decoder does not use for the pixels: descriptions, dates, names, resolution, orientation,
/// thumbnails, and blocks of metadata.
const NOT_READ: [u16; 33] = [
    0x010d, 0x010e, 0x010f, 0x0110, 0x0112, 0x011a, 0x011b, 0x011d, 0x011e, 0x011f, 0x0128, 0x0129,
    0x0131, 0x0132, 0x013b, 0x013c, 0x014a, 0x02bc, 0x4746, 0x4749, 0x8298, 0x83bb, 0x8649, 0x8769,
    0x8773, 0x8825, 0x935c, 0x9c9b, 0x9c9c, 0x9c9d, 0x9c9e, 0x9c9f, 0xea1c,
];

/// Tags with the offsets of strips and tiles, and those with their lengths.
const OFFSETS: [(u16, u16); 2] = [(0x0111, 0x0117), (0x0144, 0x0145)];

pub(super) fn add(parts: &mut Parts, bytes: &[u8]) -> Option<()> {
    let file = File::of(bytes)?;
    // Samples of more than eight bits are in the byte order of the file.
    parts.add(b"byte order", bytes.get(..2)?)?;
    let tags = file.tags()?;
    for tag in &tags {
        let is_place = OFFSETS
            .iter()
            .any(|(offsets, lengths)| [*offsets, *lengths].contains(&tag.number));
        if !is_place && !NOT_READ.contains(&tag.number) {
            let numbers = [u64::from(tag.number), u64::from(tag.kind), tag.count];
            parts.add_numbers(b"tag", &numbers)?;
            parts.add(b"value", tag.value)?;
        }
    }
    let mut has_pixels = false;
    for (offsets, lengths) in OFFSETS {
        let find = |number: u16| tags.iter().find(|tag| tag.number == number);
        let (offsets, lengths) = match (find(offsets), find(lengths)) {
            (Some(offsets), Some(lengths)) => (offsets, lengths),
            (None, None) => continue,
            _ => return None,
        };
        (offsets.count == lengths.count).then_some(())?;
        parts.add_numbers(b"pieces", &[u64::from(offsets.number), offsets.count])?;
        for index in 0..usize::try_from(offsets.count).ok()? {
            let start = file.number(offsets, index)?;
            let end = start.checked_add(file.number(lengths, index)?)?;
            parts.add(b"piece", bytes.get(start..end)?)?;
            has_pixels = true;
        }
    }
    has_pixels.then_some(())
}

struct File<'a> {
    bytes: &'a [u8],
    is_little_endian: bool,
    /// Length of an offset: 4, or 8 in a `BigTIFF`.
    word: usize,
}

struct Tag<'a> {
    number: u16,
    kind: u16,
    count: u64,
    value: &'a [u8],
}

impl<'a> File<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let is_little_endian = bytes.starts_with(b"II");
        let mut file = Self {
            bytes,
            is_little_endian,
            word: 4,
        };
        if file.read(2, 2)? == 43 {
            (file.read(4, 2)? == 8).then_some(())?;
            file.word = 8;
        }
        Some(file)
    }

    /// The number in `length` bytes at an offset.
    fn read(&self, at: usize, length: usize) -> Option<u64> {
        let bytes = self.bytes.get(at..at.checked_add(length)?)?;
        Some(self.value(bytes))
    }

    fn value(&self, bytes: &[u8]) -> u64 {
        let join = |value: u64, byte: &u8| (value << 8) | u64::from(*byte);
        if self.is_little_endian {
            bytes.iter().rev().fold(0, join)
        } else {
            bytes.iter().fold(0, join)
        }
    }

    /// The tags of the first picture, each once.
    fn tags(&self) -> Option<Vec<Tag<'a>>> {
        let first = if self.word == 8 { 8 } else { 4 };
        let mut at = usize::try_from(self.read(first, self.word)?).ok()?;
        let count_length = if self.word == 8 { 8 } else { 2 };
        let count = self.read(at, count_length)?;
        at = at.checked_add(count_length)?;
        let entry = 4 + 2 * self.word;
        let mut tags: Vec<Tag<'a>> = Vec::new();
        for _ in 0..count {
            let tag = self.tag(at)?;
            if tags.iter().any(|other| other.number == tag.number) {
                return None;
            }
            tags.push(tag);
            at = at.checked_add(entry)?;
            (tags.len() <= MOST_TAGS).then_some(())?;
        }
        Some(tags)
    }

    fn tag(&self, at: usize) -> Option<Tag<'a>> {
        let kind = self.read(at.checked_add(2)?, 2)? as u16;
        let count = self.read(at.checked_add(4)?, self.word)?;
        let length = usize::try_from(count).ok()?.checked_mul(length_of(kind)?)?;
        let inline = at.checked_add(4 + self.word)?;
        let start = if length <= self.word {
            inline
        } else {
            usize::try_from(self.read(inline, self.word)?).ok()?
        };
        Some(Tag {
            number: self.read(at, 2)? as u16,
            kind,
            count,
            value: self.bytes.get(start..start.checked_add(length)?)?,
        })
    }

    /// One of the numbers of a tag.
    fn number(&self, tag: &Tag<'_>, index: usize) -> Option<usize> {
        let length = length_of(tag.kind)?;
        let start = index.checked_mul(length)?;
        let bytes = tag.value.get(start..start.checked_add(length)?)?;
        usize::try_from(self.value(bytes)).ok()
    }
}

/// More tags than any program writes; all are compared with each other.
const MOST_TAGS: usize = 1000;

/// Length in bytes of a value of this type.
fn length_of(kind: u16) -> Option<usize> {
    Some(match kind {
        1 | 2 | 6 | 7 => 1,
        3 | 8 => 2,
        4 | 9 | 11 | 13 => 4,
        5 | 10 | 12 | 16 | 17 | 18 => 8,
        _ => return None,
    })
}
