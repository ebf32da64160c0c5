//! Computes every target pixel as a weighted sum of its source pixels. In the forward pass the
//! sources are input pixels; for the gradient of the input they are the gradients of output pixels.

use super::epilogue::Epilogue;
use super::panels::{Panels, multiply};
use super::plan::{Class, PADDING, Plan};
use crate::simd::{Kernel, Rows, Simd, each_row};

/// The computation of all target pixels of some images.
pub struct Gather<'a> {
    /// The source pixels of each target pixel.
    pub plan: &'a Plan,
    /// The packed kernel.
    pub panels: &'a Panels,
    /// Source images.
    pub x: &'a [f32],
    /// Target images.
    pub y: &'a mut [f32],
    /// Operations on the sums before they are written.
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
            assert!(class.taps.iter().all(|&tap| tap < self.panels.taps()));
            for column in (0..targets).step_by(2 * S::LANES) {
                let mut pixels = Pixels {
                    gather: &mut self,
                    class,
                    column,
                    pixel: None,
                };
                // SAFETY: the caller guarantees `S`. The assertions above ensure that `x` and `y`
                // hold `images` images of the plan's sizes, that the epilogue fits `y`, and that
                // the panels have the taps of the class. `column` is below `targets`; the panels'
                // columns are padded to whole panels.
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

/// Images of at most this many pixels are computed together, one pixel of all images after another,
/// if there are [`MANY_IMAGES`]: all rows of a tile then lack the same taps at the edges, and these
/// are skipped.
const SMALL_IMAGE: usize = 36;

/// Least number of small images to compute together: with fewer images, tiles have fewer rows, and the kernel is read
/// too often.
const MANY_IMAGES: usize = 8;

/// All target pixels of a class, one or two registers of channels wide.
struct Pixels<'a, 'b> {
    gather: &'a mut Gather<'b>,
    class: &'a Class,
    column: usize,
    /// If set, the rows are this pixel of the class in each image; otherwise the rows are all
    /// pixels of the class, image by image.
    pixel: Option<usize>,
}

impl Pixels<'_, '_> {
    /// Computes the pixels of all images.
    ///
    /// # Safety
    /// The processor must support the instruction set `S`, `x` and `y` must hold `images` images of
    /// the plan's sizes, and the panels and the epilogue must fit them.
    #[inline(always)]
    unsafe fn all<S: Simd, const V: usize>(&mut self, images: usize) {
        let pixels = self.class.targets.len();
        // SAFETY: the caller guarantees `S` and `images` images; each has the `pixels` pixels of
        // the class.
        unsafe {
            if images >= MANY_IMAGES && self.gather.plan.target_pixels <= SMALL_IMAGE {
                for pixel in 0..pixels {
                    self.pixel = Some(pixel);
                    each_row::<S, V>(self, images);
                }
            } else {
                each_row::<S, V>(self, images * pixels);
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
        let pixels = self.class.targets.len();
        // The image of each row, and its pixel as an index in the class.
        let rows: [(usize, usize); N] = std::array::from_fn(|n| match self.pixel {
            Some(pixel) => (row + n, pixel),
            None => ((row + n) / pixels, (row + n) % pixels),
        });
        // SAFETY: the caller guarantees `S` and rows that exist, so each row's image is in `x` and
        // `y`, and its pixel is in the class. `sources` has a row of `pixels` values for each tap
        // of the class; each value is `PADDING` or a pixel below `source_pixels`. `zeros` has as
        // many values as a source pixel. `Gather::run` asserted that the panels have the tap, so
        // that `multiply` reads `sources` rows of one panel; a register from `column` on ends in
        // that panel, since `column` is a multiple of the block's width.
        unsafe {
            let mut sum = [[S::splat(0.0); V]; N];
            for (i, &tap) in self.class.taps.iter().enumerate() {
                let tap_sources = self.class.sources.as_ptr().add(i * pixels);
                let mut any = false;
                let x: [*const f32; N] = std::array::from_fn(|n| {
                    let (image, pixel) = rows[n];
                    let source = *tap_sources.add(pixel);
                    any |= source != PADDING;
                    if source == PADDING {
                        panels.zeros().as_ptr()
                    } else {
                        let source = image * plan.source_pixels + source as usize;
                        images.as_ptr().add(source * sources)
                    }
                });
                if any {
                    multiply::<S, N, V>(&mut sum, x, panels.rows(tap, self.column), sources);
                }
            }
            for ((image, pixel), sum) in rows.into_iter().zip(sum) {
                let start = (image * plan.target_pixels + self.class.targets[pixel]) * targets;
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
