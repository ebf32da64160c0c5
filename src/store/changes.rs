//! What a transaction keeps from one write to the next.

use super::models::ModelIds;

/// Caches that save a transaction repeated queries.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub models: ModelIds,
}
