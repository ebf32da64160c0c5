//! The built-in detector: YuNet over copies of the photo, a second look at doubtful faces, and
//! quarter turns where nothing is found.

use super::nms::suppress;
use super::second_look::SecondLook;
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
    pub const MODEL: &'static str = "yunet-s 2024.9+2";

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

    /// Faces of a photo as it stands that score at least `threshold`, best first.
    fn upright(&self, photo: &Raster, threshold: f32) -> Vec<DetectedFace> {
        let copies = self.params.copies(photo.width(), photo.height());
        let mut candidates = Vec::new();
        let mut finest = 0.0;
        for (width, height) in copies {
            let (across, down) = (
                photo.width() as f32 / width as f32,
                photo.height() as f32 / height as f32,
            );
            let to_photo = Affine::stretch(across, down);
            let copy = photo.resized(width, height);
            let found = self
                .network
                .candidates(&copy, self.params.doubt.min(threshold));
            candidates.extend(found.iter().map(|face| face.through(&to_photo)));
            finest = 1.0 / across;
        }
        let looks = SecondLook::new(&self.network, &self.params, photo, finest);
        // Boxes within boxes stay for now: what is around a small face may seem the better one.
        let mut faces = looks.at(suppress(candidates, self.params.suppress_iou, 1.0));
        faces.retain(|face| face.score >= threshold);
        suppress(faces, self.params.suppress_iou, self.params.suppress_inside)
    }

    /// Faces of a photo in which upright there are none: turned by one, two or three quarters, after
    /// a glance at each in a small copy.
    fn turned(&self, photo: &Raster) -> Vec<DetectedFace> {
        let least = self.params.turned_threshold.max(self.params.threshold);
        let (width, height) = self.params.glance(photo.width(), photo.height());
        let glance = photo.resized(width, height);
        let upright = Raster::new(glance, Orientation::Upright);
        let best = (1..4)
            .filter_map(|quarters| {
                let turned = upright.turned(quarters);
                let copy = turned.resized(turned.width(), turned.height());
                let faces = self.network.candidates(&copy, least);
                let best = faces
                    .into_iter()
                    .map(|face| face.score)
                    .max_by(f32::total_cmp);
                Some((quarters, best?))
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
        self.upright(&turned, least)
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
        let faces = self.upright(photo, self.params.threshold);
        if faces.is_empty() {
            return Ok(self.turned(photo));
        }
        Ok(faces)
    }
}

#[cfg(test)]
mod tests;
