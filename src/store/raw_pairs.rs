//! Stores the raw pairs: the raw files beside a picture of the same shot, which the answers contain in their place.
//!
//! A camera that writes a raw file and a JPEG of each shot gives both the same name. Both are photos in the index, each
//! with its faces. The pair is a row that is derived only from the files and their contents, and from nothing that itself
//! depends on pairs, so that it does not depend on the order of changes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::facts::{self, FileOfPhoto, SourcesOfPhoto, Statements};
use crate::names::is_raw;
use crate::photo::{Capture, ContentHash};

use super::codec::{civil_ms, taken_columns};
use super::path::decode;
use super::record::PhotoId;
use super::{derived, files, stem};

/// Finds the row of a raw file that is paired with a picture.
pub(super) const IS_PAIRED: &str = "SELECT 1 FROM raw_pairs WHERE raw_id = ?";

/// Notes the pictures of the noted raw files, since the sidecars of a raw file also count for its picture.
pub(super) const NOTE_PICTURES: &str = "
    INSERT INTO dirty_photos
    SELECT r.picture_id FROM dirty_photos d JOIN raw_pairs r ON r.raw_id = d.photo_id
    WHERE true ON CONFLICT DO NOTHING";

/// Whether a photo is a raw file that is paired with a picture.
pub(super) fn is_paired(db: &Connection, photo: PhotoId) -> rusqlite::Result<bool> {
    db.prepare_cached(IS_PAIRED)?.exists([photo])
}

/// Whether there is any pair.
pub(super) fn any(db: &Connection) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM raw_pairs LIMIT 1")?
        .exists([])
}

/// Calls `f` with each raw file that is paired with a picture.
pub(super) fn each(db: &Connection, mut f: impl FnMut(PhotoId)) -> rusqlite::Result<()> {
    let mut statement = db.prepare_cached("SELECT raw_id FROM raw_pairs")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        f(row.get(0)?);
    }
    Ok(())
}

/// The picture with which a raw file is paired, as it is stored.
pub(super) fn picture_of(db: &Connection, raw: PhotoId) -> rusqlite::Result<Option<PhotoId>> {
    db.prepare_cached("SELECT picture_id FROM raw_pairs WHERE raw_id = ?")?
        .query_row([raw], |row| row.get(0))
        .optional()
}

/// The raw files that are paired with a picture.
fn raws_of(db: &Connection, picture: PhotoId) -> rusqlite::Result<Vec<PhotoId>> {
    db.prepare_cached("SELECT raw_id FROM raw_pairs WHERE picture_id = ? ORDER BY raw_id")?
        .query_map([picture], |row| row.get(0))?
        .collect()
}

/// The first path of each other photo of the shot: of the picture with which a raw file is paired, or of the raw files
/// that are paired with a picture.
pub(super) fn paths_of_shot(db: &Connection, photo: PhotoId) -> rusqlite::Result<Vec<PathBuf>> {
    let picture = picture_of(db, photo)?;
    let mut paths = Vec::new();
    for other in picture.into_iter().chain(raws_of(db, photo)?) {
        paths.extend(files::as_answered(db, other)?.into_iter().next());
    }
    Ok(paths)
}

/// The other contents of the shot of the content `hash`, and of the shot of the file at `path`, which is being analysed
/// and not stored yet.
pub(super) fn contents_of_shot(
    db: &Connection,
    hash: &ContentHash,
    path: Option<&Path>,
) -> rusqlite::Result<Vec<ContentHash>> {
    let mut contents: Vec<ContentHash> = db
        .prepare_cached(
            "SELECT o.hash FROM photos p JOIN raw_pairs r ON r.raw_id = p.id
                                         JOIN photos o ON o.id = r.picture_id
             WHERE p.hash = ?1
             UNION ALL
             SELECT o.hash FROM photos p JOIN raw_pairs r ON r.picture_id = p.id
                                         JOIN photos o ON o.id = r.raw_id
             WHERE p.hash = ?1",
        )?
        .query_map([hash], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let Some(path) = path else {
        return Ok(contents);
    };
    for (other, photo) in stem::files(db, path)? {
        if is_raw(&other) != is_raw(path) {
            let hash = db
                .prepare_cached("SELECT hash FROM photos WHERE id = ?")?
                .query_row([photo], |row| row.get::<_, ContentHash>(0));
            contents.extend(hash.optional()?);
        }
    }
    Ok(contents)
}

/// Determines anew the picture of every raw file that the noted photos and paths may concern, and notes the pictures
/// whose facts may change with it.
pub(super) fn update(db: &Connection) -> rusqlite::Result<()> {
    for raw in noted(db)? {
        let (stored, expected) = (picture_of(db, raw)?, expected(db, raw)?);
        if stored == expected {
            continue;
        }
        match expected {
            Some(picture) => db
                .prepare_cached("INSERT OR REPLACE INTO raw_pairs VALUES (?, ?)")?
                .execute([raw, picture])?,
            None => db
                .prepare_cached("DELETE FROM raw_pairs WHERE raw_id = ?")?
                .execute([raw])?,
        };
        for picture in [stored, expected].into_iter().flatten() {
            derived::note_photo(db, picture)?;
        }
    }
    db.prepare_cached(NOTE_PICTURES)?.execute([])?;
    Ok(())
}

/// The photos that the notes may concern and that may be raw files with a picture.
fn noted(db: &Connection) -> rusqlite::Result<BTreeSet<PhotoId>> {
    let mut raws = BTreeSet::new();
    let photos: Vec<PhotoId> = db
        .prepare_cached("SELECT photo_id FROM dirty_photos")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for photo in photos {
        raws.extend(raws_of(db, photo)?);
        if is_paired(db, photo)? {
            raws.insert(photo);
        }
        for path in files::of_photo(db, photo)? {
            if is_raw(&path) {
                raws.insert(photo);
            } else {
                add_raws_beside(db, &path, &mut raws)?;
            }
        }
    }
    let left: Vec<PathBuf> = db
        .prepare_cached("SELECT path FROM dirty_paths")?
        .query_map([], |row| Ok(decode(row.get_ref(0)?.as_blob()?)))?
        .collect::<rusqlite::Result<_>>()?;
    for path in left {
        add_raws_beside(db, &path, &mut raws)?;
    }
    Ok(raws)
}

fn add_raws_beside(
    db: &Connection,
    path: &Path,
    raws: &mut BTreeSet<PhotoId>,
) -> rusqlite::Result<()> {
    let files_with_stem = stem::files(db, path)?.into_iter();
    raws.extend(
        files_with_stem
            .filter(|(path, _)| is_raw(path))
            .map(|(_, photo)| photo),
    );
    Ok(())
}

/// The picture with which a raw photo should be paired: the one of the same shot beside its first file. `None` if not all
/// of its files are raw files with such a picture beside them: if one has no picture beside it, answers for its folder
/// must contain the raw photo.
pub(super) fn expected(db: &Connection, photo: PhotoId) -> rusqlite::Result<Option<PhotoId>> {
    let paths = files::of_photo(db, photo)?;
    if !paths.iter().all(|path| is_raw(path)) {
        return Ok(None);
    }
    let mut first = None;
    for path in paths {
        let picture = picture_beside(db, photo, &path)?;
        if picture.is_none() {
            return Ok(None);
        }
        first = first.or(picture);
    }
    Ok(first)
}

/// The first picture of the same shot beside a file of a raw photo.
fn picture_beside(db: &Connection, raw: PhotoId, path: &Path) -> rusqlite::Result<Option<PhotoId>> {
    let mut pictures = stem::files(db, path)?;
    pictures.retain(|(path, _)| !is_raw(path));
    // Most raw files have no picture beside them.
    if pictures.is_empty() {
        return Ok(None);
    }
    let Some(of_raw) = taken(db, raw)? else {
        return Ok(None);
    };
    for (_, picture) in pictures {
        if taken(db, picture)?.is_some_and(|other| of_raw.overlaps(&other)) {
            return Ok(Some(picture));
        }
    }
    Ok(None)
}

/// When a photo was taken, by its content; `None` if that has no date.
struct TakenSpan(Option<(i64, i64)>);

impl TakenSpan {
    /// The period in which the photo was taken, in ms: its second, or, if it is not known so precisely, its day, month or
    /// year.
    fn of(capture: &Capture) -> Self {
        Self(capture.taken_at.as_ref().map(|taken| {
            let (.., end) = taken_columns(taken);
            let second = civil_ms(taken.local).div_euclid(1000) * 1000;
            (second, end.unwrap_or(second + 1000))
        }))
    }

    /// Whether both may have been taken in the same second.
    fn overlaps(&self, other: &Self) -> bool {
        match (self.0, other.0) {
            (Some((start, end)), Some((other_start, other_end))) => {
                start < other_end && other_start < end
            }
            _ => true,
        }
    }
}

/// Reads when an analysed photo was taken, by its content alone, since a sidecar, a name or the time of a file may
/// concern only one of the two files. `None` if the photo was skipped.
fn taken(db: &Connection, photo: PhotoId) -> rusqlite::Result<Option<TakenSpan>> {
    const NO_FILE: &[FileOfPhoto<'_>] = &[];
    let statements: Option<Option<String>> = db
        .prepare_cached("SELECT facts FROM photos WHERE id = ? AND skip_reason IS NULL")?
        .query_row(params![photo], |row| row.get(0))
        .optional()?;
    Ok(statements.map(|statements| {
        let content = Statements::from_json(&statements.unwrap_or_default());
        let sources = SourcesOfPhoto {
            content: &content,
            sidecars: &[],
            files: NO_FILE,
        };
        TakenSpan::of(&facts::resolve(&sources, &|_| TimeZone::UTC))
    }))
}

#[cfg(test)]
mod tests;
