//! Defines the messages between a worker and its decoding process.
//!
//! ```text
//! worker: Setup (a model file), Decode or Confine    process: Ready
//! worker: Facts (a photo's bytes)                     process: Facts, or Skipped
//! worker: Analyse                                     process: Found, or Skipped
//!                                                     process: Detect (pixels), if the worker has the detector
//! worker: Faces, or Failed
//! worker: Pictures                                    process: Pictures (of the faces found)
//! worker: Classify                                    process: Classified
//!
//! worker: Copy (a photo's bytes)                      process: Copy (its pixels), or Skipped
//! worker: Facts, then Cut (faces)                     process: Facts, then Cut (of the faces), or Skipped
//! ```

use serde::{Deserialize, Serialize};

use super::super::analyse::FoundFaces;
use crate::classify::Classification;
use crate::detect::{Builtin, DetectorParams};
use crate::emotion::{Emotion, EmotionScores};
use crate::error::{Skip, SkipReason};
use crate::face::{BoundingBox, DetectedFace};
use crate::facts::Statements;
use crate::features::Features;
use crate::imaging::{Facts, Format, Limits};
use crate::photo::{Picture, PictureHash};
use crate::raster::Orientation;

/// What a worker asks for.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Request {
    /// The first message. Its bytes are the model file of the classifier; none stand for the built-in model.
    Setup(Box<Setup>),
    /// The only message to a process that decodes nothing and loads no model: report the confinement for photos within
    /// these limits.
    Confine(Limits),
    /// The first message to a process that shows photos within these limits, and finds no faces: it loads no model.
    Decode(Limits),
    /// Make an upright copy of the photo in the bytes, reduced to at most this width and height.
    Copy(u32, u32),
    /// Decode the photo that was kept, and cut out the pictures by which these faces are recognised.
    Cut(Vec<DetectedFace>),
    /// Read the facts of the photo in the bytes, and keep it.
    Facts,
    /// Decode the photo that was kept, and find its faces, also where people are named.
    Analyse(Vec<BoundingBox>),
    /// The faces of a picture that the process has sent.
    Faces(Vec<DetectedFace>),
    /// The detector has failed on that picture.
    Failed(SkipMessage),
    /// The pictures of the faces by which they are recognised.
    Pictures,
    /// Read the emotions of the faces that were found.
    Classify,
}

/// The settings that a process receives before the first photo.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Setup {
    pub limits: Limits,
    pub min_face: f32,
    pub detector: Detector,
    /// The name of the model file in error messages.
    pub model_name: String,
}

/// Where the faces are detected.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Detector {
    /// In the decoding process, by the built-in detector.
    Builtin(DetectorParams),
    /// By the detector of the program that started the decoding process, which is sent a copy of the photo with at
    /// most this many pixels.
    OfParent {
        /// Name and version of its model.
        model: String,
        /// Maximum number of pixels of the copy.
        max_pixels: u32,
    },
}

impl Detector {
    /// Name and version of its model.
    pub fn model(&self) -> &str {
        match self {
            Self::Builtin(_) => Builtin::MODEL,
            Self::OfParent { model, .. } => model,
        }
    }
}

/// The answer of a process.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Reply {
    /// The confinement of the process, which has loaded its models if it was set up; or the reason why it could not.
    Ready(Confinement, Option<String>),
    /// The facts of a photo, and how much memory its decoding takes in bytes.
    Facts(Box<FactsMessage>, u64),
    Found(Box<FoundFaces>),
    /// Detect the faces in a picture of this width and height, whose RGB values are the bytes.
    Detect(u32, u32),
    /// The pictures of the faces, one after the other, each of this length.
    Pictures(u64),
    /// What the classifier read in the faces that are large enough, in their order.
    Classified(Vec<ClassificationMessage>),
    /// A copy of a photo, of this width and height, whose RGB values are the bytes.
    Copy(u32, u32),
    /// The width and height of a photo, and the pictures of the faces, one after the other, each of this length.
    Cut((u32, u32), u64),
    Skipped(SkipMessage),
}

/// A [`Classification`] in a message.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ClassificationMessage {
    scores: [f32; Emotion::COUNT],
    human: Option<f32>,
    features: Vec<u8>,
}

impl ClassificationMessage {
    pub fn of(classification: &Classification) -> Self {
        Self {
            scores: *classification.scores.as_array(),
            human: classification.scores.human(),
            features: classification.features.as_bytes().to_vec(),
        }
    }

    /// The reading; `None` if it cannot be one.
    pub fn into_classification(self) -> Option<Classification> {
        let is_finite = self
            .scores
            .iter()
            .chain(&self.human)
            .all(|score| score.is_finite());
        let scores = EmotionScores::new(is_finite.then_some(self.scores)?);
        Some(Classification {
            scores: scores.with_human(self.human),
            features: Features::from_bytes(&self.features)?,
        })
    }
}

/// Which restrictions are in force for a decoding process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confinement {
    /// Only the system calls that computing needs are allowed (seccomp): it can open no file and no connection.
    pub calls: bool,
    /// No file can be opened and no connection be made (Landlock).
    pub files: bool,
    /// Its memory is limited.
    pub memory: bool,
}

/// [`Facts`] in a message.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct FactsMessage {
    format: Format,
    statements: Statements,
    picture: [u8; 32],
    /// The value of EXIF.
    orientation: u8,
}

impl FactsMessage {
    pub fn of(facts: &Facts) -> Self {
        Self {
            format: facts.format,
            statements: facts.statements.clone(),
            picture: *facts.picture.hash.as_bytes(),
            orientation: facts.picture.orientation.exif(),
        }
    }

    pub fn into_facts(self) -> Facts {
        Facts {
            format: self.format,
            statements: self.statements,
            picture: Picture {
                hash: PictureHash::from_bytes(self.picture),
                orientation: Orientation::from_exif(self.orientation.into()),
            },
        }
    }
}

/// A [`Skip`] in a message.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SkipMessage {
    reason: String,
    detail: String,
}

impl SkipMessage {
    pub fn of(skip: Skip) -> Self {
        Self {
            reason: skip.reason.name().to_owned(),
            detail: skip.detail,
        }
    }

    pub fn into_skip(self) -> Skip {
        // A process is of the same version, and knows no other reasons.
        let reason = self.reason.parse().unwrap_or(SkipReason::Crashed);
        Skip::new(reason, self.detail)
    }
}
