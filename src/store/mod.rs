//! Stores what is known about the photos in one SQLite file. No other module contains SQL.
//!
//! A photo is identified by its content: a [`PhotoRecord`] is keyed by the content hash, and the files with that content
//! are rows of their own. A photo is in the results of queries while at least one path leads to it. Photos with the same
//! picture differ only in their metadata: a photo whose last file is replaced by one with the same picture takes over the
//! new content, and corrections apply to all photos with that picture.
//!
//! One writer and any number of readers work at the same time (WAL mode). Each [`Store::batch`] is
//! one transaction; each reading method reads from one snapshot of the database.

mod api;
mod areas;
mod backup;
mod batch;
mod bursts;
mod clocks;
mod closer_search;
mod codec;
mod connection;
mod corrections;
mod derived;
mod doctor;
mod earlier_versions;
mod effective;
mod estimates;
mod everything;
mod exchange;
mod explain;
mod face_ranks;
mod faces;
mod fact_rules;
mod features;
mod files;
mod findings;
mod folders;
mod forgotten;
mod forgotten_again;
mod forgotten_people;
mod incomplete;
mod kin;
mod kin_due;
mod learning;
mod lost_paths;
mod lost_photos;
mod migrate;
mod models;
mod mounts;
mod path;
mod people;
mod photos;
mod places;
mod query;
mod ranking;
mod raw_pairs;
mod record;
mod recover;
mod roots;
mod same_picture;
mod shots;
mod sidecars;
mod stem;
mod stored_face;
mod tally;
#[cfg(test)]
mod testing;
mod totals;
mod typed;
mod undone;
mod unread;
mod words;
mod write_cache;

use std::path::{Path, PathBuf};

use rusqlite::{Connection, TransactionBehavior};

use crate::error::Result;

pub use backup::{Contents, Restored};
pub use batch::Batch;
pub use clocks::DoubtfulClock;
pub use closer_search::NamedRegions;
pub use doctor::{DerivedPart, Diagnosis, Difference, DifferenceKind, DoctorObserver};
pub use everything::Value;
pub use exchange::{CorrectionRecord, Imported};
pub use explain::is_damage;
pub use fact_rules::FactRules;
pub use forgotten::Removed;
pub use forgotten_again::ForgottenAgain;
pub use forgotten_people::RemovedNames;
pub use learning::Learning;
pub use lost_photos::RemovedLost;
pub use people::{PersonInPhoto, words_of_name};
pub use query::{Counts, EMOTION_THRESHOLD, Filter, Hit, Order, Query, RankingScore, Who};
pub use record::{
    CarriedFrom, EarlierCorrection, FaceId, KinCorrection, KinCorrections, KinFace, KinId,
    KnownFile, KnownPhoto, Models, Occasion, Photo, PhotoAnalysis, PhotoId, PhotoRecord,
    SeenCorrections, TakenBack,
};
pub use recover::Recovered;
pub use roots::Root;
pub use stored_face::StoredFace;
pub use tally::{Group, Grouping, Tally};
pub use totals::Totals;
pub use undone::UndoneFace;
pub use words::has_words;

/// An open index database.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
}

impl Store {
    /// Opens the database at `path` for indexing and migrates it to the current schema. If there is
    /// no database, it is created together with its folders, with access for its owner only.
    ///
    /// # Errors
    /// [`Error::Store`](crate::error::Error::Store) if the database cannot be created or written,
    /// belongs to another program, or was made by a newer fer-index; in these cases nothing is
    /// changed.
    pub fn open(path: &Path) -> Result<Self> {
        let path = connection::absolute(path)?;
        connection::create(&path)?;
        Ok(Self {
            connection: connection::open_writable(&path)?,
            path,
        })
    }

    /// Opens an existing database for queries.
    ///
    /// # Errors
    /// Those of [`Store::open`], except that the database need not be writable, and an error if
    /// there is no database.
    pub fn open_existing(path: &Path) -> Result<Self> {
        let path = connection::absolute(path)?;
        connection::require(&path)?;
        Ok(Self {
            connection: connection::open(&path)?,
            path,
        })
    }

    /// Makes this connection keep more of the database in memory, for a process that answers one query after another.
    ///
    /// # Errors
    /// [`Error::Store`](crate::error::Error::Store) if the connection is broken.
    pub fn keep_more_pages(&self) -> Result<()> {
        let done = connection::keep_more_pages(&self.connection);
        done.map_err(|error| explain::sentence(&self.path, error))
    }

    /// The database file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs `work` in one transaction: everything that it writes is kept, or nothing if it fails. Rows that are derived
    /// from those written are brought up to date before the commit.
    ///
    /// # Errors
    /// The errors of `work`, and an error if the database cannot be written.
    pub fn batch<T>(&mut self, work: impl FnOnce(&Batch<'_>) -> Result<T>) -> Result<T> {
        let explain = |error| explain::sentence(&self.path, error);
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(explain)?;
        let batch = Batch::new(transaction, &self.path);
        let done = work(&batch)?;
        batch.commit()?;
        Ok(done)
    }

    /// Runs `work` in one transaction, like [`Store::batch`].
    fn write<T>(&mut self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        self.batch(|batch| batch.raw(work))
    }

    /// Runs `work` in a transaction that is rolled back, and returns the result of `work`.
    fn rehearse<T>(&mut self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        let rehearsed = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .and_then(|transaction| work(&transaction));
        rehearsed.map_err(|error| explain::sentence(&self.path, error))
    }

    /// Runs `work` on one snapshot of the database.
    fn read<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        let snapshot = || {
            let transaction = self.connection.unchecked_transaction()?;
            work(&transaction)
        };
        snapshot().map_err(|error| explain::sentence(&self.path, error))
    }
}
