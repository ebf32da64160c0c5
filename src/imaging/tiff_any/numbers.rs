//! Reads the numbers of a line of samples: unsigned, signed or floating-point ones, of any number of bits, perhaps as
//! differences (TIFF 6.0, sections 14 and 19; Adobe's TIFF Technical Note 3 for floating-point numbers).

use super::tag;
use crate::error::Skip;
use crate::imaging::limits::Task;
use crate::imaging::tiff_structure::Directory;

/// What the samples of a line are predicted from; the data contain only the difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Predictor {
    Nothing,
    /// The previous sample of the same channel.
    Before,
    /// The previous byte of the same significance, in floating-point samples whose highest bytes are stored first.
    Floating,
}

/// What a sample is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Unsigned,
    /// The least number is black, the greatest white.
    Signed,
    /// 0 is black, 1 white.
    Floating,
}

impl Kind {
    /// The kind of a picture's samples; `None` if there is no such kind.
    pub fn of(directory: &Directory<'_>) -> Option<Self> {
        Some(match directory.number(tag::SAMPLE_FORMAT).unwrap_or(1) {
            // 4 means that nothing is said.
            1 | 4 => Self::Unsigned,
            2 => Self::Signed,
            3 => Self::Floating,
            _ => return None,
        })
    }

    /// Whether there are numbers of this many bits.
    pub fn has(self, bits: usize) -> bool {
        match self {
            Self::Unsigned | Self::Signed => matches!(bits, 1..=32 | 64),
            Self::Floating => matches!(bits, 16 | 24 | 32 | 64),
        }
    }
}

/// How the samples of a line are stored.
pub(super) struct Numbers {
    kind: Kind,
    bits: usize,
    is_little_endian: bool,
    predictor: Predictor,
}

impl Numbers {
    /// Numbers of this kind and as many bits as [`Kind::has`] allows.
    pub fn of(
        task: &Task<'_>,
        directory: &Directory<'_>,
        kind: Kind,
        bits: usize,
    ) -> Result<Self, Skip> {
        // Only these compressions use predictors: LZW, deflate, LZMA and Zstandard.
        let has_predictor = matches!(
            directory.number(tag::COMPRESSION),
            Some(5 | 8 | 32_946 | 34_925 | 50_000)
        );
        let number = directory.number(tag::PREDICTOR).filter(|_| has_predictor);
        let is_known_kind = matches!(bits, 1..=16 | 32 | 64);
        let predictor = match number {
            None | Some(1) => Predictor::Nothing,
            Some(2) if is_known_kind => Predictor::Before,
            Some(3) if kind == Kind::Floating => Predictor::Floating,
            Some(other) => return Err(task.unsupported(format!("predictor {other}"))),
        };
        Ok(Self {
            kind,
            bits,
            is_little_endian: task.bytes.starts_with(b"II"),
            predictor,
        })
    }

    /// Whether the samples are bytes, which need no conversion.
    pub fn are_bytes(&self) -> bool {
        self.bits == 8 && self.kind == Kind::Unsigned
    }

    /// The bits of a stored sample.
    pub fn stored_bits(&self) -> usize {
        self.bits
    }

    /// The bits of a sample that was read: those that are stored, but at most 16, and of a floating-point number 8.
    pub fn bits(&self) -> usize {
        match self.kind {
            Kind::Floating => 8,
            _ => self.bits.min(16),
        }
    }

    /// Undoes the prediction of samples that are bytes from those of the previous pixel, of `step` samples.
    pub fn undo_before(&self, line: &mut [u8], step: usize) {
        if self.predictor == Predictor::Before {
            add_previous(line, step);
        }
    }

    /// Reads the samples of a line, in which a pixel has `step` samples.
    pub fn read(&self, line: &mut [u8], step: usize, samples: &mut Vec<u32>) {
        samples.clear();
        match (self.kind, self.bits) {
            (Kind::Floating, _) | (_, 24 | 32 | 64) => return self.read_wide(line, step, samples),
            (_, 16) => samples.extend(line.as_chunks().0.iter().map(|&pair| {
                u32::from(if self.is_little_endian {
                    u16::from_le_bytes(pair)
                } else {
                    u16::from_be_bytes(pair)
                })
            })),
            (_, 8) => samples.extend(line.iter().copied().map(u32::from)),
            (_, bits) => unpack(line, bits, line.len() * 8 / bits, samples),
        }
        let bits = self.bits.min(16);
        if self.predictor == Predictor::Before {
            let mask = (1 << bits) - 1;
            for at in step..samples.len() {
                samples[at] = (samples[at] + samples[at - step]) & mask;
            }
        }
        if self.kind == Kind::Signed {
            for sample in samples {
                *sample ^= 1 << (bits - 1);
            }
        }
    }

    /// Reads samples of whole bytes that are converted to fewer bits.
    fn read_wide(&self, line: &mut [u8], step: usize, samples: &mut Vec<u32>) {
        let bytes = self.bits / 8;
        let number = line.len() / bytes;
        let joined = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        if self.predictor == Predictor::Floating {
            add_previous(line, step);
            let value = |at: usize| {
                let parts = (0..bytes).map(|part| &line[part * number + at]);
                parts.fold(0, joined)
            };
            samples.extend((0..number).map(|at| self.converted(value(at))));
            return;
        }
        let mut before = vec![0_u64; step];
        for (at, bytes) in line.chunks_exact(bytes).enumerate() {
            let mut value = if self.is_little_endian {
                bytes.iter().rev().fold(0, joined)
            } else {
                bytes.iter().fold(0, joined)
            };
            if self.predictor == Predictor::Before {
                let before = &mut before[at % step];
                *before = before.wrapping_add(value) & (u64::MAX >> (64 - self.bits));
                value = *before;
            }
            samples.push(self.converted(value));
        }
    }

    /// A stored number as one of [`Self::bits`].
    fn converted(&self, value: u64) -> u32 {
        match (self.kind, self.bits) {
            (Kind::Floating, 16) => level_of(small(value, 5, 10)),
            (Kind::Floating, 24) => level_of(small(value, 7, 16)),
            (Kind::Floating, 32) => level_of(f32::from_bits(value as u32).into()),
            (Kind::Floating, _) => level_of(f64::from_bits(value)),
            (kind, bits) => {
                let highest = (value >> (bits - 16)) as u32 & 0xffff;
                highest ^ if kind == Kind::Signed { 0x8000 } else { 0 }
            }
        }
    }
}

/// Undoes the prediction of each byte from the one `step` bytes before it.
fn add_previous(line: &mut [u8], step: usize) {
    for at in step..line.len() {
        line[at] = line[at].wrapping_add(line[at - step]);
    }
}

/// A floating-point sample as one of 8 bits; black is 0 and white 1.
fn level_of(value: f64) -> u32 {
    // NaN becomes black.
    (value.clamp(0.0, 1.0) * 255.0).round() as u32
}

/// A floating-point number of a sign and this many bits for its exponent and its fraction, as IEEE 754 has them.
fn small(value: u64, exponent_bits: u32, fraction_bits: u32) -> f64 {
    let part = |bits: u32, above: u32| (value >> above & ((1 << bits) - 1)) as i32;
    let (fraction, exponent) = (part(fraction_bits, 0), part(exponent_bits, fraction_bits));
    let highest = (1 << exponent_bits) - 1;
    if exponent == highest && fraction != 0 {
        return f64::NAN;
    }
    let whole = i32::from(exponent != 0) << fraction_bits;
    let power = exponent.max(1) - highest / 2 - fraction_bits as i32;
    let magnitude = f64::from(whole + fraction) * f64::from(power).exp2();
    if part(1, exponent_bits + fraction_bits) == 1 {
        -magnitude
    } else {
        magnitude
    }
}

/// Adds samples of up to 32 bits, one after the other, the highest bit first; of more than 16 the highest.
fn unpack(bytes: &[u8], bits: usize, number: usize, samples: &mut Vec<u32>) {
    let (mut buffer, mut held, mut bytes) = (0_u64, 0, bytes.iter());
    let left_out = bits.saturating_sub(16);
    while samples.len() < number {
        while held < bits {
            let Some(&byte) = bytes.next() else {
                return;
            };
            buffer = buffer << 8 | u64::from(byte);
            held += 8;
        }
        held -= bits;
        let sample = buffer >> held & ((1 << bits) - 1);
        samples.push((sample >> left_out) as u32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_floating_point_numbers_are_read() {
        for (bits, expected) in [
            (0, 0.0),
            (1, 2_f64.powi(-24)),
            (0x3c00, 1.0),
            (0x3800, 0.5),
            (0xbe00, -1.5),
            (0x7bff, 65_504.0),
        ] {
            assert!((small(bits, 5, 10) - expected).abs() < 1e-12, "{bits:x}");
        }
        assert!(small(0x7e00, 5, 10).is_nan());
        assert!((small(0x3f_0000, 7, 16) - 1.0).abs() < 1e-12);
        assert!((small(0x3e_8000, 7, 16) - 0.75).abs() < 1e-12);
    }

    #[test]
    fn numbers_of_many_bits_keep_their_highest() {
        let read = |kind, bits, predictor, mut line: Vec<u8>| {
            let numbers = Numbers {
                kind,
                bits,
                is_little_endian: false,
                predictor,
            };
            let mut samples = Vec::new();
            numbers.read(&mut line, 1, &mut samples);
            samples
        };
        let line = vec![0x12, 0x34, 0x56, 0x78, 0xf0, 0, 0, 1];
        let (nothing, before) = (Predictor::Nothing, Predictor::Before);
        let (unsigned, signed) = (Kind::Unsigned, Kind::Signed);
        let one = |number: &[u32]| number.to_vec();
        assert_eq!(
            read(unsigned, 32, nothing, line.clone()),
            one(&[0x1234, 0xf000])
        );
        assert_eq!(
            read(unsigned, 32, before, line.clone()),
            one(&[0x1234, 0x0234])
        );
        assert_eq!(
            read(signed, 32, nothing, line.clone()),
            one(&[0x9234, 0x7000])
        );
        assert_eq!(read(unsigned, 64, nothing, line.clone()), one(&[0x1234]));
        assert_eq!(
            read(unsigned, 24, nothing, line[..6].to_vec()),
            one(&[0x1234, 0x78f0])
        );
        assert_eq!(
            read(unsigned, 20, nothing, line[..5].to_vec()),
            one(&[0x1234, 0x678f])
        );
        assert_eq!(read(signed, 8, nothing, vec![0x80, 0x7f]), one(&[0, 255]));
    }
}
