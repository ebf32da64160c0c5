//! Checks the ranks of faces, the number of faces of each photo, and the ranking of photos.

use rusqlite::Connection;

use super::super::face_ranks::{self, Ranks};
use super::super::record::PhotoId;
use super::super::stored_face::StoredFace;
use super::super::{derived, faces, ranking};
use super::checkup::Checkup;
use super::{DerivedPart, DifferenceKind};

pub(super) fn check(checkup: &mut Checkup<'_>) -> rusqlite::Result<()> {
    checkup.begin("faces and ranking", "SELECT count(*) FROM photos")?;
    let db = checkup.db;
    let mut photos = db.prepare("SELECT id, face_count, taken_local FROM photos")?;
    let mut rows = photos.query([])?;
    while let Some(row) = rows.next()? {
        checkup.advance(1);
        let photo: PhotoId = row.get(0)?;
        let faces = faces::of_photo(db, photo)?;
        let judged = derived::judged(&faces);
        if row.get::<_, i64>(1)? != judged.len() as i64 {
            checkup.photo_differs(DerivedPart::FaceCounts, DifferenceKind::Wrong, photo)?;
        }
        if stored_ranks(db, photo)? != face_ranks::of(faces.iter().map(StoredFace::judged)) {
            checkup.photo_differs(DerivedPart::FaceRanks, DifferenceKind::Wrong, photo)?;
        }
        let expected = ranking::rows(row.get(2)?, &judged);
        let stored = ranking::stored(db, photo)?;
        let is_missing = expected.iter().any(|row| !stored.contains(row));
        let is_extra = stored.iter().any(|row| !expected.contains(row));
        let kind = match (is_missing, is_extra) {
            (false, false) => continue,
            (true, false) => DifferenceKind::Missing,
            (false, true) => DifferenceKind::Extra,
            (true, true) => DifferenceKind::Wrong,
        };
        checkup.photo_differs(DerivedPart::Scores, kind, photo)?;
    }
    checkup.all_differ(
        DerivedPart::Scores,
        DifferenceKind::Extra,
        "SELECT DISTINCT photo_id FROM photo_scores WHERE photo_id NOT IN (SELECT id FROM photos)",
    )
}

fn stored_ranks(db: &Connection, photo: PhotoId) -> rusqlite::Result<Vec<Ranks>> {
    db.prepare_cached(
        "SELECT side, side_rank, confidence, confidence_rank FROM faces
         WHERE photo_id = ? ORDER BY position",
    )?
    .query_map([photo], |row| {
        Ok(Ranks {
            side: row.get(0)?,
            side_rank: row.get(1)?,
            confidence: row.get(2)?,
            confidence_rank: row.get(3)?,
        })
    })?
    .collect()
}
