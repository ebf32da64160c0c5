//! Rotates and mirrors pixels. A phone held upright stores its photos on their side, so this is done for most of its
//! photos; the functions of `image` move one pixel at a time and take several times as long.

use image::RgbImage;

use super::Orientation;

/// Pixels along the sides of the blocks that are moved at once if rows become columns, so that the cache lines of a
/// block's source and target stay in the fastest cache.
const BLOCK: usize = 32;

/// A copy of stored pixels that is upright.
pub(super) fn upright(stored: &RgbImage, orientation: Orientation) -> RgbImage {
    let size = orientation.exchange(stored.dimensions());
    let mut upright = RgbImage::new(size.0, size.1);
    let (from, _) = stored.as_raw().as_chunks::<3>();
    let (to, _) = upright.as_chunks_mut::<3>();
    let from = Rows::of(from, stored.width());
    let width = size.0 as usize;
    if width == 0 {
        return upright;
    }
    match orientation {
        Orientation::Upright => to.copy_from_slice(from.pixels),
        Orientation::FlipHorizontal => {
            for (y, row) in to.chunks_exact_mut(width).enumerate() {
                mirror(row, from.row(y));
            }
        }
        Orientation::Rotate180 => mirror(to, from.pixels),
        Orientation::FlipVertical => {
            for (y, row) in to.chunks_exact_mut(width).rev().enumerate() {
                row.copy_from_slice(from.row(y));
            }
        }
        Orientation::Transpose => exchange(to, width, &from, |x| x, |y| y),
        Orientation::Rotate90 => exchange(to, width, &from, |x| width - 1 - x, |y| y),
        Orientation::Transverse => {
            exchange(to, width, &from, |x| width - 1 - x, |y| from.width - 1 - y);
        }
        Orientation::Rotate270 => exchange(to, width, &from, |x| x, |y| from.width - 1 - y),
    }
    upright
}

/// The rows of a picture.
struct Rows<'a> {
    pixels: &'a [[u8; 3]],
    width: usize,
}

impl<'a> Rows<'a> {
    const fn of(pixels: &'a [[u8; 3]], width: u32) -> Self {
        Self {
            pixels,
            width: width as usize,
        }
    }

    fn row(&self, y: usize) -> &'a [[u8; 3]] {
        &self.pixels[y * self.width..][..self.width]
    }
}

/// Copies pixels in reverse order.
fn mirror(to: &mut [[u8; 3]], from: &[[u8; 3]]) {
    for (to, from) in to.iter_mut().zip(from.iter().rev()) {
        *to = *from;
    }
}

/// Copies rows to columns: the pixel at `x`, `y` is read from row `row(x)` and column `column(y)`.
fn exchange(
    to: &mut [[u8; 3]],
    width: usize,
    from: &Rows<'_>,
    row: impl Fn(usize) -> usize,
    column: impl Fn(usize) -> usize,
) {
    for (block, to) in to.chunks_mut(BLOCK * width).enumerate() {
        for left in (0..width).step_by(BLOCK) {
            for x in left..width.min(left + BLOCK) {
                let from = from.row(row(x));
                let to = to[x..].iter_mut().step_by(width);
                for (y, to) in (block * BLOCK..).zip(to) {
                    *to = from[column(y)];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use image::Rgb;
    use image::imageops::{flip_horizontal, flip_vertical, rotate90, rotate180, rotate270};

    use super::*;

    #[test]
    fn pixels_are_moved_as_by_image() {
        for (width, height) in [(1, 1), (3, 2), (70, 45), (33, 97), (0, 0)] {
            let stored = RgbImage::from_fn(width, height, |x, y| Rgb([x as u8, y as u8, 7]));
            for orientation in Orientation::ALL {
                let expected = match orientation {
                    Orientation::Upright => stored.clone(),
                    Orientation::FlipHorizontal => flip_horizontal(&stored),
                    Orientation::Rotate180 => rotate180(&stored),
                    Orientation::FlipVertical => flip_vertical(&stored),
                    Orientation::Transpose => flip_horizontal(&rotate90(&stored)),
                    Orientation::Rotate90 => rotate90(&stored),
                    Orientation::Transverse => flip_horizontal(&rotate270(&stored)),
                    Orientation::Rotate270 => rotate270(&stored),
                };
                assert!(
                    upright(&stored, orientation) == expected,
                    "{orientation:?} {width}"
                );
            }
        }
    }
}
