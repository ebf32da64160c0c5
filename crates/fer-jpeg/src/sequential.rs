//! Pictures whose coefficients come in one scan: decoded immediately, and not stored.
//!
//! The decoder records its state every few units, so that any part of the picture can be decoded again.

use std::ops::Range;

use crate::bits::{Bits, Data};
use crate::error::{Error, Result};
use crate::header::{COMPONENTS, Frame, ScanHeader, Tables, ZIGZAG};
use crate::huffman::{Coefficient, Table};

/// Units between two records of the decoder's state.
const NOTE_EVERY: usize = 8;

/// A block's dequantised coefficients in natural order.
pub type Block = [i16; 64];

/// Receives the blocks of one row of units.
pub trait Sink {
    /// How many coefficients of a component's blocks are needed, in the order in which they are coded; for 0 no
    /// block of it is passed on.
    fn needed(&self, component: usize) -> usize;

    /// Takes a block: its component; its column, counted from the left edge of the picture, and its row within the
    /// row of units; its coefficients, and the last one of them that may not be zero.
    fn take(&mut self, component: usize, at: (usize, usize), block: &Block, last: usize);
}

/// A component's tables, and the number of its blocks in a unit, across and down.
#[derive(Debug, Clone)]
struct Part {
    blocks: (usize, usize),
    dc: Table,
    ac: Table,
    /// In the order in which coefficients are coded.
    quantisation: [u16; 64],
}

/// The scan of a picture, and the recorded states for decoding a part of it again.
#[derive(Debug)]
pub struct Sequential {
    data: Data,
    parts: Vec<Part>,
    units: (usize, usize),
    restart_interval: usize,
    notes: Vec<Note>,
}

/// A record of the decoder's state before a unit.
#[derive(Debug, Clone, Copy)]
struct Note {
    bit: u64,
    predictions: [i16; COMPONENTS],
}

/// The state of the decoder.
struct State<'a> {
    bits: Bits<'a>,
    /// The DC coefficient of the last block of each component.
    predictions: [i16; COMPONENTS],
}

impl Sequential {
    /// Prepares the scan for decoding.
    pub fn new(frame: &Frame, tables: &Tables, scan: &ScanHeader, data: Data) -> Result<Self> {
        let parts = scan.components.iter().map(|of| {
            let component = &frame.components[of.index];
            let natural = tables.quantisation(component)?;
            Ok(Part {
                blocks: component.blocks,
                dc: tables.dc(of)?.clone(),
                ac: tables.ac(of)?.clone(),
                quantisation: ZIGZAG.map(|position| natural[usize::from(position)]),
            })
        });
        let units = frame.units;
        check_intervals(&data, tables.restart_interval, units.0 * units.1)?;
        Ok(Self {
            data,
            parts: parts.collect::<Result<_>>()?,
            units,
            restart_interval: tables.restart_interval,
            notes: Vec::with_capacity(units.0.div_ceil(NOTE_EVERY) * units.1),
        })
    }

    /// Decodes the whole scan for the first time, passing each row to `sink`, and after it its number to
    /// `finish`, which may stop the decoding.
    pub fn decode<S: Sink>(
        &mut self,
        sink: &mut S,
        mut finish: impl FnMut(&mut S, usize) -> Result<()>,
    ) -> Result<()> {
        let mut notes = std::mem::take(&mut self.notes);
        let mut state = State {
            bits: self.data.at(0),
            predictions: [0; COMPONENTS],
        };
        for row in 0..self.units.1 {
            for from in (0..self.units.0).step_by(NOTE_EVERY) {
                notes.push(Note {
                    bit: state.bits.position(),
                    predictions: state.predictions,
                });
                let to = self.units.0.min(from + NOTE_EVERY);
                self.units(row, from..to, &mut state, true, sink)?;
            }
            // Missing data are an error even if more data follow.
            if state.bits.position() > self.data.start(self.data.intervals()) {
                return Err(Error::Irregular(
                    "its data end before the picture is complete",
                ));
            }
            finish(sink, row)?;
        }
        self.check_end(&state, self.data.intervals())?;
        self.notes = notes;
        Ok(())
    }

    /// Decodes the units of some columns of a row again.
    pub fn decode_again(
        &self,
        row: usize,
        columns: Range<usize>,
        sink: &mut impl Sink,
    ) -> Result<()> {
        let across = self.units.0.div_ceil(NOTE_EVERY);
        let Some(note) = self.notes.get(row * across + columns.start / NOTE_EVERY) else {
            return Ok(());
        };
        let mut state = State {
            bits: self.data.at(note.bit),
            predictions: note.predictions,
        };
        let noted = columns.start / NOTE_EVERY * NOTE_EVERY;
        self.units(row, noted..columns.start, &mut state, false, sink)?;
        self.units(row, columns, &mut state, true, sink)
    }

    /// Decodes units of a row and passes on their blocks if they are `wanted`.
    #[inline(always)]
    fn units<'a, S: Sink>(
        &'a self,
        row: usize,
        columns: Range<usize>,
        state: &mut State<'a>,
        wanted: bool,
        sink: &mut S,
    ) -> Result<()> {
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || self.units_inlined(row, columns, state, wanted, sink),
        )
    }

    #[inline(always)]
    fn units_inlined<'a, S: Sink>(
        &'a self,
        row: usize,
        columns: Range<usize>,
        state: &mut State<'a>,
        wanted: bool,
        sink: &mut S,
    ) -> Result<()> {
        let mut needed = [0; COMPONENTS];
        for (component, needed) in needed.iter_mut().enumerate() {
            *needed = if wanted { sink.needed(component) } else { 0 };
        }
        let mut bits = state.bits.clone();
        let mut block = [0; 64];
        for column in columns {
            let unit = row * self.units.0 + column;
            if self.restart_interval > 0 && unit > 0 && unit.is_multiple_of(self.restart_interval) {
                let interval = unit / self.restart_interval;
                state.bits = bits;
                self.check_end(state, interval)?;
                bits = self.data.at(self.data.start(interval));
                state.predictions = [0; COMPONENTS];
            }
            for (component, part) in self.parts.iter().enumerate() {
                let needed = needed[component];
                for y in 0..part.blocks.1 {
                    for x in 0..part.blocks.0 {
                        block.fill(0);
                        let dc = &mut state.predictions[component];
                        let last = read_block(
                            &mut bits,
                            (&part.dc, &part.ac),
                            &part.quantisation,
                            dc,
                            needed,
                            &mut block,
                        )?;
                        if needed > 0 {
                            sink.take(component, (column * part.blocks.0 + x, y), &block, last);
                        }
                    }
                }
            }
        }
        state.bits = bits;
        Ok(())
    }

    /// Checks that exactly the data before an interval were read.
    #[inline]
    fn check_end(&self, state: &State<'_>, interval: usize) -> Result<()> {
        check_end(&self.data, &state.bits, interval)
    }
}

/// Checks that exactly the data before an interval were read: less than a byte is left.
pub fn check_end(data: &Data, bits: &Bits<'_>, interval: usize) -> Result<()> {
    match data.start(interval).checked_sub(bits.position()) {
        Some(0..=7) => Ok(()),
        Some(_) => Err(Error::Irregular("it has more data than its picture needs")),
        None => Err(Error::Irregular(
            "its data end before the picture is complete",
        )),
    }
}

/// Checks that the data of a scan of `units` units have the right number of restart markers.
pub fn check_intervals(data: &Data, restart_interval: usize, units: usize) -> Result<()> {
    let expected = match restart_interval {
        0 => 1,
        interval => units.div_ceil(interval),
    };
    if data.intervals() == expected {
        Ok(())
    } else {
        Err(Error::Irregular(
            "restart markers are missing or superfluous",
        ))
    }
}

/// Reads a block, which must be zero. Stores at least the first `needed` coefficients and returns the last one
/// stored, in the order in which they are coded.
#[inline(always)]
pub fn read_block(
    bits: &mut Bits<'_>,
    (dc, ac): (&Table, &Table),
    quantisation: &[u16; 64],
    prediction: &mut i16,
    needed: usize,
    block: &mut Block,
) -> Result<usize> {
    bits.ensure();
    *prediction = prediction.wrapping_add(dc.decode(bits)?.value);
    block[0] = prediction.wrapping_mul(quantisation[0] as i16);
    let mut next = 1;
    let mut last = 0;
    'kept: while next < needed {
        bits.refill();
        for _ in 0..2 {
            // A refill suffices for two symbols, unless the first one is unusually long.
            bits.ensure();
            let Coefficient { forward, value } = ac.decode(bits)?;
            next += forward;
            if next > 64 {
                break 'kept;
            }
            last = (next - 1) & 63;
            block[usize::from(ZIGZAG[last]) & 63] = value.wrapping_mul(quantisation[last] as i16);
            if next >= needed {
                break 'kept;
            }
        }
    }
    while next < 64 {
        bits.refill();
        next = ac.skip(next, bits)?;
        if next < 64 {
            next = ac.skip(next, bits)?;
        }
    }
    if next == 64 || next >= Coefficient::ENDS {
        Ok(last)
    } else {
        Err(Error::Irregular("a block has too many coefficients"))
    }
}
