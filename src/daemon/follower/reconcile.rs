//! Reconciles folders and roots with the index.

use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use super::Follower;
use super::reload::roots_of;
use crate::album::{Followed, Readiness, outermost, roots_apart};
use crate::daemon::RootState;
use crate::daemon::roots::Root;
use crate::error::Result;
use crate::file::FileMeta;
use crate::mount::may_return;
use crate::pipeline::{Comparison, Plan, due, of_absent_mount};
use crate::sidecar::in_other_parts;

impl Follower {
    /// Queues the photos that are due.
    pub(super) fn queue_due(&mut self) -> Result<()> {
        for file in due(&self.store)? {
            if !self.queue.contains(&file.path) {
                self.queue.push_last(file);
            }
        }
        Ok(())
    }

    /// Watches a folder and all folders below it, and reconciles the files in them. Returns whether it is a root that is
    /// empty although the index has photos below it.
    fn reconcile_tree(&mut self, folder: &Path) -> Result<bool> {
        let is_root = self.roots.iter().any(|root| root.path == folder);
        // Also those of the settings that this daemon does not follow.
        let mut roots: Vec<PathBuf> = self.roots.iter().map(|root| root.path.clone()).collect();
        roots.extend(self.setup.filter.roots());
        let apart = roots_apart(folder, &roots, &self.setup.filter);
        let is_apart = |path: &Path| apart.iter().any(|root| path.starts_with(root));
        let (watch, polled, state) = (&mut self.watch, &mut self.polled, &self.state);
        polled.retain(|known| !known.starts_with(folder) || is_apart(known));
        let comparison = Comparison {
            store: &self.store,
            models: &self.models,
            filter: &self.setup.filter,
            is_root,
            roots: &roots,
            reanalyse: false,
        };
        let plan = comparison.plan(folder, &mut |folder| {
            state.heartbeat();
            if watch.add(folder) == Followed::Polled {
                polled.insert(folder.to_path_buf());
            }
        })?;
        if !plan.is_offline {
            self.note_mounts(folder, &plan, &is_apart)?;
        }
        for problem in plan.problems {
            if self.unreadable.insert(problem.path.clone()) {
                tracing::warn!("{}: {}", problem.path.display(), problem.skip);
            }
        }
        for folder in &plan.marked {
            self.leave_marked(folder);
        }
        // If the row of a file in flight were deleted now, the pipeline would insert it again; so the file is checked
        // later.
        let (late, gone): (Vec<_>, Vec<_>) = plan
            .gone
            .into_iter()
            .partition(|path| self.queue.is_in_flight(path));
        self.store.forget(&gone)?;
        for path in late {
            self.note_path(&path, Readiness::Moved);
        }
        self.store.adopt_status(&plan.without_ctime)?;
        self.refresh_sidecars(&plan.sidecars)?;
        for file in plan.read {
            if self.is_quiet(&file.meta) {
                self.queue.push_last(file);
            } else {
                self.note_path(&file.path, Readiness::Seen(Some(file.meta)));
            }
        }
        if self.waiters.is_waiting_below(folder) {
            let mut pending = self.queue.paths();
            pending.extend(self.debouncer.ready());
            pending.retain(|path| path.starts_with(folder));
            self.waiters.add_pending(folder, &pending);
        }
        // The files of photos that are due may have come back.
        self.queue_due()?;
        Ok(plan.is_offline)
    }

    /// Stores which mounts a scan of `folder` found, and follows them from now on. Those in roots that the scan left out stay
    /// as they are.
    fn note_mounts(
        &mut self,
        folder: &Path,
        plan: &Plan,
        is_apart: &dyn Fn(&Path) -> bool,
    ) -> Result<()> {
        self.store.put_mounts(folder, &plan.mounts)?;
        let before = self.mounts.extract_if(.., |mount| {
            mount.path.starts_with(folder) && !is_apart(&mount.path)
        });
        let before: Vec<Root> = before.collect();
        let outermost = outermost(plan.absent.clone());
        for path in plan.mounts.iter().filter(|path| !is_apart(path)) {
            let mut mount = Root::new(path.clone());
            let known = before.iter().find(|known| known.path == *path);
            let was_absent = known.is_some_and(Root::is_offline);
            if plan.absent.contains(path) {
                if !was_absent && outermost.contains(path) {
                    tracing::warn!("{}", of_absent_mount(path));
                }
                mount.identity = mount.identify();
                mount.state = Some(RootState::Offline);
            } else if let Some(identity) = mount.identify() {
                if was_absent {
                    tracing::info!("{} is back", path.display());
                }
                mount.scanned(identity);
                mount.state = Some(RootState::Watching);
                if mount.is_polled {
                    self.polled.insert(path.clone());
                }
            }
            self.mounts.push(mount);
        }
        Ok(())
    }

    /// The mount that a path is or was on, if that mount is absent or was replaced. Its files do not count as gone.
    pub(super) fn changed_mount(&self, path: &Path) -> Option<&Root> {
        let is_changed = |mount: &&Root| {
            path.starts_with(&mount.path)
                && may_return(&mount.path)
                && (mount.is_offline() || mount.has_changed())
        };
        self.mounts.iter().find(is_changed)
    }

    /// Changes the paths of the mounts at or below a file or folder that was renamed.
    pub(super) fn rename_mounts(&mut self, from: &Path, to: &Path) {
        for mount in &mut self.mounts {
            if let Ok(below) = mount.path.strip_prefix(from) {
                mount.path = to.join(below).components().collect();
            }
        }
    }

    /// Schedules a check of the mounts below the roots that appeared, disappeared or were replaced.
    fn check_mounts(&mut self) {
        let mut changed = self.mount_table.changed();
        let mounts = self.mounts.iter().filter(|mount| mount.has_changed());
        changed.extend(mounts.map(|mount| mount.path.clone()));
        for path in changed {
            let is_offline = |root: usize| self.roots[root].is_offline();
            if self.root_of(&path).is_none_or(is_offline) {
                continue;
            }
            // The watches ended when the file system was unmounted, even if the same one has been mounted again.
            self.watch.remove_tree(&path);
            self.note_path(&path, Readiness::Moved);
        }
    }

    /// Whether a file was last modified longer ago than the debounce interval.
    fn is_quiet(&self, meta: &FileMeta) -> bool {
        meta.modified()
            .is_none_or(|time| match SystemTime::now().duration_since(time) {
                Ok(age) => age > self.setup.debounce,
                Err(_) => true, // a modification time in the future
            })
    }

    /// Reconciles a folder, which may be a root, that appeared or changed.
    pub(super) fn reconcile_folder(&mut self, folder: &Path) -> Result<()> {
        match self.roots.iter().position(|root| root.path == folder) {
            Some(root) => self.reconcile_root(root),
            None => self.reconcile_tree(folder).map(drop),
        }
    }

    /// Reconciles a folder that appeared or changed, and the same folder in the other parts of an export of Google Takeout, whose
    /// photos its sidecars may describe.
    pub(super) fn reconcile_with_parts(&mut self, folder: &Path) -> Result<()> {
        self.reconcile_folder(folder)?;
        self.reconcile_other_parts(folder)
    }

    /// Reconciles the folders whose photos the sidecars in `folder` describe, or described before it was gone.
    pub(super) fn reconcile_other_parts(&mut self, folder: &Path) -> Result<()> {
        for other in in_other_parts(folder) {
            if self.is_admitted(&other) && !self.is_left_out(&other) {
                self.reconcile_folder(&other)?;
            }
        }
        Ok(())
    }

    /// Reconciles every root.
    pub(super) fn reconcile_all(&mut self) -> Result<()> {
        self.resolve_roots();
        for root in 0..self.roots.len() {
            self.reconcile_root(root)?;
        }
        self.trouble = None;
        Ok(())
    }

    /// Follows the folders to which the roots of the settings lead now: a symbolic link in one may have been made or changed,
    /// or lead on over a disk that was not there. Returns whether they are other ones than before.
    fn resolve_roots(&mut self) -> bool {
        let mut roots = roots_of(&self.setup);
        let paths = |roots: &[Root]| -> Vec<PathBuf> {
            roots.iter().map(|root| root.path.clone()).collect()
        };
        if paths(&roots) == paths(&self.roots) {
            return false;
        }
        for root in &mut roots {
            if let Some(known) = self.roots.iter().position(|known| known.path == root.path) {
                std::mem::swap(root, &mut self.roots[known]);
            }
        }
        self.replace_roots(roots);
        self.schedule.prune = Instant::now();
        let roots = &self.roots;
        let is_followed = |path: &Path| roots.iter().any(|root| path.starts_with(&root.path));
        self.polled.retain(|folder| is_followed(folder));
        self.mounts.retain(|mount| is_followed(&mount.path));
        true
    }

    /// Reconciles a root, or marks it as offline if it is absent, or empty although the index has photos below it.
    pub(super) fn reconcile_root(&mut self, root: usize) -> Result<()> {
        let path = self.roots[root].path.clone();
        let identity = self.roots[root].identify();
        let is_offline = match identity {
            Some(_) => self.reconcile_tree(&path)?,
            None => true,
        };
        let was_offline = self.roots[root].is_offline();
        if let Some(identity) = identity.filter(|_| !is_offline) {
            if was_offline {
                tracing::info!("{} is back", path.display());
            }
            self.roots[root].scanned(identity);
            self.roots[root].state = Some(RootState::Watching);
            if self.roots[root].is_polled {
                self.polled.insert(path.clone());
            }
            return self.store.mark_reconciled(&path);
        }
        if !was_offline {
            let what = if identity.is_some() {
                "is empty, as if it was not mounted"
            } else {
                "is not there"
            };
            if self.store.has_files_below(&path)? {
                tracing::warn!("{} {what}: its photos stay in the index", path.display());
            } else {
                tracing::warn!("{} {what}; it is followed once it is", path.display());
            }
        }
        self.roots[root].identity = None;
        self.roots[root].state = Some(RootState::Offline);
        self.watch.remove_tree(&path);
        self.polled.retain(|folder| !folder.starts_with(&path));
        self.store.mark_offline(&path)
    }

    /// Reconciles the roots that were mounted, unmounted or replaced by another folder, and schedules a check of such mounts
    /// below them.
    pub(super) fn check_roots(&mut self) -> Result<()> {
        // Others are looked at with every rescan.
        if self.roots.iter().any(Root::is_offline) && self.resolve_roots() {
            return self.reconcile_all();
        }
        for root in 0..self.roots.len() {
            if self.roots[root].has_changed() {
                self.reconcile_root(root)?;
            }
        }
        self.check_mounts();
        Ok(())
    }

    /// Reconciles the folders whose changes the system does not report.
    pub(super) fn poll(&mut self) -> Result<()> {
        let mut topmost: Vec<PathBuf> = Vec::new();
        for folder in &self.polled {
            if !topmost.last().is_some_and(|top| folder.starts_with(top)) {
                topmost.push(folder.clone());
            }
        }
        for folder in topmost {
            self.reconcile_folder(&folder)?;
        }
        Ok(())
    }
}
