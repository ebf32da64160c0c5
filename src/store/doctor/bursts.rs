//! Checks which photos belong to one burst.

use rusqlite::{Connection, params};

use super::super::bursts;
use super::checkup::Checkup;
use super::{DerivedPart, DifferenceKind};

pub(super) fn check(checkup: &mut Checkup<'_>) -> rusqlite::Result<()> {
    checkup.begin("bursts", "SELECT 0")?;
    for (photo, right) in bursts::all_outdated(checkup.db)? {
        let kind = if right.is_some() {
            DifferenceKind::Wrong
        } else {
            DifferenceKind::Extra
        };
        checkup.photo_differs(DerivedPart::Bursts, kind, photo)?;
    }
    Ok(())
}

/// Stores the right bursts of the photos whose stored ones are wrong.
pub(super) fn rebuild(db: &Connection) -> rusqlite::Result<()> {
    for (photo, right) in bursts::all_outdated(db)? {
        db.prepare_cached("UPDATE photos SET burst = ? WHERE id = ?")?
            .execute(params![right, photo])?;
    }
    Ok(())
}
