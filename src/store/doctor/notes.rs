//! Checks that nothing is noted as out of date: outside of a transaction the notes are empty.

use super::checkup::Checkup;
use super::{DerivedPart, DifferenceKind};

pub(super) fn check(checkup: &mut Checkup<'_>) -> rusqlite::Result<()> {
    for table in [
        "dirty_photos",
        "dirty_ranks",
        "dirty_paths",
        "dirty_places",
        "dirty_times",
    ] {
        let count: i64 =
            checkup
                .db
                .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| {
                    row.get(0)
                })?;
        for _ in 0..count {
            checkup.differs(DerivedPart::Notes, DifferenceKind::Extra, table.to_owned());
        }
    }
    Ok(())
}
