//! The faces from which a personal layer is learned.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::super::codec::{correction_from_column, scores_bytes, scores_from_bytes};
use super::super::faces;
use super::{Stamp, State};
use crate::emotion::Emotion;
use crate::face::Correction;
use crate::features::Features;
use crate::personal::ReadFace;

/// The emotion model that has read most of the corrected faces, and these faces with the emotions that the person
/// stated. Each correction that a person made gives one face: that of the photo where it was made, or else one to which
/// it was carried over. There are no faces if learning is switched off.
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

/// What the network read in a face, from the columns of its scores in force, its network scores and its features;
/// `None` without features.
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

/// Passes every face without a correction that an emotion model has read to `visit`.
pub(super) fn each_uncorrected(
    db: &Connection,
    classifier: &str,
    visit: &mut dyn FnMut(ReadFace),
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
