//! Converts luma and chroma to red, green and blue, as libjpeg does.

/// Pixels that are converted at once.
const BATCH: usize = 16;

/// Red, green and blue of a pixel (JFIF 1.02), with libjpeg's rounding.
#[inline(always)]
fn pixel(luma: u8, blue: u8, red: u8) -> [u8; 3] {
    let (y, cb, cr) = (i32::from(luma), i32::from(blue) - 128, i32::from(red) - 128);
    let half = 1 << 15;
    [
        (y + ((91_881 * cr + half) >> 16)).clamp(0, 255) as u8,
        (y + ((-22_554 * cb - 46_802 * cr + half) >> 16)).clamp(0, 255) as u8,
        (y + ((116_130 * cb + half) >> 16)).clamp(0, 255) as u8,
    ]
}

/// Converts a row.
#[inline(always)]
pub fn to_rgb(luma: &[u8], blue: &[u8], red: &[u8], out: &mut [u8]) {
    let (luma, luma_rest) = luma.as_chunks::<BATCH>();
    let (blue, blue_rest) = blue.as_chunks::<BATCH>();
    let (red, red_rest) = red.as_chunks::<BATCH>();
    let (out, out_rest) = out.as_chunks_mut::<{ 3 * BATCH }>();
    for (((luma, blue), red), out) in luma.iter().zip(blue).zip(red).zip(out) {
        // First packs each pixel into four bytes, which becomes vector instructions, then writes each over the fourth
        // byte of the previous one: moving single bytes takes longer than computing them.
        let mut packed = [0_u32; BATCH];
        for (packed, ((&luma, &blue), &red)) in
            packed.iter_mut().zip(luma.iter().zip(blue).zip(red))
        {
            let [r, g, b] = pixel(luma, blue, red);
            *packed = u32::from_le_bytes([r, g, b, 0]);
        }
        for (i, packed) in packed.iter().enumerate().take(BATCH - 1) {
            out[3 * i..3 * i + 4].copy_from_slice(&packed.to_le_bytes());
        }
        let [r, g, b, _] = packed[BATCH - 1].to_le_bytes();
        out[3 * (BATCH - 1)..].copy_from_slice(&[r, g, b]);
    }
    let rest = luma_rest.iter().zip(blue_rest).zip(red_rest);
    for (((&luma, &blue), &red), out) in rest.zip(out_rest.as_chunks_mut().0) {
        *out = pixel(luma, blue, red);
    }
}

/// Repeats the grey value of each pixel three times.
#[inline(always)]
pub fn grey_to_rgb(luma: &[u8], out: &mut [u8]) {
    for (out, &luma) in out.as_chunks_mut::<3>().0.iter_mut().zip(luma) {
        *out = [luma; 3];
    }
}
