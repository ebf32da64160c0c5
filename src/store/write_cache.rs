//! Caches what several writes of one transaction need, so that it is read once.

use std::cell::OnceCell;

use rusqlite::Connection;

use super::learning::InForce;
use super::models::ModelIds;

/// The caches of one transaction.
#[derive(Debug, Default)]
pub(super) struct WriteCache {
    pub models: ModelIds,
    pub learning: LayersInForce,
}

/// The personal layers in force.
#[derive(Debug, Default)]
pub(super) struct LayersInForce(OnceCell<InForce>);

impl LayersInForce {
    pub fn of(&self, db: &Connection) -> rusqlite::Result<&InForce> {
        if self.0.get().is_none() {
            // The cell is empty, so this cannot fail.
            let _ = self.0.set(InForce::now(db)?);
        }
        Ok(self.0.get_or_init(InForce::default))
    }
}
