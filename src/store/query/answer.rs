//! Builds the answer to a query, in its exact order, from candidates that arrive in the order of upper bounds.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::ops::ControlFlow;

use rusqlite::Connection;

use super::super::record::PhotoId;
use super::super::stored_face::StoredFace;
use super::admit;
use super::burst::Bursts;
use super::candidate::Candidate;
use super::counting;
use super::photo_set::PhotoSet;
use super::plan::Plan;

/// A photo that is in the answer, unless enough other photos come before it.
#[derive(Debug)]
pub(super) struct Ranked {
    pub candidate: Candidate,
    /// The first of the photo's paths that the query admits, as stored; paths below absent roots come last.
    pub path: Vec<u8>,
}

/// Takes candidates in the order of upper bounds and answers in the exact order: a photo whose
/// exact score is known waits until no later candidate can come before it (the threshold algorithm
/// of Fagin, Lotem and Naor, PODS 2001).
#[derive(Debug)]
pub(super) struct Answer<'a> {
    db: &'a Connection,
    plan: &'a Plan<'a>,
    waiting: BinaryHeap<PendingPhoto<'a>>,
    seen: PhotoSet,
    bursts: Bursts,
    to_skip: usize,
    photos: Vec<Ranked>,
    /// The answer may end once it contains all of these photos; if there are none, it does not end early.
    ends: &'a [PhotoId],
    /// Number of `ends` that are in `photos`.
    ended: usize,
    /// Number of candidates that did not meet the filters.
    rejected: usize,
}

impl<'a> Answer<'a> {
    pub fn new(db: &'a Connection, plan: &'a Plan<'a>, ends: &'a [PhotoId]) -> Self {
        Self {
            db,
            plan,
            waiting: BinaryHeap::new(),
            seen: PhotoSet::default(),
            bursts: Bursts::default(),
            to_skip: plan.query.offset,
            photos: Vec::new(),
            ends,
            ended: 0,
            rejected: 0,
        }
    }

    /// Takes the next candidate; no later one may come before it by its bound. Breaks when the
    /// answer is full, or given up.
    pub fn offer(&mut self, candidate: Candidate) -> rusqlite::Result<ControlFlow<()>> {
        while let Some(first) = self.waiting.peek()
            && self
                .plan
                .compare(&first.ranked.candidate, &candidate)
                .is_lt()
        {
            self.check_first()?;
            if self.is_full() {
                return Ok(ControlFlow::Break(()));
            }
        }
        if self.seen.insert(candidate.photo) {
            match self.check(candidate)? {
                Some(ranked) => self.waiting.push(PendingPhoto {
                    ranked,
                    plan: self.plan,
                }),
                None => self.rejected += 1,
            }
        }
        Ok(if self.is_given_up() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        })
    }

    /// Whether so many candidates failed the filters that the walk should be given up, and the filters should list their
    /// photos first, however many.
    pub const fn is_given_up(&self) -> bool {
        self.rejected > self.plan.bounds.most_rejected
    }

    /// Returns the answer; called after the last candidate.
    pub fn finish(mut self) -> rusqlite::Result<Vec<Ranked>> {
        while !self.is_full() && !self.waiting.is_empty() {
            self.check_first()?;
        }
        Ok(self.photos)
    }

    fn is_full(&self) -> bool {
        let limit = self.plan.query.limit;
        limit.is_some_and(|limit| self.photos.len() >= limit)
            || !self.ends.is_empty() && self.ended == self.ends.len()
    }

    fn check_first(&mut self) -> rusqlite::Result<()> {
        let Some(PendingPhoto { ranked, .. }) = self.waiting.pop() else {
            return Ok(());
        };
        if self.plan.query.one_per_burst
            && !self.bursts.is_first(self.db, ranked.candidate.photo)?
        {
            return Ok(());
        }
        if self.to_skip > 0 {
            self.to_skip -= 1;
        } else {
            self.ended += usize::from(self.ends.contains(&ranked.candidate.photo));
            self.photos.push(ranked);
        }
        Ok(())
    }

    /// Checks a photo against all filters and gives it its exact score.
    pub fn check(&self, mut candidate: Candidate) -> rusqlite::Result<Option<Ranked>> {
        if !self.plan.admits_date(candidate.taken) {
            return Ok(None);
        }
        let Some(path) = admit::first_admitted_path(self.db, self.plan, candidate.photo)? else {
            return Ok(None);
        };
        if !self.plan.every_face_counts {
            let faces = counting::counting_faces(self.db, self.plan.query, candidate.photo)?;
            if !self.score(&mut candidate, &faces) {
                return Ok(None);
            }
        }
        Ok(Some(Ranked { candidate, path }))
    }

    /// Scores the photo by the faces that count; returns whether the photo meets the filters on
    /// faces.
    fn score(&self, candidate: &mut Candidate, faces: &[StoredFace]) -> bool {
        let query = self.plan.query;
        if !counting::meets_filters(query, faces) {
            return false;
        }
        if query.emotions.is_empty() {
            return true;
        }
        let best = query
            .emotions
            .iter()
            .filter_map(|emotion| Some((emotion, counting::score(query, faces, emotion)?)))
            // Of equal scores, the first emotion.
            .reduce(|best, next| if next.1 > best.1 { next } else { best });
        let Some((emotion, score)) = best else {
            return false;
        };
        (candidate.emotion, candidate.score) = (Some(emotion), score);
        score >= f64::from(query.least_score())
    }
}

/// A photo in the heap, whose greatest element is the first in the order of the answer. No two are
/// equal, since equal candidates are ordered by path.
#[derive(Debug)]
struct PendingPhoto<'a> {
    ranked: Ranked,
    plan: &'a Plan<'a>,
}

impl Ord for PendingPhoto<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.plan
            .compare(&other.ranked.candidate, &self.ranked.candidate)
            .then_with(|| other.ranked.path.cmp(&self.ranked.path))
    }
}

impl PartialOrd for PendingPhoto<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for PendingPhoto<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for PendingPhoto<'_> {}
