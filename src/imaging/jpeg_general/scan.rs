//! Decodes the blocks of a scan, restart interval by restart interval, and goes on after a fault.

use std::ops::Range;

use super::Fault;
use super::arithmetic::{Decoder, Statistics};
use super::blocks::{BlockDecoder, Entropy, Memory, Tables};
use super::frame::{Reader, ScanHeader};
use super::huffman::BitReader;
use super::output::put_samples;
use super::picture::Picture;

/// Decodes a scan as far as it is intact, and returns the first fault in it.
///
/// # Errors
/// [`Fault::Stopped`].
pub(super) fn decode(
    reader: &mut Reader<'_>,
    picture: &mut Picture,
    header: &ScanHeader,
) -> Result<Option<Fault>, Fault> {
    for part in &header.parts {
        let component = &mut picture.components[part.component];
        if component.table.is_none() {
            component.table = match reader.table_of(component) {
                Ok(table) => Some(table),
                Err(fault) => return Ok(Some(fault)),
            };
        }
    }
    let mut lost = vec![false; picture.mcus_high];
    let fault = intervals(reader, picture, header, &mut lost)?;
    for part in &header.parts {
        let component = &mut picture.components[part.component];
        for (known, _) in component
            .known
            .iter_mut()
            .zip(&lost)
            .filter(|(_, lost)| !**lost)
        {
            for bit in &mut known[header.first..=header.last] {
                // A later scan can add a bit only if the earlier scans gave all higher ones.
                if header.high == 0 || u32::from(*bit) == header.high {
                    *bit = header.low as u8;
                }
            }
        }
    }
    Ok(fault)
}

/// The MCUs of a scan: blocks of one component, or those of several.
struct Mcus {
    wide: usize,
    number: usize,
    /// Rows of MCUs of this scan in a row of MCUs of the picture.
    rows: usize,
}

impl Mcus {
    fn of(picture: &Picture, header: &ScanHeader) -> Self {
        if let [part] = header.parts.as_slice() {
            let component = &picture.components[part.component];
            let (wide, high) = (component.width.div_ceil(8), component.height.div_ceil(8));
            return Self {
                wide,
                number: wide * high,
                rows: component.v,
            };
        }
        Self {
            wide: picture.mcus_wide,
            number: picture.mcus_wide * picture.mcus_high,
            rows: 1,
        }
    }

    /// Marks the rows of the picture that contain these MCUs.
    fn mark(&self, mcus: Range<usize>, lost: &mut [bool]) {
        if !mcus.is_empty() {
            let row = |mcu: usize| mcu / self.wide / self.rows;
            lost[row(mcus.start)..=row(mcus.end - 1)].fill(true);
        }
    }
}

fn intervals(
    reader: &mut Reader<'_>,
    picture: &mut Picture,
    header: &ScanHeader,
    lost: &mut [bool],
) -> Result<Option<Fault>, Fault> {
    let mcus = Mcus::of(picture, header);
    let (mut mcu, mut expected, mut fault) = (0, 0, None);
    loop {
        let end = match reader.restart {
            0 => mcus.number,
            restart => (mcu + restart).min(mcus.number),
        };
        let (at, outcome) = interval(reader, picture, header, &mcus, mcu..end);
        reader.at = at;
        match outcome {
            Ok(()) => {}
            Err((_, Fault::Stopped)) => return Err(Fault::Stopped),
            Err((failed, found)) => {
                mcus.mark(failed..end, lost);
                fault = fault.or(Some(found));
            }
        }
        mcu = end;
        if mcu >= mcus.number {
            return Ok(fault);
        }
        let left = (mcus.number - mcu).div_ceil(reader.restart.max(1));
        let Some(ahead) = next_restart(reader, expected, left) else {
            mcus.mark(mcu..mcus.number, lost);
            return Ok(fault.or(Some(NO_RESTART)));
        };
        if ahead > 0 {
            let next = (mcu + ahead * reader.restart).min(mcus.number);
            mcus.mark(mcu..next, lost);
            fault = fault.or(Some(NO_RESTART));
            mcu = next;
        }
        expected = (expected + 1 + ahead) % 8;
        if mcu >= mcus.number {
            return Ok(fault);
        }
    }
}

/// Moves past the next restart marker, and returns how many intervals are missing before it; `None` if the scan ends
/// first. `left` intervals are still to come.
///
/// If a marker does not have the expected number, the marker after it decides whether intervals are missing or the
/// number is damaged. If that fits neither, the marker is skipped with the data before it.
fn next_restart(reader: &mut Reader<'_>, expected: usize, left: usize) -> Option<usize> {
    loop {
        let (number, behind) = marker(reader.bytes, reader.at)?;
        reader.at = behind;
        let ahead = (number + 8 - expected) % 8;
        if ahead == 0 {
            return Some(0);
        }
        let is_damaged_number = match marker(reader.bytes, behind) {
            Some((after, _)) => after == (expected + 1) % 8,
            None => left == 1,
        };
        if is_damaged_number {
            return Some(0);
        }
        let are_missing = match marker(reader.bytes, behind) {
            Some((after, _)) => after == (number + 1) % 8,
            None => left > 1 && ahead == (left - 1) % 8,
        };
        if are_missing && ahead < left {
            return Some(ahead);
        }
    }
}

/// The number of the next restart marker at or after an offset, and the offset after it; `None` if another marker or
/// the end of the file comes first.
fn marker(bytes: &[u8], mut at: usize) -> Option<(usize, usize)> {
    loop {
        at += memchr::memchr(0xff, bytes.get(at..)?)?;
        match *bytes.get(at + 1)? {
            0xff => at += 1,
            0x00 => at += 2,
            code @ 0xd0..=0xd7 => return Some((usize::from(code & 7), at + 2)),
            _ => return None,
        }
    }
}

/// Decodes the MCUs of one restart interval. Returns the offset after the bytes that were read, and the MCU at which
/// a fault was found.
fn interval(
    reader: &Reader<'_>,
    picture: &mut Picture,
    header: &ScanHeader,
    mcus: &Mcus,
    range: Range<usize>,
) -> (usize, Result<(), (usize, Fault)>) {
    let blocks = BlockDecoder {
        header,
        is_progressive: picture.process.is_progressive,
        tables: header
            .parts
            .iter()
            .map(|part| Tables {
                dc: reader.dc[part.dc].as_ref(),
                ac: reader.ac[part.ac].as_ref(),
            })
            .collect(),
    };
    let mut entropy = if picture.process.is_arithmetic {
        Entropy::Arithmetic(
            Decoder::new(reader.bytes, reader.at),
            Box::new(Statistics::new(reader.conditioning)),
        )
    } else {
        Entropy::Huffman(BitReader::new(reader.bytes, reader.at))
    };
    let mut memory = Memory::default();
    for mcu in range {
        let (x, y) = (mcu % mcus.wide, mcu / mcus.wide);
        if x == 0 && (reader.options.should_stop)() {
            return (entropy.at(), Err((mcu, Fault::Stopped)));
        }
        for (index, part) in header.parts.iter().enumerate() {
            let component = &picture.components[part.component];
            let (h, v) = match header.parts.len() {
                1 => (1, 1),
                _ => (component.h, component.v),
            };
            for (row, column) in (0..v).flat_map(|row| (0..h).map(move |column| (row, column))) {
                let position = (x * h + column, y * v + row);
                let decoded =
                    decode_block(&blocks, &mut entropy, &mut memory, index, picture, position);
                if let Err(fault) = decoded {
                    return (entropy.at(), Err((mcu, fault)));
                }
            }
        }
    }
    (entropy.at(), Ok(()))
}

/// Decodes the block in this column and row of its component.
fn decode_block(
    blocks: &BlockDecoder<'_>,
    entropy: &mut Entropy<'_>,
    memory: &mut Memory,
    index: usize,
    picture: &mut Picture,
    (column, row): (usize, usize),
) -> Result<(), Fault> {
    let bits = picture.bits;
    let component = &mut picture.components[blocks.header.parts[index].component];
    if blocks.is_progressive {
        let (wide, above) = (component.blocks_wide, picture.held.start * component.v);
        if let Some(row) = row.checked_sub(above)
            && let Some(block) = component.coefficients.get_mut(row * wide + column)
        {
            return blocks.decode(entropy, memory, index, block);
        }
        let nonzero = &mut component.nonzero[row * wide + column];
        let mut block = [0; 64];
        for (index, value) in block.iter_mut().enumerate() {
            *value = i16::from(*nonzero >> index & 1 == 1);
        }
        let decoded = blocks.decode(entropy, memory, index, &mut block);
        for (index, &value) in block.iter().enumerate() {
            *nonzero |= u64::from(value != 0) << index;
        }
        return decoded;
    }
    let mut block = [0; 64];
    blocks.decode(entropy, memory, index, &mut block)?;
    put_samples(component, bits, (column, row), &block);
    Ok(())
}

const NO_RESTART: Fault = Fault::Damaged("a part between two restart markers is missing");
