//! A detector in another process: any program that speaks the protocol of
//! `docs/detector-protocol.md`.

mod process;
mod protocol;

use std::ffi::OsString;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use image::RgbImage;

use super::FaceDetector;
use super::nms::suppress;
use crate::affine::Affine;
use crate::error::{Error, Result, Skip, SkipReason};
use crate::face::DetectedFace;
use crate::raster::Raster;

use process::{Failure, Process};
use protocol::Hello;

/// Pixels that a program is sent at most where it does not say how many it wants.
const MAX_PIXELS: u32 = 2_000_000;

/// How to run a detector program.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandParams {
    /// The program and its arguments.
    pub command: Vec<OsString>,
    /// Longest time for one photo, and for starting.
    pub time_limit: Duration,
    /// Least score of a face, 0 to 1.
    pub threshold: f32,
    /// As for the built-in detector.
    pub suppress_iou: f32,
    /// As for the built-in detector.
    pub suppress_inside: f32,
}

/// Finds faces through another program: started when needed, one for each thread that looks at
/// photos, and anew after it died or took too long.
#[derive(Debug)]
pub struct Command {
    params: CommandParams,
    hello: Hello,
    idle: Mutex<Vec<Process>>,
}

impl Command {
    /// Starts the program and hears what it is.
    ///
    /// # Errors
    /// [`Error::Config`] if it cannot be started or does not introduce itself in time.
    pub fn start(params: CommandParams) -> Result<Self> {
        let (process, hello) = Process::start(&params).map_err(|failure| {
            let program = params.command.first().cloned().unwrap_or_default();
            Error::Config(format!(
                "the detector program {} cannot be used: {failure}; see `detector.command` in \
                 `fer-index config show`",
                program.display()
            ))
        })?;
        Ok(Self {
            params,
            hello,
            idle: Mutex::new(vec![process]),
        })
    }

    /// What the program finds in a picture.
    fn ask(&self, picture: &RgbImage) -> Result<Vec<DetectedFace>, Failure> {
        // Taken out first: a lock held through the answer would let one thread look at a time.
        let idle = self.lock_idle().pop();
        if let Some(mut process) = idle {
            match process.ask(picture) {
                // It may have died while idle, or of the photo before.
                Err(failure @ Failure::Ended(_)) => tracing::warn!(%failure, "detector restarted"),
                answer => return self.keep(process, answer),
            }
        }
        let (mut process, hello) = Process::start(&self.params)?;
        if hello != self.hello {
            return Err(Failure::Changed);
        }
        let answer = process.ask(picture);
        self.keep(process, answer)
    }

    /// Keeps the process for the next photo unless it is lost.
    fn keep(
        &self,
        process: Process,
        answer: Result<Vec<DetectedFace>, Failure>,
    ) -> Result<Vec<DetectedFace>, Failure> {
        if matches!(answer, Ok(_) | Err(Failure::Refused(_))) {
            self.lock_idle().push(process);
        }
        answer
    }

    fn lock_idle(&self) -> MutexGuard<'_, Vec<Process>> {
        // A list of processes cannot be half changed.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FaceDetector for Command {
    fn model(&self) -> &str {
        &self.hello.model
    }

    fn detect(&self, photo: &Raster) -> Result<Vec<DetectedFace>, Skip> {
        let (width, height) = size(photo, self.hello.max_pixels.unwrap_or(MAX_PIXELS));
        let faces = self
            .ask(&photo.resized(width, height))
            .map_err(|failure| Skip::new(SkipReason::DetectorFailed, failure.to_string()))?;
        let to_photo = Affine::stretch(
            photo.width() as f32 / width as f32,
            photo.height() as f32 / height as f32,
        );
        let faces = faces
            .iter()
            .filter(|face| face.score >= self.params.threshold)
            .map(|face| face.through(&to_photo))
            .collect();
        Ok(suppress(
            faces,
            self.params.suppress_iou,
            self.params.suppress_inside,
        ))
    }
}

/// The size at which a photo is sent: its own, or one of `pixels`.
fn size(photo: &Raster, pixels: u32) -> (u32, u32) {
    let area = f64::from(photo.width()) * f64::from(photo.height());
    let factor = (f64::from(pixels.max(1)) / area).sqrt().min(1.0);
    let scaled = |side: u32| ((f64::from(side) * factor) as u32).max(1);
    (scaled(photo.width()), scaled(photo.height()))
}

#[cfg(all(test, unix))]
mod tests;
