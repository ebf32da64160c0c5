//! `fer-index export --everything`: prints every row of the database as JSON lines.

use std::fmt::Write as _;

use serde_json::{Map, Value as Json, json};

use super::Outcome;
use super::context::Context;
use super::stdout::Stdout;
use crate::error::Result;
use crate::store::{Store, Value};

/// Columns with a path or the name of a file.
const PATHS: [&str; 3] = ["path", "photo_path", "name"];

pub(super) fn run(context: &Context, out: &mut Stdout) -> Result<Outcome> {
    let store = Store::open_existing(&context.config().database)?;
    store.everything(|table, row| {
        let mut object = Map::new();
        object.insert("table".to_owned(), json!(table));
        for (column, value) in row {
            if let Value::Bytes(bytes) = &value
                && PATHS.contains(&column.as_str())
            {
                add_path(&mut object, &column, bytes);
                continue;
            }
            object.insert(column, as_json(value));
        }
        out.line(Json::Object(object))
    })?;
    Ok(Outcome::Found)
}

fn as_json(value: Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Integer(number) => json!(number),
        Value::Real(number) => json!(number),
        Value::Text(text) => json!(text),
        Value::Bytes(bytes) => json!(hex(&bytes)),
    }
}

/// Adds a path as text; if it is not UTF-8, also its exact bytes.
fn add_path(object: &mut Map<String, Json>, column: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if matches!(text, std::borrow::Cow::Owned(_)) {
        object.insert(format!("{column}_bytes"), json!(hex(bytes)));
    }
    object.insert(column.to_owned(), json!(text));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
