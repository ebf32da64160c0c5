//! The records that go into the database and come out of it.

use std::fmt;
use std::path::PathBuf;

use jiff::Timestamp;

use crate::emotion::{Emotion, EmotionScores};
use crate::error::{Skip, SkipReason};
use crate::face::{BoundingBox, Correction, DetectedFace, ScoredFace};
use crate::file::FileMeta;
use crate::photo::{Capture, ContentHash};
use crate::sidecar::SidecarFile;

/// A photo's number; it stays the same while the photo is in the index and is never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PhotoId(pub i64);

impl fmt::Display for PhotoId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A face's number; a face that is found again at the same position keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FaceId(pub i64);

impl fmt::Display for FaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The names of the models that analyse photos.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Models {
    /// The model that finds the faces.
    pub detector: String,
    /// The model that reads their emotions.
    pub classifier: String,
}

/// A photo to be stored under its content.
#[derive(Debug, Clone, PartialEq)]
pub struct PhotoRecord {
    /// The content.
    pub hash: ContentHash,
    /// Its length.
    pub bytes: u64,
    /// The analysis, or why the content was skipped.
    pub content: Result<PhotoAnalysis<ScoredFace>, Skip>,
}

/// The result of analysing a photo, with [`ScoredFace`]s on the way in and [`StoredFace`]s on the
/// way out.
#[derive(Debug, Clone, PartialEq)]
pub struct PhotoAnalysis<Face> {
    /// Name of the file format.
    pub format: String,
    /// Width of the upright photo in pixels.
    pub width: u32,
    /// Height of the upright photo in pixels.
    pub height: u32,
    /// Date, position, camera and words from the file. Times are stored with a resolution of 1 ms.
    pub capture: Capture,
    /// The models that found and read the faces.
    pub models: Models,
    /// The faces, in the detector's order.
    pub faces: Vec<Face>,
    /// Faces too small to be read, in the detector's order. Hits of a query leave them out.
    pub unread: Vec<DetectedFace>,
}

/// A face as the index stores it, with its number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StoredFace {
    /// The number.
    pub id: FaceId,
    /// The face as detected.
    pub face: DetectedFace,
    /// The emotions' probabilities according to the model.
    pub scores: EmotionScores,
    /// A person's correction of it.
    pub correction: Option<Correction>,
}

impl StoredFace {
    /// The emotion that the face shows most; `None` if a person said that it is no face.
    pub fn top(&self) -> Option<Emotion> {
        match self.correction {
            None => Some(self.scores.top().0),
            Some(Correction::Emotion(said)) => Some(said),
            Some(Correction::NotAFace) => None,
        }
    }

    /// Whether the face counts in a query with these minima for the detection score and for the
    /// shorter side in pixels. A person's correction takes precedence over both.
    pub fn counts(&self, min_detection: f32, min_size: f32) -> bool {
        match self.correction {
            Some(Correction::NotAFace) => false,
            Some(Correction::Emotion(_)) => true,
            None => {
                self.face.score >= min_detection && self.face.bounding_box.short_side() >= min_size
            }
        }
    }

    /// The score of the face for `emotion`: its probability, weighted as [`DetectedFace::weighted`]
    /// describes. It is 1 or 0 if a person has said what the face shows, and `None` if they said
    /// that it is no face.
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

/// A face as it is ranked: the models' result together with a person's correction, which takes
/// precedence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct JudgedFace {
    pub read: ScoredFace,
    pub correction: Option<Correction>,
}

impl JudgedFace {
    /// `false` if a person said that it is no face.
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

/// A correction as it is stored, and the box to which it applies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct StoredCorrection {
    pub id: i64,
    pub at: BoundingBox,
    pub correction: Correction,
}

/// Everything that is known about a photo.
#[derive(Debug, Clone, PartialEq)]
pub struct Photo {
    /// Its number.
    pub id: PhotoId,
    /// Its content.
    pub hash: ContentHash,
    /// Length of the content.
    pub bytes: u64,
    /// When it was last analysed.
    pub indexed_at: Timestamp,
    /// Its paths, sorted by their bytes; may be empty.
    pub paths: Vec<PathBuf>,
    /// The analysis, or why the content was skipped.
    pub content: Result<PhotoAnalysis<StoredFace>, Skip>,
}

/// What is needed to decide whether a known content must be analysed again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownPhoto {
    /// Its number.
    pub id: PhotoId,
    /// The models that analysed it, or why it was skipped.
    pub outcome: Result<Models, SkipReason>,
}

impl KnownPhoto {
    /// Whether analysing it again with `models` would give the same result.
    pub fn is_current(&self, models: &Models) -> bool {
        match &self.outcome {
            Ok(by) => by == models,
            Err(reason) => reason.is_in_content(),
        }
    }
}

/// What is needed to decide whether a known file must be processed again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownFile {
    /// The file's metadata when it was last processed, to be compared with its metadata now.
    pub meta: FileMeta,
    /// Whether processing the unchanged file again would give the same result.
    pub is_current: bool,
    /// Its sidecars when they were last read, sorted by name; their device is not stored.
    pub sidecars: Vec<SidecarFile>,
}
