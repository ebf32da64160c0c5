//! A second look at doubtful faces: those too small in the copy, with the photo's own pixels, and
//! those that are rolled, turned upright.

use image::{Rgb, RgbImage};

use super::{DetectorParams, Yunet};
use crate::affine::Affine;
use crate::face::{BoundingBox, DetectedFace};
use crate::raster::Raster;
use crate::sample::sample;

/// A square that is cut out and looked at.
#[derive(Debug, Clone, Copy)]
struct Patch {
    /// Its side in pixels: a multiple of the network's grid.
    side: u32,
    /// The side of the face in its middle (square root of the box's area): a size at which the network
    /// is at its best.
    face: f32,
}

/// Where the photo has more pixels than the copies: with more around it the network sees one face in
/// forty more.
const FINER: Patch = Patch {
    side: 128,
    face: 58.0,
};

/// Where it has no more: there the network would see more faces where there are none.
const SAME_PIXELS: Patch = Patch {
    side: 96,
    face: 48.0,
};

/// Share of the photo's size from which on a copy is as good as the photo.
const FINE_ENOUGH: f32 = 0.8;

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
    patch: Patch,
}

impl<'a> SecondLook<'a> {
    pub fn new(
        network: &'a Yunet,
        params: &'a DetectorParams,
        photo: &'a Raster,
        copy: &'a Raster,
    ) -> Self {
        let share = copy.width() as f32 / photo.width() as f32;
        Self {
            network,
            params,
            photo,
            copy,
            share,
            patch: if share < FINE_ENOUGH {
                FINER
            } else {
                SAME_PIXELS
            },
        }
    }

    /// The faces, best first, as they are after a second look at those that are worth it.
    pub fn at(&self, mut faces: Vec<DetectedFace>) -> Vec<DetectedFace> {
        let most = self.params.max_looks;
        let doubtful = faces.iter_mut().filter(|face| self.is_worth(face));
        for face in doubtful.take(most) {
            let enough = face.score.min(self.params.certainty);
            let seen = self.look(face, roll(face));
            if let Some(seen) = seen.filter(|seen| seen.score > enough) {
                *face = DetectedFace {
                    score: seen.score.max(face.score),
                    ..seen
                };
            }
        }
        let is_found = self.params.threshold..self.params.upright;
        let found = faces
            .iter_mut()
            .filter(|face| is_found.contains(&face.score));
        for face in found.take(most / TURNS.len()) {
            let turns = TURNS.map(|degrees| roll(face) + degrees.to_radians());
            let best = turns
                .into_iter()
                .filter_map(|roll| self.look(face, roll))
                .max_by(|a, b| a.score.total_cmp(&b.score));
            if let Some(seen) = best.filter(|seen| seen.score > face.score + TURNED_MARGIN) {
                *face = seen;
            }
        }
        faces
    }

    /// Whether a face could gain: it is doubtful and small in the finest copy, and the photo has more
    /// pixels of it; or it is rolled, which leaves even a certain face's landmarks astray.
    fn is_worth(&self, face: &DetectedFace) -> bool {
        let DetectorParams {
            doubt,
            doubt_of_small,
            certainty,
            small_face,
            ..
        } = *self.params;
        let is_small =
            self.share < FINE_ENOUGH && face.bounding_box.short_side() * self.share < small_face;
        let is_rolled = roll(face).abs() >= self.params.roll;
        is_rolled && face.score >= doubt
            || is_small && (doubt_of_small..certainty).contains(&face.score)
    }

    /// The face as a second look shows it that is rolled by as much, if it does.
    fn look(&self, face: &DetectedFace, roll: f32) -> Option<DetectedFace> {
        let Patch { side, .. } = self.patch;
        let to_photo = self.patch.to_photo(face, roll);
        let (picture, to_picture) = if face.bounding_box.area().sqrt() * self.share < FROM_COPY {
            (self.photo, to_photo)
        } else {
            let to_copy = Affine::stretch(self.share, self.share);
            (self.copy, to_photo.then(&to_copy))
        };
        let to_stored = to_picture.then(&picture.upright_to_stored());
        let mut patch = RgbImage::new(side, side);
        let values = sample(picture.stored(), &to_stored, (side, side), SAMPLES);
        for (pixel, value) in patch.pixels_mut().zip(values) {
            *pixel = Rgb(value.map(|v| (v + 0.5) as u8));
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

impl Patch {
    /// The map from the patch, in which a face that is rolled by as much stands upright in the middle, to
    /// the photo.
    fn to_photo(self, face: &DetectedFace, roll: f32) -> Affine {
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
        let seen = face.through(&FINER.to_photo(&face, roll(&face)).inverse().unwrap());
        let centre = seen.bounding_box.centre();
        assert!((centre.x - 64.0).abs() < 0.01 && (centre.y - 64.0).abs() < 0.01);
        let marks = seen.landmarks.unwrap();
        assert!((marks.left_eye.y - marks.right_eye.y).abs() < 0.01);
        assert!(marks.right_eye.x - marks.left_eye.x > 21.0);
    }
}
