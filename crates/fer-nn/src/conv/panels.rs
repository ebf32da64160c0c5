//! Packs a kernel for register tiles, and multiplies pixels by the packed kernel.

use crate::AlignedVec;
use crate::shared::{Parts, SharedSlice};
use crate::simd::Simd;

/// Columns of a panel: two registers of the widest instruction set, so that a packed kernel serves
/// all of them.
pub const PANEL: usize = 32;

/// How many rows of a panel ahead to prefetch: a network's kernels do not fit the core's own cache,
/// and the latency of the next cache is about the time in which this many rows are multiplied.
const PREFETCH_ROWS: usize = 16;

/// A kernel cut into panels of `PANEL` columns, `[panels, taps, source channels, PANEL]`, with
/// unused values in columns past the last.
#[derive(Debug, Clone, Default)]
pub struct Panels {
    /// Empty if they are shared.
    values: AlignedVec<f32>,
    /// The values, if other processes use the same.
    shared: Option<SharedSlice>,
    taps: usize,
    sources: usize,
    targets: usize,
    zeros: AlignedVec<f32>,
}

impl Panels {
    /// Packs `kernel[taps, sources, targets]`.
    pub fn pack(&mut self, kernel: &[f32], taps: usize, sources: usize, targets: usize) {
        self.reset(taps, sources, targets);
        let rows = kernel.chunks_exact(targets).enumerate();
        for (row, kernel) in rows {
            for (panel, kernel) in kernel.chunks(PANEL).enumerate() {
                let start = (panel * taps * sources + row) * PANEL;
                self.values[start..start + kernel.len()].copy_from_slice(kernel);
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

    /// Number of taps of the kernel.
    pub const fn taps(&self) -> usize {
        self.taps
    }

    /// Number of channels of a source pixel.
    pub const fn sources(&self) -> usize {
        self.sources
    }

    /// Number of channels of a target pixel.
    pub const fn targets(&self) -> usize {
        self.targets
    }

    /// The channels of a source pixel outside the image: as many zeros as a source pixel has
    /// channels.
    pub fn zeros(&self) -> &[f32] {
        &self.zeros
    }

    /// The packed values, unused ones included.
    #[inline(always)]
    pub fn values(&self) -> &[f32] {
        self.shared.as_deref().unwrap_or(&self.values)
    }

    /// Uses the next of the parts that another process has written from the same values ([`Panels::values`]), and frees
    /// the own ones. Returns whether that part is equal; if not, nothing changes.
    pub fn share(&mut self, parts: &mut Parts) -> bool {
        let is_equal = |part: &SharedSlice| **part == *self.values();
        let Some(part) = parts.take(self.values().len()).filter(is_equal) else {
            return false;
        };
        self.shared = Some(part);
        self.values = AlignedVec::default();
        true
    }

    /// Makes room for a kernel of these sizes.
    fn reset(&mut self, taps: usize, sources: usize, targets: usize) {
        self.shared = None;
        self.values
            .resize(targets.div_ceil(PANEL) * taps * sources * PANEL);
        self.zeros.resize(sources);
        (self.taps, self.sources, self.targets) = (taps, sources, targets);
    }

    /// A pointer to `column` of the first row of a tap; the next row, of the next source channel,
    /// is `PANEL` values further on.
    #[inline(always)]
    pub fn rows(&self, tap: usize, column: usize) -> *const f32 {
        let row = (column / PANEL * self.taps + tap) * self.sources;
        // A pointer made from the rest of the slice, since `multiply` reads further rows through it.
        self.values()[row * PANEL + column % PANEL..].as_ptr()
    }
}

/// `sum[n] += x[n] · weights`: adds the dot products of `N` pixels, of `channels` values each, and
/// the `V` registers of columns at `weights` (see [`Panels::rows`]).
///
/// # Safety
/// The processor must support the instruction set `S`, each pointer of `x` must be valid for
/// `channels` values, and `weights` for `V` registers at the beginning of each of `channels` rows
/// of a panel.
#[inline(always)]
pub unsafe fn multiply<S: Simd, const N: usize, const V: usize>(
    sum: &mut [[S::Vector; V]; N],
    x: [*const f32; N],
    weights: *const f32,
    channels: usize,
) {
    // SAFETY: the caller guarantees `S`, `channels` values of each pixel, and `V` registers of each
    // of `channels` rows. The prefetched addresses may lie past the panel: they are computed by
    // `wrapping_add` and never read.
    unsafe {
        for channel in 0..channels {
            let row = weights.add(channel * PANEL);
            let ahead = row.wrapping_add(PREFETCH_ROWS * PANEL);
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
