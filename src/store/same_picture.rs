//! Recognises photos with the same picture, whose files differ only in their metadata.
//!
//! A photo is one content. If the file of a photo is replaced by one with the same picture, the photo takes over the new
//! content, and the photo and its faces keep their IDs. If the photo has other files, the new content becomes a photo of
//! its own; if the older of the two later loses its last file to the younger, the younger is merged into it.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::face::{BoundingBox, ScoredFace};
use crate::file::FileMeta;
use crate::photo::{ContentHash, Picture, PictureHash};
use crate::raster::{Orientation, Turn};

use super::codec::{orientation_from_column, picture_from_columns};
use super::record::{Models, PhotoAnalysis, PhotoId, PhotoRecord};
use super::write_cache::WriteCache;
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
    // In another orientation, a detector may find other faces. So faces are turned only if the orientation of a file was
    // changed, and not for another file with the same picture: the faces of two files that are indexed in one run must
    // not depend on which of them is analysed first.
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

/// The lost photos with this picture, in ascending order.
fn lost(db: &Connection, picture: &Picture) -> rusqlite::Result<Vec<PhotoId>> {
    db.prepare_cached(
        "SELECT id FROM photos p WHERE picture = ?
           AND NOT EXISTS (SELECT 1 FROM files WHERE photo_id = p.id)
         ORDER BY id",
    )?
    .query_map([picture.hash], |row| row.get(0))?
    .collect()
}

/// The analysis of a photo by these models, in the orientation of `picture`; `None` if it has another picture, was
/// analysed by other models, or by a version that did not store the features of faces.
fn analysis_by(
    db: &Connection,
    id: PhotoId,
    picture: &Picture,
    models: &Models,
) -> rusqlite::Result<Option<PhotoAnalysis<ScoredFace>>> {
    let known = photos::record(db, id)?.filter(PhotoRecord::has_features);
    let Some((Some(stored), Ok(mut found))) = known.map(|record| (record.picture, record.content))
    else {
        return Ok(None);
    };
    if stored.hash != picture.hash || found.models != *models {
        return Ok(None);
    }
    let size = stored.orientation.exchange((found.width, found.height));
    let turn = Turn::between(stored.orientation, picture.orientation, size);
    let (width, height) = picture.orientation.exchange(size);
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

/// Finds the photo whose row a record replaces, if there is one: the photo with the record's content, or, with the same
/// picture, one whose last files the record replaces or a lost one. The row has the content hash of the record
/// afterwards.
pub(super) fn take_row(
    db: &Connection,
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
        absorb(db, elder, younger)?;
    }
    photos::set_hash(db, elder, &record.hash)?;
    Ok(Some(elder))
}

/// The oldest photo with this picture all of whose files are among those to be stored, except the photo `known`.
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

/// The picture of a stored photo, if the record has the same content but another picture. This happens with HEIC and
/// AVIF files that an older version mirrored about the wrong axis, which amounts to a rotation by 180°. Their
/// orientation is that of the container, so EXIF plays no part.
fn was_upside_down(
    db: &Connection,
    id: PhotoId,
    record: &PhotoRecord,
) -> rusqlite::Result<Option<PictureHash>> {
    let Some(new) = record.picture else {
        return Ok(None);
    };
    db.prepare_cached("SELECT picture FROM photos WHERE id = ? AND hash = ? AND picture <> ?")?
        .query_row(params![id, record.hash, new.hash], |row| row.get(0))
        .optional()
}

/// Turns the corrections of a photo that an older version stored upside down. Called before the record is stored.
pub(super) fn turn_corrections(
    db: &Connection,
    id: PhotoId,
    record: &PhotoRecord,
) -> rusqlite::Result<()> {
    let (Some(old), Some(new), Ok(analysis)) = (
        was_upside_down(db, id, record)?,
        record.picture,
        &record.content,
    ) else {
        return Ok(());
    };
    db.prepare_cached("UPDATE corrections SET picture = ?, orientation = ? WHERE picture = ?")?
        .execute(params![new.hash, Orientation::Rotate180.exif(), old])?;
    db.prepare_cached(
        "UPDATE undone_corrections SET picture = ?, orientation = ? WHERE picture = ?",
    )?
    .execute(params![new.hash, Orientation::Rotate180.exif(), old])?;
    db.prepare_cached(
        "UPDATE undone_corrections SET x = ? - x - width, y = ? - y - height
         WHERE hash = ? AND picture IS NULL",
    )?
    .execute(params![analysis.width, analysis.height, record.hash])?;
    Ok(())
}

/// The turn from the coordinates of a stored photo to those of a record that replaces it; `None` if they are the same.
pub(super) fn turn_to(
    db: &Connection,
    id: PhotoId,
    record: &PhotoRecord,
) -> rusqlite::Result<Option<Turn>> {
    let (Some(new), Ok(analysis)) = (&record.picture, &record.content) else {
        return Ok(None);
    };
    let old = if was_upside_down(db, id, record)?.is_some() {
        Some(Picture {
            hash: new.hash,
            orientation: Orientation::Rotate180,
        })
    } else {
        picture_of(db, id)?.filter(|old| old.hash == new.hash)
    };
    let size = new.orientation.exchange((analysis.width, analysis.height));
    Ok(old.and_then(|old| Turn::between(old.orientation, new.orientation, size)))
}

/// Called when a file of the photo `before` has become one of the photo `now`: if the former has lost its last file, is
/// older, and has the same picture, the latter is merged into it. Returns the photo that the file has then.
pub(super) fn keep_elder(
    db: &Connection,
    cache: &WriteCache,
    before: PhotoId,
    now: PhotoId,
) -> rusqlite::Result<PhotoId> {
    if before >= now || files::count_of_photo(db, before)? > 0 {
        return Ok(now);
    }
    let (Some(old), Some(new)) = (picture_of(db, before)?, picture_of(db, now)?) else {
        return Ok(now);
    };
    let record = photos::record(db, now)?.filter(|_| old.hash == new.hash);
    let Some(record) = record else {
        return Ok(now);
    };
    absorb(db, before, now)?;
    photos::set_hash(db, before, &record.hash)?;
    findings::write(db, cache, &record, Some(before), &[])
}

/// Moves the files of the younger photo to the older one, and deletes the younger one.
fn absorb(db: &Connection, elder: PhotoId, younger: PhotoId) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE files SET photo_id = ? WHERE photo_id = ?")?
        .execute([elder, younger])?;
    db.prepare_cached("DELETE FROM photos WHERE id = ?")?
        .execute([younger])?;
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

/// Turns boxes that are given in several orientations of one picture to one orientation, in which they can be compared.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turns {
    /// The orientation in which the boxes are compared.
    orientation: Option<Orientation>,
    /// Width and height of the stored picture, if the index has it.
    size: Option<(u32, u32)>,
}

impl Turns {
    /// Turns to the orientation of `picture`.
    pub fn to(db: &Connection, picture: Option<&Picture>) -> rusqlite::Result<Self> {
        let size = db
            .prepare_cached(
                "SELECT width, height, orientation FROM photos WHERE picture = ? AND skip_reason IS NULL",
            )?
            .query_row([picture.map(|picture| picture.hash)], |row| {
                let upright = (row.get(0)?, row.get(1)?);
                let orientation = orientation_from_column(row, 2)?.unwrap_or_default();
                Ok(orientation.exchange(upright))
            })
            .optional()?;
        Ok(Self {
            orientation: picture.map(|picture| picture.orientation),
            size,
        })
    }

    /// A box that is given in the orientation `upright_in`; `None` if it has to be turned and the size of the picture is
    /// not known.
    pub fn bounding_box(
        &self,
        at: &BoundingBox,
        upright_in: Option<Orientation>,
    ) -> Option<BoundingBox> {
        match (upright_in.zip(self.orientation), self.size) {
            (Some((before, now)), Some(size)) => {
                let turn = Turn::between(before, now, size);
                Some(turn.map_or(*at, |turn| turn.bounding_box(at)))
            }
            (Some((before, now)), None) if before != now => None,
            _ => Some(*at),
        }
    }
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
    /// A box in this photo, from a box that is given in another orientation of the same picture.
    pub fn bounding_box(
        &self,
        at: &BoundingBox,
        in_orientation: Option<Orientation>,
    ) -> BoundingBox {
        let turn = self
            .picture
            .zip(in_orientation)
            .and_then(|(picture, before)| {
                let stored = picture.orientation.exchange(self.size);
                Turn::between(before, picture.orientation, stored)
            });
        turn.map_or(*at, |turn| turn.bounding_box(at))
    }

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

#[cfg(test)]
mod tests;
