//! Manages the decoding processes of a run.

use std::borrow::Cow;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use fer_nn::allocator;

use super::super::analyse::FoundFaces;
use super::attempts::{Attempts, cannot_start};
use super::client::{Failure, Process};
use super::message::{Confinement, Detector, Request, Setup};
use super::weights::{SharedWeights, keep_memory};
use crate::classify::{Classification, Cnn};
use crate::detect::FaceDetector;
use crate::error::{Result, Skip};
use crate::face::BoundingBox;
use crate::imaging::{Facts, Limits};
use crate::likeness::FacePicture;
use crate::store::Models;

/// The command that starts a decoding process, which calls [`serve`](super::serve()).
#[derive(Debug, Clone)]
pub struct Launch {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
}

/// Settings of decoding processes.
#[derive(Debug, Clone)]
pub struct ProcessSettings {
    /// The limits for a photo.
    pub limits: Limits,
    /// Minimum length of the shorter side of a face that is classified, in pixels.
    pub min_face: f32,
    /// Where the faces are detected.
    pub detector: Detector,
    /// The bytes and the name of the classifier's model file; `None` for the built-in model.
    pub model: Option<(Vec<u8>, String)>,
    /// How many photos are analysed at a time. Several processes share the weights of the classifier.
    pub workers: usize,
    /// How much longer than five times the longest time for decoding a process may take for a step, until it is
    /// killed: the time for detecting and classifying faces. Also the time for its start.
    pub timeout_margin: Duration,
}

impl ProcessSettings {
    /// A [`ProcessSettings::timeout_margin`] for photos with hundreds of faces on a slow machine.
    pub const TIMEOUT_MARGIN: Duration = Duration::from_secs(30);
}

/// Decoding processes that are started when workers need them, and again after one has died. They end when this is
/// dropped.
#[derive(Debug)]
pub struct Processes {
    attempts: Attempts,
    models: Models,
    limits: Limits,
    confinement: Confinement,
}

impl Processes {
    /// Starts the first process.
    ///
    /// # Errors
    /// [`Error::Config`](crate::error::Error::Config) if it cannot be started or cannot use its model.
    pub fn start(launch: Launch, settings: ProcessSettings) -> Result<Self> {
        let ProcessSettings {
            limits,
            min_face,
            detector,
            model,
            workers,
            timeout_margin,
        } = settings;
        let models = Models {
            detector: detector.model().to_owned(),
            classifier: match &model {
                Some((bytes, name)) => Cnn::identify(bytes, name)?,
                None => Cnn::identify_embedded()?,
            },
        };
        let (model, model_name) = model.unwrap_or_default();
        allocator::use_one_arena();
        keep_memory();
        let shared = (workers > 1).then(|| SharedWeights::new(model_name.clone()));
        let setup = Request::Setup(Box::new(Setup {
            limits,
            min_face,
            detector,
            model_name,
        }));
        let attempts =
            Attempts::new(launch, setup, model, &limits, timeout_margin).with_weights(shared);
        let confinement = attempts.start()?;
        Ok(Self {
            attempts,
            models,
            limits,
            confinement,
        })
    }

    /// The names of their models, as they are stored with their results.
    pub const fn models(&self) -> &Models {
        &self.models
    }

    /// The limits for decoding a photo.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The restrictions in force for the processes.
    pub const fn confinement(&self) -> Confinement {
        self.confinement
    }

    /// Sends a photo to a process and returns its facts, what its decoding costs in bytes of memory, and the process
    /// for the rest of the analysis.
    pub(in super::super) fn open(&self, photo: &[u8]) -> Result<(Session<'_>, Facts, u64), Skip> {
        let (process, (facts, cost)) = self
            .attempts
            .attempt(None, |process| process.facts(photo))?;
        let session = Session {
            processes: self,
            process: Some(process),
        };
        Ok((session, facts, cost))
    }
}

/// Starts a process that loads no models, ends it again, and returns the restrictions that were in force for it.
///
/// # Errors
/// [`Error::Config`](crate::error::Error::Config) if it cannot be started.
pub fn confinement(launch: &Launch) -> Result<Confinement> {
    let timeout_margin = ProcessSettings::TIMEOUT_MARGIN;
    let request = Request::Confine(Limits::default());
    let process = Process::start(launch, &request, &[], None, timeout_margin, timeout_margin);
    process
        .map(|process| process.confinement)
        .map_err(|error| cannot_start(&error))
}

/// A process that has read a photo. It is idle again when this is dropped.
#[derive(Debug)]
pub struct Session<'a> {
    processes: &'a Processes,
    process: Option<Process>,
}

impl Session<'_> {
    /// Lets the process decode the photo that it has, detect its faces, also where people are named, and read the emotion
    /// of each. If it dies, another one gets the photo's bytes, which `photo` reads. If it has no detector, `detector` is asked. When the faces have been found, calls `on_found` with them and with
    /// what gives their pictures.
    pub(in super::super) fn analyse<'p, T>(
        mut self,
        photo: impl Fn() -> Result<Cow<'p, [u8]>, Skip>,
        named: &[BoundingBox],
        detector: Option<&dyn FaceDetector>,
        on_found: impl Fn(&FoundFaces, &mut dyn FnMut() -> Vec<FacePicture>) -> T,
    ) -> Result<(FoundFaces, Vec<Classification>, T), Skip> {
        let first = self.process.take();
        let mut has_photo = first.is_some();
        let (process, analysed) = self.processes.attempts.attempt(first, |process| {
            if !std::mem::take(&mut has_photo) {
                let photo = photo().map_err(Failure::Skipped)?;
                process.facts(&photo)?;
            }
            let found = process.analyse(named, detector)?;
            let faces = found.large_enough.len();
            let mut failed = None;
            let seen = on_found(&found, &mut || match process.pictures(faces) {
                Ok(pictures) => pictures,
                Err(failure) => {
                    failed = Some(failure);
                    Vec::new()
                }
            });
            if let Some(failure) = failed {
                return Err(failure);
            }
            let classifications = process.classify(faces)?;
            Ok((found, classifications, seen))
        })?;
        self.process = Some(process);
        Ok(analysed)
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        if let Some(process) = self.process.take() {
            self.processes.attempts.keep(process);
        }
    }
}
