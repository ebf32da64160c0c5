//! Learns from a person's corrections: fits personal layers ([`crate::personal`]) to them, one for the emotions and one for
//! the human score, and adjusts the scores of all faces by them.
//!
//! The table `learning` has one row, with the layers in force. New layers are fitted when a hash of the corrections
//! shows that they have changed. They are then applied photo by photo, in short transactions, so that other processes can
//! write in between. The column `applied` says how far that has come, so that any process can continue. The layers are
//! applied at once to photos that are stored meanwhile.

mod corrected_faces;
mod status;

use jiff::Timestamp;
use rusqlite::{Connection, params};

use crate::emotion::EmotionScores;
use crate::features::Features;
use crate::personal::{
    HeldOutLoss, HumanHeldOutLoss, HumanLayer, HumanTrainingFaces, PersonalLayer, TrainingFaces,
    learn, learn_human,
};

use super::record::PhotoId;
use super::stored_face::StoredFace;
use super::{derived, faces, features, ranking};

use corrected_faces::{CorrectedFaces, each_uncorrected};
pub use status::Learning;
pub(super) use status::of as status;

/// Number of photos to which the layers are applied in one transaction.
const PHOTOS_AT_ONCE: i64 = 500;

/// The layers in force.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct InForce {
    /// The model whose features they take.
    classifier: String,
    emotions: Option<PersonalLayer>,
    human: Option<HumanLayer>,
}

impl InForce {
    /// The layers that are in force now.
    pub fn now(db: &Connection) -> rusqlite::Result<Self> {
        Ok(State::now(db)?.in_force)
    }

    /// Whether no layer is in force.
    const fn is_empty(&self) -> bool {
        self.emotions.is_none() && self.human.is_none()
    }

    /// The scores that the layers give a face for which `classifier` computed these features; `None` if no layer applies
    /// to it, so that it has the network's own scores.
    pub fn scores(
        &self,
        classifier: &str,
        network: &EmotionScores,
        features: Option<&Features>,
    ) -> Option<EmotionScores> {
        let features = features.filter(|_| self.classifier == classifier)?;
        let emotions = self.emotions.as_ref();
        let emotions = emotions.and_then(|layer| layer.scores(network, features));
        let human = self.human.as_ref().zip(network.human());
        let human = human.and_then(|(layer, score)| layer.score(score, features));
        (emotions.is_some() || human.is_some()).then(|| {
            let scores = emotions.unwrap_or(*network);
            scores.with_human(human.or(network.human()))
        })
    }

    /// The face with the scores that it should have.
    fn follow(
        &self,
        classifier: &str,
        face: &StoredFace,
        features: Option<&Features>,
    ) -> StoredFace {
        let network = face.network_scores();
        let learned = self.scores(classifier, &network, features);
        StoredFace {
            scores: learned.unwrap_or(network),
            network: learned.map(|_| network),
            ..*face
        }
    }
}

/// The row of `learning`.
#[derive(Debug)]
struct State {
    is_on: bool,
    /// Unix time in ms; corrections that were made until then are not learned from.
    forgotten_at: Option<i64>,
    /// The stamp of the corrections that were learned from last.
    stamp: Option<Stamp>,
    corrections: u64,
    held_out_loss: Option<HeldOutLoss>,
    rejections: u64,
    human_held_out_loss: Option<HumanHeldOutLoss>,
    in_force: InForce,
    /// ID of the last photo to which the layers in force were applied; `None` if they were applied to all.
    applied: Option<i64>,
}

/// A hash of everything that is learned from.
type Stamp = [u8; 32];

impl State {
    fn now(db: &Connection) -> rusqlite::Result<Self> {
        db.prepare_cached(
            "SELECT is_on, forgotten_at, stamp, corrections, network_loss, layer_loss, classifier, layer, applied,
                    rejections, human_network_loss, human_layer_loss, human_lost, human_layer
             FROM learning",
        )?
        .query_row([], |row| {
            let held_out_loss = |first: usize| -> rusqlite::Result<Option<HeldOutLoss>> {
                let losses: (Option<f64>, Option<f64>) = (row.get(first)?, row.get(first + 1)?);
                let both = losses.0.zip(losses.1);
                Ok(both.map(|(network, layer)| HeldOutLoss { network, layer }))
            };
            let lost: Option<i64> = row.get(12)?;
            let human_held_out_loss = held_out_loss(10)?.zip(lost).map(|(rejected, lost)| HumanHeldOutLoss {
                rejected,
                lost: lost as usize,
            });
            let layer = row.get_ref(7)?.as_blob_or_null()?;
            let human = row.get_ref(13)?.as_blob_or_null()?;
            Ok(Self {
                is_on: row.get(0)?,
                forgotten_at: row.get(1)?,
                stamp: row.get(2)?,
                corrections: row.get::<_, i64>(3)? as u64,
                held_out_loss: held_out_loss(4)?,
                rejections: row.get::<_, i64>(9)? as u64,
                human_held_out_loss,
                in_force: InForce {
                    classifier: row.get::<_, Option<String>>(6)?.unwrap_or_default(),
                    emotions: layer.and_then(PersonalLayer::from_bytes),
                    human: human.and_then(HumanLayer::from_bytes),
                },
                applied: row.get(8)?,
            })
        })
    }

    /// Whether what was learned last was learned from `faces`, which has this stamp; also if nothing was corrected and nothing
    /// was ever learned.
    fn is_fitted_to(&self, stamp: &Stamp, faces: &CorrectedFaces) -> bool {
        match &self.stamp {
            Some(before) => before == stamp,
            None => faces.is_empty(),
        }
    }
}

/// What has to be done next so that the scores follow from the corrections.
#[derive(Debug)]
pub(super) enum Next {
    /// Learn: there are new corrections.
    Learn(TrainingData),
    /// Call [`advance`] until the layers are applied to all photos.
    Follow,
    /// Nothing.
    Nothing,
}

/// The faces that are to be learned from.
#[derive(Debug)]
pub(super) struct TrainingData {
    stamp: Stamp,
    /// The emotion model that analysed the faces.
    classifier: String,
    training_faces: TrainingFaces,
    human_training_faces: HumanTrainingFaces,
}

/// What was learned.
#[derive(Debug)]
pub(super) struct FittedLayers {
    stamp: Stamp,
    corrections: usize,
    rejections: usize,
    classifier: String,
    outcome: Option<(PersonalLayer, HeldOutLoss)>,
    human: Option<(HumanLayer, HumanHeldOutLoss)>,
}

impl TrainingData {
    /// Fits the layers. This takes a while for hundreds of corrections, and needs no database, so no transaction is open
    /// meanwhile.
    pub fn learn(self) -> FittedLayers {
        FittedLayers {
            stamp: self.stamp,
            corrections: self.training_faces.corrected.len(),
            rejections: self.human_training_faces.rejected.len(),
            classifier: self.classifier,
            outcome: learn(&self.training_faces),
            human: learn_human(&self.human_training_faces),
        }
    }
}

/// Determines what has to be done next.
pub(super) fn next(db: &Connection) -> rusqlite::Result<Next> {
    let state = State::now(db)?;
    let faces = CorrectedFaces::now(db, &state)?;
    let stamp = faces.stamp();
    if state.is_fitted_to(&stamp, &faces) {
        return Ok(match state.applied {
            Some(_) => Next::Follow,
            None => Next::Nothing,
        });
    }
    let CorrectedFaces {
        classifier,
        corrected,
        rejected,
        vouched,
    } = faces;
    Ok(Next::Learn(TrainingData {
        stamp,
        training_faces: TrainingFaces::choose(corrected, |visit| {
            each_uncorrected(db, &classifier, visit)
        })?,
        human_training_faces: HumanTrainingFaces::choose(rejected, vouched, |visit| {
            each_uncorrected(db, &classifier, &mut |face| {
                if let Some(face) = face.human() {
                    visit(face);
                }
            })
        })?,
        classifier,
    }))
}

/// Whether there are new corrections to learn from, or photos to which the layers in force were not applied yet.
pub(super) fn is_outdated(db: &Connection) -> rusqlite::Result<bool> {
    let state = State::now(db)?;
    let faces = CorrectedFaces::now(db, &state)?;
    Ok(state.applied.is_some() || !state.is_fitted_to(&faces.stamp(), &faces))
}

/// Stores what was learned, and puts each layer in force whose held-out loss is convincing. Layers that are new then have
/// to be applied to all photos.
pub(super) fn store(db: &Connection, learned: &FittedLayers) -> rusqlite::Result<()> {
    let state = State::now(db)?;
    let held_out_loss = learned
        .outcome
        .as_ref()
        .map(|(_, held_out_loss)| *held_out_loss);
    let human_held_out_loss = learned
        .human
        .as_ref()
        .map(|(_, held_out_loss)| *held_out_loss);
    let emotions = learned.outcome.as_ref();
    let emotions = emotions.filter(|(_, held_out_loss)| held_out_loss.is_convincing());
    let human = learned.human.as_ref();
    let human = human.filter(|(_, held_out_loss)| held_out_loss.is_convincing());
    let mut in_force = InForce {
        classifier: String::new(),
        emotions: emotions.map(|(layer, _)| layer.clone()),
        human: human.map(|(layer, _)| layer.clone()),
    };
    if !in_force.is_empty() {
        in_force.classifier.clone_from(&learned.classifier);
    }
    // If the layers are the same, their application continues where it was.
    let applied = if in_force == state.in_force {
        state.applied
    } else {
        Some(i64::MIN)
    };
    db.prepare_cached(
        "UPDATE learning SET stamp = ?, corrections = ?, network_loss = ?, layer_loss = ?, classifier = ?, layer = ?,
                             applied = ?, rejections = ?, human_network_loss = ?, human_layer_loss = ?, human_lost = ?,
                             human_layer = ?",
    )?
    .execute(params![
        learned.stamp,
        learned.corrections as i64,
        held_out_loss.map(|held_out_loss| held_out_loss.network),
        held_out_loss.map(|held_out_loss| held_out_loss.layer),
        (!in_force.is_empty()).then_some(&in_force.classifier),
        in_force.emotions.as_ref().map(PersonalLayer::to_bytes),
        applied,
        learned.rejections as i64,
        human_held_out_loss.map(|held_out_loss| held_out_loss.rejected.network),
        human_held_out_loss.map(|held_out_loss| held_out_loss.rejected.layer),
        human_held_out_loss.map(|held_out_loss| held_out_loss.lost as i64),
        in_force.human.as_ref().map(HumanLayer::to_bytes),
    ])?;
    Ok(())
}

/// Applies the layers in force to some more photos and returns their number; 0 if they were applied to all.
pub(super) fn advance(db: &Connection) -> rusqlite::Result<u64> {
    let state = State::now(db)?;
    let Some(applied) = state.applied else {
        return Ok(0);
    };
    let photos: Vec<(PhotoId, Option<i64>, String)> = db
        .prepare_cached(
            "SELECT p.id, taken_local, m.name FROM photos p JOIN models m ON m.id = p.classifier
             WHERE p.id > ? AND EXISTS (SELECT 1 FROM faces WHERE photo_id = p.id) ORDER BY p.id LIMIT ?",
        )?
        .query_map([applied, PHOTOS_AT_ONCE], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    for (photo, taken_local, classifier) in &photos {
        apply(db, *photo, *taken_local, classifier, &state.in_force)?;
    }
    let now = photos.last().map(|(photo, ..)| *photo);
    db.prepare_cached("UPDATE learning SET applied = ?")?
        .execute([now])?;
    Ok(photos.len() as u64)
}

/// Applies layers to the scores of a photo's faces, and ranks the photo by these.
fn apply(
    db: &Connection,
    photo: PhotoId,
    taken_local: Option<i64>,
    classifier: &str,
    layer: &InForce,
) -> rusqlite::Result<()> {
    let mut all = faces::of_photo(db, photo)?;
    let seen = features::of_photo(db, photo)?;
    let (mut is_changed, mut other_faces_count) = (false, false);
    for face in &mut all {
        let new = layer.follow(classifier, face, seen.get(&face.id));
        if new != *face {
            faces::set_scores(db, &new)?;
            other_faces_count |= new.is_face() != face.is_face();
            *face = new;
            is_changed = true;
        }
    }
    // A trigger has noted the photo. If other faces count now, more depends on that than the ranking, and
    // `derived::update` does it all; otherwise the ranking is all that changes.
    if is_changed && !other_faces_count {
        ranking::replace(db, photo, true, taken_local, &derived::judged(&all))?;
        derived::ranked(db, photo)?;
    }
    Ok(())
}

/// Switches learning on or off; [`next`] then says what has to be done.
pub(super) fn switch(db: &Connection, is_on: bool) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE learning SET is_on = ?")?
        .execute([is_on])?;
    Ok(())
}

/// Excludes the corrections made so far from learning.
pub(super) fn forget(db: &Connection) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE learning SET forgotten_at = ?")?
        .execute([Timestamp::now().as_millisecond()])?;
    Ok(())
}

/// The photos with a face whose scores are not those that it should have, among the photos to which the layers in force
/// have been applied.
pub(super) fn wrong(db: &Connection) -> rusqlite::Result<Vec<PhotoId>> {
    let state = State::now(db)?;
    let mut wrong = Vec::new();
    let mut statement = db.prepare(
        "SELECT p.id, m.name FROM photos p JOIN models m ON m.id = p.classifier
         WHERE p.id <= ?1 AND EXISTS (SELECT 1 FROM faces WHERE photo_id = p.id
                                                            AND (?2 OR network_scores IS NOT NULL))
         ORDER BY p.id",
    )?;
    let mut rows = statement.query(params![
        state.applied.unwrap_or(i64::MAX),
        !state.in_force.is_empty()
    ])?;
    while let Some(row) = rows.next()? {
        let (photo, classifier): (PhotoId, String) = (row.get(0)?, row.get(1)?);
        let seen = features::of_photo(db, photo)?;
        let follows = |face: &StoredFace| {
            state.in_force.follow(&classifier, face, seen.get(&face.id)) == *face
        };
        if !faces::of_photo(db, photo)?.iter().all(follows) {
            wrong.push(photo);
        }
    }
    Ok(wrong)
}

/// Gives all faces the scores that they should have.
pub(super) fn rebuild(db: &Connection) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE learning SET applied = ?")?
        .execute([i64::MIN])?;
    while advance(db)? > 0 {}
    Ok(())
}

#[cfg(test)]
mod tests;
