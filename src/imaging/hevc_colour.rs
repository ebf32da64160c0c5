//! Reads the colour description in an HEVC bitstream.
//!
//! iPhones omit the HEIF box for it and state in the sequence parameter set (ITU-T H.265, 7.3.2.2 and
//! Annex E) that samples use the full range, which heic-rs does not read. If the samples were taken for
//! video range, shadows and highlights of every such photo would be clipped.

use heic_rs::{MatrixCoefficients, Nclx, Range};

/// Reads the colour description of a sequence parameter set, given as a NAL unit.
///
/// Without a description the samples have video range, as H.265 infers, and an unspecified matrix.
pub(super) fn of_parameter_set(nal: &[u8]) -> Nclx {
    let (range, matrix_code) =
        signal_type(&mut BitReader::of_nal(nal)).unwrap_or((Range::Limited, UNSPECIFIED));
    Nclx {
        matrix: MatrixCoefficients::from_code(matrix_code),
        matrix_code,
        range,
        // The conversion does not use primaries and transfer.
        ..Nclx::default()
    }
}

const UNSPECIFIED: u16 = 2;
const EXTENDED_ASPECT_RATIO: u32 = 255;

/// Range and matrix; `None` if they are absent, the parameter set ends early, or it uses syntax that no
/// still picture needs.
fn signal_type(bits: &mut BitReader) -> Option<(Range, u16)> {
    bits.skip(4)?; // video parameter set
    let sub_layers = bits.read(3)?; // minus one
    bits.skip(1)?;
    profile_tier_level(bits, sub_layers)?;
    bits.ue()?; // identifier
    if bits.ue()? == 3 {
        bits.skip(1)?; // separate colour planes
    }
    bits.skip_ue(2)?; // width, height
    if bits.flag()? {
        bits.skip_ue(4)?; // conformance window
    }
    bits.skip_ue(2)?; // bit depths
    let order_bits = bits.ue()?.checked_add(5)?; // and a flag
    let first = if bits.flag()? { 0 } else { sub_layers };
    bits.skip_ue(3 * (sub_layers - first + 1))?; // ordering info
    bits.skip_ue(6)?; // block sizes and depths
    if bits.flag()? && bits.flag()? {
        scaling_lists(bits)?;
    }
    bits.skip(2)?; // asymmetric partitions, adaptive offset
    if bits.flag()? {
        bits.skip(8)?; // PCM depths
        bits.skip_ue(2)?;
        bits.skip(1)?;
    }
    for index in 0..bits.ue()? {
        reference_pictures(bits, index)?;
    }
    if bits.flag()? {
        let long_term = bits.ue()?;
        for _ in 0..long_term {
            bits.skip(order_bits)?;
        }
    }
    bits.skip(2)?; // temporal prediction, strong smoothing
    if !bits.flag()? {
        return None; // no video usability information
    }
    if bits.flag()? && bits.read(8)? == EXTENDED_ASPECT_RATIO {
        bits.skip(32)?;
    }
    if bits.flag()? {
        bits.skip(1)?; // overscan
    }
    if !bits.flag()? {
        return None;
    }
    bits.skip(3)?; // video format
    let range = if bits.flag()? {
        Range::Full
    } else {
        Range::Limited
    };
    let matrix = if bits.flag()? {
        bits.skip(16)?; // primaries, transfer
        bits.read(8)? as u16
    } else {
        UNSPECIFIED
    };
    Some((range, matrix))
}

fn profile_tier_level(bits: &mut BitReader, sub_layers: u32) -> Option<()> {
    const PROFILE: u32 = 88;
    const LEVEL: u32 = 8;
    bits.skip(PROFILE + LEVEL)?;
    let mut present = 0;
    for _ in 0..sub_layers {
        present += if bits.flag()? { PROFILE } else { 0 };
        present += if bits.flag()? { LEVEL } else { 0 };
    }
    if sub_layers > 0 {
        bits.skip(2 * (8 - sub_layers))?;
    }
    bits.skip(present)
}

fn scaling_lists(bits: &mut BitReader) -> Option<()> {
    for size in 0..4 {
        for _ in 0..if size == 3 { 2 } else { 6 } {
            if bits.flag()? {
                let coefficients = 64.min(1 << (4 + 2 * size));
                bits.skip_ue(coefficients + u32::from(size > 1))?;
            } else {
                bits.ue()?;
            }
        }
    }
    Some(())
}

fn reference_pictures(bits: &mut BitReader, index: u32) -> Option<()> {
    if index > 0 && bits.flag()? {
        return None; // predicted from another set
    }
    let pictures = bits.ue()?.checked_add(bits.ue()?)?;
    for _ in 0..pictures {
        bits.ue()?;
        bits.skip(1)?;
    }
    Some(())
}

/// Reads the bits of a NAL unit, the most significant first.
struct BitReader {
    bytes: Vec<u8>,
    position: usize,
}

impl BitReader {
    /// Starts after the two bytes of the NAL header and drops emulation prevention bytes.
    fn of_nal(nal: &[u8]) -> Self {
        let mut bytes: Vec<u8> = Vec::with_capacity(nal.len());
        let mut zeros = 0;
        for &byte in nal.get(2..).unwrap_or_default() {
            if zeros >= 2 && byte == 3 {
                zeros = 0;
                continue;
            }
            zeros = if byte == 0 { zeros + 1 } else { 0 };
            bytes.push(byte);
        }
        Self { bytes, position: 0 }
    }

    fn flag(&mut self) -> Option<bool> {
        let byte = self.bytes.get(self.position / 8)?;
        let bit = (byte >> (7 - self.position % 8)) & 1;
        self.position += 1;
        Some(bit == 1)
    }

    fn read(&mut self, count: u32) -> Option<u32> {
        (0..count).try_fold(0, |value, _| Some((value << 1) | u32::from(self.flag()?)))
    }

    fn skip(&mut self, count: u32) -> Option<()> {
        self.position += count as usize;
        (self.position <= 8 * self.bytes.len()).then_some(())
    }

    /// Reads an unsigned Exp-Golomb code. A signed code has the same length, so this also skips those.
    fn ue(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
        }
        (zeros < 32).then_some(())?;
        Some((1 << zeros) - 1 + self.read(zeros)?)
    }

    fn skip_ue(&mut self, count: u32) -> Option<()> {
        (0..count).try_for_each(|_| self.ue().map(|_| ()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A NAL unit of a parameter set that is given as its bits.
    fn nal(bits: &str) -> Vec<u8> {
        let bits: Vec<u8> = bits.bytes().filter(u8::is_ascii_digit).collect();
        let payload = bits.chunks(8).map(|byte| {
            (0..8).fold(0, |value, at| {
                (value << 1) | (byte.get(at).unwrap_or(&b'0') - b'0')
            })
        });
        // Adds emulation prevention bytes, as an encoder does.
        let mut nal = vec![0x42, 0x01];
        let mut zeros = 0;
        for byte in payload {
            if zeros == 2 && byte <= 3 {
                nal.push(3);
                zeros = 0;
            }
            zeros = if byte == 0 { zeros + 1 } else { 0 };
            nal.push(byte);
        }
        nal
    }

    /// Everything before the usability information, without optional parts.
    fn plain() -> String {
        let profile = "0".repeat(96);
        let size = "0000000001000000000 0000000001000000000"; // 511 × 511
        format!("0000 000 1 {profile} 1 010 {size} 0 1 1 1 1 111 111111 0 00 0 1 0 00")
    }

    /// Everything before the usability information, with all optional parts and two sub-layers.
    fn full() -> String {
        let profile = "0".repeat(96);
        let sub_layer = format!("11 {} {}", "00".repeat(7), "0".repeat(96));
        let size = "0000000001000000000 0000000001000000000";
        let lists: String = (0..4)
            .map(|size| {
                let coefficients = [16, 64, 65, 65][size];
                let coded = format!("1 {}", "010".repeat(coefficients));
                // One list is coded, the others refer to it.
                coded + &"0 1".repeat(if size == 3 { 1 } else { 5 })
            })
            .collect();
        let pcm = "00000000 1 1 0";
        let references = "010 010 1 1 0"; // one set of one picture
        let long_term = "1 010 00000000 0"; // eight bits of order count
        format!(
            "0000 001 1 {profile} {sub_layer} 1 00100 0 {size} 1 1111 1 1 00101 1 111111 111111 \
             1 1 {lists} 00 1 {pcm} {references} {long_term} 00"
        )
    }

    #[test]
    fn the_colour_description_is_read() {
        for set in [plain(), full()] {
            // Usability information with aspect ratio and overscan; BT.709, full range.
            let usable = "1 1 11111111 00000000000000010000000000000001 1 0";
            let video = "1 101 1 1 00000001 00000001 00000001";
            let nclx = of_parameter_set(&nal(&format!("{set} {usable} {video}")));
            assert_eq!(nclx.range, Range::Full);
            assert_eq!(nclx.matrix, MatrixCoefficients::Bt709);
        }
    }

    #[test]
    fn a_range_without_a_matrix_is_read() {
        let nclx = of_parameter_set(&nal(&format!("{} 1 0 0 1 101 1 0", plain())));
        assert_eq!(
            (nclx.range, nclx.matrix),
            (Range::Full, MatrixCoefficients::Unspecified)
        );
    }

    #[test]
    fn without_a_description_the_range_is_video_range() {
        let without = [
            format!("{} 0 1", plain()),
            format!("{} 1 0 0 0 1", plain()),
            "0000".to_owned(),
            String::new(),
        ];
        for set in without {
            let nclx = of_parameter_set(&nal(&set));
            assert_eq!(
                (nclx.range, nclx.matrix),
                (Range::Limited, MatrixCoefficients::Unspecified)
            );
        }
        // A code of nothing but zeros must not be read without end.
        assert_eq!(of_parameter_set(&[0; 64]).range, Range::Limited);
        assert_eq!(of_parameter_set(&[]).range, Range::Limited);
    }
}
