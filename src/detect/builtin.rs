//! The built-in detector: runs YuNet on an image pyramid, refines doubtful candidates, turns faces that are not upright,
//! and searches further copies of photos in which it finds no certain face.

use std::f32::consts::FRAC_PI_2;

use super::closer;
use super::copies::{Copies, Turned};
use super::nms::suppress;
use super::refine::{Refinement, roll, rotated};
use super::{DetectorParams, FaceDetector, Yunet};
use crate::affine::Affine;
use crate::error::{Result, Skip};
use crate::face::{BoundingBox, DetectedFace};
use crate::raster::Raster;

/// A candidate replaces one in a finer level only if it scores higher by more than this: the landmarks of the finer one are
/// more precise.
const LEVEL_MARGIN: f32 = 0.03;

/// A face is turned if the cosine of its roll is less than this: from 60° on.
const TURNED_COS: f32 = 0.5;

/// The sides in which a face is sought at a place, in sides of the place.
const NAMED_SIDES: [f32; 3] = [1.0, 0.75, 0.55];

/// Detects faces with the network that is built into the program.
#[derive(Debug)]
pub struct Builtin {
    params: DetectorParams,
    network: Yunet,
}

impl Builtin {
    /// Name of the detector, stored with its findings. The number after the plus sign is the version of
    /// the search: copies, refinement, turns, suppression, and the precision of the network.
    pub const MODEL: &'static str = "yunet-s 2024.9+7";

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

    /// The faces of a photo from `least` on, in this many quarter turns clockwise, in the coordinates of the photo as it
    /// is.
    fn search(&self, copies: &Copies, quarters: u8, least: f32) -> Vec<DetectedFace> {
        let turned = copies.turned(quarters);
        let Some(refinement) = self.refinement(copies, &turned) else {
            return Vec::new();
        };
        let Turned {
            photo,
            pyramid,
            back,
        } = &turned;
        let mut candidates = Vec::new();
        for (index, level) in pyramid.iter().enumerate() {
            let to_photo = Affine::stretch(
                photo.width() as f32 / level.width() as f32,
                photo.height() as f32 / level.height() as f32,
            );
            let least = if index > 0 {
                least.max(self.params.coarse_threshold)
            } else {
                least
            };
            let found = self.network.candidates(&level.upright(), least);
            let finer = candidates.len();
            for face in found {
                if index > 0 && face.bounding_box.short_side() < self.params.min_coarse_face {
                    continue;
                }
                let face = face.through(&to_photo);
                let is_same = |finer: &DetectedFace| {
                    finer.score > face.score - LEVEL_MARGIN
                        && finer.bounding_box.iou(&face.bounding_box) > self.params.suppress_iou
                };
                if !candidates[..finer].iter().any(is_same) {
                    candidates.push(face);
                }
            }
        }
        // Nested boxes are kept until after refinement: a box around a small face may score higher than
        // the face before it, and lower after it.
        let candidates = suppress(candidates, self.params.suppress_iou, 1.0);
        let mut faces = refinement.refine(candidates);
        refinement.turn(&mut faces);
        // A face is only suppressed by a better one, so those that count nowhere need not be compared any more.
        let params = &self.params;
        faces.retain(|face| face.score >= params.threshold.min(params.margin_below));
        faces.iter().map(|face| face.through(back)).collect()
    }

    /// Refines faces of a photo in one of its turns; `None` if the pyramid is empty.
    fn refinement<'a>(
        &'a self,
        copies: &'a Copies<'_>,
        Turned { photo, pyramid, .. }: &'a Turned,
    ) -> Option<Refinement<'a>> {
        let (network, params) = (&self.network, &self.params);
        let finest = pyramid.first()?;
        let levels = copies.levels();
        Some(Refinement::new(network, params, photo, levels, finest))
    }

    /// The quarter turn in which a small copy of the photo shows the best face, `None` if none shows a likely one; and what may be
    /// faces in these copies, in the coordinates of the photo.
    fn best_turn(&self, copies: &Copies) -> (Option<u8>, Vec<DetectedFace>) {
        let (copy, to_photo) = copies.small_to_photo();
        let mut best = (self.params.turned_threshold, None);
        let mut hints = Vec::new();
        for quarters in 1..4 {
            let found = self.hints(copy, &to_photo, quarters);
            let scores = found.iter().map(|face| face.score);
            if let Some(score) = scores.max_by(f32::total_cmp)
                && score >= best.0
            {
                best = (score, Some(quarters));
            }
            hints.extend(found);
        }
        (best.1, hints)
    }

    /// What may be faces in a copy of the photo, after some quarter turns, in the coordinates of the photo.
    fn hints(&self, copy: &Raster, to_photo: &Affine, quarters: u8) -> Vec<DetectedFace> {
        let turned = copy.turned(quarters);
        let to_photo = turned.upright_to_stored().then(to_photo);
        let least = self.params.hint_threshold;
        let found = self.network.candidates(&turned.upright(), least);
        found.iter().map(|face| rotated(face, &to_photo)).collect()
    }

    /// The faces in a small copy of the photo that is rotated by 45°, 135°, 225° or 315°, and those of `hints`, as far as an
    /// upright patch confirms them.
    fn search_oblique(&self, copies: &Copies, hints: Vec<DetectedFace>) -> Vec<DetectedFace> {
        let as_it_is = copies.turned(0);
        let Some(refinement) = self.refinement(copies, &as_it_is) else {
            return Vec::new();
        };
        let (copy, to_photo) = copies.oblique();
        let mut faces = hints;
        for quarters in 0..4 {
            faces.extend(self.hints(&copy, &to_photo, quarters));
        }
        let faces = suppress(faces, self.params.suppress_iou, self.params.suppress_iom);
        let likely = faces.iter().take(self.params.max_turns);
        likely
            .filter_map(|face| refinement.confirm_hint(face))
            .collect()
    }

    /// The face at a place where a person says there is one; see [`DetectorParams::named_threshold`]. It is sought in the
    /// size of the place, and smaller, since people draw boxes around heads; upright, and turned if it is not seen upright.
    fn face_at(&self, refinement: &Refinement<'_>, at: &BoundingBox) -> Option<DetectedFace> {
        let params = &self.params;
        let in_rolls = |quarters: &[u8], least| {
            let tries = NAMED_SIDES.iter().flat_map(|side| {
                let place = DetectedFace {
                    bounding_box: closer::resized(at, *side),
                    landmarks: None,
                    score: 0.0,
                };
                let turned = quarters
                    .iter()
                    .map(|quarters| f32::from(*quarters) * FRAC_PI_2);
                turned.filter_map(move |roll| refinement.closely(&place, roll, least))
            });
            closer::best(tries, at)
        };
        in_rolls(&[0], params.named_threshold)
            .or_else(|| in_rolls(&[1, 2, 3], params.confirm_threshold))
    }

    /// The faces in a small copy of the photo with a margin.
    fn search_with_margin(&self, copies: &Copies) -> Vec<DetectedFace> {
        let (copy, to_photo) = copies.with_margin();
        let found = self.network.candidates(&copy, self.params.margin_threshold);
        found.iter().map(|face| face.through(&to_photo)).collect()
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
        let params = &self.params;
        let copies = Copies::new(photo, params);
        let merged = |faces| suppress(faces, params.suppress_iou, params.suppress_iom);
        // What is searched does not depend on the threshold, so a lower one only adds faces below it.
        let least = params.min_rolled_score.min(params.min_small_score);
        let mut faces = merged(self.search(&copies, 0, least.min(params.threshold)));
        let best = faces.first().map_or(0.0, |face| face.score);
        let (turn, hints) = if best < params.upright_threshold {
            self.best_turn(&copies)
        } else {
            (None, Vec::new())
        };
        if let Some(quarters) = turn {
            let turned = self.search(&copies, quarters, params.turned_threshold);
            let is_certain = |face: &DetectedFace| face.score >= params.confirm_threshold;
            faces.extend(turned.into_iter().filter(is_certain));
            faces = merged(faces);
        }
        let is_doubtful = |faces: &[DetectedFace]| {
            faces
                .first()
                .is_none_or(|face| face.score < params.margin_below)
        };
        if is_doubtful(&faces) {
            faces.extend(self.search_oblique(&copies, hints));
            faces = merged(faces);
        }
        if is_doubtful(&faces) {
            faces.extend(self.search_with_margin(&copies));
            faces = merged(faces);
        }
        if let Some(best) = faces.first().copied() {
            // In a turned photo, things that are upside down look like upright faces.
            let is_turned = |face: &DetectedFace| roll(face).cos() < TURNED_COS;
            let is_likely = |face: &DetectedFace| face.score >= params.turned_threshold;
            faces.retain(|face| !is_turned(&best) || is_turned(face) || is_likely(face));
        }
        faces.retain(|face| face.score >= params.threshold);
        Ok(faces)
    }

    fn detect_at(
        &self,
        photo: &Raster,
        places: &[BoundingBox],
    ) -> Result<Vec<Option<DetectedFace>>, Skip> {
        let copies = Copies::new(photo, &self.params);
        let as_it_is = copies.turned(0);
        let Some(refinement) = self.refinement(&copies, &as_it_is) else {
            return Ok(vec![None; places.len()]);
        };
        let places = places.iter();
        Ok(places.map(|at| self.face_at(&refinement, at)).collect())
    }
}

#[cfg(test)]
mod tests;
