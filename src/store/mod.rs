//! What is known of the photos, kept in one SQLite file. No other module holds SQL.
//!
//! A photo is its content: [`PhotoRecord`] is keyed by hash, and the paths where that content lies
//! are rows of their own. A photo is in the results while at least one path leads to it.
//!
//! One writer and any number of readers work at once (WAL). Each [`Store::batch`] is one
//! transaction; each reading method sees one state of the database.

mod batch;
mod changes;
mod codec;
mod connection;
mod corrections;
mod explain;
mod faces;
mod files;
mod findings;
mod folders;
mod migrate;
mod models;
mod path;
mod photos;
mod places;
mod query;
mod ranks;
mod record;
mod roots;
mod scores;
mod tally;
#[cfg(test)]
mod testing;
mod totals;
mod unread;
mod words;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};

use crate::error::{Result, Skip};
use crate::face::Correction;
use crate::geo::Cell;
use crate::photo::{ContentHash, GeoPoint};

pub use batch::Batch;
pub use query::{Counts, Filter, Hit, Order, Query, SHOWN, Shown, Who};
pub use record::{
    FaceId, KnownFile, KnownPhoto, Models, Photo, PhotoId, PhotoRecord, Scan, StoredFace,
};
pub use roots::Root;
pub use tally::{Group, Grouping, Tally};
pub use totals::Totals;

/// Files that are forgotten in one transaction.
const FORGET_BATCH: usize = 1024;

/// An open index database.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
}

impl Store {
    /// Opens the database at `path` for indexing and brings it up to date. It is created where it
    /// is missing, its folders too, for its owner's eyes only.
    ///
    /// # Errors
    /// [`Error::Store`](crate::error::Error::Store) when it cannot be created or written, belongs
    /// to another program, or was made by a newer fer-index; nothing is changed then.
    pub fn open(path: &Path) -> Result<Self> {
        let path = connection::absolute(path)?;
        connection::create(&path)?;
        Ok(Self {
            connection: connection::open_writable(&path)?,
            path,
        })
    }

    /// Opens a database that must be there, for asking.
    ///
    /// # Errors
    /// As [`Store::open`], and when there is no database yet; it need not be writable.
    pub fn open_existing(path: &Path) -> Result<Self> {
        let path = connection::absolute(path)?;
        connection::require(&path)?;
        Ok(Self {
            connection: connection::open(&path)?,
            path,
        })
    }

    /// The database file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Goes through what is known of the files in and below `folder`, or of the one file of that
    /// name, in the order of the bytes of their paths. A file is current if reading its unchanged
    /// bytes with `models` would bring nothing new.
    ///
    /// # Errors
    /// What `work` returns, and when the database cannot be read; so for every method below.
    pub fn files_under<T>(
        &self,
        folder: &Path,
        models: &Models,
        work: impl FnOnce(&mut dyn Iterator<Item = Result<(PathBuf, KnownFile)>>) -> Result<T>,
    ) -> Result<T> {
        let explain = |error| explain::sentence(&self.path, error);
        self.read(|db| {
            files::under(db, folder, models, |files| {
                work(&mut files.map(|file| file.map_err(explain)))
            })
        })?
    }

    /// What became of the file at `path`; `None` where it was never seen.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn file(&self, path: &Path) -> Result<Option<Result<PhotoId, Skip>>> {
        self.read(|db| files::outcome(db, path))
    }

    /// Whether this content has been looked at, and with which models.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn photo_by_hash(&self, hash: &ContentHash) -> Result<Option<KnownPhoto>> {
        self.read(|db| photos::known(db, hash))
    }

    /// Everything that is known of a photo.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn photo(&self, id: PhotoId) -> Result<Option<Photo>> {
        self.read(|db| photos::load(db, id))
    }

    /// The photos that answer a query, in its order.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn query(&self, query: &Query) -> Result<Vec<Hit>> {
        self.read(|db| query::run(db, query))
    }

    /// The cells of the globe with photos, in ascending order, and how many each has.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn places(&self) -> Result<Vec<(Cell, u64)>> {
        self.read(places::occupied)
    }

    /// The middle of where most photos were taken; `None` where none tells where it was.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn home(&self) -> Result<Option<GeoPoint>> {
        self.read(|db| Ok(places::home(&places::occupied(db)?)))
    }

    /// The years in which the first and the last photo were taken; `None` where none tells.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn years(&self) -> Result<Option<(i16, i16)>> {
        self.read(totals::years)
    }

    /// How many photos meet the filters of a query: whatever they show, and for each emotion in
    /// the place of the query's.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn counts(&self, query: &Query) -> Result<Counts> {
        self.read(|db| query::counts(db, query))
    }

    /// The names of the cameras, in ascending order.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn cameras(&self) -> Result<Vec<String>> {
        self.read(query::cameras)
    }

    /// How many photos answer a query, whatever its limit and offset.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn total(&self, query: &Query) -> Result<u64> {
        self.read(|db| query::total(db, query))
    }

    /// The folders that files of the index lie in, sorted by the bytes of the path.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn folders(&self) -> Result<Vec<PathBuf>> {
        self.read(folders::with_files)
    }

    /// How many faces show each emotion most, by group; only faces with at least this detection
    /// score count.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn tally(&self, by: Grouping, min_detection: f32) -> Result<Vec<Tally>> {
        self.read(|db| tally::count(db, by, min_detection))
    }

    /// How much there is.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn totals(&self) -> Result<Totals> {
        self.read(totals::count)
    }

    /// The folders that were indexed or are followed, in order of path.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn roots(&self) -> Result<Vec<Root>> {
        self.read(roots::all)
    }

    /// Which models looked at the photos, and at how many.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn models(&self) -> Result<Vec<(Models, u64)>> {
        self.read(totals::models)
    }

    /// What is known of one file, see [`Store::files_under`].
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn known_file(&self, path: &Path, models: &Models) -> Result<Option<KnownFile>> {
        self.files_under(path, models, |files| {
            let first = files.next().transpose()?;
            Ok(first
                .filter(|(known, _)| known == path)
                .map(|(_, file)| file))
        })
    }

    /// Gives back memory that only makes the next question faster.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn release_memory(&self) -> Result<()> {
        self.connection
            .release_memory()
            .map_err(|error| explain::sentence(&self.path, error))
    }

    /// A number that is another one once another connection has written.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn revision(&self) -> Result<i64> {
        let version =
            |db: &Connection| db.pragma_query_value(None, "data_version", |row| row.get(0));
        version(&self.connection).map_err(|error| explain::sentence(&self.path, error))
    }

    /// Writes in one transaction: all that `work` does is kept, or nothing if it fails.
    ///
    /// # Errors
    /// What `work` returns, and when the database cannot be written.
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

    /// Forgets the photos that no path has led to for the time of `grace`; how many there were.
    /// What people said of their faces is kept.
    ///
    /// # Errors
    /// When the database cannot be written; so for every method below.
    pub fn prune(&mut self, grace: Duration) -> Result<u64> {
        self.write(|db| photos::prune(db, grace))
    }

    /// Takes a person's word on a face, in the place of what they said before. It holds from now
    /// on, whatever models say: photos rank by it, and it outlasts looking at them again. Whether
    /// there is such a face.
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn correct(&mut self, face: FaceId, correction: Correction) -> Result<bool> {
        self.write(|db| corrections::put(db, face, correction))
    }

    /// Takes back what a person said of a face: the model's reading holds again. Whether there was
    /// anything to take back.
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn undo(&mut self, face: FaceId) -> Result<bool> {
        self.write(|db| corrections::undo(db, face))
    }

    /// Forgets files that are gone. Their photos leave the results with their last path, and are
    /// kept until they are pruned.
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

    /// Forgets the file at `path` or all files below that folder; how many there were.
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn forget_tree(&mut self, path: &Path) -> Result<u64> {
        self.write(|db| files::remove_tree(db, path))
    }

    /// A file or folder has another name: what is known of the files in it goes along. How many
    /// there were.
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn rename(&mut self, from: &Path, to: &Path) -> Result<u64> {
        self.write(|db| files::rename(db, from, to))
    }

    /// Notes that a folder was held against the index just now.
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn reconciled(&mut self, root: &Path) -> Result<()> {
        self.write(|db| roots::reconciled(db, root))
    }

    /// Notes that a folder is away. What is known of its files stays.
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn offline(&mut self, root: &Path) -> Result<()> {
        self.write(|db| roots::offline(db, root))
    }

    fn write<T>(&mut self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        self.batch(|batch| batch.raw(work))
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        let snapshot = || {
            let transaction = self.connection.unchecked_transaction()?;
            work(&transaction)
        };
        snapshot().map_err(|error| explain::sentence(&self.path, error))
    }
}
