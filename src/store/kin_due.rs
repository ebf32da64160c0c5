//! Notes which photos are due because only another analysis can tell whether a correction carries over to them.
//!
//! That is so if the run that analysed a photo had not stored all photos of its second yet, among which the others of a
//! burst may be. It is also so if the time and camera of an analysed photo were written into its file later, or if a
//! correction lacks its face picture: neither causes an analysis by itself. A trigger notes the former.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};

use crate::names::is_raw;
use crate::photo::ContentHash;

use super::path::decode;
use super::record::{PhotoId, SeenCorrections};
use super::{files, kin, lost_paths, stem};

/// Reads the photos that are due, by an index of these photos alone.
pub(super) const DUE: &str = "SELECT id FROM photos WHERE kin_due IS NOT NULL ORDER BY id";

/// The files of each photo that is due for this reason.
pub(super) fn files_of_due(db: &Connection) -> rusqlite::Result<Vec<Vec<PathBuf>>> {
    let mut files = files::of_each(db, DUE)?;
    files.extend(lost_paths::due(db)?.into_iter().map(|path| vec![path]));
    Ok(files)
}

/// See [`Store::is_kin_due`](super::Store::is_kin_due).
pub(super) fn is_due(db: &Connection, path: &Path, hash: &ContentHash) -> rusqlite::Result<bool> {
    let is_noted = db
        .prepare_cached("SELECT 1 FROM photos WHERE hash = ? AND kin_due IS NOT NULL")?
        .exists([hash])?;
    Ok(is_noted || !lost_paths::replaced(db, path, hash)?.is_empty())
}

/// See [`Batch::note_compared`](super::Batch::note_compared).
pub(super) fn note_compared(
    db: &Connection,
    path: &Path,
    hash: &ContentHash,
    is_new: bool,
    is_due_again: bool,
    seen: &SeenCorrections,
) -> rusqlite::Result<()> {
    let are_newer = kin::are_newer(db, hash, seen)?;
    if !are_newer {
        lost_paths::note_compared(db, path, hash)?;
    }
    if is_new {
        lost_paths::note_replaced(db, path, hash)?;
    }
    let is_due_again = is_due_again || are_newer;
    let due = is_due_again.then_some(1);
    db.prepare_cached("UPDATE photos SET kin_due = ?2 WHERE hash = ?1 AND kin_due IS NOT ?2")?
        .execute(params![hash, due])?;
    Ok(())
}

/// Notes that the photos of the shot of a correction, whose face picture was stored just now, are due. A command that
/// compares them at once removes the notes ([`note_due`]).
pub(super) fn note_edits(db: &Connection, correction: i64) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE photos SET kin_due = 1 WHERE id IN (
             SELECT p.id FROM corrections c CROSS JOIN photos p
             WHERE c.id = ? AND p.exif_camera = c.camera
               AND p.exif_local BETWEEN c.taken_local - (c.taken_local % 1000 + 1000) % 1000
                                    AND c.taken_local - (c.taken_local % 1000 + 1000) % 1000 + 999
               AND (p.exif_local = c.taken_local OR p.exif_local % 1000 = 0 OR c.taken_local % 1000 = 0)
               AND p.hash <> c.hash AND p.picture IS NOT c.picture AND p.skip_reason IS NULL
               AND EXISTS (SELECT 1 FROM faces WHERE photo_id = p.id AND correction IS NULL)
         )",
    )?
    .execute([correction])?;
    Ok(())
}

/// Reads the paths that corrected photos have left, of the photos that were changed in this transaction.
pub(super) const LEFT: &str = "
    SELECT l.path FROM dirty_photos d CROSS JOIN photos p ON p.id = d.photo_id CROSS JOIN lost_paths l ON l.hash = p.hash
    WHERE NOT EXISTS (SELECT 1 FROM files f WHERE f.path = l.path AND f.photo_id = p.id)";

/// Notes that the photos which have the name of such a path with another extension are due: one may have been analysed before
/// the photo from which it was converted was gone.
pub(super) fn note_converted(db: &Connection) -> rusqlite::Result<()> {
    let left: Vec<PathBuf> = db
        .prepare_cached(LEFT)?
        .query_map([], |row| Ok(decode(row.get_ref(0)?.as_blob()?)))?
        .collect::<rusqlite::Result<_>>()?;
    for path in left {
        for (other, photo) in stem::files(db, &path)? {
            // A raw file and the picture of its shot have each other's corrections while both are there.
            if other == path || is_raw(&other) != is_raw(&path) {
                continue;
            }
            db.prepare_cached(
                "UPDATE photos SET kin_due = 1
                 WHERE id = ?1 AND skip_reason IS NULL
                   AND EXISTS (SELECT 1 FROM faces WHERE photo_id = ?1 AND correction IS NULL)",
            )?
            .execute([photo])?;
        }
    }
    Ok(())
}

/// See [`Batch::note_due`](super::Batch::note_due).
pub(super) fn note_due(db: &Connection, photo: PhotoId, is_due: bool) -> rusqlite::Result<()> {
    let due = is_due.then_some(1);
    db.prepare_cached("UPDATE photos SET kin_due = ?2 WHERE id = ?1 AND kin_due IS NOT ?2")?
        .execute(params![photo, due])?;
    Ok(())
}

/// See [`Batch::note_metadata`](super::Batch::note_metadata).
pub(super) fn note_metadata(db: &Connection, photo: PhotoId) -> rusqlite::Result<()> {
    kin::date_all(db, photo)?;
    db.prepare_cached(
        "UPDATE photos SET kin_due = 1
         WHERE id = ?
           AND (EXISTS (SELECT 1 FROM corrections c WHERE c.hash = photos.hash AND c.crop IS NULL)
             OR EXISTS (SELECT 1 FROM corrections c WHERE c.picture = photos.picture AND c.crop IS NULL))",
    )?
    .execute([photo])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{plan, temp_store};
    use super::*;

    #[test]
    fn the_photos_that_are_due_are_read_from_their_index() {
        let (_folder, store) = temp_store();
        let plan = plan(&store, DUE);
        assert!(plan[0].contains("photos_with_kin_due"), "{plan:#?}");
    }

    #[test]
    fn only_the_paths_of_changed_photos_are_looked_up() {
        let (_folder, store) = temp_store();
        let plan = plan(&store, LEFT);
        assert!(
            plan.iter()
                .any(|step| step.contains("lost_paths_by_hash (hash=?)")),
            "{plan:#?}"
        );
        assert!(
            plan[1..].iter().all(|step| !step.contains("SCAN")),
            "{plan:#?}"
        );
    }
}
