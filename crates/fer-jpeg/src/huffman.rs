//! Huffman tables that look up a code together with the bits of its value.
//!
//! A symbol of JPEG states how many zeros precede a coefficient and how many bits of its value follow. A look-up of
//! [`LOOKUP_BITS`] bits returns the length of code and value, so that the next symbol can be looked up before the value of
//! this one is computed. A look-up of [`SKIP_BITS`] bits skips several coefficients that a reduced picture does not need.

use crate::bits::BitReader;
use crate::error::{Error, Result};

/// Bits of the look-up of one symbol.
const LOOKUP_BITS: u32 = 10;

/// Bits of the look-up that skips symbols.
const SKIP_BITS: u32 = 11;

/// The move of the symbol that ends a block: further than any other.
const END_OF_BLOCK: u32 = 128;

/// Longest code.
const MAX_CODE_LENGTH: u32 = 16;

/// A Huffman table.
#[derive(Debug, Clone)]
pub struct Table {
    lookup: [Entry; 1 << LOOKUP_BITS],
    skip: [SkipEntry; 1 << SKIP_BITS],
    /// For each code length, one more than the last code of that length, aligned to 16 bits.
    ends: [u32; MAX_CODE_LENGTH as usize + 1],
    /// For each code length, what to add to a code to get the index of its symbol.
    offsets: [i32; MAX_CODE_LENGTH as usize + 1],
    symbols: [u8; 256],
    /// The number of coefficients and of value bits of a symbol.
    interpret: fn(u8) -> (u32, u32),
}

/// The symbol at the start of [`LOOKUP_BITS`] bits: in bits 0 to 5 the length of its code and its value, in bits 8 to 15 how
/// many coefficients it moves forward ([`END_OF_BLOCK`]: to the end of the block), in bits 16 to 21 by how many bits more than
/// one the value is shifted from the top of a word, in bits 22 to 27 the length of the code, and in bits 28 to 31 the
/// value if no bits of it follow. Lengths have six bits because a shift by a register uses only the low six. [`LONG_CODE`]
/// for a longer code.
type Entry = u32;

const LONG_CODE: Entry = 0;

/// The symbols at the start of [`SKIP_BITS`] bits: in bits 0 to 5 the length of all with their values, in bits 8 to 15 how
/// many coefficients they move forward, and in bits 16 to 23 how many without the last symbol. Of the last symbol, only
/// the code must be within the bits. [`INCOMPLETE`] if no code is.
type SkipEntry = u32;

/// A move too far for any block.
const INCOMPLETE: SkipEntry = 64 << 16;

/// The meaning of a code.
#[derive(Clone, Copy)]
struct Symbol {
    /// The length of the code.
    length: u32,
    /// In the low byte how many coefficients it moves forward, and above that the value if no bits of it follow.
    advance: u32,
    /// The number of bits of the value, which follow.
    size: u32,
}

impl Symbol {
    /// The entry of the bits that begin with this symbol.
    const fn entry(self) -> Entry {
        let Self {
            length,
            advance,
            size,
        } = self;
        (advance >> 8) << 28
            | length << 22
            | (63 - size) << 16
            | (advance & 255) << 8
            | (length + size)
    }
}

/// A decoded symbol with its value.
#[derive(Clone, Copy)]
pub struct Coefficient {
    /// How many coefficients to move forward, to the position of the value or past zeros; [`Coefficient::END_OF_BLOCK`] or more
    /// at the end of the block.
    pub advance: usize,
    /// The value; at the end of the block, the exponent of a run of such blocks.
    pub value: i16,
}

impl Coefficient {
    /// The least distance that means the end of the block.
    pub const END_OF_BLOCK: usize = END_OF_BLOCK as usize;
}

impl Table {
    /// A table of the sizes of DC differences.
    ///
    /// # Errors
    /// If it is no table for eight-bit samples.
    pub fn dc(counts: &[u8; 16], symbols: &[u8]) -> Result<Self> {
        if symbols.iter().any(|&size| size > 11) {
            return Err(Error::Irregular("a Huffman table has an impossible size"));
        }
        Self::new(counts, symbols, |symbol| (1, u32::from(symbol)))
    }

    /// A table of runs and sizes of the other coefficients.
    ///
    /// # Errors
    /// If it is no table for eight-bit samples.
    pub fn ac(counts: &[u8; 16], symbols: &[u8]) -> Result<Self> {
        Self::new(counts, symbols, |symbol| {
            let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
            match (run, size) {
                (15, 0) => (16, 0),
                // For a progressive scan the length of the run of such blocks matters.
                (_, 0) => (END_OF_BLOCK | run << 8, 0),
                _ => (run + 1, size),
            }
        })
    }

    fn new(counts: &[u8; 16], symbols: &[u8], interpret: fn(u8) -> (u32, u32)) -> Result<Self> {
        let bad = Error::Irregular("a Huffman table is inconsistent");
        if symbols.len() > 256 {
            return Err(bad);
        }
        let mut table = Self {
            lookup: [0; 1 << LOOKUP_BITS],
            skip: [0; 1 << SKIP_BITS],
            ends: [0; MAX_CODE_LENGTH as usize + 1],
            offsets: [0; MAX_CODE_LENGTH as usize + 1],
            symbols: [0; 256],
            interpret,
        };
        table.symbols[..symbols.len()].copy_from_slice(symbols);
        // The first symbol in each pattern of `SKIP_BITS` bits.
        let mut first = vec![None; 1 << SKIP_BITS];
        let (mut code, mut index) = (0_u32, 0_usize);
        for (length, &count) in (1..=MAX_CODE_LENGTH).zip(counts) {
            table.offsets[length as usize] = index as i32 - code as i32;
            for &symbol in &symbols[index..index + usize::from(count)] {
                let (advance, size) = interpret(symbol);
                if length <= SKIP_BITS && code < 1 << length {
                    let from = (code as usize) << (SKIP_BITS - length);
                    let symbol = Symbol {
                        length,
                        advance,
                        size,
                    };
                    first[from..from + (1 << (SKIP_BITS - length))].fill(Some(symbol));
                }
                code += 1;
            }
            index += usize::from(count);
            // The code of only ones is not allowed, nor are more codes than bit patterns.
            if count > 0 && code >= 1 << length {
                return Err(bad);
            }
            table.ends[length as usize] = code << (MAX_CODE_LENGTH - length);
            code <<= 1;
        }
        for (entry, symbol) in table
            .lookup
            .iter_mut()
            .zip(first.iter().step_by(1 << (SKIP_BITS - LOOKUP_BITS)))
        {
            let symbol = symbol.filter(|symbol: &Symbol| symbol.length <= LOOKUP_BITS);
            *entry = symbol.map_or(LONG_CODE, Symbol::entry);
        }
        for (bits, entry) in table.skip.iter_mut().enumerate() {
            *entry = skip_entry(bits, &first);
        }
        Ok(table)
    }

    /// Decodes a symbol and its value. At least 32 bits must have been read.
    ///
    /// # Errors
    /// If the bits are no code.
    #[inline(always)]
    pub fn decode(&self, bits: &mut BitReader<'_>) -> Result<Coefficient> {
        let mut entry = self.lookup[bits.peek(LOOKUP_BITS) as usize];
        if entry == LONG_CODE {
            // The bits are passed by value, so that the reader can stay in registers.
            entry = self.decode_long_code(bits.peek(MAX_CODE_LENGTH))?;
        }
        let value = signed(bits.peek_after(entry >> 22), entry >> 16);
        bits.consume(entry);
        Ok(Coefficient {
            advance: (entry >> 8 & 255) as usize,
            value: (value + (entry >> 28) as i32) as i16,
        })
    }

    /// The entry of a symbol whose code is longer than a look-up, from [`MAX_CODE_LENGTH`] bits.
    #[cold]
    #[inline(never)]
    fn decode_long_code(&self, bits: u32) -> Result<Entry> {
        let length = (1..=MAX_CODE_LENGTH).find(|&length| bits < self.ends[length as usize]);
        let length = length.ok_or(Error::Irregular("the data contain an unknown code"))?;
        let index = (bits >> (MAX_CODE_LENGTH - length)) as i32 + self.offsets[length as usize];
        let (advance, size) = (self.interpret)(self.symbols[(index & 255) as usize]);
        Ok(Symbol {
            length,
            advance,
            size,
        }
        .entry())
    }

    /// Skips symbols from coefficient `at` on, as far as a look-up reaches, at most to the end of the block. At least
    /// [`SKIP_BITS`] bits must have been read.
    ///
    /// Returns the next coefficient.
    ///
    /// # Errors
    /// If the bits are no code.
    #[inline(always)]
    pub fn skip(&self, at: usize, bits: &mut BitReader<'_>) -> Result<usize> {
        let entry = self.skip[bits.peek(SKIP_BITS) as usize];
        // A block whose last coefficient is not zero ends without a symbol; the bits after it belong to the next block.
        if at + (entry >> 16) as usize <= 63 {
            bits.consume(entry);
            return Ok(at + (entry >> 8 & 255) as usize);
        }
        bits.refill_if_low();
        Ok(at + self.decode(bits)?.advance)
    }
}

/// The entry for skipping the symbols at the start of these bits.
fn skip_entry(bits: usize, first: &[Option<Symbol>]) -> SkipEntry {
    let (mut length, mut advance, mut before) = (0, 0, 0);
    while let Some(symbol) = first[bits << length & ((1 << SKIP_BITS) - 1)] {
        let (longer, further) = (
            length + symbol.length + symbol.size,
            advance + (symbol.advance & 255),
        );
        // The bits after these are unknown, so the whole code must be within them.
        if length + symbol.length > SKIP_BITS || further > 255 {
            break;
        }
        before = advance;
        (length, advance) = (longer, further);
        if advance >= END_OF_BLOCK || length >= SKIP_BITS {
            break;
        }
    }
    if length == 0 {
        return INCOMPLETE;
    }
    before << 16 | advance << 8 | length
}

/// The value of the highest `63 - shift` bits of a word, at most 15: if the first is 0, they are the complement of a
/// negative value's magnitude (T.81, F.2.2.1). Only the low six bits of `shift` are used.
#[inline(always)]
const fn signed(word: u64, shift: u32) -> i32 {
    // Without a branch, which would be unpredictable.
    let flip = !(word as i64 >> 63);
    let amount = ((word ^ flip as u64) >> 1 >> (shift & 63)) as i32;
    (amount ^ flip as i32) - flip as i32
}
