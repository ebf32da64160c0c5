//! The one writer: findings come in, transactions go out.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::Observer;
use super::summary::Summary;
use super::work::{Claims, Finding, Outcome};
use crate::error::{Result, Skip, SkipReason};
use crate::file::FileMeta;
use crate::photo::ContentHash;
use crate::store::{Batch, KnownPhoto, PhotoRecord, Store};

/// Findings in a transaction at most; more would not be faster, and a crash costs more work.
const BATCH_FINDINGS: usize = 64;

/// How long a finding may wait for others to share its transaction.
const BATCH_WAIT: Duration = Duration::from_millis(500);

/// Files that wait for the finding of a content, which another worker is looking at.
type Waiting = HashMap<ContentHash, Vec<(PathBuf, FileMeta)>>;

/// Takes findings until the workers are done.
pub(super) struct Writer<'a> {
    store: &'a mut Store,
    observer: &'a dyn Observer,
    claims: &'a Claims,
    pub summary: Summary,
    waiting: Waiting,
}

impl<'a> Writer<'a> {
    pub fn new(
        store: &'a mut Store,
        observer: &'a dyn Observer,
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

    /// Stores findings as they come. The first error of a worker ends it, after what came before
    /// is stored.
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
        let settled: Vec<_> = findings.iter().filter_map(Finding::settles).collect();
        let (waiting, summary) = (&mut self.waiting, &mut self.summary);
        let done = self.store.batch(|batch| {
            let mut storing = Storing {
                batch,
                waiting,
                summary,
                done: Vec::new(),
            };
            for finding in findings {
                storing.finding(finding)?;
            }
            Ok(storing.done)
        })?;
        self.claims.settle(&settled);
        // After the commit: what was told done is done.
        for path in done {
            self.observer.done(&path, &self.summary);
        }
        Ok(())
    }
}

/// The next batch, and how the run ended if it did.
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

/// The storing of findings in one transaction.
struct Storing<'a, 'batch> {
    batch: &'a Batch<'batch>,
    waiting: &'a mut Waiting,
    summary: &'a mut Summary,
    /// Files that are done with the transaction.
    done: Vec<PathBuf>,
}

impl Storing<'_, '_> {
    fn finding(&mut self, finding: Finding) -> Result<()> {
        let Finding {
            path,
            meta,
            outcome,
        } = finding;
        match outcome {
            Outcome::Vanished => {
                self.batch.remove_file(&path)?;
                self.summary.gone += 1;
            }
            Outcome::Unread(skip) => {
                self.batch.put_file(&path, &meta, Err(&skip))?;
                self.summary.skip(&path, &skip);
            }
            Outcome::New(record) => return self.new_content(path, meta, &record),
            Outcome::Known(known, _) => return self.copy(path, &meta, &known),
            Outcome::Twin(hash) => {
                if let Some(known) = self.batch.photo_by_hash(&hash)? {
                    return self.copy(path, &meta, &known);
                }
                self.waiting.entry(hash).or_default().push((path, meta));
                return Ok(());
            }
        }
        self.done.push(path);
        Ok(())
    }

    /// Stores what was found in a content, with all files of it that have come so far.
    fn new_content(&mut self, path: PathBuf, meta: FileMeta, record: &PhotoRecord) -> Result<()> {
        let mut files = vec![(path, meta)];
        files.extend(self.waiting.remove(&record.hash).unwrap_or_default());
        self.batch.put_photo(record, &files)?;
        let mut paths = files.into_iter().map(|(path, _)| path);
        if let Some(path) = paths.next() {
            match &record.content {
                Ok(scan) => {
                    self.summary.photos += 1;
                    self.summary.faces += scan.faces.len() as u64;
                }
                Err(skip) => self.summary.skip(&path, skip),
            }
            self.done.push(path);
        }
        let outcome = record.content.as_ref().map_err(|skip| skip.reason);
        for path in paths {
            self.copied(path, outcome.map(|_| ()));
        }
        Ok(())
    }

    /// Stores a file whose content is known.
    fn copy(&mut self, path: PathBuf, meta: &FileMeta, known: &KnownPhoto) -> Result<()> {
        self.batch.put_file(&path, meta, Ok(known.id))?;
        let outcome = known.outcome.as_ref().map_err(|reason| *reason);
        self.copied(path, outcome.map(|_| ()));
        Ok(())
    }

    /// Counts a file whose content is known, as it was looked at or skipped.
    fn copied(&mut self, path: PathBuf, outcome: Result<(), SkipReason>) {
        match outcome {
            Ok(()) => self.summary.known += 1,
            Err(reason) => {
                let skip = Skip::new(reason, "as before, under another name");
                self.summary.skip(&path, &skip);
            }
        }
        self.done.push(path);
    }
}
