//! Schedules a check of each changed path, and compares the path with the index after its debounce interval.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{Follower, RETRY_DELAY};
use crate::album::{Change, FileKind, FoundFile, Readiness, leads_above};
use crate::error::Result;
use crate::file::{Difference, FileMeta, is_gone};
use crate::pipeline::refresh_sidecars;
use crate::sidecar::{self, Finder, is_picasa, is_sidecar};

/// Maximum time for which due paths are checked before new changes and messages are taken.
const CHECKING: Duration = Duration::from_millis(200);

/// The result of the check of a path.
enum Checked {
    /// Nothing is left to do.
    Done,
    /// No photo or folder of the album is at the path any more: its rows, and those of the files below it, are to be
    /// removed.
    Gone,
}

impl Follower {
    /// Takes a change: schedules a check of its path, and of the other paths by which links lead to the same file.
    pub(super) fn note(&mut self, change: Change) {
        for other in self.watch.under_other_paths(&change) {
            self.note_one(other);
        }
        self.note_one(change);
    }

    fn note_one(&mut self, change: Change) {
        for path in change.paths() {
            self.note_marker(path);
        }
        match change {
            Change::Closed(path) if self.waiters.owns(&path) => self.sync_cookie_seen(&path),
            Change::Touched(path) | Change::Written(path) | Change::Moved(path)
                if self.waiters.owns(&path) => {}
            Change::Closed(path) => self.note_file(&path, Readiness::Closed),
            Change::Written(path) => self.note_file(&path, Readiness::Writing),
            Change::Touched(path) => {
                let metadata = path.metadata().ok();
                if metadata.as_ref().is_some_and(Metadata::is_dir) {
                    // The folder may have become readable, or be a link to a folder.
                    self.note_path(&path, Readiness::Moved);
                } else {
                    let now = metadata.map(|metadata| FileMeta::of(&metadata));
                    self.note_file(&path, Readiness::Touched(now));
                }
            }
            // Reconciled at once: files that are created in it before it is watched are not reported.
            Change::NewFolder(path) => {
                if self.is_admitted(&path)
                    && !self.is_left_out(&path)
                    && let Err(error) = self.reconcile_with_parts(&path)
                {
                    self.report(&error.to_string());
                    self.note_path(&path, Readiness::Moved);
                }
            }
            Change::Moved(path) => self.note_path(&path, Readiness::Moved),
            Change::Renamed { from, to } => self.renamed(&from, &to),
        }
    }

    fn note_file(&mut self, path: &Path, readiness: Readiness) {
        if is_followed(path) {
            self.note_path(path, readiness);
        }
    }

    /// Schedules a check of a file's folder if the file is a marker, which has appeared or gone.
    fn note_marker(&mut self, path: &Path) {
        if let Some(folder) = path.parent()
            && self.setup.filter.is_marker(path)
        {
            self.note_path(folder, Readiness::Moved);
        }
    }

    /// Schedules a scan of the folders in which changes may have been lost. Requests whose sync cookie was seen wait for these
    /// scans too, since the check of a path for which they wait may be what ended the watch of such a folder.
    pub(super) fn note_missed(&mut self) {
        let missed = self.watch.take_missed();
        for folder in &missed {
            self.note_path(folder, Readiness::Moved);
        }
        self.waiters.wait_for(&missed);
    }

    pub(super) fn note_path(&mut self, path: &Path, readiness: Readiness) {
        if self.is_admitted(path) {
            let quiet = self.setup.debounce;
            self.debouncer.note(path, readiness, Instant::now(), quiet);
        }
    }

    pub(super) fn is_admitted(&self, path: &Path) -> bool {
        let is_root = |root: &&super::Root| path == root.path;
        // A `.picasa.ini` is hidden, and the photos beside it are not.
        let is_admitted = || self.setup.filter.admits(path) || is_picasa(path);
        self.root_of(path)
            .is_some_and(|root| is_root(&&self.roots[root]) || is_admitted())
    }

    /// Whether a path is in a folder that is excluded or marked as no album. Such folders are not watched, but a folder
    /// may have become one after its watch was added.
    pub(super) fn is_left_out(&self, path: &Path) -> bool {
        self.root_of(path).is_some_and(|root| {
            let root = &self.roots[root].path;
            self.setup.filter.is_left_out(path, root)
        })
    }

    /// The root that contains a path: of several, the innermost, which the others leave out.
    pub(super) fn root_of(&self, path: &Path) -> Option<usize> {
        // They are sorted by path.
        self.roots
            .iter()
            .rposition(|root| path.starts_with(&root.path))
    }

    /// Moves the rows of a renamed file, or of all files in a renamed folder, without processing any
    /// photo again.
    fn renamed(&mut self, from: &Path, to: &Path) {
        self.watch.remove_tree(from);
        let stays = self.is_admitted(to)
            && (FileKind::of(to).may_be_photo() || to.is_dir())
            && !self.is_left_out(to);
        if stays {
            let renamed = self.store.rename(from, to);
            self.has_renamed = true;
            self.rename_mounts(from, to);
            if let Err(error) = renamed.and_then(|_| self.adopt_renamed(from, to)) {
                self.report(&error.to_string());
            }
        }
        // The system has already reported a move for each path. Another one would be taken for a file that was moved away
        // and back, and cause a read.
        for (path, readiness) in [
            (from, Readiness::Moved),
            (to, self.readiness_after_rename(from)),
        ] {
            if readiness.was_written() || !self.debouncer.contains(path) {
                self.note_path(path, readiness);
            }
        }
        self.waiters.renamed(from, to);
    }

    /// Checks the paths that are due, for at most [`CHECKING`]; the others wait for the next call. The rows of paths that
    /// are gone are removed together, since a folder may lose thousands of files at once.
    pub(super) fn check_due(&mut self, now: Instant) -> Result<()> {
        let start = Instant::now();
        let mut gone = Vec::new();
        let mut result = Ok(());
        while result.is_ok()
            && start.elapsed() < CHECKING
            && let Some((path, readiness)) = self.debouncer.next_due(now)
        {
            match self.check(&path, readiness, now) {
                Ok(Checked::Gone) => gone.push(path),
                Ok(Checked::Done) => {}
                Err(error) => {
                    self.check_later(&path, readiness, now);
                    result = Err(error);
                }
            }
        }
        let removed = self.remove_gone(&gone);
        if removed.is_err() {
            for path in &gone {
                self.check_later(path, Readiness::Moved, now);
            }
        }
        result.and(removed)
    }

    fn check_later(&mut self, path: &Path, readiness: Readiness, now: Instant) {
        let quiet = self.setup.debounce;
        self.debouncer
            .note(path, readiness, now + RETRY_DELAY, quiet);
    }

    /// Checks a path after its debounce interval: queues a file, reconciles a folder.
    fn check(&mut self, path: &Path, readiness: Readiness, now: Instant) -> Result<Checked> {
        let Some(root) = self.root_of(path) else {
            return Ok(Checked::Done);
        };
        if self.roots[root].is_offline() {
            return Ok(Checked::Done); // the root is scanned when it is back
        }
        if self.queue.is_in_flight(path) {
            // The pipeline may be reading the file that was at this path before.
            self.note_path(path, readiness);
            return Ok(Checked::Done);
        }
        if self.is_left_out(path) {
            return Ok(Checked::Gone);
        }
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => {
                if !leads_above(path) {
                    self.reconcile_with_parts(path)?;
                }
            }
            Ok(metadata) if metadata.is_file() && is_followed(path) => {
                // The file may have replaced a folder.
                if self.store.has_files_below(path)? {
                    self.remove_gone(&[path.to_path_buf()])?;
                }
                self.check_file(path, &metadata, readiness, now)?;
            }
            // A pipe, or a file whose name is no photo's, may have replaced a photo or a folder.
            Ok(_) => {
                if self.store.file(path)?.is_some() || self.store.has_files_below(path)? {
                    return Ok(Checked::Gone);
                }
            }
            Err(error) if is_gone(&error) => {
                if self.roots[root].has_changed() {
                    self.reconcile_root(root)?;
                } else if let Some(mount) = self.changed_mount(path) {
                    if !mount.is_offline() {
                        let mount = mount.path.clone();
                        self.reconcile_folder(&mount)?;
                    }
                } else {
                    return Ok(Checked::Gone);
                }
            }
            // It cannot be read now; that does not mean that it is gone, so its rows stay.
            Err(_) => {}
        }
        Ok(Checked::Done)
    }

    /// Checks a photo or a sidecar with this metadata.
    fn check_file(
        &mut self,
        path: &Path,
        metadata: &Metadata,
        readiness: Readiness,
        now: Instant,
    ) -> Result<()> {
        let meta = FileMeta::of(metadata);
        let later = match readiness {
            Readiness::Seen(before) if before != Some(meta) => Readiness::Seen(Some(meta)),
            Readiness::Touched(before) if before != Some(meta) => Readiness::Touched(Some(meta)),
            _ if is_sidecar(path) => return self.check_sidecar(path),
            Readiness::Touched(_) if self.adopt(path, metadata)? => return Ok(()),
            _ => {
                self.queue_if_changed(path, meta, readiness)?;
                return self.check_siblings(path);
            }
        };
        let quiet = self.setup.debounce;
        self.debouncer.note(path, later, now, quiet);
        Ok(())
    }

    /// Removes the rows of files and folders that are gone, and stops following them.
    fn remove_gone(&mut self, gone: &[PathBuf]) -> Result<()> {
        for path in gone {
            self.watch.remove_tree(path);
            self.polled.retain(|folder| !folder.starts_with(path));
            let known = self.mounts.len();
            self.mounts.retain(|mount| !mount.path.starts_with(path));
            if self.mounts.len() < known {
                self.store.put_mounts(path, &[])?;
            }
        }
        self.store.forget_trees(gone)?;
        for path in gone {
            if is_sidecar(path) {
                self.check_sidecar(path)?;
            } else {
                self.check_siblings(path)?;
                self.reconcile_other_parts(path)?;
            }
        }
        Ok(())
    }

    /// Stops following what is below a folder that is marked as no album. The folder itself is still followed, since its
    /// marker may be removed. Files in it that are in flight are checked when they are committed.
    pub(super) fn leave_marked(&mut self, folder: &Path) {
        self.watch.remove_below(folder);
        self.polled
            .retain(|polled| polled == folder || !polled.starts_with(folder));
        for path in self.queue.drop_below(folder) {
            self.note_path(&path, Readiness::Moved);
        }
        // A root in it is followed nevertheless.
        let roots: Vec<PathBuf> = self.roots.iter().map(|root| root.path.clone()).collect();
        for root in roots {
            if root != folder && root.starts_with(folder) {
                self.note_path(&root, Readiness::Moved);
            }
        }
    }

    /// Queues a photo that was written to, or whose metadata differ from those in the index. Of any other photo only the
    /// sidecars are compared with the index.
    fn queue_if_changed(
        &mut self,
        path: &Path,
        meta: FileMeta,
        readiness: Readiness,
    ) -> Result<()> {
        let known = self.store.known_file(path, &self.models)?;
        let same = known
            .filter(|known| known.is_current && meta.difference(&known.meta) == Difference::None);
        match same {
            Some(known) if !readiness.was_written() => {
                let photo = [path.to_path_buf()];
                let has_changed = sidecar::have_changed(&sidecar::find(path), &known.sidecars);
                self.refresh_sidecars(if has_changed { &photo } else { &[] })
            }
            _ => {
                self.queue.push_first(FoundFile {
                    path: path.to_path_buf(),
                    meta,
                });
                Ok(())
            }
        }
    }

    /// Reads the sidecars of the photos to which a sidecar that appeared, changed or is gone may belong.
    fn check_sidecar(&mut self, path: &Path) -> Result<()> {
        let may_own = |photo: &Path| sidecar::may_belong(path, photo);
        if self.queue.is_any_in_flight(may_own) {
            // The pipeline may have read the sidecar as it was before.
            self.note_path(path, Readiness::Moved);
            return Ok(());
        }
        let mut photos = self.store.photos_beside(path)?;
        if is_picasa(path) {
            photos = self.with_changed_sidecars(photos)?;
        }
        self.refresh_sidecars(&photos)
    }

    /// Those of these photos whose sidecars differ from the ones in the index.
    fn with_changed_sidecars(&self, photos: Vec<PathBuf>) -> Result<Vec<PathBuf>> {
        let finder = Finder::default();
        let mut changed = Vec::new();
        for photo in photos {
            let known = self.store.known_file(&photo, &self.models)?;
            let known = known.map(|known| known.sidecars).unwrap_or_default();
            if sidecar::have_changed(&finder.find(&photo), &known) {
                changed.push(photo);
            }
        }
        Ok(changed)
    }

    /// After a photo appeared or is gone, reads the sidecars of the other photos whose names differ from its name only in
    /// the extension: a sidecar of this name may belong to another photo now.
    fn check_siblings(&mut self, photo: &Path) -> Result<()> {
        let sidecar = photo.with_extension("xmp");
        let is_sibling = |other: &Path| other != photo && sidecar::may_belong(&sidecar, other);
        if self.queue.is_any_in_flight(is_sibling) {
            // The pipeline may have looked for the sibling's sidecars before.
            self.note_path(photo, Readiness::Moved);
        }
        let mut siblings = self.store.photos_beside(&sidecar)?;
        siblings.retain(|other| other != photo);
        self.refresh_sidecars(&siblings)
    }

    pub(super) fn refresh_sidecars(&mut self, photos: &[PathBuf]) -> Result<()> {
        if photos.is_empty() {
            return Ok(());
        }
        let state = &self.state;
        refresh_sidecars(&mut self.store, photos, &|| state.heartbeat())?;
        self.queue_due()
    }
}

/// Whether a file of this name may be a photo, or is a sidecar.
fn is_followed(path: &Path) -> bool {
    FileKind::of(path).may_be_photo() || is_sidecar(path)
}
