//! Checks which photos are lost, and whether the facts of photos are those by their sources.

use super::super::record::PhotoId;
use super::super::{effective, people};
use super::checkup::Checkup;
use super::{DerivedPart, DifferenceKind};

pub(super) fn check(checkup: &mut Checkup<'_>) -> rusqlite::Result<()> {
    checkup.begin("lost photos", "SELECT 0")?;
    checkup.all_differ(
        DerivedPart::Loss,
        DifferenceKind::Missing,
        "SELECT id FROM photos
         WHERE lost_at IS NULL AND NOT EXISTS (SELECT 1 FROM files WHERE photo_id = photos.id)",
    )?;
    checkup.all_differ(
        DerivedPart::Loss,
        DifferenceKind::Extra,
        "SELECT id FROM photos
         WHERE lost_at IS NOT NULL AND EXISTS (SELECT 1 FROM files WHERE photo_id = photos.id)",
    )?;
    checkup.begin("facts of photos", "SELECT count(*) FROM photos")?;
    let db = checkup.db;
    let mut photos = db.prepare("SELECT id FROM photos WHERE skip_reason IS NULL")?;
    let mut rows = photos.query([])?;
    while let Some(row) = rows.next()? {
        checkup.advance(1);
        let photo: PhotoId = row.get(0)?;
        if people::expected(db, photo)? != people::of_photo(db, photo)? {
            checkup.photo_differs(DerivedPart::People, DifferenceKind::Wrong, photo)?;
        }
        if effective::outdated(db, photo)?.is_some() {
            checkup.photo_differs(DerivedPart::Facts, DifferenceKind::Wrong, photo)?;
        }
    }
    Ok(())
}
