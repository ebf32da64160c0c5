//! Defines the faces of photos as the index has them: what the models found, and what a person said of them.

use crate::emotion::{Emotion, EmotionScores};
use crate::face::{Correction, DetectedFace, ScoredFace};
use crate::features::Features;

use super::record::FaceId;

/// A face as the index stores it, with its ID.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StoredFace {
    /// The ID.
    pub id: FaceId,
    /// The face as detected.
    pub face: DetectedFace,
    /// The scores in force: the network's own, or those by the personal layers.
    pub scores: EmotionScores,
    /// The network's own scores, if `scores` are those by the personal layers.
    pub network: Option<EmotionScores>,
    /// A person's correction of it.
    pub correction: Option<Correction>,
}

impl StoredFace {
    /// The emotion that the face shows most; `None` if it does not count as a face.
    pub fn top(&self) -> Option<Emotion> {
        match self.correction {
            None => self.scores.is_human().then(|| self.scores.top().0),
            Some(Correction::Emotion(emotion)) => Some(emotion),
            Some(Correction::NotAFace) => None,
        }
    }

    /// Whether the face counts in a query with these minima for the detection score and for the shorter side in pixels. A
    /// person's correction takes precedence over both, and over the human score.
    pub fn counts(&self, min_detection: f32, min_size: f32) -> bool {
        match self.correction {
            Some(Correction::NotAFace) => false,
            Some(Correction::Emotion(_)) => true,
            None => {
                self.scores.is_human()
                    && self.face.score >= min_detection
                    && self.face.bounding_box.short_side() >= min_size
            }
        }
    }

    /// Whether it counts as a face: by a person's correction, or else by the human score.
    pub fn is_face(&self) -> bool {
        self.judged().is_face()
    }

    /// The score of the face for `emotion`: its probability, weighted as [`DetectedFace::weighted`]
    /// describes. It is 1 or 0 if a person has said what the face shows, and `None` if it does not count as a face.
    pub fn score(&self, emotion: Emotion) -> Option<f64> {
        self.judged().score(emotion)
    }

    /// The network's own scores.
    pub fn network_scores(&self) -> EmotionScores {
        self.network.unwrap_or(self.scores)
    }

    /// The face as the models analysed it; its features are in a table of their own.
    pub(super) fn read(&self, features: Option<Features>) -> ScoredFace {
        ScoredFace {
            face: self.face,
            scores: self.network_scores(),
            features,
        }
    }

    /// The face without its ID and the network's scores.
    pub(super) const fn judged(&self) -> JudgedFace {
        JudgedFace {
            face: self.face,
            scores: self.scores,
            correction: self.correction,
        }
    }
}

/// A face as it is ranked: the models' result together with a person's correction, which takes
/// precedence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct JudgedFace {
    pub face: DetectedFace,
    pub scores: EmotionScores,
    pub correction: Option<Correction>,
}

impl JudgedFace {
    /// See [`StoredFace::is_face`].
    pub fn is_face(&self) -> bool {
        match self.correction {
            None => self.scores.is_human(),
            Some(correction) => correction != Correction::NotAFace,
        }
    }

    /// See [`StoredFace::score`].
    pub fn score(&self, emotion: Emotion) -> Option<f64> {
        match self.correction {
            None => self
                .is_face()
                .then(|| self.face.weighted(self.scores[emotion])),
            Some(Correction::Emotion(stated)) => Some(f64::from(u8::from(stated == emotion))),
            Some(Correction::NotAFace) => None,
        }
    }
}
