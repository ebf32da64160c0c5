//! Runs a query and returns its hits, each with what is known about the photo.

use std::path::PathBuf;

use rusqlite::Connection;

use crate::emotion::Emotion;
use crate::photo::ContentHash;

use super::super::path::decode;
use super::super::record::{PhotoAnalysis, PhotoId};
use super::super::stored_face::StoredFace;
use super::super::{people, photos};
use super::answer::{Answer, Ranked};
use super::filter::Query;
use super::plan::{Bounds, Plan};
use super::{counting, narrow, sources};

/// A photo in the answer to a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The photo.
    pub photo: PhotoId,
    /// The hash of its content.
    pub hash: ContentHash,
    /// Its path; of several paths the first that the query admits, those below a root that is offline last.
    pub path: PathBuf,
    /// The score by which it is ranked; `None` if the query has no emotion.
    pub ranked_by: Option<RankingScore>,
    /// The analysis of the photo, with only the faces that count.
    pub analysis: PhotoAnalysis<StoredFace>,
}

/// The score by which a photo is ranked, and its emotion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RankingScore {
    /// Of the query's emotions the one that the photo shows most.
    pub emotion: Emotion,
    /// The emotion's probability for the face that decides, weighted as
    /// [`DetectedFace::weighted`](crate::face::DetectedFace::weighted) describes; 0 to 1.
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

/// The photos of the answer, in its order.
pub(super) fn ranked(db: &Connection, plan: &Plan<'_>) -> rusqlite::Result<Vec<Ranked>> {
    ranked_until(db, plan, &[])
}

/// The photos of the answer, in its order, up to the last of `ends`; all if `ends` is empty.
pub(super) fn ranked_until(
    db: &Connection,
    plan: &Plan<'_>,
    ends: &[PhotoId],
) -> rusqlite::Result<Vec<Ranked>> {
    if plan.query.limit == Some(0) {
        return Ok(Vec::new());
    }
    let narrowed = narrow::narrow(db, plan)?;
    let mut answer = Answer::new(db, plan, ends);
    sources::offer_candidates(db, plan, narrowed, &mut answer)?;
    if !answer.is_given_up() {
        return answer.finish();
    }
    let bounds = Bounds {
        few: plan.bounds.few,
        ..Bounds::ALL_LISTS
    };
    match Plan::new(db, plan.query, bounds)? {
        Some(plan) => ranked_until(db, &plan, ends),
        None => Ok(Vec::new()),
    }
}

fn hit(db: &Connection, plan: &Plan<'_>, ranked: &Ranked) -> rusqlite::Result<Option<Hit>> {
    let candidate = &ranked.candidate;
    let Some(photo) = photos::bare(db, candidate.photo)? else {
        return Ok(None);
    };
    let Ok(analysis) = photo.content else {
        return Ok(None);
    };
    let faces = counting::counting_faces(db, plan.query, candidate.photo)?;
    Ok(Some(Hit {
        photo: candidate.photo,
        hash: photo.hash,
        path: decode(&ranked.path),
        ranked_by: candidate.emotion.map(|emotion| RankingScore {
            emotion,
            score: candidate.score as f32,
        }),
        analysis: PhotoAnalysis {
            faces,
            people: people::of_photo(db, candidate.photo)?,
            ..analysis
        },
    }))
}
