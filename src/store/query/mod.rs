//! Which photos answer a question.
//!
//! A question is planned ([`plan`]); the indexes of its filters tell which photos can be in the
//! answer ([`narrow`]); these are met in order ([`sources`]), held against every filter
//! ([`admit`]) and put in their exact places ([`answer`]).

mod admit;
mod answer;
mod burst;
mod count;
mod exact;
mod filter;
mod narrow;
mod photo_set;
mod plan;
mod sources;

use std::path::PathBuf;

use rusqlite::Connection;

use crate::emotion::Emotion;

use super::path::decode;
use super::record::{PhotoId, Scan, StoredFace};
use super::{faces, photos};
use answer::{Answer, Ranked};
use plan::{Bounds, Plan};

pub use count::Counts;
pub(super) use count::{counts, total};
pub use filter::{Filter, Order, Query, SHOWN, Who};

/// A photo in an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The photo.
    pub photo: PhotoId,
    /// Where it lies: of several paths the first that the query admits.
    pub path: PathBuf,
    /// What it shows; `None` where no emotion was asked for.
    pub shown: Option<Shown>,
    /// What is known of the photo, with the faces that count.
    pub scan: Scan<StoredFace>,
}

/// By what a photo counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shown {
    /// Of the emotions asked for the one that it shows most.
    pub emotion: Emotion,
    /// Its probability for the face that decides, weighted as
    /// [`DetectedFace::weighted`](crate::face::DetectedFace::weighted) says; 0 to 1.
    pub score: f32,
}

/// See [`Store::query`](super::Store::query).
pub(super) fn run(db: &Connection, query: &Query) -> rusqlite::Result<Vec<Hit>> {
    run_within(db, query, Bounds::default())
}

fn run_within(db: &Connection, query: &Query, bounds: Bounds) -> rusqlite::Result<Vec<Hit>> {
    let Some(plan) = Plan::new(db, query, bounds)? else {
        return Ok(Vec::new());
    };
    ranked(db, &plan)?
        .into_iter()
        .filter_map(|ranked| hit(db, &plan, &ranked).transpose())
        .collect()
}

fn ranked(db: &Connection, plan: &Plan<'_>) -> rusqlite::Result<Vec<Ranked>> {
    if plan.query.limit == Some(0) {
        return Ok(Vec::new());
    }
    let narrowed = narrow::narrow(db, plan)?;
    let mut answer = Answer::new(db, plan);
    sources::feed(db, plan, narrowed, &mut answer)?;
    answer.finish()
}

fn hit(db: &Connection, plan: &Plan<'_>, ranked: &Ranked) -> rusqlite::Result<Option<Hit>> {
    let candidate = &ranked.candidate;
    let photo = photos::bare(db, candidate.photo)?;
    let Some(Ok(scan)) = photo.map(|photo| photo.content) else {
        return Ok(None);
    };
    let mut faces = faces::of_photo(db, candidate.photo)?;
    faces.retain(|face| plan.counts(face));
    Ok(Some(Hit {
        photo: candidate.photo,
        path: decode(&ranked.path),
        shown: candidate.emotion.map(|emotion| Shown {
            emotion,
            score: candidate.score as f32,
        }),
        scan: Scan { faces, ..scan },
    }))
}

#[cfg(test)]
mod plans;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;
