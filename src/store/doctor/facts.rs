//! Checks which photos are lost, and whether the facts, people and estimated positions of photos follow from their
//! sources.

use super::super::record::PhotoId;
use super::super::{closer_search, effective, estimates, fact_rules, people, shots};
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
    let is_on = fact_rules::estimates(db)?;
    let mut photos = db.prepare("SELECT id FROM photos WHERE skip_reason IS NULL")?;
    let mut rows = photos.query([])?;
    while let Some(row) = rows.next()? {
        checkup.advance(1);
        let photo: PhotoId = row.get(0)?;
        let people = people::expected(db, photo)?;
        let needs_search = closer_search::is_needed(db, photo, &people)?;
        if people != people::of_photo(db, photo)?
            || needs_search != closer_search::is_noted(db, photo)?
        {
            checkup.photo_differs(DerivedPart::People, DifferenceKind::Wrong, photo)?;
        }
        if let Some(stored) = estimates::Stored::of(db, photo)? {
            let right = if is_on { stored.expected(db)? } else { None };
            let kind = match (stored.estimate(), right) {
                (stored, right) if stored == right => None,
                (None, _) => Some(DifferenceKind::Missing),
                (_, None) => Some(DifferenceKind::Extra),
                _ => Some(DifferenceKind::Wrong),
            };
            if let Some(kind) = kind {
                checkup.photo_differs(DerivedPart::Estimates, kind, photo)?;
            }
        }
        if effective::outdated(db, photo)?.is_some()
            || shots::expected(db, photo)? != shots::stored(db, photo)?
        {
            checkup.photo_differs(DerivedPart::Facts, DifferenceKind::Wrong, photo)?;
        }
    }
    Ok(())
}
