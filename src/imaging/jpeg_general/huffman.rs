//! The Huffman decoder of ITU-T T.81, annexes C and F.

use super::{CUT, Fault};

/// Number of bits of a code that are looked up at once.
const FAST: u32 = 9;

/// A table of codes.
#[derive(Clone)]
pub(super) struct Table {
    /// Indexed by the next nine bits: the value in the low byte and the length of its code in the high one; 0 for
    /// longer codes.
    fast: [u16; 1 << FAST],
    /// Indexed by length: the first code that is longer, aligned to 16 bits.
    limits: [u32; 18],
    /// Indexed by length: the number to add to a code to get the index of its value.
    offsets: [i32; 17],
    values: Vec<u8>,
}

impl Table {
    /// Builds a table from the number of codes of each length, 1 to 16, and their values.
    pub fn new(counts: [u8; 16], values: &[u8]) -> Result<Self, Fault> {
        let mut table = Self {
            fast: [0; 1 << FAST],
            limits: [0; 18],
            offsets: [0; 17],
            values: values.to_vec(),
        };
        let (mut code, mut index) = (0_u32, 0_usize);
        for length in 1..=16_u32 {
            table.offsets[length as usize] = index as i32 - code as i32;
            for _ in 0..counts[length as usize - 1] {
                let value = *values.get(index).ok_or(INVALID)?;
                if code >= 1 << length {
                    return Err(INVALID);
                }
                if length <= FAST {
                    let first = (code << (FAST - length)) as usize;
                    let number = 1 << (FAST - length);
                    table.fast[first..first + number].fill((length as u16) << 8 | u16::from(value));
                }
                code += 1;
                index += 1;
            }
            table.limits[length as usize] = code << (16 - length);
            code <<= 1;
        }
        table.limits[17] = u32::MAX;
        Ok(table)
    }
}

const INVALID: Fault = Fault::Damaged("a table of codes is invalid");
const NO_CODE: Fault = Fault::Damaged("its coded data are invalid");

/// Reads the bits of one restart interval, without stuffed bytes, up to the next marker.
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    pub at: usize,
    buffer: u64,
    count: u32,
}

impl<'a> BitReader<'a> {
    pub fn new(bytes: &'a [u8], at: usize) -> Self {
        Self {
            bytes,
            at,
            buffer: 0,
            count: 0,
        }
    }

    /// Fills the buffer with at least 32 bits, if there are as many before the next marker.
    fn fill(&mut self) {
        while self.count <= 56 {
            match self.bytes.get(self.at..) {
                Some([0xff, 0, ..]) => {
                    self.buffer = (self.buffer << 8) | 0xff;
                    self.at += 2;
                }
                Some([byte, ..]) if *byte != 0xff => {
                    self.buffer = (self.buffer << 8) | u64::from(*byte);
                    self.at += 1;
                }
                _ => return,
            }
            self.count += 8;
        }
    }

    /// The next 16 bits, with zeros after the last one.
    fn peek16(&mut self) -> u32 {
        if self.count < 16 {
            self.fill();
        }
        let bits = if self.count >= 16 {
            self.buffer >> (self.count - 16)
        } else {
            self.buffer << (16 - self.count)
        };
        (bits & 0xffff) as u32
    }

    fn skip(&mut self, count: u32) -> Result<(), Fault> {
        self.count = self.count.checked_sub(count).ok_or(CUT)?;
        Ok(())
    }

    /// Up to 16 bits as a number.
    pub fn bits(&mut self, count: u32) -> Result<i32, Fault> {
        if count == 0 {
            return Ok(0);
        }
        let bits = self.peek16() >> (16 - count);
        self.skip(count)?;
        Ok(bits as i32)
    }

    /// The value of the next code.
    pub fn value(&mut self, table: &Table) -> Result<u8, Fault> {
        let next = self.peek16();
        let fast = table.fast[(next >> (16 - FAST)) as usize];
        if fast != 0 {
            self.skip(u32::from(fast >> 8))?;
            return Ok(fast as u8);
        }
        let mut length = FAST + 1;
        while length <= 16 && next >= table.limits[length as usize] {
            length += 1;
        }
        if length > 16 {
            return Err(if self.count < 16 { CUT } else { NO_CODE });
        }
        self.skip(length)?;
        let index = (next >> (16 - length)) as i32 + table.offsets[length as usize];
        let value = usize::try_from(index)
            .ok()
            .and_then(|index| table.values.get(index));
        value.copied().ok_or(NO_CODE)
    }

    /// A number of `size` bits whose first bit is its sign (F.2.2.1).
    pub fn number(&mut self, size: u32) -> Result<i32, Fault> {
        if size == 0 {
            return Ok(0);
        }
        if size > 16 {
            return Err(NO_CODE);
        }
        let bits = self.bits(size)?;
        let is_negative = bits < 1 << (size - 1);
        Ok(if is_negative {
            bits - (1 << size) + 1
        } else {
            bits
        })
    }
}
