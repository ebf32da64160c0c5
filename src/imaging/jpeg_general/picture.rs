//! The picture that is being decoded: its components, and which of their rows are in memory (held) and known.

use std::ops::Range;

/// How the frame is coded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Process {
    pub is_progressive: bool,
    pub is_arithmetic: bool,
}

/// A component of the picture.
pub(super) struct Component {
    pub id: u8,
    /// Sampling factors.
    pub h: usize,
    pub v: usize,
    /// The number of its quantisation table.
    pub quantisation: usize,
    /// The table in force at the component's first scan.
    pub table: Option<[u16; 64]>,
    /// Size in samples.
    pub width: usize,
    pub height: usize,
    /// Width in blocks, with those that complete the last MCU of an interleaved scan.
    pub blocks_wide: usize,
    /// The coefficients of a progressive picture, block by block, of the rows of MCUs that are held.
    pub coefficients: Vec<[i16; 64]>,
    /// For each block of a progressive picture that is decoded in several passes, a bit for each nonzero coefficient,
    /// without which the data of later scans cannot be parsed.
    pub nonzero: Vec<u64>,
    /// The samples, as 8 bits, in rows of `8 * blocks_wide`, from the first row of MCUs that is held.
    pub samples: Vec<u8>,
    /// For each row of MCUs, the lowest known bit of each coefficient; `UNKNOWN` if none is known.
    pub known: Vec<[u8; 64]>,
}

/// Fewest rows of MCUs that are decoded in one pass, however little memory is allowed.
const MIN_ROWS: i64 = 4;

/// Marks a coefficient of which no bit is known.
pub(super) const UNKNOWN: u8 = 0xff;

/// The picture that is being decoded.
pub(super) struct Picture {
    pub process: Process,
    pub bits: u32,
    pub width: u32,
    pub height: u32,
    pub components: Vec<Component>,
    /// Largest sampling factors.
    pub h: usize,
    pub v: usize,
    /// Size in MCUs of an interleaved scan.
    pub mcus_wide: usize,
    pub mcus_high: usize,
    /// The rows of MCUs of which coefficients and samples are kept.
    pub held: Range<usize>,
}

impl Picture {
    /// The rows of MCUs from `start` on that can be decoded in one pass over the file: all of them, unless the
    /// coefficients of a progressive picture, with the pixels above them, take more than four bytes per pixel plus
    /// `extra_bytes`.
    pub fn rows_of_pass(&self, start: usize, extra_bytes: i64) -> Range<usize> {
        let blocks = |part: &Component| part.blocks_wide * part.v;
        let blocks = self.components.iter().map(blocks).sum::<usize>() as i64;
        let (high, row) = (
            self.mcus_high as i64,
            i64::from(self.width) * 8 * self.v as i64,
        );
        let allowed = 4 * i64::from(self.width) * i64::from(self.height) + extra_bytes;
        let coefficients = blocks * size_of::<[i16; 64]>() as i64;
        if !self.process.is_progressive || high * coefficients <= allowed {
            return start..self.mcus_high;
        }
        let marks = high * blocks * size_of::<u64>() as i64;
        let left = allowed - marks - 3 * row * start as i64;
        // Colours are interpolated with those of the rows above and below, so one row at either end is decoded in two
        // passes.
        let rows = (left / coefficients - 2).max(MIN_ROWS);
        start..self.mcus_high.min(start + rows as usize)
    }

    /// Allocates memory for some rows of MCUs, and for one row above and one below them.
    pub fn hold(&mut self, rows: &Range<usize>) {
        self.held = rows.start.saturating_sub(1)..self.mcus_high.min(rows.end + 1);
        let is_part = self.held != (0..self.mcus_high);
        for part in &mut self.components {
            let row = part.blocks_wide * part.v;
            let blocks = self.held.len() * row;
            if !self.process.is_progressive {
                part.samples = vec![0x80; 64 * blocks]; // grey, which lost blocks keep
                continue;
            }
            part.coefficients = vec![[0; 64]; blocks];
            part.nonzero = vec![0; if is_part { self.mcus_high * row } else { 0 }];
        }
    }

    /// Whether a row of MCUs is known: all of a sequential picture, and of a progressive one everything but the last
    /// bit of the luma and the details of the colours, which faces do not need.
    fn is_known(&self, row: usize) -> bool {
        self.components
            .iter()
            .enumerate()
            .all(|(index, component)| {
                let known = &component.known[row];
                if self.process.is_progressive {
                    let details = if index == 0 { &known[1..] } else { &[] };
                    known[0] <= 1 && details.iter().all(|&bit| bit <= 1)
                } else {
                    known[0] == 0
                }
            })
    }

    /// Whether all coefficients are known to the last bit.
    pub fn is_exact(&self) -> bool {
        self.components
            .iter()
            .flat_map(|component| &component.known)
            .flatten()
            .all(|&bit| bit == 0)
    }

    /// The rows of pixels that are not known.
    pub fn lost_rows(&self) -> Vec<Range<u32>> {
        let high = 8 * self.v as u32;
        let mut lost: Vec<Range<u32>> = Vec::new();
        for row in (0..self.mcus_high).filter(|&row| !self.is_known(row)) {
            // The rows above and below are interpolated with the colours of this one.
            let start = (row as u32 * high).saturating_sub(self.v as u32);
            let end = ((row as u32 + 1) * high + self.v as u32).min(self.height);
            match lost.last_mut() {
                Some(last) if last.end >= start => last.end = end,
                _ => lost.push(start..end),
            }
        }
        lost
    }

    /// Whether no row is known.
    pub fn is_lost(&self) -> bool {
        !(0..self.mcus_high).any(|row| self.is_known(row))
    }
}
