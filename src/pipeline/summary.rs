//! Counts what a run did.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Skip, SkipReason};

/// A file that was skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedFile {
    /// The file.
    pub path: PathBuf,
    /// Why it was skipped.
    pub skip: Skip,
}

/// Files skipped for one reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SkippedFiles {
    /// Their number.
    pub count: u64,
    /// The first few of them, for messages; the index has all.
    pub first: Vec<SkippedFile>,
}

/// How many skipped files of each reason are named.
const NAMED: usize = 3;

/// The counts of a run; they grow while it is in progress.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Photos that were analysed.
    pub photos: u64,
    /// Faces in them.
    pub faces: u64,
    /// Files with duplicate content, or whose content was already in the index.
    pub known: u64,
    /// Files that were unchanged since they were indexed and were not opened.
    pub unchanged: u64,
    /// Files that no longer exist.
    pub gone: u64,
    /// Files that are no photos by their names, and were not opened.
    pub passed_over: u64,
    /// Files that were skipped, by reason.
    pub skipped: BTreeMap<SkipReason, SkippedFiles>,
    /// Duration of the run.
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
