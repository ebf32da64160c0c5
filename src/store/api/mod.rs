//! The methods of [`Store`](super::Store), in a module for each purpose.

mod answers;
mod corrections;
mod file_changes;
mod forgetting;
mod lookups;
mod maintenance;
