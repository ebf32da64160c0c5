//! Every target pixel as a weighted sum of its source pixels: the forward pass, and the gradient
//! of the input, which is the same thing the other way round.

use super::plan::{Class, PADDING, Plan};
use crate::nn::simd::{Kernel, Simd};

/// A kernel cut into panels of columns that fill two registers: `[panels, taps, source channels,
/// panel width]`, zero in columns past the last.
#[derive(Debug, Clone, Default)]
pub struct Panels {
    values: Vec<f32>,
    width: usize,
    taps: usize,
    sources: usize,
    targets: usize,
}

/// Columns of a panel: two registers of the widest unit, so that a packed kernel serves any.
pub const PANEL: usize = 32;

impl Panels {
    /// Packs `kernel[taps, sources, targets]`.
    pub fn forward(kernel: &[f32], taps: usize, sources: usize, targets: usize) -> Self {
        Self::pack(taps, sources, targets, |tap, s, t| {
            kernel[(tap * sources + s) * targets + t]
        })
    }

    /// Packs the transpose of `kernel[taps, targets, sources]`.
    pub fn backward(kernel: &[f32], taps: usize, sources: usize, targets: usize) -> Self {
        Self::pack(taps, sources, targets, |tap, s, t| {
            kernel[(tap * targets + t) * sources + s]
        })
    }

    /// Channels of a source pixel.
    pub const fn sources(&self) -> usize {
        self.sources
    }

    /// Channels of a target pixel.
    pub const fn targets(&self) -> usize {
        self.targets
    }

    fn pack(
        taps: usize,
        sources: usize,
        targets: usize,
        at: impl Fn(usize, usize, usize) -> f32,
    ) -> Self {
        let mut values = vec![0.0; targets.div_ceil(PANEL) * taps * sources * PANEL];
        for (panel, values) in values.chunks_exact_mut(taps * sources * PANEL).enumerate() {
            for (row, values) in values.chunks_exact_mut(PANEL).enumerate() {
                let columns = panel * PANEL..targets.min((panel + 1) * PANEL);
                for (value, column) in values.iter_mut().zip(columns) {
                    *value = at(row / sources, row % sources, column);
                }
            }
        }
        Self {
            values,
            width: PANEL,
            taps,
            sources,
            targets,
        }
    }
}

/// Computes all target pixels of some images.
pub struct Gather<'a> {
    /// Where the source of each pixel is.
    pub plan: &'a Plan,
    /// The kernel.
    pub panels: &'a Panels,
    /// Source images.
    pub x: &'a [f32],
    /// Target images.
    pub y: &'a mut [f32],
    /// As many zeros as a source pixel has channels.
    pub zeros: &'a [f32],
}

impl Kernel for Gather<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(mut self) {
        let images = self.x.len() / (self.plan.source_pixels * self.panels.sources);
        assert_eq!(
            self.x.len(),
            images * self.plan.source_pixels * self.panels.sources
        );
        assert_eq!(
            self.y.len(),
            images * self.plan.target_pixels * self.panels.targets
        );
        assert!(self.zeros.len() >= self.panels.sources);
        for class in &self.plan.classes {
            let rows = images * class.targets.len();
            for column in (0..self.panels.targets).step_by(2 * S::LANES) {
                let mut row = 0;
                while row < rows {
                    let count = S::ROWS.min(rows - row);
                    // SAFETY: the slices hold all the images that the plan speaks of.
                    unsafe {
                        match count {
                            1 => self.tile::<S, 1>(class, column, row),
                            2 => self.tile::<S, 2>(class, column, row),
                            3 => self.tile::<S, 3>(class, column, row),
                            4 => self.tile::<S, 4>(class, column, row),
                            5 => self.tile::<S, 5>(class, column, row),
                            6 => self.tile::<S, 6>(class, column, row),
                            7 => self.tile::<S, 7>(class, column, row),
                            8 => self.tile::<S, 8>(class, column, row),
                            9 => self.tile::<S, 9>(class, column, row),
                            10 => self.tile::<S, 10>(class, column, row),
                            11 => self.tile::<S, 11>(class, column, row),
                            _ => self.tile::<S, 12>(class, column, row),
                        }
                    }
                    row += count;
                }
            }
        }
    }
}

impl Gather<'_> {
    /// `N` target pixels of a class, from `row` on, by two registers of channels from `column` on.
    #[inline(always)]
    unsafe fn tile<S: Simd, const N: usize>(&mut self, class: &Class, column: usize, row: usize) {
        let Panels {
            values,
            width,
            taps: all_taps,
            sources,
            targets,
        } = self.panels;
        let (sources, targets) = (*sources, *targets);
        let per_image = class.targets.len();
        // For each row the image and the place in the class.
        let places: [(usize, usize); N] =
            std::array::from_fn(|i| ((row + i) / per_image, (row + i) % per_image));
        // SAFETY: plan and panels were made for slices of these sizes.
        unsafe {
            let panel = values
                .as_ptr()
                .add(column / width * all_taps * sources * width + column % width);
            let mut sum = [[S::splat(0.0); 2]; N];
            for (i, &tap) in class.taps.iter().enumerate() {
                let row_sources = class.sources.as_ptr().add(i * per_image);
                let x: [*const f32; N] = std::array::from_fn(|i| {
                    let (image, place) = places[i];
                    let source = *row_sources.add(place);
                    let pixel = image * self.plan.source_pixels + source as usize;
                    if source == PADDING {
                        self.zeros.as_ptr()
                    } else {
                        self.x.as_ptr().add(pixel * sources)
                    }
                });
                let mut weights = panel.add(tap * sources * width);
                for channel in 0..sources {
                    let w = [S::load(weights), S::load(weights.add(S::LANES))];
                    weights = weights.add(*width);
                    for i in 0..N {
                        let value = S::splat(*x[i].add(channel));
                        sum[i][0] = S::multiply_add(value, w[0], sum[i][0]);
                        sum[i][1] = S::multiply_add(value, w[1], sum[i][1]);
                    }
                }
            }
            for (i, (image, place)) in places.into_iter().enumerate() {
                let pixel = image * self.plan.target_pixels + class.targets[place];
                let y = self.y.as_mut_ptr().add(pixel * targets + column);
                if column + 2 * S::LANES <= targets {
                    S::store(y, sum[i][0]);
                    S::store(y.add(S::LANES), sum[i][1]);
                } else {
                    let mut part = [0.0; PANEL];
                    S::store(part.as_mut_ptr(), sum[i][0]);
                    S::store(part.as_mut_ptr().add(S::LANES), sum[i][1]);
                    y.copy_from_nonoverlapping(part.as_ptr(), targets - column);
                }
            }
        }
    }
}
