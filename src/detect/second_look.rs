//! A second look at doubtful faces: those too small in the copy, with the photo's own pixels, and
//! those that are rolled, turned upright.

use image::{Rgb, RgbImage};

use super::{DetectorParams, Yunet};
use crate::affine::Affine;
use crate::face::{BoundingBox, DetectedFace};
use crate::raster::Raster;
use crate::sample::sample;

/// Side of the patch that is looked at: a multiple of the network's grid.
const PATCH: u32 = 96;

/// Side of the face in the patch (square root of its box's area): a size at which the network is at
/// its best, with half as much around the face again on either side.
const FACE: f32 = 48.0;

/// Side of a face in the finest copy from which on the patch is cut out of that copy: it has pixels
/// enough there, and fewer to go through than in the photo.
const FROM_COPY: f32 = 40.0;

/// Most samples along a side of a patch's pixel: the copy takes over before more would be needed.
const SAMPLES: u32 = 2;

/// Least intersection over union of what is seen in the patch with the face that was expected there.
const SAME: f32 = 0.3;

/// Directions in which a face is looked at that may be rolled otherwise than its landmarks say, in
/// degrees: of a face on its side the network sees something, and draws an upright one.
const TURNS: [f32; 4] = [-90.0, -45.0, 45.0, 90.0];

/// By how much what is seen turned must outscore what is seen as it stands.
pub(super) const TURNED_MARGIN: f32 = 0.02;

/// Second looks at one photo.
pub(super) struct SecondLook<'a> {
    network: &'a Yunet,
    params: &'a DetectorParams,
    photo: &'a Raster,
    /// The finest copy that was looked at.
    copy: &'a Raster,
    /// Its size as a share of the photo's.
    share: f32,
}

impl<'a> SecondLook<'a> {
    pub fn new(
        network: &'a Yunet,
        params: &'a DetectorParams,
        photo: &'a Raster,
        copy: &'a Raster,
    ) -> Self {
        Self {
            network,
            params,
            photo,
            copy,
            share: copy.width() as f32 / photo.width() as f32,
        }
    }

    /// The faces, as they are after a second look at those that are worth it.
    pub fn at(&self, faces: Vec<DetectedFace>) -> Vec<DetectedFace> {
        let mut left = self.params.max_looks;
        let mut look = |face: &DetectedFace, roll: f32| {
            left = left.checked_sub(1)?;
            self.look(face, roll)
        };
        let again = |mut face: DetectedFace| {
            if self.is_worth(&face) {
                let enough = face.score.min(self.params.certainty);
                let seen = look(&face, roll(&face)).filter(|seen| seen.score > enough);
                face = seen.map_or(face, |seen| DetectedFace {
                    score: seen.score.max(face.score),
                    ..seen
                });
            }
            if (self.params.threshold..self.params.upright).contains(&face.score) {
                let turns = TURNS.map(|degrees| roll(&face) + degrees.to_radians());
                let best = turns
                    .into_iter()
                    .filter_map(|roll| look(&face, roll))
                    .max_by(|a, b| a.score.total_cmp(&b.score));
                face = best
                    .filter(|seen| seen.score > face.score + TURNED_MARGIN)
                    .unwrap_or(face);
            }
            face
        };
        faces.into_iter().map(again).collect()
    }

    /// Whether a face could gain: it is doubtful and small in the finest copy, and the photo has more
    /// pixels of it; or it is rolled, which leaves even a certain face's landmarks astray.
    fn is_worth(&self, face: &DetectedFace) -> bool {
        let DetectorParams {
            doubt,
            certainty,
            small_face,
            ..
        } = *self.params;
        let is_small = self.share < 0.8 && face.bounding_box.short_side() * self.share < small_face;
        let is_rolled = roll(face).abs() >= self.params.roll;
        face.score >= doubt && (is_rolled || is_small && face.score < certainty)
    }

    /// The face as a second look shows it that is rolled by as much, if it does.
    fn look(&self, face: &DetectedFace, roll: f32) -> Option<DetectedFace> {
        let to_photo = patch_to_photo(face, roll);
        let (picture, to_picture) = if face.bounding_box.area().sqrt() * self.share < FROM_COPY {
            (self.photo, to_photo)
        } else {
            let to_copy = Affine::stretch(self.share, self.share);
            (self.copy, to_photo.then(&to_copy))
        };
        let to_stored = to_picture.then(&picture.upright_to_stored());
        let mut patch = RgbImage::new(PATCH, PATCH);
        let values = sample(picture.stored(), &to_stored, (PATCH, PATCH), SAMPLES);
        for (pixel, value) in patch.pixels_mut().zip(values) {
            *pixel = Rgb(value.map(|v| v.round() as u8));
        }
        let expected = face.through(&to_photo.inverse()?).bounding_box;
        let seen = self
            .network
            .candidates(&patch, self.params.second_threshold)
            .into_iter()
            .filter(|seen| seen.bounding_box.iou(&expected) >= SAME)
            .max_by(|a, b| a.score.total_cmp(&b.score))?;
        // The box stands or lies in the photo too: that around a rolled one would be too large.
        let scale = to_photo.x[0].hypot(to_photo.y[0]);
        let centre = to_photo.apply(seen.bounding_box.centre());
        let (across, down) = (
            seen.bounding_box.width * scale,
            seen.bounding_box.height * scale,
        );
        let lies = roll.sin().abs() > roll.cos().abs();
        let (width, height) = if lies { (down, across) } else { (across, down) };
        Some(DetectedFace {
            bounding_box: BoundingBox {
                x: centre.x - width / 2.0,
                y: centre.y - height / 2.0,
                width,
                height,
            },
            ..seen.through(&to_photo)
        })
    }
}

/// How far a face is rolled, in radians, clockwise positive.
fn roll(face: &DetectedFace) -> f32 {
    face.landmarks.map_or(0.0, |l| {
        let across = l.right_eye.x + l.right_mouth.x - l.left_eye.x - l.left_mouth.x;
        let down = l.right_eye.y + l.right_mouth.y - l.left_eye.y - l.left_mouth.y;
        down.atan2(across)
    })
}

/// The map from a patch, in which a face that is rolled by as much stands upright in the middle, to
/// the photo.
fn patch_to_photo(face: &DetectedFace, roll: f32) -> Affine {
    let scale = face.bounding_box.area().sqrt() / FACE;
    let (sin, cos) = roll.sin_cos();
    let (across, down) = (scale * cos, scale * sin);
    let centre = face.bounding_box.centre();
    let middle = PATCH as f32 / 2.0;
    Affine {
        x: [across, -down, centre.x - (across - down) * middle],
        y: [down, across, centre.y - (down + across) * middle],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::{Landmarks, Point};

    #[test]
    fn a_patch_holds_the_face_upright_in_its_middle() {
        let turn = Affine {
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
        let points = points.map(|(x, y)| turn.apply(Point { x, y }));
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
        let seen = face.through(&patch_to_photo(&face, roll(&face)).inverse().unwrap());
        let centre = seen.bounding_box.centre();
        assert!((centre.x - 48.0).abs() < 0.01 && (centre.y - 48.0).abs() < 0.01);
        let marks = seen.landmarks.unwrap();
        assert!((marks.left_eye.y - marks.right_eye.y).abs() < 0.01);
        assert!(marks.right_eye.x - marks.left_eye.x > 18.0);
    }
}
