//! Stores the faces of photos, and merges the faces of a new analysis with those stored before.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _, Row, Statement, params};

use crate::emotion::{Emotion, EmotionScores};
use crate::face::{BoundingBox, Correction, DetectedFace, ScoredFace};
use crate::features::Features;

use super::codec::{
    correction_from_column, detected_from_columns, landmark_bytes, scores_bytes, scores_from_bytes,
};
use super::record::{FaceId, PhotoId, StoredCorrection};
use super::stored_face::{JudgedFace, StoredFace};
use super::{derived, face_ranks, features};

/// Boxes whose intersection over union is at least this belong to the same face.
pub(super) const SAME_FACE: f32 = 0.5;

/// The beginning of a statement whose rows [`from_row`] reads.
macro_rules! columns {
    () => {
        "SELECT f.id, f.x, f.y, f.width, f.height, landmarks, detection_score, c.id, c.emotion,
                angry, disgust, fear, happy, sad, surprise, neutral, contempt, human, f.photo_id, network_scores, network_human
         FROM faces f LEFT JOIN corrections c ON c.id = f.correction"
    };
}

/// Index of the column with the photo's ID in the rows of `columns!`.
const PHOTO: usize = HUMAN + 1;

/// Index of the column of the human score in force.
const HUMAN: usize = FIRST_SCORE + Emotion::COUNT;

/// Index of the first probability's column.
const FIRST_SCORE: usize = 9;

/// Index of the column of the network's scores; the next one has the network's human score.
const NETWORK: usize = PHOTO + 1;

/// The faces of `photo` in the detector's order.
pub(super) fn of_photo(db: &Connection, photo: PhotoId) -> rusqlite::Result<Vec<StoredFace>> {
    const OF_PHOTO: &str = concat!(columns!(), " WHERE f.photo_id = ? ORDER BY position");
    db.prepare_cached(OF_PHOTO)?
        .query_map([photo], from_row)?
        .collect()
}

/// Passes every face of every photo to `visit`, photo by photo in the order of their IDs.
pub(super) fn each(
    db: &Connection,
    mut visit: impl FnMut(PhotoId, &StoredFace) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    const ALL: &str = concat!(columns!(), " ORDER BY f.photo_id, position");
    let mut statement = db.prepare(ALL)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        visit(row.get(PHOTO)?, &from_row(row)?)?;
    }
    Ok(())
}

/// The face with this ID, and its photo; `None` if there is none.
pub(super) fn one(
    db: &Connection,
    face: FaceId,
) -> rusqlite::Result<Option<(PhotoId, StoredFace)>> {
    const ONE: &str = concat!(columns!(), " WHERE f.id = ?");
    db.prepare_cached(ONE)?
        .query_row([face], |row| Ok((row.get(PHOTO)?, from_row(row)?)))
        .optional()
}

/// Whether the photo of a face has a file. A photo whose file was replaced by an edit has none, and its faces are not
/// those of the edit.
pub(super) fn has_file(db: &Connection, face: FaceId) -> rusqlite::Result<bool> {
    db.prepare_cached(
        "SELECT 1 FROM faces f JOIN files g ON g.photo_id = f.photo_id WHERE f.id = ?",
    )?
    .exists([face])
}

/// The first of these faces that does not exist, or whose photo has no file.
pub(super) fn first_without_file(
    db: &Connection,
    faces: &[FaceId],
) -> rusqlite::Result<Option<FaceId>> {
    for face in faces {
        if !has_file(db, *face)? {
            return Ok(Some(*face));
        }
    }
    Ok(None)
}

/// The first of these faces that does not exist.
pub(super) fn first_unknown(db: &Connection, faces: &[FaceId]) -> rusqlite::Result<Option<FaceId>> {
    for face in faces {
        if one(db, *face)?.is_none() {
            return Ok(Some(*face));
        }
    }
    Ok(None)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<StoredFace> {
    let corrected: Option<i64> = row.get(7)?;
    let network: Option<[u8; 32]> = row.get(NETWORK)?;
    let human: Option<f32> = row.get(HUMAN)?;
    let network_human: Option<f32> = row.get(NETWORK + 1)?;
    Ok(StoredFace {
        id: row.get(0)?,
        face: detected_from_columns(row, 1)?,
        scores: scores_from_columns(row, FIRST_SCORE)?.with_human(human),
        network: network
            .as_ref()
            .map(|bytes| scores_from_bytes(bytes).with_human(network_human.or(human))),
        correction: corrected
            .map(|_| correction_from_column(row, 8))
            .transpose()?,
    })
}

/// The scores in eight columns, of which the first has the index `first`.
pub(super) fn scores_from_columns(row: &Row<'_>, first: usize) -> rusqlite::Result<EmotionScores> {
    let mut scores = [0.0; Emotion::COUNT];
    for (index, score) in scores.iter_mut().enumerate() {
        *score = row.get(first + index)?;
    }
    Ok(EmotionScores::new(scores))
}

/// A face that the models found, with the scores that corrections of other faces give it.
#[derive(Debug, Clone)]
pub(super) struct FoundFace {
    pub read: ScoredFace,
    /// The scores by the personal layers in force, if they apply to this face.
    pub learned: Option<EmotionScores>,
}

impl FoundFace {
    /// A face that was found before; its features are in a table of their own and are not read.
    pub fn again(face: &StoredFace) -> Self {
        Self {
            read: face.read(None),
            learned: face.network.map(|_| face.scores),
        }
    }
}

/// A face to be stored.
#[derive(Debug, Clone)]
pub(super) struct NewFace {
    /// The ID of the same face in the previous analysis, if it was found there.
    pub id: Option<FaceId>,
    pub found: FoundFace,
    /// A person's correction of it.
    pub correction: Option<StoredCorrection>,
}

impl NewFace {
    pub fn judged(&self) -> JudgedFace {
        JudgedFace {
            face: self.found.read.face,
            scores: self.scores(),
            correction: self.correction.map(|stored| stored.correction),
        }
    }

    /// The scores in force.
    fn scores(&self) -> EmotionScores {
        self.found.learned.unwrap_or(self.found.read.scores)
    }

    /// The network's own, if others are in force.
    fn network(&self) -> Option<EmotionScores> {
        self.found.learned.map(|_| self.found.read.scores)
    }

    /// Whether the face equals the stored one and neither has a correction.
    fn is_as_stored(&self, old: &StoredFace) -> bool {
        self.id == Some(old.id)
            && self.correction.is_none()
            && old.correction.is_none()
            && (self.found.read.face, self.scores()) == (old.face, old.scores)
            && self.network() == old.network
    }
}

/// The faces to store in place of the `old` ones when an analysis `found` these faces. A face that is found again keeps
/// its ID, and its correction remains in force. A face that a person vouched for is kept even if the analysis did not
/// find it.
pub(super) fn merge(
    found: Vec<FoundFace>,
    old: &[StoredFace],
    mut corrections: Vec<StoredCorrection>,
) -> Vec<NewFace> {
    let mut old = old.to_vec();
    let old_box = |face: &StoredFace| face.face.bounding_box;
    let corrected_box = |correction: &StoredCorrection| correction.at;
    let mut faces = Vec::with_capacity(found.len());
    for found in found {
        let at = &found.read.face.bounding_box;
        faces.push(NewFace {
            id: take_same(&mut old, at, old_box).map(|face| face.id),
            correction: take_same(&mut corrections, at, corrected_box),
            found,
        });
    }
    for stored in corrections {
        if let Correction::Emotion(emotion) = stored.correction {
            let before = take_same(&mut old, &stored.at, old_box);
            faces.push(NewFace {
                id: before.map(|face| face.id),
                found: before
                    .as_ref()
                    .map_or_else(|| vouched_face(stored.at, emotion), FoundFace::again),
                correction: Some(stored),
            });
        }
    }
    faces
}

/// A face that a person vouched for and no model has found.
fn vouched_face(at: BoundingBox, emotion: Emotion) -> FoundFace {
    let mut scores = [0.0; Emotion::COUNT];
    scores[emotion.index()] = 1.0;
    let face = DetectedFace {
        bounding_box: at,
        landmarks: None,
        score: 0.0,
    };
    FoundFace {
        read: ScoredFace {
            face,
            scores: EmotionScores::new(scores),
            features: None,
        },
        learned: None,
    }
}

/// Replaces the `old` faces of a photo by `faces`; writes no face if they are equal. Only a photo that was in the index
/// before (`is_known`) has old ones. A face without features keeps those that it had.
pub(super) fn replace(
    db: &Connection,
    photo: PhotoId,
    is_known: bool,
    old: &[StoredFace],
    faces: &[NewFace],
) -> rusqlite::Result<()> {
    let seen = if old.is_empty() {
        HashMap::new()
    } else {
        features::of_photo(db, photo)?
    };
    if old.len() == faces.len()
        && old
            .iter()
            .zip(faces)
            .all(|(old, new)| new.is_as_stored(old))
    {
        for (old, new) in old.iter().zip(faces) {
            if let Some(features) = &new.found.read.features
                && seen.get(&old.id) != Some(features)
            {
                features::put(db, old.id, features)?;
            }
        }
        return Ok(());
    }
    // There is no trigger for a new face. The ranking of a new photo is written together with it.
    if is_known {
        derived::note_ranks(db, photo)?;
    }
    if !old.is_empty() {
        db.prepare_cached("DELETE FROM faces WHERE photo_id = ?")?
            .execute([photo])?;
    }
    insert(db, photo, faces, &seen)
}

/// Inserts faces; one without features gets those that were stored for it before (`seen`).
fn insert(
    db: &Connection,
    photo: PhotoId,
    faces: &[NewFace],
    seen: &HashMap<FaceId, Features>,
) -> rusqlite::Result<()> {
    let ranks = face_ranks::of(faces.iter().map(NewFace::judged));
    let mut insert = db.prepare_cached(
        "INSERT INTO faces (angry, disgust, fear, happy, sad, surprise, neutral, contempt, human, network_scores,
                            network_human, id, photo_id, position, x, y, width, height, landmarks, detection_score,
                            correction, side, side_rank, confidence, confidence_rank)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    for (position, (new, ranks)) in faces.iter().zip(ranks).enumerate() {
        let ScoredFace { face, features, .. } = &new.found.read;
        let at = &face.bounding_box;
        let next = bind_scores(&mut insert, &new.scores(), new.network().as_ref())?;
        let others = params![
            new.id,
            photo,
            position as i64,
            at.x,
            at.y,
            at.width,
            at.height,
            face.landmarks.as_ref().map(landmark_bytes),
            face.score,
            new.correction.map(|stored| stored.id),
            ranks.side,
            ranks.side_rank,
            ranks.confidence,
            ranks.confidence_rank,
        ];
        for (index, value) in others.iter().enumerate() {
            insert.raw_bind_parameter(next + index, value)?;
        }
        insert.raw_execute()?;
        let stored = db.last_insert_rowid();
        let before = || seen.get(&new.id?);
        if let Some(features) = features.as_ref().or_else(before) {
            features::put(db, FaceId(stored), features)?;
        }
    }
    Ok(())
}

/// Binds the first parameters of a statement to the scores in force and, if these are not the network's own, the
/// network's; returns the index of the next parameter. The order is that of the columns `angry` to `contempt`, `human`,
/// `network_scores` and `network_human`.
fn bind_scores(
    statement: &mut Statement<'_>,
    scores: &EmotionScores,
    network: Option<&EmotionScores>,
) -> rusqlite::Result<usize> {
    let mut next = 1;
    for score in scores.as_array() {
        statement.raw_bind_parameter(next, score)?;
        next += 1;
    }
    let other = network.and_then(EmotionScores::human);
    statement.raw_bind_parameter(next, scores.human())?;
    statement.raw_bind_parameter(next + 1, network.map(scores_bytes))?;
    statement.raw_bind_parameter(next + 2, other.filter(|_| other != scores.human()))?;
    Ok(next + 3)
}

/// Updates the stored scores of a face.
pub(super) fn set_scores(db: &Connection, face: &StoredFace) -> rusqlite::Result<()> {
    let mut update = db.prepare_cached(
        "UPDATE faces SET angry = ?, disgust = ?, fear = ?, happy = ?, sad = ?, surprise = ?, neutral = ?, contempt = ?,
                          human = ?, network_scores = ?, network_human = ?
         WHERE id = ?",
    )?;
    let next = bind_scores(&mut update, &face.scores, face.network.as_ref())?;
    update.raw_bind_parameter(next, face.id)?;
    update.raw_execute()?;
    Ok(())
}

/// Updates the stored ranks of a photo's faces.
pub(super) fn rank(db: &Connection, faces: &[StoredFace]) -> rusqlite::Result<()> {
    let mut update = db.prepare_cached(
        "UPDATE faces SET side = ?, side_rank = ?, confidence = ?, confidence_rank = ? WHERE id = ?",
    )?;
    let ranks = face_ranks::of(faces.iter().map(StoredFace::judged));
    for (face, ranks) in faces.iter().zip(ranks) {
        update.execute(params![
            ranks.side,
            ranks.side_rank,
            ranks.confidence,
            ranks.confidence_rank,
            face.id
        ])?;
    }
    Ok(())
}

/// Removes and returns the element whose box overlaps `at` most, if it is the same face. Removing
/// it ensures that each element is matched once.
fn take_same<T>(
    all: &mut Vec<T>,
    at: &BoundingBox,
    box_of: impl Fn(&T) -> BoundingBox,
) -> Option<T> {
    let (index, _) = all
        .iter()
        .map(|one| box_of(one).iou(at))
        .enumerate()
        .filter(|(_, overlap)| *overlap >= SAME_FACE)
        .max_by(|a, b| a.1.total_cmp(&b.1))?;
    Some(all.swap_remove(index))
}
