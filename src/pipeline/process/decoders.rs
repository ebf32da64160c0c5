//! Manages the decoding processes of commands that show photos.

use image::RgbImage;

use super::super::decoder::CutFaces;
use super::attempts::Attempts;
use super::message::Request;
use super::pool::{Launch, ProcessSettings};
use crate::error::Skip;
use crate::face::DetectedFace;
use crate::imaging::Limits;

/// Decoding processes that find no faces, and so load no models. They are started when they are needed, and end when
/// this is dropped.
#[derive(Debug)]
pub struct Decoders {
    attempts: Attempts,
    limits: Limits,
}

impl Decoders {
    /// Processes that `launch` starts, for photos within these limits.
    pub fn new(launch: Launch, limits: Limits) -> Self {
        let first = Request::Decode(limits);
        let timeout_margin = ProcessSettings::TIMEOUT_MARGIN;
        Self {
            attempts: Attempts::new(launch, first, Vec::new(), &limits, timeout_margin),
            limits,
        }
    }

    /// The limits for decoding a photo.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// See [`Decoder::copy`](super::super::Decoder::copy).
    pub(in super::super) fn copy(&self, photo: &[u8], size: (u32, u32)) -> Result<RgbImage, Skip> {
        let (process, copy) = self
            .attempts
            .attempt(None, |process| process.copy(photo, size))?;
        self.attempts.keep(process);
        Ok(copy)
    }

    /// See [`Decoder::cut`](super::super::Decoder::cut).
    pub(in super::super) fn cut(
        &self,
        photo: &[u8],
        faces: &[DetectedFace],
    ) -> Result<CutFaces, Skip> {
        let (process, cut) = self.attempts.attempt(None, |process| {
            let (facts, _) = process.facts(photo)?;
            let (size, pictures) = process.cut(faces)?;
            Ok(CutFaces {
                capture: facts.capture(),
                size,
                pictures,
            })
        })?;
        self.attempts.keep(process);
        Ok(cut)
    }
}
