//! Detects the faces of a photo.

mod builtin;
mod closer;
mod command;
mod copies;
mod levels;
mod nms;
mod params;
mod prefilter;
mod proposals;
mod refine;
mod regions;
mod turns;
mod yunet;

pub use builtin::Builtin;
pub use command::{Command, CommandParams, copy_size, read_answer};
pub use params::{DetectorParams, Resolution};
pub use yunet::Yunet;

use crate::error::Skip;
use crate::face::{BoundingBox, DetectedFace};
use crate::raster::Raster;

/// A face detector.
pub trait FaceDetector: Send + Sync {
    /// Name and version of the model. It is stored with every row of its results: photos whose row has another name are
    /// processed again.
    fn model(&self) -> &str;

    /// Width and height of the copy of a photo of this size that suffices for the search, apart from details that are
    /// read at full resolution; `None` if the detector needs all pixels.
    fn copy_of(&self, _width: u32, _height: u32) -> Option<(u32, u32)> {
        None
    }

    /// Finds the faces of a photo, best first, in upright full-resolution pixels.
    ///
    /// # Errors
    /// A [`Skip`] if this photo cannot be searched; indexing continues with the next one.
    fn detect(&self, photo: &Raster) -> Result<Vec<DetectedFace>, Skip>;

    /// The closer search: finds the face at each of these regions of a photo, in which somebody named a person and
    /// [`detect`](Self::detect) found no face. Searches an enlarged copy of each region.
    ///
    /// # Errors
    /// As [`detect`](Self::detect).
    fn detect_at(
        &self,
        photo: &Raster,
        regions: &[BoundingBox],
    ) -> Result<Vec<Option<DetectedFace>>, Skip> {
        let regions = regions.iter();
        regions.map(|at| closer::in_crop(self, photo, at)).collect()
    }
}
