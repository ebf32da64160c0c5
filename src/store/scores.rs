//! The ranking: for each photo and emotion what its faces show, in answering order.

use rusqlite::{Connection, params};

use crate::emotion::Emotion;

use super::record::{JudgedFace, PhotoId};

/// Stands for an unknown date: it sorts after every known one.
pub(super) const UNKNOWN_DATE: i64 = i64::MIN;

/// What a row of the ranking tells. The numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The score of the only face.
    Lone = 0,
    /// The best of several.
    Any = 1,
    /// What more than half of several reach.
    Most = 2,
    /// The weakest of several.
    All = 3,
}

impl Kind {
    const OF_SEVERAL: [Self; 3] = [Self::Any, Self::Most, Self::All];

    /// The score that tells it; `descending` is not empty.
    pub fn pick(self, descending: &[f64]) -> f64 {
        let count = descending.len();
        descending[match self {
            Self::Lone | Self::Any => 0,
            Self::Most => count / 2,
            Self::All => count - 1,
        }]
    }
}

/// Removes the photo's scores.
pub(super) fn remove(db: &Connection, photo: PhotoId) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM photo_scores WHERE photo_id = ?")?
        .execute([photo])?;
    Ok(())
}

/// Stores the scores of a photo that has none, by those of its faces that are some.
pub(super) fn insert(
    db: &Connection,
    photo: PhotoId,
    taken_local: Option<i64>,
    faces: &[JudgedFace],
) -> rusqlite::Result<()> {
    let mut insert = db.prepare_cached(
        "INSERT INTO photo_scores (emotion, kind, score, taken, photo_id) VALUES (?, ?, ?, ?, ?)",
    )?;
    let kinds = match faces.len() {
        0 => &[],
        1 => &[Kind::Lone][..],
        _ => &Kind::OF_SEVERAL,
    };
    for emotion in Emotion::ALL {
        let scores = descending(faces.iter().filter_map(|face| face.score(emotion)));
        for kind in kinds {
            insert.execute(params![
                emotion.index() as i64,
                *kind as i64,
                kind.pick(&scores),
                taken_local.unwrap_or(UNKNOWN_DATE),
                photo
            ])?;
        }
    }
    Ok(())
}

/// Scores, best first.
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
