//! The settings of a command, and the models, filter and limits that result from them.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::time::Duration;

use super::GlobalArgs;
use crate::album::{AlbumFilter, AlbumFilterSettings};
use crate::classify::Cnn;
use crate::config::{Config, DetectorBackend, Effective, Overrides};
use crate::detect::{Builtin, Command, CommandParams, DetectorParams, FaceDetector, Resolution};
use crate::error::{Error, Result};
use crate::imaging::Limits;
#[cfg(unix)]
use crate::pipeline::{self, Decoders, ProcessSettings, Processes};
use crate::pipeline::{Analyser, Decoder, LocalAnalyser};
use crate::store::Models;

/// The settings of this process, read once.
#[derive(Clone)]
pub(super) struct Context {
    effective: Effective,
    quiet: bool,
}

impl Context {
    pub fn new(global: GlobalArgs) -> Result<Self> {
        let overrides = Overrides {
            database: global.database,
            threads: global.threads,
            model: global.model,
            ..Overrides::default()
        };
        let effective = Effective::load(global.config.as_deref(), &overrides)?;
        Ok(Self {
            effective,
            quiet: global.quiet,
        })
    }

    pub const fn effective(&self) -> &Effective {
        &self.effective
    }

    pub const fn config(&self) -> &Config {
        &self.effective.config
    }

    pub const fn quiet(&self) -> bool {
        self.quiet
    }

    pub fn threads(&self) -> NonZeroUsize {
        NonZeroUsize::new(self.config().threads).unwrap_or(NonZeroUsize::MIN)
    }

    pub fn filter(&self) -> Result<AlbumFilter> {
        let album = &self.config().album;
        AlbumFilter::new(&AlbumFilterSettings {
            exclude: album.exclude.clone(),
            hidden: album.hidden,
            follow_symlinks: album.follow_symlinks,
            respect_markers: album.respect_markers,
            database: Some(self.config().database.clone()),
            roots: album.roots.clone(),
        })
    }

    /// The limits beyond which a photo is skipped.
    pub const fn limits(&self) -> Limits {
        let limits = &self.config().limits;
        Limits {
            max_bytes: limits.max_file_bytes,
            max_pixels: limits.max_pixels,
            max_time: Duration::from_secs(limits.decode_seconds),
        }
    }

    /// The decoder of photos that are shown, which uses decoding processes if the settings say so.
    pub fn decoder(&self) -> Result<Decoder> {
        #[cfg(unix)]
        if self.config().limits.isolate {
            let decoders = Decoders::new(super::decoder::launch()?, self.limits());
            return Ok(Decoder::Isolated(Box::new(decoders)));
        }
        Ok(Decoder::Local(self.limits()))
    }

    /// The emotion classifier, ready to work.
    pub fn classifier(&self) -> Result<Cnn> {
        match self.model_file()? {
            Some((bytes, name)) => Cnn::read(&bytes, &name),
            None => Cnn::embedded(),
        }
    }

    /// The bytes and name of the model file; `None` for the built-in model.
    fn model_file(&self) -> Result<Option<(Vec<u8>, String)>> {
        let path = &self.config().classifier.model;
        if path.as_os_str().is_empty() {
            return Ok(None);
        }
        match std::fs::read(path) {
            Ok(bytes) => Ok(Some((bytes, path.display().to_string()))),
            Err(error) => Err(Error::Config(format!(
                "the model {} of the setting classifier.model cannot be read: {error}; choose another one with \
                 fer-index model use, or the built-in one with fer-index model use built-in",
                path.display()
            ))),
        }
    }

    /// The names under which the results of the models are stored. Does not load their weights.
    pub fn models(&self) -> Result<Models> {
        let detector = &self.config().detector;
        Ok(Models {
            detector: match detector.backend {
                DetectorBackend::Builtin => Builtin::MODEL.to_owned(),
                DetectorBackend::Command => {
                    let program = self.detector_program(detector.threshold)?;
                    program.model().to_owned()
                }
            },
            classifier: match self.model_file()? {
                Some((bytes, name)) => Cnn::identify(&bytes, &name)?,
                None => Cnn::identify_embedded()?,
            },
        })
    }

    /// The detector, the classifier and the limits of the settings.
    pub fn analyser(&self) -> Result<Analyser> {
        self.analyser_from(self.config().detector.threshold)
    }

    /// The same with another threshold of the detection score.
    pub fn analyser_from(&self, threshold: f32) -> Result<Analyser> {
        #[cfg(unix)]
        if self.config().limits.isolate {
            return self.isolated_analyser(threshold);
        }
        self.local_analyser(threshold).map(Analyser::Local)
    }

    /// The same in this process alone.
    pub fn local_analyser(&self, threshold: f32) -> Result<LocalAnalyser> {
        Ok(LocalAnalyser::new(
            self.detector(threshold)?,
            Box::new(self.classifier()?),
            self.limits(),
            self.config().detector.min_face,
        ))
    }

    /// The same in decoding processes. This process has a detector only if that is another program.
    #[cfg(unix)]
    fn isolated_analyser(&self, threshold: f32) -> Result<Analyser> {
        let settings = &self.config().detector;
        let (detector, outside) = match settings.backend {
            DetectorBackend::Builtin => {
                let params = self.detector_params(threshold);
                (pipeline::Detector::Builtin(params), None)
            }
            DetectorBackend::Command => {
                let command = self.detector_program(threshold)?;
                let asked = pipeline::Detector::OfParent {
                    model: command.model().to_owned(),
                    max_pixels: command.max_pixels(),
                };
                (asked, Some(Box::new(command) as Box<dyn FaceDetector>))
            }
        };
        let settings = ProcessSettings {
            limits: self.limits(),
            min_face: settings.min_face,
            detector,
            model: self.model_file()?,
            workers: self.threads().get(),
            timeout_margin: ProcessSettings::TIMEOUT_MARGIN,
        };
        let processes = Processes::start(super::decoder::launch()?, settings)?;
        Ok(Analyser::isolated(processes, outside))
    }

    /// The face detector with a threshold of the detection score.
    fn detector(&self, threshold: f32) -> Result<Box<dyn FaceDetector>> {
        Ok(match self.config().detector.backend {
            DetectorBackend::Builtin => Box::new(Builtin::new(self.detector_params(threshold))?),
            DetectorBackend::Command => Box::new(self.detector_program(threshold)?),
        })
    }

    /// The parameters of the built-in detector.
    fn detector_params(&self, threshold: f32) -> DetectorParams {
        DetectorParams {
            threshold,
            resolution: match self.config().detector.resolution {
                0 => Resolution::Auto,
                pixels => Resolution::Pixels(pixels),
            },
            ..DetectorParams::default()
        }
    }

    /// The detector program of the settings, started.
    fn detector_program(&self, threshold: f32) -> Result<Command> {
        let settings = &self.config().detector;
        let DetectorParams {
            suppress_iou,
            suppress_iom,
            ..
        } = DetectorParams::default();
        Command::start(CommandParams {
            command: settings.command.iter().map(OsString::from).collect(),
            time_limit: Duration::from_secs(settings.command_seconds),
            threshold,
            suppress_iou,
            suppress_iom,
        })
    }
}
