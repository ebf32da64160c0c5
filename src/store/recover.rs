//! Makes a sound database of what can be read of a damaged one.
//!
//! Each table is read from its first row up to the first that cannot be read, and from its last row backwards; the rows
//! in between are lost. Derived rows are computed anew. The next run over the folders restores what was lost of photos,
//! but not corrections, so the damaged database is kept.

use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, Statement, params_from_iter};

use crate::error::Result;

use super::backup::{self, Restored};
use super::{connection, derived, explain, migrate};

/// Derived tables that are not copied, but filled by triggers and `derived`, as is the full-text index. The other derived
/// tables are copied and then brought up to date.
const DERIVED: [&str; 4] = ["photo_scores", "photo_cells", "places", "folders"];

/// What was read of a damaged database.
#[derive(Debug)]
pub struct Recovered {
    /// The contents, and the path of the damaged database.
    pub restored: Restored,
    /// Tables of which rows could not be read.
    pub incomplete: Vec<String>,
}

/// See [`Store::recover`](super::Store::recover).
pub(super) fn recover(database: &Path) -> Result<Recovered> {
    let mut incomplete = Vec::new();
    let restored = backup::replace(database, |draft| {
        drop(connection::open(draft)?);
        let explain = |error| explain::sentence(database, error);
        let old = open_damaged(database).map_err(explain)?;
        migrate::check(&old, database)?;
        incomplete = copy(&old, draft).map_err(explain)?;
        connection::close_down(draft)
    })?;
    Ok(Recovered {
        restored,
        incomplete,
    })
}

/// Opens a database for reading, however damaged it is.
fn open_damaged(database: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let old = Connection::open_with_flags(database, flags)?;
    // With this, SQLite reads the schema although a part of it is damaged.
    old.pragma_update(None, "writable_schema", true)?;
    Ok(old)
}

/// Copies what can be read into a new database; returns the tables that are incomplete.
fn copy(old: &Connection, new: &Path) -> rusqlite::Result<Vec<String>> {
    let mut connection = Connection::open_with_flags(new, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "foreign_keys", false)?;
    let new = connection.transaction()?;
    let mut incomplete = Vec::new();
    for table in tables(&new)? {
        // The row with which a table begins, such as whether learning is on, must not be taken for that of the old database.
        let first = Initial::take(&new, &table)?;
        if !copy_table(old, &new, &table)? {
            incomplete.push(table.clone());
        }
        first.put_back_if_empty(&new, &table)?;
    }
    remove_dangling(&new)?;
    new.execute_batch(
        "INSERT INTO dirty_photos SELECT id FROM photos WHERE true ON CONFLICT DO NOTHING;
         INSERT INTO dirty_ranks SELECT id FROM photos WHERE true ON CONFLICT DO NOTHING;",
    )?;
    derived::update(&new)?;
    new.commit()?;
    Ok(incomplete)
}

/// The rows that the migrations have inserted into a table.
struct Initial(Vec<Vec<Value>>);

impl Initial {
    /// Removes them from a new database.
    fn take(new: &Connection, table: &str) -> rusqlite::Result<Self> {
        let mut select = new.prepare(&format!("SELECT * FROM \"{table}\""))?;
        let columns = select.column_count();
        let rows =
            select.query_map([], |row| (0..columns).map(|index| row.get(index)).collect())?;
        let rows = rows.collect::<rusqlite::Result<_>>()?;
        new.execute(&format!("DELETE FROM \"{table}\""), [])?;
        Ok(Self(rows))
    }

    /// Inserts them again if none was copied.
    fn put_back_if_empty(self, new: &Connection, table: &str) -> rusqlite::Result<()> {
        if new
            .prepare(&format!("SELECT 1 FROM \"{table}\""))?
            .exists([])?
        {
            return Ok(());
        }
        for row in self.0 {
            let parameters = vec!["?"; row.len()].join(", ");
            let insert = format!("INSERT INTO \"{table}\" VALUES ({parameters})");
            new.execute(&insert, params_from_iter(row))?;
        }
        Ok(())
    }
}

/// The tables that are copied.
fn tables(db: &Connection) -> rusqlite::Result<Vec<String>> {
    let tables: Vec<String> = db
        .prepare(
            "SELECT name FROM pragma_table_list
             WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'dirty_%'
             ORDER BY name",
        )?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let is_copied = |table: &String| !DERIVED.contains(&table.as_str());
    Ok(tables.into_iter().filter(is_copied).collect())
}

/// Copies the rows of a table; returns whether all could be read. A table that the old database lacks, since it is of
/// an earlier version, is complete.
fn copy_table(old: &Connection, new: &Connection, table: &str) -> rusqlite::Result<bool> {
    let here = columns(new, table)?;
    let there = match columns(old, table) {
        // The schema itself may be damaged.
        Ok(there) if there.is_empty() => return is_older(old),
        Ok(there) => there,
        Err(_) => return Ok(false),
    };
    let common: Vec<&str> = here
        .iter()
        .filter(|name| there.contains(name))
        .map(String::as_str)
        .collect();
    let list = common
        .iter()
        .map(|name| format!("\"{name}\""))
        .collect::<Vec<_>>()
        .join(", ");
    let parameters = vec!["?"; common.len()].join(", ");
    let mut insert = new.prepare(&format!(
        "INSERT OR IGNORE INTO \"{table}\" ({list}) VALUES ({parameters})"
    ))?;
    let order = order(old, table).unwrap_or_else(|_| "rowid".to_owned());
    let mut is_complete = true;
    for direction in ["ASC", "DESC"] {
        let select =
            format!("SELECT {list} FROM \"{table}\" NOT INDEXED ORDER BY {order} {direction}");
        let read = old
            .prepare(&select)
            .and_then(|mut statement| copy_rows(&mut statement, &mut insert, common.len()));
        if read? {
            return Ok(is_complete);
        }
        is_complete = false;
    }
    Ok(false)
}

/// Copies rows up to the first that cannot be read; returns whether all could be read.
fn copy_rows(
    select: &mut Statement<'_>,
    insert: &mut Statement<'_>,
    columns: usize,
) -> rusqlite::Result<bool> {
    let mut rows = select.query([])?;
    loop {
        let row = match rows.next() {
            Ok(Some(row)) => row,
            Ok(None) => return Ok(true),
            Err(_) => return Ok(false),
        };
        let values: Vec<Value> = match (0..columns).map(|index| row.get(index)).collect() {
            Ok(values) => values,
            Err(_) => continue,
        };
        // A row that violates a constraint of the schema was damaged, and is left out.
        let _ = insert.execute(params_from_iter(values));
    }
}

/// Whether a database has an earlier schema, which may lack tables.
fn is_older(db: &Connection) -> rusqlite::Result<bool> {
    let version: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok(version < migrate::MIGRATIONS.len() as i64)
}

/// The columns of a table that can be written.
fn columns(db: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    db.prepare("SELECT name FROM pragma_table_xinfo (?) WHERE hidden = 0")?
        .query_map([table], |row| row.get(0))?
        .collect()
}

/// The column by which the rows of a table are ordered in the file.
fn order(db: &Connection, table: &str) -> rusqlite::Result<String> {
    let without_rowid: bool = db.query_row(
        "SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?",
        [table],
        |row| row.get(0),
    )?;
    if !without_rowid {
        return Ok("rowid".to_owned());
    }
    let key: String = db.query_row(
        "SELECT name FROM pragma_table_info (?) WHERE pk = 1",
        [table],
        |row| row.get(0),
    )?;
    Ok(format!("\"{key}\""))
}

/// Removes rows that refer to lost rows, and references to lost corrections.
fn remove_dangling(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch(
        "UPDATE faces SET correction = NULL WHERE correction NOT IN (SELECT id FROM corrections);
         UPDATE corrections SET carried_from = NULL WHERE carried_from NOT IN (SELECT id FROM corrections);",
    )?;
    // Repeated, since other rows may refer to those that were removed.
    loop {
        let mut removed = 0;
        for table in tables(db)? {
            let references: Vec<(String, String, Option<String>)> = db
                .prepare("SELECT \"from\", \"table\", \"to\" FROM pragma_foreign_key_list (?)")?
                .query_map([&table], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                .collect::<rusqlite::Result<_>>()?;
            for (from, parent, to) in references {
                let to = to.unwrap_or_else(|| "rowid".to_owned());
                removed += db.execute(
                    &format!(
                        "DELETE FROM \"{table}\" WHERE \"{from}\" IS NOT NULL
                         AND \"{from}\" NOT IN (SELECT \"{to}\" FROM \"{parent}\")"
                    ),
                    [],
                )?;
            }
        }
        if removed == 0 {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::emotion::Emotion;
    use crate::face::Correction;

    use super::super::testing::{face, photo, put, temp_store};
    use super::super::{Counts, DoctorObserver, Hit, Query, Store, Totals};
    use super::*;

    struct Unseen;

    impl DoctorObserver for Unseen {
        fn begins(&self, _: &'static str, _: u64) {}
        fn advanced(&self, _: u64) {}
    }

    const PHOTOS: usize = 60;

    /// Makes a database of several dozen pages, in which each photo has a correction; returns its folder and path.
    fn album() -> (tempfile::TempDir, std::path::PathBuf) {
        let (folder, mut store) = temp_store();
        for number in 0..PHOTOS {
            let faces = vec![
                face(number as f32, 80.0, 0.9, 0.75),
                face(500.0, 60.0, 0.8, 0.25),
            ];
            let path = format!("/album/{:02}/photo {number}.jpg", number % 7);
            let id = put(&mut store, path, &photo(&format!("{number}"), faces));
            let faces = store.photo(id).unwrap().unwrap().content.unwrap().faces;
            store
                .correct(faces[1].id, Correction::Emotion(Emotion::Sad))
                .unwrap();
        }
        let path = store.path().to_owned();
        drop(store);
        (folder, path)
    }

    type Answers = (Totals, Vec<Hit>, Vec<Hit>, Counts, usize);

    /// The answers to several kinds of queries.
    fn answers(path: &Path) -> Result<Answers> {
        let store = Store::open_existing(path)?;
        let sad = Query {
            limit: None,
            ..Query::for_emotion(Emotion::Sad)
        };
        let words = Query {
            text: Some("photo 17".into()),
            limit: None,
            ..Query::latest()
        };
        Ok((
            store.totals()?,
            store.query(&sad)?,
            store.query(&words)?,
            store.counts(&sad)?,
            store.corrections()?.0.len(),
        ))
    }

    /// All rows of all tables but the derived ones, as text.
    fn rows(path: &Path) -> Vec<(String, Vec<String>)> {
        let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let rows = |table: &String| -> Vec<String> {
            let mut select = db.prepare(&format!("SELECT * FROM \"{table}\"")).unwrap();
            let columns = select.column_count();
            let row = |row: &rusqlite::Row<'_>| -> rusqlite::Result<String> {
                let values: Vec<Value> = (0..columns)
                    .map(|index| row.get(index))
                    .collect::<Result<_, _>>()?;
                Ok(format!("{values:?}"))
            };
            let rows = select.query_map([], row).unwrap();
            let mut rows: Vec<String> = rows.map(Result::unwrap).collect();
            rows.sort();
            rows
        };
        let tables = tables(&db).unwrap().into_iter();
        tables.map(|table| (table.clone(), rows(&table))).collect()
    }

    #[test]
    fn all_of_an_undamaged_database_comes_back_also_that_learning_is_off() {
        let (_folder, path) = album();
        let mut store = Store::open_existing(&path).unwrap();
        store.switch_learning(false).unwrap();
        store.forget_for_good(Path::new("/album/03")).unwrap();
        drop(store);
        let before = rows(&path);
        assert_eq!(Store::recover(&path).unwrap().incomplete, [""; 0]);
        for (before, after) in before.iter().zip(rows(&path)) {
            assert_eq!(*before, after);
        }
    }

    /// Overwrites each page of a database in turn, with zeros and with other bytes: queries answer correctly or fail with
    /// a message, `doctor` reports the damage unless the answers are correct, and the recovered database is sound.
    #[test]
    fn no_damaged_page_gives_a_wrong_answer_without_a_message() {
        let (folder, path) = album();
        let right = answers(&path).unwrap();
        let bytes = fs::read(&path).unwrap();
        let size = usize::from(u16::from_be_bytes([bytes[16], bytes[17]]));
        let pages = bytes.len() / size;
        assert!(pages > 40, "{pages}");
        let damaged = folder.path().join("damaged.sqlite3");
        let (mut reported, mut recovered_all) = (0, 0);
        for page in 0..pages {
            for fill in [0x00, 0xa5] {
                for entry in fs::read_dir(folder.path()).unwrap() {
                    let entry = entry.unwrap();
                    if entry.file_name().to_string_lossy().starts_with("damaged") {
                        fs::remove_file(entry.path()).unwrap();
                    }
                }
                let mut copy = bytes.clone();
                copy[page * size..(page + 1) * size].fill(fill);
                drop(crate::atomic::create_private(&damaged).unwrap());
                fs::write(&damaged, copy).unwrap();
                let name = format!("page {page} of {pages}, {fill:#x}");
                match answers(&damaged) {
                    Ok(given) => assert_eq!(given, right, "{name}"),
                    Err(error) => {
                        reported += 1;
                        assert!(!error.to_string().is_empty(), "{name}");
                    }
                }
                let diagnosis =
                    Store::open_existing(&damaged).and_then(|store| store.diagnose(&Unseen));
                if let Ok(diagnosis) = diagnosis {
                    // A free page may contain anything.
                    let is_told = !diagnosis.damage.is_empty() || !diagnosis.differences.is_empty();
                    let is_whole = answers(&damaged).is_ok_and(|given| given == right);
                    assert!(is_told || is_whole, "{name}");
                }
                // Without the first page nothing can be read.
                let Ok(recovered) = Store::recover(&damaged) else {
                    assert!(page == 0, "{name}");
                    continue;
                };
                let store = Store::open_existing(&damaged).unwrap();
                let sound = store.diagnose(&Unseen).unwrap();
                assert_eq!(sound, super::super::Diagnosis::default(), "{name}");
                let corrections = store.corrections().unwrap().0.len();
                let is_told = recovered
                    .incomplete
                    .iter()
                    .any(|table| table == "corrections");
                assert!(corrections == PHOTOS || is_told, "{name}: {corrections}");
                if recovered.incomplete.is_empty() {
                    recovered_all += 1;
                }
            }
        }
        // Each page is damaged twice. Answers do not read the pages of every index.
        assert!(
            reported > pages * 3 / 4 && recovered_all > 0,
            "{reported} of {pages}, {recovered_all}"
        );
    }
}
