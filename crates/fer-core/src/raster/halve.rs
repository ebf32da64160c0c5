//! Reduces a picture to half of its sides, with the triangle filter of `fast_image_resize` (weights 1, 3, 3, 1 along
//! each side). For this size, which the detector needs of each large photo, the sums fit 16-bit integers.
#![allow(
    clippy::inline_always,
    reason = "a loop is compiled for an instruction set only where it is inlined"
)]

use image::RgbImage;
use pulp::NullaryFnOnce;

/// Bytes of a pixel.
const RGB: usize = 3;

/// A copy with half of the sides, rounded up. The edge is repeated.
pub(super) fn halved(picture: &RgbImage) -> RgbImage {
    let halving = Halving { picture };
    #[cfg(target_arch = "x86_64")]
    if let Some(avx) = pulp::x86::V3::try_new() {
        return avx.vectorize(halving);
    }
    halving.call()
}

struct Halving<'a> {
    picture: &'a RgbImage,
}

// A struct and not a closure, which would not be inlined into the function that is compiled for an instruction set.
impl NullaryFnOnce for Halving<'_> {
    type Output = RgbImage;

    #[inline(always)]
    fn call(self) -> RgbImage {
        let Self { picture } = self;
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let mut half = RgbImage::new(picture.width().div_ceil(2), picture.height().div_ceil(2));
        if width == 0 || height == 0 {
            return half;
        }
        let row = |y: usize| &picture.as_raw()[y.min(height - 1) * width * RGB..][..width * RGB];
        let across = half.width() as usize;
        // The sums of four rows, with a pixel before the first column and one or two behind the last.
        let mut sums = vec![0_u16; (2 * across + 2) * RGB];
        // The means of sixteen pixels, also those at odd columns: so the values of a row are independent of each other.
        let mut means = vec![0_u8; 2 * across * RGB];
        for (y, out) in half.chunks_exact_mut(across * RGB).enumerate() {
            let outer = row((2 * y).saturating_sub(1)).iter().zip(row(2 * y + 2));
            let inner = row(2 * y).iter().zip(row(2 * y + 1));
            let columns = &mut sums[RGB..][..width * RGB];
            for ((sum, outer), inner) in columns.iter_mut().zip(outer).zip(inner) {
                let of = |(a, b): (&u8, &u8)| u16::from(*a) + u16::from(*b);
                *sum = of(outer) + 3 * of(inner);
            }
            sums.copy_within(RGB..2 * RGB, 0);
            for column in width + 1..2 * across + 2 {
                sums.copy_within(width * RGB..(width + 1) * RGB, column * RGB);
            }
            let sum = |column: usize| &sums[column * RGB..];
            let (outer, inner) = (sum(0).iter().zip(sum(3)), sum(1).iter().zip(sum(2)));
            for ((mean, outer), inner) in means.iter_mut().zip(outer).zip(inner) {
                *mean = ((outer.0 + outer.1 + 3 * (inner.0 + inner.1) + 32) >> 6) as u8;
            }
            let (pairs, _) = means.as_chunks::<{ 2 * RGB }>();
            for (pixel, [r, g, b, ..]) in out.as_chunks_mut::<RGB>().0.iter_mut().zip(pairs) {
                *pixel = [*r, *g, *b];
            }
        }
        half
    }
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn a_pixel_is_the_weighted_mean_of_sixteen() {
        for (width, height) in [(1, 1), (2, 2), (7, 4), (20, 31)] {
            let value = |x: u32, y: u32, channel: u32| (x * 37 + y * 101 + channel * 59) % 256;
            let picture = RgbImage::from_fn(width, height, |x, y| {
                Rgb([0, 1, 2].map(|channel| value(x, y, channel) as u8))
            });
            let half = halved(&picture);
            assert_eq!(half.dimensions(), (width.div_ceil(2), height.div_ceil(2)));
            for (x, y, pixel) in half.enumerate_pixels() {
                let at = |side: u32, length: u32, step: u32| {
                    (2 * side + step).saturating_sub(1).min(length - 1)
                };
                for channel in 0..3 {
                    let mut sum = 32;
                    for (row, down) in [1, 3, 3, 1].iter().enumerate() {
                        for (column, across) in [1, 3, 3, 1].iter().enumerate() {
                            let (x, y) = (at(x, width, column as u32), at(y, height, row as u32));
                            sum += down * across * value(x, y, channel);
                        }
                    }
                    assert_eq!(
                        u32::from(pixel.0[channel as usize]),
                        sum / 64,
                        "{width} {x} {y}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_largest_values_do_not_overflow() {
        let white = RgbImage::from_pixel(9, 9, Rgb([255; 3]));
        assert!(halved(&white).iter().all(|value| *value == 255));
    }
}
