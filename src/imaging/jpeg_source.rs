//! The bytes that zune-jpeg reads.

use std::cell::Cell;

use zune_jpeg::zune_core::bytestream::{ZByteIoError, ZByteReaderTrait, ZSeekFrom};

use super::limits::Deadline;

/// How the reading went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The bytes sufficed.
    Whole,
    /// The decoder asked for more picture than there is.
    Cut,
    /// The source went dry because the time was up.
    TimedOut,
}

/// A JPEG's bytes with their end moved back: the picture, a stretch of zeros, and only then an
/// end-of-image marker, whether or not the file has one.
///
/// A decoder of a whole picture looks a few bytes ahead and never meets the real end; a word read
/// far in the zeros shows that the file was cut. (The search for the next marker goes byte by byte
/// and may cross the zeros.)
pub(super) struct Source<'a> {
    picture: &'a [u8],
    position: usize,
    reads: u32,
    deadline: Deadline,
    outcome: &'a Cell<Outcome>,
}

/// Longer than any look ahead.
const ZEROS: usize = 64;
const END_OF_IMAGE: [u8; 2] = [0xff, 0xd9];
/// Zeros that may be read. zune-jpeg refills by four bytes when it holds less than four, so seven
/// would do; the few blocks that the others could stand for are no loss.
const LOOK_AHEAD: usize = 16;
/// Reads between two looks at the clock: at most 16 KiB of picture.
const READS: u32 = 4096;

impl<'a> Source<'a> {
    /// Serves the first picture of a file. How it went is told through `outcome`, for the decoder
    /// keeps its source to itself.
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

    /// Copies what there is at the position and leaves the position; returns the number of bytes.
    #[inline]
    fn peek(&mut self, buffer: &mut [u8]) -> usize {
        self.reads += 1;
        if self.reads == READS {
            self.look_at_the_clock();
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
    fn look_at_the_clock(&mut self) {
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
            && self.outcome.get() == Outcome::Whole
        {
            self.outcome.set(Outcome::Cut);
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
        // Past the end is as good as at it, and keeps sums of positions small.
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

/// Where the first picture ends: the offset of its end-of-image marker, or of the file's end.
fn end_of_image(bytes: &[u8]) -> usize {
    Markers { bytes, at: 0 }
        .find(|(code, _)| *code == END_OF_IMAGE[1])
        .map_or(bytes.len(), |(_, offset)| offset - 2)
}

/// The coding process of a JPEG, if it is one that zune-jpeg does not know.
pub(super) fn foreign_process(bytes: &[u8]) -> Option<&'static str> {
    let is_frame = |code| matches!(code, 0xc0..=0xcf) && !matches!(code, 0xc4 | 0xc8 | 0xcc);
    let (code, segment) = Markers { bytes, at: 0 }.find(|(code, _)| is_frame(*code))?;
    // A frame header: its length in two bytes, then the bits of a sample.
    let bits = *bytes.get(segment + 2)?;
    match code {
        0xc3 | 0xc7 | 0xcb | 0xcf => Some("lossless coding"),
        0xc5 | 0xc6 => Some("hierarchical coding"),
        0xc9.. => Some("arithmetic coding"),
        _ if bits != 8 => Some("more than eight bits a sample"),
        _ => None,
    }
}

/// The markers of a JPEG: the code of each, and the offset behind it.
///
/// Segments are skipped whole, for they may hold thumbnails with markers of their own. Restart
/// markers and those that only look like one (stuffing) are left out.
struct Markers<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Iterator for Markers<'_> {
    type Item = (u8, usize);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let rest = self.bytes.get(self.at..)?;
            self.at += rest.iter().position(|&byte| byte == 0xff)? + 1;
            let code = *self.bytes.get(self.at)?;
            let behind = self.at + 1;
            self.at = match code {
                // A fill byte, which may itself begin a marker.
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
    fn the_end_is_found_behind_segments_with_markers_of_their_own() {
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
        let outcome = Cell::new(Outcome::Whole);
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
    fn words_far_past_the_end_show_a_cut_file() {
        let bytes = [7; 10];
        assert_eq!(read(&bytes, 10 + 8).0, Outcome::Whole);
        let (outcome, all) = read(&bytes, 10 + ZEROS + 2 + 5);
        assert_eq!(outcome, Outcome::Cut);
        let (zeros, tail) = all[10..].split_at(ZEROS);
        assert!(zeros.iter().all(|&byte| byte == 0));
        assert_eq!(tail, b"\xff\xd9\xee\xee\xee\xee\xee");
    }

    #[test]
    fn the_search_for_a_marker_crosses_the_zeros() {
        let outcome = Cell::new(Outcome::Whole);
        let forever = Deadline::after(Duration::MAX);
        let mut source = Source::new(b"\xff\xd8", forever, &outcome);
        let mut bytes = Vec::new();
        while !source.is_eof().unwrap() {
            bytes.push(source.read_byte_no_error());
        }
        assert_eq!(bytes.len(), 2 + ZEROS + 2);
        assert!(bytes.ends_with(&END_OF_IMAGE));
        assert_eq!(outcome.get(), Outcome::Whole);
    }

    #[test]
    fn it_goes_dry_when_the_time_is_up() {
        let outcome = Cell::new(Outcome::Whole);
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
