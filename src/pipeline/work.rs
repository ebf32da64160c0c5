//! The workers: each processes one file at a time, from its path to the finding that the writer
//! stores.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::budget::{Budget, cost};
use super::{Analyser, kin};
use crate::album::FoundFile;
use crate::error::{Result, Skip};
use crate::file::{FileMeta, read_file};
use crate::imaging::add_sidecar_keywords;
use crate::photo::ContentHash;
use crate::store::{KinFace, KnownPhoto, Models, PhotoRecord, Store};

/// The result of a worker for one file.
#[derive(Debug)]
pub(super) struct Finding {
    pub path: PathBuf,
    pub meta: FileMeta,
    pub outcome: Outcome,
}

#[derive(Debug)]
pub(super) enum Outcome {
    /// Content that the worker has just analysed, and what is kin to its faces.
    New(Box<PhotoRecord>, Vec<KinFace>),
    /// Content that the index already has, analysed or skipped.
    Known(KnownPhoto, ContentHash),
    /// Duplicate content: another worker has claimed it, and its finding may not be committed yet.
    Duplicate(ContentHash),
    /// The file could not be read.
    Unread(Skip),
    /// The file no longer exists.
    Vanished,
}

impl Finding {
    /// The content that the index has once the finding is committed.
    pub fn completes(&self) -> Option<ContentHash> {
        match &self.outcome {
            Outcome::New(record, _) => Some(record.hash),
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
        let (meta, bytes) = match read_file(&path, self.analyser.limits().max_bytes) {
            Ok(Some((meta, bytes))) => (meta, bytes),
            Ok(None) => {
                return Ok(Finding {
                    path,
                    meta,
                    outcome: Outcome::Vanished,
                });
            }
            Err(skip) => {
                return Ok(Finding {
                    path,
                    meta,
                    outcome: Outcome::Unread(skip),
                });
            }
        };
        let outcome = self.content(&path, &bytes)?;
        Ok(Finding {
            path,
            meta,
            outcome,
        })
    }

    fn content(&self, path: &Path, bytes: &[u8]) -> Result<Outcome> {
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
        let look =
            |decoded: &_, faces: &[_]| kin::of_analysis(&self.store, path, &hash, decoded, faces);
        let seen = self.analyser.photo_and(bytes, look);
        drop(share);
        let (mut content, kin) = match seen {
            Ok((analysis, kin)) => (Ok(analysis), kin?),
            Err(skip) => (Err(skip), Vec::new()),
        };
        if let Ok(analysis) = &mut content {
            add_sidecar_keywords(path, &mut analysis.capture.keywords);
        }
        let bytes = bytes.len() as u64;
        let record = PhotoRecord {
            hash,
            bytes,
            content,
        };
        Ok(Outcome::New(Box::new(record), kin))
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
