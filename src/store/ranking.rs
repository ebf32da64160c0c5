//! Stores the ranking: for each emotion the scores of photos by their faces, in the order of answers.

use rusqlite::{Connection, params};

use crate::emotion::Emotion;

use super::record::PhotoId;
use super::stored_face::JudgedFace;

/// Stored in place of an unknown date; it sorts after every known one.
pub(super) const UNKNOWN_DATE: i64 = i64::MIN;

/// Which score of a photo's faces a row of the ranking has. The numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The score of the only face.
    Lone = 0,
    /// The best score of several faces.
    Any = 1,
    /// The score that more than half of several faces reach.
    Most = 2,
    /// The lowest score of several faces.
    All = 3,
}

impl Kind {
    const OF_SEVERAL: [Self; 3] = [Self::Any, Self::Most, Self::All];

    /// Selects the score of this kind from the scores of a photo's faces; `descending` must not be
    /// empty.
    pub fn pick(self, descending: &[f64]) -> f64 {
        let count = descending.len();
        descending[match self {
            Self::Lone | Self::Any => 0,
            Self::Most => count / 2,
            Self::All => count - 1,
        }]
    }
}

/// One row of a photo in the ranking.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Row {
    emotion: i64,
    kind: i64,
    score: f64,
    taken: i64,
}

/// Replaces a photo's rows in the ranking; rows that stay the same are not written. Only a photo that was in the index
/// before (`is_known`) has earlier rows, and a photo without faces has none.
pub(super) fn replace(
    db: &Connection,
    photo: PhotoId,
    is_known: bool,
    taken_local: Option<i64>,
    faces: &[JudgedFace],
) -> rusqlite::Result<()> {
    let new = rows(taken_local, faces);
    let old = if is_known {
        stored(db, photo)?
    } else {
        Vec::new()
    };
    for Row {
        emotion,
        kind,
        score,
        taken,
    } in old.iter().filter(|row| !new.contains(row))
    {
        db.prepare_cached(
            "DELETE FROM photo_scores
             WHERE emotion = ? AND kind = ? AND score = ? AND taken = ? AND photo_id = ?",
        )?
        .execute(params![emotion, kind, score, taken, photo])?;
    }
    let mut insert = db.prepare_cached(
        "INSERT INTO photo_scores (emotion, kind, score, taken, photo_id) VALUES (?, ?, ?, ?, ?)",
    )?;
    for Row {
        emotion,
        kind,
        score,
        taken,
    } in new.iter().filter(|row| !old.contains(row))
    {
        insert.execute(params![emotion, kind, score, taken, photo])?;
    }
    Ok(())
}

/// The rows that a photo with these faces should have.
pub(super) fn rows(taken_local: Option<i64>, faces: &[JudgedFace]) -> Vec<Row> {
    let kinds = match faces.len() {
        0 => &[],
        1 => &[Kind::Lone][..],
        _ => &Kind::OF_SEVERAL,
    };
    let taken = taken_local.unwrap_or(UNKNOWN_DATE);
    let mut rows = Vec::with_capacity(Emotion::COUNT * kinds.len());
    for emotion in Emotion::ALL {
        let scores = descending(faces.iter().filter_map(|face| face.score(emotion)));
        rows.extend(kinds.iter().map(|kind| Row {
            emotion: emotion.index() as i64,
            kind: *kind as i64,
            score: kind.pick(&scores),
            taken,
        }));
    }
    rows
}

/// The rows that a photo has.
pub(super) fn stored(db: &Connection, photo: PhotoId) -> rusqlite::Result<Vec<Row>> {
    db.prepare_cached("SELECT emotion, kind, score, taken FROM photo_scores WHERE photo_id = ?")?
        .query_map([photo], |row| {
            Ok(Row {
                emotion: row.get(0)?,
                kind: row.get(1)?,
                score: row.get(2)?,
                taken: row.get(3)?,
            })
        })?
        .collect()
}

/// The scores in descending order.
pub(super) fn descending(scores: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut scores: Vec<f64> = scores.collect();
    scores.sort_by(|a, b| b.total_cmp(a));
    scores
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_is_more_than_half() {
        for (scores, most) in [
            (&[0.9][..], 0.9),
            (&[0.9, 0.1], 0.1),
            (&[0.9, 0.8, 0.1], 0.8),
            (&[0.9, 0.8, 0.7, 0.1], 0.7),
        ] {
            assert!((Kind::Most.pick(scores) - most).abs() < 1e-9, "{scores:?}");
        }
        assert_eq!(descending([0.1, 0.9].into_iter()), [0.9, 0.1]);
    }
}
