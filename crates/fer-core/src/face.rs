//! Plain data about faces: bounding boxes, landmarks, scores and corrections.
//!
//! Coordinates are pixels of the upright photo (EXIF orientation applied) at full resolution, with
//! the origin in the upper left corner of the upper left pixel.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::affine::Affine;
pub use crate::affine::Point;
use crate::emotion::{Emotion, EmotionScores};
use crate::features::Features;

/// An axis-aligned rectangle in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BoundingBox {
    /// Left edge.
    pub x: f32,
    /// Upper edge.
    pub y: f32,
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
}

/// Writes position and size in whole pixels: "12,34, 56×78 px".
impl fmt::Display for BoundingBox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            x,
            y,
            width,
            height,
        } = self;
        write!(f, "{x:.0},{y:.0}, {width:.0}×{height:.0} px")
    }
}

impl BoundingBox {
    /// Area in square pixels; zero for an empty box.
    #[inline]
    pub fn area(&self) -> f32 {
        self.width.max(0.0) * self.height.max(0.0)
    }

    /// The shorter side in pixels; filters and scores take it as the size of a face.
    #[inline]
    pub fn short_side(&self) -> f32 {
        self.width.min(self.height)
    }

    /// The area that both boxes cover, in square pixels.
    #[inline]
    pub fn intersection(&self, other: &Self) -> f32 {
        let width = (self.x + self.width).min(other.x + other.width) - self.x.max(other.x);
        let height = (self.y + self.height).min(other.y + other.height) - self.y.max(other.y);
        width.max(0.0) * height.max(0.0)
    }

    /// The centre of the box.
    #[inline]
    pub fn centre(&self) -> Point {
        Point {
            x: self.x + self.width / 2.0,
            y: self.y + self.height / 2.0,
        }
    }

    /// The bounding box of this box's corners after `map`.
    fn through(&self, map: &Affine) -> Self {
        let corners = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)].map(|(across, down)| {
            map.apply(Point {
                x: self.x + across * self.width,
                y: self.y + down * self.height,
            })
        });
        let span = |values: [f32; 4]| {
            let least = values.into_iter().fold(f32::INFINITY, f32::min);
            let most = values.into_iter().fold(f32::NEG_INFINITY, f32::max);
            (least, most - least)
        };
        let (x, width) = span(corners.map(|corner| corner.x));
        let (y, height) = span(corners.map(|corner| corner.y));
        Self {
            x,
            y,
            width,
            height,
        }
    }

    /// Intersection over union, 0 to 1; 0 if both boxes are empty.
    #[inline]
    pub fn iou(&self, other: &Self) -> f32 {
        let intersection = self.intersection(other);
        let union = self.area() + other.area() - intersection;
        if union > 0.0 {
            intersection / union
        } else {
            0.0
        }
    }
}

/// Five facial landmarks. Left and right are those of a viewer who sees the face upright.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Landmarks {
    /// Centre of the eye on the left.
    pub left_eye: Point,
    /// Centre of the eye on the right.
    pub right_eye: Point,
    /// Tip of the nose.
    pub nose: Point,
    /// Corner of the mouth on the left.
    pub left_mouth: Point,
    /// Corner of the mouth on the right.
    pub right_mouth: Point,
}

impl Landmarks {
    /// The points in the order left eye, right eye, nose, left and right mouth corner.
    pub const fn points(&self) -> [Point; 5] {
        [
            self.left_eye,
            self.right_eye,
            self.nose,
            self.left_mouth,
            self.right_mouth,
        ]
    }

    /// The inverse of [`Landmarks::points`].
    pub const fn from_points(p: [Point; 5]) -> Self {
        Self {
            left_eye: p[0],
            right_eye: p[1],
            nose: p[2],
            left_mouth: p[3],
            right_mouth: p[4],
        }
    }

    /// The landmarks with `f` applied to each point.
    #[must_use]
    pub fn map(&self, f: impl FnMut(Point) -> Point) -> Self {
        Self::from_points(self.points().map(f))
    }
}

/// A face that the detector found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DetectedFace {
    /// Its bounding box.
    pub bounding_box: BoundingBox,
    /// Its landmarks; some detectors give none.
    pub landmarks: Option<Landmarks>,
    /// Detection score, 0 to 1.
    pub score: f32,
}

/// Least detection score at which a face counts as certain.
const CERTAIN_SCORE: f64 = 0.85;

/// Least shorter side, in pixels, at which a face has all the detail that the network uses: the side of the network's
/// input, to which smaller faces are enlarged.
const FULL_DETAIL_SIDE: f64 = 48.0;

impl DetectedFace {
    /// The weighted score of an emotion: its probability × the detection score / 0.85 × the shorter side / 48 pixels,
    /// where each quotient counts as at most 1. Photos are ranked by it. For a certain face of at least 48 pixels it is
    /// the probability itself.
    pub fn weighted(&self, probability: f32) -> f64 {
        f64::from(probability)
            * (f64::from(self.score) / CERTAIN_SCORE).min(1.0)
            * (f64::from(self.bounding_box.short_side()) / FULL_DETAIL_SIDE).min(1.0)
    }

    /// The face with its coordinates mapped by `map`. The new box is the bounding box of the old one's mapped corners.
    #[must_use]
    pub fn through(&self, map: &Affine) -> Self {
        Self {
            bounding_box: self.bounding_box.through(map),
            landmarks: self.landmarks.map(|l| l.map(|point| map.apply(point))),
            score: self.score,
        }
    }
}

/// A person's correction of a face, which takes precedence over every model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Correction {
    /// The face shows this emotion.
    Emotion(Emotion),
    /// The box contains no face.
    NotAFace,
}

impl Correction {
    /// The emotion's name, or "not a face".
    pub const fn name(self) -> &'static str {
        match self {
            Self::Emotion(emotion) => emotion.name(),
            Self::NotAFace => "not a face",
        }
    }
}

/// A face with its emotion scores.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoredFace {
    /// The detected face.
    pub face: DetectedFace,
    /// Its emotion scores.
    pub scores: EmotionScores,
    /// Its features; `None` if a version that did not store features classified it.
    pub features: Option<Features>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(x: f32, y: f32, side: f32) -> BoundingBox {
        BoundingBox {
            x,
            y,
            width: side,
            height: side,
        }
    }

    #[test]
    fn doubtful_and_small_faces_weigh_less() {
        let weighted = |score, side| {
            let face = DetectedFace {
                bounding_box: square(0.0, 0.0, side),
                landmarks: None,
                score,
            };
            face.weighted(0.8)
        };
        let near = |a: f64, b: f64| (a - b).abs() < 1e-6;
        assert!(near(weighted(0.85, 48.0), 0.8) && near(weighted(0.99, 900.0), 0.8));
        assert!(near(weighted(0.9, 24.0), 0.4));
        assert!(near(weighted(0.68, 100.0), 0.64));
        assert!(near(weighted(0.68, 24.0), 0.32));
    }

    #[test]
    fn iou_of_equal_overlapping_and_empty_boxes() {
        let a = square(0.0, 0.0, 2.0);
        assert!((a.iou(&a) - 1.0).abs() < 1e-6);
        assert!((a.iou(&square(1.0, 0.0, 2.0)) - 1.0 / 3.0).abs() < 1e-6);
        assert!(a.iou(&square(5.0, 5.0, 2.0)).abs() < 1e-6);
        assert!(square(0.0, 0.0, 0.0).iou(&square(0.0, 0.0, 0.0)).abs() < 1e-6);
    }

    #[test]
    fn the_box_of_a_rotated_face_encloses_its_corners() {
        let face = DetectedFace {
            bounding_box: BoundingBox {
                x: 1.0,
                y: 2.0,
                width: 3.0,
                height: 4.0,
            },
            landmarks: Some(Landmarks::from_points([Point { x: 2.0, y: 3.0 }; 5])),
            score: 0.5,
        };
        // A quarter turn clockwise of a picture ten pixels high: (x, y) moves to (10 - y, x).
        let turn = Affine {
            x: [0.0, -1.0, 10.0],
            y: [1.0, 0.0, 0.0],
        };
        let turned = face.through(&turn);
        let expected = BoundingBox {
            x: 4.0,
            y: 1.0,
            width: 4.0,
            height: 3.0,
        };
        assert_eq!(turned.bounding_box, expected);
        assert_eq!(turned.landmarks.unwrap().nose, Point { x: 7.0, y: 2.0 });
    }
}
