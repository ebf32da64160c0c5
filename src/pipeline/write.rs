//! Stores the workers' findings in transactions.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::IndexObserver;
use super::summary::Summary;
use super::work::{Claim, Claims, Finding, NewFile, Outcome};
use crate::error::{Result, Skip, SkipReason};
use crate::file::{FileMeta, is_gone};
use crate::photo::{ContentHash, Picture};
use crate::sidecar::Sidecar;
use crate::store::{Batch, KinFace, KnownPhoto, Models, PhotoId, PhotoRecord, Store};

/// Maximum number of findings in a transaction; more would not be faster, and a crash would lose
/// more work.
const BATCH_FINDINGS: usize = 64;

/// How long a finding may wait for others to share its transaction.
const BATCH_WAIT: Duration = Duration::from_millis(500);

/// A file that was read.
struct FileWithSidecars {
    path: PathBuf,
    meta: FileMeta,
    sidecars: Vec<Sidecar>,
}

/// Files that wait for the finding of another worker.
#[derive(Default)]
struct Waiting {
    /// Files with duplicate content, until that content is stored.
    contents: HashMap<ContentHash, Vec<FileWithSidecars>>,
    /// Files with a duplicate picture, until that picture is analysed.
    pictures: HashMap<Picture, Vec<(FileWithSidecars, NewFile)>>,
    /// The pictures that were skipped in this run.
    skipped: HashMap<Picture, Skip>,
}

/// Stores findings until the workers are done.
pub(super) struct Writer<'a> {
    store: &'a mut Store,
    observer: &'a dyn IndexObserver,
    claims: &'a Claims,
    models: &'a Models,
    pub summary: Summary,
    waiting: Waiting,
}

impl<'a> Writer<'a> {
    pub fn new(
        store: &'a mut Store,
        observer: &'a dyn IndexObserver,
        claims: &'a Claims,
        models: &'a Models,
        summary: Summary,
    ) -> Self {
        Self {
            store,
            observer,
            claims,
            models,
            summary,
            waiting: Waiting::default(),
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
        let (waiting, summary, models) = (&mut self.waiting, &mut self.summary, self.models);
        let is_reanalysing = self.claims.is_reanalysing();
        let (done, stored) = self.store.batch(|batch| {
            let mut writer = FindingWriter {
                is_reanalysing,
                batch,
                waiting,
                summary,
                models,
                done: Vec::new(),
                stored: Vec::new(),
            };
            for finding in findings {
                writer.store(finding)?;
            }
            Ok((writer.done, writer.stored))
        })?;
        self.claims.release(&stored);
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
    /// Whether this run analyses known content again.
    is_reanalysing: bool,
    batch: &'a Batch<'batch>,
    waiting: &'a mut Waiting,
    summary: &'a mut Summary,
    models: &'a Models,
    /// Files that are done once the transaction is committed.
    done: Vec<PathBuf>,
    /// Contents and pictures that the index has once the transaction is committed.
    stored: Vec<Claim>,
}

/// How a worker obtained the record of a content.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RecordSource {
    /// It decoded and analysed the picture.
    Analysis,
    /// It read the metadata.
    Metadata,
    /// It found the content in the index.
    Index,
}

impl FindingWriter<'_, '_> {
    fn store(&mut self, finding: Finding) -> Result<()> {
        let Finding {
            path,
            meta,
            outcome,
            sidecars,
        } = finding;
        let file = FileWithSidecars {
            path,
            meta,
            sidecars,
        };
        // The person may have asked for it to be forgotten while the file was processed.
        let outcome = match outcome {
            Outcome::Vanished | Outcome::Absent => outcome,
            _ if self.batch.is_forgotten(&file.path)? => Outcome::Forgotten,
            outcome if self.is_forgotten(&outcome)? => {
                self.forget_waiting(&outcome)?;
                Outcome::Forgotten
            }
            outcome => outcome,
        };
        match outcome {
            Outcome::Forgotten | Outcome::ForgottenPicture(..) => self.forget(file)?,
            Outcome::Vanished => {
                self.batch.remove_file(&file.path)?;
                self.summary.gone += 1;
                self.done.push(file.path);
            }
            Outcome::Absent => {
                let skip = Skip::new(SkipReason::Unreadable, "its disk was unmounted");
                self.leave(file, &skip);
            }
            // The index may have read this file before the disk failed.
            Outcome::Unread(skip)
                if skip.reason == SkipReason::Unreadable
                    && is_or_may_be_file(&file.path)
                    && self.batch.has_photo_at(&file.path)? =>
            {
                self.leave(file, &skip);
            }
            Outcome::Unread(skip) => {
                self.batch.put_file(&file.path, &file.meta, Err(&skip))?;
                self.batch.put_sidecars(&file.path, &file.sidecars)?;
                self.summary.skip(&file.path, &skip);
                self.done.push(file.path);
            }
            Outcome::New(record, kin, regions) => {
                let path = file.path.clone();
                if let Some(known) = self.record_in_force(&record)? {
                    let photo = known.id;
                    self.store_copy(file, &known)?;
                    self.stored.push(Claim::Content(record.hash));
                    self.batch
                        .note_compared(&path, &record.hash, false, false, &kin.seen)?;
                    return self.batch.put_searched(photo, &regions);
                }
                let is_new = self.batch.photo_by_hash(&record.hash)?.is_none();
                let photo =
                    self.store_picture(file, &record, &kin.faces, RecordSource::Analysis)?;
                let is_undecided = kin.is_undecided;
                self.batch
                    .note_compared(&path, &record.hash, is_new, is_undecided, &kin.seen)?;
                self.batch.put_searched(photo, &regions)?;
            }
            Outcome::SamePicture(record) => {
                let photo = self.store_picture(file, &record, &[], RecordSource::Metadata)?;
                self.batch.note_metadata(photo)?;
            }
            Outcome::Known(record) => match self.batch.photo_by_hash(&record.hash)? {
                Some(known) => {
                    self.store_copy(file, &known)?;
                    self.stored.push(Claim::Content(record.hash));
                }
                // Meanwhile the photo has taken the content of a file with the same picture.
                None => self
                    .store_content(file, &record, RecordSource::Index)
                    .map(drop)?,
            },
            Outcome::Duplicate(hash) => {
                if let Some(known) = self.batch.photo_by_hash(&hash)? {
                    self.store_copy(file, &known)?;
                } else {
                    self.waiting.contents.entry(hash).or_default().push(file);
                }
            }
            Outcome::DuplicatePicture(new) => {
                let picture = new.facts.picture;
                if let Some(skip) = self.waiting.skipped.get(&picture) {
                    let record = new.record(Err(skip.clone()));
                    self.store_content(file, &record, RecordSource::Metadata)?;
                } else if let Some(analysis) =
                    self.batch.analysis_of_picture(&picture, self.models)?
                {
                    let record = new.record(Ok(analysis));
                    self.store_content(file, &record, RecordSource::Metadata)?;
                } else {
                    let waiting = self.waiting.pictures.entry(picture).or_default();
                    waiting.push((file, *new));
                }
            }
        }
        Ok(())
    }

    /// Counts a file that could not be read and leaves its row as it is: what was found in it still holds.
    fn leave(&mut self, file: FileWithSidecars, skip: &Skip) {
        self.summary.skip(&file.path, skip);
        self.done.push(file.path);
    }

    /// The photo as the index has it, if a photo that was due for another analysis could not be analysed now, as when it took
    /// too long: what was found in it before still holds.
    fn record_in_force(&self, record: &PhotoRecord) -> Result<Option<KnownPhoto>> {
        let failed = record.content.as_ref().is_err();
        if self.is_reanalysing || !failed {
            return Ok(None);
        }
        let known = self.batch.photo_by_hash(&record.hash)?;
        Ok(known.filter(|known| known.outcome.as_ref() == Ok(self.models)))
    }

    /// Whether a finding belongs to a content or a picture that was forgotten.
    fn is_forgotten(&self, outcome: &Outcome) -> Result<bool> {
        let (content, picture) = match outcome {
            Outcome::New(record, ..) | Outcome::SamePicture(record) | Outcome::Known(record) => {
                (record.hash, record.picture.map(|picture| picture.hash))
            }
            Outcome::Duplicate(hash) => (*hash, None),
            Outcome::DuplicatePicture(new) => (new.hash, Some(new.facts.picture.hash)),
            Outcome::ForgottenPicture(hash, picture) => (*hash, Some(*picture)),
            Outcome::Unread(_) | Outcome::Vanished | Outcome::Absent | Outcome::Forgotten => {
                return Ok(false);
            }
        };
        self.batch.is_forgotten_photo(&content, picture.as_ref())
    }

    /// Forgets the files that wait for a content or a picture that was forgotten.
    fn forget_waiting(&mut self, outcome: &Outcome) -> Result<()> {
        let content = match outcome {
            Outcome::New(record, ..) | Outcome::SamePicture(record) => {
                let picture = record.picture.as_ref();
                let waiting = picture.and_then(|picture| self.waiting.pictures.remove(picture));
                for (file, _) in waiting.unwrap_or_default() {
                    self.forget(file)?;
                }
                record.hash
            }
            Outcome::ForgottenPicture(content, picture) => {
                self.batch.mark_forgotten(content, picture)?;
                *content
            }
            _ => return Ok(()),
        };
        for file in self.waiting.contents.remove(&content).unwrap_or_default() {
            self.forget(file)?;
        }
        Ok(())
    }

    /// Removes a file that was forgotten.
    fn forget(&mut self, file: FileWithSidecars) -> Result<()> {
        self.batch.remove_file(&file.path)?;
        self.done.push(file.path);
        Ok(())
    }

    /// Stores a content with all contents of the same picture that have arrived so far, and carries corrections
    /// over to its faces.
    fn store_picture(
        &mut self,
        file: FileWithSidecars,
        record: &PhotoRecord,
        kin: &[KinFace],
        source: RecordSource,
    ) -> Result<PhotoId> {
        let photo = self.store_content(file, record, source)?;
        self.batch.put_kin(photo, kin)?;
        let Some(picture) = record.picture else {
            return Ok(photo);
        };
        if let Err(skip) = &record.content {
            self.waiting.skipped.insert(picture, skip.clone());
        }
        self.stored.push(Claim::Picture(picture));
        for (file, new) in self.waiting.pictures.remove(&picture).unwrap_or_default() {
            let other = new.record(record.content.clone());
            self.store_content(file, &other, RecordSource::Metadata)?;
        }
        Ok(photo)
    }

    /// Stores a content, with all files of this content that have arrived so far.
    fn store_content(
        &mut self,
        file: FileWithSidecars,
        record: &PhotoRecord,
        source: RecordSource,
    ) -> Result<PhotoId> {
        let mut found = vec![file];
        let waiting = self.waiting.contents.remove(&record.hash);
        found.extend(waiting.unwrap_or_default());
        let (files, sidecars): (Vec<_>, Vec<_>) = found
            .into_iter()
            .map(|file| ((file.path, file.meta), file.sidecars))
            .unzip();
        let photo = self.batch.put_photo(record, &files)?;
        for ((path, _), sidecars) in files.iter().zip(&sidecars) {
            self.batch.put_sidecars(path, sidecars)?;
        }
        self.stored.push(Claim::Content(record.hash));
        let mut paths = files.into_iter().map(|(path, _)| path);
        if let Some(path) = paths.next() {
            match (&record.content, source) {
                (Ok(analysis), RecordSource::Analysis) => {
                    self.summary.photos += 1;
                    let faces = analysis.faces.iter();
                    self.summary.faces += faces.filter(|f| f.scores.is_human()).count() as u64;
                }
                (Ok(_), _) => {
                    self.summary.known += 1;
                    self.summary.metadata += u64::from(source == RecordSource::Metadata);
                }
                (Err(skip), _) => self.summary.skip(&path, skip),
            }
            self.done.push(path);
        }
        let outcome = record.content.as_ref().map_err(|skip| skip.reason);
        for path in paths {
            self.count_copy(path, outcome.map(|_| ()));
        }
        Ok(photo)
    }

    /// Stores a file whose content is in the index.
    fn store_copy(&mut self, file: FileWithSidecars, known: &KnownPhoto) -> Result<()> {
        self.batch.put_file(&file.path, &file.meta, Ok(known.id))?;
        self.batch.put_sidecars(&file.path, &file.sidecars)?;
        let outcome = known.outcome.as_ref().map_err(|reason| *reason);
        self.count_copy(file.path, outcome.map(|_| ()));
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

/// Whether there is a file at a path, or cannot be told because the disk fails.
fn is_or_may_be_file(path: &Path) -> bool {
    path.metadata()
        .map_or_else(|error| !is_gone(&error), |metadata| metadata.is_file())
}

#[cfg(test)]
mod tests;
