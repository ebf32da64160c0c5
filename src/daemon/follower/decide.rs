//! What is done about a path, by what is there now and what the index knows.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use super::Follower;
use crate::album::{Change, Filter, Followed, FoundFile, Readiness};
use crate::daemon::RootState;
use crate::error::Result;
use crate::file::FileMeta;
use crate::pipeline::Comparison;

impl Follower {
    /// Notes a change: when its path is to be looked at.
    pub(super) fn note(&mut self, change: Change) {
        match change {
            Change::Closed(path) if self.waiters.owns(&path) => self.reached(&path),
            Change::Touched(path) | Change::Written(path) | Change::Moved(path)
                if self.waiters.owns(&path) => {}
            Change::Closed(path) => self.note_file(&path, Readiness::Closed),
            Change::Written(path) => self.note_file(&path, Readiness::Writing),
            Change::Touched(path) if Filter::is_picture(&path) => {
                let seen = path.metadata().ok().map(|m| FileMeta::of(&m));
                self.note_file(&path, Readiness::Seen(seen));
            }
            // A folder that was locked, perhaps, or a link to one.
            Change::Touched(path) if path.is_dir() => self.note_path(&path, Readiness::Closed),
            Change::Touched(_) => {}
            // At once: what is made in it before it is watched is not told.
            Change::NewFolder(path) => {
                if self.is_admitted(&path)
                    && let Err(error) = self.explore(&path)
                {
                    self.report(&error.to_string());
                    self.note_path(&path, Readiness::Closed);
                }
            }
            Change::Moved(path) => self.note_path(&path, Readiness::Closed),
            Change::Renamed { from, to } => self.renamed(&from, &to),
        }
    }

    fn note_file(&mut self, path: &Path, readiness: Readiness) {
        if Filter::is_picture(path) {
            self.note_path(path, readiness);
        }
    }

    fn note_path(&mut self, path: &Path, readiness: Readiness) {
        if self.is_admitted(path) {
            let settle = self.setup.settle;
            self.settling.note(path, readiness, Instant::now(), settle);
        }
    }

    fn is_admitted(&self, path: &Path) -> bool {
        let is_root = |root: &&super::Root| path == root.path;
        self.root_of(path)
            .is_some_and(|root| is_root(&&self.roots[root]) || self.setup.filter.admits(path))
    }

    fn root_of(&self, path: &Path) -> Option<usize> {
        self.roots
            .iter()
            .position(|root| path.starts_with(&root.path))
    }

    /// What is known of the files in a folder goes along with it, without another look.
    fn renamed(&mut self, from: &Path, to: &Path) {
        self.watch.remove_tree(from);
        let stays = self.is_admitted(to) && (Filter::is_picture(to) || to.is_dir());
        if stays && let Err(error) = self.store.rename(from, to) {
            self.report(&error.to_string());
        }
        self.note_path(from, Readiness::Closed);
        self.note_path(to, Readiness::Closed);
        self.waiters.renamed(from, to);
    }

    /// Looks at a path whose moment has come.
    pub(super) fn check(&mut self, path: &Path, readiness: Readiness, now: Instant) -> Result<()> {
        let Some(root) = self.root_of(path) else {
            return Ok(());
        };
        if self.roots[root].is_offline() {
            return Ok(()); // it is scanned when it is back
        }
        if self.queue.is_in_flight(path) {
            // What is being read may be what lay there before.
            self.note_path(path, Readiness::Closed);
            return Ok(());
        }
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => self.explore(path),
            Ok(metadata) if metadata.is_file() && Filter::is_picture(path) => {
                let meta = FileMeta::of(&metadata);
                match readiness {
                    Readiness::Seen(before) if before != Some(meta) => {
                        let settle = self.setup.settle;
                        let seen = Readiness::Seen(Some(meta));
                        self.settling.note(path, seen, now, settle);
                        Ok(())
                    }
                    _ => self.offer(path, meta),
                }
            }
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                if self.roots[root].has_changed() {
                    return self.reconcile(root);
                }
                self.watch.remove_tree(path);
                self.polled.retain(|folder| !folder.starts_with(path));
                self.store.forget_tree(path).map(drop)
            }
            // No photo; or it is locked or the disk fails, and what is known stays.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Queues a file unless the index has it as it is.
    fn offer(&mut self, path: &Path, meta: FileMeta) -> Result<()> {
        let known = self.store.known_file(path, &self.models)?;
        let is_known = known.is_some_and(|known| known.is_current && known.meta == meta);
        if !is_known {
            self.queue.push_first(FoundFile {
                path: path.to_path_buf(),
                meta,
            });
        }
        Ok(())
    }

    /// Watches a folder and all below it, and holds it against the index. Whether it is empty
    /// where the index knows of photos.
    fn compare(&mut self, folder: &Path) -> Result<bool> {
        let is_root = self.roots.iter().any(|root| root.path == folder);
        let (watch, polled, shown) = (&mut self.watch, &mut self.polled, &self.shown);
        polled.retain(|known| !known.starts_with(folder));
        let comparison = Comparison {
            store: &self.store,
            models: &self.models,
            filter: &self.setup.filter,
            is_root,
            again: false,
        };
        let plan = comparison.plan(folder, &mut |folder| {
            shown.beat();
            if watch.add(folder) == Followed::Polled {
                polled.insert(folder.to_path_buf());
            }
        })?;
        for problem in plan.problems {
            if self.unreadable.insert(problem.path.clone()) {
                tracing::warn!("{}: {}", problem.path.display(), problem.skip);
            }
        }
        // A finding that is on its way would bring the row back: looked at again after it.
        let (late, gone): (Vec<_>, Vec<_>) = plan
            .gone
            .into_iter()
            .partition(|path| self.queue.is_in_flight(path));
        self.store.forget(&gone)?;
        for path in late {
            self.note_path(&path, Readiness::Closed);
        }
        for file in plan.read {
            if self.is_resting(&file.meta) {
                self.queue.push_last(file);
            } else {
                self.note_path(&file.path, Readiness::Seen(Some(file.meta)));
            }
        }
        if self.waiters.wait_below(folder) {
            let mut pending = self.queue.paths();
            pending.extend(self.settling.ready());
            pending.retain(|path| path.starts_with(folder));
            self.waiters.turned_up(folder, &pending);
        }
        Ok(plan.is_offline)
    }

    /// Whether a file has stayed as it is for long enough.
    fn is_resting(&self, meta: &FileMeta) -> bool {
        meta.modified()
            .is_none_or(|time| match SystemTime::now().duration_since(time) {
                Ok(age) => age > self.setup.settle,
                Err(_) => true, // from the future
            })
    }

    /// Looks at a folder that appeared or changed.
    fn explore(&mut self, folder: &Path) -> Result<()> {
        match self.roots.iter().position(|root| root.path == folder) {
            Some(root) => self.reconcile(root),
            None => self.compare(folder).map(drop),
        }
    }

    /// Holds every root against the index.
    pub(super) fn reconcile_all(&mut self) -> Result<()> {
        for root in 0..self.roots.len() {
            self.reconcile(root)?;
        }
        self.trouble = None;
        Ok(())
    }

    /// Holds a root against the index, or notes that it is away.
    fn reconcile(&mut self, root: usize) -> Result<()> {
        let path = self.roots[root].path.clone();
        let identity = self.roots[root].identify();
        let is_away = match identity {
            Some(_) => self.compare(&path)?,
            None => true,
        };
        let was_offline = self.roots[root].is_offline();
        if let Some(identity) = identity.filter(|_| !is_away) {
            if was_offline {
                tracing::info!("{} is back", path.display());
            }
            self.roots[root].scanned(identity);
            self.roots[root].state = Some(RootState::Watching);
            if self.roots[root].is_polled {
                self.polled.insert(path.clone());
            }
            return self.store.reconciled(&path);
        }
        if !was_offline {
            let what = if identity.is_some() {
                "is empty, as if it was not mounted"
            } else {
                "is not there"
            };
            tracing::warn!("{} {what}: its photos stay in the index", path.display());
        }
        self.roots[root].identity = None;
        self.roots[root].state = Some(RootState::Offline);
        self.watch.remove_tree(&path);
        self.polled.retain(|folder| !folder.starts_with(&path));
        self.store.offline(&path)
    }

    /// Looks whether a disk has come or gone.
    pub(super) fn check_roots(&mut self) -> Result<()> {
        for root in 0..self.roots.len() {
            if self.roots[root].has_changed() {
                self.reconcile(root)?;
            }
        }
        Ok(())
    }

    /// Looks into the folders that the system does not tell about.
    pub(super) fn poll(&mut self) -> Result<()> {
        let mut topmost: Vec<PathBuf> = Vec::new();
        for folder in &self.polled {
            if !topmost.last().is_some_and(|top| folder.starts_with(top)) {
                topmost.push(folder.clone());
            }
        }
        for folder in topmost {
            self.explore(&folder)?;
        }
        Ok(())
    }
}
