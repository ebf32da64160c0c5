//! Samples a picture on a grid that is placed by an affine map, for face crops and patches.
#![allow(
    clippy::inline_always,
    reason = "a loop is compiled for an instruction set only where it is inlined"
)]

use image::RgbImage;
use pulp::NullaryFnOnce;

use crate::affine::Affine;
use crate::face::Point;

/// RGB values, 0 to 255, of a grid of `width` × `height` cells, row by row. `to_picture` maps the
/// grid's coordinates, in which a cell has side 1, to those of the picture.
///
/// Each value is the mean of the samples in its cell: per side of the cell, as many as its length in pixels, but at
/// most `max_samples`. A sample is interpolated bilinearly between the centres of pixels. Outside the picture, the
/// pixels at its edge are repeated.
pub fn sample(
    picture: &RgbImage,
    to_picture: &Affine,
    size: (u32, u32),
    max_samples: u32,
) -> Vec<[f32; 3]> {
    sample_view(&View::of(picture), to_picture, size, max_samples)
}

/// [`sample`] of pixels with any number of channels.
pub(crate) fn sample_view<const CHANNELS: usize>(
    pixels: &View<'_, CHANNELS>,
    to_picture: &Affine,
    (width, height): (u32, u32),
    max_samples: u32,
) -> Vec<[f32; CHANNELS]> {
    let along = |axis: usize| {
        let step = to_picture.x[axis].hypot(to_picture.y[axis]);
        (step.ceil() as u32).clamp(1, max_samples)
    };
    let (columns, rows) = (along(0), along(1));
    let within = |i: u32, n: u32| (i as f32 + 0.5) / n as f32;
    // Since the map is affine, the samples of every cell have the same offsets from its corner.
    let origin = to_picture.apply(Point { x: 0.0, y: 0.0 });
    let mut offsets = Vec::with_capacity((columns * rows) as usize);
    for row in 0..rows {
        for column in 0..columns {
            let sample = to_picture.apply(Point {
                x: within(column, columns),
                y: within(row, rows),
            });
            offsets.push(Point {
                x: sample.x - origin.x,
                y: sample.y - origin.y,
            });
        }
    }
    let cells = Cells {
        pixels,
        to_picture,
        size: (width, height),
        offsets: &offsets,
        weight: 1.0 / (columns * rows) as f32,
        mix: Plain,
    };
    #[cfg(target_arch = "x86_64")]
    if let Some(avx) = pulp::x86::V3::try_new() {
        return avx.vectorize(cells.with(avx));
    }
    cells.call()
}

/// Computes the values of all cells.
struct Cells<'a, M, const CHANNELS: usize> {
    pixels: &'a View<'a, CHANNELS>,
    to_picture: &'a Affine,
    size: (u32, u32),
    /// The offsets of a cell's samples from its corner.
    offsets: &'a [Point],
    /// The weight of each sample in the mean.
    weight: f32,
    mix: M,
}

impl<'a, M, const CHANNELS: usize> Cells<'a, M, CHANNELS> {
    /// The same computation with another instruction set.
    #[cfg(target_arch = "x86_64")]
    fn with<N>(self, mix: N) -> Cells<'a, N, CHANNELS> {
        Cells {
            pixels: self.pixels,
            to_picture: self.to_picture,
            size: self.size,
            offsets: self.offsets,
            weight: self.weight,
            mix,
        }
    }
}

// A struct and not a closure, which would not be inlined into the function that is compiled for an instruction set.
impl<M: Mix, const CHANNELS: usize> NullaryFnOnce for Cells<'_, M, CHANNELS> {
    type Output = Vec<[f32; CHANNELS]>;

    #[inline(always)]
    fn call(self) -> Self::Output {
        let (width, height) = self.size;
        let mut cells = Vec::with_capacity((width * height) as usize);
        let is_right: [f32; WINDOW] = std::array::from_fn(|i| f32::from(i >= CHANNELS));
        for y in 0..height {
            for from in (0..width).step_by(BATCH) {
                let count = (width - from).min(BATCH as u32) as usize;
                let corners: [Point; BATCH] = std::array::from_fn(|i| {
                    self.to_picture.apply(Point {
                        x: (from + i as u32) as f32,
                        y: y as f32,
                    })
                });
                let mut sums = [self.mix.zeros(); BATCH];
                for offset in self.offsets {
                    let places = self.pixels.places(&corners, *offset);
                    for (i, sums) in sums.iter_mut().enumerate().take(count) {
                        let around = self.pixels.around(&places, i);
                        *sums = self.mix.add(*sums, &around, &is_right);
                    }
                }
                cells.extend(sums.iter().take(count).map(|sums| {
                    let sums = self.mix.values(*sums);
                    std::array::from_fn(|i| (sums[i] + sums[i + CHANNELS]) * self.weight)
                }));
            }
        }
        cells
    }
}

/// Cells whose sample positions are computed at once.
const BATCH: usize = 16;

/// The sample positions of a batch of cells.
struct Places {
    /// The indices of the pixels to the upper left of the samples and, below, of the pixels under these.
    above: [u32; BATCH],
    below: [u32; BATCH],
    /// The weights of the pixels on the right, and of those below.
    right: [f32; BATCH],
    lower: [f32; BATCH],
}

/// Bytes that are read at once: a pixel, its right neighbour, and the bytes after them.
const WINDOW: usize = 8;

/// The four pixels around a point.
struct Around {
    above: [u8; WINDOW],
    below: [u8; WINDOW],
    /// The weights of the pixels on the right, and of those below.
    right: f32,
    lower: f32,
}

/// Interpolates bilinearly. The values of a window are computed at once; those of the left and the right pixel are
/// added at the end.
trait Mix: Copy {
    /// A value for each byte of a window.
    type Sums: Copy;

    fn zeros(self) -> Self::Sums;
    /// Adds the pixels around a point, each byte with its weight. `is_right` is 1 for the bytes of the pixel on the
    /// right.
    fn add(self, sums: Self::Sums, around: &Around, is_right: &[f32; WINDOW]) -> Self::Sums;
    fn values(self, sums: Self::Sums) -> [f32; WINDOW];
}

/// Computes with the target's baseline instructions.
#[derive(Clone, Copy)]
struct Plain;

impl Mix for Plain {
    type Sums = [f32; WINDOW];

    #[inline(always)]
    fn zeros(self) -> Self::Sums {
        [0.0; WINDOW]
    }

    #[inline(always)]
    fn add(self, sums: Self::Sums, around: &Around, is_right: &[f32; WINDOW]) -> Self::Sums {
        let Around { right, lower, .. } = *around;
        std::array::from_fn(|i| {
            let (above, below) = (f32::from(around.above[i]), f32::from(around.below[i]));
            let side = (1.0 - right) + is_right[i] * (2.0 * right - 1.0);
            sums[i] + (above + (below - above) * lower) * side
        })
    }

    #[inline(always)]
    fn values(self, sums: Self::Sums) -> [f32; WINDOW] {
        sums
    }
}

#[cfg(target_arch = "x86_64")]
impl Mix for pulp::x86::V3 {
    type Sums = std::arch::x86_64::__m256;

    #[inline(always)]
    fn zeros(self) -> Self::Sums {
        self.avx._mm256_setzero_ps()
    }

    #[inline(always)]
    fn add(self, sums: Self::Sums, around: &Around, is_right: &[f32; WINDOW]) -> Self::Sums {
        let (avx, fma) = (self.avx, self.fma);
        let load = |bytes: [u8; WINDOW]| {
            let bytes = [u64::from_le_bytes(bytes), 0];
            avx._mm256_cvtepi32_ps(self.avx2._mm256_cvtepu8_epi32(pulp::cast(bytes)))
        };
        let splat = |value| avx._mm256_set1_ps(value);
        let (above, below) = (load(around.above), load(around.below));
        let lower = avx._mm256_sub_ps(below, above);
        let column = fma._mm256_fmadd_ps(lower, splat(around.lower), above);
        let side = fma._mm256_fmadd_ps(
            pulp::cast(*is_right),
            splat(2.0 * around.right - 1.0),
            splat(1.0 - around.right),
        );
        fma._mm256_fmadd_ps(column, side, sums)
    }

    #[inline(always)]
    fn values(self, sums: Self::Sums) -> [f32; WINDOW] {
        pulp::cast(sums)
    }
}

/// The pixels of a picture, for reading values between their centres.
pub(crate) struct View<'a, const CHANNELS: usize> {
    bytes: &'a [u8],
    across: Axis,
    down: Axis,
}

/// The pixels along a side.
#[derive(Clone, Copy)]
struct Axis {
    length: usize,
    /// The last pixel's index.
    last: f32,
    /// The index of the last pixel that has a next neighbour; 0 if there is none.
    last_pair: u32,
}

impl Axis {
    fn new(length: usize) -> Self {
        Self {
            length,
            last: length.saturating_sub(1) as f32,
            last_pair: length.saturating_sub(2) as u32,
        }
    }

    /// The index of the pixel before a point, and the weight of the pixel after it. A point on a pixel counts as
    /// between it and one of its neighbours; without a neighbour, the weight of the next pixel is 0.
    #[inline(always)]
    fn at(self, value: f32) -> (u32, f32) {
        // Adding this puts the rounded integer into the low bits, without a saturating conversion.
        const SHIFT: f32 = 8_388_608.0;
        let value = (value - 0.5).max(0.0).min(self.last);
        let low = ((value - 0.5).max(0.0) + SHIFT).to_bits() - SHIFT.to_bits();
        let low = low.min(self.last_pair);
        (low, value - low as i32 as f32)
    }
}

impl<'a> View<'a, 3> {
    /// The pixels of an image.
    pub fn of(picture: &'a RgbImage) -> Self {
        let (width, height) = picture.dimensions();
        Self::new(picture.as_raw(), width as usize, height as usize)
    }
}

impl<'a, const CHANNELS: usize> View<'a, CHANNELS> {
    /// Pixels from their bytes, row by row.
    pub fn new(bytes: &'a [u8], width: usize, height: usize) -> Self {
        const { assert!(2 * CHANNELS <= WINDOW) };
        assert!(
            bytes.len() >= CHANNELS * width * height,
            "pixels are missing"
        );
        Self {
            bytes,
            across: Axis::new(width),
            down: Axis::new(height),
        }
    }

    /// The positions of the samples at the same offset from these corners of cells.
    #[inline(always)]
    fn places(&self, corners: &[Point; BATCH], offset: Point) -> Places {
        let mut places = Places {
            above: [0; BATCH],
            below: [0; BATCH],
            right: [0.0; BATCH],
            lower: [0.0; BATCH],
        };
        let stride = self.across.length as u32;
        let last = (self.down.length as u32).saturating_sub(1);
        for (i, corner) in corners.iter().enumerate() {
            let (x, right) = self.across.at(corner.x + offset.x);
            let (y, lower) = self.down.at(corner.y + offset.y);
            places.above[i] = y * stride + x;
            places.below[i] = (y + 1).min(last) * stride + x;
            places.right[i] = right;
            places.lower[i] = lower;
        }
        places
    }

    /// The four pixels around the sample of a cell, and their weights.
    #[inline(always)]
    fn around(&self, places: &Places, cell: usize) -> Around {
        Around {
            above: self.window(places.above[cell] as usize),
            below: self.window(places.below[cell] as usize),
            right: places.right[cell],
            lower: places.lower[cell],
        }
    }

    /// The bytes from a pixel on; zeros after the last one.
    #[inline(always)]
    fn window(&self, pixel: usize) -> [u8; WINDOW] {
        let rest = self.bytes.get(CHANNELS * pixel..).unwrap_or_default();
        rest.first_chunk().copied().unwrap_or_else(|| end(rest))
    }
}

/// Fewer bytes than a window, followed by zeros.
#[cold]
#[inline(never)]
fn end(bytes: &[u8]) -> [u8; WINDOW] {
    std::array::from_fn(|i| bytes.get(i).copied().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    #[test]
    fn a_cell_is_the_mean_of_the_pixels_it_covers_and_edges_repeat() {
        let picture = RgbImage::from_fn(4, 2, |x, y| Rgb([10 * x as u8, 100 * y as u8, 7]));
        let twice = Affine {
            x: [2.0, 0.0, 0.0],
            y: [0.0, 2.0, 0.0],
        };
        let cells = sample(&picture, &twice, (3, 1), 8);
        let rounded: Vec<_> = cells
            .iter()
            .map(|cell| cell.map(|v| v.round() as u8))
            .collect();
        assert_eq!(rounded, [[5, 50, 7], [25, 50, 7], [30, 50, 7]]);
    }

    #[test]
    fn a_picture_may_be_a_pixel_wide_or_high() {
        for (width, height) in [(1, 1), (1, 3), (3, 1)] {
            let picture = RgbImage::from_pixel(width, height, Rgb([1, 20, 255]));
            let turned = Affine {
                x: [0.4, -0.9, 0.3],
                y: [0.9, 0.4, -1.0],
            };
            let cells = sample(&picture, &turned, (5, 5), 4);
            assert!(
                cells
                    .iter()
                    .all(|cell| cell.map(|v| v.round() as u8) == [1, 20, 255])
            );
        }
    }
}
