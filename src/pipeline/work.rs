//! The workers: one file at a time, from its path to what the writer is to store.

use std::collections::HashSet;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Analyser;
use super::budget::{Budget, cost};
use crate::album::FoundFile;
use crate::error::{Result, Skip, SkipReason};
use crate::file::FileMeta;
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

/// Reads a whole file of at most `limit` bytes, with the metadata it was read under; `None` if
/// there is no such file.
///
/// # Errors
/// [`SkipReason::PermissionDenied`], [`SkipReason::Unreadable`] or [`SkipReason::TooLarge`].
pub fn read_file(path: &Path, limit: u64) -> Result<Option<(FileMeta, Vec<u8>)>, Skip> {
    let unread = |error: &std::io::Error| match error.kind() {
        ErrorKind::NotFound => None,
        ErrorKind::PermissionDenied => Some(Skip::new(
            SkipReason::PermissionDenied,
            "the file may not be read",
        )),
        _ => Some(Skip::new(SkipReason::Unreadable, error.to_string())),
    };
    let attempt = || -> std::io::Result<Result<(FileMeta, Vec<u8>), Skip>> {
        // Asked before opening: to open a pipe is to wait for whoever writes to it.
        if !path.metadata()?.is_file() {
            return Ok(Err(Skip::new(
                SkipReason::Unreadable,
                "it is not a regular file",
            )));
        }
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.len() > limit {
            let detail = format!("{} bytes, and the limit is {limit}", metadata.len());
            return Ok(Err(Skip::new(SkipReason::TooLarge, detail)));
        }
        let mut bytes = Vec::with_capacity(metadata.len() as usize);
        // One byte more than allowed tells a file that grew past the limit meanwhile.
        file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limit {
            return Ok(Err(Skip::new(
                SkipReason::TooLarge,
                format!("the limit is {limit} bytes"),
            )));
        }
        Ok(Ok((FileMeta::of(&metadata), bytes)))
    };
    match attempt() {
        Ok(read) => read.map(Some),
        Err(error) => unread(&error).map_or(Ok(None), Err),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_over_the_limit_is_skipped_and_a_missing_one_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        std::fs::write(&path, b"12345").unwrap();
        assert_eq!(read_file(&path, 5).unwrap().unwrap().1, b"12345");
        assert_eq!(
            read_file(&path, 4).unwrap_err().reason,
            SkipReason::TooLarge
        );
        assert_eq!(read_file(&dir.path().join("b"), 4), Ok(None));
    }

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
