//! Bringing the index up to date with the disk.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crossbeam_channel::bounded;

use super::budget::Budget;
use super::plan::Comparison;
use super::work::{Claims, Worker};
use super::write::Writer;
use super::{Analyser, Summary};
use crate::album::{Filter, FoundFile, outermost, resolve_root};
use crate::error::Result;
use crate::store::Store;

/// Files waiting for a worker, for each of them: enough that none is idle.
const JOBS_PER_WORKER: usize = 2;

/// Findings waiting for the writer, for each worker: a transaction may take a while.
const FINDINGS_PER_WORKER: usize = 16;

/// Bytes of all images in flight, from the file to the faces: a dozen of an ordinary camera, or one
/// of the largest that the limits let through, which then has the memory to itself.
const BYTES_IN_FLIGHT: u64 = 1 << 30;

/// How to go about it.
#[derive(Debug, Clone, Copy)]
pub struct IndexOptions {
    /// Worker threads.
    pub threads: NonZeroUsize,
    /// Look at every photo again, known or not.
    pub again: bool,
}

/// Is told how a run goes.
pub trait Observer: Sync {
    /// So many files are to be read.
    fn planned(&self, files: u64);

    /// A file is done and committed; the counts so far.
    fn done(&self, path: &Path, so_far: &Summary);
}

/// Tells nobody.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Observer for Silent {
    fn planned(&self, _: u64) {}
    fn done(&self, _: &Path, _: &Summary) {}
}

/// Indexes the photos under `roots`: what is new or changed is looked at, what is gone leaves the
/// results. It may be stopped at any moment; what was not committed is done again by the next run.
///
/// # Errors
/// What stops the program: a folder that is not there, a database that cannot be written. A file
/// that cannot be read is stored as skipped and counted.
pub fn index(
    store: &mut Store,
    analyser: &Analyser,
    roots: &[PathBuf],
    filter: &Filter,
    options: IndexOptions,
    observer: &dyn Observer,
) -> Result<Summary> {
    let start = Instant::now();
    let roots = roots
        .iter()
        .map(|root| resolve_root(root))
        .collect::<Result<_>>()?;
    let mut summary = Summary::default();
    let mut read = Vec::new();
    for root in outermost(roots) {
        let comparison = Comparison {
            store,
            models: &analyser.models(),
            filter,
            is_root: true,
            again: options.again,
        };
        let plan = comparison.plan(&root, &mut |_| {})?;
        if plan.is_offline {
            tracing::warn!(
                "{} is empty, as if it was not mounted; what is known of its photos stays",
                root.display()
            );
            store.offline(&root)?;
            continue;
        }
        store.forget(&plan.gone)?;
        store.reconciled(&root)?;
        summary.unchanged += plan.unchanged;
        summary.gone += plan.gone.len() as u64;
        for problem in &plan.problems {
            summary.skip(&problem.path, &problem.skip);
        }
        read.extend(plan.read);
    }
    observer.planned(read.len() as u64);
    let threads = options.threads.get().min(read.len());
    let options = IndexOptions {
        threads: NonZeroUsize::new(threads).unwrap_or(NonZeroUsize::MIN),
        ..options
    };
    let files = read.into_iter();
    let mut summary = work_through(store, analyser, files, options, observer, summary)?;
    summary.elapsed = start.elapsed();
    Ok(summary)
}

/// Looks at `files`, which may come one by one as they are found, until there are no more.
///
/// # Errors
/// What stops the program, as for [`index`].
pub fn look_at(
    store: &mut Store,
    analyser: &Analyser,
    files: impl Iterator<Item = FoundFile> + Send,
    options: IndexOptions,
    observer: &dyn Observer,
) -> Result<Summary> {
    let start = Instant::now();
    let nothing = Summary::default();
    let mut summary = work_through(store, analyser, files, options, observer, nothing)?;
    summary.elapsed = start.elapsed();
    Ok(summary)
}

fn work_through(
    store: &mut Store,
    analyser: &Analyser,
    files: impl Iterator<Item = FoundFile> + Send,
    options: IndexOptions,
    observer: &dyn Observer,
    summary: Summary,
) -> Result<Summary> {
    let threads = options.threads.get();
    let models = analyser.models();
    let claims = Claims::new(options.again);
    let budget = Budget::new(BYTES_IN_FLIGHT);
    let workers = (0..threads)
        .map(|_| {
            let store = Store::open_existing(store.path())?;
            Ok(Worker {
                analyser,
                models: &models,
                claims: &claims,
                budget: &budget,
                store,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    let mut writer = Writer::new(store, observer, &claims, summary);
    std::thread::scope(|scope| {
        let (jobs, queue) = bounded(threads * JOBS_PER_WORKER);
        let (results, findings) = bounded(threads * FINDINGS_PER_WORKER);
        for worker in workers {
            let (queue, results) = (queue.clone(), results.clone());
            scope.spawn(move || {
                for file in queue {
                    // The writer has ended on an error: nobody wants the rest.
                    if results.send(worker.look(file)).is_err() {
                        break;
                    }
                }
            });
        }
        drop((queue, results));
        scope.spawn(move || {
            for file in files {
                if jobs.send(file).is_err() {
                    break;
                }
            }
        });
        let result = writer.run(&findings);
        drop(findings);
        result
    })?;
    Ok(writer.summary)
}
