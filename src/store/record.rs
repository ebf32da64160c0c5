//! What goes into the database and comes out of it.

use std::fmt;
use std::path::PathBuf;

use jiff::Timestamp;

use crate::emotion::{Emotion, EmotionScores};
use crate::error::{Skip, SkipReason};
use crate::face::{BoundingBox, Correction, DetectedFace, ScoredFace};
use crate::file::FileMeta;
use crate::photo::{Capture, ContentHash};

/// A photo's number; it stays the same while the photo is known and is never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PhotoId(pub i64);

impl fmt::Display for PhotoId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A face's number; a face found again in the same place keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FaceId(pub i64);

impl fmt::Display for FaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The names of the models that look at a photo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Models {
    /// What finds the faces.
    pub detector: String,
    /// What reads their emotions.
    pub classifier: String,
}

/// A photo to be stored under its content.
#[derive(Debug, Clone, PartialEq)]
pub struct PhotoRecord {
    /// The content.
    pub hash: ContentHash,
    /// Its length.
    pub bytes: u64,
    /// What was found, or why the content could not be looked at.
    pub content: Result<Scan<ScoredFace>, Skip>,
}

/// What looking at a photo brought: [`ScoredFace`]s on the way in, [`StoredFace`]s on the way out.
#[derive(Debug, Clone, PartialEq)]
pub struct Scan<Face> {
    /// Name of the file format.
    pub format: String,
    /// Pixels across, upright.
    pub width: u32,
    /// Pixels down, upright.
    pub height: u32,
    /// How it was taken. Times are kept to the millisecond.
    pub capture: Capture,
    /// By what the faces were found and read.
    pub models: Models,
    /// The faces, in the detector's order.
    pub faces: Vec<Face>,
    /// Faces too small to be read, in the detector's order. A query's answer leaves them out.
    pub unread: Vec<DetectedFace>,
}

/// A face with the number under which it can be named.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StoredFace {
    /// The number.
    pub id: FaceId,
    /// The face as detected.
    pub face: DetectedFace,
    /// Probabilities of the emotions, as the model read them.
    pub scores: EmotionScores,
    /// What a person says of it.
    pub correction: Option<Correction>,
}

impl StoredFace {
    /// What it shows most; `None` where a person said that it is no face.
    pub fn top(&self) -> Option<Emotion> {
        match self.correction {
            None => Some(self.scores.top().0),
            Some(Correction::Emotion(said)) => Some(said),
            Some(Correction::NotAFace) => None,
        }
    }

    /// Whether it counts in a question that asks for so much: a person's word on it goes before the
    /// detector's confidence and before its size in pixels.
    pub fn counts(&self, min_detection: f32, min_size: f32) -> bool {
        match self.correction {
            Some(Correction::NotAFace) => false,
            Some(Correction::Emotion(_)) => true,
            None => {
                self.face.score >= min_detection && self.face.bounding_box.short_side() >= min_size
            }
        }
    }

    /// By how much the face shows `emotion`: its probability, weighted as
    /// [`DetectedFace::weighted`] says; 1 or 0 where a person has said what it shows, `None` where
    /// they said that it is no face.
    pub fn score(&self, emotion: Emotion) -> Option<f64> {
        self.judged().score(emotion)
    }

    /// The face without its number.
    pub(super) const fn judged(&self) -> JudgedFace {
        JudgedFace {
            read: ScoredFace {
                face: self.face,
                scores: self.scores,
            },
            correction: self.correction,
        }
    }
}

/// What ranks a face: what the models read, and what a person says of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct JudgedFace {
    pub read: ScoredFace,
    pub correction: Option<Correction>,
}

impl JudgedFace {
    /// Whether it is one, as far as anybody said.
    pub fn is_face(&self) -> bool {
        self.correction != Some(Correction::NotAFace)
    }

    /// See [`StoredFace::score`].
    pub fn score(&self, emotion: Emotion) -> Option<f64> {
        match self.correction {
            None => Some(self.read.face.weighted(self.read.scores[emotion])),
            Some(Correction::Emotion(said)) => Some(f64::from(u8::from(said == emotion))),
            Some(Correction::NotAFace) => None,
        }
    }
}

/// A correction as it is stored, and the box for which it holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct StoredCorrection {
    pub id: i64,
    pub at: BoundingBox,
    pub correction: Correction,
}

/// Everything that is known of a photo.
#[derive(Debug, Clone, PartialEq)]
pub struct Photo {
    /// Its number.
    pub id: PhotoId,
    /// Its content.
    pub hash: ContentHash,
    /// Length of the content.
    pub bytes: u64,
    /// When it was last looked at.
    pub indexed_at: Timestamp,
    /// Where it lies, sorted by the bytes of the path; may be nowhere.
    pub paths: Vec<PathBuf>,
    /// What was found, or why it could not be looked at.
    pub content: Result<Scan<StoredFace>, Skip>,
}

/// What spares looking at a photo again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownPhoto {
    /// Its number.
    pub id: PhotoId,
    /// Which models looked at it, or why none could.
    pub outcome: Result<Models, SkipReason>,
}

impl KnownPhoto {
    /// Whether looking again with `models` would bring nothing new.
    pub fn is_current(&self, models: &Models) -> bool {
        match &self.outcome {
            Ok(by) => by == models,
            Err(reason) => reason.is_in_content(),
        }
    }
}

/// What spares reading a file again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownFile {
    /// Compare it with what the file system says now.
    pub meta: FileMeta,
    /// Whether reading the same bytes again would bring nothing new.
    pub is_current: bool,
}
