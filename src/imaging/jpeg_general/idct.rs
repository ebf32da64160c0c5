//! The inverse discrete cosine transform, by the integer method of Loeffler, Ligtenberg and Moschytz that
//! libjpeg calls "islow", whose results other decoders are compared with.

const BITS: u32 = 13;
const PASS: u32 = 2;

/// A constant with 13 bits after the point.
const fn fix(value: f64) -> i64 {
    (value * (1 << BITS) as f64 + 0.5) as i64
}

/// Transforms eight values, `step` apart, and shifts the results right with rounding.
fn transform(block: &mut [i64; 64], start: usize, step: usize, shift: u32) {
    let value = |k: usize| block[start + k * step];
    let (z2, z3) = (value(2), value(6));
    let z1 = (z2 + z3) * fix(0.541_196_100);
    let (t2, t3) = (z1 - z3 * fix(1.847_759_065), z1 + z2 * fix(0.765_366_865));
    let (t0, t1) = ((value(0) + value(4)) << BITS, (value(0) - value(4)) << BITS);
    let even = [t0 + t3, t1 + t2, t1 - t2, t0 - t3];

    let (t0, t1, t2, t3) = (value(7), value(5), value(3), value(1));
    let z5 = (t0 + t2 + t1 + t3) * fix(1.175_875_602);
    let z1 = -(t0 + t3) * fix(0.899_976_223);
    let z2 = -(t1 + t2) * fix(2.562_915_447);
    let z3 = z5 - (t0 + t2) * fix(1.961_570_560);
    let z4 = z5 - (t1 + t3) * fix(0.390_180_644);
    let odd = [
        t3 * fix(1.501_321_110) + z1 + z4,
        t2 * fix(3.072_711_026) + z2 + z3,
        t1 * fix(2.053_119_869) + z2 + z4,
        t0 * fix(0.298_631_336) + z1 + z3,
    ];
    let half = 1 << (shift - 1);
    for k in 0..4 {
        block[start + k * step] = (even[k] + odd[k] + half) >> shift;
        block[start + (7 - k) * step] = (even[k] - odd[k] + half) >> shift;
    }
}

/// The samples of a block of dequantised coefficients, in the order of their rows, before the level shift.
pub(super) fn samples(mut block: [i64; 64]) -> [i64; 64] {
    for column in 0..8 {
        transform(&mut block, column, 8, BITS - PASS);
    }
    for row in 0..8 {
        transform(&mut block, 8 * row, 1, BITS + PASS + 3);
    }
    block
}
