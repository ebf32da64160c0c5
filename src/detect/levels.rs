//! Stretches the greys of low-contrast pictures, such as faded prints and photos in the dark, for the search.

use image::RgbImage;

/// A picture is stretched if its greys, without the darkest and the lightest 1 %, span less than this. The network
/// finds every face down to this span.
const MIN_SPAN: u8 = 110;

/// Share of the pixels that are ignored at either end.
const ENDS: f64 = 0.01;

/// The greys to which the ends of the span are moved.
const TARGET: (f32, f32) = (20.0, 235.0);

/// One of this many pixels is counted.
const STEP: usize = 3;

/// A map of the values of a picture.
#[derive(Debug, Clone)]
pub(super) struct Levels([u8; 256]);

impl Levels {
    /// The map that stretches a picture like this copy of it; `None` if its greys span enough, or are all equal.
    pub fn of(copy: &RgbImage) -> Option<Self> {
        let mut counts = [0_u32; 256];
        for pixel in copy.pixels().step_by(STEP) {
            let [r, g, b] = pixel.0.map(u32::from);
            counts[((r + 2 * g + b) / 4) as usize] += 1;
        }
        let total: u32 = counts.iter().sum();
        let ignored = (f64::from(total) * ENDS) as u32;
        let end = |mut values: Box<dyn Iterator<Item = u8>>| {
            let mut seen = 0;
            values.find(|value| {
                seen += counts[usize::from(*value)];
                seen > ignored
            })
        };
        let (least, most) = (end(Box::new(0..=255))?, end(Box::new((0..=255).rev()))?);
        if most <= least || most - least >= MIN_SPAN {
            return None;
        }
        let (from, to) = TARGET;
        let scale = (to - from) / f32::from(most - least);
        Some(Self(std::array::from_fn(|value| {
            ((value as f32 - f32::from(least)) * scale + from + 0.5) as u8
        })))
    }

    /// Maps every value of a picture.
    pub fn apply(&self, picture: &mut RgbImage) {
        for value in picture.iter_mut() {
            *value = self.0[usize::from(*value)];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    fn greys(from: u8, to: u8) -> RgbImage {
        let span = u32::from(to - from) + 1;
        RgbImage::from_fn(span, 20, |x, y| Rgb([from + ((x + y) % span) as u8; 3]))
    }

    #[test]
    fn faded_and_dark_pictures_are_stretched() {
        for (from, to) in [(110, 170), (0, 30), (200, 250), (3, 5)] {
            let mut picture = greys(from, to);
            Levels::of(&picture).unwrap().apply(&mut picture);
            let first = picture.get_pixel(0, 0).0[0];
            let last = picture.get_pixel(picture.width() - 1, 0).0[0];
            assert!(
                first <= 20 && last >= 235,
                "{from} to {to}: {first} to {last}"
            );
        }
    }

    #[test]
    fn other_pictures_and_a_single_grey_are_not() {
        for (from, to) in [(0, 255), (60, 190), (0, 0), (128, 128)] {
            assert!(Levels::of(&greys(from, to)).is_none(), "{from} to {to}");
        }
    }
}
