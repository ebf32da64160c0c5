//! The workers: one file at a time, from its path to what the writer is to store.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Analyser;
use super::budget::{Budget, cost};
use crate::album::FoundFile;
use crate::error::{Result, Skip};
use crate::file::{FileMeta, read_file};
use crate::imaging::add_sidecar_keywords;
use crate::photo::ContentHash;
use crate::store::{KnownPhoto, Models, PhotoRecord, Store};

/// What a worker found out about a file.
#[derive(Debug)]
pub(super) struct Finding {
    pub path: PathBuf,
    pub meta: FileMeta,
    pub outcome: Outcome,
}

#[derive(Debug)]
pub(super) enum Outcome {
    /// Content that was looked at just now.
    New(Box<PhotoRecord>),
    /// Content that the index has, looked at or skipped.
    Known(KnownPhoto, ContentHash),
    /// Content that another worker is looking at; its finding is on the way.
    Twin(ContentHash),
    /// The file could not be read.
    Unread(Skip),
    /// The file went away since it was found.
    Vanished,
}

impl Finding {
    /// The content that is in the index once the finding is committed.
    pub fn settles(&self) -> Option<ContentHash> {
        match &self.outcome {
            Outcome::New(record) => Some(record.hash),
            Outcome::Known(_, hash) => Some(*hash),
            _ => None,
        }
    }
}

/// Content that some worker of this run has taken on, so that copies cost one look.
#[derive(Debug)]
pub(super) struct Claims {
    taken: Mutex<HashSet<ContentHash>>,
    /// Known content is looked at as well.
    again: bool,
}

impl Claims {
    pub fn new(again: bool) -> Self {
        let taken = Mutex::default();
        Self { taken, again }
    }

    /// Whether nobody had it before.
    fn claim(&self, hash: ContentHash) -> bool {
        self.lock().insert(hash)
    }

    /// The content is committed: a copy finds it in the index from now on.
    pub fn settle(&self, hashes: &[ContentHash]) {
        // Where even known content is looked at, its claim says that it was.
        if !self.again {
            let mut taken = self.lock();
            for hash in hashes {
                taken.remove(hash);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<ContentHash>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A worker.
pub(super) struct Worker<'a> {
    pub analyser: &'a Analyser,
    pub models: &'a Models,
    pub claims: &'a Claims,
    pub budget: &'a Budget,
    /// A reader of its own: to know which content the index has.
    pub store: Store,
}

impl Worker<'_> {
    /// Looks at a file.
    ///
    /// # Errors
    /// Only what stops the program; what is wrong with the file is an [`Outcome`].
    pub fn look(&self, file: FoundFile) -> Result<Finding> {
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
            return Ok(Outcome::Twin(hash));
        }
        if !self.claims.again
            && let Some(known) = self.store.photo_by_hash(&hash)?
            && known.is_current(self.models)
        {
            return Ok(Outcome::Known(known, hash));
        }
        let share = self.budget.take(cost(bytes));
        let mut content = self.analyser.photo(bytes);
        drop(share);
        if let Ok(scan) = &mut content {
            add_sidecar_keywords(path, &mut scan.capture.keywords);
        }
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
    fn content_is_claimed_once() {
        let hash = ContentHash::of(b"x");
        for again in [false, true] {
            let claims = Claims::new(again);
            assert!(claims.claim(hash));
            assert!(!claims.claim(hash));
            claims.settle(&[hash]);
            assert_eq!(claims.claim(hash), !again);
        }
    }
}
