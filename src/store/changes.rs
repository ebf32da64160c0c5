//! What a transaction keeps from one write to the next.

use super::folders::StoredFolders;
use super::models::ModelIds;
use super::words::PendingWords;

/// Caches that save a transaction repeated queries and writes, and the words that it writes at its
/// end.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub models: ModelIds,
    pub folders: StoredFolders,
    /// Must be written before the commit.
    pub words: PendingWords,
}
