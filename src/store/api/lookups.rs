//! The methods by which the pipeline and the daemon look up what the index has, before they read or store a file.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::error::{Result, Skip};
use crate::face::ScoredFace;
use crate::photo::{Capture, ContentHash, Picture, PictureHash};

use super::super::path::encode;
use super::super::roots::AbsentRoots;
use super::super::{
    KinCorrections, KnownFile, KnownPhoto, Models, NamedRegions, Occasion, PhotoAnalysis, PhotoId,
    Store, closer_search, explain, files, forgotten, kin, kin_due, mounts, photos, same_picture,
    sidecars, typed,
};

impl Store {
    /// Passes to `work` what is known about each file in and below `folder` (or about the one file at that path), in the
    /// order of the bytes of their paths. [`KnownFile::is_current`] is `true` if processing the unchanged file again with
    /// `models` would give the same result.
    ///
    /// # Errors
    /// The errors of `work`, and an error if the database cannot be read; the latter holds for
    /// every method that reads.
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

    /// The stored path of the file or folder that a person means by `typed`; `None` if the index has none. It is the
    /// first of these that the index has: the path itself, made absolute; the path with its symbolic links resolved; a
    /// path through a symbolic link in the album that leads there; a path with the same names by Unicode canonical
    /// equivalence.
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

    /// The photos in the index to which a sidecar may belong by its name. To which of them it belongs depends on what
    /// else is in the folder.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn photos_beside(&self, sidecar: &Path) -> Result<Vec<PathBuf>> {
        self.read(|db| sidecars::photos_beside(db, sidecar))
    }

    /// The photo with this content, with the models that analysed it or the reason why it was skipped; `None` if the
    /// index has no such photo.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn photo_by_hash(&self, hash: &ContentHash) -> Result<Option<KnownPhoto>> {
        self.read(|db| photos::known(db, hash))
    }

    /// The folders at or below `folder` that are or were mounts, sorted by path: folders on another file system than the
    /// folder that they are in, and links that lead to another file system.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn mounts_under(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        self.read(|db| mounts::under(db, folder))
    }

    /// The paths of these that lie in a root, or in a mount in one, that is not there at this moment. The index keeps them.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn on_absent_disks<'p>(&self, paths: &[&'p Path]) -> Result<HashSet<&'p Path>> {
        self.read(|db| {
            let absent = AbsentRoots::all(db)?;
            let held = paths.iter().filter(|path| absent.contain(&encode(path)));
            Ok(held.copied().collect())
        })
    }

    /// All folders that are or were mounts.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn mounts(&self) -> Result<Vec<PathBuf>> {
        self.read(mounts::all)
    }

    /// Whether the index has files below `path`.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn has_files_below(&self, path: &Path) -> Result<bool> {
        self.read(|db| files::any_below(db, path))
    }

    /// The files of each photo that is due: metadata or a sidecar name a person in a region in which no face was found
    /// and which had no closer search yet; or only now it is known whether corrections carry over to the photo.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn files_to_analyse_again(&self) -> Result<Vec<Vec<PathBuf>>> {
        self.read(|db| {
            let mut files = closer_search::files_of_due(db)?;
            files.extend(kin_due::files_of_due(db)?);
            Ok(files)
        })
    }

    /// Whether the photo with this content, with a file at `path`, is due because only now it is known whether
    /// corrections carry over to it.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn is_kin_due(&self, path: &Path, hash: &ContentHash) -> Result<bool> {
        self.read(|db| kin_due::is_due(db, path, hash))
    }

    /// The stored analysis by `models` of this picture, in its orientation: the analysis of any photo with the same
    /// picture and orientation; or else, turned to this orientation, that of the photo whose content was at `path`
    /// before, or of a lost photo. The metadata in it are those of the photo from which it was taken.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn analysis_of_picture(
        &self,
        path: &Path,
        picture: &Picture,
        models: &Models,
    ) -> Result<Option<PhotoAnalysis<ScoredFace>>> {
        self.read(|db| same_picture::analysis(db, Some(path), picture, models))
    }

    /// The regions in which people are named in the photo with this content.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn named_regions(&self, hash: &ContentHash) -> Result<NamedRegions> {
        self.read(|db| closer_search::named(db, hash))
    }

    /// Whether a correction of this content lacks the face picture by which it could be carried over.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn lacks_picture(&self, hash: &ContentHash) -> Result<bool> {
        self.read(|db| kin::lacks_picture(db, hash))
    }

    /// The corrections of faces in other files of the same moment as the photo with this content and size
    /// (upright, in pixels), which is analysed on this `occasion`: those of the same camera and time, provided
    /// that the photo cannot be another one of a burst. That is so if
    ///
    /// - both times have the same fraction of a second, or
    /// - the photo replaces the corrected one at its path, which that one may have left before, or
    /// - no two photos of this second and camera have the same size, which those of a burst have; this is known only when
    ///   all photos of a run are stored.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn kin_corrections(
        &self,
        hash: &ContentHash,
        occasion: Occasion<'_>,
        capture: &Capture,
        size: (u32, u32),
    ) -> Result<KinCorrections> {
        self.read(|db| kin::candidates(db, hash, occasion, capture, size))
    }

    /// Whether a file or folder, or a folder that contains it, was forgotten.
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

    /// Whether a photo with this picture was forgotten, with whatever metadata.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn is_forgotten_picture(&self, hash: &PictureHash) -> Result<bool> {
        self.read(|db| forgotten::holds_picture(db, hash))
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

    /// Frees the memory of SQLite's caches; the next query then reads the pages again.
    ///
    /// # Errors
    /// See [`Store::files_under`].
    pub fn release_memory(&self) -> Result<()> {
        self.connection
            .release_memory()
            .map_err(|error| explain::sentence(&self.path, error))
    }
}
