//! A kernel packed for register tiles, and the tile's inner loop.

use crate::simd::Simd;

/// Columns of a panel: two registers of the widest unit, so that a packed kernel serves any.
pub const PANEL: usize = 32;

/// How many rows of a panel to ask for in advance: a network's kernels do not fit the cache next to the
/// core, and the one beyond answers after about as many rows' products.
const AHEAD: usize = 16;

/// A kernel cut into panels of `PANEL` columns, `[panels, taps, source channels, PANEL]`, with
/// zeros in columns past the last.
#[derive(Debug, Clone, Default)]
pub struct Panels {
    values: Vec<f32>,
    taps: usize,
    sources: usize,
    targets: usize,
    zeros: Vec<f32>,
}

impl Panels {
    /// Packs `kernel[taps, sources, targets]`.
    pub fn pack(&mut self, kernel: &[f32], taps: usize, sources: usize, targets: usize) {
        self.reset(taps, sources, targets);
        let rows = kernel.chunks_exact(targets).enumerate();
        for (row, kernel) in rows {
            for (panel, kernel) in kernel.chunks(PANEL).enumerate() {
                let at = (panel * taps * sources + row) * PANEL;
                self.values[at..at + kernel.len()].copy_from_slice(kernel);
            }
        }
    }

    /// Packs the transpose of `kernel[taps, targets, sources]`.
    pub fn pack_transposed(&mut self, kernel: &[f32], taps: usize, sources: usize, targets: usize) {
        self.reset(taps, sources, targets);
        for (i, kernel) in kernel.chunks_exact(sources).enumerate() {
            let (tap, target) = (i / targets, i % targets);
            let start = (target / PANEL * taps + tap) * sources * PANEL + target % PANEL;
            for (value, kernel) in self.values[start..].iter_mut().step_by(PANEL).zip(kernel) {
                *value = *kernel;
            }
        }
    }

    /// Taps of the kernel.
    pub const fn taps(&self) -> usize {
        self.taps
    }

    /// Channels of a source pixel.
    pub const fn sources(&self) -> usize {
        self.sources
    }

    /// Channels of a target pixel.
    pub const fn targets(&self) -> usize {
        self.targets
    }

    /// Stands for a source pixel outside the image.
    pub fn zeros(&self) -> &[f32] {
        &self.zeros
    }

    fn reset(&mut self, taps: usize, sources: usize, targets: usize) {
        self.values
            .resize(targets.div_ceil(PANEL) * taps * sources * PANEL, 0.0);
        self.zeros.resize(sources, 0.0);
        (self.taps, self.sources, self.targets) = (taps, sources, targets);
    }

    /// The rows of a tap, from `column` on.
    #[inline(always)]
    pub fn rows(&self, tap: usize, column: usize) -> *const f32 {
        let row = (column / PANEL * self.taps + tap) * self.sources;
        // Of the rest, not of one value: it is read on from there.
        self.values[row * PANEL + column % PANEL..].as_ptr()
    }
}

/// `sum[n] += x[n] · weights`, the dot products of `N` pixels with `V` registers of columns.
#[inline(always)]
pub unsafe fn multiply<S: Simd, const N: usize, const V: usize>(
    sum: &mut [[S::Vector; V]; N],
    x: [*const f32; N],
    weights: *const f32,
    channels: usize,
) {
    // SAFETY: the caller vouches for `channels` values of each pixel and rows of the panel.
    unsafe {
        for channel in 0..channels {
            let row = weights.add(channel * PANEL);
            let ahead = row.wrapping_add(AHEAD * PANEL);
            for v in 0..V {
                S::prefetch(ahead.wrapping_add(v * S::LANES));
            }
            let w: [S::Vector; V] = std::array::from_fn(|v| S::load(row.add(v * S::LANES)));
            for (sum, x) in sum.iter_mut().zip(x) {
                let value = S::splat(*x.add(channel));
                for (sum, w) in sum.iter_mut().zip(w) {
                    *sum = S::multiply_add(value, w, *sum);
                }
            }
        }
    }
}
