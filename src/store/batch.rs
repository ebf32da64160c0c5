//! Writes findings and other changes in one transaction.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, Transaction};

use crate::error::{Result, Skip};
use crate::face::{BoundingBox, ScoredFace};
use crate::file::FileMeta;
use crate::photo::{ContentHash, Picture, PictureHash};
use crate::sidecar::Sidecar;

use super::record::{
    KinFace, KnownPhoto, Models, PhotoAnalysis, PhotoId, PhotoRecord, SeenCorrections,
};
use super::write_cache::WriteCache;
use super::{
    closer_search, derived, explain, files, findings, forgotten, kin, kin_due, photos,
    same_picture, sidecars,
};

/// One write transaction, see [`Store::batch`](super::Store::batch). Every write is idempotent: a
/// run that was killed may repeat it without harm.
#[derive(Debug)]
pub struct Batch<'a> {
    transaction: Transaction<'a>,
    cache: WriteCache,
    path: &'a Path,
}

impl<'a> Batch<'a> {
    pub(super) fn new(transaction: Transaction<'a>, path: &'a Path) -> Self {
        Self {
            transaction,
            cache: WriteCache::default(),
            path,
        }
    }

    pub(super) fn commit(self) -> Result<()> {
        let Self {
            transaction, path, ..
        } = self;
        derived::update(&transaction)
            .and_then(|()| transaction.commit())
            .map_err(|error| explain::sentence(path, error))
    }

    /// Stores the analysis of a content in place of an earlier one, and the files with this content at these absolute
    /// paths. A face that is found again at the same position keeps its ID. A photo without a date of its own gets the
    /// modification time of its oldest file. If these paths are the last ones of a photo with the same picture, or such a
    /// photo is lost, that photo takes over the new content and keeps its ID.
    ///
    /// # Errors
    /// If the database cannot be written; this holds for every method of this type.
    pub fn put_photo(&self, record: &PhotoRecord, at: &[(PathBuf, FileMeta)]) -> Result<PhotoId> {
        let put = findings::put(&self.transaction, &self.cache, record, at);
        self.explained(put)
    }

    /// Stores what is at an absolute `path`: a file of a photo, whose modification time also dates a photo without a date
    /// of its own, or a file that could not be read, with the reason. If an older photo with the same picture thereby
    /// loses its last path, the photo in `outcome` is merged into the older one.
    ///
    /// # Errors
    /// See [`Batch::put_photo`].
    pub fn put_file(
        &self,
        path: &Path,
        meta: &FileMeta,
        outcome: Result<PhotoId, &Skip>,
    ) -> Result<()> {
        let (db, cache) = (&self.transaction, &self.cache);
        let before = self.explained(files::put(db, path, meta, outcome))?;
        if let (Ok(photo), Some(before)) = (outcome, before) {
            self.explained(same_picture::keep_elder(db, cache, before, photo))?;
        }
        Ok(())
    }

    /// Stores the sidecars of a photo's file, sorted by name, in place of those it had.
    ///
    /// # Errors
    /// See [`Batch::put_photo`].
    pub fn put_sidecars(&self, photo: &Path, sidecars: &[Sidecar]) -> Result<()> {
        self.explained(sidecars::put(&self.transaction, photo, sidecars))
    }

    /// Stores the face pictures of a photo's corrected faces, and carries corrections over to faces that have none.
    /// Returns the number of faces to which a correction was carried over.
    ///
    /// # Errors
    /// See [`Batch::put_photo`].
    pub fn put_kin(&self, photo: PhotoId, kin: &[KinFace]) -> Result<u64> {
        self.explained(kin::put(&self.transaction, photo, kin))
    }

    /// Notes that the content of the file at `path`, which may be new to the index, was searched for faces to which
    /// corrections carry over, and whether that has to be done again once its whole run is stored. It has to be done again
    /// as well if corrections were made that were not seen then.
    ///
    /// # Errors
    /// See [`Batch::put_photo`].
    pub fn note_compared(
        &self,
        path: &Path,
        hash: &ContentHash,
        is_new: bool,
        is_due_again: bool,
        seen: &SeenCorrections,
    ) -> Result<()> {
        let db = &self.transaction;
        self.explained(kin_due::note_compared(
            db,
            path,
            hash,
            is_new,
            is_due_again,
            seen,
        ))
    }

    /// Whether corrections were made that may carry over to a face of the photo with this content, since those were looked at
    /// that may.
    ///
    /// # Errors
    /// See [`Batch::put_photo`].
    pub fn are_newer(&self, hash: &ContentHash, seen: &SeenCorrections) -> Result<bool> {
        self.explained(kin::are_newer(&self.transaction, hash, seen))
    }

    /// Notes whether a photo has to be analysed again to determine which corrections carry over to it.
    ///
    /// # Errors
    /// See [`Batch::put_photo`].
    pub fn note_due(&self, photo: PhotoId, is_due: bool) -> Result<()> {
        self.explained(kin_due::note_due(&self.transaction, photo, is_due))
    }

    /// Notes that the metadata of a photo were read anew. From now on its corrections may carry over to other files by
    /// its time and camera.
    ///
    /// # Errors
    /// See [`Batch::put_photo`].
    pub fn note_metadata(&self, photo: PhotoId) -> Result<()> {
        self.explained(kin_due::note_metadata(&self.transaction, photo))
    }

    /// Stores the regions in which people were named in a photo when it was analysed: those without a face had a closer
    /// search.
    ///
    /// # Errors
    /// See [`Batch::put_photo`].
    pub fn put_searched(&self, photo: PhotoId, regions: &[BoundingBox]) -> Result<()> {
        self.explained(closer_search::put(&self.transaction, photo, regions))
    }

    /// Whether the index has the content of the file at this path.
    ///
    /// # Errors
    /// See [`Batch::put_photo`].
    pub fn has_photo_at(&self, path: &Path) -> Result<bool> {
        let photo = self.explained(files::photo_at(&self.transaction, path))?;
        Ok(photo.is_some())
    }

    /// The photo with this content, like [`Store::photo_by_hash`](super::Store::photo_by_hash).
    ///
    /// # Errors
    /// See [`Batch::put_photo`].
    pub fn photo_by_hash(&self, hash: &ContentHash) -> Result<Option<KnownPhoto>> {
        self.explained(photos::known(&self.transaction, hash))
    }

    /// The analysis of a picture by `models`, in its orientation, like
    /// [`Store::analysis_of_picture`](super::Store::analysis_of_picture) for a file at a new path.
    ///
    /// # Errors
    /// See [`Batch::put_photo`].
    pub fn analysis_of_picture(
        &self,
        picture: &Picture,
        models: &Models,
    ) -> Result<Option<PhotoAnalysis<ScoredFace>>> {
        self.explained(same_picture::analysis(
            &self.transaction,
            None,
            picture,
            models,
        ))
    }

    /// Removes the file at `path` and returns whether it was in the index. Its photo leaves the
    /// results with its last path, and its rows are kept in case the content comes back.
    ///
    /// # Errors
    /// See [`Batch::put_photo`].
    pub fn remove_file(&self, path: &Path) -> Result<bool> {
        self.explained(files::remove(&self.transaction, path))
    }

    /// Whether a file, or a folder that contains it, was forgotten, like
    /// [`Store::is_forgotten`](super::Store::is_forgotten).
    ///
    /// # Errors
    /// See [`Batch::put_photo`].
    pub fn is_forgotten(&self, path: &Path) -> Result<bool> {
        self.explained(forgotten::holds_path(&self.transaction, path))
    }

    /// Whether a photo with this content, or with this picture and whatever metadata, was forgotten.
    ///
    /// # Errors
    /// See [`Batch::put_photo`].
    pub fn is_forgotten_photo(
        &self,
        content: &ContentHash,
        picture: Option<&PictureHash>,
    ) -> Result<bool> {
        let db = &self.transaction;
        let of_picture = || picture.map_or(Ok(false), |hash| forgotten::holds_picture(db, hash));
        let of_content = forgotten::holds_content(db, content);
        self.explained(of_content.and_then(|holds| Ok(holds || of_picture()?)))
    }

    /// Stores a mark of a content whose picture was forgotten, so that from now on it is recognised before it is decoded.
    ///
    /// # Errors
    /// See [`Batch::put_photo`].
    pub fn mark_forgotten(&self, content: &ContentHash, picture: &PictureHash) -> Result<()> {
        self.explained(forgotten::keep_out_content(
            &self.transaction,
            content,
            picture,
        ))
    }

    /// Runs any statements within the transaction.
    pub(super) fn raw<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T> {
        self.explained(work(&self.transaction))
    }

    fn explained<T>(&self, result: rusqlite::Result<T>) -> Result<T> {
        result.map_err(|error| explain::sentence(self.path, error))
    }
}

#[cfg(test)]
mod tests;
