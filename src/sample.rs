//! Sampling a picture where an affine map tells: face crops and patches.

use image::RgbImage;

use crate::affine::Affine;
use crate::face::Point;

/// RGB values, 0 to 255, of a grid of `width` × `height` cells that `to_picture` lays over a picture;
/// row by row.
///
/// Each value is the mean over the area of its cell, with bilinear interpolation between the centres
/// of pixels: of as many samples along a side as it has pixels, but no more than `max_samples`. What lies
/// outside the picture repeats its edge.
pub fn sample(
    picture: &RgbImage,
    to_picture: &Affine,
    (width, height): (u32, u32),
    max_samples: u32,
) -> impl Iterator<Item = [f32; 3]> {
    let along = |axis: usize| {
        let step = to_picture.x[axis].hypot(to_picture.y[axis]);
        (step.ceil() as u32).clamp(1, max_samples)
    };
    let (columns, rows) = (along(0), along(1));
    let cells = (0..height).flat_map(move |y| (0..width).map(move |x| (x as f32, y as f32)));
    cells.map(move |(x, y)| {
        let mut sum = [0.0; 3];
        for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)))
        {
            let within = |i: u32, n: u32| (i as f32 + 0.5) / n as f32;
            let place = Point {
                x: x + within(column, columns),
                y: y + within(row, rows),
            };
            let value = bilinear(picture, to_picture.apply(place));
            for (sum, value) in sum.iter_mut().zip(value) {
                *sum += value;
            }
        }
        sum.map(|sum| sum / (columns * rows) as f32)
    })
}

/// The value at a place of the picture, between the centres of four pixels.
fn bilinear(picture: &RgbImage, place: Point) -> [f32; 3] {
    let axis = |value: f32, length: u32| {
        let last = length - 1;
        let value = (value - 0.5).clamp(0.0, last as f32);
        let low = value as u32;
        (low, (low + 1).min(last), value - low as f32)
    };
    let (x0, x1, fx) = axis(place.x, picture.width());
    let (y0, y1, fy) = axis(place.y, picture.height());
    let (raw, width) = (picture.as_raw(), picture.width() as usize);
    let pixel = |x: u32, y: u32| {
        let at = 3 * (y as usize * width + x as usize);
        [raw[at], raw[at + 1], raw[at + 2]].map(f32::from)
    };
    let [a, b] = [x0, x1].map(|x| pixel(x, y0));
    let [c, d] = [x0, x1].map(|x| pixel(x, y1));
    let mix = |a: f32, b: f32, f: f32| a + (b - a) * f;
    std::array::from_fn(|i| mix(mix(a[i], b[i], fx), mix(c[i], d[i], fx), fy))
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
        let cells: Vec<_> = sample(&picture, &twice, (3, 1), 8).collect();
        let rounded: Vec<_> = cells
            .iter()
            .map(|cell| cell.map(|v| v.round() as u8))
            .collect();
        assert_eq!(rounded, [[5, 50, 7], [25, 50, 7], [30, 50, 7]]);
    }
}
