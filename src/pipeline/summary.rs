//! What a run did.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Skip, SkipReason};

/// A file that was skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedFile {
    /// The file.
    pub path: PathBuf,
    /// What was wrong with it.
    pub skip: Skip,
}

/// Counts of a run; the figures grow while it goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Photos that were looked at.
    pub photos: u64,
    /// Faces in them.
    pub faces: u64,
    /// Files whose content was known, under another name or from before.
    pub known: u64,
    /// Files that were as the index has them and were not opened.
    pub unchanged: u64,
    /// Files that are no longer there.
    pub gone: u64,
    /// Files that were skipped, by reason.
    pub skipped: BTreeMap<SkipReason, Vec<SkippedFile>>,
    /// Time from start to end.
    pub elapsed: Duration,
}

impl Summary {
    pub(super) fn skip(&mut self, path: &Path, skip: &Skip) {
        let file = SkippedFile {
            path: path.to_path_buf(),
            skip: skip.clone(),
        };
        self.skipped.entry(skip.reason).or_default().push(file);
    }

    /// How many files were skipped.
    pub fn skipped_count(&self) -> u64 {
        self.skipped.values().map(|files| files.len() as u64).sum()
    }
}
