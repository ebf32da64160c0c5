//! The refinement pass: runs the network again on a patch around one doubtful candidate, upright and at the photo's
//! full resolution. `turns` uses the same pass to find the roll of a face.

use super::levels::Levels;
use super::{DetectorParams, Yunet};
use crate::affine::Affine;
use crate::face::{BoundingBox, DetectedFace};
use crate::raster::Raster;

/// The shape of a square patch that is resampled from the photo for the network.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patch {
    /// Side of the patch in pixels, a multiple of the network's largest stride (32).
    pub side: u32,
    /// Side of the face in the middle of the patch (square root of the box's area), in pixels of the
    /// patch: a size at which the network scores best.
    pub face: f32,
}

/// The patch for photos with more pixels than their finest pyramid level. With this much context the
/// network confirms one face in forty more than with [`LEVEL_RESOLUTION`].
const FULL_RESOLUTION: Patch = Patch {
    side: 128,
    face: 58.0,
};

/// The patch for photos without more pixels than their finest pyramid level, where the larger patch
/// would add false faces.
const LEVEL_RESOLUTION: Patch = Patch {
    side: 96,
    face: 48.0,
};

/// A pyramid level of at least this scale has as much detail as the photo.
const FULL_DETAIL_SCALE: f32 = 0.8;

/// Faces with at least this side, in pixels of the finest level, are resampled from that level: its
/// resolution suffices for them, and it has fewer pixels to read than the photo.
const SAMPLE_LEVEL_FROM: f32 = 40.0;

/// Most samples along each side of one pixel of the patch. Faces that would need more are resampled
/// from the finest level.
pub(super) const SAMPLES: u32 = 2;

/// A detection in the patch counts as the expected face if their intersection over union is at least this.
pub(super) const MATCH_IOU: f32 = 0.3;

/// Refines the candidates of one photo.
pub(super) struct Refinement<'a> {
    pub(super) network: &'a Yunet,
    pub(super) params: &'a DetectorParams,
    photo: &'a Raster,
    /// Stretches the greys of patches that are read from the photo; the finest level is stretched already.
    levels: Option<&'a Levels>,
    /// The finest pyramid level that was searched.
    pub(super) finest: &'a Raster,
    /// Width of the finest level divided by the width of the photo.
    pub(super) scale: f32,
    patch: Patch,
}

impl<'a> Refinement<'a> {
    pub fn new(
        network: &'a Yunet,
        params: &'a DetectorParams,
        photo: &'a Raster,
        levels: Option<&'a Levels>,
        finest: &'a Raster,
    ) -> Self {
        let scale = finest.width() as f32 / photo.width() as f32;
        Self {
            network,
            params,
            photo,
            levels,
            finest,
            scale,
            patch: if scale < FULL_DETAIL_SCALE {
                FULL_RESOLUTION
            } else {
                LEVEL_RESOLUTION
            },
        }
    }

    /// Refines those of `faces` that may gain from it. `faces` are sorted best first, since the number of refinement
    /// passes is limited, and keep their order.
    pub fn refine(&self, mut faces: Vec<DetectedFace>) -> Vec<DetectedFace> {
        let all = (0..faces.len()).filter(|&index| self.may_gain(&faces[index]));
        let doubtful: Vec<usize> = all.take(self.params.max_refinements).collect();
        let chosen = if self.scale < FULL_DETAIL_SCALE {
            self.plausible(&faces, doubtful)
        } else {
            doubtful
        };
        for index in chosen {
            let face = &mut faces[index];
            let least = face.score.min(self.params.refine_threshold);
            let refined = self.pass(self.patch, face, roll(face), self.params.confirm_threshold);
            if let Some(refined) = refined.filter(|refined| refined.score > least) {
                *face = DetectedFace {
                    score: refined.score.max(face.score),
                    ..refined
                };
            }
        }
        faces
    }

    /// Whether a refinement pass may improve a face: it scores below the refine threshold, is small in
    /// the finest level, and the photo has more pixels of it; or it is rolled, since the landmarks of a
    /// rolled face may be wrong at any score.
    fn may_gain(&self, face: &DetectedFace) -> bool {
        let DetectorParams {
            min_rolled_score,
            min_small_score,
            refine_threshold,
            small_face,
            min_roll,
            ..
        } = *self.params;
        let is_small = self.scale < FULL_DETAIL_SCALE && self.side_in_finest(face) < small_face;
        let is_rolled = roll(face).abs() >= min_roll;
        is_rolled && face.score >= min_rolled_score
            || is_small && (min_small_score..refine_threshold).contains(&face.score)
    }

    /// The shorter side of a face in pixels of the finest level.
    pub(super) fn side_in_finest(&self, face: &DetectedFace) -> f32 {
        face.bounding_box.short_side() * self.scale
    }

    /// Searches the patch around a region with a name for a face of about that size.
    pub fn search_at(&self, region: &DetectedFace, roll: f32, least: f32) -> Option<DetectedFace> {
        self.pass(self.patch, region, roll, least)
    }

    /// Searches the patch around `face`, rotated so that a face of this roll (radians) is upright in it.
    /// `None` if no detection that scores `least` overlaps the expected face.
    pub(super) fn pass(
        &self,
        patch: Patch,
        face: &DetectedFace,
        roll: f32,
        least: f32,
    ) -> Option<DetectedFace> {
        let Patch { side, .. } = patch;
        let to_photo = patch.to_photo(face, roll);
        let face_side = face.bounding_box.area().sqrt() * self.scale;
        let (picture, to_picture, levels) = if face_side < SAMPLE_LEVEL_FROM {
            (self.photo, to_photo, self.levels)
        } else {
            let to_level = Affine::stretch(self.scale, self.scale);
            (self.finest, to_photo.then(&to_level), None)
        };
        let mut patch = picture.sampled(&to_picture, (side, side), SAMPLES);
        if let Some(levels) = levels {
            levels.apply(&mut patch);
        }
        let expected = face.through(&to_photo.inverse()?).bounding_box;
        let refined = self
            .network
            .candidates(&patch, least)
            .into_iter()
            .filter(|found| found.bounding_box.iou(&expected) >= MATCH_IOU)
            .max_by(|a, b| a.score.total_cmp(&b.score))?;
        Some(rotated(&refined, &to_photo))
    }
}

/// A face, moved by a rotation and a change of scale. Its box keeps its sides, swapped for a rotation nearer to 90°
/// than to 0°: the upright box around the rotated one would be too large.
pub(super) fn rotated(face: &DetectedFace, map: &Affine) -> DetectedFace {
    let (cos, sin) = (map.x[0], map.y[0]);
    let scale = cos.hypot(sin);
    let centre = map.apply(face.bounding_box.centre());
    let (across, down) = (
        face.bounding_box.width * scale,
        face.bounding_box.height * scale,
    );
    let (width, height) = if sin.abs() > cos.abs() {
        (down, across)
    } else {
        (across, down)
    };
    DetectedFace {
        bounding_box: BoundingBox {
            x: centre.x - width / 2.0,
            y: centre.y - height / 2.0,
            width,
            height,
        },
        ..face.through(map)
    }
}

/// The roll of a face by its landmarks, in radians, clockwise positive; 0 without landmarks.
pub(super) fn roll(face: &DetectedFace) -> f32 {
    face.landmarks.map_or(0.0, |l| {
        let across = l.right_eye.x + l.right_mouth.x - l.left_eye.x - l.left_mouth.x;
        let down = l.right_eye.y + l.right_mouth.y - l.left_eye.y - l.left_mouth.y;
        down.atan2(across)
    })
}

impl Patch {
    /// The map from patch to photo that puts the middle of the face at the middle of the patch, upright if
    /// its roll is `roll` radians.
    pub(super) fn to_photo(self, face: &DetectedFace, roll: f32) -> Affine {
        let scale = face.bounding_box.area().sqrt() / self.face;
        let (sin, cos) = roll.sin_cos();
        let (across, down) = (scale * cos, scale * sin);
        let centre = face.bounding_box.centre();
        let middle = self.side as f32 / 2.0;
        Affine {
            x: [across, -down, centre.x - (across - down) * middle],
            y: [down, across, centre.y - (down + across) * middle],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::{Landmarks, Point};

    #[test]
    fn the_face_is_upright_in_the_middle_of_the_patch() {
        let rotation = Affine {
            x: [0.8, -0.6, 300.0],
            y: [0.6, 0.8, 200.0],
        };
        let points = [
            (-9.0, -5.0),
            (9.0, -5.0),
            (0.0, 3.0),
            (-7.0, 12.0),
            (7.0, 12.0),
        ];
        let points = points.map(|(x, y)| rotation.apply(Point { x, y }));
        let face = DetectedFace {
            bounding_box: BoundingBox {
                x: 280.0,
                y: 180.0,
                width: 40.0,
                height: 40.0,
            },
            landmarks: Some(Landmarks::from_points(points)),
            score: 0.3,
        };
        assert!((roll(&face) - 0.6_f32.atan2(0.8)).abs() < 1e-5);
        let to_photo = FULL_RESOLUTION.to_photo(&face, roll(&face));
        let in_patch = face.through(&to_photo.inverse().unwrap());
        let centre = in_patch.bounding_box.centre();
        assert!((centre.x - 64.0).abs() < 0.01 && (centre.y - 64.0).abs() < 0.01);
        let marks = in_patch.landmarks.unwrap();
        assert!((marks.left_eye.y - marks.right_eye.y).abs() < 0.01);
        assert!(marks.right_eye.x - marks.left_eye.x > 21.0);
    }
}
