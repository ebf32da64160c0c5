//! Tests all doubtful candidates of a photo at once at low resolution, so that fewer need a refinement pass at full
//! resolution. Pebbles and leaves cause dozens of candidates, hardly any of which a refinement pass confirms.

use image::{RgbImage, imageops};

use super::refine::{MATCH_IOU, Patch, Refinement, SAMPLES, roll};
use crate::affine::Affine;
use crate::face::{BoundingBox, DetectedFace};

/// The patch of a candidate. The patches are side by side in one picture, since many small pictures take the network
/// longer; neighbouring patches hardly affect a face.
const PATCH: Patch = Patch {
    side: 48,
    face: 24.0,
};

/// Patches in a row of that picture.
const ACROSS: u32 = 8;

/// Least score at which a candidate is refined. Of 327 faces that the refinement pass confirmed, one scored less; of
/// the other candidates, 65 % did.
const MIN_SCORE: f32 = 0.1;

impl Refinement<'_> {
    /// Those of `doubtful`, indices of `faces`, that may be faces, judged by patches of the finest level.
    pub(super) fn plausible(&self, faces: &[DetectedFace], doubtful: Vec<usize>) -> Vec<usize> {
        if doubtful.is_empty() {
            return doubtful;
        }
        let maps = doubtful
            .iter()
            .map(|&index| PATCH.to_photo(&faces[index], roll(&faces[index])));
        let maps: Vec<Affine> = maps.collect();
        let count = maps.len() as u32;
        let (across, down) = (count.min(ACROSS), count.div_ceil(ACROSS));
        let mut picture = RgbImage::new(across * PATCH.side, down * PATCH.side);
        let to_level = Affine::stretch(self.scale, self.scale);
        for (number, to_photo) in (0..count).zip(&maps) {
            let to_level = to_photo.then(&to_level);
            let patch = self
                .finest
                .sampled(&to_level, (PATCH.side, PATCH.side), SAMPLES);
            let (x, y) = corner(number);
            imageops::replace(&mut picture, &patch, x.into(), y.into());
        }
        let found = self.network.candidates(&picture, MIN_SCORE);
        let is_seen = |number: u32, face: &DetectedFace, to_photo: &Affine| {
            let Some(to_patch) = to_photo.inverse() else {
                return false;
            };
            let in_patch = face.through(&to_patch).bounding_box;
            let (x, y) = corner(number);
            let expected = BoundingBox {
                x: in_patch.x + x as f32,
                y: in_patch.y + y as f32,
                ..in_patch
            };
            found
                .iter()
                .any(|found| found.bounding_box.iou(&expected) >= MATCH_IOU)
        };
        let patches = (0..count).zip(doubtful).zip(&maps);
        patches
            .filter(|((number, index), to_photo)| is_seen(*number, &faces[*index], to_photo))
            .map(|((_, index), _)| index)
            .collect()
    }
}

/// The upper left corner of a patch in the picture of all patches.
const fn corner(number: u32) -> (u32, u32) {
    (number % ACROSS * PATCH.side, number / ACROSS * PATCH.side)
}

#[cfg(test)]
mod tests {
    use image::Rgb;
    use image::imageops::FilterType;

    use super::super::{DetectorParams, Yunet};
    use super::*;
    use crate::raster::{Orientation, Raster};

    #[test]
    fn faces_are_plausible_and_other_patches_are_not() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/astronaut.jpg");
        let portrait = image::open(path).unwrap().into_rgb8();
        let portrait = imageops::resize(&portrait, 256, 256, FilterType::Triangle);
        let (network, params) = (Yunet::new().unwrap(), DetectorParams::default());
        let found = network.candidates(&portrait, 0.5);
        let face = found.iter().max_by(|a, b| a.score.total_cmp(&b.score));
        let face = *face.unwrap();

        // More than two rows of patches, of which every third shows a face.
        let mut photo = RgbImage::from_pixel(2400, 1800, Rgb([120; 3]));
        let mut candidates = Vec::new();
        for number in 0..20 {
            let (x, y) = (number % 5 * 400 + 60, number / 5 * 400 + 60);
            imageops::replace(&mut photo, &portrait, x.into(), y.into());
            // Off the face: beside the portrait.
            let (right, down) = [(0.0, 0.0), (230.0, 120.0), (230.0, 0.0)][number as usize % 3];
            let shift = Affine {
                x: [1.0, 0.0, x as f32 + right],
                y: [0.0, 1.0, y as f32 + down],
            };
            candidates.push(DetectedFace {
                score: 0.2,
                ..face.through(&shift)
            });
        }
        let photo = Raster::new(photo, Orientation::Upright);
        let finest = photo.copy(900, 675);
        let refinement = Refinement::new(&network, &params, &photo, None, &finest);
        let plausible = refinement.plausible(&candidates, (0..20).collect());
        assert_eq!(plausible, [0, 3, 6, 9, 12, 15, 18]);
        assert!(refinement.plausible(&candidates, Vec::new()).is_empty());
    }
}
