//! The faces from which a personal layer is learned.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::super::codec::{correction_from_column, scores_bytes, scores_from_bytes};
use super::super::faces;
use super::{Stamp, State};
use crate::emotion::Emotion;
use crate::face::Correction;
use crate::features::Features;
use crate::personal::{FEWEST, Lessons, ReadFace};

/// Most faces that are to keep their scores.
const OTHERS: usize = 150;

/// As many faces that a person has left as they corrected are learned from, or this many, if there are so many.
const FEWEST_LEFT: usize = 30;

/// The emotion model that has read most of the corrected faces, and these with what they show: for each correction that a
/// person made the face in the photo where it was made, or else in another to which it was carried over. None if learning is
/// switched off.
pub(super) fn corrected(
    db: &Connection,
    state: &State,
) -> rusqlite::Result<(String, Vec<(ReadFace, Emotion)>)> {
    if !state.is_on {
        return Ok((String::new(), Vec::new()));
    }
    let since = state.forgotten_at.unwrap_or(i64::MIN);
    let classifier: Option<String> = db
        .prepare_cached(
            "SELECT m.name FROM corrections c JOIN faces f ON f.correction = c.id
                                              JOIN face_features s ON s.face_id = f.id
                                              JOIN photos p ON p.id = f.photo_id
                                              JOIN models m ON m.id = p.classifier
             WHERE c.emotion IS NOT NULL AND c.made_at > ?
             GROUP BY m.id ORDER BY count(*) DESC, m.id DESC LIMIT 1",
        )?
        .query_row([since], |row| row.get(0))
        .optional()?;
    let Some(classifier) = classifier else {
        return Ok((String::new(), Vec::new()));
    };
    let mut statement = db.prepare_cached(
        "SELECT angry, disgust, fear, happy, sad, surprise, neutral, contempt, network_scores, s.features,
                c.emotion, coalesce(c.carried_from, c.id)
         FROM corrections c JOIN faces f ON f.correction = c.id
                            JOIN face_features s ON s.face_id = f.id
                            JOIN photos p ON p.id = f.photo_id
                            JOIN models m ON m.id = p.classifier
         WHERE c.emotion IS NOT NULL AND c.made_at > ? AND m.name = ?
         ORDER BY 12, c.carried_from IS NOT NULL, f.id",
    )?;
    let mut rows = statement.query(params![since, classifier])?;
    let (mut faces, mut before) = (Vec::new(), None);
    while let Some(row) = rows.next()? {
        let made: i64 = row.get(11)?;
        if before.replace(made) == Some(made) {
            continue;
        }
        if let Some(face) = read_face(row)?
            && let Correction::Emotion(says) = correction_from_column(row, 10)?
        {
            faces.push((face, says));
        }
    }
    Ok((classifier, faces))
}

/// What the network read in a face, from its scores, the network's and its features.
fn read_face(row: &Row<'_>) -> rusqlite::Result<Option<ReadFace>> {
    let Some(features) = Features::from_bytes(row.get_ref(9)?.as_blob()?) else {
        return Ok(None);
    };
    let network: Option<[u8; 32]> = row.get(8)?;
    let scores = match network {
        Some(network) => scores_from_bytes(&network),
        None => faces::scores_from_columns(row, 0)?,
    };
    Ok(Some(ReadFace { features, scores }))
}

/// A hash of what is learned from.
pub(super) fn stamp(classifier: &str, corrected: &[(ReadFace, Emotion)]) -> Stamp {
    let mut hash = blake3::Hasher::new();
    hash.update(classifier.as_bytes());
    for (face, says) in corrected {
        hash.update(&[says.index() as u8]);
        hash.update(&scores_bytes(&face.scores));
        hash.update(face.features.as_bytes());
    }
    *hash.finalize().as_bytes()
}

/// What there is to learn: the corrected faces, and an even sample of those of which nobody said anything.
pub(super) fn lessons(
    db: &Connection,
    classifier: &str,
    corrected: Vec<(ReadFace, Emotion)>,
) -> rusqlite::Result<Lessons> {
    let mut lessons = Lessons {
        corrected,
        ..Lessons::default()
    };
    if lessons.corrected.len() < FEWEST {
        return Ok(lessons);
    }
    let mut least = [f32::INFINITY; Emotion::COUNT];
    for (face, _) in &lessons.corrected {
        let (read, score) = face.scores.top();
        least[read.index()] = least[read.index()].min(score);
    }
    let is_left = |face: &ReadFace| {
        let (read, score) = face.scores.top();
        score > least[read.index()]
    };
    let (mut all_left, mut all_others) = (0, 0);
    each_uncorrected(db, classifier, |face| {
        *(if is_left(&face) {
            &mut all_left
        } else {
            &mut all_others
        }) += 1;
    })?;
    let mut left = Sample::new(lessons.corrected.len().max(FEWEST_LEFT), all_left);
    let mut others = Sample::new(OTHERS, all_others);
    each_uncorrected(db, classifier, |face| {
        if is_left(&face) {
            if left.takes_next() {
                let read = face.scores.top().0;
                lessons.left.push((face, read));
            }
        } else if others.takes_next() {
            lessons.others.push(face);
        }
    })?;
    Ok(lessons)
}

/// Chooses an even sample of things that pass one by one.
struct Sample {
    wanted: usize,
    all: usize,
    passed: usize,
}

impl Sample {
    /// A sample of at most `wanted` of `all` things.
    fn new(wanted: usize, all: usize) -> Self {
        Self {
            wanted: wanted.min(all),
            all,
            passed: 0,
        }
    }

    /// Whether the next one is in the sample.
    const fn takes_next(&mut self) -> bool {
        let before = self.passed * self.wanted / self.all;
        self.passed += 1;
        self.passed * self.wanted / self.all > before
    }
}

/// Passes every face without a correction that an emotion model has read to `visit`.
fn each_uncorrected(
    db: &Connection,
    classifier: &str,
    mut visit: impl FnMut(ReadFace),
) -> rusqlite::Result<()> {
    let mut statement = db.prepare_cached(
        "SELECT angry, disgust, fear, happy, sad, surprise, neutral, contempt, network_scores, s.features
         FROM faces f JOIN face_features s ON s.face_id = f.id
                      JOIN photos p ON p.id = f.photo_id
         WHERE f.correction IS NULL AND p.classifier = (SELECT id FROM models WHERE name = ?)
         ORDER BY f.id",
    )?;
    let mut rows = statement.query([classifier])?;
    while let Some(row) = rows.next()? {
        if let Some(face) = read_face(row)? {
            visit(face);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_even_and_of_the_size_that_is_wanted() {
        for (wanted, all, expected) in [(3, 9, 3), (5, 3, 3), (7, 100, 7), (0, 4, 0)] {
            let mut sample = Sample::new(wanted, all);
            let taken: Vec<usize> = (0..all).filter(|_| sample.takes_next()).collect();
            assert_eq!(taken.len(), expected, "{taken:?}");
            let gaps = taken.windows(2).map(|pair| pair[1] - pair[0]);
            let most = gaps.max().unwrap_or_default();
            assert!(most <= all.div_ceil(expected.max(1)), "{taken:?}");
        }
    }
}
