//! Every target pixel as a weighted sum of its source pixels: the forward pass, and the gradient
//! of the input, which is the same thing the other way round.

use super::epilogue::Epilogue;
use super::panels::{Panels, multiply};
use super::plan::{Class, PADDING, Plan};
use crate::simd::{Kernel, Rows, Simd, each_row};

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
        let (sources, targets) = (self.panels.sources(), self.panels.targets());
        let images = self.x.len() / (self.plan.source_pixels * sources);
        assert!(self.x.len() == images * self.plan.source_pixels * sources);
        assert!(self.y.len() == images * self.plan.target_pixels * targets);
        self.epilogue.check(self.y.len(), targets);
        for class in &self.plan.classes {
            for column in (0..targets).step_by(2 * S::LANES) {
                let mut pixels = Pixels {
                    gather: &mut self,
                    class,
                    column,
                    place: None,
                };
                // SAFETY: the slices hold all the images that the plan speaks of.
                unsafe {
                    if column + S::LANES < targets {
                        pixels.all::<S, 2>(images);
                    } else {
                        pixels.all::<S, 1>(images);
                    }
                }
            }
        }
    }
}

/// Many images of at most so many pixels are taken together, pixel by pixel: then all rows of a tile
/// miss the same taps, and these are skipped.
const SMALL_IMAGE: usize = 36;

/// How many are many: with fewer rows to a tile, the kernel is read too often.
const MANY_IMAGES: usize = 8;

/// The pixels of a class, one or two registers of channels wide.
struct Pixels<'a, 'b> {
    gather: &'a mut Gather<'b>,
    class: &'a Class,
    column: usize,
    /// The place in the class, if the rows are this pixel in all images; otherwise they are all
    /// pixels of one image after the other.
    place: Option<usize>,
}

impl Pixels<'_, '_> {
    #[inline(always)]
    unsafe fn all<S: Simd, const V: usize>(&mut self, images: usize) {
        let places = self.class.targets.len();
        // SAFETY: the caller vouches for the images.
        unsafe {
            if images >= MANY_IMAGES && self.gather.plan.target_pixels <= SMALL_IMAGE {
                for place in 0..places {
                    self.place = Some(place);
                    each_row::<S, V>(self, images);
                }
            } else {
                each_row::<S, V>(self, images * places);
            }
        }
    }
}

impl Rows for Pixels<'_, '_> {
    #[inline(always)]
    unsafe fn work<S: Simd, const N: usize, const V: usize>(&mut self, row: usize) {
        let Gather {
            plan,
            panels,
            x: images,
            ..
        } = *self.gather;
        let (sources, targets) = (panels.sources(), panels.targets());
        let places = self.class.targets.len();
        // The image and the place of each row.
        let at: [(usize, usize); N] = std::array::from_fn(|n| match self.place {
            Some(place) => (row + n, place),
            None => ((row + n) / places, (row + n) % places),
        });
        // SAFETY: plan and panels were made for slices of these sizes.
        unsafe {
            let mut sum = [[S::splat(0.0); V]; N];
            for (i, &tap) in self.class.taps.iter().enumerate() {
                let tap_sources = self.class.sources.as_ptr().add(i * places);
                let mut any = false;
                let x: [*const f32; N] = std::array::from_fn(|n| {
                    let (image, place) = at[n];
                    let source = *tap_sources.add(place);
                    any |= source != PADDING;
                    if source == PADDING {
                        panels.zeros().as_ptr()
                    } else {
                        let pixel = image * plan.source_pixels + source as usize;
                        images.as_ptr().add(pixel * sources)
                    }
                });
                if any {
                    multiply::<S, N, V>(&mut sum, x, panels.rows(tap, self.column), sources);
                }
            }
            for ((image, place), sum) in at.into_iter().zip(sum) {
                let start = (image * plan.target_pixels + self.class.targets[place]) * targets;
                for (v, sum) in sum.into_iter().enumerate() {
                    let column = self.column + v * S::LANES;
                    if column < targets {
                        let y = self.gather.y.as_mut_ptr();
                        self.gather
                            .epilogue
                            .finish::<S>(sum, y, start, column, targets);
                    }
                }
            }
        }
    }
}
