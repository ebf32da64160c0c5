//! Degradations that cameras, distance and files cause, on grey values of 0 to 255.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageFormat};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use super::random_amount::{Jitter, Range};
use crate::dataset::PIXELS;
use fer_core::classify::FACE_SIDE;

/// The degradations, in the order in which they affect a photo; an absent one is not applied.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Degradation {
    /// Light from one side: brightness is multiplied by a ramp of slope ± `by` from edge to edge, 1 in the
    /// centre.
    pub light: Option<Jitter>,
    /// Gamma correction with an exponent of e to the power ± `by`.
    pub gamma: Option<Jitter>,
    /// Standard deviation of a Gaussian blur in pixels.
    pub blur: Option<Range>,
    /// Side in pixels to which the face is downsampled before it is enlarged again.
    pub low_resolution: Option<Range>,
    /// Standard deviation of Gaussian noise in grey values.
    pub noise: Option<Range>,
    /// Quality of a JPEG compression.
    pub jpeg: Option<Range>,
}

impl Degradation {
    /// Degrades a face of 48 × 48 grey values.
    pub fn apply(&self, image: &mut Vec<f32>, rng: &mut impl Rng) {
        let light = Jitter::draw(self.light, rng);
        if light != 0.0 {
            side_light(image, light, rng.random_range(0.0..std::f32::consts::TAU));
        }
        let gamma = Jitter::draw(self.gamma, rng).exp();
        if (gamma - 1.0).abs() > f32::EPSILON {
            for value in &mut *image {
                *value = 255.0 * (value.clamp(0.0, 255.0) / 255.0).powf(gamma);
            }
        }
        if let Some(deviation) = Range::draw(self.blur, rng) {
            blur(image, deviation);
        }
        if let Some(side) = Range::draw(self.low_resolution, rng) {
            *image = reduce_resolution(image, side.round().max(1.0) as usize);
        }
        if let Some(deviation) = Range::draw(self.noise, rng) {
            for value in &mut *image {
                let z: f32 = StandardNormal.sample(rng);
                *value += deviation * z;
            }
        }
        if let Some(quality) = Range::draw(self.jpeg, rng)
            && let Some(decoded) = jpeg_round_trip(image, quality.round() as u8)
        {
            *image = decoded;
        }
    }
}

/// Multiplies by a linear ramp that is 1 in the centre; `direction` in radians.
fn side_light(image: &mut [f32], strength: f32, direction: f32) {
    let (sin, cos) = direction.sin_cos();
    let position = |index: usize| (index as f32 + 0.5) / FACE_SIDE as f32 - 0.5;
    for (y, row) in image.chunks_exact_mut(FACE_SIDE).enumerate() {
        for (x, value) in row.iter_mut().enumerate() {
            let along = position(x) * cos + position(y) * sin;
            *value = (*value * (1.0 + strength * along)).clamp(0.0, 255.0);
        }
    }
}

/// Gaussian blur, first along rows, then along columns; outside the frame the edge pixels repeat.
fn blur(image: &mut [f32], deviation: f32) {
    let radius = (3.0 * deviation).ceil() as usize;
    let weight = |i: usize| (-0.5 * (i as f32 / deviation).powi(2)).exp();
    let total = weight(0) + 2.0 * (1..=radius).map(weight).sum::<f32>();
    let kernel: Vec<f32> = (0..=radius).map(|i| weight(i) / total).collect();
    let mut line = [0.0; FACE_SIDE];
    for (step, across) in [(1, FACE_SIDE), (FACE_SIDE, 1)] {
        for start in (0..FACE_SIDE).map(|i| i * across) {
            for (position, value) in line.iter_mut().enumerate() {
                *value = image[start + position * step];
            }
            for position in 0..FACE_SIDE {
                let sum = (1..=radius).fold(kernel[0] * line[position], |sum, i| {
                    let before = line[position.saturating_sub(i)];
                    let after = line[(position + i).min(FACE_SIDE - 1)];
                    sum + kernel[i] * (before + after)
                });
                image[start + position * step] = sum;
            }
        }
    }
}

/// Downsamples to `side` pixels by area averaging and enlarges again bilinearly.
fn reduce_resolution(image: &[f32], side: usize) -> Vec<f32> {
    if side >= FACE_SIDE {
        return image.to_vec();
    }
    let reduce = weights(FACE_SIDE, side, |centre, position, scale| {
        // The overlap of the source pixel with the target pixel.
        let (low, high) = (centre - scale / 2.0, centre + scale / 2.0);
        (high.min(position + 0.5) - low.max(position - 0.5)).max(0.0)
    });
    let enlarge = weights(side, FACE_SIDE, |centre, position, _| {
        (1.0 - (centre - position).abs()).max(0.0)
    });
    let small = resample(image, FACE_SIDE, &reduce);
    resample(&small, side, &enlarge)
}

/// For each of `to` target pixels, the normalised weights of `from` source pixels. `weight` is called with the centres
/// of target and source and the distance between targets, all in source pixels.
fn weights(from: usize, to: usize, weight: impl Fn(f32, f32, f32) -> f32) -> Vec<Vec<f32>> {
    let scale = from as f32 / to as f32;
    let target = |index: usize| {
        let centre = (index as f32 + 0.5) * scale - 0.5;
        let centre = centre.clamp(0.0, (from - 1) as f32);
        let row: Vec<f32> = (0..from)
            .map(|position| weight(centre, position as f32, scale))
            .collect();
        let sum: f32 = row.iter().sum();
        row.into_iter().map(|w| w / sum).collect()
    };
    (0..to).map(target).collect()
}

/// Resamples a square image with these weights along both axes.
fn resample(image: &[f32], side: usize, weights: &[Vec<f32>]) -> Vec<f32> {
    let dot = |row: &[f32], values: &mut dyn Iterator<Item = f32>| {
        row.iter().zip(values).map(|(w, v)| w * v).sum::<f32>()
    };
    let wide: Vec<f32> = image
        .chunks_exact(side)
        .flat_map(|line| {
            weights
                .iter()
                .map(|row| dot(row, &mut line.iter().copied()))
        })
        .collect();
    let width = weights.len();
    weights
        .iter()
        .flat_map(|row| {
            let wide = &wide;
            (0..width).map(move |x| dot(row, &mut (0..side).map(|y| wide[y * width + x])))
        })
        .collect()
}

/// Encodes as JPEG and decodes again; `None` if the codec fails, which is not expected.
fn jpeg_round_trip(image: &[f32], quality: u8) -> Option<Vec<f32>> {
    let pixels: Vec<u8> = image
        .iter()
        .map(|v| v.clamp(0.0, 255.0).round() as u8)
        .collect();
    let mut file = Cursor::new(Vec::with_capacity(PIXELS));
    let side = FACE_SIDE as u32;
    JpegEncoder::new_with_quality(&mut file, quality.clamp(1, 100))
        .encode(&pixels, side, side, ExtendedColorType::L8)
        .ok()?;
    let decoded = image::load_from_memory_with_format(file.get_ref(), ImageFormat::Jpeg).ok()?;
    Some(decoded.to_luma8().iter().map(|&p| f32::from(p)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, rng};

    fn edge() -> Vec<f32> {
        let column = |i: usize| if i % FACE_SIDE < 24 { 40.0 } else { 200.0 };
        (0..PIXELS).map(column).collect()
    }

    fn mean(image: &[f32]) -> f32 {
        image.iter().sum::<f32>() / image.len() as f32
    }

    /// The largest difference between neighbours in the first row.
    fn steepest(image: &[f32]) -> f32 {
        let steps = image[..FACE_SIDE].windows(2).map(|w| (w[1] - w[0]).abs());
        steps.fold(0.0, f32::max)
    }

    #[test]
    fn blur_and_low_resolution_soften_an_edge_and_keep_the_mean() {
        let mut blurred = edge();
        blur(&mut blurred, 1.5);
        let coarse = reduce_resolution(&edge(), 16);
        for softened in [blurred, coarse] {
            assert!((mean(&softened) - mean(&edge())).abs() < 0.5);
            let steepest = steepest(&softened);
            assert!((10.0..80.0).contains(&steepest), "{steepest}");
        }
    }

    #[test]
    fn reducing_to_the_full_resolution_changes_nothing() {
        assert_eq!(reduce_resolution(&edge(), FACE_SIDE), edge());
    }

    #[test]
    fn jpeg_of_lower_quality_changes_the_face_more() {
        let off = |quality| {
            let decoded = jpeg_round_trip(&edge(), quality).unwrap();
            let pairs = decoded.iter().zip(edge());
            pairs.map(|(a, b)| (a - b).abs()).sum::<f32>() / PIXELS as f32
        };
        assert!(
            off(95) < 2.0 && off(10) > off(95),
            "{} {}",
            off(95),
            off(10)
        );
    }

    #[test]
    fn side_light_brightens_one_side_and_keeps_the_mean() {
        let mut image = vec![100.0; PIXELS];
        side_light(&mut image, 1.0, 0.0);
        assert!(image[0] < 55.0 && image[FACE_SIDE - 1] > 145.0);
        assert!((mean(&image) - 100.0).abs() < 0.1);
    }

    #[test]
    fn degradation_depends_on_the_generator_alone() {
        let range = |from, to| {
            Some(Range {
                probability: 0.5,
                from,
                to,
            })
        };
        let jitter = Some(Jitter {
            probability: 0.5,
            by: 0.5,
        });
        let all = Degradation {
            light: jitter,
            gamma: jitter,
            blur: range(0.3, 1.5),
            low_resolution: range(16.0, 40.0),
            noise: range(1.0, 8.0),
            jpeg: range(20.0, 90.0),
        };
        let degraded = |index| {
            let mut image = edge();
            all.apply(&mut image, &mut rng(1, Purpose::Augmentation, 0, index));
            image
        };
        assert_eq!(degraded(1), degraded(1));
        assert_ne!(degraded(1), degraded(2));
        let mut untouched = edge();
        Degradation::default().apply(&mut untouched, &mut rng(1, Purpose::Augmentation, 0, 1));
        assert_eq!(untouched, edge());
    }
}
