//! The numbers under which the names of models are kept.

use std::cell::RefCell;

use rusqlite::{Connection, OptionalExtension as _};

/// The numbers that a transaction has asked for already; a handful.
#[derive(Debug, Default)]
pub(super) struct Numbers(RefCell<Vec<(String, i64)>>);

impl Numbers {
    /// The number of the model called `name`, which is stored if it is new.
    pub fn of(&self, db: &Connection, name: &str) -> rusqlite::Result<i64> {
        let mut numbers = self.0.borrow_mut();
        if let Some((_, number)) = numbers.iter().find(|(known, _)| known == name) {
            return Ok(*number);
        }
        let stored = db
            .prepare_cached("SELECT id FROM models WHERE name = ?")?
            .query_row([name], |row| row.get(0))
            .optional()?;
        let number = match stored {
            Some(number) => number,
            None => db
                .prepare_cached("INSERT INTO models (name) VALUES (?) RETURNING id")?
                .query_row([name], |row| row.get(0))?,
        };
        numbers.push((name.to_owned(), number));
        Ok(number)
    }
}
