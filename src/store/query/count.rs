//! Counts the hits of a query, where possible without listing them.

use rusqlite::{Connection, params};

use crate::emotion::{Emotion, EmotionSet};

use super::super::ranking::Kind;
use super::filter::{Order, Query, Who};
use super::hits::ranked;
use super::members::Members;
use super::plan::{Bounds, Plan};

/// Numbers of photos that meet a query's filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Photos that meet all filters except those by emotion and score.
    pub all: u64,
    /// Photos that also show the emotion, in the order of [`Emotion::ALL`].
    pub emotions: [u64; Emotion::COUNT],
}

/// The statements of this module. Each reads one index, and excludes the photos without a path, which it finds through
/// another index.
pub(super) mod sql {
    /// Photos without a path. They are few, because they are deleted after the grace period.
    macro_rules! lost {
        () => {
            "(SELECT id FROM photos WHERE lost_at IS NOT NULL
              AND NOT EXISTS (SELECT 1 FROM files WHERE photo_id = photos.id))"
        };
    }
    pub(in super::super) use lost;
    pub const SHOWN: &str = concat!(
        "SELECT count(*) FROM photo_scores
         WHERE emotion = ? AND kind IN (?, ?) AND score >= ? AND photo_id NOT IN ",
        lost!()
    );
    pub const ANALYSED: &str = concat!(
        "SELECT count(*) FROM photos WHERE skip_reason IS NULL AND id NOT IN ",
        lost!()
    );
}

/// At or below this many photos, the scores are looked up photo by photo; above it, the lists of
/// the ranking are read.
const FEW: usize = 10_000;

/// See [`Store::counts`](super::super::Store::counts).
pub(in super::super) fn counts(db: &Connection, query: &Query) -> rusqlite::Result<Counts> {
    counts_within(db, query, FEW)
}

pub(super) fn counts_within(
    db: &Connection,
    query: &Query,
    few: usize,
) -> rusqlite::Result<Counts> {
    let any = without_emotions(query);
    let is_in_index =
        Plan::new(db, &any, Bounds::default())?.is_some_and(|plan| is_in_index(&plan));
    if !is_in_index && let Some(members) = Members::of(db, query)? {
        return Ok(Counts {
            all: members.count(),
            emotions: members.by_emotion(few)?,
        });
    }
    let mut counts = Counts {
        all: count(db, &any)?,
        ..Counts::default()
    };
    for emotion in Emotion::ALL {
        let query = Query {
            emotions: EmotionSet::of(emotion),
            ..any.clone()
        };
        counts.emotions[emotion.index()] = count(db, &query)?;
    }
    Ok(counts)
}

/// See [`Store::total`](super::super::Store::total).
pub(in super::super) fn total(db: &Connection, query: &Query) -> rusqlite::Result<u64> {
    let query = &Query {
        limit: None,
        offset: 0,
        ..query.clone()
    };
    let Some(plan) = Plan::new(db, query, Bounds::default())? else {
        return Ok(0);
    };
    if query.emotions.iter().count() < 2 && is_in_index(&plan) {
        return from_index(db, &plan);
    }
    match Members::of(db, query)? {
        Some(members) if query.emotions.is_empty() => Ok(members.count()),
        Some(members) => members.showing(query.emotions, FEW),
        None => Ok(ranked(db, &plan)?.len() as u64),
    }
}

/// The query without its filter by emotion, and unlimited.
fn without_emotions(query: &Query) -> Query {
    Query {
        emotions: EmotionSet::EMPTY,
        limit: None,
        offset: 0,
        ..query.clone()
    }
}

/// The number of hits of a query with at most one emotion.
fn count(db: &Connection, query: &Query) -> rusqlite::Result<u64> {
    let Some(plan) = Plan::new(db, query, Bounds::default())? else {
        return Ok(0);
    };
    if is_in_index(&plan) {
        return from_index(db, &plan);
    }
    Ok(ranked(db, &plan)?.len() as u64)
}

/// Whether the hits are exactly the rows of a range of one index. Raw files that are left out would have to be looked up
/// one by one, in no order, which takes longer than to list the photos.
pub(super) fn is_in_index(plan: &Plan<'_>) -> bool {
    let rest = Query {
        emotions: EmotionSet::EMPTY,
        who: Who::Any,
        min_score: None,
        file_dates: false,
        raws: None,
        min_detection: None,
        min_face: None,
        order: Order::Score,
        limit: None,
        offset: 0,
        ..plan.query.clone()
    };
    plan.every_face_counts && !plan.leaves_out_raws && rest == Query::new()
}

fn from_index(db: &Connection, plan: &Plan<'_>) -> rusqlite::Result<u64> {
    let number = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0);
    let count = match plan.query.emotions.iter().next() {
        Some(emotion) => db.prepare_cached(sql::SHOWN)?.query_row(
            params![
                emotion.index() as i64,
                Kind::Lone as i64,
                plan.query.who.kind() as i64,
                plan.query.least_score(),
            ],
            number,
        ),
        None => db.prepare_cached(sql::ANALYSED)?.query_row([], number),
    }?;
    Ok(count as u64)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use jiff::civil::date;

    use super::super::{exact, members};
    use super::*;
    use crate::store::Store;
    use crate::store::testing::{fill, plan, temp_store};

    fn by_querying(store: &Store, query: &Query) -> Counts {
        let count = |emotions, min_score| {
            let query = Query {
                emotions,
                min_score,
                limit: None,
                offset: 0,
                ..query.clone()
            };
            store.query(&query).unwrap().len() as u64
        };
        Counts {
            all: count(EmotionSet::EMPTY, query.min_score),
            emotions: Emotion::ALL.map(|emotion| count(EmotionSet::of(emotion), query.min_score)),
        }
    }

    #[test]
    fn counts_equal_the_number_of_hits() {
        let (_folder, mut store) = temp_store();
        fill(&mut store, 2500);
        store
            .batch(|batch| {
                for number in [3, 77, 78, 1500] {
                    let path = format!("/album/{}/{number}.jpg", number / 1000);
                    batch.remove_file(Path::new(&path))?;
                }
                Ok(())
            })
            .unwrap();
        let least = Query {
            min_score: Some(0.5),
            offset: 7,
            limit: Some(3),
            ..Query::for_emotion(Emotion::Sad)
        };
        for query in [
            Query::latest(),
            Query {
                who: Who::All,
                ..least.clone()
            },
            Query {
                since: Some(date(2006, 1, 1).into()),
                until: Some(date(2009, 6, 1).into()),
                ..least.clone()
            },
            Query {
                taken: Some(
                    (2005..2024)
                        .map(|year| date(year, 1, 1).into()..date(year, 3, 1).into())
                        .collect(),
                ),
                ..least.clone()
            },
            Query {
                under: Some("/album/1".into()),
                ..least.clone()
            },
            Query {
                min_detection: Some(0.8),
                who: Who::Most,
                ..least.clone()
            },
            least,
        ] {
            let counts = store.counts(&query).unwrap();
            assert_eq!(counts, by_querying(&store, &query), "{query:?}");
            let total = match query.emotions.iter().next() {
                Some(emotion) => counts.emotions[emotion.index()],
                None => counts.all,
            };
            assert_eq!(store.total(&query).unwrap(), total, "{query:?}");
            let two = Query {
                emotions: [Emotion::Sad, Emotion::Happy].into_iter().collect(),
                limit: None,
                offset: 0,
                ..query.clone()
            };
            let hits = store.query(&two).unwrap().len() as u64;
            assert_eq!(store.total(&two).unwrap(), hits, "{two:?}");
            assert!(counts.all > 100, "{query:?}");
        }
    }

    #[test]
    fn counting_reads_one_range_of_one_index() {
        let (_folder, mut store) = temp_store();
        fill(&mut store, 10);
        for (sql, first) in [
            (
                sql::SHOWN,
                "SEARCH photo_scores USING PRIMARY KEY (emotion=? AND kind=? AND score>?)",
            ),
            (sql::ANALYSED, "SCAN photos USING COVERING INDEX photos_by_"),
            (
                members::sql::SHOWN_BY,
                "SEARCH photo_scores USING COVERING INDEX photo_scores_by_photo (photo_id=?",
            ),
            (
                exact::sql::SKIPPED,
                "SEARCH photos USING COVERING INDEX photos_skipped",
            ),
            (
                exact::sql::LOST,
                "SEARCH photos USING COVERING INDEX photos_lost",
            ),
        ] {
            let steps = plan(&store, sql);
            assert!(steps[0].starts_with(first), "{steps:?}");
            assert!(
                !steps.iter().any(|step| step.starts_with("SCAN files")),
                "{steps:?}"
            );
        }
    }
}
