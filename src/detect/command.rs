//! Detects faces with a program in another process that speaks the protocol of
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

/// Most pixels of a picture for a program that states no limit.
const MAX_PIXELS: u32 = 2_000_000;

/// How to run a detector program.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandParams {
    /// The program and its arguments.
    pub command: Vec<OsString>,
    /// Time limit for one photo, and for the start of the program.
    pub time_limit: Duration,
    /// Least score of a face, 0 to 1.
    pub threshold: f32,
    /// As in [`DetectorParams`](super::DetectorParams).
    pub suppress_iou: f32,
    /// As in [`DetectorParams`](super::DetectorParams).
    pub suppress_iom: f32,
}

/// Detects faces with another program. A process is started when a thread needs one and none is idle, and when one has
/// ended or exceeded its time limit.
#[derive(Debug)]
pub struct Command {
    params: CommandParams,
    hello: Hello,
    idle: Mutex<Vec<Process>>,
}

impl Command {
    /// Starts the program and reads its first line.
    ///
    /// # Errors
    /// [`Error::Config`] if the program cannot be started or does not send a valid first line in time.
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

    /// Most pixels of the copy of a photo that the program is sent.
    pub fn max_pixels(&self) -> u32 {
        self.hello.max_pixels.unwrap_or(MAX_PIXELS)
    }

    /// Sends a picture to an idle process, or to a new one.
    fn request(&self, picture: &RgbImage) -> Result<Vec<DetectedFace>, Failure> {
        // The lock is released before the request: if it were kept until the answer, threads would wait for each other.
        let idle = self.lock_idle().pop();
        if let Some(mut process) = idle {
            match process.detect(picture) {
                // It may have ended while idle, or because of the previous photo.
                Err(failure @ Failure::Ended(_)) => tracing::warn!(%failure, "detector restarted"),
                answer => return self.keep(process, answer),
            }
        }
        let (mut process, hello) = Process::start(&self.params)?;
        if hello != self.hello {
            return Err(Failure::Changed);
        }
        let answer = process.detect(picture);
        self.keep(process, answer)
    }

    /// Keeps the process for the next photo unless it has ended or may still send an answer.
    fn keep(
        &self,
        process: Process,
        answer: Result<Vec<DetectedFace>, Failure>,
    ) -> Result<Vec<DetectedFace>, Failure> {
        if matches!(answer, Ok(_) | Err(Failure::Reported(_))) {
            self.lock_idle().push(process);
        }
        answer
    }

    fn lock_idle(&self) -> MutexGuard<'_, Vec<Process>> {
        // A panic cannot leave the list of processes in an inconsistent state.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FaceDetector for Command {
    fn model(&self) -> &str {
        &self.hello.model
    }

    fn detect(&self, photo: &Raster) -> Result<Vec<DetectedFace>, Skip> {
        let (width, height) = copy_size(photo, self.max_pixels());
        let faces = self
            .request(&photo.resized(width, height))
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
            self.params.suppress_iom,
        ))
    }
}

/// The faces in a detector program's answer, in pixels of the picture that was sent.
///
/// # Errors
/// What is wrong with the line, or what the program reports.
pub fn read_answer(line: &str) -> Result<Vec<DetectedFace>, String> {
    process::faces(line).map_err(|failure| failure.to_string())
}

/// Width and height of an upright copy of a photo with an area of at most `pixels`.
pub fn copy_size(photo: &Raster, pixels: u32) -> (u32, u32) {
    let area = f64::from(photo.width()) * f64::from(photo.height());
    let factor = (f64::from(pixels.max(1)) / area).sqrt().min(1.0);
    let scaled = |side: u32| ((f64::from(side) * factor) as u32).max(1);
    (scaled(photo.width()), scaled(photo.height()))
}

#[cfg(all(test, unix))]
mod tests;
