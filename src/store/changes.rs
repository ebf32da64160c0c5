//! What a transaction remembers from one write to the next.

use super::folders::Noted;
use super::models::Numbers;
use super::words::Pending;

/// What need not be asked or written twice in a transaction.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub models: Numbers,
    pub folders: Noted,
    /// Has to be written at the end.
    pub words: Pending,
}
