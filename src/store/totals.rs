//! Counts what the database contains.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use rusqlite::{Connection, Row};

use crate::error::{Skip, SkipReason};
use crate::photo::{DateSource, Source};

use super::codec::{from_civil_ms, skip_from_columns};
use super::incomplete;
use super::path::decode;
use super::record::Models;

/// What the database contains. Photos and faces count while at least one path leads to them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// Number of files, including skipped ones.
    pub files: u64,
    /// Number of distinct photos that were analysed.
    pub photos: u64,
    /// Number of faces in them that count.
    pub faces: u64,
    /// Number of photos of which only a part could be decoded.
    pub incomplete: u64,
    /// Number of skipped files, by reason.
    pub skipped: BTreeMap<SkipReason, u64>,
    /// Number of photos by the source of their date; those without any are left out.
    pub dates: BTreeMap<DateSource, u64>,
    /// Number of photos by the source of their position; those without any are left out.
    pub positions: BTreeMap<Source, u64>,
}

/// See [`Store::totals`](super::Store::totals).
pub(super) fn count(db: &Connection) -> rusqlite::Result<Totals> {
    let number = |value: i64| value as u64;
    let files = db.query_row("SELECT count(*) FROM files", [], |row| row.get(0))?;
    let (photos, faces) = db.query_row(
        "SELECT count(*), coalesce(sum(face_count), 0) FROM photos
         WHERE skip_reason IS NULL AND EXISTS (SELECT 1 FROM files WHERE photo_id = photos.id)",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let skipped = db
        .prepare(
            "SELECT coalesce(f.skip_reason, p.skip_reason) AS reason, count(*)
             FROM files f LEFT JOIN photos p ON p.id = f.photo_id
             WHERE reason IS NOT NULL
             GROUP BY reason",
        )?
        .query_map([], |row| Ok((row.get(0)?, number(row.get(1)?))))?
        .collect::<rusqlite::Result<_>>()?;
    let mut dates = BTreeMap::new();
    for (name, photos) in by_source(db, "taken_source")? {
        if let Some(source) = DateSource::from_name(&name) {
            dates.insert(source, photos);
        }
    }
    let mut positions = BTreeMap::new();
    for (name, photos) in by_source(db, "position_source")? {
        if let Some(source) = Source::from_name(&name) {
            positions.insert(source, photos);
        }
    }
    Ok(Totals {
        files: number(files),
        photos: number(photos),
        faces: number(faces),
        incomplete: incomplete::count(db)?,
        skipped,
        dates,
        positions,
    })
}

/// The number of photos for each value of a column with the source of a fact.
fn by_source(db: &Connection, column: &str) -> rusqlite::Result<Vec<(String, u64)>> {
    db.prepare(&format!(
        "SELECT {column}, count(*) FROM photos
         WHERE skip_reason IS NULL AND {column} IS NOT NULL
           AND EXISTS (SELECT 1 FROM files WHERE photo_id = photos.id)
         GROUP BY {column}"
    ))?
    .query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))?
    .collect()
}

/// See [`Store::keywords`](super::Store::keywords).
pub(super) fn keywords(db: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = db.prepare(
        "SELECT keywords FROM photos WHERE keywords <> ''
         UNION SELECT title FROM photos WHERE title <> ''",
    )?;
    let mut rows = statement.query([])?;
    let mut keywords = BTreeSet::new();
    while let Some(row) = rows.next()? {
        let list = row.get_ref(0)?.as_str()?;
        keywords.extend(list.lines().map(str::to_owned));
    }
    Ok(keywords.into_iter().collect())
}

/// See [`Store::skipped`](super::Store::skipped).
pub(super) fn skipped(db: &Connection) -> rusqlite::Result<Vec<(PathBuf, Skip)>> {
    db.prepare(
        "SELECT path, coalesce(f.skip_reason, p.skip_reason) AS reason,
                coalesce(f.skip_detail, p.skip_detail)
         FROM files f LEFT JOIN photos p ON p.id = f.photo_id
         WHERE reason IS NOT NULL
         ORDER BY path",
    )?
    .query_map([], |row| {
        let path = decode(row.get_ref(0)?.as_blob()?);
        Ok((path, skip_from_columns(row, 1)?))
    })?
    .collect()
}

/// See [`Store::models`](super::Store::models).
pub(super) fn models(db: &Connection) -> rusqlite::Result<Vec<(Models, u64)>> {
    db.prepare(
        "SELECT d.name, c.name, count(*)
         FROM photos p JOIN models d ON d.id = p.detector JOIN models c ON c.id = p.classifier
         WHERE p.skip_reason IS NULL AND EXISTS (SELECT 1 FROM files WHERE photo_id = p.id)
         GROUP BY p.detector, p.classifier ORDER BY count(*) DESC",
    )?
    .query_map([], |row| {
        let models = Models {
            detector: row.get(0)?,
            classifier: row.get(1)?,
        };
        Ok((models, row.get::<_, i64>(2)? as u64))
    })?
    .collect()
}

/// See [`Store::years`](super::Store::years). Each of the two subqueries reads one end of the index
/// by date.
pub(super) fn years(db: &Connection) -> rusqlite::Result<Option<(i16, i16)>> {
    let taken = |row: &Row<'_>, column| -> rusqlite::Result<Option<i16>> {
        let taken: Option<i64> = row.get(column)?;
        Ok(taken
            .and_then(from_civil_ms)
            .map(jiff::civil::DateTime::year))
    };
    db.prepare_cached(
        "SELECT (SELECT min(taken_local) FROM photos WHERE skip_reason IS NULL),
                (SELECT max(taken_local) FROM photos WHERE skip_reason IS NULL)",
    )?
    .query_row([], |row| Ok(taken(row, 0)?.zip(taken(row, 1)?)))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::testing::{models, photo, put, temp_store};

    #[test]
    fn models_count_the_photos_that_have_a_file() {
        let (_folder, mut store) = temp_store();
        for name in ["/a.jpg", "/b.jpg"] {
            put(&mut store, name, &photo(name, vec![]));
        }
        store
            .batch(|batch| batch.remove_file(Path::new("/a.jpg")))
            .unwrap();
        assert_eq!(store.models().unwrap(), [(models(), 1)]);
        assert_eq!(store.totals().unwrap().photos, 1);
    }
}
