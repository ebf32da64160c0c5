//! Every target pixel as a weighted sum of its source pixels: the forward pass, and the gradient
//! of the input, which is the same thing the other way round.

use super::plan::{Class, PADDING, Plan};
use crate::nn::simd::{Kernel, Simd};

/// Columns of a panel: two registers of the widest unit, so that a packed kernel serves any.
pub const PANEL: usize = 32;

/// A kernel cut into panels of [`PANEL`] columns, `[panels, taps, source channels, PANEL]`, with
/// zeros in columns past the last.
#[derive(Debug, Clone, Default)]
pub struct Panels {
    values: Vec<f32>,
    taps: usize,
    sources: usize,
    targets: usize,
    /// Stands for a source pixel outside the image.
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

    fn reset(&mut self, taps: usize, sources: usize, targets: usize) {
        self.values
            .resize(targets.div_ceil(PANEL) * taps * sources * PANEL, 0.0);
        self.zeros.resize(sources, 0.0);
        (self.taps, self.sources, self.targets) = (taps, sources, targets);
    }

    /// The rows of a tap, from `column` on.
    #[inline(always)]
    fn rows(&self, tap: usize, column: usize) -> *const f32 {
        let row = (column / PANEL * self.taps + tap) * self.sources;
        &raw const self.values[row * PANEL + column % PANEL]
    }
}

/// What becomes of a sum before it is written.
#[derive(Debug, Clone, Copy, Default)]
pub struct Epilogue<'a> {
    /// Added to every pixel; as many values as a target pixel has channels.
    pub bias: Option<&'a [f32]>,
    /// Images added, shaped like the target.
    pub add: Add<'a>,
    /// Whether negative values become zero.
    pub relu: bool,
}

/// What a convolution's result is added to.
#[derive(Debug, Clone, Copy, Default)]
pub enum Add<'a> {
    /// Nothing: the target is overwritten.
    #[default]
    Nothing,
    /// What the target holds.
    Target,
    /// Other images.
    Images(&'a [f32]),
}

/// Computes all target pixels of some images.
pub struct Gather<'a> {
    /// Where the sources of each pixel are.
    pub plan: &'a Plan,
    /// The kernel.
    pub panels: &'a Panels,
    /// Source images.
    pub x: &'a [f32],
    /// Target images.
    pub y: &'a mut [f32],
    /// What becomes of the sums.
    pub epilogue: Epilogue<'a>,
}

impl Kernel for Gather<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(mut self) {
        let Panels {
            sources, targets, ..
        } = *self.panels;
        let images = self.x.len() / (self.plan.source_pixels * sources);
        assert!(self.x.len() == images * self.plan.source_pixels * sources);
        assert!(self.y.len() == images * self.plan.target_pixels * targets);
        assert!(self.epilogue.bias.is_none_or(|bias| bias.len() == targets));
        if let Add::Images(other) = self.epilogue.add {
            assert!(other.len() == self.y.len());
        }
        for class in &self.plan.classes {
            let rows = Rows {
                images,
                places: class.targets.len(),
                images_first: self.plan.target_pixels <= SMALL_IMAGE,
            };
            for column in (0..targets).step_by(2 * S::LANES) {
                let mut row = 0;
                while row < images * rows.places {
                    let rest = rows.run(row).min(S::ROWS);
                    // SAFETY: the slices hold all the images that the plan speaks of.
                    unsafe {
                        row += match rest {
                            12.. => self.tile::<S, 12>(class, rows, column, row),
                            9.. => self.tile::<S, 9>(class, rows, column, row),
                            8 => self.tile::<S, 8>(class, rows, column, row),
                            6.. => self.tile::<S, 6>(class, rows, column, row),
                            4.. => self.tile::<S, 4>(class, rows, column, row),
                            3 => self.tile::<S, 3>(class, rows, column, row),
                            2 => self.tile::<S, 2>(class, rows, column, row),
                            _ => self.tile::<S, 1>(class, rows, column, row),
                        };
                    }
                }
            }
        }
    }
}

/// Images of at most so many pixels are taken together, pixel by pixel: then all rows of a tile miss
/// the same taps, and these are skipped.
const SMALL_IMAGE: usize = 36;

/// The order in which the pixels of several images are taken.
#[derive(Clone, Copy)]
struct Rows {
    images: usize,
    places: usize,
    images_first: bool,
}

impl Rows {
    /// The image and the place in the class of a row.
    #[inline(always)]
    const fn at(self, row: usize) -> (usize, usize) {
        if self.images_first {
            (row % self.images, row / self.images)
        } else {
            (row / self.places, row % self.places)
        }
    }

    /// How many rows from `row` on belong into one tile.
    #[inline(always)]
    const fn run(self, row: usize) -> usize {
        if self.images_first && self.images > 1 {
            self.images - row % self.images
        } else {
            self.images * self.places - row
        }
    }
}

impl Gather<'_> {
    /// `N` target pixels of a class, from `row` on, by two registers of channels from `column` on;
    /// returns `N`.
    #[inline(always)]
    unsafe fn tile<S: Simd, const N: usize>(
        &mut self,
        class: &Class,
        rows: Rows,
        column: usize,
        row: usize,
    ) -> usize {
        let Panels {
            sources, targets, ..
        } = *self.panels;
        let at: [(usize, usize); N] = std::array::from_fn(|i| rows.at(row + i));
        // SAFETY: plan and panels were made for slices of these sizes.
        unsafe {
            let mut sum = [[S::splat(0.0); 2]; N];
            for (i, &tap) in class.taps.iter().enumerate() {
                let class_sources = class.sources.as_ptr().add(i * rows.places);
                let mut any = false;
                let x: [*const f32; N] = std::array::from_fn(|i| {
                    let (image, place) = at[i];
                    let source = *class_sources.add(place);
                    any |= source != PADDING;
                    if source == PADDING {
                        self.panels.zeros.as_ptr()
                    } else {
                        let pixel = image * self.plan.source_pixels + source as usize;
                        self.x.as_ptr().add(pixel * sources)
                    }
                });
                if any {
                    multiply::<S, N>(&mut sum, x, self.panels.rows(tap, column), sources);
                }
            }
            for ((image, place), sum) in at.into_iter().zip(sum) {
                let pixel = image * self.plan.target_pixels + class.targets[place];
                self.finish::<S>(sum, pixel * targets, column);
            }
        }
        N
    }

    /// Completes and writes the two registers that belong to `column` of the pixel at `start`.
    #[inline(always)]
    unsafe fn finish<S: Simd>(&mut self, sum: [S::Vector; 2], start: usize, column: usize) {
        let targets = self.panels.targets;
        for (v, mut sum) in sum.into_iter().enumerate() {
            let column = column + v * S::LANES;
            // SAFETY: whole registers are only read and written where they fit.
            unsafe {
                let add = match self.epilogue.add {
                    Add::Nothing => None,
                    Add::Target => Some(self.y.as_ptr().add(start + column)),
                    Add::Images(images) => Some(images.as_ptr().add(start + column)),
                };
                if column + S::LANES <= targets {
                    if let Some(bias) = self.epilogue.bias {
                        sum = S::add(sum, S::load(bias.as_ptr().add(column)));
                    }
                    if let Some(add) = add {
                        sum = S::add(sum, S::load(add));
                    }
                    if self.epilogue.relu {
                        sum = S::max(sum, S::splat(0.0));
                    }
                    S::store(self.y.as_mut_ptr().add(start + column), sum);
                } else {
                    let mut part = [0.0; PANEL];
                    S::store(part.as_mut_ptr(), sum);
                    for i in column..targets {
                        let mut value = part[i - column];
                        value += self.epilogue.bias.map_or(0.0, |bias| bias[i]);
                        value += add.map_or(0.0, |add| *add.add(i - column));
                        let floor = if self.epilogue.relu {
                            0.0
                        } else {
                            f32::NEG_INFINITY
                        };
                        self.y[start + i] = value.max(floor);
                    }
                }
            }
        }
    }
}

/// `sum[n] += x[n] · weights`, the dot products of `N` pixels with two registers of columns.
#[inline(always)]
unsafe fn multiply<S: Simd, const N: usize>(
    sum: &mut [[S::Vector; 2]; N],
    x: [*const f32; N],
    mut weights: *const f32,
    channels: usize,
) {
    // SAFETY: the caller vouches for `channels` values of each pixel and rows of the panel.
    unsafe {
        for channel in 0..channels {
            let w = [S::load(weights), S::load(weights.add(S::LANES))];
            weights = weights.add(PANEL);
            for (sum, x) in sum.iter_mut().zip(x) {
                let value = S::splat(*x.add(channel));
                sum[0] = S::multiply_add(value, w[0], sum[0]);
                sum[1] = S::multiply_add(value, w[1], sum[1]);
            }
        }
    }
}
