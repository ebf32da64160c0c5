//! The records that the database takes and returns.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::error::{Skip, SkipReason};
use crate::face::{BoundingBox, Correction, DetectedFace, ScoredFace};
use crate::facts::Statements;
use crate::file::FileMeta;
use crate::likeness::FacePicture;
use crate::photo::{Capture, ContentHash, Picture};
use crate::sidecar::SidecarFile;

use super::people::PersonInPhoto;
use super::stored_face::StoredFace;

/// The ID of a photo; it stays the same while the photo is in the index, and is never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PhotoId(pub i64);

impl fmt::Display for PhotoId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The ID of a face; a face that is found again at the same position keeps it.
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

/// An analysed or skipped photo, as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct PhotoRecord {
    /// The hash of the content.
    pub hash: ContentHash,
    /// Length of the content in bytes.
    pub bytes: u64,
    /// Its picture; stored only if the photo was analysed.
    pub picture: Option<Picture>,
    /// The analysis, or why the content was skipped.
    pub content: Result<PhotoAnalysis<ScoredFace>, Skip>,
}

impl PhotoRecord {
    /// Whether the features of all faces are known; older versions did not store them.
    pub fn has_features(&self) -> bool {
        let faces = self.content.iter().flat_map(|analysis| &analysis.faces);
        faces.into_iter().all(|face| face.features.is_some())
    }
}

/// The result of analysing a photo: with [`ScoredFace`]s when it is to be stored, and with [`StoredFace`]s when it was
/// read from the database.
#[derive(Debug, Clone, PartialEq)]
pub struct PhotoAnalysis<Face> {
    /// Name of the file format.
    pub format: String,
    /// Width of the upright photo in pixels.
    pub width: u32,
    /// Height of the upright photo in pixels.
    pub height: u32,
    /// What its content states of it.
    pub statements: Statements,
    /// The facts: by its content alone when it is to be stored, by all its sources when it was read. Times are stored
    /// with a resolution of 1 ms.
    pub capture: Capture,
    /// The people in it; empty when it is to be stored.
    pub people: Vec<PersonInPhoto>,
    /// The models that found and read the faces.
    pub models: Models,
    /// The faces, in the detector's order.
    pub faces: Vec<Face>,
    /// Faces too small to be read, in the detector's order. Hits of a query leave them out.
    pub unread: Vec<DetectedFace>,
    /// What is wrong with the content, if only a part of the photo could be decoded. Hits of a query leave it out.
    pub incomplete: Option<String>,
}

/// A correction as it is stored, with the box in a photo to which it applies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct StoredCorrection {
    pub id: i64,
    pub at: BoundingBox,
    pub correction: Correction,
}

/// A correction of a face in a file of the same moment and camera, with the face picture by which the face is recognised.
#[derive(Debug, Clone, PartialEq)]
pub struct KinCorrection {
    /// The correction's row.
    pub(super) id: i64,
    /// Identifies the face: the row of the correction that a person made, which is this one or the one from which it was
    /// carried over.
    pub face: i64,
    /// The face as it was when it was corrected.
    pub picture: FacePicture,
    /// If the corrected photo was at the path before: its position among the photos that were, the last one first.
    pub replaced: Option<usize>,
    /// Whether a person undid it on an earlier version of the photo: then it is not carried over, and the face counts as one
    /// of which it was undone.
    pub is_declined: bool,
}

impl KinCorrection {
    /// The ID by which [`KinFace::correction`] refers to it.
    pub fn id(&self) -> KinId {
        KinId {
            id: self.id,
            picture: *blake3::hash(&self.picture.to_bytes()).as_bytes(),
            is_declined: self.is_declined,
        }
    }
}

/// The corrections that may carry over to a photo.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KinCorrections {
    /// Those that carry over if the same face is in the photo; those that a person made come first.
    pub corrections: Vec<KinCorrection>,
    /// Whether there are others of which this is known only when all photos of the run are stored: the photo may turn out
    /// to be one of a burst.
    pub is_undecided: bool,
    /// What was looked at.
    pub seen: SeenCorrections,
}

/// The corrections that were looked at to determine which carry over to a photo. Others may be made before the photo is
/// stored; [`Batch::are_newer`](super::Batch::are_newer) tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeenCorrections {
    /// The camera of the photo and its second (first ms); `None` if no correction can carry over to it.
    pub(super) shot: Option<(String, i64)>,
    /// The corrections with a face picture, each with its time.
    pub(super) corrections: BTreeSet<(i64, i64)>,
}

/// When it is determined which corrections carry over to a photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion<'a> {
    /// The file at this path is analysed, and others of its run may not be stored yet.
    Analysis(&'a Path),
    /// The file at this path is analysed again, after its run was stored.
    AfterRun(&'a Path),
    /// A person corrected a face, or imported corrections.
    Correction,
}

impl<'a> Occasion<'a> {
    /// The path of the file that is analysed.
    pub const fn path(self) -> Option<&'a Path> {
        match self {
            Self::Analysis(path) | Self::AfterRun(path) => Some(path),
            Self::Correction => None,
        }
    }

    /// Whether all photos of the run are stored.
    pub const fn is_everything_stored(self) -> bool {
        !matches!(self, Self::Analysis(_))
    }
}

/// Refers to a [`KinCorrection`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KinId {
    /// The correction's row.
    pub(super) id: i64,
    /// A hash of its face picture: if the correction is deleted, the next one that is made may get its row.
    pub(super) picture: [u8; 32],
    /// As [`KinCorrection::is_declined`].
    pub(super) is_declined: bool,
}

/// A face of a photo, and the correction that is carried over to it.
#[derive(Debug, Clone, PartialEq)]
pub struct KinFace {
    /// The face's box.
    pub at: BoundingBox,
    /// The face picture.
    pub picture: FacePicture,
    /// The correction of the same face in another file.
    pub correction: Option<KinId>,
}

/// Where a correction was made that was carried over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarriedFrom {
    /// The correction's row.
    pub correction: i64,
    /// The hash of the content of the photo on which it was made.
    pub content: ContentHash,
    /// The photo's first path, as in [`Photo::paths`]; `None` if no file has this content any more.
    pub path: Option<PathBuf>,
}

/// What was said of a face before a person corrected it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EarlierCorrection {
    /// Nothing.
    None,
    /// The person's own correction.
    Own(Correction),
    /// A correction that was carried over.
    Carried {
        /// The row of the correction from which it was carried over: [`CarriedFrom::correction`].
        from: i64,
        /// What it said.
        correction: Correction,
    },
}

/// What became of a correction that was to be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakenBack {
    /// The face has what was said of it before.
    Done,
    /// Something else was said of the face since, which stays.
    Changed,
    /// There is no such face, or no file of its photo.
    NoFace,
}

/// Everything that is known about a photo.
#[derive(Debug, Clone, PartialEq)]
pub struct Photo {
    /// Its ID.
    pub id: PhotoId,
    /// The hash of its content.
    pub hash: ContentHash,
    /// Length of its content in bytes.
    pub bytes: u64,
    /// Its picture; `None` if the content was skipped, or analysed by a version that did not hash pictures.
    pub picture: Option<Picture>,
    /// When it was last analysed.
    pub indexed_at: Timestamp,
    /// Its paths, sorted by their bytes, those below a root that is offline last; may be empty.
    pub paths: Vec<PathBuf>,
    /// The analysis, or why the content was skipped.
    pub content: Result<PhotoAnalysis<StoredFace>, Skip>,
}

/// What is needed to decide whether a known content must be analysed again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownPhoto {
    /// Its ID.
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
