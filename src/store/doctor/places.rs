//! Checks which photos each grid cell has, and their number.

use rusqlite::Connection;

use crate::geo::Cell;

use super::checkup::Checkup;
use super::{DerivedPart, DifferenceKind};

/// The photos with a position that have a file, each with its cell.
const EXPECTED: &str = "
    SELECT cell, id FROM photos
    WHERE cell IS NOT NULL AND EXISTS (SELECT 1 FROM files WHERE photo_id = photos.id)";

pub(super) fn check(checkup: &mut Checkup<'_>) -> rusqlite::Result<()> {
    checkup.begin("places", "SELECT 0")?;
    let stored = "SELECT cell, photo_id FROM photo_cells";
    let missing = format!("SELECT id FROM ({EXPECTED} EXCEPT {stored})");
    checkup.all_differ(DerivedPart::Cells, DifferenceKind::Missing, &missing)?;
    let extra = format!("SELECT photo_id FROM ({stored} EXCEPT {EXPECTED})");
    checkup.all_differ(DerivedPart::Cells, DifferenceKind::Extra, &extra)?;

    let counted = format!("(SELECT cell, count(*) AS photos FROM ({EXPECTED}) GROUP BY cell)");
    let differing = format!(
        "SELECT c.cell, p.photos FROM {counted} c LEFT JOIN places p ON p.cell = c.cell
         WHERE p.photos IS NOT c.photos"
    );
    let extra = format!("SELECT cell FROM places WHERE cell NOT IN (SELECT cell FROM {counted})");
    let db = checkup.db;
    let mut statement = db.prepare(&differing)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let kind = match row.get::<_, Option<i64>>(1)? {
            None => DifferenceKind::Missing,
            Some(_) => DifferenceKind::Wrong,
        };
        checkup.differs(DerivedPart::Places, kind, name(row.get(0)?));
    }
    let mut statement = db.prepare(&extra)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        checkup.differs(
            DerivedPart::Places,
            DifferenceKind::Extra,
            name(row.get(0)?),
        );
    }
    Ok(())
}

/// The name of a cell: the position of its centre.
fn name(cell: i64) -> String {
    let centre = Cell(cell).centre();
    format!("{:.2}, {:.2}", centre.latitude, centre.longitude)
}

/// Stores anew which photos each cell has, and their number.
pub(super) fn rebuild(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch("DELETE FROM photo_cells; DELETE FROM places;")?;
    db.execute(&format!("INSERT INTO photo_cells {EXPECTED}"), [])?;
    Ok(())
}
