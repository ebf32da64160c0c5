//! Faces as plain data: where they are and what was read from them.
//!
//! Coordinates are pixels of the upright photo (EXIF orientation applied) at full resolution, with
//! the origin in the upper left corner of the upper left pixel.

use std::fmt;

use crate::affine::Affine;
use crate::emotion::{Emotion, EmotionScores};

/// A point in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Rightwards.
    pub x: f32,
    /// Downwards.
    pub y: f32,
}

/// An axis-aligned rectangle in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoundingBox {
    /// Left edge.
    pub x: f32,
    /// Upper edge.
    pub y: f32,
    /// Extent rightwards.
    pub width: f32,
    /// Extent downwards.
    pub height: f32,
}

/// "12,34, 56×78 px".
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
    pub fn area(&self) -> f32 {
        self.width.max(0.0) * self.height.max(0.0)
    }

    /// The shorter side in pixels: the size by which a face counts as small.
    pub fn short_side(&self) -> f32 {
        self.width.min(self.height)
    }

    /// Area that both boxes cover, in square pixels.
    pub fn intersection(&self, other: &Self) -> f32 {
        let width = (self.x + self.width).min(other.x + other.width) - self.x.max(other.x);
        let height = (self.y + self.height).min(other.y + other.height) - self.y.max(other.y);
        width.max(0.0) * height.max(0.0)
    }

    /// Its centre.
    pub fn centre(&self) -> Point {
        Point {
            x: self.x + self.width / 2.0,
            y: self.y + self.height / 2.0,
        }
    }

    /// The box around this one's corners in a picture into which `map` leads.
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

    /// Intersection over union, 0 to 1.
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

/// Five facial landmarks. Left and right are the viewer's, with the face upright.
#[derive(Debug, Clone, Copy, PartialEq)]
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

    /// Every point put through `f`.
    #[must_use]
    pub fn map(&self, f: impl FnMut(Point) -> Point) -> Self {
        Self::from_points(self.points().map(f))
    }
}

/// A face as the detector reports it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DetectedFace {
    /// Where it is.
    pub bounding_box: BoundingBox,
    /// Its landmarks; a detector may not give any.
    pub landmarks: Option<Landmarks>,
    /// The detector's confidence, 0 to 1.
    pub score: f32,
}

/// Detection score from which on a face is taken for one.
const CERTAIN: f64 = 0.85;

/// Shorter side in pixels from which on an expression is read from the photo itself: the side of
/// the network's input, to which smaller faces are blown up.
const LEGIBLE: f64 = 48.0;

impl DetectedFace {
    /// An emotion's probability as a photo's score counts it: times the detection score over 0.85,
    /// times the shorter side over 48 pixels, neither counted beyond 1. The score of a clear face is
    /// the probability itself.
    pub fn weighted(&self, probability: f32) -> f64 {
        f64::from(probability)
            * (f64::from(self.score) / CERTAIN).min(1.0)
            * (f64::from(self.bounding_box.short_side()) / LEGIBLE).min(1.0)
    }

    /// The face in a picture into which `map` leads. The box becomes the one around its corners.
    #[must_use]
    pub fn through(&self, map: &Affine) -> Self {
        Self {
            bounding_box: self.bounding_box.through(map),
            landmarks: self.landmarks.map(|l| l.map(|point| map.apply(point))),
            score: self.score,
        }
    }
}

/// What a person says of a face; it holds whatever a model says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Correction {
    /// It shows this emotion.
    Emotion(Emotion),
    /// It is no face.
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

/// A face with what the classifier read from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoredFace {
    /// The face as detected.
    pub face: DetectedFace,
    /// Probabilities of the emotions.
    pub scores: EmotionScores,
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
    fn iou_of_halves() {
        let a = square(0.0, 0.0, 2.0);
        assert!((a.iou(&a) - 1.0).abs() < 1e-6);
        assert!((a.iou(&square(1.0, 0.0, 2.0)) - 1.0 / 3.0).abs() < 1e-6);
        assert!(a.iou(&square(5.0, 5.0, 2.0)).abs() < 1e-6);
        assert!(square(0.0, 0.0, 0.0).iou(&square(0.0, 0.0, 0.0)).abs() < 1e-6);
    }
    #[test]
    fn a_turned_face_keeps_a_box_around_it() {
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
        // A quarter to the right in a picture ten high: (x, y) comes to (10 - y, x).
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
