//! The ranking: for each photo and emotion the best face's probability, in answering order.

use jiff::civil::DateTime;
use rusqlite::{Connection, Row, named_params, params};

use crate::emotion::Emotion;

use super::codec::civil_ms;
use super::path::Subtree;
use super::query::Query;
use super::record::{PhotoId, StoredFace};

/// Stands for an unknown date: it sorts after every known one.
const UNKNOWN_DATE: i64 = i64::MIN;

/// Puts the photo's best scores in the place of those it had.
pub(super) fn replace(
    db: &Connection,
    photo: PhotoId,
    taken_local: Option<i64>,
    faces: &[StoredFace],
) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM photo_scores WHERE photo_id = ?")?
        .execute([photo])?;
    let mut insert = db.prepare_cached(
        "INSERT INTO photo_scores (emotion, score, taken, photo_id) VALUES (?, ?, ?, ?)",
    )?;
    for emotion in Emotion::ALL {
        let best = faces
            .iter()
            .filter_map(|face| face.score(emotion))
            .max_by(f32::total_cmp);
        if let Some(score) = best {
            insert.execute(params![
                emotion.index() as i64,
                score,
                taken_local.unwrap_or(UNKNOWN_DATE),
                photo
            ])?;
        }
    }
    Ok(())
}

/// A photo's place in the ranking.
#[derive(Debug)]
pub(super) struct Ranked {
    pub photo: PhotoId,
    /// Probability of the emotion for the photo's best face.
    pub score: f32,
    /// Local time of the photo as stored.
    pub taken: i64,
    /// The first of the photo's paths that the query admits, as stored.
    pub path: Vec<u8>,
}

/// Reads the primary key from its best row on; each photo costs one search for its path.
const WALK: &str = "
    SELECT photo_id, score, taken,
           (SELECT path FROM files f
            WHERE f.photo_id = s.photo_id
              AND (:exact IS NULL OR path = :exact OR (path >= :low AND path < :high))
            ORDER BY path LIMIT 1)
    FROM photo_scores s
    WHERE emotion = :emotion AND score >= :min_score AND taken >= :since AND taken < :until
    ORDER BY score DESC, taken DESC, photo_id";

/// Hands the photos that a query admits to `visit`, best first, until that says `false`.
pub(super) fn walk(
    db: &Connection,
    query: &Query,
    mut visit: impl FnMut(Ranked) -> rusqlite::Result<bool>,
) -> rusqlite::Result<()> {
    let tree = query.under.as_deref().map(Subtree::of);
    let mut statement = db.prepare_cached(WALK)?;
    let mut rows = statement.query(named_params! {
        ":emotion": query.emotion.index() as i64,
        ":min_score": query.min_score,
        ":since": earliest(query),
        ":until": query.until.map_or(i64::MAX, civil_ms),
        ":exact": tree.as_ref().map(|tree| &tree.exact),
        ":low": tree.as_ref().map(|tree| &tree.low),
        ":high": tree.as_ref().map(|tree| &tree.high),
    })?;
    while let Some(row) = rows.next()? {
        if let Some(ranked) = from_row(row)?
            && !visit(ranked)?
        {
            break;
        }
    }
    Ok(())
}

/// A photo without a date is in no span of time, open ones included.
fn earliest(query: &Query) -> i64 {
    match (query.since, query.until) {
        (None, None) => UNKNOWN_DATE,
        (since, _) => civil_ms(since.unwrap_or(DateTime::MIN)),
    }
}

/// `None` where no path leads to the photo.
fn from_row(row: &Row<'_>) -> rusqlite::Result<Option<Ranked>> {
    let path: Option<Vec<u8>> = row.get(3)?;
    path.map(|path| {
        Ok(Ranked {
            photo: row.get(0)?,
            score: row.get(1)?,
            taken: row.get(2)?,
            path,
        })
    })
    .transpose()
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::super::testing;
    use super::*;

    #[test]
    fn the_walk_searches_the_primary_key_and_sorts_nothing() {
        let (_folder, store) = testing::temp_store();
        let plan = testing::plan(&store, WALK);
        assert_eq!(
            plan,
            [
                "SEARCH s USING PRIMARY KEY (emotion=? AND score>?)",
                "CORRELATED SCALAR SUBQUERY 1",
                "SEARCH f USING COVERING INDEX files_by_photo (photo_id=?)",
            ]
        );
    }

    #[test]
    fn the_top_costs_the_same_in_a_larger_library() {
        let steps = |photos| {
            let (_folder, mut store) = testing::temp_store();
            testing::fill(&mut store, photos);
            let mut left = 20;
            walk(
                &store.connection,
                &Query::for_emotion(Emotion::Happy),
                |_| {
                    left -= 1;
                    Ok(left > 0)
                },
            )
            .unwrap();
            assert_eq!(left, 0);
            let statement = store.connection.prepare_cached(WALK).unwrap();
            statement.get_status(StatementStatus::VmStep)
        };
        let (small, large) = (steps(50), steps(1000));
        assert!(small > 0 && large <= small, "{small} and {large} steps");
    }
}
