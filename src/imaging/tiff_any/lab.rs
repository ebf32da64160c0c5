//! CIE L\*a\*b\* to sRGB: TIFF 6.0, section 23, and as ICC profiles store it (photometric interpretation 9).
//!
//! White is that of D50, as in Photoshop, which writes these files, and in littleCMS, and becomes the white of sRGB
//! (Bradford's adaptation, relative colorimetric). libtiff keeps the yellow of D50 instead.

/// How colours are stored.
pub(super) struct Lab {
    is_icc: bool,
    /// Whether samples have 16 bits instead of 8.
    is_wide: bool,
    /// The sRGB level of each amount of light.
    levels: Vec<u8>,
}

/// Steps from no light to all light; twelve of them are less than the darkest level.
const STEPS: usize = 1 << 14;

/// From XYZ with the white of D50 to linear sRGB with that of D65.
const TO_SRGB: [[f32; 3]; 3] = [
    [3.133_856, -1.616_867, -0.490_615],
    [-0.978_768, 1.916_142, 0.033_454],
    [0.071_945, -0.228_991, 1.405_243],
];

/// The white of D50.
const WHITE: [f32; 3] = [0.964_22, 1.0, 0.825_21];

impl Lab {
    /// The colours of a picture whose samples have 8 or 16 bits; `is_icc` if they are as in ICC profiles.
    pub fn new(is_icc: bool, bits: usize) -> Self {
        Self {
            is_icc,
            is_wide: bits == 16,
            levels: (0..=STEPS)
                .map(|step| level(step as f32 / STEPS as f32))
                .collect(),
        }
    }

    /// The colour of a pixel.
    pub fn rgb(&self, samples: [u32; 3]) -> [u8; 3] {
        let [l, a, b] = self.values(samples);
        let y = (l + 16.0) / 116.0;
        let light = |value: f32| {
            if value > 6.0 / 29.0 {
                value.powi(3)
            } else {
                (value - 4.0 / 29.0) * (108.0 / 841.0)
            }
        };
        let xyz = [y + a / 500.0, y, y - b / 200.0].map(light);
        TO_SRGB.map(|row| {
            let parts = row.iter().zip(WHITE).zip(xyz);
            let sum: f32 = parts
                .map(|((factor, white), part)| factor * white * part)
                .sum();
            self.levels[(sum.clamp(0.0, 1.0) * STEPS as f32).round() as usize]
        })
    }

    /// L\* from 0 to 100, a\* and b\*.
    fn values(&self, [l, a, b]: [u32; 3]) -> [f32; 3] {
        let signed = |sample: u32| {
            if self.is_wide {
                f32::from((sample as u16).cast_signed()) / 256.0
            } else {
                f32::from((sample as u8).cast_signed())
            }
        };
        let white = match (self.is_icc, self.is_wide) {
            (_, false) => 255.0,
            (false, true) => 65_535.0,
            (true, true) => 65_280.0,
        };
        let from_zero = |sample: u32| {
            if self.is_icc {
                sample as f32 / if self.is_wide { 256.0 } else { 1.0 } - 128.0
            } else {
                signed(sample)
            }
        };
        [l as f32 * 100.0 / white, from_zero(a), from_zero(b)]
    }
}

/// The level of an amount of light (IEC 61966-2-1).
fn level(light: f32) -> u8 {
    let value = if light <= 0.003_130_8 {
        12.92 * light
    } else {
        1.055 * light.powf(1.0 / 2.4) - 0.055
    };
    (value * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_colours_are_converted() {
        // White, black, the middle grey of sRGB, and its red, green and blue, in L*, a* and b* of D50.
        for (lab, expected) in [
            ([100.0, 0.0, 0.0], [255, 255, 255]),
            ([0.0, 0.0, 0.0], [0, 0, 0]),
            ([53.585, 0.0, 0.0], [128, 128, 128]),
            ([54.29, 80.81, 69.89], [255, 0, 0]),
            ([87.82, -79.29, 80.99], [0, 255, 0]),
            ([29.57, 68.30, -112.03], [0, 0, 255]),
        ] {
            let [l, a, b] = lab;
            let plain = |l: f64, white: f64| (l * white / 100.0).round() as u32;
            let wide = [
                plain(l, 65_535.0),
                u32::from(((a * 256.0).round() as i16).cast_unsigned()),
                u32::from(((b * 256.0).round() as i16).cast_unsigned()),
            ];
            let icc = [
                plain(l, 65_280.0),
                ((a + 128.0) * 256.0).round() as u32,
                ((b + 128.0) * 256.0).round() as u32,
            ];
            let small = [
                plain(l, 255.0),
                u32::from((a.round() as i8).cast_unsigned()),
                u32::from((b.round() as i8).cast_unsigned()),
            ];
            let small_icc = [
                small[0],
                (a + 128.0).round() as u32,
                (b + 128.0).round() as u32,
            ];
            for (is_icc, bits, samples, most) in [
                (false, 16, wide, 1),
                (true, 16, icc, 1),
                (false, 8, small, 12),
                (true, 8, small_icc, 12),
            ] {
                let colour = Lab::new(is_icc, bits).rgb(samples);
                let difference = colour.iter().zip(expected).map(|(a, b)| a.abs_diff(b));
                assert!(difference.max() <= Some(most), "{lab:?} {bits}: {colour:?}");
            }
        }
    }
}
