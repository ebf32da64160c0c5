//! The workers: each processes one file at a time, from its path to the finding that the writer
//! stores.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Analyser;
use super::budget::{Budget, cost};
use super::look::{Look, look};
use crate::album::{FoundFile, Named};
use crate::error::{Result, Skip};
use crate::file::{FileMeta, read_file};
use crate::imaging::read_sidecars;
use crate::photo::ContentHash;
use crate::sidecar::Sidecar;
use crate::store::{KnownPhoto, Models, PhotoRecord, Store};

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
    /// Content that the worker has just analysed.
    New(Box<PhotoRecord>),
    /// Content that the index already has, analysed or skipped.
    Known(KnownPhoto, ContentHash),
    /// Duplicate content: another worker has claimed it, and its finding may not be committed yet.
    Duplicate(ContentHash),
    /// The file could not be read, or its first bytes say that it is no photo.
    Unread(Skip),
    /// The file no longer exists.
    Vanished,
}

impl Finding {
    /// The content that the index has once the finding is committed.
    pub fn completes(&self) -> Option<ContentHash> {
        match &self.outcome {
            Outcome::New(record) => Some(record.hash),
            Outcome::Known(_, hash) => Some(*hash),
            _ => None,
        }
    }
}

/// The contents that the workers of this run have claimed, so that each is analysed once, however
/// many copies there are.
#[derive(Debug)]
pub(super) struct Claims {
    claimed: Mutex<HashSet<ContentHash>>,
    /// Whether known content is analysed again.
    again: bool,
}

impl Claims {
    pub fn new(again: bool) -> Self {
        let claimed = Mutex::default();
        Self { claimed, again }
    }

    /// Claims a content; returns whether no other worker has claimed it.
    fn claim(&self, hash: ContentHash) -> bool {
        self.lock().insert(hash)
    }

    /// Releases the claims of contents that are committed: from now on, workers find them in the
    /// index.
    pub fn release(&self, hashes: &[ContentHash]) {
        // If known content is analysed again, the claim stays: it marks the content as done in this
        // run.
        if !self.again {
            let mut claimed = self.lock();
            for hash in hashes {
                claimed.remove(hash);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<ContentHash>> {
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
}

impl Worker<'_> {
    /// Processes a file.
    ///
    /// # Errors
    /// Only errors that stop the program; a problem with the file is an [`Outcome`].
    pub fn process(&self, file: FoundFile) -> Result<Finding> {
        let FoundFile { path, meta } = file;
        if Named::of(&path) == Named::Unknown {
            let (meta, outcome) = match look(&path) {
                Ok(Look::Photo) => return self.read(path, meta),
                Ok(Look::Other(meta, skip)) => (meta, Outcome::Unread(skip)),
                Ok(Look::Vanished) => (meta, Outcome::Vanished),
                Err(skip) => (meta, Outcome::Unread(skip)),
            };
            let sidecars = read_sidecars(&path);
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
                    path,
                    meta,
                    outcome: Outcome::Vanished,
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
        let outcome = self.content(&bytes)?;
        let sidecars = read_sidecars(&path);
        Ok(Finding {
            path,
            meta,
            outcome,
            sidecars,
        })
    }

    fn content(&self, bytes: &[u8]) -> Result<Outcome> {
        let hash = ContentHash::of(bytes);
        if !self.claims.claim(hash) {
            return Ok(Outcome::Duplicate(hash));
        }
        if !self.claims.again
            && let Some(known) = self.store.photo_by_hash(&hash)?
            && known.is_current(self.models)
        {
            return Ok(Outcome::Known(known, hash));
        }
        let share = self.budget.take(cost(bytes));
        let content = self.analyser.photo(bytes);
        drop(share);
        let bytes = bytes.len() as u64;
        Ok(Outcome::New(Box::new(PhotoRecord {
            hash,
            bytes,
            content,
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_is_claimed_once_and_again_only_after_its_release() {
        let hash = ContentHash::of(b"x");
        for again in [false, true] {
            let claims = Claims::new(again);
            assert!(claims.claim(hash));
            assert!(!claims.claim(hash));
            claims.release(&[hash]);
            assert_eq!(claims.claim(hash), !again);
        }
    }
}
