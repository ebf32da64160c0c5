//! Writes everything about an analysed photo at once: the photo's row, its faces, their ranks and scores, and the files
//! that contain it. Everything else that is derived from them is written when the transaction ends (`derived`).

use std::path::PathBuf;

use rusqlite::Connection;

use crate::face::ScoredFace;
use crate::file::FileMeta;

use super::codec::civil_ms;
use super::faces::FoundFace;
use super::photos::Derived;
use super::record::{PhotoId, PhotoRecord};
use super::same_picture::Frame;
use super::shots::Shot;
use super::stored_face::JudgedFace;
use super::write_cache::WriteCache;
use super::{
    corrections, derived, effective, faces, files, incomplete, photos, ranking, same_picture,
    shots, unread,
};

/// See [`Batch::put_photo`](super::Batch::put_photo).
pub(super) fn put(
    db: &Connection,
    cache: &WriteCache,
    record: &PhotoRecord,
    at: &[(PathBuf, FileMeta)],
) -> rusqlite::Result<PhotoId> {
    let known = same_picture::take_row(db, record, at)?;
    write(db, cache, record, known, at)
}

/// Writes a record into the row of the photo `known`, which already has the record's content hash, or into a new row.
pub(super) fn write(
    db: &Connection,
    cache: &WriteCache,
    record: &PhotoRecord,
    known: Option<PhotoId>,
    at: &[(PathBuf, FileMeta)],
) -> rusqlite::Result<PhotoId> {
    if let Some(id) = known {
        same_picture::turn_corrections(db, id, record)?;
    }
    let analysis = record.content.as_ref().ok();
    let old_faces = known.map_or(Ok(Vec::new()), |id| faces::of_photo(db, id))?;
    let new_faces = match (analysis, Frame::of(record)) {
        (Some(analysis), Some(frame)) => {
            let mut before = old_faces.clone();
            if let Some(turn) =
                known.map_or(Ok(None), |id| same_picture::turn_to(db, id, record))?
            {
                for face in &mut before {
                    face.face = turn.face(&face.face);
                }
            }
            let corrections = corrections::of_frame(db, &frame)?;
            let in_force = cache.learning.of(db)?;
            let learned = |read: &ScoredFace| FoundFace {
                learned: in_force.scores(
                    &analysis.models.classifier,
                    &read.scores,
                    read.features.as_ref(),
                ),
                read: read.clone(),
            };
            let found = analysis.faces.iter().map(learned).collect();
            faces::merge(found, &before, corrections)
        }
        _ => Vec::new(),
    };
    let mut judged: Vec<JudgedFace> = new_faces.iter().map(faces::NewFace::judged).collect();
    judged.retain(JudgedFace::is_face);
    let capture = analysis
        .map(|analysis| effective::of_files(&analysis.statements, at))
        .unwrap_or_default();
    let models = match analysis {
        Some(analysis) => Some((
            cache.models.of(db, &analysis.models.detector)?,
            cache.models.of(db, &analysis.models.classifier)?,
        )),
        None => None,
    };
    let derived = Derived {
        models,
        faces: judged.len(),
    };
    photos::put(db, record, derived)?;
    if let Some(picture) = record.picture.filter(|_| analysis.is_some()) {
        corrections::set_picture(db, &record.hash, &picture)?;
    }
    let is_known = known.is_some();
    let id = known.unwrap_or_else(|| PhotoId(db.last_insert_rowid()));
    // The facts in an analysis that is to be stored are those by its content alone, and these determine the shot.
    let shot = analysis.and_then(|analysis| Shot::of(&analysis.capture));
    shots::set(db, id, shot.as_ref())?;
    effective::set(db, id, &capture)?;
    // So that `derived` assigns its people to the new faces.
    derived::note_photo(db, id)?;
    faces::replace(db, id, is_known, &old_faces, &new_faces)?;
    unread::replace(
        db,
        id,
        is_known,
        analysis.map_or(&[], |analysis| &analysis.unread),
    )?;
    let problem = analysis.and_then(|analysis| analysis.incomplete.as_deref());
    incomplete::put(db, id, problem)?;
    let taken_local = capture.taken_at.map(|taken| civil_ms(taken.local));
    ranking::replace(db, id, is_known, taken_local, &judged)?;
    if is_known {
        derived::ranked(db, id)?;
    }
    for (path, meta) in at {
        files::put(db, path, meta, Ok(id))?;
    }
    Ok(id)
}
