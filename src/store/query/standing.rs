//! Counts the photos that come before a photo in the answer to a query, and lists those between two photos.

use rusqlite::{Connection, params};

use super::super::ranking::{Kind, UNKNOWN_DATE};
use super::super::record::PhotoId;
use super::admit;
use super::answer::{Answer, Ranked};
use super::count::is_in_index;
use super::filter::{Order, Query};
use super::hits::ranked_until;
use super::plan::{Bounds, Plan};
use super::sources;

/// The statements of this module; each reads a part of one index, and the counts exclude the photos without a path as
/// those of [`count`](super::count) do.
pub(super) mod sql {
    use super::super::count::sql::lost;

    /// Photos that come before a photo with this score and date in the ranking of an emotion: with a higher score, or
    /// with the same and a later date.
    pub const SHOW_MORE: &str = concat!(
        "SELECT count(*) FROM photo_scores
         WHERE emotion = ?1 AND kind IN (?2, ?3) AND (score, taken) > (?4, ?5) AND photo_id NOT IN ",
        lost!()
    );
    pub const SHOW_AS_MUCH: &str = "
        SELECT photo_id FROM photo_scores
        WHERE emotion = ?1 AND kind IN (?2, ?3) AND score = ?4 AND taken = ?5";
    pub const TAKEN_LATER: &str = concat!(
        "SELECT count(*) FROM photos
         WHERE skip_reason IS NULL AND taken_local > ? AND id NOT IN ",
        lost!()
    );
    pub const TAKEN_THEN: &str =
        "SELECT id FROM photos WHERE skip_reason IS NULL AND taken_local IS ?";
}

/// See [`Store::standing`](super::super::Store::standing).
pub(in super::super) fn standing(
    db: &Connection,
    query: &Query,
    photo: PhotoId,
) -> rusqlite::Result<Option<u64>> {
    let query = &without_offset(query);
    let Some(plan) = Plan::new(db, query, Bounds::default())? else {
        return Ok(None);
    };
    // Checked first, since a walk to a photo that is not in the answer would read all of it.
    let Some(ranked) = ranked_photo(db, &plan, photo)? else {
        return Ok(None);
    };
    let before = match before_in_index(db, &plan, &ranked)? {
        Some(before) => before,
        None => match ranked_until(db, &plan, &[photo])?.split_last() {
            Some((last, before)) if last.candidate.photo == photo => before.len() as u64,
            _ => return Ok(None),
        },
    };
    let is_within = |most| before < most as u64;
    Ok(query.limit.is_none_or(is_within).then_some(before))
}

/// See [`Store::between`](super::super::Store::between).
pub(in super::super) fn between(
    db: &Connection,
    query: &Query,
    (one, other): (PhotoId, PhotoId),
) -> rusqlite::Result<Option<Vec<PhotoId>>> {
    let query = &without_offset(query);
    let Some(plan) = Plan::new(db, query, Bounds::default())? else {
        return Ok(None);
    };
    let mut ends = vec![one, other];
    ends.dedup();
    for end in &ends {
        if ranked_photo(db, &plan, *end)?.is_none() {
            return Ok(None);
        }
    }
    let photos: Vec<PhotoId> = ranked_until(db, &plan, &ends)?
        .iter()
        .map(|ranked| ranked.candidate.photo)
        .collect();
    let at = |end| photos.iter().position(|photo| *photo == end);
    Ok(at(one)
        .zip(at(other))
        .map(|(one, other)| photos[one.min(other)..=one.max(other)].to_vec()))
}

fn without_offset(query: &Query) -> Query {
    Query {
        offset: 0,
        ..query.clone()
    }
}

/// The photo as it is in the answer; `None` if it does not meet the filters.
fn ranked_photo(
    db: &Connection,
    plan: &Plan<'_>,
    photo: PhotoId,
) -> rusqlite::Result<Option<Ranked>> {
    match sources::candidate_without_date(db, plan, photo, 0)? {
        Some(candidate) => Answer::new(db, plan, &[]).check(candidate),
        None => Ok(None),
    }
}

/// The number of photos before a photo of the answer: those that come before it in an index, and of those that are equal
/// in it, the ones whose paths come first. `None` if no single index has the order of the answer.
fn before_in_index(
    db: &Connection,
    plan: &Plan<'_>,
    photo: &Ranked,
) -> rusqlite::Result<Option<u64>> {
    let number = |row: &rusqlite::Row<'_>| Ok(row.get::<_, i64>(0)? as u64);
    let candidate = &photo.candidate;
    let mut emotions = plan.query.emotions.iter();
    let (before, equal) = match (plan.order, emotions.next(), emotions.next()) {
        _ if !is_in_index(plan) => return Ok(None),
        (Order::Score, Some(emotion), None) => {
            let of_photo = params![
                emotion.index() as i64,
                Kind::Lone as i64,
                plan.query.who.kind() as i64,
                candidate.score,
                candidate.taken,
            ];
            let before = db
                .prepare_cached(sql::SHOW_MORE)?
                .query_row(of_photo, number)?;
            let mut equal = db.prepare_cached(sql::SHOW_AS_MUCH)?;
            (before, read_ids(equal.query(of_photo)?)?)
        }
        (Order::Date, None, None) => {
            let before = db
                .prepare_cached(sql::TAKEN_LATER)?
                .query_row([candidate.taken], number)?;
            let taken = Some(candidate.taken).filter(|taken| *taken != UNKNOWN_DATE);
            let mut equal = db.prepare_cached(sql::TAKEN_THEN)?;
            (before, read_ids(equal.query([taken])?)?)
        }
        _ => return Ok(None),
    };
    let mut first = 0;
    for other in equal {
        let path = admit::first_admitted_path(db, plan, other)?;
        first += u64::from(path.is_some_and(|path| path < photo.path));
    }
    Ok(Some(before + first))
}

fn read_ids(mut rows: rusqlite::Rows<'_>) -> rusqlite::Result<Vec<PhotoId>> {
    let mut photos = Vec::new();
    while let Some(row) = rows.next()? {
        photos.push(row.get(0)?);
    }
    Ok(photos)
}
