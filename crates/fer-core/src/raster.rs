//! Decoded pixels with their orientation, read in upright coordinates.
//!
//! Rotating twelve megapixels costs more than finding the faces in them, so the pixels stay as the
//! file stores them, and only what is read from them (a small copy, a face crop) is rotated.

mod halve;
mod stored;
mod turn;
mod upright;

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use fer_jpeg::{Picture, Pixels};
use image::RgbImage;
use image::imageops::crop_imm;

use crate::affine::Affine;
use stored::Stored;
pub use turn::Turn;

/// The rotation or reflection that makes stored pixels upright: the eight values of EXIF's tag
/// 0x0112.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum Orientation {
    /// Stored upright.
    #[default]
    Upright = 1,
    /// Mirrored left to right when stored.
    FlipHorizontal = 2,
    /// Stored upside down.
    Rotate180 = 3,
    /// Mirrored top to bottom when stored.
    FlipVertical = 4,
    /// Mirrored at the main diagonal when stored.
    Transpose = 5,
    /// Must be rotated by 90° clockwise.
    Rotate90 = 6,
    /// Mirrored at the other diagonal when stored.
    Transverse = 7,
    /// Must be rotated by 270° clockwise.
    Rotate270 = 8,
}

impl Orientation {
    /// Every orientation, in the order of the EXIF values 1 to 8.
    pub const ALL: [Self; 8] = [
        Self::Upright,
        Self::FlipHorizontal,
        Self::Rotate180,
        Self::FlipVertical,
        Self::Transpose,
        Self::Rotate90,
        Self::Transverse,
        Self::Rotate270,
    ];

    /// The orientation of an EXIF value; values outside 1 to 8 count as upright.
    pub fn from_exif(value: u32) -> Self {
        (value as usize)
            .checked_sub(1)
            .and_then(|index| Self::ALL.get(index).copied())
            .unwrap_or_default()
    }

    /// Whether upright width and height are the stored height and width.
    pub const fn swaps_sides(self) -> bool {
        self as u8 >= Self::Transpose as u8
    }

    /// The EXIF value, 1 to 8.
    pub const fn exif(self) -> u8 {
        self as u8
    }

    /// Converts between the upright and the stored size: exchanges width and height if the orientation swaps the sides.
    pub const fn exchange(self, (width, height): (u32, u32)) -> (u32, u32) {
        if self.swaps_sides() {
            (height, width)
        } else {
            (width, height)
        }
    }

    /// The map from upright coordinates to those of `width` × `height` stored pixels; in both, pixel edges are
    /// at integers.
    pub fn upright_to_stored(self, width: u32, height: u32) -> Affine {
        let (w, h) = (width as f32, height as f32);
        let (x, y) = match self {
            Self::Upright => ([1., 0., 0.], [0., 1., 0.]),
            Self::FlipHorizontal => ([-1., 0., w], [0., 1., 0.]),
            Self::Rotate180 => ([-1., 0., w], [0., -1., h]),
            Self::FlipVertical => ([1., 0., 0.], [0., -1., h]),
            Self::Transpose => ([0., 1., 0.], [1., 0., 0.]),
            Self::Rotate90 => ([0., 1., 0.], [-1., 0., h]),
            Self::Transverse => ([0., -1., w], [-1., 0., h]),
            Self::Rotate270 => ([0., -1., w], [1., 0., 0.]),
        };
        Affine { x, y }
    }

    /// The orientation followed by another quarter turn clockwise.
    const fn then_quarter_turn(self) -> Self {
        match self {
            Self::Upright => Self::Rotate90,
            Self::Rotate90 => Self::Rotate180,
            Self::Rotate180 => Self::Rotate270,
            Self::Rotate270 => Self::Upright,
            // A mirror image rotates in the other direction.
            Self::FlipHorizontal => Self::Transverse,
            Self::Transverse => Self::FlipVertical,
            Self::FlipVertical => Self::Transpose,
            Self::Transpose => Self::FlipHorizontal,
        }
    }

    /// Rotates and mirrors stored pixels so that they are upright.
    fn apply(self, stored: RgbImage) -> RgbImage {
        match self {
            Self::Upright => stored,
            _ => upright::upright(&stored, self),
        }
    }
}

/// RGB pixels as stored, with the orientation that makes them upright; or a JPEG of which only a reduced copy was
/// decoded, and whose other pixels are decoded on demand.
///
/// All widths, heights and coordinates in its methods are upright ones, except in [`Raster::stored`].
#[derive(Debug, Clone)]
pub struct Raster {
    stored: Arc<Stored>,
    orientation: Orientation,
}

impl Raster {
    /// A raster of pixels as the file stores them.
    pub fn new(stored: RgbImage, orientation: Orientation) -> Self {
        Self {
            stored: Arc::new(Stored::Pixels(Arc::new(stored))),
            orientation,
        }
    }

    /// A raster of a JPEG that was decoded to `copy`, at `eighths`/8 of its size.
    pub fn of_jpeg(
        picture: Picture,
        copy: Pixels,
        eighths: usize,
        orientation: Orientation,
    ) -> Self {
        let stored = Stored::Jpeg {
            picture: Box::new(picture),
            copy: Arc::new(stored::image_of(copy)),
            eighths,
            whole: OnceLock::new(),
            recent: stored::Recent::default(),
        };
        Self {
            stored: Arc::new(stored),
            orientation,
        }
    }

    /// The same pixels (shared, not copied) after `quarters` further quarter turns clockwise.
    #[must_use]
    pub fn turned(&self, quarters: u8) -> Self {
        let turn = |orientation: Orientation, _| orientation.then_quarter_turn();
        Self {
            stored: Arc::clone(&self.stored),
            orientation: (0..quarters).fold(self.orientation, turn),
        }
    }

    /// Upright width in pixels.
    pub fn width(&self) -> u32 {
        self.orientation.exchange(self.stored.size()).0
    }

    /// Upright height in pixels.
    pub fn height(&self) -> u32 {
        self.orientation.exchange(self.stored.size()).1
    }

    /// The pixels as stored; [`Raster::upright_to_stored`] maps upright coordinates to them. If a JPEG was decoded only
    /// to a reduced copy, decodes all pixels and keeps them.
    pub fn stored(&self) -> &RgbImage {
        self.stored.whole()
    }

    /// The map from upright to stored coordinates; in both, pixel edges are at integers.
    pub fn upright_to_stored(&self) -> Affine {
        let (width, height) = self.stored.size();
        self.orientation.upright_to_stored(width, height)
    }

    /// RGB values of a grid of cells, see [`sample`](crate::sample::sample); `to_upright` maps its coordinates to
    /// upright ones.
    pub fn sample(&self, to_upright: &Affine, size: (u32, u32), max_samples: u32) -> Vec<[f32; 3]> {
        let to_stored = to_upright.then(&self.upright_to_stored());
        self.stored.sample(&to_stored, size, max_samples)
    }

    /// The picture of a grid of cells, as [`Raster::sample`].
    pub fn sampled(&self, to_upright: &Affine, size: (u32, u32), max_samples: u32) -> RgbImage {
        let values = self.sample(to_upright, size, max_samples);
        let mut picture = RgbImage::new(size.0, size.1);
        for (byte, value) in picture.iter_mut().zip(values.as_flattened()) {
            *byte = (value + 0.5) as u8;
        }
        picture
    }

    /// Grey values (luma of ITU-R BT.601) of a grid of cells, as [`Raster::sample`]. A JPEG is decoded only to the
    /// size that the cells need.
    pub fn sample_grey(&self, to_upright: &Affine, size: (u32, u32), max_samples: u32) -> Vec<f32> {
        let to_stored = to_upright.then(&self.upright_to_stored());
        self.stored.sample_grey(&to_stored, size, max_samples)
    }

    /// The orientation that makes the stored pixels upright.
    pub const fn orientation(&self) -> Orientation {
        self.orientation
    }

    /// The upright pixels; copied only if they are not stored upright.
    pub fn upright(&self) -> Cow<'_, RgbImage> {
        match self.orientation {
            Orientation::Upright => Cow::Borrowed(self.stored()),
            orientation => Cow::Owned(upright::upright(self.stored(), orientation)),
        }
    }

    /// An upright copy, reduced to fit into `width` × `height` pixels; never enlarged.
    ///
    /// # Panics
    /// If `width`, `height` or a side of the photo is zero; the decoders reject photos without
    /// pixels.
    pub fn fitted(&self, width: u32, height: u32) -> RgbImage {
        let (w, h) = (f64::from(self.width()), f64::from(self.height()));
        let scale = (f64::from(width) / w).min(f64::from(height) / h).min(1.0);
        let side = |pixels: f64| ((pixels * scale).round() as u32).max(1);
        self.resized(side(w), side(h))
    }

    /// A raster that is stored upright with the pixels of [`Raster::resized`]. If this raster already has exactly these
    /// pixels, they are shared.
    ///
    /// # Panics
    /// As [`Raster::resized`].
    #[must_use]
    pub fn copy(&self, width: u32, height: u32) -> Self {
        let shared = self.stored.shared(width, height);
        match shared.filter(|_| self.orientation == Orientation::Upright) {
            Some(pixels) => Self {
                stored: Arc::new(Stored::Pixels(pixels)),
                orientation: Orientation::Upright,
            },
            None => Self::new(self.resized(width, height), Orientation::Upright),
        }
    }

    /// An upright copy of `width` × `height` pixels, filtered so that a reduction does not alias.
    ///
    /// # Panics
    /// If `width` or `height` is zero.
    pub fn resized(&self, width: u32, height: u32) -> RgbImage {
        let (w, h) = self.orientation.exchange((width, height));
        if (w, h) == self.stored.size() {
            return self.upright().into_owned();
        }
        let larger = self.stored.at_least(w, h);
        if self.stored.has_copy_of(w, h) {
            let copy = crop_imm(larger, 0, 0, w, h).to_image();
            return self.orientation.apply(copy);
        }
        if (w, h) == (larger.width().div_ceil(2), larger.height().div_ceil(2)) {
            return self.orientation.apply(halve::halved(larger));
        }
        // The typed interface of the resizer; the dynamic one compiles every pixel type into this
        // crate.
        let source =
            TypedImageRef::<U8x3>::from_buffer(larger.width(), larger.height(), larger.as_raw())
                .expect("an RgbImage has three bytes per pixel");
        let mut small = RgbImage::new(w, h);
        let mut target = TypedImage::<U8x3>::from_buffer(w, h, &mut small)
            .expect("an RgbImage has three bytes per pixel");
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
        Resizer::new()
            .resize_typed(&source, &mut target, &options)
            .expect("the default crop box is the whole source");
        self.orientation.apply(small)
    }
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;
    use crate::face::Point;

    #[test]
    fn upright_to_stored_agrees_with_rotating_the_pixels() {
        let stored = RgbImage::from_fn(3, 2, |x, y| Rgb([x as u8, y as u8, 7]));
        for orientation in Orientation::ALL {
            let raster = Raster::new(stored.clone(), orientation);
            let upright = raster.resized(raster.width(), raster.height());
            assert_eq!(upright.dimensions(), (raster.width(), raster.height()));
            let map = raster.upright_to_stored();
            for (x, y, pixel) in upright.enumerate_pixels() {
                let p = map.apply(Point {
                    x: x as f32 + 0.5,
                    y: y as f32 + 0.5,
                });
                assert_eq!(
                    stored.get_pixel(p.x as u32, p.y as u32),
                    pixel,
                    "{orientation:?}"
                );
            }
        }
    }

    #[test]
    fn a_quarter_turn_rotates_the_upright_pixels() {
        let stored = RgbImage::from_fn(3, 2, |x, y| Rgb([x as u8, y as u8, 7]));
        let upright = |raster: &Raster| raster.resized(raster.width(), raster.height());
        for orientation in Orientation::ALL {
            let raster = Raster::new(stored.clone(), orientation);
            let turned = raster.turned(1);
            let expected = image::imageops::rotate90(&upright(&raster));
            assert_eq!(upright(&turned), expected, "{orientation:?}");
            assert_eq!(upright(&raster.turned(4)), upright(&raster));
        }
    }

    #[test]
    fn exif_values_out_of_range_are_upright() {
        assert_eq!(Orientation::from_exif(0), Orientation::Upright);
        assert_eq!(Orientation::from_exif(9), Orientation::Upright);
        assert_eq!(Orientation::from_exif(6), Orientation::Rotate90);
    }
}
