//! Augmentation: random changes of a face that keep its expression.

mod degrade;
mod random_amount;

use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::dataset::PIXELS;
use fer_core::affine::Affine;
use fer_core::classify::FACE_SIDE;
use fer_core::face::Point;

pub use degrade::Degradation;
pub use random_amount::{Jitter, Range};

/// Random erasing: a rectangle is filled with one grey value (Zhong et al., AAAI 2020).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Erase {
    /// The probability, 0 to 1.
    pub probability: f32,
    /// The shortest side in pixels.
    pub from: usize,
    /// The longest side in pixels.
    pub to: usize,
}

/// Mixup: convex combinations of two faces and their targets (Zhang et al., "mixup", ICLR 2018).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mixup {
    /// Both parameters of the beta distribution from which the share is drawn.
    pub alpha: f32,
    /// Number of last epochs without mixup.
    #[serde(default)]
    pub off_for_last: usize,
}

/// The changes of a training image; an absent one is not applied.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Augmentation {
    /// Probability of a left-right flip.
    pub flip: f32,
    /// Rotation by ± `by` degrees.
    pub rotate: Option<Jitter>,
    /// Scaling by a factor of 1 ± `by`.
    pub scale: Option<Jitter>,
    /// Translation along each axis by ± `by` times the side.
    pub shift: Option<Jitter>,
    /// Degradations that cameras and files cause.
    pub degrade: Degradation,
    /// Multiplies the standardised values by 1 ± `by`.
    pub contrast: Option<Jitter>,
    /// Adds ± `by` standard deviations to the standardised values.
    pub brightness: Option<Jitter>,
    /// Random erasing.
    pub erase: Option<Erase>,
    /// Mixup with another face of the batch.
    pub mixup: Option<Mixup>,
}

impl Augmentation {
    /// Flips, rotates, scales and translates the face in one bilinear resampling.
    pub fn transform_geometry(&self, pixels: &[u8], rng: &mut impl Rng) -> Vec<f32> {
        let centre = FACE_SIDE as f32 / 2.0;
        let flip = rng.random::<f32>() < self.flip;
        let angle = Jitter::draw(self.rotate, rng).to_radians();
        let scale = 1.0 + Jitter::draw(self.scale, rng);
        let shift = [(); 2].map(|()| Jitter::draw(self.shift, rng) * FACE_SIDE as f32);
        // Maps the new frame to the old one.
        let (cos, sin) = (angle.cos() / scale, angle.sin() / scale);
        let mirror = if flip { -1.0 } else { 1.0 };
        let (x, y) = ([mirror * cos, mirror * sin], [-sin, cos]);
        let (dx, dy) = (centre + shift[0], centre + shift[1]);
        let map = Affine {
            x: [x[0], x[1], centre - x[0] * dx - x[1] * dy],
            y: [y[0], y[1], centre - y[0] * dx - y[1] * dy],
        };
        warp(pixels, &map)
    }

    /// Changes contrast and brightness of the standardised values, then erases a rectangle.
    pub fn transform_intensity(&self, image: &mut [f32], rng: &mut impl Rng) {
        let factor = 1.0 + Jitter::draw(self.contrast, rng);
        let offset = Jitter::draw(self.brightness, rng);
        for value in &mut *image {
            *value = *value * factor + offset;
        }
        if let Some(erase) = self.erase
            && rng.random::<f32>() < erase.probability
        {
            let [width, height] = [(); 2].map(|()| rng.random_range(erase.from..=erase.to));
            let x = rng.random_range(0..=FACE_SIDE - width);
            let y = rng.random_range(0..=FACE_SIDE - height);
            let grey = rng.random_range(-1.0..=1.0);
            for row in image.chunks_exact_mut(FACE_SIDE).skip(y).take(height) {
                row[x..x + width].fill(grey);
            }
        }
    }
}

/// Resamples a face through `map` (new to old coordinates, pixel edges at integers); outside the frame
/// the edge pixels repeat.
fn warp(pixels: &[u8], map: &Affine) -> Vec<f32> {
    const LAST: f32 = (FACE_SIDE - 1) as f32;
    let mut out = Vec::with_capacity(PIXELS);
    for v in 0..FACE_SIDE {
        for u in 0..FACE_SIDE {
            let point = map.apply(Point {
                x: u as f32 + 0.5,
                y: v as f32 + 0.5,
            });
            let (x, y) = (
                (point.x - 0.5).clamp(0.0, LAST),
                (point.y - 0.5).clamp(0.0, LAST),
            );
            let (left, top) = (x as usize, y as usize);
            let (right, bottom) = ((left + 1).min(FACE_SIDE - 1), (top + 1).min(FACE_SIDE - 1));
            let (fx, fy) = (x - left as f32, y - top as f32);
            let at = |row: usize, column: usize| f32::from(pixels[row * FACE_SIDE + column]);
            let upper = at(top, left) + fx * (at(top, right) - at(top, left));
            let lower = at(bottom, left) + fx * (at(bottom, right) - at(bottom, left));
            out.push(upper + fy * (lower - upper));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, rng};

    fn gradient() -> Vec<u8> {
        (0..PIXELS).map(|i| (i % FACE_SIDE * 5) as u8).collect()
    }

    fn strong() -> Augmentation {
        let jitter = |by| {
            Some(Jitter {
                probability: 1.0,
                by,
            })
        };
        Augmentation {
            flip: 0.5,
            rotate: jitter(15.0),
            scale: jitter(0.2),
            shift: jitter(0.1),
            contrast: jitter(0.25),
            brightness: jitter(0.25),
            erase: Some(Erase {
                probability: 1.0,
                from: 6,
                to: 20,
            }),
            ..Augmentation::default()
        }
    }

    fn augmented(epoch: usize, index: u64) -> Vec<f32> {
        let mut rng = rng(7, Purpose::Augmentation, epoch, index);
        let mut image = strong().transform_geometry(&gradient(), &mut rng);
        strong().transform_intensity(&mut image, &mut rng);
        image
    }

    #[test]
    fn augmentation_depends_on_epoch_and_index_alone() {
        assert_eq!(augmented(3, 14), augmented(3, 14));
        assert_ne!(augmented(3, 14), augmented(4, 14));
        assert_ne!(augmented(3, 14), augmented(3, 15));
    }

    #[test]
    fn an_empty_augmentation_changes_nothing() {
        let none = Augmentation::default();
        let mut rng = rng(1, Purpose::Augmentation, 0, 0);
        let mut image = none.transform_geometry(&gradient(), &mut rng);
        none.transform_intensity(&mut image, &mut rng);
        let original: Vec<f32> = gradient().iter().map(|&p| f32::from(p)).collect();
        assert_eq!(image, original);
    }

    #[test]
    fn a_flip_mirrors_the_face() {
        let flip = Augmentation {
            flip: 1.0,
            ..Augmentation::default()
        };
        let image = flip.transform_geometry(&gradient(), &mut rng(1, Purpose::Augmentation, 0, 0));
        assert!((image[0] - 235.0).abs() < 1e-3 && image[FACE_SIDE - 1].abs() < 1e-3);
    }
}
