//! Runs SQLite's own checks of the database.

use super::checkup::Checkup;

/// Checks the file and the full-text index, and whether rows refer to missing rows. Returns `false` if the file is
/// damaged, so that what is read from it cannot be relied on.
pub(super) fn check(checkup: &mut Checkup<'_>) -> rusqlite::Result<bool> {
    checkup.begin("the database file", "SELECT 0")?;
    let mut check = checkup.db.prepare("PRAGMA integrity_check(10)")?;
    let found: Vec<String> = check
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let is_sound = found == ["ok"];
    if !is_sound {
        for sentence in found {
            checkup.damaged(sentence);
        }
        return Ok(false);
    }
    let mut check = checkup.db.prepare(
        "SELECT \"table\", count(*) FROM pragma_foreign_key_check
         WHERE \"table\" <> 'photo_scores' GROUP BY \"table\"", // `ranks` checks the scores
    )?;
    let dangling: Vec<(String, i64)> = check
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (table, rows) in dangling {
        checkup.damaged(format!("{rows} rows of {table} refer to missing rows"));
    }
    Ok(true)
}
