//! Reads the photos that may be in the answer, in the order of the query.

use std::ops::ControlFlow;

use rusqlite::{CachedStatement, Connection, Rows, params};

use crate::emotion::Emotion;

use super::super::ranking::{Kind, UNKNOWN_DATE};
use super::super::record::PhotoId;
use super::answer::Answer;
use super::candidate::Candidate;
use super::filter::Order;
use super::narrow::Narrowed;
use super::photo_set::PhotoSet;
use super::plan::Plan;

/// The statements of this module; none sorts or reads more rows than it returns.
pub(super) mod sql {
    pub const WALK: &str = "
        SELECT photo_id, score, taken FROM photo_scores
        WHERE emotion = ? AND kind = ? AND score >= ? AND taken >= ? AND taken < ?
        ORDER BY score DESC, taken DESC, photo_id";
    pub const PHOTO: &str = "
        SELECT score, taken FROM photo_scores WHERE photo_id = ? AND emotion = ? AND kind = ?";
    pub const BY_DATE: &str = "
        SELECT id, taken_local FROM photos WHERE skip_reason IS NULL ORDER BY taken_local DESC";
    pub const BY_DATE_WITHIN: &str = "
        SELECT id, taken_local FROM photos
        WHERE skip_reason IS NULL AND taken_local >= ? AND taken_local < ?
        ORDER BY taken_local DESC";
    pub const DATE: &str = "SELECT taken_local FROM photos WHERE id = ? AND skip_reason IS NULL";
    pub const LAST: &str = "SELECT coalesce(max(id), 0) FROM photos";
}

/// Whether the answer needs more candidates.
type Flow = ControlFlow<()>;

/// Offers candidates to the answer until it is full.
pub(super) fn offer_candidates(
    db: &Connection,
    plan: &Plan<'_>,
    narrowed: Narrowed,
    answer: &mut Answer<'_>,
) -> rusqlite::Result<()> {
    let listed = match narrowed {
        Narrowed::Unlisted => None,
        Narrowed::To(photos) => Some(photos),
    };
    // A few listed photos are looked up and sorted. If there are more, a walk over all photos in
    // the order of the answer finds enough of them soon, unless they come last in it: such a walk
    // is given up, and the listed photos are looked up after all.
    let is_done = match &listed {
        Some(photos) if photos.len() <= plan.bounds.few => false,
        listed => match plan.order {
            Order::Score => by_score(db, plan, listed.as_ref(), answer)?,
            Order::Date => by_date(db, plan, listed.as_ref(), answer)?,
            Order::Random { seed } => in_random_order(db, plan, listed.as_ref(), seed, answer)?,
        },
    };
    match listed {
        Some(photos) if !is_done => look_up_listed(db, plan, &photos, answer),
        _ => Ok(()),
    }
}

/// Decides during a walk whether a photo is on the list, and gives up the walk after too many photos that are not.
struct Walk<'a> {
    listed: Option<&'a PhotoSet>,
    left: usize,
}

enum WalkStep {
    Listed,
    Other,
    GivenUp,
}

impl<'a> Walk<'a> {
    /// Gives up after ten times as many photos as are listed: passing a photo costs less than a
    /// tenth of looking one up.
    fn new(listed: Option<&'a PhotoSet>) -> Self {
        Self {
            listed,
            left: listed.map_or(usize::MAX, |photos| 10 * photos.len()),
        }
    }

    fn visit(&mut self, photo: PhotoId) -> WalkStep {
        match self.listed {
            Some(photos) if !photos.contains(photo) => {
                self.left -= 1;
                if self.left == 0 {
                    WalkStep::GivenUp
                } else {
                    WalkStep::Other
                }
            }
            _ => WalkStep::Listed,
        }
    }
}

/// Walks the ranking by merging its lists; returns `false` if the walk was given up.
fn by_score(
    db: &Connection,
    plan: &Plan<'_>,
    listed: Option<&PhotoSet>,
    answer: &mut Answer<'_>,
) -> rusqlite::Result<bool> {
    let lists: Vec<(Emotion, Kind)> = plan.lists().collect();
    // While a statement is in use, it is not in the cache, and preparing the same text would compile it again. So each
    // list has a text of its own.
    let mut statements: Vec<CachedStatement<'_>> = (0..lists.len())
        .map(|number| db.prepare_cached(&format!("{} -- list {number}", sql::WALK)))
        .collect::<rusqlite::Result<_>>()?;
    let mut heads = Vec::new();
    for ((emotion, kind), statement) in lists.into_iter().zip(&mut statements) {
        let rows = statement.query(params![
            emotion.index() as i64,
            kind as i64,
            plan.query.least_score(),
            plan.since,
            plan.until
        ])?;
        let mut list = List {
            rows,
            emotion,
            head: None,
        };
        list.advance()?;
        heads.push(list);
    }
    let mut walk = Walk::new(listed);
    loop {
        // `max_by` returns the last of equal elements; reversed, this is the first list's.
        let best = heads
            .iter_mut()
            .rev()
            .filter_map(|list| Some((list.head?, list)))
            .max_by(|(a, _), (b, _)| a.score.total_cmp(&b.score).then(a.taken.cmp(&b.taken)));
        let Some((candidate, list)) = best else {
            return Ok(true);
        };
        list.advance()?;
        match walk.visit(candidate.photo) {
            WalkStep::Listed => {
                if answer.offer(candidate)?.is_break() {
                    return Ok(true);
                }
            }
            WalkStep::Other => {}
            WalkStep::GivenUp => return Ok(false),
        }
    }
}

/// A list of the ranking and its next photo.
struct List<'s> {
    rows: Rows<'s>,
    emotion: Emotion,
    head: Option<Candidate>,
}

impl List<'_> {
    fn advance(&mut self) -> rusqlite::Result<()> {
        self.head = match self.rows.next()? {
            Some(row) => Some(Candidate {
                photo: row.get(0)?,
                emotion: Some(self.emotion),
                score: row.get(1)?,
                taken: row.get(2)?,
                shuffle_position: 0,
            }),
            None => None,
        };
        Ok(())
    }
}

fn by_date(
    db: &Connection,
    plan: &Plan<'_>,
    listed: Option<&PhotoSet>,
    answer: &mut Answer<'_>,
) -> rusqlite::Result<bool> {
    let mut statement;
    let mut rows = if plan.is_dated() {
        statement = db.prepare_cached(sql::BY_DATE_WITHIN)?;
        statement.query([plan.since, plan.until])?
    } else {
        statement = db.prepare_cached(sql::BY_DATE)?;
        statement.query([])?
    };
    let mut walk = Walk::new(listed);
    while let Some(row) = rows.next()? {
        let photo = row.get(0)?;
        match walk.visit(photo) {
            WalkStep::Listed => {
                let taken: Option<i64> = row.get(1)?;
                let taken = taken.unwrap_or(UNKNOWN_DATE);
                if plan.admits_date(taken)
                    && let Some(candidate) = best_candidate(db, plan, photo, taken, 0)?
                    && answer.offer(candidate)?.is_break()
                {
                    return Ok(true);
                }
            }
            WalkStep::Other => {}
            WalkStep::GivenUp => return Ok(false),
        }
    }
    Ok(true)
}

/// Offers all photo IDs in random order, each once, until the answer is full.
fn in_random_order(
    db: &Connection,
    plan: &Plan<'_>,
    listed: Option<&PhotoSet>,
    seed: u64,
    answer: &mut Answer<'_>,
) -> rusqlite::Result<bool> {
    let last: i64 = db
        .prepare_cached(sql::LAST)?
        .query_row([], |row| row.get(0))?;
    let mut walk = Walk::new(listed);
    for (shuffle_position, photo) in (0..).zip(shuffle(seed, last as u64)) {
        let photo = PhotoId(photo as i64);
        match walk.visit(photo) {
            WalkStep::Listed => {
                if offer_without_date(db, plan, photo, shuffle_position, answer)?.is_break() {
                    return Ok(true);
                }
            }
            WalkStep::Other => {}
            WalkStep::GivenUp => return Ok(false),
        }
    }
    Ok(true)
}

/// The numbers from 1 to `last` in an order that the seed decides: the outputs of a linear
/// congruential generator of full period (Hull and Dobell 1962) that are not too large.
fn shuffle(seed: u64, last: u64) -> impl Iterator<Item = u64> {
    /// The multiplier of Knuth's MMIX; as a full period requires, it is one more than a multiple of
    /// four.
    const MULTIPLIER: u64 = 6_364_136_223_846_793_005;
    let period = (last + 1).next_power_of_two();
    // Mixes the seed's bits with the finaliser of SplitMix64.
    let mut spread = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    spread = (spread ^ (spread >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    spread = (spread ^ (spread >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    spread ^= spread >> 31;
    let (step, mut state) = (spread | 1, spread >> 32);
    (0..period)
        .map(move |_| {
            state = state.wrapping_mul(MULTIPLIER).wrapping_add(step) % period;
            state
        })
        .filter(move |number| (1..=last).contains(number))
}

/// Looks up the listed photos and offers them in order.
fn look_up_listed(
    db: &Connection,
    plan: &Plan<'_>,
    photos: &PhotoSet,
    answer: &mut Answer<'_>,
) -> rusqlite::Result<()> {
    if let Order::Random { seed } = plan.order {
        let all: Vec<PhotoId> = photos.iter().collect();
        for (shuffle_position, number) in (0..).zip(shuffle(seed, all.len() as u64)) {
            let photo = all[number as usize - 1];
            if offer_without_date(db, plan, photo, shuffle_position, answer)?.is_break() {
                break;
            }
        }
        return Ok(());
    }
    let mut candidates = Vec::new();
    for photo in photos.iter() {
        candidates.extend(candidate_without_date(db, plan, photo, 0)?);
    }
    candidates.sort_by(|a, b| plan.compare(a, b));
    for candidate in candidates {
        if answer.offer(candidate)?.is_break() {
            break;
        }
    }
    Ok(())
}

fn offer_without_date(
    db: &Connection,
    plan: &Plan<'_>,
    photo: PhotoId,
    shuffle_position: u64,
    answer: &mut Answer<'_>,
) -> rusqlite::Result<Flow> {
    match candidate_without_date(db, plan, photo, shuffle_position)? {
        Some(candidate) => answer.offer(candidate),
        None => Ok(Flow::Continue(())),
    }
}

/// The candidate for a photo whose date is not known yet.
pub(super) fn candidate_without_date(
    db: &Connection,
    plan: &Plan<'_>,
    photo: PhotoId,
    shuffle_position: u64,
) -> rusqlite::Result<Option<Candidate>> {
    if !plan.query.emotions.is_empty() {
        return best_candidate(db, plan, photo, UNKNOWN_DATE, shuffle_position);
    }
    let mut statement = db.prepare_cached(sql::DATE)?;
    let mut rows = statement.query([photo])?;
    match rows.next()? {
        Some(row) => {
            let taken: Option<i64> = row.get(0)?;
            let taken = taken.unwrap_or(UNKNOWN_DATE);
            Ok(plan.admits_date(taken).then_some(Candidate {
                photo,
                emotion: None,
                score: 0.0,
                taken,
                shuffle_position,
            }))
        }
        None => Ok(None),
    }
}

/// The candidate for a photo, ranked by the emotion that it shows most; `None` if it shows none
/// enough.
fn best_candidate(
    db: &Connection,
    plan: &Plan<'_>,
    photo: PhotoId,
    taken: i64,
    shuffle_position: u64,
) -> rusqlite::Result<Option<Candidate>> {
    if plan.query.emotions.is_empty() {
        return Ok(Some(Candidate {
            photo,
            emotion: None,
            score: 0.0,
            taken,
            shuffle_position,
        }));
    }
    let mut best: Option<Candidate> = None;
    let mut statement = db.prepare_cached(sql::PHOTO)?;
    for (emotion, kind) in plan.lists() {
        let mut rows = statement.query(params![photo, emotion.index() as i64, kind as i64])?;
        if let Some(row) = rows.next()? {
            let score = row.get(0)?;
            if best.is_none_or(|best| score > best.score) {
                best = Some(Candidate {
                    photo,
                    emotion: Some(emotion),
                    score,
                    taken: row.get(1)?,
                    shuffle_position,
                });
            }
        }
    }
    Ok(best.filter(|best| {
        best.score >= f64::from(plan.query.least_score()) && plan.admits_date(best.taken)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shuffle_contains_every_number_once() {
        for last in [0, 1, 2, 3, 7, 8, 9, 1000] {
            for seed in 0..20 {
                let mut numbers: Vec<u64> = shuffle(seed, last).collect();
                numbers.sort_unstable();
                assert!(numbers.iter().copied().eq(1..=last), "{seed} {last}");
            }
        }
        let first = |seed| shuffle(seed, 1000).take(5).collect::<Vec<_>>();
        assert_eq!(first(1), first(1));
        assert_ne!(first(1), first(2));
    }
}
