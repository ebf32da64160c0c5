//! The writer: stores the workers' findings in transactions.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::IndexObserver;
use super::summary::Summary;
use super::work::{Claims, Finding, Outcome};
use crate::error::{Result, Skip, SkipReason};
use crate::file::FileMeta;
use crate::photo::ContentHash;
use crate::sidecar::Sidecar;
use crate::store::{Batch, KnownPhoto, PhotoRecord, Store};

/// Maximum number of findings in a transaction; more would not be faster, and a crash would lose
/// more work.
const BATCH_FINDINGS: usize = 64;

/// How long a finding may wait for others to share its transaction.
const BATCH_WAIT: Duration = Duration::from_millis(500);

/// Files with duplicate content that wait until the finding for that content arrives from another
/// worker.
type Waiting = HashMap<ContentHash, Vec<(PathBuf, FileMeta, Vec<Sidecar>)>>;

/// Stores findings until the workers are done.
pub(super) struct Writer<'a> {
    store: &'a mut Store,
    observer: &'a dyn IndexObserver,
    claims: &'a Claims,
    pub summary: Summary,
    waiting: Waiting,
}

impl<'a> Writer<'a> {
    pub fn new(
        store: &'a mut Store,
        observer: &'a dyn IndexObserver,
        claims: &'a Claims,
        summary: Summary,
    ) -> Self {
        Self {
            store,
            observer,
            claims,
            summary,
            waiting: HashMap::new(),
        }
    }

    /// Stores findings as they arrive. The first error of a worker ends the loop, after the
    /// findings before it are stored.
    pub fn run(&mut self, findings: &Receiver<Result<Finding>>) -> Result<()> {
        loop {
            let (batch, end) = collect(findings);
            self.store_all(batch)?;
            if let Some(end) = end {
                return end;
            }
        }
    }

    fn store_all(&mut self, findings: Vec<Finding>) -> Result<()> {
        let completed: Vec<_> = findings.iter().filter_map(Finding::completes).collect();
        let (waiting, summary) = (&mut self.waiting, &mut self.summary);
        let done = self.store.batch(|batch| {
            let mut writer = FindingWriter {
                batch,
                waiting,
                summary,
                done: Vec::new(),
            };
            for finding in findings {
                writer.store(finding)?;
            }
            Ok(writer.done)
        })?;
        self.claims.release(&completed);
        // Only after the commit: a file that is reported as done is committed.
        for path in done {
            self.observer.done(&path, &self.summary);
        }
        Ok(())
    }
}

/// Receives the next batch of findings, and the result of the run if it has ended.
fn collect(findings: &Receiver<Result<Finding>>) -> (Vec<Finding>, Option<Result<()>>) {
    let mut batch = Vec::new();
    let mut deadline = None;
    while batch.len() < BATCH_FINDINGS {
        let next = match deadline {
            None => findings.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(deadline) => findings.recv_deadline(deadline),
        };
        match next {
            Ok(Ok(finding)) => batch.push(finding),
            Ok(Err(error)) => return (batch, Some(Err(error))),
            Err(RecvTimeoutError::Disconnected) => return (batch, Some(Ok(()))),
            Err(RecvTimeoutError::Timeout) => break,
        }
        deadline.get_or_insert_with(|| Instant::now() + BATCH_WAIT);
    }
    (batch, None)
}

/// Stores findings in one transaction.
struct FindingWriter<'a, 'batch> {
    batch: &'a Batch<'batch>,
    waiting: &'a mut Waiting,
    summary: &'a mut Summary,
    /// Files that are done once the transaction is committed.
    done: Vec<PathBuf>,
}

impl FindingWriter<'_, '_> {
    fn store(&mut self, finding: Finding) -> Result<()> {
        let Finding {
            path,
            meta,
            outcome,
            sidecars,
        } = finding;
        match outcome {
            Outcome::Vanished => {
                self.batch.remove_file(&path)?;
                self.summary.gone += 1;
            }
            Outcome::Unread(skip) => {
                self.batch.put_file(&path, &meta, Err(&skip))?;
                self.batch.put_sidecars(&path, &sidecars)?;
                self.summary.skip(&path, &skip);
            }
            Outcome::New(record) => return self.store_new((path, meta, sidecars), &record),
            Outcome::Known(known, _) => return self.store_copy(path, &meta, &sidecars, &known),
            Outcome::Duplicate(hash) => {
                if let Some(known) = self.batch.photo_by_hash(&hash)? {
                    return self.store_copy(path, &meta, &sidecars, &known);
                }
                let waiting = self.waiting.entry(hash).or_default();
                waiting.push((path, meta, sidecars));
                return Ok(());
            }
        }
        self.done.push(path);
        Ok(())
    }

    /// Stores a newly analysed content, with all files of this content that have arrived so far.
    fn store_new(
        &mut self,
        file: (PathBuf, FileMeta, Vec<Sidecar>),
        record: &PhotoRecord,
    ) -> Result<()> {
        let mut found = vec![file];
        found.extend(self.waiting.remove(&record.hash).unwrap_or_default());
        let (files, sidecars): (Vec<_>, Vec<_>) = found
            .into_iter()
            .map(|(path, meta, sidecars)| ((path, meta), sidecars))
            .unzip();
        self.batch.put_photo(record, &files)?;
        for ((path, _), sidecars) in files.iter().zip(&sidecars) {
            self.batch.put_sidecars(path, sidecars)?;
        }
        let mut paths = files.into_iter().map(|(path, _)| path);
        if let Some(path) = paths.next() {
            match &record.content {
                Ok(analysis) => {
                    self.summary.photos += 1;
                    self.summary.faces += analysis.faces.len() as u64;
                }
                Err(skip) => self.summary.skip(&path, skip),
            }
            self.done.push(path);
        }
        let outcome = record.content.as_ref().map_err(|skip| skip.reason);
        for path in paths {
            self.count_copy(path, outcome.map(|_| ()));
        }
        Ok(())
    }

    /// Stores a file whose content is in the index.
    fn store_copy(
        &mut self,
        path: PathBuf,
        meta: &FileMeta,
        sidecars: &[Sidecar],
        known: &KnownPhoto,
    ) -> Result<()> {
        self.batch.put_file(&path, meta, Ok(known.id))?;
        self.batch.put_sidecars(&path, sidecars)?;
        let outcome = known.outcome.as_ref().map_err(|reason| *reason);
        self.count_copy(path, outcome.map(|_| ()));
        Ok(())
    }

    /// Counts a file whose content is in the index, as known or as skipped.
    fn count_copy(&mut self, path: PathBuf, outcome: Result<(), SkipReason>) {
        match outcome {
            Ok(()) => self.summary.known += 1,
            Err(reason) => {
                let skip = Skip::new(reason, "the same content was skipped before");
                self.summary.skip(&path, &skip);
            }
        }
        self.done.push(path);
    }
}
