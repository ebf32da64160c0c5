//! The one writer: findings come in, transactions go out.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::Observer;
use super::summary::Summary;
use super::work::{Finding, Outcome};
use crate::error::{Result, Skip};
use crate::file::FileMeta;
use crate::photo::ContentHash;
use crate::store::{Batch, PhotoId, Store};

/// Findings in a transaction at most; more would not be faster, and a crash costs more work.
const BATCH_FINDINGS: usize = 64;

/// How long a finding may wait for others to share its transaction.
const BATCH_WAIT: Duration = Duration::from_millis(500);

/// What is stored of a content: the photo, its faces, or why it was skipped.
type Stored = (PhotoId, Option<Skip>);

/// Takes findings until the workers are done.
pub(super) struct Writer<'a> {
    store: &'a mut Store,
    observer: &'a dyn Observer,
    pub summary: Summary,
    /// Content stored in this run.
    stored: HashMap<ContentHash, Stored>,
    /// Files whose content another worker is still looking at.
    waiting: HashMap<ContentHash, Vec<(PathBuf, FileMeta)>>,
}

impl<'a> Writer<'a> {
    pub fn new(store: &'a mut Store, observer: &'a dyn Observer, summary: Summary) -> Self {
        let (stored, waiting) = (HashMap::new(), HashMap::new());
        Self {
            store,
            observer,
            summary,
            stored,
            waiting,
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
        let Self {
            store,
            stored,
            waiting,
            summary,
            ..
        } = self;
        let paths: Vec<PathBuf> = findings
            .iter()
            .map(|finding| finding.path.clone())
            .collect();
        store.batch(|batch| {
            for finding in findings {
                store_one(batch, finding, stored, waiting, summary)?;
            }
            Ok(())
        })?;
        // After the commit: what was told done is done.
        for path in paths {
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

fn store_one(
    batch: &Batch<'_>,
    finding: Finding,
    stored: &mut HashMap<ContentHash, Stored>,
    waiting: &mut HashMap<ContentHash, Vec<(PathBuf, FileMeta)>>,
    summary: &mut Summary,
) -> Result<()> {
    let Finding {
        path,
        meta,
        outcome,
    } = finding;
    match outcome {
        Outcome::Vanished => {
            batch.remove_file(&path)?;
            summary.gone += 1;
        }
        Outcome::Unread(skip) => {
            batch.put_file(&path, &meta, Err(&skip))?;
            summary.skip(&path, &skip);
        }
        Outcome::Known { id, hash, skip } => {
            waiting.entry(hash).or_default().push((path, meta));
            stored.insert(hash, (id, skip));
            release(batch, &hash, stored, waiting, summary)?;
        }
        Outcome::New(record) => {
            let id = batch.put_photo(&record)?;
            batch.put_file(&path, &meta, Ok(id))?;
            let skip = match &record.content {
                Ok(scan) => {
                    summary.photos += 1;
                    summary.faces += scan.faces.len() as u64;
                    None
                }
                Err(skip) => {
                    summary.skip(&path, skip);
                    Some(skip.clone())
                }
            };
            stored.insert(record.hash, (id, skip));
            release(batch, &record.hash, stored, waiting, summary)?;
        }
        Outcome::Twin(hash) => {
            waiting.entry(hash).or_default().push((path, meta));
            release(batch, &hash, stored, waiting, summary)?;
        }
    }
    Ok(())
}

/// Stores the files that waited for a content, once it is there.
fn release(
    batch: &Batch<'_>,
    hash: &ContentHash,
    stored: &HashMap<ContentHash, Stored>,
    waiting: &mut HashMap<ContentHash, Vec<(PathBuf, FileMeta)>>,
    summary: &mut Summary,
) -> Result<()> {
    let Some((id, skip)) = stored.get(hash) else {
        return Ok(());
    };
    for (path, meta) in waiting.remove(hash).unwrap_or_default() {
        batch.put_file(&path, &meta, Ok(*id))?;
        match skip {
            Some(skip) => summary.skip(&path, skip),
            None => summary.known += 1,
        }
    }
    Ok(())
}
