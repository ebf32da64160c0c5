//! Pictures whose coefficients come in several scans: stored until all scans have been read.

use std::ops::Range;

use pulp::NullaryFnOnce;

use crate::bits::{BitReader, ScanData};
use crate::error::{Error, Result};
use crate::header::{Frame, ScanHeader, Tables, ZIGZAG};
use crate::huffman::{Coefficient, Table};
use crate::sequential::{Block, Sink, check_end, check_intervals, read_block};

/// The coefficients of a picture.
#[derive(Debug)]
pub struct Coefficients {
    planes: Vec<Plane>,
}

/// The coefficients of a component.
#[derive(Debug)]
struct Plane {
    /// Blocks in natural order, row by row.
    blocks: Vec<Block>,
    /// Blocks per row.
    across: usize,
    /// Blocks in an MCU, across and down.
    mcu: (usize, usize),
    quantisation: [u16; 64],
    /// Whether a scan had its DC coefficients.
    has_dc: bool,
}

/// How a scan decodes a block.
struct ScanDecoder<'a> {
    header: &'a ScanHeader,
    dc: Option<&'a Table>,
    ac: Option<&'a Table>,
    is_progressive: bool,
}

/// The state of the decoder within a restart interval.
#[derive(Default)]
struct State {
    /// The DC coefficient of the component's last block.
    prediction: i16,
    /// The number of blocks, from the next one on, that have no further coefficients in this scan.
    eob_run: u32,
}

impl Coefficients {
    /// Coefficients that are all zero; allocates their memory.
    pub fn new(frame: &Frame, tables: &Tables) -> Result<Self> {
        let planes = frame.components.iter().map(|component| {
            let (across, down) = component.blocks;
            let (across, down) = (frame.mcus.0 * across, frame.mcus.1 * down);
            Ok(Plane {
                blocks: vec![[0; 64]; across * down],
                across,
                mcu: component.blocks,
                quantisation: tables.quantisation(component)?,
                has_dc: false,
            })
        });
        Ok(Self {
            planes: planes.collect::<Result<_>>()?,
        })
    }

    /// Reads a scan. Calls `stop` after each row of MCUs; stops if it returns `true`.
    pub fn read(
        &mut self,
        frame: &Frame,
        tables: &Tables,
        header: &ScanHeader,
        data: &ScanData,
        stop: &dyn Fn() -> bool,
    ) -> Result<()> {
        let is_first_dc_scan = header.band.0 == 0 && header.high == 0;
        let mut scans = Vec::with_capacity(header.components.len());
        for of in &header.components {
            let plane = &mut self.planes[of.index];
            if !is_first_dc_scan && !plane.has_dc {
                return Err(Error::Irregular("a component lacks its first scan"));
            }
            plane.has_dc = true;
            // A scan that refines DC coefficients also names a table, but does not use it.
            let dc = (header.band.0 == 0).then(|| tables.dc(of)).transpose()?;
            let ac = (header.band.1 > 0).then(|| tables.ac(of)).transpose()?;
            scans.push(ScanDecoder {
                header,
                dc: dc.filter(|_| is_first_dc_scan),
                ac,
                is_progressive: frame.is_progressive,
            });
        }
        let is_alone = header.components.len() == 1;
        let (across, down) = if is_alone {
            frame.shown_blocks(header.components[0].index)
        } else {
            frame.mcus
        };
        let interval = tables.restart_interval;
        check_intervals(data, interval, across * down)?;
        let mut bits = data.reader_at(0);
        let mut states: Vec<_> = scans.iter().map(|_| State::default()).collect();
        for row in 0..down {
            for column in 0..across {
                let mcu = row * across + column;
                if interval > 0 && mcu > 0 && mcu.is_multiple_of(interval) {
                    check_end(data, &bits, mcu / interval)?;
                    bits = data.reader_at(data.interval_start(mcu / interval));
                    states.fill_with(State::default);
                }
                for ((of, scan), state) in header.components.iter().zip(&scans).zip(&mut states) {
                    let plane = &mut self.planes[of.index];
                    let (h, v) = if is_alone { (1, 1) } else { plane.mcu };
                    for y in row * v..(row + 1) * v {
                        for x in column * h..(column + 1) * h {
                            let block = &mut plane.blocks[y * plane.across + x];
                            scan.read(&mut bits, state, block)?;
                        }
                    }
                }
            }
            if stop() {
                return Err(Error::Stopped);
            }
        }
        check_end(data, &bits, data.intervals())
    }

    /// An error if a component is missing.
    pub fn check_complete(&self) -> Result<()> {
        if self.planes.iter().all(|plane| plane.has_dc) {
            Ok(())
        } else {
            Err(Error::Irregular("a component lacks its first scan"))
        }
    }

    /// Passes the blocks of some MCUs of a row to `sink`.
    pub fn pass_blocks(&self, row: usize, columns: Range<usize>, sink: &mut impl Sink) {
        for (component, plane) in self.planes.iter().enumerate() {
            if sink.needed_coefficients(component) > 0 {
                pulp::Arch::new().dispatch(PassBlocks {
                    component,
                    plane,
                    row,
                    columns: columns.clone(),
                    sink,
                });
            }
        }
    }
}

/// Passes the blocks of a component in some MCUs of a row to a sink. A struct and not a closure: a closure that may be
/// called again would not be inlined into the function that is compiled for an instruction set.
struct PassBlocks<'a, S> {
    component: usize,
    plane: &'a Plane,
    row: usize,
    columns: Range<usize>,
    sink: &'a mut S,
}

impl<S: Sink> NullaryFnOnce for PassBlocks<'_, S> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { plane, columns, .. } = self;
        let (h, v) = plane.mcu;
        for y in 0..v {
            let start = (self.row * v + y) * plane.across;
            for x in columns.start * h..columns.end * h {
                let block = plane.blocks[start + x];
                let has_ac = block[1..].iter().fold(0, |any, &value| any | value) != 0;
                let mut product = [0; 64];
                for ((product, &value), &factor) in
                    product.iter_mut().zip(&block).zip(&plane.quantisation)
                {
                    *product = value.wrapping_mul(factor as i16);
                }
                let last = if has_ac { 63 } else { 0 };
                self.sink.put_block(self.component, (x, y), &product, last);
            }
        }
    }
}

impl ScanDecoder<'_> {
    #[inline]
    fn read(&self, bits: &mut BitReader<'_>, state: &mut State, block: &mut Block) -> Result<()> {
        let (low, high) = (self.header.low, self.header.high);
        match (self.dc, self.ac) {
            (Some(dc), Some(ac)) if !self.is_progressive => {
                read_block(bits, (dc, ac), &[1; 64], &mut state.prediction, 64, block)?;
            }
            (Some(dc), _) => {
                bits.refill_if_low();
                state.prediction = state.prediction.wrapping_add(dc.decode(bits)?.value);
                block[0] = state.prediction.wrapping_shl(low);
            }
            (None, Some(ac)) if high == 0 => self.read_first(ac, bits, state, block)?,
            (None, Some(ac)) => self.refine(ac, bits, state, block)?,
            (None, None) => {
                bits.refill_if_low();
                block[0] |= (bits.take(1) << low) as i16;
            }
        }
        Ok(())
    }

    /// The first bits of some coefficients (T.81, G.1.2.2).
    #[inline]
    fn read_first(
        &self,
        ac: &Table,
        bits: &mut BitReader<'_>,
        state: &mut State,
        block: &mut Block,
    ) -> Result<()> {
        if state.eob_run > 0 {
            state.eob_run -= 1;
            return Ok(());
        }
        let (mut next, last) = self.header.band;
        while next <= last {
            bits.refill_if_low();
            let Coefficient { advance, value } = ac.decode(bits)?;
            if advance >= Coefficient::END_OF_BLOCK {
                state.eob_run = eob_run_length(value, bits) - 1;
                break;
            }
            next += advance;
            if next > last + 1 {
                return Err(Error::Irregular("a block has too many coefficients"));
            }
            block[usize::from(ZIGZAG[(next - 1) & 63]) & 63] = value.wrapping_shl(self.header.low);
        }
        Ok(())
    }

    /// One more bit of some coefficients (T.81, G.1.2.3).
    #[inline]
    fn refine(
        &self,
        ac: &Table,
        bits: &mut BitReader<'_>,
        state: &mut State,
        block: &mut Block,
    ) -> Result<()> {
        let bit_value = 1_i16.wrapping_shl(self.header.low);
        let (mut next, last) = self.header.band;
        while state.eob_run == 0 && next <= last {
            bits.refill_if_low();
            let Coefficient { advance, value } = ac.decode(bits)?;
            if advance >= Coefficient::END_OF_BLOCK {
                state.eob_run = eob_run_length(value, bits);
                break;
            }
            if !matches!(value, -1..=1) {
                return Err(Error::Irregular(
                    "a coefficient is refined by more than a bit",
                ));
            }
            // Nonzero coefficients on the way are refined and not counted as zeros.
            let mut zeros = advance - 1;
            while next <= last {
                let known = &mut block[usize::from(ZIGZAG[next & 63]) & 63];
                if *known != 0 {
                    refine_coefficient(known, bit_value, bits);
                } else if zeros == 0 {
                    *known = value.wrapping_mul(bit_value);
                    break;
                } else {
                    zeros -= 1;
                }
                next += 1;
            }
            if next > last && value != 0 {
                return Err(Error::Irregular("a block has too many coefficients"));
            }
            next += 1;
        }
        if state.eob_run > 0 {
            for position in &ZIGZAG[next.min(last + 1)..=last] {
                let known = &mut block[usize::from(*position) & 63];
                if *known != 0 {
                    refine_coefficient(known, bit_value, bits);
                }
            }
            state.eob_run -= 1;
        }
        Ok(())
    }
}

/// The number of blocks that end with an end-of-band symbol, this one included: 2 to the power of `exponent`, plus a
/// number of as many bits.
#[inline]
fn eob_run_length(exponent: i16, bits: &mut BitReader<'_>) -> u32 {
    let exponent = exponent as u32 & 15;
    bits.refill_if_low();
    1 << exponent
        | if exponent == 0 {
            0
        } else {
            bits.take(exponent)
        }
}

/// Reads one more bit of a coefficient that is not zero.
#[inline]
fn refine_coefficient(known: &mut i16, bit_value: i16, bits: &mut BitReader<'_>) {
    bits.refill_if_low();
    if bits.take(1) == 1 && *known & bit_value == 0 {
        *known = known.wrapping_add(if *known > 0 { bit_value } else { -bit_value });
    }
}
