//! Classifies the apparent emotion of a face.

mod blend;
mod cnn;
mod crop;
mod input;

pub use blend::{blend, softmax};
pub use cnn::{BUILT_IN, Cnn};
pub use crop::{FRAME_BOX, FRAME_LANDMARKS, crop_face, crop_framed, frame_of};
pub use input::{check as check_input, input};

use crate::emotion::EmotionScores;
use crate::features::Features;

/// The network's input for a face: 48 × 48 grey values, 0 to 255, row by row.
pub type FaceCrop = [f32; FACE_SIDE * FACE_SIDE];

/// Side of a [`FaceCrop`] in pixels, equal to that of FER2013's faces.
pub const FACE_SIDE: usize = 48;

/// A model's results for a face.
#[derive(Debug, Clone, PartialEq)]
pub struct Classification {
    /// The emotion scores.
    pub scores: EmotionScores,
    /// The features from which the model computed them.
    pub features: Features,
}

/// A model that gives emotion scores to faces.
pub trait EmotionClassifier: Send + Sync {
    /// Name and version of the model; the database stores it with every face that the model scored.
    fn model(&self) -> &str;

    /// Scores and features of each face, in the order of `faces`.
    fn infer(&self, faces: &[FaceCrop]) -> Vec<Classification>;

    /// Emotion scores of each face, in the order of `faces`.
    fn classify(&self, faces: &[FaceCrop]) -> Vec<EmotionScores> {
        let classifications = self.infer(faces).into_iter();
        classifications
            .map(|classification| classification.scores)
            .collect()
    }
}
