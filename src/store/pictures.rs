//! Photos with the same picture: files that differ only in their metadata.
//!
//! A photo is one content. If the file of a photo is replaced by one with the same picture, the photo takes the
//! new content and keeps its number, its faces and theirs. If it has other files, the new content becomes a
//! photo of its own; should the elder of the two later lose its last file to the younger, the younger is merged
//! into it.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::face::ScoredFace;
use crate::file::FileMeta;
use crate::photo::{ContentHash, Picture};
use crate::raster::Turn;

use super::changes::Changes;
use super::codec::picture_from_columns;
use super::record::{Models, PhotoAnalysis, PhotoId, PhotoRecord, StoredFace};
use super::{files, findings, photos};

/// See [`Store::analysis_of_picture`](super::Store::analysis_of_picture).
pub(super) fn analysis(
    db: &Connection,
    path: Option<&Path>,
    picture: &Picture,
    models: &Models,
) -> rusqlite::Result<Option<PhotoAnalysis<ScoredFace>>> {
    let read = |id| analysis_by(db, id, picture, models);
    for id in same_orientation(db, picture)? {
        if let Some(analysis) = read(id)? {
            return Ok(Some(analysis));
        }
    }
    let Some(path) = path else { return Ok(None) };
    // In another orientation, a detector may find other faces. So a photo is only turned if its orientation was
    // changed, not if a file that nobody changed lies somewhere else: the faces of two files that are indexed in
    // one run must not depend on which of them came first.
    let before = files::photo_at(db, path)?;
    for id in before.into_iter().chain(lost(db, picture)?) {
        if let Some(analysis) = read(id)? {
            return Ok(Some(analysis));
        }
    }
    Ok(None)
}

/// The photos with this picture in this orientation, in ascending order.
fn same_orientation(db: &Connection, picture: &Picture) -> rusqlite::Result<Vec<PhotoId>> {
    db.prepare_cached("SELECT id FROM photos WHERE picture = ? AND orientation = ? ORDER BY id")?
        .query_map(params![picture.hash, picture.orientation.exif()], |row| {
            row.get(0)
        })?
        .collect()
}

/// The photos with this picture to which no path leads, in ascending order.
fn lost(db: &Connection, picture: &Picture) -> rusqlite::Result<Vec<PhotoId>> {
    db.prepare_cached(
        "SELECT id FROM photos p WHERE picture = ?
           AND NOT EXISTS (SELECT 1 FROM files WHERE photo_id = p.id)
         ORDER BY id",
    )?
    .query_map([picture.hash], |row| row.get(0))?
    .collect()
}

/// The analysis of a photo by these models, in the orientation of `picture`; `None` if it has another picture,
/// or was analysed by other models.
fn analysis_by(
    db: &Connection,
    id: PhotoId,
    picture: &Picture,
    models: &Models,
) -> rusqlite::Result<Option<PhotoAnalysis<ScoredFace>>> {
    let Some(photo) = photos::load(db, id)? else {
        return Ok(None);
    };
    let (Some(stored), Ok(analysis)) = (photo.picture, photo.content) else {
        return Ok(None);
    };
    if stored.hash != picture.hash || analysis.models != *models {
        return Ok(None);
    }
    let size = stored
        .orientation
        .exchange((analysis.width, analysis.height));
    let turn = Turn::between(stored.orientation, picture.orientation, size);
    let (width, height) = picture.orientation.exchange(size);
    let mut found = found_by_models(analysis);
    if let Some(turn) = turn {
        for face in &mut found.faces {
            face.face = turn.face(&face.face);
        }
        for face in &mut found.unread {
            *face = turn.face(face);
        }
    }
    Ok(Some(PhotoAnalysis {
        width,
        height,
        ..found
    }))
}

/// An analysis as the models made it: without the faces that only a person has vouched for.
pub(super) fn found_by_models(analysis: PhotoAnalysis<StoredFace>) -> PhotoAnalysis<ScoredFace> {
    let is_found = |face: &StoredFace| face.face.score > 0.0 || face.face.landmarks.is_some();
    let faces = analysis
        .faces
        .into_iter()
        .filter(is_found)
        .map(|StoredFace { face, scores, .. }| ScoredFace { face, scores })
        .collect();
    PhotoAnalysis {
        format: analysis.format,
        width: analysis.width,
        height: analysis.height,
        capture: analysis.capture,
        models: analysis.models,
        faces,
        unread: analysis.unread,
    }
}

/// The photo whose row a record replaces, if there is one: the photo with this content, or one whose last file
/// is replaced by a file with the same picture, or one that has lost its files. The row has the record's
/// content afterwards.
pub(super) fn take_row(
    db: &Connection,
    changes: &Changes,
    record: &PhotoRecord,
    at: &[(PathBuf, FileMeta)],
) -> rusqlite::Result<Option<PhotoId>> {
    let known = photos::id_of(db, &record.hash)?;
    let (Some(picture), Ok(_)) = (&record.picture, &record.content) else {
        return Ok(known);
    };
    let replaced = replaced(db, picture, at, known)?;
    let elder = match known {
        Some(known) => replaced.filter(|elder| *elder < known),
        None => match replaced {
            Some(id) => Some(id),
            None => lost(db, picture)?.into_iter().next(),
        },
    };
    let Some(elder) = elder else {
        return Ok(known);
    };
    if let Some(younger) = known {
        absorb(db, changes, elder, younger)?;
    }
    photos::set_hash(db, elder, &record.hash)?;
    Ok(Some(elder))
}

/// The eldest photo with this picture all of whose files are among those to be stored.
fn replaced(
    db: &Connection,
    picture: &Picture,
    at: &[(PathBuf, FileMeta)],
    known: Option<PhotoId>,
) -> rusqlite::Result<Option<PhotoId>> {
    let mut before = Vec::new();
    for (path, _) in at {
        before.extend(files::photo_at(db, path)?);
    }
    let mut eldest: Option<PhotoId> = None;
    for id in &before {
        let here = before.iter().filter(|other| *other == id).count();
        if Some(*id) != known
            && eldest.is_none_or(|eldest| *id < eldest)
            && picture_of(db, *id)?.is_some_and(|stored| stored.hash == picture.hash)
            && files::count_of_photo(db, *id)? == here
        {
            eldest = Some(*id);
        }
    }
    Ok(eldest)
}

/// The picture of a photo, if it is known.
fn picture_of(db: &Connection, id: PhotoId) -> rusqlite::Result<Option<Picture>> {
    let picture = db
        .prepare_cached("SELECT picture, orientation FROM photos WHERE id = ?")?
        .query_row([id], |row| picture_from_columns(row, 0))
        .optional()?;
    Ok(picture.flatten())
}

/// The map from the coordinates of a stored photo to those of a record that replaces it.
pub(super) fn turn_to(
    db: &Connection,
    id: PhotoId,
    record: &PhotoRecord,
) -> rusqlite::Result<Option<Turn>> {
    let (Some(new), Ok(analysis)) = (&record.picture, &record.content) else {
        return Ok(None);
    };
    let old = picture_of(db, id)?.filter(|old| old.hash == new.hash);
    let size = new.orientation.exchange((analysis.width, analysis.height));
    Ok(old.and_then(|old| Turn::between(old.orientation, new.orientation, size)))
}

/// Called when a file that led to the photo `before` leads to `now`: if the former has lost its last file, is
/// older, and has the same picture, the latter is merged into it. Returns the photo to which the file leads.
pub(super) fn keep_elder(
    db: &Connection,
    changes: &Changes,
    before: PhotoId,
    now: PhotoId,
) -> rusqlite::Result<PhotoId> {
    if before >= now || files::count_of_photo(db, before)? > 0 {
        return Ok(now);
    }
    let (Some(old), Some(new)) = (picture_of(db, before)?, picture_of(db, now)?) else {
        return Ok(now);
    };
    let photo = photos::load(db, now)?.filter(|_| old.hash == new.hash);
    let Some(photo) = photo else { return Ok(now) };
    let record = PhotoRecord {
        hash: photo.hash,
        bytes: photo.bytes,
        picture: photo.picture,
        content: photo.content.map(found_by_models),
    };
    absorb(db, changes, before, now)?;
    photos::set_hash(db, before, &record.hash)?;
    findings::write(db, changes, &record, Some(before), &[])
}

/// Moves the files of the younger photo to the elder one, and deletes the younger one.
fn absorb(
    db: &Connection,
    changes: &Changes,
    elder: PhotoId,
    younger: PhotoId,
) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE files SET photo_id = ? WHERE photo_id = ?")?
        .execute([elder, younger])?;
    db.prepare_cached("DELETE FROM photos WHERE id = ?")?
        .execute([younger])?;
    changes.words.refresh(younger);
    Ok(())
}

/// The other photos with the same picture as `photo`.
pub(super) fn siblings(db: &Connection, photo: PhotoId) -> rusqlite::Result<Vec<PhotoId>> {
    db.prepare_cached(
        "SELECT p.id FROM photos p JOIN photos q ON q.picture = p.picture
         WHERE q.id = ?1 AND p.id <> ?1 ORDER BY p.id",
    )?
    .query_map([photo], |row| row.get(0))?
    .collect()
}

/// The content, picture and upright size of an analysed photo.
pub(super) fn frame_of(db: &Connection, id: PhotoId) -> rusqlite::Result<Option<Frame>> {
    db.prepare_cached(
        "SELECT hash, width, height, picture, orientation FROM photos
         WHERE id = ? AND skip_reason IS NULL",
    )?
    .query_row([id], |row| {
        Ok(Frame {
            hash: row.get(0)?,
            size: (row.get(1)?, row.get(2)?),
            picture: picture_from_columns(row, 3)?,
        })
    })
    .optional()
}

/// What determines where in a photo a correction applies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub hash: ContentHash,
    pub picture: Option<Picture>,
    /// Width and height of the upright photo.
    pub size: (u32, u32),
}

impl Frame {
    /// The frame of a record; `None` if it was skipped.
    pub fn of(record: &PhotoRecord) -> Option<Self> {
        let analysis = record.content.as_ref().ok()?;
        Some(Self {
            hash: record.hash,
            picture: record.picture,
            size: (analysis.width, analysis.height),
        })
    }
}
