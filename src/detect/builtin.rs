//! The built-in detector: YuNet over copies of the photo, a second look at doubtful faces, and
//! quarter turns where nothing certain is found.

use super::nms::suppress;
use super::second_look::{SecondLook, TURNED_MARGIN};
use super::{DetectorParams, FaceDetector, Yunet};
use crate::affine::Affine;
use crate::error::{Result, Skip};
use crate::face::DetectedFace;
use crate::raster::{Orientation, Raster};

/// Finds faces without any help from outside.
#[derive(Debug)]
pub struct Builtin {
    params: DetectorParams,
    network: Yunet,
}

impl Builtin {
    /// Its name. The number after the plus sign is that of the search: copies, second look, turns.
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

    /// The copies of a photo in which faces are looked for, the finest first. Each is made from the
    /// one before: going through all of a large photo again costs more than looking at a small copy.
    fn copies(&self, photo: &Raster) -> Vec<Raster> {
        let mut copies: Vec<Raster> = Vec::new();
        for (width, height) in self.params.copies(photo.width(), photo.height()) {
            let copy = copies.last().unwrap_or(photo).resized(width, height);
            copies.push(Raster::new(copy, Orientation::Upright));
        }
        copies
    }

    /// Faces of a photo as it stands that score at least `threshold`, best first.
    fn search(&self, photo: &Raster, copies: &[Raster], threshold: f32) -> Vec<DetectedFace> {
        let Some(finest) = copies.first() else {
            return Vec::new();
        };
        let mut candidates = Vec::new();
        for copy in copies {
            let to_photo = Affine::stretch(
                photo.width() as f32 / copy.width() as f32,
                photo.height() as f32 / copy.height() as f32,
            );
            let doubt = self.params.doubt.min(self.params.doubt_of_small);
            let least = doubt.min(threshold);
            let found = self.network.candidates(&copy.upright(), least);
            candidates.extend(found.iter().map(|face| face.through(&to_photo)));
        }
        let looks = SecondLook::new(&self.network, &self.params, photo, finest);
        // Boxes within boxes stay for now: what is around a small face may seem the better one.
        let mut faces = looks.at(suppress(candidates, self.params.suppress_iou, 1.0));
        faces.retain(|face| face.score >= threshold);
        suppress(faces, self.params.suppress_iou, self.params.suppress_inside)
    }

    /// Faces of a photo in which upright there are none, or doubtful ones: turned by one, two or three
    /// quarters, after a glance at each in a small copy.
    fn turned(&self, photo: &Raster, copies: &[Raster]) -> Vec<DetectedFace> {
        let least = self.params.turned_threshold.max(self.params.threshold);
        let (width, height) = self.params.glance(photo.width(), photo.height());
        let glance = copies.last().unwrap_or(photo).resized(width, height);
        let glance = Raster::new(glance, Orientation::Upright);
        let best = (1..4)
            .filter_map(|quarters| {
                let copy = glance.turned(quarters);
                let faces = self.network.candidates(&copy.upright(), least);
                let scores = faces.into_iter().map(|face| face.score);
                Some((quarters, scores.max_by(f32::total_cmp)?))
            })
            .max_by(|a, b| a.1.total_cmp(&b.1));
        let Some((quarters, _)) = best else {
            return Vec::new();
        };
        let turned = photo.turned(quarters);
        let Some(to_upright) = photo.upright_to_stored().inverse() else {
            return Vec::new();
        };
        let back = turned.upright_to_stored().then(&to_upright);
        let copies: Vec<_> = copies.iter().map(|copy| copy.turned(quarters)).collect();
        self.search(&turned, &copies, least)
            .into_iter()
            .map(|face| face.through(&back))
            .collect()
    }
}

impl FaceDetector for Builtin {
    fn model(&self) -> &'static str {
        Self::MODEL
    }

    fn detect(&self, photo: &Raster) -> Result<Vec<DetectedFace>, Skip> {
        let copies = self.copies(photo);
        let faces = self.search(photo, &copies, self.params.threshold);
        let best = |faces: &[DetectedFace]| faces.first().map_or(0.0, |face| face.score);
        if best(&faces) < self.params.turned_threshold {
            let turned = self.turned(photo, &copies);
            if best(&turned) > best(&faces) + TURNED_MARGIN {
                return Ok(turned);
            }
        }
        Ok(faces)
    }
}

#[cfg(test)]
mod tests;
