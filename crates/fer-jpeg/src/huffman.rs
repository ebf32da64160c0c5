//! Huffman tables that look up a code together with the bits of its value.
//!
//! A symbol of JPEG states how many zeros precede a coefficient and how many bits of its value follow. A look-up of
//! [`LOOK`] bits returns the length of code and value, so that the next symbol can be looked up before the value of
//! this one is computed. A look-up of [`SKIP`] bits skips several coefficients that a reduced picture does not need.

use crate::bits::Bits;
use crate::error::{Error, Result};

/// Bits of the look-up of one symbol.
const LOOK: u32 = 10;

/// Bits of the look-up that skips symbols.
const SKIP: u32 = 11;

/// The move of the symbol that ends a block: further than any other.
const END: u32 = 128;

/// Longest code.
const LONGEST: u32 = 16;

/// A Huffman table.
#[derive(Debug, Clone)]
pub struct Table {
    look: [Entry; 1 << LOOK],
    skip: [Skipped; 1 << SKIP],
    /// For each code length, one more than the last code of that length, aligned to 16 bits.
    ends: [u32; LONGEST as usize + 1],
    /// For each code length, what to add to a code to get the index of its symbol.
    offsets: [i32; LONGEST as usize + 1],
    symbols: [u8; 256],
    /// The number of coefficients and of value bits of a symbol.
    meaning: fn(u8) -> (u32, u32),
}

/// The symbol at the start of [`LOOK`] bits: in bits 0 to 5 the length of its code and its value, in bits 8 to 15 how
/// many coefficients it moves forward ([`END`]: to the end of the block), in bits 16 to 21 by how many bits more than
/// one the value is shifted from the top of a word, in bits 22 to 27 the length of the code, and in bits 28 to 31 the
/// value if no bits of it follow. Lengths have six bits because a shift by a register uses only the low six. [`LONGER`]
/// for a longer code.
type Entry = u32;

const LONGER: Entry = 0;

/// The symbols at the start of [`SKIP`] bits: in bits 0 to 5 the length of all with their values, in bits 8 to 15 how
/// many coefficients they move forward, and in bits 16 to 23 how many without the last symbol. Of the last symbol, only
/// the code must be within the bits. [`INCOMPLETE`] if no code is.
type Skipped = u32;

/// A move too far for any block.
const INCOMPLETE: Skipped = 64 << 16;

/// The meaning of a code.
#[derive(Clone, Copy)]
struct Symbol {
    /// The length of the code.
    length: u32,
    /// In the low byte how many coefficients it moves forward, and above that the value if no bits of it follow.
    forward: u32,
    /// The number of bits of the value, which follow.
    size: u32,
}

impl Symbol {
    /// The entry of the bits that begin with this symbol.
    const fn entry(self) -> Entry {
        let Self {
            length,
            forward,
            size,
        } = self;
        (forward >> 8) << 28
            | length << 22
            | (63 - size) << 16
            | (forward & 255) << 8
            | (length + size)
    }
}

/// A decoded symbol with its value.
#[derive(Clone, Copy)]
pub struct Coefficient {
    /// How many coefficients to move forward, to the position of the value or past zeros; [`Coefficient::ENDS`] or more
    /// at the end of the block.
    pub forward: usize,
    /// The value; at the end of the block, the exponent of a run of such blocks.
    pub value: i16,
}

impl Coefficient {
    /// The least distance that means the end of the block.
    pub const ENDS: usize = END as usize;
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
                (_, 0) => (END | run << 8, 0),
                _ => (run + 1, size),
            }
        })
    }

    fn new(counts: &[u8; 16], symbols: &[u8], meaning: fn(u8) -> (u32, u32)) -> Result<Self> {
        let bad = Error::Irregular("a Huffman table is inconsistent");
        if symbols.len() > 256 {
            return Err(bad);
        }
        let mut table = Self {
            look: [0; 1 << LOOK],
            skip: [0; 1 << SKIP],
            ends: [0; LONGEST as usize + 1],
            offsets: [0; LONGEST as usize + 1],
            symbols: [0; 256],
            meaning,
        };
        table.symbols[..symbols.len()].copy_from_slice(symbols);
        // The first symbol in each pattern of `SKIP` bits.
        let mut first = vec![None; 1 << SKIP];
        let (mut code, mut index) = (0_u32, 0_usize);
        for (length, &count) in (1..=LONGEST).zip(counts) {
            table.offsets[length as usize] = index as i32 - code as i32;
            for &symbol in &symbols[index..index + usize::from(count)] {
                let (forward, size) = meaning(symbol);
                if length <= SKIP && code < 1 << length {
                    let from = (code as usize) << (SKIP - length);
                    let symbol = Symbol {
                        length,
                        forward,
                        size,
                    };
                    first[from..from + (1 << (SKIP - length))].fill(Some(symbol));
                }
                code += 1;
            }
            index += usize::from(count);
            // The code of only ones is not allowed, nor are more codes than bit patterns.
            if count > 0 && code >= 1 << length {
                return Err(bad);
            }
            table.ends[length as usize] = code << (LONGEST - length);
            code <<= 1;
        }
        for (entry, symbol) in table
            .look
            .iter_mut()
            .zip(first.iter().step_by(1 << (SKIP - LOOK)))
        {
            let symbol = symbol.filter(|symbol: &Symbol| symbol.length <= LOOK);
            *entry = symbol.map_or(LONGER, Symbol::entry);
        }
        for (bits, entry) in table.skip.iter_mut().enumerate() {
            *entry = skip(bits, &first);
        }
        Ok(table)
    }

    /// Decodes a symbol and its value. At least 32 bits must have been read.
    ///
    /// # Errors
    /// If the bits are no code.
    #[inline(always)]
    pub fn decode(&self, bits: &mut Bits<'_>) -> Result<Coefficient> {
        let mut entry = self.look[bits.peek(LOOK) as usize];
        if entry == LONGER {
            // The bits are passed by value, so that the reader can stay in registers.
            entry = self.look_longer(bits.peek(LONGEST))?;
        }
        let value = signed(bits.behind(entry >> 22), entry >> 16);
        bits.consume(entry);
        Ok(Coefficient {
            forward: (entry >> 8 & 255) as usize,
            value: (value + (entry >> 28) as i32) as i16,
        })
    }

    /// The entry of a symbol whose code is longer than a look-up, from [`LONGEST`] bits.
    #[cold]
    #[inline(never)]
    fn look_longer(&self, bits: u32) -> Result<Entry> {
        let length = (1..=LONGEST).find(|&length| bits < self.ends[length as usize]);
        let length = length.ok_or(Error::Irregular("the data contain an unknown code"))?;
        let index = (bits >> (LONGEST - length)) as i32 + self.offsets[length as usize];
        let (forward, size) = (self.meaning)(self.symbols[(index & 255) as usize]);
        Ok(Symbol {
            length,
            forward,
            size,
        }
        .entry())
    }

    /// Skips symbols from coefficient `at` on, as far as a look-up reaches, at most to the end of the block. At least
    /// [`SKIP`] bits must have been read.
    ///
    /// Returns the next coefficient.
    ///
    /// # Errors
    /// If the bits are no code.
    #[inline(always)]
    pub fn skip(&self, at: usize, bits: &mut Bits<'_>) -> Result<usize> {
        let entry = self.skip[bits.peek(SKIP) as usize];
        // A block whose last coefficient is not zero ends without a symbol; the bits after it belong to the next block.
        if at + (entry >> 16) as usize <= 63 {
            bits.consume(entry);
            return Ok(at + (entry >> 8 & 255) as usize);
        }
        bits.ensure();
        Ok(at + self.decode(bits)?.forward)
    }
}

/// The entry for skipping the symbols at the start of these bits.
fn skip(bits: usize, first: &[Option<Symbol>]) -> Skipped {
    let (mut length, mut forward, mut before) = (0, 0, 0);
    while let Some(symbol) = first[bits << length & ((1 << SKIP) - 1)] {
        let (longer, further) = (
            length + symbol.length + symbol.size,
            forward + (symbol.forward & 255),
        );
        // The bits after these are unknown, so the whole code must be within them.
        if length + symbol.length > SKIP || further > 255 {
            break;
        }
        before = forward;
        (length, forward) = (longer, further);
        if forward >= END || length >= SKIP {
            break;
        }
    }
    if length == 0 {
        return INCOMPLETE;
    }
    before << 16 | forward << 8 | length
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
