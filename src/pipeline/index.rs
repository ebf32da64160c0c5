//! Updates the index: reconciles folders with it and processes the differences.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crossbeam_channel::bounded;

use super::budget::Budget;
use super::linked_roots::drop_linked_roots;
use super::plan::Comparison;
use super::sidecars::refresh_sidecars;
use super::work::{Claims, Worker};
use super::write::Writer;
use super::{Analyser, Summary};
use crate::album::{AlbumFilter, FoundFile, outermost, resolve_root, separate_roots};
use crate::error::{Error, Result};
use crate::file::{Difference, FileMeta, is_absent, read_bytes};
use crate::imaging::Limits;
use crate::mount::MountsBefore;
use crate::photo::ContentHash;
use crate::sidecar::Finder;
use crate::store::{KnownFile, Models, Root, Store};

/// Capacity of the job channel per worker: enough that no worker is idle.
const JOBS_PER_WORKER: usize = 2;

/// Capacity of the channel of findings per worker, since a transaction may take a while.
const FINDINGS_PER_WORKER: usize = 16;

/// Memory budget for all images in flight, from the file to the faces: a dozen photos of an
/// ordinary camera, or one of the largest that the limits admit, which is then processed alone.
const BYTES_IN_FLIGHT: u64 = 1 << 30;

/// Options of a run.
#[derive(Debug, Clone, Copy)]
pub struct IndexOptions {
    /// Worker threads.
    pub threads: NonZeroUsize,
    /// Whether to analyse every photo again, even if the index is current.
    pub reanalyse: bool,
}

/// Receives the progress of a run.
pub trait IndexObserver: Sync {
    /// Called once with the number of files to be read.
    fn planned(&self, files: u64);

    /// Called after a file's result was committed, with the counts so far.
    fn done(&self, path: &Path, so_far: &Summary);

    /// Whether the run should end: no further file is read, and those in flight are committed.
    fn is_stopped(&self) -> bool {
        false
    }
}

/// Ignores the progress.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl IndexObserver for Silent {
    fn planned(&self, _: u64) {}
    fn done(&self, _: &Path, _: &Summary) {}
}

/// Reconciles `roots` with the index: new and changed files are processed, and missing ones are
/// removed from the results. A run may be stopped at any moment; the next run repeats what was not
/// committed.
///
/// # Errors
/// Errors that stop the program, such as a folder that does not exist or a database that cannot be
/// written. A file that cannot be read is no error; it is stored as skipped and counted.
pub fn index(
    store: &mut Store,
    analyser: &Analyser,
    roots: &[PathBuf],
    filter: &AlbumFilter,
    options: IndexOptions,
    observer: &dyn IndexObserver,
) -> Result<Summary> {
    let start = Instant::now();
    drop_linked_roots(store)?;
    let stored = store.find_paths(roots)?;
    let roots = roots
        .iter()
        .zip(stored)
        .map(|(root, stored)| stored_root(root, stored))
        .collect::<Result<Vec<_>>>()?;
    let roots = separate_roots(roots, filter);
    let mut all_roots = filter.roots();
    all_roots.extend_from_slice(&roots);
    let mut summary = Summary::default();
    let mut read = Vec::new();
    let known = store.roots()?;
    for root in roots {
        if filter.is_database(&root) {
            let path = root.display();
            return Err(Error::Usage(format!(
                "{path} belongs to the index; name a folder of photos"
            )));
        }
        let comparison = Comparison {
            store,
            models: &analyser.models(),
            filter,
            is_root: true,
            roots: &all_roots,
            reanalyse: options.reanalyse,
        };
        let plan = comparison.plan(&root, &mut |_| {})?;
        if plan.is_offline {
            tracing::warn!(
                "{} is empty, as if it was not mounted, or its disk was unmounted; its photos stay in the index",
                root.display()
            );
            store.mark_offline(&root)?;
            continue;
        }
        for mount in outermost(plan.absent) {
            tracing::warn!("{}", of_absent_mount(&mount));
        }
        store.put_mounts(&root, &plan.mounts)?;
        store.forget(&plan.gone)?;
        store.adopt_status(&plan.without_ctime)?;
        refresh_sidecars(store, &plan.sidecars, &|| {})?;
        // A single file of a known root is no root of its own: a list of files would make thousands.
        let is_part = |known: &Root| known.path != root && root.starts_with(&known.path);
        if !(root.is_file() && known.iter().any(is_part)) {
            store.mark_reconciled(&root)?;
        }
        summary.unchanged += plan.unchanged;
        summary.passed_over += plan.passed_over;
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
    let files = read.into_iter().take_while(|_| !observer.is_stopped());
    let mut summary = run_pipeline(store, analyser, files, options, observer, summary)?;
    // A root may have been indexed under a new spelling of its name just now.
    drop_linked_roots(store)?;
    analyse_due(store, analyser, options, observer)?;
    summary.elapsed = start.elapsed();
    Ok(summary)
}

/// Where a photo may be that the index has not met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unmet {
    /// This file is new or changed.
    File(PathBuf),
    /// This folder is absent or cannot be read.
    Folder(PathBuf),
}

/// A file or folder in the roots of the index by which a photo that was moved may not have been met at its new path. Files
/// that were forgotten, which no run stores, are none.
///
/// # Errors
/// If the database cannot be read.
pub fn unmet(
    store: &Store,
    models: &Models,
    filter: &AlbumFilter,
    limits: Limits,
) -> Result<Option<Unmet>> {
    let roots: Vec<PathBuf> = store.roots()?.into_iter().map(|root| root.path).collect();
    let mut all_roots = filter.roots();
    all_roots.extend_from_slice(&roots);
    for root in separate_roots(roots, filter) {
        let comparison = Comparison {
            store,
            models,
            filter,
            is_root: true,
            roots: &all_roots,
            reanalyse: false,
        };
        let plan = comparison.plan(&root, &mut |_| {})?;
        if plan.is_offline || is_absent(&root) {
            return Ok(Some(Unmet::Folder(root)));
        }
        let problems = plan.problems.into_iter().map(|problem| problem.path);
        if let Some(folder) = plan.absent.into_iter().chain(problems).next() {
            return Ok(Some(Unmet::Folder(folder)));
        }
        for file in plan.read {
            let known = store.known_file(&file.path, models)?;
            let is_same = |known: &KnownFile| file.meta.difference(&known.meta) == Difference::None;
            if known.as_ref().is_some_and(is_same) || store.is_forgotten(&file.path)? {
                continue;
            }
            let content = read_bytes(&file.path, limits.max_bytes).ok();
            let content = content.map(|bytes| ContentHash::of(&bytes));
            if !content.map_or(Ok(false), |hash| store.is_forgotten_content(&hash))? {
                return Ok(Some(Unmet::File(file.path)));
            }
        }
    }
    Ok(None)
}

/// What is said of a mount that is absent.
pub fn of_absent_mount(mount: &Path) -> String {
    let mount_path = mount.display();
    if is_absent(mount) {
        format!(
            "{mount_path} is empty or cannot be reached, as if its disk was not mounted; its photos stay in the index"
        )
    } else {
        format!("nothing is mounted at {mount_path}; the photos of its disk stay in the index")
    }
}

/// Most rounds of photos that become due for another analysis by the round before.
const DUE_ROUNDS: usize = 4;

/// Analyses photos again in which a person is named in a region without a face, or for which only now it is known whether
/// corrections carry over. They are not counted: most of them have been counted in this run.
fn analyse_due(
    store: &mut Store,
    analyser: &Analyser,
    options: IndexOptions,
    observer: &dyn IndexObserver,
) -> Result<()> {
    // The picture of a face that is stored with a correction may make other photos due.
    for _ in 0..DUE_ROUNDS {
        let due = due(store)?;
        if due.is_empty() || observer.is_stopped() {
            break;
        }
        tracing::info!(
            photos = due.len(),
            "photos are analysed again: people are named where no face was found, or corrections may carry over"
        );
        let files = due.into_iter().take_while(|_| !observer.is_stopped());
        // The first pass of this run may have claimed such a photo.
        let options = IndexOptions {
            reanalyse: false,
            ..options
        };
        run_pipeline(store, analyser, files, options, &Silent, Summary::default())?;
    }
    Ok(())
}

/// The files of the photos that have to be analysed again, see [`Store::files_to_analyse_again`]. Files that are absent, as
/// on an unplugged disk, are left for a later run.
///
/// # Errors
/// If the database cannot be read.
pub fn due(store: &Store) -> Result<Vec<FoundFile>> {
    let photos = store.files_to_analyse_again()?.into_iter();
    // Of several files, the first that is there: others may be on an unplugged disk.
    let found = photos.filter_map(|paths| {
        paths.into_iter().find_map(|path| {
            let meta = FileMeta::of(&path.metadata().ok()?);
            Some(FoundFile { path, meta })
        })
    });
    Ok(found.collect())
}

/// The path under which the index has, or would have, the folder or file that a person means by `root`. `stored` is
/// that path, if there is one. A folder that was found through a symbolic link keeps the path through the link, so that
/// its rows are updated and not moved.
fn stored_root(root: &Path, stored: Option<PathBuf>) -> Result<PathBuf> {
    match stored.filter(|stored| stored.exists()) {
        Some(stored) => resolve_root(&stored).map(|_| stored),
        None => resolve_root(root),
    }
}

/// Processes `files` until the iterator ends; it may block while further files are found.
///
/// # Errors
/// Errors that stop the program, see [`index`].
pub fn index_files(
    store: &mut Store,
    analyser: &Analyser,
    files: impl Iterator<Item = FoundFile> + Send,
    options: IndexOptions,
    observer: &dyn IndexObserver,
) -> Result<Summary> {
    let start = Instant::now();
    let nothing = Summary::default();
    let mut summary = run_pipeline(store, analyser, files, options, observer, nothing)?;
    summary.elapsed = start.elapsed();
    Ok(summary)
}

fn run_pipeline(
    store: &mut Store,
    analyser: &Analyser,
    files: impl Iterator<Item = FoundFile> + Send,
    options: IndexOptions,
    observer: &dyn IndexObserver,
    summary: Summary,
) -> Result<Summary> {
    let threads = options.threads.get();
    let models = analyser.models();
    let claims = Claims::new(options.reanalyse);
    let budget = Budget::new(BYTES_IN_FLIGHT);
    let roots = store.roots()?.into_iter().map(|root| root.path);
    let mounts = MountsBefore::of(store.mounts()?.into_iter().chain(roots));
    let workers = (0..threads)
        .map(|_| {
            let store = Store::open_existing(store.path())?;
            Ok(Worker {
                analyser,
                models: &models,
                claims: &claims,
                budget: &budget,
                mounts: &mounts,
                store,
                finder: Finder::default(),
            })
        })
        .collect::<Result<Vec<_>>>()?;
    let mut writer = Writer::new(store, observer, &claims, &models, summary);
    std::thread::scope(|scope| {
        let (jobs, queue) = bounded(threads * JOBS_PER_WORKER);
        let (results, findings) = bounded(threads * FINDINGS_PER_WORKER);
        for worker in workers {
            let (queue, results) = (queue.clone(), results.clone());
            scope.spawn(move || {
                for file in queue {
                    // The writer ended with an error and receives no more findings.
                    if results.send(worker.process(file)).is_err() {
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
