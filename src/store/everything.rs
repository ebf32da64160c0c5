//! Reads every row of the database, for the person whose data it contains.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

/// A value of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `NULL`.
    Null,
    /// A whole number.
    Integer(i64),
    /// A floating-point number.
    Real(f64),
    /// Text.
    Text(String),
    /// Bytes: a hash, a path, or another value that is no text.
    Bytes(Vec<u8>),
}

/// The condition for tables of SQLite and of its full-text index, which repeat others, and for notes, which are empty
/// between transactions.
const REPEATED: &str = "name LIKE 'sqlite_%' OR name LIKE 'photo_words%' OR name LIKE 'dirty_%'";

/// See [`Store::everything`](super::Store::everything).
pub(super) fn each<E>(
    db: &Connection,
    mut take: impl FnMut(&str, Vec<(String, Value)>) -> Result<(), E>,
) -> rusqlite::Result<Result<(), E>> {
    let tables: Vec<String> = db
        .prepare(&format!(
            "SELECT name FROM pragma_table_list
             WHERE schema = 'main' AND type = 'table' AND NOT ({REPEATED}) ORDER BY name"
        ))?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for table in tables {
        let mut statement = db.prepare(&format!("SELECT * FROM \"{table}\""))?;
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let values = values(row, &columns)?;
            if let Err(error) = take(&table, values) {
                return Ok(Err(error));
            }
        }
    }
    Ok(Ok(()))
}

fn values(row: &Row<'_>, columns: &[String]) -> rusqlite::Result<Vec<(String, Value)>> {
    let value = |index| -> rusqlite::Result<Value> {
        Ok(match row.get_ref(index)? {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(number) => Value::Integer(number),
            ValueRef::Real(number) => Value::Real(number),
            ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
            ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
        })
    };
    let named = columns.iter().enumerate();
    named
        .map(|(index, column)| Ok((column.clone(), value(index)?)))
        .collect()
}
