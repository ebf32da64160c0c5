//! Interpolates chroma to the resolution of luma, as libjpeg's "fancy upsampling" does.

/// A row of samples and its neighbour: the row of pixels is between their middles.
pub struct RowPair<'a> {
    /// The row of samples that covers the pixels.
    pub row: &'a [u8],
    /// The row above it, or below for its lower pixels; the same row at the edge.
    pub neighbour: &'a [u8],
    /// Whether the pixels are in the lower half of the row.
    pub is_lower: bool,
}

/// Writes a row of pixels. Each sample covers `subsampling` pixels across and down.
#[inline(always)]
pub fn upsample_row(from: &RowPair<'_>, subsampling: (usize, usize), out: &mut [u8]) {
    // libjpeg does not interpolate across rows of one or two samples.
    let is_narrow = from.row.len() <= 2;
    match subsampling {
        (1, 1) => {
            let width = from.row.len().min(out.len());
            out[..width].copy_from_slice(&from.row[..width]);
        }
        (2, 1) if !is_narrow => {
            let mixed = |a: u8, b: u8, bias: u16| (3 * u16::from(a) + u16::from(b) + bias) >> 2;
            upsample_horizontally(from.row, out, |i, j, bias| {
                mixed(from.row[i], from.row[j], bias + 1) as u8
            });
        }
        (1, 2) => {
            let bias = if from.is_lower { 2 } else { 1 };
            for ((out, &a), &b) in out.iter_mut().zip(from.row).zip(from.neighbour) {
                *out = ((3 * u16::from(a) + u16::from(b) + bias) >> 2) as u8;
            }
        }
        (2, 2) if !is_narrow => {
            let column = |i: usize| 3 * u16::from(from.row[i]) + u16::from(from.neighbour[i]);
            upsample_horizontally(from.row, out, |i, j, bias| {
                ((3 * column(i) + column(j) + 8 - bias) >> 4) as u8
            });
        }
        (width, _) => {
            for (out, &sample) in out.chunks_mut(width).zip(from.row) {
                out.fill(sample);
            }
        }
    }
}

/// Writes two pixels for each sample: `mix` of it and its left neighbour with bias 0, and of it and its right one
/// with bias 1. At the edges a sample is its own neighbour.
#[inline(always)]
fn upsample_horizontally(row: &[u8], out: &mut [u8], mix: impl Fn(usize, usize, u16) -> u8) {
    let last = row.len() - 1;
    let pairs = out.as_chunks_mut::<2>().0;
    for (i, pair) in pairs.iter_mut().enumerate().take(last).skip(1) {
        *pair = [mix(i, i - 1, 0), mix(i, i + 1, 1)];
    }
    let mut edge = |i: usize, pair: [u8; 2]| {
        for (out, value) in out.iter_mut().skip(2 * i).zip(pair) {
            *out = value;
        }
    };
    edge(0, [mix(0, 0, 0), mix(0, 1, 1)]);
    edge(last, [mix(last, last - 1, 0), mix(last, last, 1)]);
}
