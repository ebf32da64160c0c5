//! Learns from a person's corrections: fits the personal layer ([`crate::personal`]) to them, and adjusts the scores of
//! all faces by it.
//!
//! The table `learning` has one row, with the layer in force. A new layer is fitted when a hash of the corrections
//! shows that they have changed. It is then applied photo by photo, in short transactions, so that other processes can
//! write in between. The column `applied` says how far that has come, so that any process can continue. The layer is
//! applied at once to photos that are stored meanwhile.

mod lessons;
mod status;

use jiff::Timestamp;
use rusqlite::{Connection, params};

use crate::emotion::{Emotion, EmotionScores};
use crate::features::Features;
use crate::personal::{Lessons, PersonalLayer, Proof, ReadFace, learn};

use super::record::PhotoId;
use super::stored_face::StoredFace;
use super::{derived, faces, features, ranking};

use lessons::{corrected, each_uncorrected, stamp};
pub use status::Learning;
pub(super) use status::of as status;

/// Photos whose scores follow in one transaction.
const PHOTOS_AT_ONCE: i64 = 500;

/// The layer in force, with the name of the model whose features it takes.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct InForce(Option<(String, PersonalLayer)>);

impl InForce {
    /// The one in force now.
    pub fn now(db: &Connection) -> rusqlite::Result<Self> {
        Ok(State::now(db)?.in_force)
    }

    /// The scores that follow the corrections, of a face in which `classifier` saw these features; `None` if they are the
    /// network's own.
    pub fn scores(
        &self,
        classifier: &str,
        network: &EmotionScores,
        features: Option<&Features>,
    ) -> Option<EmotionScores> {
        let (of, layer) = self.0.as_ref()?;
        (of == classifier)
            .then(|| layer.scores(network, features?))
            .flatten()
            .map(|scores| scores.with_human(network.human()))
    }

    /// A face with the scores that it is to have.
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
    /// Unix time in ms: corrections made until then teach nothing.
    forgotten_at: Option<i64>,
    /// The stamp of what was learned from last.
    stamp: Option<Stamp>,
    corrections: u64,
    proof: Option<Proof>,
    in_force: InForce,
    /// The last photo whose scores follow; `None` if all do.
    applied: Option<i64>,
}

/// A hash of everything that is learned from.
type Stamp = [u8; 32];

impl State {
    fn now(db: &Connection) -> rusqlite::Result<Self> {
        db.prepare_cached(
            "SELECT is_on, forgotten_at, stamp, corrections, network_loss, layer_loss, classifier, layer, applied
             FROM learning",
        )?
        .query_row([], |row| {
            let losses: (Option<f64>, Option<f64>) = (row.get(4)?, row.get(5)?);
            let layer = row.get_ref(7)?.as_blob_or_null()?;
            let layer = layer.and_then(PersonalLayer::from_bytes);
            Ok(Self {
                is_on: row.get(0)?,
                forgotten_at: row.get(1)?,
                stamp: row.get(2)?,
                corrections: row.get::<_, i64>(3)? as u64,
                proof: losses
                    .0
                    .zip(losses.1)
                    .map(|(network, layer)| Proof { network, layer }),
                in_force: InForce(row.get::<_, Option<String>>(6)?.zip(layer)),
                applied: row.get(8)?,
            })
        })
    }

    /// Whether these corrections are those that were learned from last; also if there are none and there never were.
    fn has_learned(&self, stamp: &Stamp, corrected: &[(ReadFace, Emotion)]) -> bool {
        match &self.stamp {
            Some(before) => before == stamp,
            None => corrected.is_empty(),
        }
    }
}

/// What there is to learn from.
#[derive(Debug)]
pub(super) struct Due {
    stamp: Stamp,
    /// The emotion model that has read the faces.
    classifier: String,
    lessons: Lessons,
}

/// What was learned.
#[derive(Debug)]
pub(super) struct Learned {
    stamp: Stamp,
    corrections: usize,
    classifier: String,
    outcome: Option<(PersonalLayer, Proof)>,
}

impl Due {
    /// Learns; this takes a while for hundreds of corrections, and needs no database.
    pub fn learn(self) -> Learned {
        Learned {
            stamp: self.stamp,
            corrections: self.lessons.corrected.len(),
            classifier: self.classifier,
            outcome: learn(&self.lessons),
        }
    }
}

/// What there is to learn from, if the corrections are others than last time.
pub(super) fn due(db: &Connection) -> rusqlite::Result<Option<Due>> {
    let state = State::now(db)?;
    let (classifier, corrected) = corrected(db, &state)?;
    let stamp = stamp(&classifier, &corrected);
    if state.has_learned(&stamp, &corrected) {
        return Ok(None);
    }
    Ok(Some(Due {
        stamp,
        lessons: Lessons::choose(corrected, |visit| each_uncorrected(db, &classifier, visit))?,
        classifier,
    }))
}

/// Whether something is to be learned, or the scores of photos are still to follow.
pub(super) fn is_outdated(db: &Connection) -> rusqlite::Result<bool> {
    let state = State::now(db)?;
    let (classifier, corrected) = corrected(db, &state)?;
    let stamp = stamp(&classifier, &corrected);
    Ok(state.applied.is_some() || !state.has_learned(&stamp, &corrected))
}

/// Stores what was learned, and puts it in force if it proves itself: the scores of all photos are to follow then.
pub(super) fn store(db: &Connection, learned: &Learned) -> rusqlite::Result<()> {
    let state = State::now(db)?;
    let proof = learned.outcome.as_ref().map(|(_, proof)| *proof);
    let layer = learned
        .outcome
        .as_ref()
        .filter(|(_, proof)| proof.is_convincing());
    let in_force = InForce(layer.map(|(layer, _)| (learned.classifier.clone(), layer.clone())));
    // If the layer is the same, its application continues where it was.
    let applied = if in_force == state.in_force {
        state.applied
    } else {
        Some(i64::MIN)
    };
    db.prepare_cached(
        "UPDATE learning SET stamp = ?, corrections = ?, network_loss = ?, layer_loss = ?, classifier = ?, layer = ?,
                             applied = ?",
    )?
    .execute(params![
        learned.stamp,
        learned.corrections as i64,
        proof.map(|proof| proof.network),
        proof.map(|proof| proof.layer),
        in_force.0.as_ref().map(|(classifier, _)| classifier),
        in_force.0.as_ref().map(|(_, layer)| layer.to_bytes()),
        applied,
    ])?;
    Ok(())
}

/// Lets the scores of some more photos follow the layer in force. Returns their number; 0 if all do.
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

/// Lets the scores of the faces of a photo follow a layer, and ranks the photo by them.
fn apply(
    db: &Connection,
    photo: PhotoId,
    taken_local: Option<i64>,
    classifier: &str,
    layer: &InForce,
) -> rusqlite::Result<()> {
    let mut all = faces::of_photo(db, photo)?;
    let seen = features::of_photo(db, photo)?;
    let mut is_changed = false;
    for face in &mut all {
        let new = layer.follow(classifier, face, seen.get(&face.id));
        if new != *face {
            faces::set_scores(db, &new)?;
            *face = new;
            is_changed = true;
        }
    }
    if is_changed {
        // All that follows from scores; a trigger has noted more.
        ranking::replace(db, photo, true, taken_local, &derived::judged(&all))?;
        derived::ranked(db, photo)?;
    }
    Ok(())
}

/// Switches learning on or off; [`advance`] then restores the scores.
pub(super) fn switch(db: &Connection, is_on: bool) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE learning SET is_on = ?")?
        .execute([is_on])?;
    Ok(())
}

/// Lets the corrections made so far teach nothing from now on.
pub(super) fn forget(db: &Connection) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE learning SET forgotten_at = ?")?
        .execute([Timestamp::now().as_millisecond()])?;
    Ok(())
}

/// The photos with a face whose scores are not those that it should have, among the photos to which the layer in force
/// has been applied.
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
        state.in_force.0.is_some()
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

/// Gives all faces the scores that they are to have.
pub(super) fn rebuild(db: &Connection) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE learning SET applied = ?")?
        .execute([i64::MIN])?;
    while advance(db)? > 0 {}
    Ok(())
}

#[cfg(test)]
mod tests;
