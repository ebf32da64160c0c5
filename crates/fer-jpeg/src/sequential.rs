//! Pictures whose coefficients come in one scan: decoded immediately, and not stored.
//!
//! The decoder records its state every few MCUs, so that any part of the picture can be decoded again.

use std::ops::Range;

use crate::bits::{BitReader, ScanData};
use crate::error::{Error, Result};
use crate::header::{COMPONENTS, Frame, ScanHeader, Tables, ZIGZAG};
use crate::huffman::{Coefficient, Table};

/// MCUs between two records of the decoder's state.
const RESUME_INTERVAL: usize = 8;

/// A block's dequantised coefficients in natural order.
pub type Block = [i16; 64];

/// Receives the blocks of one row of MCUs.
pub trait Sink {
    /// How many coefficients of a component's blocks are needed, in the order in which they are coded; for 0 no
    /// block of it is passed on.
    fn needed_coefficients(&self, component: usize) -> usize;

    /// Takes a block: its component; its column, counted from the left edge of the picture, and its row within the
    /// row of MCUs; its coefficients, and the last one of them that may not be zero.
    fn put_block(&mut self, component: usize, at: (usize, usize), block: &Block, last: usize);
}

/// A component's tables, and the number of its blocks in an MCU, across and down.
#[derive(Debug, Clone)]
struct ComponentDecoder {
    blocks: (usize, usize),
    dc: Table,
    ac: Table,
    /// In the order in which coefficients are coded.
    quantisation: [u16; 64],
}

/// The scan of a picture, and the recorded states for decoding a part of it again.
#[derive(Debug)]
pub struct Sequential {
    data: ScanData,
    decoders: Vec<ComponentDecoder>,
    mcus: (usize, usize),
    restart_interval: usize,
    resume_points: Vec<ResumePoint>,
}

/// A record of the decoder's state before an MCU.
#[derive(Debug, Clone, Copy)]
struct ResumePoint {
    bit: u64,
    predictions: [i16; COMPONENTS],
}

/// The state of the decoder.
struct State<'a> {
    bits: BitReader<'a>,
    /// The DC coefficient of the last block of each component.
    predictions: [i16; COMPONENTS],
}

impl Sequential {
    /// Prepares the scan for decoding.
    pub fn new(frame: &Frame, tables: &Tables, scan: &ScanHeader, data: ScanData) -> Result<Self> {
        let decoders = scan.components.iter().map(|of| {
            let component = &frame.components[of.index];
            let natural = tables.quantisation(component)?;
            Ok(ComponentDecoder {
                blocks: component.blocks,
                dc: tables.dc(of)?.clone(),
                ac: tables.ac(of)?.clone(),
                quantisation: ZIGZAG.map(|position| natural[usize::from(position)]),
            })
        });
        let mcus = frame.mcus;
        check_intervals(&data, tables.restart_interval, mcus.0 * mcus.1)?;
        Ok(Self {
            data,
            decoders: decoders.collect::<Result<_>>()?,
            mcus,
            restart_interval: tables.restart_interval,
            resume_points: Vec::with_capacity(mcus.0.div_ceil(RESUME_INTERVAL) * mcus.1),
        })
    }

    /// Decodes the whole scan for the first time, passing each row to `sink`, and after it its number to
    /// `finish`, which may stop the decoding.
    pub fn decode<S: Sink>(
        &mut self,
        sink: &mut S,
        mut finish: impl FnMut(&mut S, usize) -> Result<()>,
    ) -> Result<()> {
        let mut resume_points = std::mem::take(&mut self.resume_points);
        let mut state = State {
            bits: self.data.reader_at(0),
            predictions: [0; COMPONENTS],
        };
        for row in 0..self.mcus.1 {
            for from in (0..self.mcus.0).step_by(RESUME_INTERVAL) {
                resume_points.push(ResumePoint {
                    bit: state.bits.position(),
                    predictions: state.predictions,
                });
                let to = self.mcus.0.min(from + RESUME_INTERVAL);
                self.decode_mcus(row, from..to, &mut state, true, sink)?;
            }
            // Missing data are an error even if more data follow.
            if state.bits.position() > self.data.interval_start(self.data.intervals()) {
                return Err(Error::Irregular(
                    "its data end before the picture is complete",
                ));
            }
            finish(sink, row)?;
        }
        self.check_end(&state, self.data.intervals())?;
        self.resume_points = resume_points;
        Ok(())
    }

    /// Decodes the MCUs of some columns of a row again.
    pub fn decode_again(
        &self,
        row: usize,
        columns: Range<usize>,
        sink: &mut impl Sink,
    ) -> Result<()> {
        let across = self.mcus.0.div_ceil(RESUME_INTERVAL);
        let Some(resume_point) = self
            .resume_points
            .get(row * across + columns.start / RESUME_INTERVAL)
        else {
            return Ok(());
        };
        let mut state = State {
            bits: self.data.reader_at(resume_point.bit),
            predictions: resume_point.predictions,
        };
        let resumed_at = columns.start / RESUME_INTERVAL * RESUME_INTERVAL;
        self.decode_mcus(row, resumed_at..columns.start, &mut state, false, sink)?;
        self.decode_mcus(row, columns, &mut state, true, sink)
    }

    /// Decodes MCUs of a row and passes on their blocks if they are `wanted`.
    #[inline(always)]
    fn decode_mcus<'a, S: Sink>(
        &'a self,
        row: usize,
        columns: Range<usize>,
        state: &mut State<'a>,
        wanted: bool,
        sink: &mut S,
    ) -> Result<()> {
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || self.decode_mcus_inlined(row, columns, state, wanted, sink),
        )
    }

    #[inline(always)]
    fn decode_mcus_inlined<'a, S: Sink>(
        &'a self,
        row: usize,
        columns: Range<usize>,
        state: &mut State<'a>,
        wanted: bool,
        sink: &mut S,
    ) -> Result<()> {
        let mut needed_coefficients = [0; COMPONENTS];
        for (component, needed_coefficients) in needed_coefficients.iter_mut().enumerate() {
            *needed_coefficients = if wanted {
                sink.needed_coefficients(component)
            } else {
                0
            };
        }
        let mut bits = state.bits.clone();
        let mut block = [0; 64];
        for column in columns {
            let mcu = row * self.mcus.0 + column;
            if self.restart_interval > 0 && mcu > 0 && mcu.is_multiple_of(self.restart_interval) {
                let interval = mcu / self.restart_interval;
                state.bits = bits;
                self.check_end(state, interval)?;
                bits = self.data.reader_at(self.data.interval_start(interval));
                state.predictions = [0; COMPONENTS];
            }
            for (component, decoder) in self.decoders.iter().enumerate() {
                let needed_coefficients = needed_coefficients[component];
                for y in 0..decoder.blocks.1 {
                    for x in 0..decoder.blocks.0 {
                        block.fill(0);
                        let dc = &mut state.predictions[component];
                        let last = read_block(
                            &mut bits,
                            (&decoder.dc, &decoder.ac),
                            &decoder.quantisation,
                            dc,
                            needed_coefficients,
                            &mut block,
                        )?;
                        if needed_coefficients > 0 {
                            sink.put_block(
                                component,
                                (column * decoder.blocks.0 + x, y),
                                &block,
                                last,
                            );
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
pub fn check_end(data: &ScanData, bits: &BitReader<'_>, interval: usize) -> Result<()> {
    match data.interval_start(interval).checked_sub(bits.position()) {
        Some(0..=7) => Ok(()),
        Some(_) => Err(Error::Irregular("it has more data than its picture needs")),
        None => Err(Error::Irregular(
            "its data end before the picture is complete",
        )),
    }
}

/// Checks that the data of a scan of `mcus` MCUs have the right number of restart markers.
pub fn check_intervals(data: &ScanData, restart_interval: usize, mcus: usize) -> Result<()> {
    let expected = match restart_interval {
        0 => 1,
        interval => mcus.div_ceil(interval),
    };
    if data.intervals() == expected {
        Ok(())
    } else {
        Err(Error::Irregular(
            "restart markers are missing or superfluous",
        ))
    }
}

/// Reads a block, which must be zero. Stores at least the first `needed_coefficients` coefficients and returns the last one
/// stored, in the order in which they are coded.
#[inline(always)]
pub fn read_block(
    bits: &mut BitReader<'_>,
    (dc, ac): (&Table, &Table),
    quantisation: &[u16; 64],
    prediction: &mut i16,
    needed_coefficients: usize,
    block: &mut Block,
) -> Result<usize> {
    bits.refill_if_low();
    *prediction = prediction.wrapping_add(dc.decode(bits)?.value);
    block[0] = prediction.wrapping_mul(quantisation[0] as i16);
    let mut next = 1;
    let mut last = 0;
    'kept: while next < needed_coefficients {
        bits.refill();
        for _ in 0..2 {
            // A refill suffices for two symbols, unless the first one is unusually long.
            bits.refill_if_low();
            let Coefficient { advance, value } = ac.decode(bits)?;
            next += advance;
            if next > 64 {
                break 'kept;
            }
            last = (next - 1) & 63;
            block[usize::from(ZIGZAG[last]) & 63] = value.wrapping_mul(quantisation[last] as i16);
            if next >= needed_coefficients {
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
    if next == 64 || next >= Coefficient::END_OF_BLOCK {
        Ok(last)
    } else {
        Err(Error::Irregular("a block has too many coefficients"))
    }
}
