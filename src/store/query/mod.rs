//! Answers queries.
//!
//! A query is planned ([`plan`]); the indexes of its filters list the photos that can be in the
//! answer ([`narrow`]); the candidates are read in order ([`sources`]), checked against every
//! filter ([`admit`]) and put in their exact order ([`answer`]).

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
pub use filter::{EMOTION_THRESHOLD, Filter, Order, Query, Who};
pub(super) use hits::run;
pub use hits::{Hit, RankingScore};

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
