//! Follows the settings when they are read again, and the roots that they name.

use std::path::PathBuf;
use std::time::Instant;

use super::Follower;
use crate::album::{Watch, separate_roots};
use crate::daemon::Setup;
use crate::daemon::roots::Root;
use crate::real_path::meant_path;

impl Follower {
    /// Reads the settings again and applies them; if they cannot be read, the present ones stay.
    pub(super) fn reload(&mut self) {
        match (self.settings)() {
            Ok(setup) => {
                if let Err(error) = self.store.set_fact_rules(&setup.facts) {
                    tracing::error!("the settings for facts of photos stay as they were: {error}");
                }
                self.models = setup.models.clone();
                self.batches.unload_models();
                self.follow_changed_settings(&setup);
                self.replace_roots(roots_of(&setup));
                self.polled.clear();
                self.mounts.clear();
                self.setup = setup;
                self.schedule.rescan = Instant::now();
            }
            Err(error) => tracing::error!("the settings stay as they were: {error}"),
        }
    }

    /// Applies the settings that only the start of the daemon read, before `setup` takes the place of the present ones.
    fn follow_changed_settings(&mut self, setup: &Setup) {
        let database = std::path::absolute(&setup.database);
        if database.is_ok_and(|database| database != self.store.path()) {
            tracing::warn!(
                "the daemon keeps the database {}; the one of the settings, {}, takes effect when it is started again",
                self.store.path().display(),
                setup.database.display()
            );
        }
        if setup.max_watches == self.setup.max_watches {
            return;
        }
        match Watch::new(setup.max_watches) {
            // The scan that follows watches the folders again, and finds what changed in between.
            Ok(watch) => {
                self.watch = watch;
                self.waiters.prepare(&mut self.watch);
            }
            Err(error) => tracing::error!("watch.max_watches stays as it was: {error}"),
        }
    }

    /// Follows these roots in place of the ones before.
    pub(super) fn replace_roots(&mut self, roots: Vec<Root>) {
        let before = std::mem::replace(&mut self.roots, roots);
        for root in before {
            if !self.roots.iter().any(|new| new.path == root.path) {
                self.watch.remove_tree(&root.path);
            }
        }
    }
}

/// The roots of the settings, with the symbolic links that there are now resolved.
pub(super) fn roots_of(setup: &Setup) -> Vec<Root> {
    let resolved = |root: &PathBuf| meant_path(root).unwrap_or_else(|_| root.clone());
    let folders = setup.roots.iter().map(resolved).collect();
    separate_roots(folders, &setup.filter)
        .into_iter()
        .map(Root::new)
        .collect()
}
