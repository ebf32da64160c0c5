//! The pixels of a photo as its file stores them: all of them, or a JPEG with a reduced copy.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use fer_jpeg::{Area, Channels, Picture, Pixels};
use image::RgbImage;

use crate::affine::Affine;
use crate::face::Point;
use crate::sample::{View, sample_view};

/// How many pixels along a side of a cell are enough to sample it. With one, neighbouring cells would blur; with more
/// than two, scores change by less than a thousandth in the mean.
const ENOUGH: f32 = 2.0;

/// Most pixels of a part that is kept.
const MAX_KEPT: usize = 512 * 512;

/// The pixels of a photo.
#[derive(Debug)]
pub(super) enum Stored {
    /// All of them.
    Pixels(Arc<RgbImage>),
    /// A JPEG of which a reduced copy was decoded. Other pixels are decoded on demand.
    Jpeg {
        picture: Box<Picture>,
        /// The copy, at `eighths`/8 of the full size.
        copy: Arc<RgbImage>,
        eighths: usize,
        /// The pixels at full size, after all of them were needed.
        whole: OnceLock<RgbImage>,
        /// The part that was decoded last: the detector reads the surroundings of a face in several rolls.
        recent: Recent,
    },
}

impl Stored {
    pub fn size(&self) -> (u32, u32) {
        match self {
            Self::Pixels(pixels) => pixels.dimensions(),
            Self::Jpeg { picture, .. } => {
                let (width, height) = picture.size();
                (width as u32, height as u32)
            }
        }
    }

    /// The pixels at full size.
    pub fn whole(&self) -> &RgbImage {
        match self {
            Self::Pixels(pixels) => pixels,
            Self::Jpeg { picture, whole, .. } => {
                whole.get_or_init(|| image_of(picture.whole(8, Channels::Colour)))
            }
        }
    }

    /// A picture with at least `width` × `height` pixels, from which one of this size can be made: the reduced
    /// copy, or else all pixels.
    pub fn at_least(&self, width: u32, height: u32) -> &RgbImage {
        match self {
            Self::Jpeg { copy, .. } if copy.width() >= width && copy.height() >= height => copy,
            _ => self.whole(),
        }
    }

    /// The pixels at full size or the reduced copy, if they have been decoded and have this size.
    pub fn shared(&self, width: u32, height: u32) -> Option<Arc<RgbImage>> {
        let (Self::Pixels(pixels) | Self::Jpeg { copy: pixels, .. }) = self;
        (pixels.dimensions() == (width, height)).then(|| Arc::clone(pixels))
    }

    /// Whether the reduced copy was made at `width` × `height` pixels, up to rounding.
    pub fn has_copy_of(&self, width: u32, height: u32) -> bool {
        let Self::Jpeg { eighths, copy, .. } = self else {
            return false;
        };
        let is_scaled = |full: u32, side: u32| {
            let exact = full as f32 * *eighths as f32 / 8.0;
            (exact - side as f32).abs() <= 0.5
        };
        let full = self.size();
        is_scaled(full.0, width)
            && is_scaled(full.1, height)
            && copy.width() >= width
            && copy.height() >= height
    }

    /// Samples a grid in colour, see [`sample`](crate::sample::sample); at full size.
    pub fn sample(&self, to_stored: &Affine, size: (u32, u32), max_samples: u32) -> Vec<[f32; 3]> {
        match self {
            Self::Jpeg {
                picture,
                whole,
                recent,
                ..
            } if whole.get().is_none() => {
                let part = recent.part(picture, area_of(to_stored, size, picture.size()));
                sample_part(&part, 8, to_stored, size, max_samples)
            }
            _ => sample_view(&View::of(self.whole()), to_stored, size, max_samples),
        }
    }

    /// Samples luma on a grid. The pixels are read at the smallest decodable size that has [`ENOUGH`] of them.
    pub fn sample_grey(&self, to_stored: &Affine, size: (u32, u32), max_samples: u32) -> Vec<f32> {
        let Self::Jpeg {
            picture,
            copy,
            eighths,
            ..
        } = self
        else {
            return greys(&self.sample(to_stored, size, max_samples));
        };
        let step = |axis: usize| to_stored.x[axis].hypot(to_stored.y[axis]);
        let needed = (8.0 * ENOUGH / step(0).min(step(1))).ceil().clamp(1.0, 8.0) as usize;
        if needed <= *eighths {
            let scale = *eighths as f32 / 8.0;
            let to_copy = to_stored.then(&Affine::stretch(scale, scale));
            return greys(&sample_view(&View::of(copy), &to_copy, size, max_samples));
        }
        let area = area_of(to_stored, size, picture.size());
        let part = picture.area(area, needed, Channels::Grey);
        let values = sample_part::<1>(&part, needed, to_stored, size, max_samples);
        values.into_iter().map(|[grey]| grey).collect()
    }
}

/// The colour pixels of the part of a JPEG that was decoded last, at full size.
#[derive(Debug, Default)]
pub(super) struct Recent(Mutex<Option<(Area, Arc<Pixels>)>>);

impl Recent {
    /// The pixels of this area of a picture and perhaps some around it.
    fn part(&self, picture: &Picture, area: Area) -> Arc<Pixels> {
        // The value is replaced as a whole, so a panic elsewhere cannot leave it inconsistent.
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = lock().clone();
        if let Some((decoded, part)) = recent
            && contains(&decoded, &area)
        {
            return part;
        }
        let part = Arc::new(picture.area(area, 8, Channels::Colour));
        if area.width * area.height <= MAX_KEPT {
            *lock() = Some((area, Arc::clone(&part)));
        }
        part
    }
}

/// Whether an area contains another.
const fn contains(outer: &Area, inner: &Area) -> bool {
    outer.x <= inner.x
        && outer.y <= inner.y
        && inner.x + inner.width <= outer.x + outer.width
        && inner.y + inner.height <= outer.y + outer.height
}

/// The pixels of a whole picture as an image.
pub(super) fn image_of(pixels: Pixels) -> RgbImage {
    RgbImage::from_raw(pixels.width as u32, pixels.height as u32, pixels.data)
        .expect("a colour picture has three bytes per pixel")
}

/// Luma of ITU-R BT.601, which also made FER2013's faces grey.
fn greys(colours: &[[f32; 3]]) -> Vec<f32> {
    // In this form a grey pixel keeps its exact value; the usual weighted sum would round it.
    let grey = |&[r, g, b]: &[f32; 3]| b + 0.299 * (r - b) + 0.587 * (g - b);
    colours.iter().map(grey).collect()
}

/// The part of a picture that a grid of `width` × `height` cells covers; at least one pixel.
fn area_of(to_stored: &Affine, (width, height): (u32, u32), picture: (usize, usize)) -> Area {
    let (w, h) = (width as f32, height as f32);
    let corners = [(0.0, 0.0), (w, 0.0), (0.0, h), (w, h)];
    let corners = corners.map(|(x, y)| to_stored.apply(Point { x, y }));
    // Samples are interpolated with the pixels around them.
    let along = |value: fn(&Point) -> f32, length: usize| {
        let least = corners.iter().map(value).fold(f32::INFINITY, f32::min);
        let most = corners.iter().map(value).fold(f32::NEG_INFINITY, f32::max);
        let from = ((least - 8.0).max(0.0) as usize).min(length - 1);
        let end = ((most + 8.0).max(0.0).ceil() as usize).clamp(from + 1, length);
        (from, end - from)
    };
    let (x, width) = along(|point| point.x, picture.0);
    let (y, height) = along(|point| point.y, picture.1);
    Area {
        x,
        y,
        width,
        height,
    }
}

/// Samples a part of a picture that was decoded at `eighths`/8 of its size.
fn sample_part<const CHANNELS: usize>(
    part: &Pixels,
    eighths: usize,
    to_stored: &Affine,
    size: (u32, u32),
    max_samples: u32,
) -> Vec<[f32; CHANNELS]> {
    let scale = eighths as f32 / 8.0;
    let to_part = to_stored.then(&Affine {
        x: [scale, 0.0, -(part.x as f32)],
        y: [0.0, scale, -(part.y as f32)],
    });
    let view = View::new(&part.data, part.width, part.height);
    sample_view(&view, &to_part, size, max_samples)
}

#[cfg(test)]
mod tests {
    use fer_jpeg::Header;

    use super::super::{Orientation, Raster};
    use super::*;

    const PHOTO: &[u8] = include_bytes!("../../../../tests/fixtures/astronaut.jpg");

    /// The photo, decoded at half its size and in full.
    fn rasters(orientation: Orientation) -> [Raster; 2] {
        let decode = |eighths| {
            let header = Header::read(PHOTO).unwrap();
            header.decode(eighths, Channels::Colour, &|| false).unwrap()
        };
        let (picture, copy) = decode(4);
        let (_, full) = decode(8);
        [
            Raster::of_jpeg(picture, copy, 4, orientation),
            Raster::new(image_of(full), orientation),
        ]
    }

    fn mean_difference(a: impl Iterator<Item = f32>, b: impl Iterator<Item = f32>) -> f32 {
        let differences: Vec<_> = a.zip(b).map(|(a, b)| (a - b).abs()).collect();
        differences.iter().sum::<f32>() / differences.len() as f32
    }

    #[test]
    fn a_reduced_jpeg_gives_what_all_its_pixels_give() {
        let turned = |scale: f32| Affine {
            x: [0.8 * scale, -0.6 * scale, 150.0],
            y: [0.6 * scale, 0.8 * scale, 60.0],
        };
        for orientation in Orientation::ALL {
            let [reduced, full] = rasters(orientation);
            assert_eq!(
                (reduced.width(), reduced.height()),
                (full.width(), full.height())
            );
            for (width, height) in [(256, 256), (200, 199), (90, 70)] {
                let (a, b) = (reduced.resized(width, height), full.resized(width, height));
                assert_eq!(a.dimensions(), (width, height));
                let values = |picture: RgbImage| picture.into_raw().into_iter().map(f32::from);
                let mean = mean_difference(values(a), values(b));
                assert!(mean < 3.0, "{orientation:?} {width}: {mean}");
            }
            for scale in [0.7, 1.5, 3.3, 6.0, 20.0] {
                let grid = turned(scale);
                let grey = |raster: &Raster| raster.sample_grey(&grid, (40, 40), 8).into_iter();
                // In a cell of 20 pixels, eight samples per side skip more pixels at full size than at half.
                let mean = mean_difference(grey(&reduced), grey(&full));
                assert!(mean < 2.5, "{orientation:?} {scale}: {mean}");
                let colour =
                    |raster: &Raster| raster.sample(&grid, (40, 40), 8).into_iter().flatten();
                let mean = mean_difference(colour(&reduced), colour(&full));
                assert!(mean < 0.01, "{orientation:?} {scale}: {mean}");
            }
            assert_eq!(reduced.stored(), full.stored());
        }
    }

    #[test]
    fn a_part_that_was_decoded_before_gives_the_same_values() {
        let [reduced, _] = rasters(Orientation::Upright);
        let grid = |roll: f32| Affine {
            x: [roll.cos(), -roll.sin(), 200.0],
            y: [roll.sin(), roll.cos(), 100.0],
        };
        // The third grid is within the area of the second, the last is elsewhere.
        for roll in [0.0, 0.7, 0.3, 0.7, 3.0] {
            let [fresh, _] = rasters(Orientation::Upright);
            let sampled = |raster: &Raster| raster.sample(&grid(roll), (60, 60), 2);
            assert_eq!(sampled(&reduced), sampled(&fresh), "{roll}");
        }
    }

    #[test]
    fn a_grid_beside_the_picture_repeats_its_edge() {
        let [reduced, full] = rasters(Orientation::Upright);
        for shift in [-5000.0, 5000.0] {
            let grid = Affine {
                x: [2.0, 0.0, shift],
                y: [0.0, 2.0, shift],
            };
            let colour = |raster: &Raster| raster.sample(&grid, (9, 9), 4);
            assert_eq!(colour(&reduced), colour(&full));
            let grey = |raster: &Raster| raster.sample_grey(&grid, (9, 9), 4).into_iter();
            assert!(mean_difference(grey(&reduced), grey(&full)) < 2.0);
        }
    }
}
