//! Decodes the coefficients of single blocks, for each kind of scan.

use super::arithmetic::{Decoder, Statistics};
use super::frame::{Part, ScanHeader, ZIGZAG};
use super::huffman::{BitReader, Table};
use super::{CUT, Fault};

/// A block of coefficients, in the order of its rows.
pub(super) type Block = [i16; 64];

/// The state of a block decoder within a restart interval, for each component of the scan.
#[derive(Default)]
pub(super) struct Memory {
    /// The DC coefficient of the component's last block.
    dc: [i32; 4],
    /// The arithmetic decoder's context for the next one.
    context: [usize; 4],
    /// The number of blocks that have no further coefficients in this band.
    empty: u32,
}

/// The entropy decoder of one restart interval.
pub(super) enum Entropy<'a> {
    Huffman(BitReader<'a>),
    Arithmetic(Decoder<'a>, Box<Statistics>),
}

impl Entropy<'_> {
    /// The offset of the first byte that was not read.
    pub fn at(&self) -> usize {
        match self {
            Self::Huffman(bits) => bits.at,
            Self::Arithmetic(decoder, _) => decoder.at,
        }
    }
}

/// The tables of a component in a scan; those that its kind of scan does not need may be absent.
pub(super) struct Tables<'a> {
    pub dc: Option<&'a Table>,
    pub ac: Option<&'a Table>,
}

/// How the blocks of a scan are coded.
pub(super) struct BlockDecoder<'a> {
    pub header: &'a ScanHeader,
    pub is_progressive: bool,
    pub tables: Vec<Tables<'a>>,
}

impl BlockDecoder<'_> {
    /// Decodes the next block of the scan's component with this index into `block`.
    pub fn decode(
        &self,
        entropy: &mut Entropy<'_>,
        memory: &mut Memory,
        index: usize,
        block: &mut Block,
    ) -> Result<(), Fault> {
        let part = &self.header.parts[index];
        match entropy {
            Entropy::Huffman(bits) => self.huffman(bits, memory, index, block),
            Entropy::Arithmetic(decoder, statistics) => {
                self.arithmetic(decoder, statistics, memory, (index, part), block)?;
                if decoder.is_cut_off() {
                    return Err(CUT);
                }
                Ok(())
            }
        }
    }

    fn arithmetic(
        &self,
        decoder: &mut Decoder<'_>,
        statistics: &mut Statistics,
        memory: &mut Memory,
        (index, part): (usize, &Part),
        block: &mut Block,
    ) -> Result<(), Fault> {
        let ScanHeader {
            first,
            last,
            high,
            low,
            ..
        } = *self.header;
        let bit = 1_i16 << low;
        if first == 0 {
            if high == 0 {
                let context = &mut memory.context[index];
                let difference = statistics.dc_difference(decoder, part.dc, context)?;
                block[0] = next_dc(&mut memory.dc[index], difference, low);
            } else if statistics.even_bit(decoder) {
                block[0] |= bit;
            }
        }
        let band = (first.max(1), last);
        if last == 0 {
            return Ok(());
        }
        if high == 0 {
            statistics.ac(decoder, part.ac, band, |k, value| {
                block[usize::from(ZIGZAG[k])] = (value << low) as i16;
            })
        } else {
            statistics.refine_ac(decoder, part.ac, band, bit, block, &ZIGZAG)
        }
    }

    fn huffman(
        &self,
        bits: &mut BitReader<'_>,
        memory: &mut Memory,
        index: usize,
        block: &mut Block,
    ) -> Result<(), Fault> {
        let ScanHeader {
            first, high, low, ..
        } = *self.header;
        let tables = &self.tables[index];
        if first == 0 {
            if high != 0 {
                if bits.bits(1)? != 0 {
                    block[0] |= 1 << low;
                }
            } else {
                let size = bits.value(tables.dc.ok_or(NO_TABLE)?)?;
                let difference = bits.number(u32::from(size))?;
                block[0] = next_dc(&mut memory.dc[index], difference, low);
            }
        }
        if self.header.last == 0 {
            return Ok(());
        }
        let table = tables.ac.ok_or(NO_TABLE)?;
        if high == 0 {
            self.first_ac(bits, table, &mut memory.empty, block)
        } else {
            self.refine_ac(bits, table, &mut memory.empty, block)
        }
    }

    /// Sequential coding, and the first scan of a band of a progressive picture (G.1.2.2).
    fn first_ac(
        &self,
        bits: &mut BitReader<'_>,
        table: &Table,
        empty: &mut u32,
        block: &mut Block,
    ) -> Result<(), Fault> {
        let ScanHeader {
            first, last, low, ..
        } = *self.header;
        if *empty > 0 {
            *empty -= 1;
            return Ok(());
        }
        let mut k = first.max(1);
        while k <= last {
            let value = bits.value(table)?;
            let (run, size) = (usize::from(value >> 4), u32::from(value & 15));
            if size == 0 {
                if run == 15 {
                    k += 16;
                    continue;
                }
                if self.is_progressive {
                    *empty = end_of_blocks(bits, run)? - 1;
                }
                break;
            }
            k += run;
            if k > last {
                return Err(TOO_MANY);
            }
            block[usize::from(ZIGZAG[k])] = (bits.number(size)? << low) as i16;
            k += 1;
        }
        Ok(())
    }

    /// A later scan of a band (G.1.2.3).
    fn refine_ac(
        &self,
        bits: &mut BitReader<'_>,
        table: &Table,
        empty: &mut u32,
        block: &mut Block,
    ) -> Result<(), Fault> {
        let ScanHeader {
            first, last, low, ..
        } = *self.header;
        let bit = 1_i16 << low;
        let mut k = first;
        if *empty == 0 {
            while k <= last {
                let value = bits.value(table)?;
                let (mut run, size) = (usize::from(value >> 4), value & 15);
                let mut new = 0;
                if size == 0 {
                    if run != 15 {
                        *empty = end_of_blocks(bits, run)?;
                        break;
                    }
                } else {
                    new = if bits.bits(1)? == 0 { -bit } else { bit };
                }
                // Skips `run` coefficients that are still zero, and refines the nonzero ones among them.
                while k <= last {
                    let value = &mut block[usize::from(ZIGZAG[k])];
                    if *value != 0 {
                        refine(bits, value, bit)?;
                    } else if run == 0 {
                        *value = new;
                        break;
                    } else {
                        run -= 1;
                    }
                    k += 1;
                }
                if k > last && new != 0 {
                    return Err(TOO_MANY);
                }
                k += 1;
            }
        }
        if *empty > 0 {
            for &index in ZIGZAG.get(k..=last).unwrap_or_default() {
                let value = &mut block[usize::from(index)];
                if *value != 0 {
                    refine(bits, value, bit)?;
                }
            }
            *empty -= 1;
        }
        Ok(())
    }
}

/// Reads the next bit of a coefficient.
fn refine(bits: &mut BitReader<'_>, value: &mut i16, bit: i16) -> Result<(), Fault> {
    if bits.bits(1)? != 0 && *value & bit == 0 {
        *value = value.wrapping_add(if *value < 0 { -bit } else { bit });
    }
    Ok(())
}

/// The number of blocks, with this one, that have no further coefficients.
fn end_of_blocks(bits: &mut BitReader<'_>, size: usize) -> Result<u32, Fault> {
    Ok((1 << size) + bits.bits(size as u32)? as u32)
}

fn next_dc(last: &mut i32, difference: i32, low: u32) -> i16 {
    *last = last.wrapping_add(difference) & 0xffff;
    (*last << low) as i16
}

const NO_TABLE: Fault = Fault::Damaged("a table of codes is missing");
const TOO_MANY: Fault = Fault::Damaged("its coded data are invalid");
