//! Stores the names of models, and gives each an ID.

use std::cell::RefCell;

use rusqlite::{Connection, OptionalExtension as _};

/// The IDs of the models that this transaction has read; there are only a few.
#[derive(Debug, Default)]
pub(super) struct ModelIds(RefCell<Vec<(String, i64)>>);

impl ModelIds {
    /// The ID of the model called `name`, which is stored if it is new.
    pub fn of(&self, db: &Connection, name: &str) -> rusqlite::Result<i64> {
        let mut ids = self.0.borrow_mut();
        if let Some((_, id)) = ids.iter().find(|(known, _)| known == name) {
            return Ok(*id);
        }
        let stored = db
            .prepare_cached("SELECT id FROM models WHERE name = ?")?
            .query_row([name], |row| row.get(0))
            .optional()?;
        let id = match stored {
            Some(id) => id,
            None => db
                .prepare_cached("INSERT INTO models (name) VALUES (?) RETURNING id")?
                .query_row([name], |row| row.get(0))?,
        };
        ids.push((name.to_owned(), id));
        Ok(id)
    }
}
