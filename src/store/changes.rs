//! Caches what a transaction needs for one write after another.

use std::cell::OnceCell;

use rusqlite::Connection;

use super::learning::InForce;
use super::models::ModelIds;

/// Caches that save a transaction repeated queries.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub models: ModelIds,
    pub learning: LayerInForce,
}

/// The personal layer in force, read once.
#[derive(Debug, Default)]
pub(super) struct LayerInForce(OnceCell<InForce>);

impl LayerInForce {
    pub fn of(&self, db: &Connection) -> rusqlite::Result<&InForce> {
        if self.0.get().is_none() {
            // The cell is empty, so this cannot fail.
            let _ = self.0.set(InForce::now(db)?);
        }
        Ok(self.0.get_or_init(InForce::default))
    }
}
