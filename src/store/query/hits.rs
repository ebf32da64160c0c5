//! The answer as it is given: each photo with what is known of it.

use std::path::PathBuf;

use rusqlite::Connection;

use crate::emotion::Emotion;

use super::super::path::decode;
use super::super::record::{PhotoId, Scan, StoredFace};
use super::super::{faces, photos};
use super::answer::{Answer, Ranked};
use super::filter::Query;
use super::plan::{Bounds, Plan};
use super::{narrow, sources};

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

/// See [`Store::query`](super::super::Store::query).
pub(in super::super) fn run(db: &Connection, query: &Query) -> rusqlite::Result<Vec<Hit>> {
    run_within(db, query, Bounds::default())
}

pub(super) fn run_within(
    db: &Connection,
    query: &Query,
    bounds: Bounds,
) -> rusqlite::Result<Vec<Hit>> {
    let Some(plan) = Plan::new(db, query, bounds)? else {
        return Ok(Vec::new());
    };
    ranked(db, &plan)?
        .into_iter()
        .filter_map(|ranked| hit(db, &plan, &ranked).transpose())
        .collect()
}

/// The photos of the answer in its order.
pub(super) fn ranked(db: &Connection, plan: &Plan<'_>) -> rusqlite::Result<Vec<Ranked>> {
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
