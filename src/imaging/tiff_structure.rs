//! Reads the structure of TIFF files: the directories, their tags and the numbers in these. Camera raw files have the
//! same structure.

use std::ops::Range;

/// The tags that point to directories below one: in general and, below, to that of EXIF.
const SUB_DIRECTORIES: u16 = 0x014a;
const OF_EXIF: [u16; 3] = [0x8769, 0x8825, 0xa005];

/// Most directories that are read of a file; more than any program writes.
const MAX_DIRECTORIES: usize = 64;
/// Most tags of a directory; also more than any program writes.
const MAX_TAGS: usize = 1000;

/// A file that begins with the header of a TIFF, a `BigTIFF`, or a raw file that is built like one.
#[derive(Clone, Copy)]
pub(super) struct File<'a> {
    pub bytes: &'a [u8],
    pub is_little_endian: bool,
    /// Length of an offset: 4, or 8 in a `BigTIFF`.
    word: usize,
}

/// A tag of a directory.
#[derive(Clone, Copy)]
pub(super) struct Tag<'a> {
    pub number: u16,
    pub kind: u16,
    pub count: u64,
    /// The bytes of all values, in the byte order of the file.
    pub value: &'a [u8],
    /// The offset of the values in the file.
    start: usize,
}

/// A directory with its tags, of which no two have the same number.
pub(super) struct Directory<'a> {
    file: File<'a>,
    pub tags: Vec<Tag<'a>>,
    /// Whether all tags were read: none occurs twice or has values outside the file.
    pub is_complete: bool,
    /// Its position in the file.
    range: Range<usize>,
    /// The offset of the next directory.
    next: usize,
}

impl<'a> File<'a> {
    /// Reads the header. `None` if there is none. Any magic number after the byte order is accepted, since raw files
    /// have their own.
    pub fn of(bytes: &'a [u8]) -> Option<Self> {
        let is_little_endian = bytes.starts_with(b"II");
        (is_little_endian || bytes.starts_with(b"MM")).then_some(())?;
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
    pub fn read(&self, at: usize, length: usize) -> Option<u64> {
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

    /// The first directory.
    pub fn first(&self) -> Option<Directory<'a>> {
        let pointer = if self.word == 8 { 8 } else { 4 };
        self.directory(usize::try_from(self.read(pointer, self.word)?).ok()?)
    }

    /// The directories of the file in order, each followed by those below it. Damaged ones are omitted.
    pub fn directories(&self) -> Vec<Directory<'a>> {
        self.directories_below(&[SUB_DIRECTORIES])
    }

    /// The positions of all directories, also that of EXIF, and of the values of their tags.
    pub fn ranges(&self) -> Vec<Range<usize>> {
        let [exif, position, interoperability] = OF_EXIF;
        let pointers = [SUB_DIRECTORIES, exif, position, interoperability];
        let mut ranges = Vec::new();
        for directory in self.directories_below(&pointers) {
            let values = directory.tags.iter();
            ranges.extend(values.map(|tag| tag.start..tag.start + tag.value.len()));
            ranges.push(directory.range);
        }
        ranges
    }

    /// The directories, each followed by those that these tags name.
    fn directories_below(&self, pointers: &[u16]) -> Vec<Directory<'a>> {
        let pointer = if self.word == 8 { 8 } else { 4 };
        let first = self.read(pointer, self.word).unwrap_or_default();
        let mut offsets = vec![usize::try_from(first).unwrap_or_default()];
        let (mut seen, mut directories) = (Vec::new(), Vec::new());
        while let Some(offset) = offsets.pop() {
            if offset == 0 || seen.contains(&offset) || seen.len() == MAX_DIRECTORIES {
                continue;
            }
            seen.push(offset);
            let Some(directory) = self.directory(offset) else {
                continue;
            };
            offsets.push(directory.next);
            let below = pointers.iter().rev().filter_map(|&tag| directory.find(tag));
            for below in below {
                let number = (below.count as usize).min(MAX_DIRECTORIES);
                let below = (0..number)
                    .rev()
                    .filter_map(|index| directory.number_of(below, index));
                offsets.extend(below);
            }
            directories.push(directory);
        }
        directories
    }

    fn directory(&self, offset: usize) -> Option<Directory<'a>> {
        let mut at = offset;
        let count_length = if self.word == 8 { 8 } else { 2 };
        let count = usize::try_from(self.read(at, count_length)?).ok()?;
        (count <= MAX_TAGS).then_some(())?;
        at = at.checked_add(count_length)?;
        let entry = 4 + 2 * self.word;
        let mut tags: Vec<Tag<'a>> = Vec::new();
        let mut is_complete = true;
        for _ in 0..count {
            self.read(at, entry.min(8))?;
            // A tag of a type that is unknown, or whose values are not in the file, counts as absent.
            match self.tag(at) {
                Some(tag) if tags.iter().all(|other| other.number != tag.number) => tags.push(tag),
                _ => is_complete = false,
            }
            at = at.checked_add(entry)?;
        }
        let next = self.read(at, self.word).unwrap_or_default();
        let end = at.saturating_add(self.word).min(self.bytes.len());
        Some(Directory {
            file: *self,
            tags,
            is_complete,
            range: offset..end,
            next: usize::try_from(next).unwrap_or_default(),
        })
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
            start,
        })
    }
}

impl<'a> Directory<'a> {
    /// The tag of this number.
    pub fn find(&self, number: u16) -> Option<&Tag<'a>> {
        self.tags.iter().find(|tag| tag.number == number)
    }

    /// The first value of a tag, as an unsigned number.
    pub fn number(&self, tag: u16) -> Option<usize> {
        self.number_of(self.find(tag)?, 0)
    }

    /// One of the values of a tag, as an unsigned number.
    pub fn number_of(&self, tag: &Tag<'_>, index: usize) -> Option<usize> {
        let length = length_of(tag.kind)?;
        let start = index.checked_mul(length)?;
        let bytes = tag.value.get(start..start.checked_add(length)?)?;
        usize::try_from(self.file.value(bytes)).ok()
    }
}

impl Directory<'_> {
    /// All values of a tag, as unsigned numbers; none if it is absent.
    pub fn numbers(&self, tag: u16) -> Vec<usize> {
        let Some(tag) = self.find(tag) else {
            return Vec::new();
        };
        let values = tag.value.chunks_exact(length_of(tag.kind).unwrap_or(1));
        values
            .map(|value| self.file.value(value) as usize)
            .collect()
    }

    /// All values of a tag of fractions; none if it is absent or a denominator is zero.
    pub fn rationals(&self, tag: u16) -> Vec<f32> {
        const RATIONAL: u16 = 5;
        let Some(tag) = self.find(tag).filter(|tag| tag.kind == RATIONAL) else {
            return Vec::new();
        };
        let fractions = tag.value.chunks_exact(8).map(|pair| {
            let (above, below) = (self.file.value(&pair[..4]), self.file.value(&pair[4..]));
            (below != 0).then(|| above as f32 / below as f32)
        });
        fractions.collect::<Option<_>>().unwrap_or_default()
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    /// Number, type, count, and the value or its offset.
    type Entry = (u16, u16, u32, u32);

    /// A little-endian file of directories, each with its offset, its tags and the offset of the next one.
    fn file(directories: &[(usize, &[Entry], u32)]) -> Vec<u8> {
        let mut bytes = vec![0; 400];
        bytes[..8].copy_from_slice(b"II*\0\x08\0\0\0");
        for (offset, tags, next) in directories {
            let mut directory = (tags.len() as u16).to_le_bytes().to_vec();
            for (number, kind, count, value) in *tags {
                directory.extend(number.to_le_bytes());
                directory.extend(kind.to_le_bytes());
                directory.extend(count.to_le_bytes());
                directory.extend(value.to_le_bytes());
            }
            directory.extend(next.to_le_bytes());
            bytes[*offset..offset + directory.len()].copy_from_slice(&directory);
        }
        bytes
    }

    #[test]
    fn directories_follow_each_other_with_those_below_them() {
        let tag = |value| [(0x100, 4, 1, value)];
        let with_below = [(0x100, 4, 1, 1), (0x14a, 4, 2, 200)];
        let mut bytes = file(&[
            (8, &with_below, 100),
            (100, &tag(4), 8), // leads back to the first
            (250, &tag(2), 0),
            (300, &tag(3), 0),
        ]);
        bytes[200..208].copy_from_slice(&[250, 0, 0, 0, 44, 1, 0, 0]);
        let file = File::of(&bytes).unwrap();
        let order: Vec<_> = file
            .directories()
            .iter()
            .map(|directory| directory.number(0x100).unwrap())
            .collect();
        assert_eq!(order, [1, 2, 3, 4]);
    }

    #[test]
    fn tags_that_are_unreadable_are_absent() {
        let bytes = file(&[(
            8,
            &[(1, 4, 1000, 9), (2, 99, 1, 1), (3, 3, 2, 0x0005_0004)],
            0,
        )]);
        let directory = File::of(&bytes).unwrap().first().unwrap();
        assert_eq!(directory.tags.len(), 1);
        assert!(!directory.is_complete);
        let numbers = [0, 1, 2].map(|index| directory.number_of(&directory.tags[0], index));
        assert_eq!(numbers, [Some(4), Some(5), None]);
        for end in 0..bytes.len() {
            let cut = File::of(&bytes[..end]);
            let _ = cut.map(|file| file.directories().len());
        }
    }

    #[test]
    fn no_more_than_64_directories_and_1000_tags_are_read() {
        let chain = |directories: u32, tags: u16| {
            let length = 6 + 12 * u32::from(tags);
            let mut bytes = b"II*\0\x08\0\0\0".to_vec();
            for number in 1..=directories {
                bytes.extend(tags.to_le_bytes());
                for tag in 0..tags {
                    bytes.extend(tag.to_le_bytes());
                    bytes.extend([3, 0, 1, 0, 0, 0, 7, 0, 0, 0]);
                }
                bytes.extend((8 + number * length).to_le_bytes());
            }
            bytes
        };
        for (directories, tags, expected) in [
            (63, 1, 63),
            (64, 1, 64),
            (65, 1, 64),
            (2, 1000, 2),
            (2, 1001, 0),
        ] {
            let bytes = chain(directories, tags);
            let read = File::of(&bytes).unwrap().directories();
            // After the last one there is no directory, or one without tags.
            let full = read
                .iter()
                .filter(|one| one.tags.len() == usize::from(tags));
            assert_eq!(full.count(), expected, "{directories} of {tags} tags");
        }
    }
}
