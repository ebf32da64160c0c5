//! Which photos answer a question.
//!
//! A question is planned ([`plan`]); the indexes of its filters tell which photos can be in the
//! answer ([`narrow`]); these are met in order ([`sources`]), held against every filter
//! ([`admit`]) and put in their exact places ([`answer`]).

mod admit;
mod answer;
mod burst;
mod candidate;
mod count;
mod exact;
mod filter;
mod hits;
mod narrow;
mod photo_set;
mod plan;
mod sources;

use rusqlite::Connection;

pub use count::Counts;
pub(super) use count::{counts, total};
pub use filter::{Filter, Order, Query, SHOWN, Who};
pub(super) use hits::run;
pub use hits::{Hit, Shown};

/// See [`Store::cameras`](super::Store::cameras).
pub(super) fn cameras(db: &Connection) -> rusqlite::Result<Vec<String>> {
    narrow::cameras(db, &[String::new()])
}

#[cfg(test)]
mod plans;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;
