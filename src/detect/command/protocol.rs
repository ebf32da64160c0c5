//! The messages of the detector protocol, which `docs/detector-protocol.md` specifies.

use serde::{Deserialize, Serialize};

use crate::face::{BoundingBox, DetectedFace, Landmarks, Point};

/// The version of the protocol that fer-index speaks.
pub(super) const VERSION: u32 = 1;

/// The first line of a program.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Hello {
    /// The version of the protocol that the program speaks.
    pub fer_index_detector: u32,
    /// Name and version of its model, stored with its results.
    pub model: String,
    /// Most pixels of a picture that it accepts.
    pub max_pixels: Option<u32>,
}

/// The line before a picture's pixels.
#[derive(Debug, Serialize)]
pub(super) struct Request {
    pub width: u32,
    pub height: u32,
    /// Number of bytes that follow the line: red, green, blue for each pixel, row by row.
    pub bytes: usize,
}

/// A program's answer to a [`Request`].
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Answer {
    Faces { faces: Vec<Face> },
    Error { error: String },
}

/// A face in an answer, in pixels of the picture that was sent.
#[derive(Debug, Deserialize)]
pub(super) struct Face {
    r#box: [f32; 4],
    score: f32,
    landmarks: Option<[[f32; 2]; 5]>,
}

impl Face {
    /// The face; `None` if a number is not finite, a side not positive, or the score not from 0 to 1.
    pub fn checked(&self) -> Option<DetectedFace> {
        let [x, y, width, height] = self.r#box;
        let points = self.landmarks.iter().flatten().flatten();
        let are_numbers = self.r#box.iter().chain(points).all(|v| v.is_finite());
        let fits = width > 0.0 && height > 0.0 && (0.0..=1.0).contains(&self.score);
        (are_numbers && fits).then(|| DetectedFace {
            bounding_box: BoundingBox {
                x,
                y,
                width,
                height,
            },
            landmarks: self
                .landmarks
                .map(|points| Landmarks::from_points(points.map(|[x, y]| Point { x, y }))),
            score: self.score,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faces(line: &str) -> Vec<Option<DetectedFace>> {
        match serde_json::from_str(line).unwrap() {
            Answer::Faces { faces } => faces.iter().map(Face::checked).collect(),
            Answer::Error { error } => panic!("{error}"),
        }
    }

    #[test]
    fn faces_with_an_invalid_box_or_score_are_rejected() {
        let found = faces(
            r#"{"faces":[{"box":[1,2,3,4],"score":0.5},
                         {"box":[1,2,-3,4],"score":0.5},
                         {"box":[1,2,3,4],"score":1.5},
                         {"box":[1,2,3,1e39],"score":0.5},
                         {"box":[1,2,3,4],"score":1,"landmarks":[[1,2],[3,4],[5,6],[7,8],[9,10]]}]}"#,
        );
        let valid: Vec<_> = found.iter().map(Option::is_some).collect();
        assert_eq!(valid, [true, false, false, false, true]);
        let landmarks = found[4].unwrap().landmarks.unwrap();
        assert_eq!(landmarks.nose, Point { x: 5.0, y: 6.0 });
    }
}
