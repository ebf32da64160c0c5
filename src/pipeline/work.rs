//! Processes files in worker threads, one file at a time, from its path to the finding that the writer
//! stores.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Analyser;
use super::budget::Budget;
use super::first_bytes::FirstBytes;
use super::kin::{self, Kin};
use super::open::PhotoBytes;
use crate::album::{FileKind, FoundFile};
use crate::error::{Result, Skip, SkipReason};
use crate::face::{BoundingBox, ScoredFace};
use crate::facts::{VERSION, of_content};
use crate::file::{FileMeta, read_file};
use crate::imaging::{Facts, read_sidecars};
use crate::mount::MountsBefore;
use crate::output;
use crate::photo::{ContentHash, Picture, PictureHash};
use crate::sidecar::{Finder, Sidecar};
use crate::store::{Models, NamedRegions, Occasion, PhotoAnalysis, PhotoRecord, Store};

/// The result of a worker for one file.
#[derive(Debug)]
pub(super) struct Finding {
    pub path: PathBuf,
    pub meta: FileMeta,
    pub outcome: Outcome,
    /// The sidecars beside the file.
    pub sidecars: Vec<Sidecar>,
}

#[derive(Debug)]
pub(super) enum Outcome {
    /// Content that the worker has just analysed, the pictures of its faces with corrections of kin, and the regions in
    /// which people are named.
    New(Box<PhotoRecord>, Kin, Vec<BoundingBox>),
    /// Content whose picture the index has. Only its metadata were read.
    SamePicture(Box<PhotoRecord>),
    /// Content that the index already has, analysed or skipped.
    Known(Box<PhotoRecord>),
    /// Duplicate content: another worker has claimed it, and its finding may not be committed yet.
    Duplicate(ContentHash),
    /// New content with a duplicate picture: another worker has claimed the picture.
    DuplicatePicture(Box<NewFile>),
    /// The file could not be read, or its first bytes say that it is no photo.
    Unread(Skip),
    /// The file no longer exists.
    Vanished,
    /// The file cannot be reached: its disk was unmounted.
    Absent,
    /// A person wanted the file or its content to be forgotten.
    Forgotten,
    /// New content with a picture that a person wanted to be forgotten.
    ForgottenPicture(ContentHash, PictureHash),
}

/// A content whose picture another worker analyses.
#[derive(Debug)]
pub(super) struct NewFile {
    pub hash: ContentHash,
    pub bytes: u64,
    pub facts: Facts,
}

impl NewFile {
    /// The record of this content if its picture has this analysis, or was skipped.
    pub fn record(self, analysis: Result<PhotoAnalysis<ScoredFace>, Skip>) -> PhotoRecord {
        let Self { hash, bytes, facts } = self;
        PhotoRecord {
            hash,
            bytes,
            picture: Some(facts.picture),
            content: analysis.map(|analysis| PhotoAnalysis {
                format: facts.format.name().to_owned(),
                capture: of_content(&facts.statements),
                statements: facts.statements,
                ..analysis
            }),
        }
    }
}

/// A content or picture that only one worker may process at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Claim {
    Content(ContentHash),
    /// Also the orientation: in another one a detector may find other faces.
    Picture(Picture),
}

/// The contents and pictures that the workers of this run have claimed, so that each is analysed
/// once, however many copies there are.
#[derive(Debug)]
pub(super) struct Claims {
    claimed: Mutex<HashSet<Claim>>,
    /// Whether known content is analysed again.
    reanalyse: bool,
}

impl Claims {
    pub fn new(reanalyse: bool) -> Self {
        let claimed = Mutex::default();
        Self { claimed, reanalyse }
    }

    /// Whether known content is analysed again.
    pub const fn is_reanalysing(&self) -> bool {
        self.reanalyse
    }

    /// Claims a content or a picture; returns whether no other worker has claimed it.
    fn claim(&self, claim: Claim) -> bool {
        self.lock().insert(claim)
    }

    /// Releases the claims of contents and pictures that are committed: from now on, workers find
    /// them in the index.
    pub fn release(&self, committed: &[Claim]) {
        // If known content is analysed again, the claim stays: it marks the content as done in this
        // run.
        if !self.reanalyse {
            let mut claimed = self.lock();
            for claim in committed {
                claimed.remove(claim);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<Claim>> {
        self.claimed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a worker thread needs to process files.
pub(super) struct Worker<'a> {
    pub analyser: &'a Analyser,
    pub models: &'a Models,
    pub claims: &'a Claims,
    pub budget: &'a Budget,
    /// A connection of its own, to look up which content the index has.
    pub store: Store,
    /// The mounts of the roots, and those below them, at the beginning of the run.
    pub mounts: &'a MountsBefore,
    /// Finds the sidecars of files.
    pub finder: Finder,
}

impl Worker<'_> {
    /// Processes a file.
    ///
    /// # Errors
    /// Only errors that stop the program; a problem with the file is an [`Outcome`].
    pub fn process(&self, file: FoundFile) -> Result<Finding> {
        let FoundFile { path, meta } = file;
        if self.store.is_forgotten(&path)? {
            return Ok(Finding {
                path,
                meta,
                outcome: Outcome::Forgotten,
                sidecars: Vec::new(),
            });
        }
        if FileKind::of(&path) == FileKind::Unknown {
            let (meta, outcome) = match FirstBytes::read(&path) {
                Ok(FirstBytes::Photo) => return self.read(path, meta),
                Ok(FirstBytes::Other(meta, skip)) => (meta, Outcome::Unread(skip)),
                Ok(FirstBytes::Vanished) => (meta, self.vanished(&path)),
                Err(skip) => (meta, Outcome::Unread(skip)),
            };
            let sidecars = read_sidecars(&path, &self.finder);
            return Ok(Finding {
                path,
                meta,
                outcome,
                sidecars,
            });
        }
        self.read(path, meta)
    }

    /// Reads the whole of a file, which had this metadata, and processes its content.
    fn read(&self, path: PathBuf, meta: FileMeta) -> Result<Finding> {
        let (meta, bytes) = match read_file(&path, self.analyser.limits().max_bytes) {
            Ok(Some((meta, bytes))) => (meta, bytes),
            Ok(None) => {
                return Ok(Finding {
                    outcome: self.vanished(&path),
                    path,
                    meta,
                    sidecars: Vec::new(),
                });
            }
            Err(skip) => {
                return Ok(Finding {
                    path,
                    meta,
                    outcome: Outcome::Unread(skip),
                    sidecars: Vec::new(),
                });
            }
        };
        tracing::debug!("{} was read", path.display());
        let outcome = self.process_content(&path, bytes)?;
        let sidecars = read_sidecars(&path, &self.finder);
        Ok(Finding {
            path,
            meta,
            outcome,
            sidecars,
        })
    }

    /// The outcome of a file that is not there any more.
    fn vanished(&self, path: &Path) -> Outcome {
        if self.mounts.have_changed_at(path) {
            Outcome::Absent
        } else {
            Outcome::Vanished
        }
    }

    fn process_content(&self, path: &Path, bytes: Vec<u8>) -> Result<Outcome> {
        let hash = ContentHash::of(&bytes);
        if self.store.is_forgotten_content(&hash)? {
            return Ok(Outcome::Forgotten);
        }
        if !self.claims.claim(Claim::Content(hash)) {
            return Ok(Outcome::Duplicate(hash));
        }
        let NamedRegions {
            regions,
            needs_search,
        } = self.store.named_regions(&hash)?;
        let is_due = needs_search || self.store.is_kin_due(path, &hash)?;
        let known = if is_due {
            None
        } else {
            self.known_record(&hash)?
        };
        // The picture of a photo that was analysed before pictures were hashed is unknown; and what an older
        // reader found in its metadata is read anew.
        let is_read = |known: &PhotoRecord| match &known.content {
            Ok(analysis) => known.picture.is_some() && analysis.statements.version == VERSION,
            Err(_) => true,
        };
        let unread = match known {
            Some(record) if is_read(&record) => return Ok(Outcome::Known(Box::new(record))),
            unread => unread,
        };
        let length = bytes.len() as u64;
        let opened = if output::is_sealed(&bytes) {
            Err(Skip::new(
                SkipReason::OwnOutput,
                "a contact sheet, drawing or plot, whose faces are those of other photos",
            ))
        } else {
            self.analyser.open(PhotoBytes::of_file(bytes, path, hash))
        };
        let opened = match opened {
            Ok(opened) => opened,
            Err(skip) => {
                let record = PhotoRecord {
                    hash,
                    bytes: length,
                    picture: None,
                    content: Err(skip),
                };
                return Ok(Outcome::New(Box::new(record), Kin::default(), Vec::new()));
            }
        };
        let picture = opened.facts().picture;
        if self.store.is_forgotten_picture(&picture.hash)? {
            return Ok(Outcome::ForgottenPicture(hash, picture.hash));
        }
        let new = NewFile {
            hash,
            bytes: length,
            facts: opened.facts().clone(),
        };
        // If the hash of the picture has changed, the way in which the picture is decoded has changed, too.
        let is_same = |record: &PhotoRecord| record.picture.is_none_or(|before| before == picture);
        if let Some(record) = unread.filter(is_same) {
            return Ok(Outcome::SamePicture(Box::new(new.record(record.content))));
        }
        // A run that analyses everything again does so with each content, so that its result cannot
        // depend on an earlier one. A photo that is due for another analysis has its picture in the index.
        if !self.claims.reanalyse && !is_due {
            if !self.claims.claim(Claim::Picture(picture)) {
                return Ok(Outcome::DuplicatePicture(Box::new(new)));
            }
            let same = self
                .store
                .analysis_of_picture(path, &picture, self.models)?;
            if let Some(analysis) = same {
                return Ok(Outcome::SamePicture(Box::new(new.record(Ok(analysis)))));
            }
        }
        let reservation = self.budget.reserve(opened.cost());
        let occasion = if is_due {
            Occasion::AfterRun(path)
        } else {
            Occasion::Analysis(path)
        };
        let analysed = opened.analyse(&regions, |found| {
            kin::of_analysis(&self.store, occasion, &hash, found)
        });
        drop(reservation);
        let (content, kin) = match analysed {
            Ok((analysis, kin)) => (Ok(analysis), kin?),
            Err(skip) => (Err(skip), Kin::default()),
        };
        let record = PhotoRecord {
            hash,
            bytes: length,
            picture: Some(picture),
            content,
        };
        Ok(Outcome::New(Box::new(record), kin, regions))
    }

    /// The photo with this content, if the index has analysed it with the present models and all features, or skipped it
    /// for a reason that lies in its content.
    fn known_record(&self, hash: &ContentHash) -> Result<Option<PhotoRecord>> {
        if self.claims.reanalyse {
            return Ok(None);
        }
        let photo = self.store.photo_by_hash(hash)?;
        let Some(photo) = photo.filter(|photo| photo.is_current(self.models)) else {
            return Ok(None);
        };
        // Between the two queries the photo may have taken another content.
        let record = self.store.record(photo.id)?;
        Ok(record.filter(|record| record.hash == *hash && record.has_features()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_is_claimed_once_and_again_only_after_its_release() {
        let content = Claim::Content(ContentHash::of(b"x"));
        for reanalyse in [false, true] {
            let claims = Claims::new(reanalyse);
            assert!(claims.claim(content));
            assert!(!claims.claim(content));
            claims.release(&[content]);
            assert_eq!(claims.claim(content), !reanalyse);
        }
    }
}
