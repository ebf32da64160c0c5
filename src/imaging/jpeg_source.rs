//! The byte source for zune-jpeg, which detects truncated files and enforces the deadline.

use std::cell::Cell;

use zune_jpeg::zune_core::bytestream::{ZByteIoError, ZByteReaderTrait, ZSeekFrom};

use super::limits::Deadline;

/// How reading ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The file has all bytes that the decoder read.
    Complete,
    /// The decoder read beyond the end of the picture's data.
    Truncated,
    /// The deadline passed, and the source returned no more bytes.
    TimedOut,
}

/// Serves a JPEG's picture data, then zeros, then an end-of-image marker, whether or not the file has one.
///
/// The decoder of a complete picture reads at most a few bytes ahead into the zeros. A word read farther
/// into them shows that the file is truncated. The search for the next marker reads single bytes and may
/// cross the zeros.
pub(super) struct Source<'a> {
    picture: &'a [u8],
    position: usize,
    reads: u32,
    deadline: Deadline,
    outcome: &'a Cell<Outcome>,
}

/// Number of zeros between the picture and the marker; more than any decoder reads ahead.
const ZEROS: usize = 64;
const END_OF_IMAGE: [u8; 2] = [0xff, 0xd9];
/// Number of zeros that a decoder may read ahead. zune-jpeg reads four bytes whenever it has fewer than four, so seven
/// would suffice. With nine more, a file that lacks its last few blocks may count as complete, which is acceptable.
const LOOK_AHEAD: usize = 16;
/// Reads between two checks of the deadline: at most 16 KiB of picture.
const READS: u32 = 4096;

impl<'a> Source<'a> {
    /// Serves the first picture of a file. The result is written to `outcome`, since the decoder owns the
    /// source and does not return it.
    pub(super) fn new(bytes: &'a [u8], deadline: Deadline, outcome: &'a Cell<Outcome>) -> Self {
        Self {
            picture: &bytes[..end_of_image(bytes)],
            position: 0,
            reads: 0,
            deadline,
            outcome,
        }
    }

    const fn len(&self) -> usize {
        self.picture.len() + ZEROS + END_OF_IMAGE.len()
    }

    /// Copies bytes from the position without moving it, and returns their number.
    #[inline]
    fn peek(&mut self, buffer: &mut [u8]) -> usize {
        self.reads += 1;
        if self.reads == READS {
            self.check_deadline();
        }
        let end = self.position + buffer.len();
        if let Some(bytes) = self.picture.get(self.position..end) {
            buffer.copy_from_slice(bytes);
            buffer.len()
        } else {
            self.peek_past_the_picture(buffer)
        }
    }

    #[cold]
    fn check_deadline(&mut self) {
        self.reads = 0;
        if self.deadline.has_passed() {
            self.outcome.set(Outcome::TimedOut);
            self.position = self.len();
        }
    }

    #[cold]
    fn peek_past_the_picture(&self, buffer: &mut [u8]) -> usize {
        let end = self.position + buffer.len();
        if buffer.len() > 1
            && end > self.picture.len() + LOOK_AHEAD
            && self.outcome.get() == Outcome::Complete
        {
            self.outcome.set(Outcome::Truncated);
        }
        let bytes = (self.position..end.min(self.len())).map(|at| {
            let past = at.saturating_sub(self.picture.len() + ZEROS);
            match self.picture.get(at) {
                Some(byte) => *byte,
                None if at < self.picture.len() + ZEROS => 0,
                None => END_OF_IMAGE[past],
            }
        });
        buffer
            .iter_mut()
            .zip(bytes)
            .map(|(slot, byte)| *slot = byte)
            .count()
    }
}

impl ZByteReaderTrait for Source<'_> {
    #[inline]
    fn read_byte_no_error(&mut self) -> u8 {
        let mut byte = [0];
        self.position += self.peek(&mut byte);
        byte[0]
    }

    #[inline]
    fn read_exact_bytes(&mut self, buffer: &mut [u8]) -> Result<(), ZByteIoError> {
        self.peek_exact_bytes(buffer)?;
        self.position += buffer.len();
        Ok(())
    }

    fn read_bytes(&mut self, buffer: &mut [u8]) -> Result<usize, ZByteIoError> {
        let served = self.peek(buffer);
        self.position += served;
        Ok(served)
    }

    fn peek_bytes(&mut self, buffer: &mut [u8]) -> Result<usize, ZByteIoError> {
        Ok(self.peek(buffer))
    }

    #[inline]
    fn peek_exact_bytes(&mut self, buffer: &mut [u8]) -> Result<(), ZByteIoError> {
        let served = self.peek(buffer);
        if served == buffer.len() {
            Ok(())
        } else {
            Err(ZByteIoError::NotEnoughBytes(served, buffer.len()))
        }
    }

    fn z_seek(&mut self, from: ZSeekFrom) -> Result<u64, ZByteIoError> {
        let target = match from {
            ZSeekFrom::Start(offset) => usize::try_from(offset).ok(),
            ZSeekFrom::End(offset) => self.len().checked_add_signed(offset as isize),
            ZSeekFrom::Current(offset) => self.position.checked_add_signed(offset as isize),
        };
        // Clamped to the end, so that sums of positions cannot overflow.
        self.position = target
            .ok_or(ZByteIoError::SeekError("before the first byte"))?
            .min(self.len());
        Ok(self.position as u64)
    }

    #[inline]
    fn is_eof(&mut self) -> Result<bool, ZByteIoError> {
        Ok(self.position >= self.len())
    }

    fn z_position(&mut self) -> Result<u64, ZByteIoError> {
        Ok(self.position as u64)
    }

    fn read_remaining(&mut self, sink: &mut Vec<u8>) -> Result<usize, ZByteIoError> {
        let old = sink.len();
        sink.resize(old + self.len().saturating_sub(self.position), 0);
        self.read_bytes(&mut sink[old..])
    }
}

/// The end of the first picture: the offset of its end-of-image marker, or the length of the file.
fn end_of_image(bytes: &[u8]) -> usize {
    end_of_image_after(bytes, 0)
}

/// The end of the first picture whose header ends at `at`, or at another segment's end after it.
pub(super) fn end_of_image_after(bytes: &[u8], at: usize) -> usize {
    Markers { bytes, at }
        .find(|(code, _)| *code == END_OF_IMAGE[1])
        .map_or(bytes.len(), |(_, offset)| offset - 2)
}

/// The coding process of a JPEG, if zune-jpeg does not support it.
pub(super) fn unsupported_process(bytes: &[u8]) -> Option<&'static str> {
    let is_frame = |code| matches!(code, 0xc0..=0xcf) && !matches!(code, 0xc4 | 0xc8 | 0xcc);
    let (code, segment) = Markers { bytes, at: 0 }.find(|(code, _)| is_frame(*code))?;
    // A frame header: its length in two bytes, then the bits per sample.
    let bits = *bytes.get(segment + 2)?;
    match code {
        0xc3 | 0xc7 | 0xcb | 0xcf => Some("lossless coding"),
        0xc5 | 0xc6 => Some("hierarchical coding"),
        0xc9.. => Some("arithmetic coding"),
        _ if bits != 8 => Some("more than eight bits per sample"),
        _ => None,
    }
}

/// The markers of a JPEG: the code of each, and the offset after it.
///
/// Skips whole segments, since they may contain thumbnails with markers of their own. Restart markers and
/// stuffed bytes are left out.
struct Markers<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Iterator for Markers<'_> {
    type Item = (u8, usize);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let rest = self.bytes.get(self.at..)?;
            self.at += memchr::memchr(0xff, rest)? + 1;
            let code = *self.bytes.get(self.at)?;
            let behind = self.at + 1;
            self.at = match code {
                // A fill byte, which may be the first byte of a marker.
                0xff => self.at,
                0x00 | 0x01 | 0xd0..=0xd9 => behind,
                _ => behind + self.segment_length(behind),
            };
            if !matches!(code, 0x00 | 0x01 | 0xd0..=0xd7 | 0xff) {
                return Some((code, behind));
            }
        }
    }
}

impl Markers<'_> {
    fn segment_length(&self, at: usize) -> usize {
        match self.bytes.get(at..).unwrap_or_default() {
            [high, low, ..] => usize::from(u16::from_be_bytes([*high, *low])),
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn markers_inside_segments_do_not_end_the_picture() {
        let thumbnail = b"\xff\xe1\x00\x08\xff\xd8\xff\xd9..";
        let scan = b"\xff\xda\x00\x02\x12\xff\x00\x34\xff\xd3\x56\xff\xff\xd9";
        let file = [
            b"\xff\xd8".as_slice(),
            thumbnail,
            scan,
            b"\xff\xd8 trailing \xff\xd9",
        ]
        .concat();
        let end = 2 + thumbnail.len() + scan.len() - 2;
        assert_eq!(end_of_image(&file), end);
        assert_eq!(end_of_image(&file[..end]), end);
        for cut in 0..end {
            assert_eq!(end_of_image(&file[..cut]), cut);
        }
    }

    fn read(bytes: &[u8], length: usize) -> (Outcome, Vec<u8>) {
        let outcome = Cell::new(Outcome::Complete);
        let forever = Deadline::after(Duration::MAX);
        let mut source = Source::new(bytes, forever, &outcome);
        let mut read = vec![0xee; length];
        for chunk in read.chunks_mut(4) {
            let before = source.position;
            let served = source.read_bytes(chunk).unwrap();
            assert_eq!(source.position, before + served);
        }
        (outcome.get(), read)
    }

    #[test]
    fn words_read_far_beyond_the_end_show_a_truncated_file() {
        let bytes = [7; 10];
        assert_eq!(read(&bytes, 10 + 8).0, Outcome::Complete);
        let (outcome, all) = read(&bytes, 10 + ZEROS + 2 + 5);
        assert_eq!(outcome, Outcome::Truncated);
        let (zeros, tail) = all[10..].split_at(ZEROS);
        assert!(zeros.iter().all(|&byte| byte == 0));
        assert_eq!(tail, b"\xff\xd9\xee\xee\xee\xee\xee");
    }

    #[test]
    fn the_search_for_a_marker_may_cross_the_zeros() {
        let outcome = Cell::new(Outcome::Complete);
        let forever = Deadline::after(Duration::MAX);
        let mut source = Source::new(b"\xff\xd8", forever, &outcome);
        let mut bytes = Vec::new();
        while !source.is_eof().unwrap() {
            bytes.push(source.read_byte_no_error());
        }
        assert_eq!(bytes.len(), 2 + ZEROS + 2);
        assert!(bytes.ends_with(&END_OF_IMAGE));
        assert_eq!(outcome.get(), Outcome::Complete);
    }

    #[test]
    fn after_the_deadline_it_returns_no_bytes() {
        let outcome = Cell::new(Outcome::Complete);
        let bytes = vec![7; 4 * READS as usize];
        let mut source = Source::new(&bytes, Deadline::after(Duration::ZERO), &outcome);
        let mut word = [0; 4];
        let reads = std::iter::repeat_with(|| source.read_exact_bytes(&mut word))
            .take_while(Result::is_ok)
            .count();
        assert_eq!(reads, READS as usize - 1);
        assert_eq!(outcome.get(), Outcome::TimedOut);
        assert!(source.is_eof().unwrap());
    }
}
