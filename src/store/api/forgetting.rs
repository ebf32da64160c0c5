//! The methods that remove every trace of photos and people for good.

use std::path::{Path, PathBuf};

use crate::error::Result;

use super::super::{
    ForgottenAgain, Removed, RemovedLost, RemovedNames, Store, explain, forgotten, forgotten_again,
    forgotten_people, lost_photos,
};

impl Store {
    /// Removes everything that is stored of the photos below a folder, or of one photo with all its copies, including
    /// their corrections, and keeps them from being stored again. The bytes of the deleted rows stay in the database file
    /// until [`Store::clean`].
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn forget_for_good(&mut self, path: &Path) -> Result<Removed> {
        self.write(|db| forgotten::remove(db, path))
    }

    /// What [`Store::forget_for_good`] would remove.
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn would_forget(&mut self, path: &Path) -> Result<Removed> {
        self.rehearse(|db| forgotten::remove(db, path))
    }

    /// Removes everything that is kept of photos that no file of the index leads to any more: their rows, their corrections
    /// and the pictures of their faces. A file of such a photo that comes back is indexed anew.
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn forget_lost(&mut self) -> Result<RemovedLost> {
        self.write(lost_photos::remove_all)
    }

    /// What [`Store::forget_lost`] would remove.
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn would_forget_lost(&mut self) -> Result<RemovedLost> {
        self.rehearse(lost_photos::remove_all)
    }

    /// The path that a person means by `typed`, as [`Store::find_path`] finds it, if a photo with corrections was at it or
    /// below it and has left it.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn find_lost_path(&self, typed: &Path) -> Result<Option<PathBuf>> {
        self.read(|db| lost_photos::find_path(db, typed))
    }

    /// Removes the name of a person, with the regions that it names, from everything that the sources of photos state,
    /// and keeps it from being stored again. The bytes of the deleted rows stay in the database file until
    /// [`Store::clean`].
    ///
    /// # Errors
    /// If the name has neither a letter nor a digit, and those of [`Store::prune`].
    pub fn forget_person(&mut self, name: &str) -> Result<RemovedNames> {
        forgotten_people::require_name(name)?;
        self.write(|db| forgotten_people::remove(db, name))
    }

    /// What [`Store::forget_person`] would remove.
    ///
    /// # Errors
    /// Those of [`Store::forget_person`].
    pub fn would_forget_person(&mut self, name: &str) -> Result<RemovedNames> {
        forgotten_people::require_name(name)?;
        self.rehearse(|db| forgotten_people::remove(db, name))
    }

    /// Allows the name of a person to be stored again; the next run reads the metadata of all files anew. Returns `false`
    /// if the name was not forgotten.
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn allow_person(&mut self, name: &str) -> Result<bool> {
        self.write(|db| forgotten_people::allow(db, name))
    }

    /// Allows a file or folder that was forgotten under this path to be stored again, with everything that was forgotten
    /// together with it. Returns `false` if none was forgotten under this path.
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn allow_again(&mut self, path: &Path) -> Result<bool> {
        self.write(|db| forgotten::allow(db, path))
    }

    /// Rewrites the database without what was deleted, and empties its log. Returns `false` if another process keeps
    /// the log from being emptied.
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn clean(&mut self) -> Result<bool> {
        forgotten::clean(&self.connection).map_err(|error| explain::sentence(&self.path, error))
    }

    /// Removes from a restored database what was forgotten in the one that it replaces, and keeps it from being stored
    /// again. Returns `None` if the marks cannot match anything, see [`forgotten_again::forget_again`].
    pub(in super::super) fn forget_again(
        &mut self,
        marks: &forgotten_again::AllMarks,
    ) -> Result<Option<ForgottenAgain>> {
        let forgotten = self.write(|db| forgotten_again::forget_again(db, marks))?;
        self.clean()?;
        Ok(forgotten)
    }
}
