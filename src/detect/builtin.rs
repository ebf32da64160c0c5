//! The built-in detector: runs YuNet on an image pyramid, refines doubtful candidates, and rotates
//! photos in which it finds no certain face.

use super::nms::suppress;
use super::refine::{ROTATION_MARGIN, Refinement};
use super::{DetectorParams, FaceDetector, Yunet};
use crate::affine::Affine;
use crate::error::{Result, Skip};
use crate::face::DetectedFace;
use crate::raster::{Orientation, Raster};

/// Detects faces with the network that is built into the program.
#[derive(Debug)]
pub struct Builtin {
    params: DetectorParams,
    network: Yunet,
}

impl Builtin {
    /// Name of the detector, stored with its findings. The number after the plus sign is the version of
    /// the search: pyramid, refinement, rotations.
    pub const MODEL: &'static str = "yunet-s 2024.9+4";

    /// Builds the detector from the weights in the binary.
    ///
    /// # Errors
    /// [`Error::Model`](crate::error::Error::Model) if the weights do not fit the network.
    pub fn new(params: DetectorParams) -> Result<Self> {
        Ok(Self {
            params,
            network: Yunet::new()?,
        })
    }

    /// The parameters with which it searches.
    pub const fn params(&self) -> &DetectorParams {
        &self.params
    }

    /// The pyramid levels of a photo, the finest first. Each level is resized from the one before, since
    /// reading all pixels of a large photo again costs more than searching a small level.
    fn pyramid(&self, photo: &Raster) -> Vec<Raster> {
        let mut levels: Vec<Raster> = Vec::new();
        for (width, height) in self.params.pyramid(photo.width(), photo.height()) {
            let level = levels.last().unwrap_or(photo).resized(width, height);
            levels.push(Raster::new(level, Orientation::Upright));
        }
        levels
    }

    /// Searches a photo in its present rotation: the faces that score at least `threshold`, best first.
    fn search(&self, photo: &Raster, pyramid: &[Raster], threshold: f32) -> Vec<DetectedFace> {
        let Some(finest) = pyramid.first() else {
            return Vec::new();
        };
        let mut candidates = Vec::new();
        for level in pyramid {
            let to_photo = Affine::stretch(
                photo.width() as f32 / level.width() as f32,
                photo.height() as f32 / level.height() as f32,
            );
            let to_refine = self
                .params
                .min_rolled_score
                .min(self.params.min_small_score);
            let least = to_refine.min(threshold);
            let found = self.network.candidates(&level.upright(), least);
            candidates.extend(found.iter().map(|face| face.through(&to_photo)));
        }
        let refinement = Refinement::new(&self.network, &self.params, photo, finest);
        // Nested boxes are kept until after refinement: a box around a small face may score higher than
        // the face before it, and lower after it.
        let mut faces = refinement.refine(suppress(candidates, self.params.suppress_iou, 1.0));
        faces.retain(|face| face.score >= threshold);
        suppress(faces, self.params.suppress_iou, self.params.suppress_iom)
    }

    /// Searches a photo whose upright search found no certain face, in the most promising of the rotations
    /// by 90°, 180° and 270°. The rotations are compared at a small size first; empty if none shows a face.
    fn search_rotated(&self, photo: &Raster, pyramid: &[Raster]) -> Vec<DetectedFace> {
        let least = self.params.rotated_threshold.max(self.params.threshold);
        let (width, height) = self.params.rotation_level(photo.width(), photo.height());
        let small = pyramid.last().unwrap_or(photo).resized(width, height);
        let small = Raster::new(small, Orientation::Upright);
        let best = (1..4)
            .filter_map(|quarters| {
                let rotated = small.turned(quarters);
                let faces = self.network.candidates(&rotated.upright(), least);
                let scores = faces.into_iter().map(|face| face.score);
                Some((quarters, scores.max_by(f32::total_cmp)?))
            })
            .max_by(|a, b| a.1.total_cmp(&b.1));
        let Some((quarters, _)) = best else {
            return Vec::new();
        };
        let rotated = photo.turned(quarters);
        let Some(to_upright) = photo.upright_to_stored().inverse() else {
            return Vec::new();
        };
        let back = rotated.upright_to_stored().then(&to_upright);
        let pyramid: Vec<_> = pyramid.iter().map(|level| level.turned(quarters)).collect();
        self.search(&rotated, &pyramid, least)
            .into_iter()
            .map(|face| face.through(&back))
            .collect()
    }
}

impl FaceDetector for Builtin {
    fn model(&self) -> &'static str {
        Self::MODEL
    }

    fn copy_of(&self, width: u32, height: u32) -> Option<(u32, u32)> {
        self.params.pyramid(width, height).first().copied()
    }

    fn detect(&self, photo: &Raster) -> Result<Vec<DetectedFace>, Skip> {
        let pyramid = self.pyramid(photo);
        let faces = self.search(photo, &pyramid, self.params.threshold);
        let best = |faces: &[DetectedFace]| faces.first().map_or(0.0, |face| face.score);
        if best(&faces) < self.params.rotated_threshold {
            let rotated = self.search_rotated(photo, &pyramid);
            if best(&rotated) > best(&faces) + ROTATION_MARGIN {
                return Ok(rotated);
            }
        }
        Ok(faces)
    }
}

#[cfg(test)]
mod tests;
