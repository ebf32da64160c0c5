//! Pictures whose coefficients come in several scans: stored until all scans have been read.

use std::ops::Range;

use pulp::NullaryFnOnce;

use crate::bits::{Bits, Data};
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
    /// Blocks in a unit, across and down.
    unit: (usize, usize),
    quantisation: [u16; 64],
    /// Whether a scan had its DC coefficients.
    has_dc: bool,
}

/// How a scan decodes a block.
struct Scan<'a> {
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
    ended: u32,
}

impl Coefficients {
    /// Coefficients that are all zero; allocates their memory.
    pub fn new(frame: &Frame, tables: &Tables) -> Result<Self> {
        let planes = frame.components.iter().map(|component| {
            let (across, down) = component.blocks;
            let (across, down) = (frame.units.0 * across, frame.units.1 * down);
            Ok(Plane {
                blocks: vec![[0; 64]; across * down],
                across,
                unit: component.blocks,
                quantisation: tables.quantisation(component)?,
                has_dc: false,
            })
        });
        Ok(Self {
            planes: planes.collect::<Result<_>>()?,
        })
    }

    /// Reads a scan. Calls `stop` after each row of units; stops if it returns `true`.
    pub fn read(
        &mut self,
        frame: &Frame,
        tables: &Tables,
        header: &ScanHeader,
        data: &Data,
        stop: &dyn Fn() -> bool,
    ) -> Result<()> {
        let starts = header.band.0 == 0 && header.high == 0;
        let mut scans = Vec::with_capacity(header.components.len());
        for of in &header.components {
            let plane = &mut self.planes[of.index];
            if !starts && !plane.has_dc {
                return Err(Error::Irregular("a component lacks its first scan"));
            }
            plane.has_dc = true;
            // A scan that refines DC coefficients also names a table, but does not use it.
            let dc = (header.band.0 == 0).then(|| tables.dc(of)).transpose()?;
            let ac = (header.band.1 > 0).then(|| tables.ac(of)).transpose()?;
            scans.push(Scan {
                header,
                dc: dc.filter(|_| starts),
                ac,
                is_progressive: frame.is_progressive,
            });
        }
        let is_alone = header.components.len() == 1;
        let (across, down) = if is_alone {
            frame.shown_blocks(header.components[0].index)
        } else {
            frame.units
        };
        let interval = tables.restart_interval;
        check_intervals(data, interval, across * down)?;
        let mut bits = data.at(0);
        let mut states: Vec<_> = scans.iter().map(|_| State::default()).collect();
        for row in 0..down {
            for column in 0..across {
                let unit = row * across + column;
                if interval > 0 && unit > 0 && unit.is_multiple_of(interval) {
                    check_end(data, &bits, unit / interval)?;
                    bits = data.at(data.start(unit / interval));
                    states.fill_with(State::default);
                }
                for ((of, scan), state) in header.components.iter().zip(&scans).zip(&mut states) {
                    let plane = &mut self.planes[of.index];
                    let (h, v) = if is_alone { (1, 1) } else { plane.unit };
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

    /// Passes the blocks of some units of a row to `sink`.
    pub fn pass(&self, row: usize, columns: Range<usize>, sink: &mut impl Sink) {
        for (component, plane) in self.planes.iter().enumerate() {
            if sink.needed(component) > 0 {
                pulp::Arch::new().dispatch(Pass {
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

/// Passes the blocks of a component in some units of a row to a sink. A struct and not a closure: a closure that may be
/// called again would not be inlined into the function that is compiled for an instruction set.
struct Pass<'a, S> {
    component: usize,
    plane: &'a Plane,
    row: usize,
    columns: Range<usize>,
    sink: &'a mut S,
}

impl<S: Sink> NullaryFnOnce for Pass<'_, S> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { plane, columns, .. } = self;
        let (h, v) = plane.unit;
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
                self.sink.take(self.component, (x, y), &product, last);
            }
        }
    }
}

impl Scan<'_> {
    #[inline]
    fn read(&self, bits: &mut Bits<'_>, state: &mut State, block: &mut Block) -> Result<()> {
        let (low, high) = (self.header.low, self.header.high);
        match (self.dc, self.ac) {
            (Some(dc), Some(ac)) if !self.is_progressive => {
                read_block(bits, (dc, ac), &[1; 64], &mut state.prediction, 64, block)?;
            }
            (Some(dc), _) => {
                bits.ensure();
                state.prediction = state.prediction.wrapping_add(dc.decode(bits)?.value);
                block[0] = state.prediction.wrapping_shl(low);
            }
            (None, Some(ac)) if high == 0 => self.read_first(ac, bits, state, block)?,
            (None, Some(ac)) => self.refine(ac, bits, state, block)?,
            (None, None) => {
                bits.ensure();
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
        bits: &mut Bits<'_>,
        state: &mut State,
        block: &mut Block,
    ) -> Result<()> {
        if state.ended > 0 {
            state.ended -= 1;
            return Ok(());
        }
        let (mut next, last) = self.header.band;
        while next <= last {
            bits.ensure();
            let Coefficient { forward, value } = ac.decode(bits)?;
            if forward >= Coefficient::ENDS {
                state.ended = run(value, bits) - 1;
                break;
            }
            next += forward;
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
        bits: &mut Bits<'_>,
        state: &mut State,
        block: &mut Block,
    ) -> Result<()> {
        let unit = 1_i16.wrapping_shl(self.header.low);
        let (mut next, last) = self.header.band;
        while state.ended == 0 && next <= last {
            bits.ensure();
            let Coefficient { forward, value } = ac.decode(bits)?;
            if forward >= Coefficient::ENDS {
                state.ended = run(value, bits);
                break;
            }
            if !matches!(value, -1..=1) {
                return Err(Error::Irregular(
                    "a coefficient is refined by more than a bit",
                ));
            }
            // Nonzero coefficients on the way are refined and not counted as zeros.
            let mut zeros = forward - 1;
            while next <= last {
                let known = &mut block[usize::from(ZIGZAG[next & 63]) & 63];
                if *known != 0 {
                    refine(known, unit, bits);
                } else if zeros == 0 {
                    *known = value.wrapping_mul(unit);
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
        if state.ended > 0 {
            for position in &ZIGZAG[next.min(last + 1)..=last] {
                let known = &mut block[usize::from(*position) & 63];
                if *known != 0 {
                    refine(known, unit, bits);
                }
            }
            state.ended -= 1;
        }
        Ok(())
    }
}

/// The number of blocks that end with an end-of-band symbol, this one included: 2 to the power of `exponent`, plus a
/// number of as many bits.
#[inline]
fn run(exponent: i16, bits: &mut Bits<'_>) -> u32 {
    let exponent = exponent as u32 & 15;
    bits.ensure();
    1 << exponent
        | if exponent == 0 {
            0
        } else {
            bits.take(exponent)
        }
}

/// Reads one more bit of a coefficient that is not zero.
#[inline]
fn refine(known: &mut i16, unit: i16, bits: &mut Bits<'_>) {
    bits.ensure();
    if bits.take(1) == 1 && *known & unit == 0 {
        *known = known.wrapping_add(if *known > 0 { unit } else { -unit });
    }
}
