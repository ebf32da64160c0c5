//! The methods for the database as a whole: totals, diagnosis and repair, backups, recovery.

use std::path::{Path, PathBuf};

use crate::error::{Result, Skip};

use super::super::{
    Contents, Diagnosis, DoctorObserver, DoubtfulClock, FactRules, Models, Recovered, Restored,
    Root, Store, Totals, Value, backup, clocks, connection, doctor, everything, explain,
    fact_rules, recover, roots, totals,
};

impl Store {
    /// The numbers of files, photos, faces and skipped files.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn totals(&self) -> Result<Totals> {
        self.read(totals::count)
    }

    /// The files that were skipped, each with the reason, sorted by path.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn skipped(&self) -> Result<Vec<(PathBuf, Skip)>> {
        self.read(totals::skipped)
    }

    /// The folders that were indexed or are watched, sorted by path.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn roots(&self) -> Result<Vec<Root>> {
        self.read(roots::all)
    }

    /// The combinations of models that analysed the photos, each with its number of photos.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn models(&self) -> Result<Vec<(Models, u64)>> {
        self.read(totals::models)
    }

    /// Compares every derived row with what it is derived from, in one snapshot of the database, and runs
    /// SQLite's own checks.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn diagnose(&self, observer: &dyn DoctorObserver) -> Result<Diagnosis> {
        self.read(|db| doctor::diagnose(db, observer))
    }

    /// Like [`Store::diagnose`], and derives again what differs, in one transaction. Returns what differed.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub fn repair(&mut self, observer: &dyn DoctorObserver) -> Result<Diagnosis> {
        self.write(|db| doctor::repair(db, observer))
    }

    /// The cameras whose clocks seem to be hours off, judging by when other cameras took photos.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn doubtful_clocks(&self) -> Result<Vec<DoubtfulClock>> {
        self.read(clocks::doubtful)
    }

    /// Stores the settings for facts, and updates the photos whose facts they change.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub fn set_fact_rules(&mut self, rules: &FactRules) -> Result<()> {
        let rules = rules.normal();
        if self.read(fact_rules::get)? == rules {
            return Ok(());
        }
        self.write(|db| fact_rules::set(db, &rules))
    }

    /// Writes a complete, checked copy of the database into the empty file at `copy`, while others may write to the
    /// database. Returns what is in the copy.
    ///
    /// # Errors
    /// If the database cannot be read or is damaged, or the copy cannot be written.
    pub fn back_up(&self, copy: &Path) -> Result<Contents> {
        backup::copy(&self.connection, copy)
            .and_then(|()| backup::check(copy))
            .map_err(|error| explain::of_copying(&self.path, copy, error))
    }

    /// Replaces `database` by a copy of the database at `from`; the replaced one is kept under another name, and `from`
    /// is not changed. The caller must ensure that no daemon or indexing run uses the database.
    ///
    /// # Errors
    /// If `from` is not a database of fer-index, has a newer schema or is damaged, or if another process has
    /// `database` open; nothing has changed then.
    pub fn restore(database: &Path, from: &Path) -> Result<Restored> {
        backup::restore(
            &connection::absolute(database)?,
            &connection::absolute(from)?,
        )
    }

    /// Makes a sound database of what can be read of a damaged one, which is kept under another name. Derived rows are
    /// computed anew. The caller must ensure that no daemon or indexing run uses the database.
    ///
    /// # Errors
    /// If nothing can be read, or another process has the database open; nothing has changed then.
    pub fn recover(database: &Path) -> Result<Recovered> {
        recover::recover(&connection::absolute(database)?)
    }

    /// Passes each row of the database to `take`, with the names of its table and columns. Tables that only repeat others
    /// are left out.
    ///
    /// # Errors
    /// The errors of `take`, and those of [`Store::files_under`].
    pub fn everything(
        &self,
        take: impl FnMut(&str, Vec<(String, Value)>) -> Result<()>,
    ) -> Result<()> {
        self.read(|db| everything::each(db, take))?
    }
}
