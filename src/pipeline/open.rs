//! Analyses photos on the calling thread or in decoding processes, as the settings say.

use std::borrow::Cow;
use std::path::Path;

#[cfg(unix)]
use super::analyse::analysis;
use super::analyse::{FoundInPhoto, LocalAnalyser};
use super::budget;
#[cfg(unix)]
use super::process::{Processes, Session};
#[cfg(unix)]
use crate::detect::FaceDetector;
use crate::error::Skip;
#[cfg(unix)]
use crate::error::SkipReason;
use crate::face::{BoundingBox, ScoredFace};
#[cfg(unix)]
use crate::file::read_bytes;
use crate::imaging::{self, Facts, Limits};
use crate::photo::ContentHash;
use crate::store::{Models, PhotoAnalysis};

/// Analyses photos with a detector and a classifier.
pub enum Analyser {
    /// On the calling thread.
    Local(LocalAnalyser),
    /// In processes of their own. Their models are not loaded in this one.
    #[cfg(unix)]
    Isolated(Box<Isolated>),
}

/// Decoding processes, and the detector that they ask.
#[cfg(unix)]
pub struct Isolated {
    processes: Processes,
    /// The detector, if it does not run in the processes.
    detector: Option<Box<dyn FaceDetector>>,
}

impl Analyser {
    /// An analyser that has photos read, decoded and analysed in `processes`, which ask `detector` for the faces if
    /// they have no detector.
    #[cfg(unix)]
    pub fn isolated(processes: Processes, detector: Option<Box<dyn FaceDetector>>) -> Self {
        Self::Isolated(Box::new(Isolated {
            processes,
            detector,
        }))
    }

    /// The limits for decoding a photo.
    pub const fn limits(&self) -> &Limits {
        match self {
            Self::Local(local) => local.limits(),
            #[cfg(unix)]
            Self::Isolated(isolated) => isolated.processes.limits(),
        }
    }

    /// The names of the models, as they are stored with their results.
    pub fn models(&self) -> Models {
        match self {
            Self::Local(local) => local.models(),
            #[cfg(unix)]
            Self::Isolated(isolated) => isolated.processes.models().clone(),
        }
    }

    /// Decodes a photo, detects its faces and reads the emotion of each.
    ///
    /// # Errors
    /// If the bytes are not a photo that can be decoded.
    pub fn photo(&self, bytes: &[u8]) -> Result<PhotoAnalysis<ScoredFace>, Skip> {
        match self {
            Self::Local(local) => local.photo(bytes),
            #[cfg(unix)]
            Self::Isolated(_) => {
                let opened = self.open(bytes)?;
                opened.analyse(&[], |_| ()).map(|(analysis, ())| analysis)
            }
        }
    }

    /// Reads the facts of a photo, as the first part of its analysis.
    ///
    /// # Errors
    /// If its headers show that it cannot be decoded.
    pub fn open<'a>(&'a self, photo: impl Into<PhotoBytes<'a>>) -> Result<Opened<'a>, Skip> {
        let photo = photo.into();
        match self {
            Self::Local(local) => Ok(Opened {
                facts: imaging::facts(&photo.bytes, local.limits())?,
                cost: budget::decoding_cost(&photo.bytes),
                mode: Mode::Local(local, photo.bytes),
            }),
            #[cfg(unix)]
            Self::Isolated(isolated) => {
                let (session, facts, cost) = isolated.processes.open(&photo.bytes)?;
                Ok(Opened {
                    facts,
                    cost,
                    mode: Mode::Isolated(isolated, session, photo.without_those_of_a_file()),
                })
            }
        }
    }
}

/// The bytes of a photo, and the file in which they are found again.
pub struct PhotoBytes<'a> {
    bytes: Cow<'a, [u8]>,
    /// The file that they were read from, and their hash.
    file: Option<(&'a Path, ContentHash)>,
}

impl<'a> From<&'a [u8]> for PhotoBytes<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self {
            bytes: bytes.into(),
            file: None,
        }
    }
}

impl<'a> PhotoBytes<'a> {
    /// The bytes of a file, which is read again if they are needed once more, so that they need not be kept meanwhile.
    pub const fn of_file(bytes: Vec<u8>, path: &'a Path, hash: ContentHash) -> Self {
        Self {
            bytes: Cow::Owned(bytes),
            file: Some((path, hash)),
        }
    }

    /// The same without bytes that can be read again.
    #[cfg(unix)]
    fn without_those_of_a_file(self) -> Self {
        match self.file {
            Some(_) => Self {
                bytes: Cow::default(),
                ..self
            },
            None => self,
        }
    }

    /// The bytes, if need be read again from a file of at most `limit` bytes.
    #[cfg(unix)]
    fn again(&self, limit: u64) -> Result<Cow<'_, [u8]>, Skip> {
        let Some((path, hash)) = self.file else {
            return Ok((&*self.bytes).into());
        };
        let bytes = read_bytes(path, limit)?;
        if ContentHash::of(&bytes) != hash {
            let detail = "the file changed while it was analysed; the next run reads it again";
            return Err(Skip::new(SkipReason::Unreadable, detail));
        }
        Ok(bytes.into())
    }
}

/// A photo whose facts have been read.
pub struct Opened<'a> {
    facts: Facts,
    cost: u64,
    mode: Mode<'a>,
}

/// How the rest of the analysis is done.
enum Mode<'a> {
    Local(&'a LocalAnalyser, Cow<'a, [u8]>),
    /// With a process that has the photo; the bytes are for another one if this process dies.
    #[cfg(unix)]
    Isolated(&'a Isolated, Session<'a>, PhotoBytes<'a>),
}

impl Opened<'_> {
    /// What is read of it without decoding its pixels.
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// How many bytes of memory it takes to decode it, estimated.
    pub const fn cost(&self) -> u64 {
        self.cost
    }

    /// Decodes the photo, detects its faces and reads the emotion of each; `named` are the regions in which people are named,
    /// which are searched more closely if no face is found there. When the faces have been found, also calls `on_found`,
    /// whose last result is returned as well; it is called again if the process that decodes the photo has died since.
    ///
    /// # Errors
    /// If it cannot be decoded, or if the detector fails.
    pub(super) fn analyse<T>(
        self,
        named: &[BoundingBox],
        on_found: impl Fn(&mut FoundInPhoto<'_>) -> T,
    ) -> Result<(PhotoAnalysis<ScoredFace>, T), Skip> {
        match self.mode {
            Mode::Local(local, bytes) => {
                let decoded = local.decode(Some(self.facts), bytes)?;
                local.analyse_decoded(decoded, named, on_found)
            }
            #[cfg(unix)]
            Mode::Isolated(isolated, session, photo) => {
                let limit = isolated.processes.limits().max_bytes;
                let capture = self.facts.capture();
                let detector = isolated.detector.as_deref();
                let (found, scores, seen) = session.analyse(
                    || photo.again(limit),
                    named,
                    detector,
                    |found, pictures| {
                        on_found(&mut FoundInPhoto {
                            capture: capture.clone(),
                            size: found.size,
                            faces: &found.large_enough,
                            pictures,
                        })
                    },
                )?;
                let Facts {
                    format, statements, ..
                } = self.facts;
                let models = isolated.processes.models().clone();
                Ok((
                    analysis(models, format.name(), statements, found, scores),
                    seen,
                ))
            }
        }
    }
}
