//! The methods that record which files were renamed, deleted or touched without a change of their content, and which
//! roots and mounts are present.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::Result;
use crate::file::FileMeta;

use super::super::{Store, files, mounts, photos, roots};

/// Number of files that [`Store::forget`] and [`Store::adopt_status`] change in one transaction.
const FORGET_BATCH: usize = 1024;

impl Store {
    /// Deletes the photos to which no path has led for longer than `grace`, and returns their
    /// number. People's corrections are kept.
    ///
    /// # Errors
    /// If the database cannot be written; this holds for every method that writes.
    pub fn prune(&mut self, grace: Duration) -> Result<u64> {
        self.write(|db| photos::prune(db, grace))
    }

    /// Removes files that no longer exist. A photo leaves the results with its last path, and its
    /// rows are kept until it is pruned.
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn forget(&mut self, gone: &[PathBuf]) -> Result<()> {
        for paths in gone.chunks(FORGET_BATCH) {
            self.batch(|batch| {
                paths
                    .iter()
                    .try_for_each(|path| batch.remove_file(path).map(drop))
            })?;
        }
        Ok(())
    }

    /// Like [`Store::forget`], but each path may also be that of a folder, whose files are all removed. Returns the
    /// number of files.
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn forget_trees(&mut self, gone: &[PathBuf]) -> Result<u64> {
        let mut removed = 0;
        for paths in gone.chunks(FORGET_BATCH) {
            removed += self.write(|db| -> rusqlite::Result<u64> {
                let counts = paths.iter().map(|path| files::remove_tree(db, path));
                counts.sum()
            })?;
        }
        Ok(removed)
    }

    /// Removes a root with all files and mounts below it.
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn forget_root(&mut self, root: &Path) -> Result<()> {
        self.write(|db| {
            files::remove_tree(db, root)?;
            mounts::put(db, root, &[])?;
            roots::remove(db, root)
        })
    }

    /// Records that a file or folder was renamed: what is known about the files in it, and which folders in it are mounts,
    /// moves to the new path. Returns the number of files.
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn rename(&mut self, from: &Path, to: &Path) -> Result<u64> {
        self.write(|db| {
            mounts::rename(db, from, to)?;
            files::rename(db, from, to)
        })
    }

    /// Records the ctime, inode and device of files whose content is known to be unchanged. The row of a file whose size
    /// or modification time differs from these is not changed.
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn adopt_status(&mut self, files: &[(PathBuf, FileMeta)]) -> Result<()> {
        for files in files.chunks(FORGET_BATCH) {
            self.write(|db| files::adopt_status(db, files))?;
        }
        Ok(())
    }

    /// Records that a folder was reconciled with the index just now.
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn mark_reconciled(&mut self, root: &Path) -> Result<()> {
        self.write(|db| roots::mark_reconciled(db, root))
    }

    /// Records which folders at or below `folder` are mounts, in place of those that were known.
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn put_mounts(&mut self, folder: &Path, mounts: &[PathBuf]) -> Result<()> {
        // Nearly always nothing has changed, and then no transaction keeps other writers waiting.
        if self.mounts_under(folder)? == mounts {
            return Ok(());
        }
        self.write(|db| mounts::put(db, folder, mounts))
    }

    /// Records that a root is offline. What is known about its files is kept.
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn mark_offline(&mut self, root: &Path) -> Result<()> {
        self.write(|db| roots::mark_offline(db, root))
    }
}
