//! Checks which photos are lost, and the dates of photos by their files.

use super::super::derived;
use super::super::record::PhotoId;
use super::checkup::Checkup;
use super::{DerivedPart, DifferenceKind};

pub(super) fn check(checkup: &mut Checkup<'_>) -> rusqlite::Result<()> {
    checkup.begin("dates of files", "SELECT 0")?;
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
    let db = checkup.db;
    let mut dated = db.prepare(
        "SELECT id, taken_local - 1000 * taken_offset, taken_source FROM photos
         WHERE skip_reason IS NULL AND taken_source IS NOT 'exif'
           AND EXISTS (SELECT 1 FROM files WHERE photo_id = photos.id)",
    )?;
    let mut rows = dated.query([])?;
    while let Some(row) = rows.next()? {
        let photo: PhotoId = row.get(0)?;
        let source: Option<String> = row.get(2)?;
        if derived::date_by_files(db, photo, row.get(1)?, source.as_deref())?.is_some() {
            checkup.photo_differs(DerivedPart::FileDates, DifferenceKind::Wrong, photo)?;
        }
    }
    Ok(())
}
