//! The copies of a photo that are searched.

use std::f32::consts::FRAC_1_SQRT_2;

use image::{Rgb, RgbImage, imageops};

use super::DetectorParams;
use super::levels::Levels;
use crate::affine::{Affine, Point};
use crate::raster::{Orientation, Raster};

/// The colour of the margin of a copy.
const GREY: Rgb<u8> = Rgb([128; 3]);

/// Width of the margin on each side, as a share of the photo's side. A box with 1.8 times the photo's sides fits into a
/// copy with a margin.
const MARGIN: f32 = 0.4;

/// Most samples along each side of a pixel of the rotated copy.
const SAMPLES: u32 = 2;

/// A photo and the smaller copies of it that are searched.
pub(super) struct Copies<'a> {
    photo: &'a Raster,
    /// The finest level first; with stretched greys, if the photo needs that.
    pyramid: Vec<Raster>,
    /// A copy with half of the sides of the fine level, if there is one; stretched like the pyramid.
    half: Option<Raster>,
    /// The copy that is turned or gets a margin; stretched like the pyramid.
    small: Raster,
    levels: Option<Levels>,
}

/// A photo and its pyramid after quarter turns.
pub(super) struct Turned {
    pub photo: Raster,
    pub pyramid: Vec<Raster>,
    /// A copy with half of the finest level's sides for the proposal network; `None` if all of that level is searched.
    pub half: Option<Raster>,
    /// The map from the turned photo to the unturned one.
    pub back: Affine,
}

impl<'a> Copies<'a> {
    /// Makes the copies. Each is resized from the previous one, since reading all pixels of a large photo again takes
    /// longer than searching a small copy.
    pub fn new(photo: &'a Raster, params: &DetectorParams) -> Self {
        let mut pyramid: Vec<Raster> = Vec::new();
        let copy = |of: &Raster, (width, height)| of.copy(width, height);
        let mut half: Option<Raster> = None;
        for size in params.pyramid(photo.width(), photo.height()) {
            pyramid.push(copy(
                half.as_ref().or(pyramid.last()).unwrap_or(photo),
                size,
            ));
            if pyramid.len() == 1 {
                let size = params.half(photo.width(), photo.height());
                half = size.map(|size| copy(&pyramid[0], size));
            }
        }
        let size = params.small(photo.width(), photo.height());
        let last = pyramid.last().unwrap_or(photo);
        let mut small = if (last.width(), last.height()) == size {
            last.clone()
        } else {
            copy(last, size)
        };
        let levels = Levels::of(small.stored());
        if let Some(levels) = &levels {
            for copy in pyramid.iter_mut().chain(&mut half).chain([&mut small]) {
                let mut stretched = copy.stored().clone();
                levels.apply(&mut stretched);
                *copy = Raster::new(stretched, Orientation::Upright);
            }
        }
        Self {
            photo,
            pyramid,
            half,
            small,
            levels,
        }
    }

    /// The stretching of the copies' greys; the photo itself is not stretched.
    pub const fn levels(&self) -> Option<&Levels> {
        self.levels.as_ref()
    }

    /// The small copy, and the map from there to the photo.
    pub fn small_to_photo(&self) -> (&Raster, Affine) {
        let (width, height) = (self.small.width() as f32, self.small.height() as f32);
        let to_photo = Affine::stretch(
            self.photo.width() as f32 / width,
            self.photo.height() as f32 / height,
        );
        (&self.small, to_photo)
    }

    /// The photo and its pyramid after this many quarter turns clockwise.
    pub fn turned(&self, quarters: u8) -> Turned {
        let photo = self.photo.turned(quarters);
        let to_upright = self.photo.upright_to_stored().inverse();
        let to_upright = to_upright.unwrap_or(Affine::stretch(1.0, 1.0)); // quarter turns have an inverse
        Turned {
            back: photo.upright_to_stored().then(&to_upright),
            pyramid: self.pyramid.iter().map(|l| l.turned(quarters)).collect(),
            half: self.half.as_ref().map(|half| half.turned(quarters)),
            photo,
        }
    }

    /// The small copy, rotated by an eighth of a turn clockwise in a grey square with at most as many pixels, and the
    /// map from there to the photo.
    pub fn oblique(&self) -> (Raster, Affine) {
        let (width, height) = (self.small.width() as f32, self.small.height() as f32);
        let side = (width * height).sqrt().floor().max(1.0);
        // The sides of the square around the rotated copy are (width + height) / √2.
        let scale = (width + height) * FRAC_1_SQRT_2 / side;
        let step = scale * FRAC_1_SQRT_2;
        let to_small = Affine {
            x: [step, step, width / 2.0 - step * side],
            y: [-step, step, height / 2.0],
        };
        let size = (side as u32, side as u32);
        let mut copy = self.small.sampled(&to_small, size, SAMPLES);
        for (x, y, pixel) in copy.enumerate_pixels_mut() {
            let p = to_small.apply(Point {
                x: x as f32 + 0.5,
                y: y as f32 + 0.5,
            });
            // Outside, sampling repeats the pixels at the edge; such stripes might be detected as something.
            if !((0.0..width).contains(&p.x) && (0.0..height).contains(&p.y)) {
                *pixel = GREY;
            }
        }
        let copy = Raster::new(copy, Orientation::Upright);
        (copy, to_small.then(&self.small_to_photo().1))
    }

    /// The small copy, scaled down in a grey frame of its size, and the map from there to the photo.
    pub fn with_margin(&self) -> (RgbImage, Affine) {
        let (width, height) = (self.small.width(), self.small.height());
        let inner = |side: u32| ((side as f32 / (1.0 + 2.0 * MARGIN)).round() as u32).max(1);
        let photo = self.small.resized(inner(width), inner(height));
        let (left, upper) = ((width - photo.width()) / 2, (height - photo.height()) / 2);
        let mut copy = RgbImage::from_pixel(width, height, GREY);
        imageops::replace(&mut copy, &photo, i64::from(left), i64::from(upper));
        let across = self.photo.width() as f32 / photo.width() as f32;
        let down = self.photo.height() as f32 / photo.height() as f32;
        let to_photo = Affine {
            x: [across, 0.0, -(left as f32) * across],
            y: [0.0, down, -(upper as f32) * down],
        };
        (copy, to_photo)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oblique_copy_holds_the_photo_and_leads_back_to_it() {
        let mut photo = RgbImage::from_pixel(300, 200, Rgb([250; 3]));
        imageops::replace(&mut photo, &RgbImage::new(20, 20), 210, 60);
        let photo = Raster::new(photo, Orientation::Upright);
        let copies = Copies::new(&photo, &DetectorParams::default());
        let (copy, to_photo) = copies.oblique();
        let (small, copy) = (&copies.small, copy.stored());
        assert!(copy.width() * copy.height() <= small.width() * small.height());
        let pixels = copy.enumerate_pixels().map(|(x, y, pixel)| {
            let (x, y) = (x as f32 + 0.5, y as f32 + 0.5);
            (to_photo.apply(Point { x, y }), pixel.0[0])
        });
        let mut dark = 0;
        for (Point { x, y }, value) in pixels {
            let is_inside = |x, y, margin| {
                (margin..300.0 - margin).contains(&x) && (margin..200.0 - margin).contains(&y)
            };
            if !is_inside(x, y, -4.0) {
                assert_eq!(value, 128, "{x} {y}");
            } else if (x - 220.0).hypot(y - 70.0) < 5.0 {
                assert!(value < 60, "{x} {y}");
                dark += 1;
            } else if (x - 220.0).hypot(y - 70.0) > 25.0 && is_inside(x, y, 4.0) {
                assert!(value > 200, "{x} {y}");
            }
        }
        assert!(dark > 5);
    }
}
