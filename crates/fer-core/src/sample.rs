//! Samples a picture on a grid that an affine map places: face crops and patches.

use image::RgbImage;

use crate::affine::Affine;
use crate::face::Point;

/// RGB values, 0 to 255, of a grid of `width` × `height` cells, row by row. `to_picture` maps the
/// grid's coordinates, in which a cell has side 1, to those of the picture.
///
/// Each value is the mean of the samples in its cell: along each side of the cell as many as the
/// side is long in pixels, but at most `max_samples`. A sample is interpolated bilinearly between
/// the centres of pixels. Outside the picture, the pixels at its edge are repeated.
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
    let weight = 1.0 / (columns * rows) as f32;
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
    let mut cells = Vec::with_capacity((width * height) as usize);
    for y in 0..height {
        for x in 0..width {
            let corner = to_picture.apply(Point {
                x: x as f32,
                y: y as f32,
            });
            let mut sum = [0.0; CHANNELS];
            for offset in &offsets {
                let value = pixels.at(corner.x + offset.x, corner.y + offset.y);
                for (sum, value) in sum.iter_mut().zip(value) {
                    *sum += value;
                }
            }
            cells.push(sum.map(|sum| sum * weight));
        }
    }
    cells
}

/// The pixels of a picture, for reading values between their centres.
pub(crate) struct View<'a, const CHANNELS: usize> {
    pixels: &'a [[u8; CHANNELS]],
    width: usize,
    height: usize,
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
        let (pixels, _) = bytes.as_chunks();
        assert!(pixels.len() >= width * height, "pixels are missing");
        Self {
            pixels,
            width,
            height,
        }
    }

    /// The value at a point, interpolated bilinearly from the four pixels around it.
    #[inline]
    fn at(&self, x: f32, y: f32) -> [f32; CHANNELS] {
        // The index of the pixel before the point, and the weight of the pixel after it. A point on
        // the last pixel lies between the last two, with weight 1 for the last.
        let axis = |value: f32, length: usize| {
            let value = (value - 0.5).clamp(0.0, (length - 1) as f32);
            let low = (value as usize).min(length.saturating_sub(2));
            (low, value - low as f32)
        };
        let (x0, fx) = axis(x, self.width);
        let (y0, fy) = axis(y, self.height);
        let mix = |a: f32, b: f32, f: f32| a + (b - a) * f;
        let row = |y: usize| -> [f32; CHANNELS] {
            let at = y * self.width + x0;
            match self.pixels.get(at..at + 2) {
                // A pixel and its right neighbour, with one bounds check.
                Some([a, b]) if self.width > 1 => {
                    std::array::from_fn(|i| mix(f32::from(a[i]), f32::from(b[i]), fx))
                }
                _ => self.pixels[at].map(f32::from), // the picture is one pixel wide
            }
        };
        let (above, below) = (row(y0), row((y0 + 1).min(self.height - 1)));
        std::array::from_fn(|i| mix(above[i], below[i], fy))
    }
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
