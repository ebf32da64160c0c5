//! The methods of [`Store`](super::Store), by what they are for.

mod answers;
mod corrections;
mod file_changes;
mod forgetting;
mod lookups;
mod maintenance;
