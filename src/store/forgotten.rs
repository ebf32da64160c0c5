//! Removes every trace of photos, and keeps them from being stored again.
//!
//! What was forgotten is recognised by marks: keyed hashes of paths, contents and pictures, which do not reveal what was
//! forgotten. The mark of a folder applies to everything in it; that of a content, to files at any path; that of a
//! picture, also to files with other metadata.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _, named_params, params};

use crate::photo::{ContentHash, PictureHash};

use super::earlier_versions::{self, EarlierVersion};
use super::lost_paths::LostContent;
use super::path::{Subtree, decode, encode};
use super::record::PhotoId;
use super::same_picture::siblings;
use super::{corrections, files, lost_paths, lost_photos, mounts, photos, typed};

/// What was removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Removed {
    /// Number of files; if a photo was named, all copies of it are included.
    pub files: u64,
    /// Those of these files that are copies of that photo: files with the same content, or with the same picture and
    /// other metadata.
    pub copies: Vec<PathBuf>,
    /// Files with a content or picture of the folder that was named, but outside of the folder; they stay.
    pub stay: Vec<PathBuf>,
    /// Number of photos that have no other file, without skipped ones.
    pub photos: u64,
    /// Number of corrections of their faces.
    pub corrections: u64,
    /// Number of roots.
    pub roots: u64,
    /// Number of paths that photos with corrections had before.
    pub lost_paths: u64,
}

/// Computes marks with the key of a database.
pub(super) struct Marks([u8; 32]);

impl Marks {
    pub fn of(db: &Connection) -> rusqlite::Result<Self> {
        let mut key = db.prepare_cached("SELECT key FROM forgotten_key")?;
        key.query_row([], |row| row.get(0)).map(Self)
    }

    fn path(&self, path: &Path) -> [u8; 32] {
        // Rebuilt from its components, so that `a//b/./` is `a/b`.
        let path: PathBuf = path.components().collect();
        self.mark(b"path", &encode(&path))
    }

    fn content(&self, hash: &ContentHash) -> [u8; 32] {
        self.mark(b"content", hash.as_bytes())
    }

    fn picture(&self, hash: &PictureHash) -> [u8; 32] {
        self.mark(b"picture", hash.as_bytes())
    }

    /// The mark of a person's name, which is given as [`words::comparison_form`](super::words::comparison_form).
    pub fn person(&self, words: &str) -> [u8; 32] {
        self.mark(b"person", words.as_bytes())
    }

    fn mark(&self, kind: &[u8], bytes: &[u8]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(kind).update(&[0]).update(bytes);
        *hasher.finalize().as_bytes()
    }
}

/// Whether nothing was forgotten, as in most databases.
fn is_empty(db: &Connection) -> rusqlite::Result<bool> {
    let exists = db.prepare_cached("SELECT 1 FROM forgotten")?.exists([])?;
    Ok(!exists)
}

fn has(db: &Connection, mark: &[u8; 32]) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM forgotten WHERE mark = ?")?
        .exists([mark])
}

/// Whether this file or folder, or a folder that contains it, was forgotten.
pub(super) fn holds_path(db: &Connection, path: &Path) -> rusqlite::Result<bool> {
    if is_empty(db)? {
        return Ok(false);
    }
    let marks = Marks::of(db)?;
    for path in path.ancestors() {
        if has(db, &marks.path(path))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a photo with this content was forgotten.
pub(super) fn holds_content(db: &Connection, hash: &ContentHash) -> rusqlite::Result<bool> {
    Ok(!is_empty(db)? && has(db, &Marks::of(db)?.content(hash))?)
}

/// Whether a photo with this picture was forgotten, with whatever metadata.
pub(super) fn holds_picture(db: &Connection, hash: &PictureHash) -> rusqlite::Result<bool> {
    Ok(!is_empty(db)? && has(db, &Marks::of(db)?.picture(hash))?)
}

/// Stores a mark of a content whose picture was forgotten, so that it is recognised by the hash of its bytes from now on.
pub(super) fn keep_out_content(
    db: &Connection,
    hash: &ContentHash,
    picture: &PictureHash,
) -> rusqlite::Result<()> {
    let marks = Marks::of(db)?;
    db.prepare_cached(
        "INSERT OR IGNORE INTO forgotten (mark, named) SELECT ?, named FROM forgotten WHERE mark = ?",
    )?
    .execute([marks.content(hash), marks.picture(picture)])?;
    Ok(())
}

/// Allows a file or folder again, with everything that was forgotten together with it; `false` if nothing was forgotten
/// under this path, however its accents are written.
pub(super) fn allow(db: &Connection, path: &Path) -> rusqlite::Result<bool> {
    let marks = Marks::of(db)?;
    for form in typed::forms(path) {
        let named: Option<[u8; 32]> = db
            .prepare_cached("SELECT named FROM forgotten WHERE mark = ?")?
            .query_row([marks.path(&form)], |row| row.get(0))
            .optional()?;
        if let Some(named) = named {
            db.execute("DELETE FROM forgotten WHERE named = ?", [named])?;
            return Ok(true);
        }
    }
    Ok(false)
}

/// If `path` is a file, removes the rows of its photo, of all files of the photo, and of all photos with its picture; if
/// it is a folder, the rows of everything below it. Stores the marks of what was removed.
pub(super) fn remove(db: &Connection, path: &Path) -> rusqlite::Result<Removed> {
    let marks = Marks::of(db)?;
    let named = marks.path(path);
    let mut keep_out = db.prepare("INSERT OR IGNORE INTO forgotten (mark, named) VALUES (?, ?)")?;
    keep_out.execute(params![named, named])?;
    let tree = Subtree::of(path);
    let mut removed = Removed::default();
    let mut left = BTreeSet::new();
    let mut versions = Vec::new();
    let found = files_of(db, &tree)?;
    let mut is_photo = false;
    for (path, photo) in &found {
        if let (Some(photo), true) = (photo, encode(path) == tree.exact) {
            is_photo |= is_analysed(db, *photo)?;
        }
    }
    for (path, photo) in found {
        if let Some(photo) = photo {
            versions.extend(earlier_versions::find(db, &path, photo)?);
        }
        removed.files += u64::from(files::remove(db, &path)?);
        let Some(photo) = photo else { continue };
        left.insert(photo);
        // A single photo is removed with all its copies.
        if encode(&path) == tree.exact {
            for copied in siblings(db, photo)?.into_iter().chain([photo]) {
                for copy in files::of_photo(db, copied)? {
                    versions.extend(earlier_versions::find(db, &copy, copied)?);
                    keep_out.execute(params![marks.path(&copy), named])?;
                    removed.files += u64::from(files::remove(db, &copy)?);
                    removed.copies.push(copy);
                    left.insert(copied);
                }
            }
        }
    }
    removed.copies.sort();
    let mut stay = BTreeSet::new();
    let mut lost = BTreeSet::new();
    for photo in &left {
        stay.extend(files::of_photo(db, *photo)?);
        for sibling in siblings(db, *photo)? {
            let files = files::of_photo(db, sibling)?;
            if files.is_empty() && !left.contains(&sibling) {
                lost.insert(sibling);
            }
            stay.extend(files);
        }
    }
    // Where a folder was named, or a photo that is there no more, everything that was there is meant; a photo that is there
    // may have taken the name of another one.
    if !is_photo {
        let (were_there, files) = lost_versions(db, path, &tree)?;
        versions.extend(were_there);
        stay.extend(files);
    }
    removed.stay.extend(stay);
    // The lost photos first, so that no correction is passed on to one of them.
    let mut pictures = Vec::new();
    for photo in lost.iter().chain(&left) {
        // Of a folder, a copy elsewhere stays; one that the album leaves out now may be indexed later.
        if !is_photo && is_left_out(db, *photo)? {
            continue;
        }
        let Some(gone) = remove_photo(db, *photo)? else {
            continue;
        };
        keep_out.execute(params![marks.content(&gone.hash), named])?;
        removed.photos += u64::from(gone.was_analysed && left.contains(photo));
        removed.corrections += gone.corrections;
        pictures.extend(gone.picture);
    }
    for picture in pictures {
        let mut others = db.prepare_cached("SELECT 1 FROM photos WHERE picture = ?")?;
        if !others.exists([picture])? {
            keep_out.execute(params![marks.picture(&picture), named])?;
        }
    }
    for EarlierVersion { of, is_certain } in versions {
        removed.corrections += remove_corrections(db, &of)?;
        // What was in a folder is not marked, unlike a photo, which is meant with all its copies: one may be at another
        // path that no run has met yet. What may be another photo is not marked either.
        if is_certain {
            keep_out.execute(params![marks.content(&of.hash), named])?;
            if let Some(picture) = of.picture {
                keep_out.execute(params![marks.picture(&picture), named])?;
            }
        }
    }
    removed.lost_paths = if is_photo {
        remove_uncorrected(db, &tree)?
    } else {
        lost_paths::remove(db, &tree)?
    };
    mounts::remove(db, &tree)?;
    // Where the files of photos without files were is not stored for all of them, so all such photos are removed.
    photos::prune(db, std::time::Duration::ZERO)?;
    removed.roots = db.execute(
        "DELETE FROM roots WHERE path >= :exact AND path < :high AND (path = :exact OR path >= :low)",
        named_params! {":exact": tree.exact, ":low": tree.low, ":high": tree.high},
    )? as u64;
    Ok(removed)
}

/// The contents that were in a tree and have left it, those at `path` itself for certain; and the files of those that have files
/// elsewhere. What a person said of a content then belongs to a file that has its picture, so that its hash does not stay.
fn lost_versions(
    db: &Connection,
    path: &Path,
    tree: &Subtree,
) -> rusqlite::Result<(Vec<EarlierVersion>, Vec<PathBuf>)> {
    let named = lost_paths::contents(db, path)?;
    let (mut versions, mut stay) = (Vec::new(), Vec::new());
    for lost in lost_paths::below(db, tree)? {
        let files = lost_photos::files_of(db, &lost)?;
        if files.is_empty() {
            if !lost_photos::is_left_out(db, &lost)? {
                versions.push(EarlierVersion {
                    of: lost,
                    is_certain: named.contains(&lost),
                });
            }
        } else if let Some(other) = photos::with_picture_of(db, &lost)? {
            photos::move_corrections(db, &lost.hash, &other)?;
        }
        stay.extend(files);
    }
    Ok((versions, stay))
}

/// Whether a file of a photo without files is probably on disk, and left out of the album.
fn is_left_out(db: &Connection, photo: PhotoId) -> rusqlite::Result<bool> {
    Ok(files::count_of_photo(db, photo)? == 0
        && lost_photos::is_left_out(db, &photos::content_of(db, photo)?)?)
}

/// Removes the paths of contents that have no corrections any more, and returns how many of them were in a tree. A correction
/// that stays is of another photo, which is found by its path when the folder is forgotten.
fn remove_uncorrected(db: &Connection, tree: &Subtree) -> rusqlite::Result<u64> {
    let before = lost_paths::below(db, tree)?.len();
    lost_paths::prune(db)?;
    Ok((before - lost_paths::below(db, tree)?.len()) as u64)
}

/// Whether a photo was analysed, and not skipped.
fn is_analysed(db: &Connection, photo: PhotoId) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM photos WHERE id = ? AND skip_reason IS NULL")?
        .exists([photo])
}

/// Removes a file, and its photo if it was the last one; returns the number of files.
pub(super) fn remove_file(
    db: &Connection,
    path: &Path,
    photo: Option<PhotoId>,
) -> rusqlite::Result<u64> {
    let removed = files::remove(db, path)?;
    if let Some(photo) = photo {
        remove_photo(db, photo)?;
    }
    Ok(u64::from(removed))
}

/// The files in a tree, each with its photo.
fn files_of(db: &Connection, tree: &Subtree) -> rusqlite::Result<Vec<(PathBuf, Option<PhotoId>)>> {
    db.prepare(
        "SELECT path, photo_id FROM files
         WHERE path >= :exact AND path < :high AND (path = :exact OR path >= :low)",
    )?
    .query_map(
        named_params! {":exact": tree.exact, ":low": tree.low, ":high": tree.high},
        |row| Ok((decode(row.get_ref(0)?.as_blob()?), row.get(1)?)),
    )?
    .collect()
}

/// A photo whose rows were removed.
pub(super) struct RemovedPhoto {
    hash: ContentHash,
    picture: Option<PictureHash>,
    was_analysed: bool,
    /// Number of corrections that were removed with it.
    corrections: u64,
}

/// Removes a photo that has no files left, with the corrections of its faces unless another photo has the same picture.
pub(super) fn remove_photo(
    db: &Connection,
    photo: PhotoId,
) -> rusqlite::Result<Option<RemovedPhoto>> {
    if !files::of_photo(db, photo)?.is_empty() {
        return Ok(None);
    }
    let (hash, picture, was_analysed): (ContentHash, Option<PictureHash>, bool) = db.query_row(
        "SELECT hash, picture, skip_reason IS NULL FROM photos WHERE id = ?",
        [photo],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    let sibling: Option<ContentHash> = db
        .query_row(
            "SELECT hash FROM photos WHERE picture = ? AND id <> ? ORDER BY id",
            params![picture, photo],
            |row| row.get(0),
        )
        .optional()?;
    let mut corrections = 0;
    if let Some(sibling) = sibling {
        photos::move_corrections(db, &hash, &sibling)?;
    } else {
        corrections = remove_corrections(db, &LostContent { hash, picture })?;
    }
    db.execute("DELETE FROM photos WHERE id = ?", [photo])?;
    // All tables with rows of a photo have a column with its ID.
    for table in tables_by_photo(db)? {
        db.execute(
            &format!("DELETE FROM \"{table}\" WHERE photo_id = ?"),
            [photo],
        )?;
    }
    Ok(Some(RemovedPhoto {
        hash,
        picture,
        was_analysed,
        corrections,
    }))
}

/// Removes the corrections of a content and its picture, the corrections from which they were carried over, unless the
/// photo of these still has a file, also one that the album probably leaves out, and the records of undone ones. Returns
/// the number of corrections.
pub(super) fn remove_corrections(db: &Connection, of: &LostContent) -> rusqlite::Result<u64> {
    let (hash, picture) = (of.hash, of.picture);
    db.execute(
        "DELETE FROM undone_corrections WHERE hash = ? OR picture = ?",
        params![hash, picture],
    )?;
    let mut removed: BTreeSet<i64> = db
        .prepare("SELECT id FROM corrections WHERE hash = ? OR picture = ?")?
        .query_map(params![hash, picture], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let leaders: Vec<(i64, LostContent)> = db
        .prepare(
            "SELECT l.hash, l.picture, l.id FROM corrections c JOIN corrections l ON l.id = c.carried_from
             WHERE c.hash = ? OR c.picture = ?",
        )?
        .query_map(params![hash, picture], |row| {
            Ok((row.get(2)?, LostContent::from_row(row)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    for (leader, of) in leaders {
        if !lost_photos::may_have_file(db, &of)? {
            removed.insert(leader);
        }
    }
    for correction in &removed {
        corrections::delete(db, *correction)?;
    }
    Ok(removed.len() as u64)
}

/// The tables with a column `photo_id`, except the notes of what is to be brought up to date.
fn tables_by_photo(db: &Connection) -> rusqlite::Result<Vec<String>> {
    db.prepare_cached(
        "SELECT t.name FROM pragma_table_list t JOIN pragma_table_info (t.name) c
         WHERE t.schema = 'main' AND t.type = 'table' AND c.name = 'photo_id' AND t.name NOT LIKE 'dirty_%'",
    )?
    .query_map([], |row| row.get(0))?
    .collect()
}

/// Rewrites the database without anything that was deleted, and empties its log. Returns `false` if other processes
/// keep the log from being emptied.
pub(super) fn clean(db: &Connection) -> rusqlite::Result<bool> {
    db.flush_prepared_statement_cache();
    // The full-text index keeps the words of a removed photo until its segments are merged.
    db.execute(
        "INSERT INTO photo_words (photo_words) VALUES ('optimize')",
        [],
    )?;
    // `VACUUM` copies the database, and a large one does not fit into memory.
    db.pragma_update(None, "temp_store", "file")?;
    db.execute_batch("VACUUM")?;
    db.pragma_update(None, "temp_store", "memory")?;
    let is_busy: bool = db.query_row("PRAGMA wal_checkpoint (TRUNCATE)", [], |row| row.get(0))?;
    Ok(!is_busy)
}

#[cfg(test)]
mod tests;
