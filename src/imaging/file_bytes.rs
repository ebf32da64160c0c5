//! The bytes of a file, whose memory is released while they are decoded: an uncompressed or losslessly compressed file
//! takes nearly as much memory as its pixels.
//!
//! A vector can release memory only at its end. Bytes that are read from the first one on are therefore reversed first.

use std::borrow::Cow;
use std::io::{self, BufRead, ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;

use super::bmp;
use super::format::Format;
use super::limits::Task;
use super::lost::Pixels;
use super::tiff_any::Unpacked;
use super::{common_formats, jxl, png_rows, webp};
use crate::error::Skip;

/// What reading the headers of a file has given: its pixels, or how to decode them.
pub(super) enum Source {
    Pixels(Pixels),
    Bmp(bmp::Rows),
    Tiff(Unpacked),
    /// The file is still to be decoded, from its beginning.
    Unread,
}

impl Source {
    /// The pixels as stored.
    pub fn pixels(self, task: &Task<'_>, mut file: FileBytes<'_>) -> Result<Pixels, Skip> {
        match self {
            Self::Pixels(pixels) => Ok(pixels),
            Self::Bmp(rows) => rows.pixels(task, file).map(Pixels::whole),
            Self::Tiff(unpacked) => unpacked.pixels(task, file).map(Pixels::whole),
            Self::Unread => match task.format {
                Format::Png => png_rows::pixels(task, file.all()),
                Format::WebP => webp::pixels(task, file).map(Pixels::whole),
                Format::Jxl => jxl::pixels(task, file.all()).map(Pixels::whole),
                format => {
                    // The decoder of BMP may seek backwards.
                    let file = match format {
                        Format::Bmp => ByteReader::of(file.bytes()),
                        _ => file.all(),
                    };
                    common_formats::pixels(task, format.of_image_crate(), file).map(Pixels::whole)
                }
            },
        }
    }
}

/// The bytes of a file that are still needed, from its start on.
pub(super) struct FileBytes<'a>(Cow<'a, [u8]>);

impl<'a> FileBytes<'a> {
    pub fn of(bytes: Cow<'a, [u8]>) -> Self {
        Self(bytes)
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Keeps the first `length` bytes and releases the memory of the others, unless they are borrowed.
    pub fn keep(&mut self, length: usize) {
        match &mut self.0 {
            Cow::Borrowed(bytes) => *bytes = &bytes[..length.min(bytes.len())],
            Cow::Owned(bytes) => {
                bytes.truncate(length);
                release(bytes);
            }
        }
    }

    /// All bytes, to be read from the first one on.
    pub fn all(&mut self) -> ByteReader<'_> {
        self.reader(0..self.0.len())
    }

    /// A reader of the bytes in this range. Unless they are borrowed, the memory of what follows the range is released
    /// at once, and that of the range while it is read; the bytes of the range that remain in `self` are then in
    /// reverse order.
    ///
    /// # Panics
    /// If the range exceeds the bytes.
    pub fn reader(&mut self, range: Range<usize>) -> ByteReader<'_> {
        self.keep(range.end);
        match &mut self.0 {
            Cow::Borrowed(bytes) => ByteReader::of(&bytes[range]),
            Cow::Owned(bytes) => {
                bytes[range.start..].reverse();
                ByteReader(Bytes::Reversed(Reversed {
                    bytes,
                    start: range.start,
                    next: Vec::new(),
                    taken: 0,
                    passed: 0,
                }))
            }
        }
    }

    /// Divides the bytes at an offset, so that the memory of either part can be released separately.
    ///
    /// # Panics
    /// If there are fewer bytes.
    pub fn split_at(self, at: usize) -> (Self, Self) {
        match self.0 {
            Cow::Borrowed(bytes) => {
                let (before, after) = bytes.split_at(at);
                (Self(Cow::Borrowed(before)), Self(Cow::Borrowed(after)))
            }
            Cow::Owned(mut bytes) => {
                let after = bytes.split_off(at);
                release(&mut bytes);
                (Self(Cow::Owned(bytes)), Self(Cow::Owned(after)))
            }
        }
    }
}

/// Reads bytes from the first one on. Reading does not fail; seeking to bytes that were released does.
pub(super) struct ByteReader<'a>(Bytes<'a>);

enum Bytes<'a> {
    /// Borrowed bytes, and how many of them have been read.
    Borrowed(&'a [u8], usize),
    Reversed(Reversed<'a>),
}

/// Bytes in reverse order, so that those that have been read can be cut off.
struct Reversed<'a> {
    bytes: &'a mut Vec<u8>,
    /// The index of the last one to be read.
    start: usize,
    /// The next bytes in the right order and, below, how many of them have been read.
    next: Vec<u8>,
    taken: usize,
    /// How many bytes preceded those in `next`.
    passed: usize,
}

impl<'a> ByteReader<'a> {
    /// A reader of borrowed bytes, whose memory is not released.
    pub fn of(bytes: &'a [u8]) -> Self {
        Self(Bytes::Borrowed(bytes, 0))
    }

    /// The next `number` bytes, or all that are left, without reading past them.
    pub fn peek(&mut self, number: usize) -> &[u8] {
        match &mut self.0 {
            Bytes::Borrowed(bytes, at) => {
                let rest = &bytes[*at..];
                &rest[..number.min(rest.len())]
            }
            Bytes::Reversed(reversed) => reversed.peek(number),
        }
    }

    /// How many bytes are left.
    pub fn left(&self) -> usize {
        match &self.0 {
            Bytes::Borrowed(bytes, at) => bytes.len() - at,
            Bytes::Reversed(reversed) => reversed.left(),
        }
    }

    /// Skips `number` bytes, or all that are left.
    #[inline]
    pub fn pass(&mut self, number: usize) {
        match &mut self.0 {
            Bytes::Borrowed(bytes, at) => *at += number.min(bytes.len() - *at),
            Bytes::Reversed(reversed) => reversed.pass(number),
        }
    }
}

impl Reversed<'_> {
    fn left(&self) -> usize {
        self.next.len() - self.taken + self.bytes.len() - self.start
    }

    fn peek(&mut self, number: usize) -> &[u8] {
        if self.next.len() - self.taken < number {
            self.fill(number);
        }
        let rest = &self.next[self.taken..];
        &rest[..number.min(rest.len())]
    }

    /// Fills `next` with `number` bytes, or all that are left.
    #[cold]
    fn fill(&mut self, number: usize) {
        self.next.drain(..self.taken);
        self.passed += self.taken;
        self.taken = 0;
        let more = (number - self.next.len()).min(self.bytes.len() - self.start);
        let rest = self.bytes.len() - more;
        self.next.extend(self.bytes[rest..].iter().rev());
        self.bytes.truncate(rest);
        release(self.bytes);
    }

    #[inline]
    fn pass(&mut self, number: usize) {
        let there = self.next.len() - self.taken;
        if number <= there {
            self.taken += number;
            return;
        }
        let skipped = (number - there).min(self.bytes.len() - self.start);
        self.passed += self.next.len() + skipped;
        self.next.clear();
        self.taken = 0;
        self.bytes.truncate(self.bytes.len() - skipped);
        release(self.bytes);
    }
}

/// Bytes that are put in the right order at once.
const PIECE: usize = 16 << 10;

impl Read for ByteReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for ByteReader<'_> {
    #[inline]
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match &mut self.0 {
            Bytes::Borrowed(bytes, at) => Ok(&bytes[*at..]),
            Bytes::Reversed(reversed) => {
                // Only when `next` has been read to its end, so that no bytes are moved: some decoders call this for
                // every few bytes.
                if reversed.taken == reversed.next.len() {
                    reversed.fill(PIECE);
                }
                Ok(&reversed.next[reversed.taken..])
            }
        }
    }

    #[inline]
    fn consume(&mut self, amount: usize) {
        self.pass(amount);
    }
}

impl Seek for ByteReader<'_> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        let (now, end) = match &self.0 {
            Bytes::Borrowed(bytes, at) => (*at, bytes.len()),
            Bytes::Reversed(reversed) => {
                let now = reversed.passed + reversed.taken;
                (now, now + reversed.left())
            }
        };
        let from = |base: usize, by: i64| (base as u64).checked_add_signed(by);
        let wanted = match position {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::Current(by) => from(now, by),
            SeekFrom::End(by) => from(end, by),
        };
        let wanted = wanted.ok_or(ErrorKind::InvalidInput)?;
        // A position beyond the end reads like the end.
        let target = usize::try_from(wanted).map_or(end, |offset| offset.min(end));
        match &mut self.0 {
            Bytes::Borrowed(_, at) => *at = target,
            Bytes::Reversed(reversed) if target >= now => reversed.pass(target - now),
            Bytes::Reversed(_) => return Err(ErrorKind::Unsupported.into()),
        }
        Ok(wanted)
    }
}

/// Releases a vector's unused capacity if there is enough of it to be worth the call.
pub(super) fn release<T>(vector: &mut Vec<T>) {
    /// Least capacity that is worth releasing, in bytes.
    const MIN_RELEASED: usize = 4 << 20;
    if (vector.capacity() - vector.len()) * size_of::<T>() >= MIN_RELEASED {
        vector.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(length: usize) -> Vec<u8> {
        (0..length).map(|at| (at / 251) as u8 ^ at as u8).collect()
    }

    #[test]
    fn the_end_of_owned_bytes_is_released() {
        let whole = numbered(16 << 20);
        let mut borrowed = FileBytes::of(Cow::Borrowed(&whole));
        let mut owned = FileBytes::of(Cow::Owned(whole.clone()));
        for length in [15 << 20, 9 << 20, 10 << 20, 5] {
            for file in [&mut borrowed, &mut owned] {
                file.keep(length);
                assert_eq!(file.bytes(), &whole[..file.bytes().len()]);
                assert!(file.bytes().len() <= length);
            }
            let Cow::Owned(bytes) = &owned.0 else {
                unreachable!("it was owned");
            };
            assert!(bytes.capacity() < bytes.len() + (4 << 20));
        }
    }

    #[test]
    fn bytes_that_were_read_are_released_too() {
        let whole = numbered(16 << 20);
        let mut owned = FileBytes::of(Cow::Owned(whole.clone()));
        let mut reader = owned.reader(1 << 20..15 << 20);
        let mut read = vec![0; 9 << 20];
        reader.read_exact(&mut read).unwrap();
        assert!(read == whole[1 << 20..10 << 20]);
        let Bytes::Reversed(reversed) = &reader.0 else {
            unreachable!("it was owned");
        };
        assert!(reversed.bytes.capacity() < 11 << 20);
        read.clear();
        reader.read_to_end(&mut read).unwrap();
        assert!(read == whole[10 << 20..15 << 20]);
        // The bytes before it can still be read.
        let mut before = Vec::new();
        owned.reader(0..1 << 20).read_to_end(&mut before).unwrap();
        assert!(before == whole[..1 << 20]);
    }

    #[test]
    fn both_readers_read_and_seek_alike() {
        let whole = numbered(100_000);
        let mut owned = FileBytes::of(Cow::Owned(whole.clone()));
        let mut reversed = owned.all();
        let mut borrowed = ByteReader::of(&whole);
        let mut buffer = vec![0; 40_000];
        for (step, number) in [3, 16_384, 40_000, 0, 7, 9_000, 20_000, 40_000, 5]
            .into_iter()
            .enumerate()
        {
            for reader in [&mut borrowed, &mut reversed] {
                match step {
                    3 => assert_eq!(reader.seek(SeekFrom::Start(60_000)).unwrap(), 60_000),
                    6 => reader.seek_relative(2_000).unwrap(),
                    _ => {}
                }
            }
            let position = borrowed.stream_position().unwrap();
            assert_eq!(reversed.stream_position().unwrap(), position);
            assert_eq!(reversed.left(), borrowed.left());
            let expected = borrowed.peek(number).to_vec();
            assert!(reversed.peek(number) == expected, "{step}");
            let read = borrowed.read(&mut buffer[..number]).unwrap();
            reversed.read_exact(&mut buffer[..read]).unwrap();
            assert!(buffer[..read] == expected[..read], "{step}");
        }
        assert_eq!(reversed.left(), 0);
        assert!(reversed.fill_buf().unwrap().is_empty());
        assert_eq!(reversed.seek(SeekFrom::Start(200_000)).unwrap(), 200_000);
        let error = reversed.seek(SeekFrom::Start(99_999)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        borrowed.seek(SeekFrom::End(-1)).unwrap();
        assert_eq!(borrowed.left(), 1);
    }

    #[test]
    fn parts_of_a_file_are_released_separately() {
        let whole = numbered(1000);
        for file in [Cow::Borrowed(&whole[..]), Cow::Owned(whole.clone())] {
            let (before, mut after) = FileBytes::of(file).split_at(400);
            after.keep(100);
            assert_eq!(before.bytes(), &whole[..400]);
            assert_eq!(after.bytes(), &whole[400..500]);
        }
    }
}
