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
mod counting;
mod exact;
mod filter;
mod hits;
mod members;
mod narrow;
mod photo_set;
mod plan;
mod sources;
mod standing;
mod weak;

use rusqlite::Connection;

use super::raw_pairs;
use crate::photo::Raws;

pub use count::Counts;
pub(super) use count::{counts, total};
pub use filter::{EMOTION_THRESHOLD, Filter, Order, Query, Who};
pub(super) use hits::run;
pub use hits::{Hit, RankingScore};
use photo_set::PhotoSet;
use plan::{Bounds, Plan};
pub(super) use standing::{between, standing};

/// The photos that a query finds; `None` if it finds all but those of [`left_out`].
pub(super) fn photos(db: &Connection, query: &Query) -> rusqlite::Result<Option<PhotoSet>> {
    let is_restricted = Query {
        who: Who::Any,
        min_score: None,
        min_detection: None,
        min_face: None,
        file_dates: false,
        raws: None,
        ..query.clone()
    } != Query::new();
    if !is_restricted {
        return Ok(None);
    }
    let mut photos = PhotoSet::default();
    if let Some(plan) = Plan::new(db, query, Bounds::default())? {
        for ranked in hits::ranked(db, &plan)? {
            photos.insert(ranked.candidate.photo);
        }
    }
    Ok(Some(photos))
}

/// The raw files that a query leaves out because they are paired with a picture.
pub(super) fn left_out(db: &Connection, query: &Query) -> rusqlite::Result<PhotoSet> {
    let mut raws = PhotoSet::default();
    if query.raws == Some(Raws::Alone) {
        raw_pairs::each(db, |raw| {
            raws.insert(raw);
        })?;
    }
    Ok(raws)
}

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
