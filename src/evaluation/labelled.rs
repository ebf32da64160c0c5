//! Labelled boxes of faces, with the eyes and the emotion that they should have.

use serde::Serialize;

use crate::emotion::Emotion;
use crate::face::{BoundingBox, Point, ScoredFace};

/// An eye is right within this share of the labelled face's width.
const EYE: f32 = 0.06;

/// A labelled face.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LabelledBox {
    pub at: BoundingBox,
    /// Empty if the labels have no kinds.
    pub kind: String,
    /// The eye on the left and the one on the right of a viewer who sees the face upright.
    pub eyes: Option<[Point; 2]>,
    pub emotion: Option<Emotion>,
}

/// How many labelled faces have the eyes and the emotion of their labels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct MarkFigures {
    /// Labelled faces, found or not.
    pub faces: usize,
    /// Those with both eyes within 6 % of the face's width.
    pub eyes: usize,
    /// Those whose highest score is that of the labelled emotion.
    pub emotion: usize,
}

impl LabelledBox {
    /// Whether the label says more than where the face is.
    pub fn is_marked(&self) -> bool {
        self.eyes.is_some()
    }

    /// Counts the face that was found here.
    pub fn compare(&self, face: Option<&ScoredFace>, figures: &mut MarkFigures) {
        figures.faces += 1;
        let Some(face) = face else { return };
        figures.eyes += usize::from(self.has_its_eyes(face));
        figures.emotion += usize::from(self.emotion == Some(face.scores.top().0));
    }

    fn has_its_eyes(&self, face: &ScoredFace) -> bool {
        let (Some(expected), Some(found)) = (self.eyes, face.face.landmarks) else {
            return false;
        };
        // A face on its side has its width down the picture, and is longer than wide.
        let most = EYE * self.at.short_side();
        let pairs = expected.into_iter().zip([found.left_eye, found.right_eye]);
        pairs
            .into_iter()
            .all(|(a, b)| (a.x - b.x).hypot(a.y - b.y) <= most)
    }
}

/// Where a table has the positions of the eyes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct MarkColumns(pub [usize; 4]);

impl MarkColumns {
    /// Their titles.
    pub const TITLES: [&str; 4] = ["left_eye_x", "left_eye_y", "right_eye_x", "right_eye_y"];

    /// The eyes of a row, of which `number` reads a cell.
    pub fn read<E>(&self, number: impl Fn(usize) -> Result<f32, E>) -> Result<[Point; 2], E> {
        let [a, b, c, d] = self.0;
        let point = |x, y| -> Result<Point, E> {
            Ok(Point {
                x: number(x)?,
                y: number(y)?,
            })
        };
        Ok([point(a, b)?, point(c, d)?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emotion::EmotionScores;
    use crate::face::{DetectedFace, Landmarks};

    #[test]
    fn eyes_and_emotions_of_found_faces_are_compared() {
        let at = |x, y| Point { x, y };
        let label = LabelledBox {
            at: BoundingBox {
                x: 0.0,
                y: 0.0,
                width: 130.0,
                height: 100.0,
            },
            kind: String::new(),
            eyes: Some([at(40.0, 30.0), at(40.0, 70.0)]),
            emotion: Some(Emotion::Happy),
        };
        let face = |eye: Point, top: Emotion| {
            let mut scores = [0.0; Emotion::COUNT];
            scores[top.index()] = 1.0;
            ScoredFace {
                face: DetectedFace {
                    bounding_box: label.at,
                    landmarks: Some(Landmarks::from_points([
                        at(40.0, 30.0),
                        eye,
                        at(60.0, 50.0),
                        at(80.0, 40.0),
                        at(80.0, 60.0),
                    ])),
                    score: 0.9,
                },
                scores: EmotionScores::new(scores),
                features: None,
            }
        };
        let mut figures = MarkFigures::default();
        let near = face(at(44.0, 74.0), Emotion::Happy);
        let far = face(at(40.0, 77.0), Emotion::Sad);
        for found in [Some(&near), Some(&far), None] {
            label.compare(found, &mut figures);
        }
        let expected = MarkFigures {
            faces: 3,
            eyes: 1,
            emotion: 1,
        };
        assert_eq!(figures, expected);
    }
}
