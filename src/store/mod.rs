//! Stores what is known about the photos in one SQLite file. No other module contains SQL.
//!
//! A photo is identified by its content: a [`PhotoRecord`] is keyed by the content hash, and the
//! paths at which that content lies are rows of their own. A photo is in the results of queries
//! while at least one path leads to it. Photos with the same picture differ only in their metadata:
//! one takes the place of the other when it replaces its last file, and corrections apply to all.
//!
//! One writer and any number of readers work at the same time (WAL mode). Each [`Store::batch`] is
//! one transaction; each reading method reads from one snapshot of the database.

mod areas;
mod backup;
mod batch;
mod bursts;
mod changes;
mod clocks;
mod codec;
mod connection;
mod corrections;
mod derived;
mod doctor;
mod effective;
mod estimates;
mod everything;
mod exchange;
mod explain;
mod face_ranks;
mod faces;
mod features;
mod files;
mod findings;
mod folders;
mod forgotten;
mod forgotten_again;
mod forgotten_people;
mod incomplete;
mod kin;
mod learning;
mod looks;
mod migrate;
mod models;
mod path;
mod people;
mod photos;
mod pictures;
mod places;
mod query;
mod ranking;
mod raw_pairs;
mod record;
mod recover;
mod roots;
mod rules;
mod sidecars;
mod stored_face;
mod tally;
#[cfg(test)]
mod testing;
mod totals;
mod typed;
mod unread;
mod words;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};

use crate::error::{Result, Skip};
use crate::face::{Correction, ScoredFace};
use crate::file::FileMeta;
use crate::geo::Cell;
use crate::photo::{Capture, ContentHash, GeoPoint, Picture};

pub use backup::{Contents, Restored};
pub use batch::Batch;
pub use clocks::DoubtfulClock;
pub use doctor::{DerivedPart, Diagnosis, Difference, DifferenceKind, DoctorObserver};
pub use everything::Value;
pub use exchange::{CorrectionRecord, Taken, UndoneFace};
pub use explain::is_damage;
pub use forgotten::Removed;
pub use forgotten_again::ForgottenAgain;
pub use forgotten_people::RemovedNames;
pub use learning::Learning;
pub use looks::NamedPlaces;
pub use people::{PersonInPhoto, words_of_name};
pub use query::{Counts, EMOTION_THRESHOLD, Filter, Hit, Order, Query, RankingScore, Who};
pub use record::{
    CarriedFrom, FaceId, KinCorrection, KinFace, KinId, KnownFile, KnownPhoto, Models, Photo,
    PhotoAnalysis, PhotoId, PhotoRecord,
};
pub use recover::Recovered;
pub use roots::Root;
pub use rules::FactRules;
pub use stored_face::StoredFace;
pub use tally::{Group, Grouping, Tally};
pub use totals::Totals;
pub use words::has_words;

/// Number of files that [`Store::forget`] and [`Store::adopt_status`] change in one transaction.
const FORGET_BATCH: usize = 1024;

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

    /// The database file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Passes to `work` what is known about each file in and below `folder` (or about the one file
    /// of that name), in the order of the bytes of their paths. [`KnownFile::is_current`] is `true`
    /// if processing the unchanged file again with `models` would give the same result.
    ///
    /// # Errors
    /// The errors of `work`, and an error if the database cannot be read; the latter holds for
    /// every method below.
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

    /// The outcome for the file at `path`: its photo, or why it was skipped; `None` if the file is
    /// not in the index.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn file(&self, path: &Path) -> Result<Option<Result<PhotoId, Skip>>> {
        self.read(|db| files::outcome(db, path))
    }

    /// The path under which the index has the file or folder that a person means by `typed`; `None` if it
    /// has none. The first of these that the index has: the path itself, made absolute; the path with its
    /// symbolic links resolved; a path through a symbolic link in the album that leads there; a path with
    /// the same names by Unicode canonical equivalence.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn find_path(&self, typed: &Path) -> Result<Option<PathBuf>> {
        self.read(|db| typed::Finder::new(db).find(typed))
    }

    /// The stored path of each of several typed ones, as [`Store::find_path`] finds it.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn find_paths(&self, typed: &[PathBuf]) -> Result<Vec<Option<PathBuf>>> {
        self.read(|db| {
            let finder = typed::Finder::new(db);
            typed.iter().map(|path| finder.find(path)).collect()
        })
    }

    /// Whether this content has been analysed, and with which models.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn photo_by_hash(&self, hash: &ContentHash) -> Result<Option<KnownPhoto>> {
        self.read(|db| photos::known(db, hash))
    }

    /// Where people are named in the photo with this content.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn named_places(&self, hash: &ContentHash) -> Result<NamedPlaces> {
        self.read(|db| looks::named(db, hash))
    }

    /// A file of each photo that has to be analysed again: somebody names a person where no face was found, and it was not
    /// looked at more closely there.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn files_to_look_at(&self) -> Result<Vec<PathBuf>> {
        self.read(looks::due)
    }

    /// The analysis by `models` of this picture, in its orientation: that of any photo with the same picture and
    /// orientation, or the turned one of the photo that the file at `path` was before, or of one that has lost
    /// its files. The metadata in it are those of that photo.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn analysis_of_picture(
        &self,
        path: &Path,
        picture: &Picture,
        models: &Models,
    ) -> Result<Option<PhotoAnalysis<ScoredFace>>> {
        self.read(|db| pictures::analysis(db, Some(path), picture, models))
    }

    /// A photo as it was stored: what the models found in it, without people's corrections.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn record(&self, id: PhotoId) -> Result<Option<PhotoRecord>> {
        self.read(|db| photos::record(db, id))
    }

    /// Everything that is known about a photo.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn photo(&self, id: PhotoId) -> Result<Option<Photo>> {
        self.read(|db| photos::load(db, id))
    }

    /// A face and its photo; `None` if there is no such face.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn face(&self, face: FaceId) -> Result<Option<(PhotoId, StoredFace)>> {
        self.read(|db| faces::one(db, face))
    }

    /// The hits of a query, in its order.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn query(&self, query: &Query) -> Result<Vec<Hit>> {
        self.read(|db| query::run(db, query))
    }

    /// The grid cells that have photos, in ascending order, each with its number of photos.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn places(&self) -> Result<Vec<(Cell, u64)>> {
        self.read(places::occupied)
    }

    /// The centre of the area in which most photos were taken; `None` if no photo has a position.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn home(&self) -> Result<Option<GeoPoint>> {
        self.read(|db| Ok(places::home(&places::occupied(db)?)))
    }

    /// The years of the earliest and the latest photo; `None` if no photo has a date.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn years(&self) -> Result<Option<(i16, i16)>> {
        self.read(totals::years)
    }

    /// How many photos meet the filters of a query: with any emotion or none, and for each emotion
    /// in place of the query's emotions.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn counts(&self, query: &Query) -> Result<Counts> {
        self.read(|db| query::counts(db, query))
    }

    /// The names of all cameras, in ascending order.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn cameras(&self) -> Result<Vec<String>> {
        self.read(query::cameras)
    }

    /// The names of all people in photos, in ascending order, each once.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn people(&self) -> Result<Vec<String>> {
        self.read(people::names)
    }

    /// All keywords and titles of photos, in ascending order, each once.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn keywords(&self) -> Result<Vec<String>> {
        self.read(totals::keywords)
    }

    /// The number of hits of a query without its limit and offset.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn total(&self, query: &Query) -> Result<u64> {
        self.read(|db| query::total(db, query))
    }

    /// The number of photos that a query by date leaves out only because nothing but the time of their file
    /// dates them.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn undated(&self, query: &Query) -> Result<u64> {
        if !query.is_dated() || query.file_dates {
            return Ok(0);
        }
        let by_files = Query {
            file_dates: true,
            ..query.clone()
        };
        self.read(|db| {
            let found = query::total(db, query)?;
            Ok(query::total(db, &by_files)?.saturating_sub(found))
        })
    }

    /// The folders that directly contain photos, sorted by the bytes of the path.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn folders(&self) -> Result<Vec<PathBuf>> {
        self.read(folders::with_files)
    }

    /// The names of the folders below the roots that hold photos, or folders with photos, in ascending order.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn album_names(&self) -> Result<Vec<String>> {
        self.read(folders::names)
    }

    /// For each group of the photos that a query finds, how many faces have each emotion as their strongest. Only
    /// faces that the query counts are counted.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn tally(&self, by: Grouping, query: &Query) -> Result<Vec<Tally>> {
        self.read(|db| tally::count(db, by, query))
    }

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

    /// What is known about one file, see [`Store::files_under`]; `None` if it is not in the index.
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

    /// The files of the index to which a sidecar may belong, by its name. Which of them it is depends on what else is in
    /// the folder.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn photos_beside(&self, sidecar: &Path) -> Result<Vec<PathBuf>> {
        self.read(|db| sidecars::photos_beside(db, sidecar))
    }

    /// Frees SQLite's caches, which only make the next query faster.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn release_memory(&self) -> Result<()> {
        self.connection
            .release_memory()
            .map_err(|error| explain::sentence(&self.path, error))
    }

    /// A number that changes whenever another connection has written to the database.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn revision(&self) -> Result<i64> {
        let version =
            |db: &Connection| db.pragma_query_value(None, "data_version", |row| row.get(0));
        version(&self.connection).map_err(|error| explain::sentence(&self.path, error))
    }

    /// Compares every derived row with what it is derived from, in one snapshot of the database, and runs
    /// SQLite's own checks.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn diagnose(&self, observer: &dyn DoctorObserver) -> Result<Diagnosis> {
        self.read(|db| doctor::diagnose(db, observer))
    }

    /// The cameras whose clocks seem to be hours off, by what other cameras took at the same times.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn doubtful_clocks(&self) -> Result<Vec<DoubtfulClock>> {
        self.read(clocks::doubtful)
    }

    /// Puts in force what a person's settings say of facts, and brings the photos up to date that it changes.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub fn set_fact_rules(&mut self, rules: &FactRules) -> Result<()> {
        let rules = rules.normal();
        if self.read(rules::get)? == rules {
            return Ok(());
        }
        self.write(|db| rules::set(db, &rules))
    }

    /// Does the same and mends what differs, in one transaction. Returns what has differed.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub fn repair(&mut self, observer: &dyn DoctorObserver) -> Result<Diagnosis> {
        self.write(|db| doctor::repair(db, observer))
    }

    /// Writes a complete, checked copy of the database into the empty file at `copy`, while others go on writing to
    /// the database. Returns what is in it.
    ///
    /// # Errors
    /// If the database cannot be read or is damaged, or the copy cannot be written.
    pub fn back_up(&self, copy: &Path) -> Result<Contents> {
        backup::copy(&self.connection, copy)
            .and_then(|()| backup::check(copy))
            .map_err(|error| explain::sentence(&self.path, error))
    }

    /// Puts a copy of the database at `from` in the place of `database`, which is kept under another name. `from`
    /// itself is not changed. The caller must keep daemons and indexing runs from the database.
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

    /// Makes a sound database of what can be read of a damaged one, which is kept under another name. What is derived
    /// is computed anew. The caller must keep daemons and indexing runs from the database.
    ///
    /// # Errors
    /// If nothing can be read, or another process has the database open; nothing has changed then.
    pub fn recover(database: &Path) -> Result<Recovered> {
        recover::recover(&connection::absolute(database)?)
    }

    /// Passes each row of the database to `take`, with the name of its table and of its columns. What only repeats
    /// other rows is left out.
    ///
    /// # Errors
    /// The errors of `take`, and those of [`Store::files_under`].
    pub fn everything(
        &self,
        take: impl FnMut(&str, Vec<(String, Value)>) -> Result<()>,
    ) -> Result<()> {
        self.read(|db| everything::each(db, take))?
    }

    /// Runs `work` in one transaction: everything that it writes is kept, or nothing if it fails. What is
    /// derived from the rows written follows before it is committed.
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

    /// Deletes the photos to which no path has led for longer than `grace`, and returns their
    /// number. People's corrections are kept.
    ///
    /// # Errors
    /// If the database cannot be written; this holds for every method below.
    pub fn prune(&mut self, grace: Duration) -> Result<u64> {
        self.write(|db| photos::prune(db, grace))
    }

    /// Stores a person's correction of a face in place of an earlier one. From now on the photo is
    /// ranked by it, whatever a model says, and it remains in force when the photo is analysed
    /// again. Corrections that were carried over from an earlier one of this face follow. Returns
    /// `false` if there is no such face.
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn correct(&mut self, face: FaceId, correction: Correction) -> Result<bool> {
        self.write(|db| kin::correct(db, face, correction))
    }

    /// Removes a person's correction of a face, so that the model's scores apply again, also to the
    /// faces to which it was carried over. No other one is carried over to the face. Returns `false`
    /// if there was no correction.
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn undo(&mut self, face: FaceId) -> Result<bool> {
        self.write(|db| kin::undo(db, face))
    }

    /// The corrections of faces in other files of the same moment as the photo with this content and size
    /// (upright, in pixels), which lies or is about to lie at `path`: those of the same camera and time, provided
    /// that the photo cannot be another one of a burst. That is so if
    ///
    /// - both times have the same fraction of a second, or
    /// - the photo replaces the corrected one at `path`, or
    /// - no two photos of this second and camera have the same size, which those of a burst have.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn kin_corrections(
        &self,
        hash: &ContentHash,
        path: Option<&Path>,
        capture: &Capture,
        size: (u32, u32),
    ) -> Result<Vec<KinCorrection>> {
        self.read(|db| kin::corrections(db, hash, path, capture, size))
    }

    /// Whether a correction of this content has no picture of its face yet, by which it could be carried over.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn lacks_picture(&self, hash: &ContentHash) -> Result<bool> {
        self.read(|db| kin::lacks_picture(db, hash))
    }

    /// The other photos that may be the same picture as `photo`: with files and faces, and with the same
    /// camera and time as in [`Store::kin_corrections`].
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn kin_photos(&self, photo: PhotoId) -> Result<Vec<PhotoId>> {
        self.read(|db| kin::photos(db, photo))
    }

    /// The faces of a photo whose corrections were carried over from another photo.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn carried(&self, photo: PhotoId) -> Result<Vec<(FaceId, CarriedFrom)>> {
        self.read(|db| kin::carried(db, photo))
    }

    /// The other files of the shot of a raw file and the picture beside it, each by its first path: of the raw file that
    /// picture, and the other way round. Empty for every other photo.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn files_of_shot(&self, photo: PhotoId) -> Result<Vec<PathBuf>> {
        self.read(|db| raw_pairs::paths_of_shot(db, photo))
    }

    /// All corrections, in the order in which they were made, and the faces to which none is carried over.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn corrections(&self) -> Result<(Vec<CorrectionRecord>, Vec<UndoneFace>)> {
        self.read(exchange::all)
    }

    /// Takes in corrections that another database had. Of two of the same face the later one is kept. Those of
    /// photos that are not in the index apply when they are.
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn take_corrections(
        &mut self,
        records: &[CorrectionRecord],
        undone: &[UndoneFace],
    ) -> Result<Taken> {
        self.write(|db| exchange::take(db, records, undone))
    }

    /// What corrections have taught, and whether the scores of faces follow them.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn learning(&self) -> Result<Learning> {
        self.read(learning::status)
    }

    /// Whether [`Store::learn`] has something to do.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn has_to_learn(&self) -> Result<bool> {
        self.read(learning::is_outdated)
    }

    /// Learns from the corrections, if they have changed, and lets the scores of all faces follow them, in short
    /// transactions. If it is interrupted, the next call goes on. After each transaction, `done` is told its number of photos.
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn learn(&mut self, mut done: impl FnMut(u64)) -> Result<()> {
        while self.has_to_learn()? {
            if let Some(due) = self.read(learning::due)? {
                let learned = due.learn();
                self.write(|db| learning::store(db, &learned))?;
            }
            loop {
                match self.write(learning::advance)? {
                    0 => break,
                    photos => done(photos),
                }
            }
        }
        Ok(())
    }

    /// Allows the scores to follow corrections, or no longer; [`Store::learn`] then changes them.
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn switch_learning(&mut self, is_on: bool) -> Result<()> {
        self.write(|db| learning::switch(db, is_on))
    }

    /// Lets the corrections made so far teach nothing any more; [`Store::learn`] then changes the scores.
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn forget_lessons(&mut self) -> Result<()> {
        self.write(learning::forget)
    }

    /// Stores the same correction for several faces, see [`Store::correct`]. If one of them does not exist, it is
    /// returned, and nothing is stored.
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn correct_all(
        &mut self,
        faces: &[FaceId],
        correction: Correction,
    ) -> Result<Option<FaceId>> {
        self.write(|db| {
            if let Some(unknown) = faces::first_unknown(db, faces)? {
                return Ok(Some(unknown));
            }
            for face in faces {
                kin::correct(db, *face, correction)?;
            }
            Ok(None)
        })
    }

    /// Removes the corrections of several faces, see [`Store::undo`], and returns the faces that had one. If one
    /// of the faces does not exist, it is returned, and nothing is removed.
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn undo_all(&mut self, faces: &[FaceId]) -> Result<Result<Vec<FaceId>, FaceId>> {
        self.write(|db| {
            if let Some(unknown) = faces::first_unknown(db, faces)? {
                return Ok(Err(unknown));
            }
            let mut undone = Vec::new();
            for face in faces {
                if kin::undo(db, *face)? {
                    undone.push(*face);
                }
            }
            Ok(Ok(undone))
        })
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

    /// Removes the file at `path`, or all files below that folder, and returns their number.
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn forget_tree(&mut self, path: &Path) -> Result<u64> {
        self.write(|db| files::remove_tree(db, path))
    }

    /// Removes everything that is stored of the photos below a folder, or of one photo with all its copies, with
    /// their corrections, and keeps them from being stored again. [`Store::clean`] removes what is left of the rows.
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

    /// Removes the name of a person, with the regions that it names, from everything that the sources of photos say,
    /// and keeps it from being stored again. [`Store::clean`] removes what is left of the rows.
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

    /// Allows the name of a person to be stored again, and has what files say read anew by the next run over them.
    /// Returns `false` if it was not forgotten.
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn allow_person(&mut self, name: &str) -> Result<bool> {
        self.write(|db| forgotten_people::allow(db, name))
    }

    /// Allows a file or folder to be stored again that was forgotten by this name, or with a copy of it. Returns
    /// `false` if it was not.
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
    /// again.
    fn forget_again(
        &mut self,
        marks: &forgotten_again::AllMarks,
    ) -> Result<Option<ForgottenAgain>> {
        let forgotten = self.write(|db| forgotten_again::forget_again(db, marks))?;
        self.clean()?;
        Ok(forgotten)
    }

    /// Whether a file or folder, or a folder in which it lies, was forgotten.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn is_forgotten(&self, path: &Path) -> Result<bool> {
        self.read(|db| forgotten::holds_path(db, path))
    }

    /// Whether a photo with this content was forgotten.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn is_forgotten_content(&self, hash: &ContentHash) -> Result<bool> {
        self.read(|db| forgotten::holds_content(db, hash))
    }

    /// Records that a file or folder was renamed: what is known about the files in it moves to the
    /// new path. Returns the number of files.
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn rename(&mut self, from: &Path, to: &Path) -> Result<u64> {
        self.write(|db| files::rename(db, from, to))
    }

    /// Records the ctime, inode and device of files whose content is known to be unchanged. A file whose size
    /// or modification time is another one meanwhile stays as it is.
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

    /// Records that a root is offline. What is known about its files is kept.
    ///
    /// # Errors
    /// See [`Store::prune`].
    pub fn mark_offline(&mut self, root: &Path) -> Result<()> {
        self.write(|db| roots::mark_offline(db, root))
    }

    fn write<T>(&mut self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        self.batch(|batch| batch.raw(work))
    }

    /// Runs `work` in a transaction that is not committed, and returns what it has returned.
    fn rehearse<T>(&mut self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        let rehearsed = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .and_then(|transaction| work(&transaction));
        rehearsed.map_err(|error| explain::sentence(&self.path, error))
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        let snapshot = || {
            let transaction = self.connection.unchecked_transaction()?;
            work(&transaction)
        };
        snapshot().map_err(|error| explain::sentence(&self.path, error))
    }
}
