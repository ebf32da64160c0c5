//! Reads the faces from which personal layers are learned.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::super::codec::{correction_from_column, scores_bytes, scores_from_bytes};
use super::super::faces;
use super::{Stamp, State};
use crate::emotion::Emotion;
use crate::face::Correction;
use crate::features::Features;
use crate::personal::{ClassifiedFace, HumanFace};

/// What people said about faces, as far as it can be learned from. Each correction that a person made gives one face: the
/// one on which it was made, or else one to which it was carried over.
#[derive(Debug, Default)]
pub(super) struct CorrectedFaces {
    /// The emotion model that analysed most of the corrected faces, and all of the faces below.
    pub classifier: String,
    /// The faces whose emotion a person stated.
    pub corrected: Vec<(ClassifiedFace, Emotion)>,
    /// The boxes that a person rejected.
    pub rejected: Vec<HumanFace>,
    /// The faces of `corrected` that have a human score.
    pub vouched: Vec<HumanFace>,
}

impl CorrectedFaces {
    /// What was said so far; nothing if learning is switched off.
    pub fn now(db: &Connection, state: &State) -> rusqlite::Result<Self> {
        if !state.is_on {
            return Ok(Self::default());
        }
        let since = state.forgotten_at.unwrap_or(i64::MIN);
        let Some(classifier) = classifier(db, since)? else {
            return Ok(Self::default());
        };
        let mut statement = db.prepare_cached(
            "SELECT angry, disgust, fear, happy, sad, surprise, neutral, contempt, coalesce(network_human, human),
                    network_scores, s.features, c.emotion, coalesce(c.carried_from, c.id)
             FROM corrections c JOIN faces f ON f.correction = c.id
                                JOIN face_features s ON s.face_id = f.id
                                JOIN photos p ON p.id = f.photo_id
                                JOIN models m ON m.id = p.classifier
             WHERE c.made_at > ? AND m.name = ?
             ORDER BY 13, c.carried_from IS NOT NULL, f.id",
        )?;
        let mut rows = statement.query(params![since, classifier])?;
        let (mut faces, mut before) = (Self::default(), None);
        while let Some(row) = rows.next()? {
            let made: i64 = row.get(12)?;
            if before.replace(made) == Some(made) {
                continue;
            }
            let Some(face) = classified_face(row)? else {
                continue;
            };
            match correction_from_column(row, 11)? {
                Correction::NotAFace => faces.rejected.extend(face.human()),
                Correction::Emotion(emotion) => {
                    faces.vouched.extend(face.human());
                    faces.corrected.push((face, emotion));
                }
            }
        }
        Ok(Self {
            classifier,
            ..faces
        })
    }

    /// Whether nothing was said.
    pub const fn is_empty(&self) -> bool {
        self.corrected.is_empty() && self.rejected.is_empty()
    }

    /// A hash of everything that is learned from.
    pub fn stamp(&self) -> Stamp {
        let mut hash = blake3::Hasher::new();
        hash.update(self.classifier.as_bytes());
        for (face, emotion) in &self.corrected {
            hash.update(&[emotion.index() as u8]);
            hash.update(&scores_bytes(&face.scores));
            hash.update(face.features.as_bytes());
        }
        for face in self.rejected.iter().chain(&self.vouched) {
            hash.update(&face.score.to_le_bytes());
            hash.update(face.features.as_bytes());
        }
        *hash.finalize().as_bytes()
    }
}

/// The emotion model that analysed most of the faces that were corrected since this time (Unix, ms); `None` if there are
/// none with features.
pub(super) fn classifier(db: &Connection, since: i64) -> rusqlite::Result<Option<String>> {
    db.prepare_cached(
        "SELECT m.name FROM corrections c JOIN faces f ON f.correction = c.id
                                          JOIN face_features s ON s.face_id = f.id
                                          JOIN photos p ON p.id = f.photo_id
                                          JOIN models m ON m.id = p.classifier
         WHERE c.made_at > ?
         GROUP BY m.id ORDER BY count(*) DESC, m.id DESC LIMIT 1",
    )?
    .query_row([since], |row| row.get(0))
    .optional()
}

/// The network's scores and features of a face, from the columns of its scores in force, the network's human score, the
/// network's scores and the features; `None` without features.
fn classified_face(row: &Row<'_>) -> rusqlite::Result<Option<ClassifiedFace>> {
    let Some(features) = Features::from_bytes(row.get_ref(10)?.as_blob()?) else {
        return Ok(None);
    };
    let network: Option<[u8; 32]> = row.get(9)?;
    let scores = match network {
        Some(network) => scores_from_bytes(&network),
        None => faces::scores_from_columns(row, 0)?,
    };
    let scores = scores.with_human(row.get(8)?);
    Ok(Some(ClassifiedFace { features, scores }))
}

/// Passes every face without a correction that was analysed by `classifier` to `visit`.
pub(super) fn each_uncorrected(
    db: &Connection,
    classifier: &str,
    visit: &mut dyn FnMut(ClassifiedFace),
) -> rusqlite::Result<()> {
    let mut statement = db.prepare_cached(
        "SELECT angry, disgust, fear, happy, sad, surprise, neutral, contempt, coalesce(network_human, human),
                network_scores, s.features
         FROM faces f JOIN face_features s ON s.face_id = f.id
                      JOIN photos p ON p.id = f.photo_id
         WHERE f.correction IS NULL AND p.classifier = (SELECT id FROM models WHERE name = ?)
         ORDER BY f.id",
    )?;
    let mut rows = statement.query([classifier])?;
    while let Some(row) = rows.next()? {
        if let Some(face) = classified_face(row)? {
            visit(face);
        }
    }
    Ok(())
}
