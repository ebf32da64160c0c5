//! The whole database as text, so that a test can compare it with that of a fresh index: every row of every table, with
//! numbers of rows replaced by the content of these rows, and without values that depend on when or in which order
//! files were processed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Row};

/// Columns that differ between two indexes of the same files: times of processing, numbers of rows, and what
/// the file system or chance assigns.
const VOLATILE: [&str; 10] = [
    "id",
    "indexed_at",
    "lost_at",
    "made_at",
    "reconciled_at",
    "offline_since",
    "inode",
    "device",
    "ctime_ns",
    "key",
];

/// Tables with rows of lost photos. These rows are kept for the grace period, and a fresh index does not have them.
const KEPT: [&str; 5] = [
    "photos",
    "faces",
    "face_features",
    "unread_faces",
    "photo_scores",
];

/// What was at a path before the files that are there now, which no fresh index knows.
const HISTORY: &str = "lost_paths";

/// The words of photos: the table has no text, only which term occurs in which photo.
const WORDS: &str = "photo_words";

/// Every row of every table, one a line: the table, then each column with its value. Photos are named by their hash,
/// faces by their photo and position, models by name, corrections by their emotion. Rows of lost photos are omitted, as
/// are values that may differ between two indexes of the same files.
pub fn dump(database: &Path) -> String {
    dump_without(database, &[])
}

/// Like [`dump`], without these tables.
pub fn dump_without(database: &Path, tables: &[&str]) -> String {
    let db = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let names = Names::of(&db);
    let mut lines = BTreeSet::new();
    for table in names_of_tables(&db) {
        if table == HISTORY || tables.contains(&table.as_str()) {
            continue;
        }
        let found = if table == WORDS {
            words(&db, &names)
        } else {
            rows(&db, &table, &names)
        };
        lines.extend(found.into_iter().map(|row| format!("{table}{row}\n")));
    }
    lines.into_iter().collect()
}

/// The lines of two dumps that only one of them has, one a line after `-` (only the first) or `+` (only the
/// second); empty if the dumps are equal.
pub fn difference(first: &str, second: &str) -> String {
    let lines = |text: &'_ str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    let (first, second) = (lines(first), lines(second));
    let mut text = String::new();
    for (sign, only) in [('-', &first - &second), ('+', &second - &first)] {
        for line in only {
            writeln!(text, "{sign} {line}").unwrap();
        }
    }
    text
}

/// Checks that two databases have the same rows, as far as [`dump`] shows them.
#[track_caller]
pub fn assert_same(database: &Path, fresh: &Path) {
    let difference = difference(&dump(database), &dump(fresh));
    assert!(
        difference.is_empty(),
        "only in the database (-), only in the fresh index (+):\n{difference}"
    );
}

/// The tables with data, without the internal ones of SQLite and of the full-text index.
fn names_of_tables(db: &Connection) -> Vec<String> {
    let mut tables = db
        .prepare("SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual')")
        .unwrap();
    let names = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
    names
        .map(Result::unwrap)
        .filter(|name| !name.starts_with("sqlite_"))
        .collect()
}

/// The content to which numbers in other tables refer.
struct Names {
    /// Hashes of photos.
    photos: BTreeMap<i64, String>,
    /// Photos to which a file leads.
    present: BTreeSet<i64>,
    /// The photo of each face, and its position in it.
    faces: BTreeMap<i64, (i64, i64)>,
    models: BTreeMap<i64, String>,
    corrections: BTreeMap<i64, String>,
}

impl Names {
    fn of(db: &Connection) -> Self {
        let named = |sql: &str| -> BTreeMap<i64, String> {
            let mut rows = db.prepare(sql).unwrap();
            let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
            rows.unwrap().map(Result::unwrap).collect()
        };
        let mut present = db
            .prepare("SELECT DISTINCT photo_id FROM files WHERE photo_id IS NOT NULL")
            .unwrap();
        let present = present.query_map([], |row| row.get(0)).unwrap();
        let mut faces = db
            .prepare("SELECT id, photo_id, position FROM faces")
            .unwrap();
        let faces = faces
            .query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))
            .unwrap();
        Self {
            photos: named("SELECT id, lower(hex(hash)) FROM photos"),
            present: present.map(Result::unwrap).collect(),
            faces: faces.map(Result::unwrap).collect(),
            models: named("SELECT id, name FROM models"),
            corrections: named(
                "SELECT id, coalesce(emotion, 'no face') || ' at ' || x || ',' || y || ',' || width || ','
                        || height
                 FROM corrections",
            ),
        }
    }

    fn photo(&self, id: i64) -> String {
        let of = |id| self.photos.get(&id).cloned();
        of(id).unwrap_or_else(|| format!("no photo {id}"))
    }
}

/// The rows of a table as text.
fn rows(db: &Connection, table: &str, names: &Names) -> Vec<String> {
    let mut statement = db.prepare(&format!("SELECT * FROM \"{table}\"")).unwrap();
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let of_photo = if table == "photos" { "id" } else { "photo_id" };
    let of_photo = columns.iter().position(|column| column == of_photo);
    let of_face = columns.iter().position(|column| column == "face_id");
    let as_text = |row: &Row<'_>| {
        let number = |index| row.get::<_, Option<i64>>(index).unwrap();
        let photo = match of_face {
            Some(index) => number(index).map(|face| names.faces[&face].0),
            None => of_photo.and_then(number),
        };
        if KEPT.contains(&table) && photo.is_none_or(|photo| !names.present.contains(&photo)) {
            return Ok(None);
        }
        let mut line = String::new();
        for (index, column) in columns.iter().enumerate() {
            if VOLATILE.contains(&column.as_str()) {
                continue;
            }
            let value = row.get_ref(index)?;
            let value = match (column.as_str(), value) {
                ("photo_id" | "burst" | "raw_id" | "picture_id", ValueRef::Integer(id)) => {
                    names.photo(id)
                }
                ("face_id", ValueRef::Integer(id)) => {
                    let (photo, position) = names.faces[&id];
                    format!("{position} of {}", names.photo(photo))
                }
                ("detector" | "classifier", ValueRef::Integer(id)) => names.models[&id].clone(),
                ("correction", ValueRef::Integer(id)) => names.corrections[&id].clone(),
                (_, value) => plain(value),
            };
            write!(line, " | {column} {value}").unwrap();
        }
        Ok(Some(line))
    };
    let found = statement.query_map([], as_text).unwrap();
    found.filter_map(Result::unwrap).collect()
}

/// For each photo in the full-text index its words, in alphabetical order.
fn words(db: &Connection, names: &Names) -> Vec<String> {
    db.execute_batch(&format!(
        "CREATE VIRTUAL TABLE temp.words_of_photos USING fts5vocab(main, {WORDS}, instance)"
    ))
    .unwrap();
    let mut terms = db
        .prepare("SELECT DISTINCT doc, term FROM temp.words_of_photos ORDER BY doc, term")
        .unwrap();
    let mut photos: BTreeMap<i64, String> = BTreeMap::new();
    let mut rows = terms.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let words = photos.entry(row.get(0).unwrap()).or_default();
        write!(words, " {}", row.get::<_, String>(1).unwrap()).unwrap();
    }
    let line = |(photo, words)| format!(" | photo_id {} | words{words}", names.photo(photo));
    photos.into_iter().map(line).collect()
}

/// A value as text; bytes as text if they are a path, otherwise in hexadecimal.
fn plain(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "none".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => format!("{number:?}"),
        ValueRef::Text(text) => format!("\"{}\"", text.escape_ascii()),
        ValueRef::Blob(path) if path.starts_with(b"/") => format!("\"{}\"", path.escape_ascii()),
        ValueRef::Blob(bytes) => bytes.iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        }),
    }
}
