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

/// Files that were skipped for the same reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SkippedFiles {
    /// How many.
    pub count: u64,
    /// The first few of them; all are in the index.
    pub first: Vec<SkippedFile>,
}

/// How many skipped files of one reason are named.
const NAMED: usize = 3;

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
    pub skipped: BTreeMap<SkipReason, SkippedFiles>,
    /// Time from start to end.
    pub elapsed: Duration,
}

impl Summary {
    pub(super) fn skip(&mut self, path: &Path, skip: &Skip) {
        let files = self.skipped.entry(skip.reason).or_default();
        files.count += 1;
        if files.first.len() < NAMED {
            files.first.push(SkippedFile {
                path: path.to_path_buf(),
                skip: skip.clone(),
            });
        }
    }
}
