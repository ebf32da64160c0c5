//! The codings of fax machines (ITU-T T.4 and T.6; TIFF 6.0, sections 10 and 11), of any width and number of lines. The
//! codes are those of the crate `fax`, whose own decoder has no group 3 in two dimensions and at most 65,535 lines.

use std::convert::Infallible;

use fax::maps::{Mode, black, mode, white};
use fax::{BitReader, ByteReader};

/// Most pixels of a line: the places where its colour changes are in memory.
pub(super) const MAX_WIDTH: usize = 1 << 20;

/// How lines are coded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// Runs alone, each line from a new byte on (compression 2).
    Runs,
    /// T.4, each line after an end-of-line code; `true` if the bit after it says whether the line refers to the one
    /// above.
    Group3(bool),
    /// T.6: each line refers to the one above.
    Group4,
}

/// Unpacks lines of `width` pixels to at most `length` bytes, in which a set bit is black. There are fewer bytes if the
/// data end or are invalid before. Lines that the code for the end of the picture leaves out are white, and so is the
/// rest of a line that is invalid if another one follows an end-of-line code. Stops when `should_stop` says so.
pub(super) fn unpacked(
    coding: Coding,
    data: &[u8],
    (width, length): (usize, usize),
    should_stop: &dyn Fn() -> bool,
) -> Vec<u8> {
    /// Pixels between two questions whether to stop.
    const PART: usize = 1 << 18;
    // Codes are looked up by more bits than the last one has.
    let padded = data.iter().copied().chain([0; 4]).map(Ok::<_, Infallible>);
    let Ok(reader) = ByteReader::new(padded);
    let mut lines = Lines {
        reader,
        width,
        above: Vec::new(),
        line: Vec::new(),
    };
    let mut bytes = Vec::new();
    let mut pixels = 0;
    while bytes.len() < length {
        // A line without pixels takes time as well.
        pixels += width + 32;
        if pixels >= PART {
            pixels = 0;
            if should_stop() {
                break;
            }
        }
        std::mem::swap(&mut lines.above, &mut lines.line);
        lines.line.clear();
        let end = match coding {
            Coding::Runs => lines.runs().inspect(|()| lines.align()),
            Coding::Group3(is_in_two) => lines.after_end_of_line(is_in_two),
            Coding::Group4 => lines.changes(),
        };
        match end {
            Ok(()) => lines.put(&mut bytes),
            Err(End::OfLine) if coding == Coding::Group4 && lines.is_end_of_picture() => {
                bytes.resize(length, 0);
            }
            Err(_) => break,
        }
    }
    bytes
}

/// Why a line ends before its last pixel.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// More zeros follow than any code begins with: an end-of-line code, or the end of the data.
    OfLine,
    OfPicture,
    Invalid,
}

/// Decodes lines one after the other.
struct Lines<R> {
    reader: R,
    width: usize,
    /// Where the line above, and the current one, change their colour, from white on; ascending.
    above: Vec<usize>,
    line: Vec<usize>,
}

impl<R: BitReader> Lines<R> {
    /// Whether an end-of-line code follows, perhaps after filling bits.
    fn is_end_of_line(&self) -> bool {
        self.reader.peek(9).is_none_or(|bits| bits == 0)
    }

    /// Whether the end of a picture of group 4 follows. Takes it.
    fn is_end_of_picture(&mut self) -> bool {
        matches!(mode::decode(&mut self.reader), Some(Mode::EOF))
    }

    /// Takes what is left of a byte.
    fn align(&mut self) {
        let bits = self.reader.bits_to_byte_boundary();
        let _ = self.reader.consume(bits);
    }

    /// Takes everything up to an end-of-line code, and this code: at least eleven zeros and a one. `false` at the end
    /// of the data.
    fn take_end_of_line(&mut self) -> bool {
        let mut zeros = 0;
        while let Some(bit) = self.reader.peek(1) {
            let _ = self.reader.consume(1);
            if bit == 1 && zeros >= 11 {
                return true;
            }
            zeros = if bit == 0 { zeros + 1 } else { 0 };
        }
        false
    }

    /// A line of group 3. Six end-of-line codes end the picture.
    fn after_end_of_line(&mut self, is_in_two: bool) -> Result<(), End> {
        let mut is_alone = true;
        for _ in 0..6 {
            if !self.take_end_of_line() {
                return Err(End::OfPicture);
            }
            if is_in_two {
                is_alone = self.reader.peek(1) != Some(0);
                let _ = self.reader.consume(1);
            }
            if !self.is_end_of_line() {
                let end = if is_alone {
                    self.runs()
                } else {
                    self.changes()
                };
                if end.is_err() && self.line.len() % 2 == 1 {
                    self.line.pop();
                }
                return Ok(());
            }
        }
        Err(End::OfPicture)
    }

    /// A line in one dimension (T.4, section 4.1): runs of white and black in turn.
    fn runs(&mut self) -> Result<(), End> {
        let (mut at, mut is_black) = (0, false);
        while at < self.width {
            at += self.run(is_black)?;
            self.change(at);
            is_black = !is_black;
        }
        Ok(())
    }

    /// A line in two dimensions (T.4, section 4.2; T.6, section 2.2): changes of colour near those of the line above.
    fn changes(&mut self) -> Result<(), End> {
        // The pixel up to which the line is known; `None` is the imaginary white one before it. Below, the index of the
        // next change of the line above.
        let (mut at, mut is_black, mut next) = (None, false, 0);
        while at.is_none_or(|at| at < self.width) {
            if self.is_end_of_line() {
                return Err(End::OfLine);
            }
            let is_behind = |change: usize| at.is_none_or(|at| change > at);
            while next > 0 && is_behind(self.above[next - 1]) {
                next -= 1;
            }
            while next < self.above.len()
                && (!is_behind(self.above[next]) || (next % 2 == 1) != is_black)
            {
                next += 1;
            }
            let change = |index: usize| self.above.get(index).copied().unwrap_or(self.width);
            let start = at.unwrap_or(0);
            at = Some(match mode::decode(&mut self.reader) {
                Some(Mode::Pass) => change(next + 1),
                Some(Mode::Vertical(by)) => {
                    let to = change(next).saturating_add_signed(by.into());
                    if to < start || to > self.width {
                        return Err(End::Invalid);
                    }
                    self.change(to);
                    is_black = !is_black;
                    to
                }
                Some(Mode::Horizontal) => {
                    let first = start + self.run(is_black)?;
                    self.change(first);
                    let second = first + self.run(!is_black)?;
                    self.change(second);
                    second
                }
                Some(Mode::Extension | Mode::EOF) | None => return Err(End::Invalid),
            });
        }
        Ok(())
    }

    /// The length of a run: codes for multiples of 64, and one for the rest.
    fn run(&mut self, is_black: bool) -> Result<usize, End> {
        let mut length = 0;
        loop {
            if self.is_end_of_line() {
                return Err(End::OfLine);
            }
            let code = if is_black {
                black::decode(&mut self.reader)
            } else {
                white::decode(&mut self.reader)
            };
            let code = usize::from(code.ok_or(End::Invalid)?);
            length += code;
            if code < 64 {
                return Ok(length);
            }
            if length > self.width + 64 {
                return Err(End::Invalid);
            }
        }
    }

    /// Notes a change of colour; two at the same pixel are none.
    fn change(&mut self, at: usize) {
        if self.line.last() == Some(&at) {
            self.line.pop();
        } else {
            self.line.push(at);
        }
    }

    /// Adds the line to the others, and leaves out changes behind its end.
    fn put(&mut self, bytes: &mut Vec<u8>) {
        let width = self.width;
        self.line.retain(|&at| at < width);
        let start = bytes.len();
        bytes.resize(start + width.div_ceil(8), 0);
        for black in self.line.chunks(2) {
            let end = black.get(1).copied().unwrap_or(width);
            for x in black[0]..end {
                bytes[start + x / 8] |= 0x80 >> (x % 8);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of these bits, of which spaces count nothing.
    fn bytes(bits: &str) -> Vec<u8> {
        let bits: Vec<u8> = bits.bytes().filter(|&bit| bit != b' ').collect();
        let byte = |bits: &[u8]| {
            let ones = bits.iter().enumerate();
            ones.fold(0, |byte, (at, &bit)| byte | (bit & 1) << (7 - at))
        };
        bits.chunks(8).map(byte).collect()
    }

    fn unpacked(coding: Coding, data: &[u8], width: usize, length: usize) -> Vec<u8> {
        super::unpacked(coding, data, (width, length), &|| false)
    }

    const END_OF_LINE: &str = "000000000001";

    #[test]
    fn a_line_refers_to_the_one_above() {
        // Twice white 4, black 2, white 2; then black one pixel to the right, and one without black.
        let lines = [
            format!("{END_OF_LINE}1 1011 11 0111"),
            format!("{END_OF_LINE}0 1 1 1"),
            format!("{END_OF_LINE}0 011 011 1"),
            format!("0000{END_OF_LINE}0 0001 1"),
            format!("{END_OF_LINE}1").repeat(6),
        ];
        let data = bytes(&lines.concat());
        let expected = [0b0000_1100, 0b0000_1100, 0b0000_0110, 0];
        assert_eq!(unpacked(Coding::Group3(true), &data, 8, 4), expected);
        assert_eq!(
            unpacked(Coding::Group3(true), &data, 8, 9),
            expected,
            "the picture ends"
        );
    }

    #[test]
    fn an_invalid_line_is_white_from_the_fault_on() {
        let lines = [
            format!("{END_OF_LINE} 1011 11 0111"),
            // Black 2, and no code.
            format!("{END_OF_LINE} 00110101 11 000000001"),
            format!("{END_OF_LINE} 1011 11 0111"),
        ];
        let data = bytes(&lines.concat());
        let expected = [0b0000_1100, 0b1100_0000, 0b0000_1100];
        assert_eq!(unpacked(Coding::Group3(false), &data, 8, 3), expected);
    }

    #[test]
    fn lines_of_runs_begin_with_a_byte() {
        // White 4, black 2, white 2; black 8.
        let data = bytes("1011 11 0111 000000 00110101 000101 00");
        let expected = [0b0000_1100, 0xff];
        assert_eq!(unpacked(Coding::Runs, &data, 8, 2), expected);
        assert_eq!(unpacked(Coding::Runs, &data, 8, 3), expected);
    }

    #[test]
    fn more_lines_than_two_bytes_count_are_read() {
        let data = [0xff; 10_000];
        let lines = unpacked(Coding::Group4, &data, 8, 80_000);
        assert!(lines == vec![0; 80_000]);
    }

    #[test]
    fn any_bits_are_read_or_refused() {
        let mut state = 1_u32;
        let data: Vec<u8> = (0..20_000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8 & (state >> 16) as u8
            })
            .collect();
        for coding in [
            Coding::Runs,
            Coding::Group3(false),
            Coding::Group3(true),
            Coding::Group4,
        ] {
            for (width, start) in (1..400_usize).map(|at| (at, 17 * at)) {
                let length = 50 * width.div_ceil(8);
                assert!(unpacked(coding, &data[start..], width, length).len() <= length);
            }
        }
    }
}
