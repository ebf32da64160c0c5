//! Finding the faces of a photo.

mod builtin;
mod command;
mod nms;
mod params;
mod second_look;
mod yunet;

pub use builtin::Builtin;
pub use command::{Command, CommandParams};
pub use params::{DetectorParams, Resolution};
pub use yunet::Yunet;

use crate::error::Skip;
use crate::face::DetectedFace;
use crate::raster::Raster;

/// Something that finds faces.
pub trait FaceDetector: Send + Sync {
    /// Name and version of the model; stored with every row it makes, so that a newer detector
    /// knows which photos to look at again.
    fn model(&self) -> &str;

    /// Finds the faces of a photo, best first, in upright full-resolution pixels.
    ///
    /// # Errors
    /// When this photo cannot be looked at; the work goes on with the next one.
    fn detect(&self, photo: &Raster) -> Result<Vec<DetectedFace>, Skip>;
}
