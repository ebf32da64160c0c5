//! Says what was learned from the corrections.

use std::fmt;

use rusqlite::{Connection, params};

use super::{State, corrected_faces};
use crate::personal::{HeldOutLoss, HumanHeldOutLoss, MIN_CORRECTIONS};

/// What was learned from the corrections, and whether the scores follow from it.
#[derive(Debug, Clone, PartialEq)]
pub struct Learning {
    /// Whether learning is switched on.
    pub is_on: bool,
    /// Number of corrections that were learned from.
    pub corrections: u64,
    /// Number of further corrections that could not be learned from, since their faces have no stored features or were
    /// analysed by another model.
    pub unused: u64,
    /// Number of corrections of photos that are not in the index, such as imported ones and those of deleted photos.
    pub absent: u64,
    /// How a layer that is learned from some of them does on the others; `None` if they are too few.
    pub held_out_loss: Option<HeldOutLoss>,
    /// Whether a layer for the emotions is in force.
    pub is_in_force: bool,
    /// Number of rejected boxes that were learned from.
    pub rejections: u64,
    /// How a layer that is learned from some of them does on the others; `None` if they are too few.
    pub human_held_out_loss: Option<HumanHeldOutLoss>,
    /// Whether a layer for the human score is in force.
    pub is_human_in_force: bool,
    /// Number of faces whose human score that layer has changed so that they count, or no longer count.
    pub recounted: u64,
    /// Number of photos to which the layers in force are still to be applied.
    pub pending: u64,
}

impl Learning {
    /// Whether a person has corrected or rejected a face, or switched learning off.
    pub const fn has_corrections(&self) -> bool {
        self.corrections + self.rejections + self.unused + self.absent > 0 || !self.is_on
    }
}

/// A sentence, such as "scores follow your 37 corrections".
impl fmt::Display for Learning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sentences = [
            self.of_emotions(),
            self.of_rejected(),
            self.of_unused(),
            self.of_absent(),
        ];
        let sentences: Vec<String> = sentences.into_iter().flatten().collect();
        f.write_str(&sentences.join("; "))?;
        if self.pending > 0 {
            write!(
                f,
                "; the scores of {} photos are still to change",
                self.pending
            )?;
        }
        Ok(())
    }
}

impl Learning {
    /// The sentence about the emotions; `None` if only boxes were rejected.
    fn of_emotions(&self) -> Option<String> {
        let corrections = count(self.corrections, "correction");
        let says = match (self.is_on, self.is_in_force, &self.held_out_loss) {
            (false, ..) => "scores do not follow corrections: learning is switched off".to_owned(),
            (_, true, _) => format!("scores follow your {corrections}"),
            (.., Some(_)) => format!(
                "scores do not follow your {corrections}, since they tell too little about other faces"
            ),
            (.., None) if self.corrections == 0 && self.rejections > 0 => return None,
            (.., None) => format!(
                "scores do not follow corrections yet: {corrections} so far, {MIN_CORRECTIONS} are needed"
            ),
        };
        Some(says)
    }

    /// The sentence about the rejected boxes.
    fn of_rejected(&self) -> Option<String> {
        let boxes = count(self.rejections, "rejected box");
        let says = match (self.is_human_in_force, &self.human_held_out_loss) {
            (true, _) => {
                let faces = count(self.recounted, "other face");
                format!("{faces} counted differently because of your {boxes}")
            }
            (false, Some(_)) => format!("your {boxes} tell too little about other faces"),
            (false, None) if self.rejections > 0 => {
                format!(
                    "nothing is learned from rejected boxes yet: {} so far, {MIN_CORRECTIONS} are needed",
                    self.rejections
                )
            }
            (false, None) => return None,
        };
        Some(says)
    }

    /// The sentence about corrections that cannot be learned from.
    fn of_unused(&self) -> Option<String> {
        (self.unused > 0).then(|| {
            format!(
                "{} more cannot be learned from until fer-index reindex has analysed their photos again",
                self.unused
            )
        })
    }

    /// The sentence about corrections of photos that are not in the index.
    fn of_absent(&self) -> Option<String> {
        let belong = if self.absent == 1 {
            "belongs to a photo that is"
        } else {
            "belong to photos that are"
        };
        (self.absent > 0).then(|| format!("{} more {belong} not in the index", self.absent))
    }
}

/// Counts the corrections that a person made since a time (Unix, ms) and that neither belong to a photo with a file nor to a
/// face that is learned from, with features of this model.
const ABSENT: &str = "
    SELECT count(*) FROM (
        SELECT max(EXISTS (SELECT 1 FROM photos p JOIN files f ON f.photo_id = p.id WHERE p.hash = c.hash)
                OR EXISTS (SELECT 1 FROM photos p JOIN files f ON f.photo_id = p.id WHERE p.picture = c.picture)
                OR EXISTS (SELECT 1 FROM faces f JOIN face_features s ON s.face_id = f.id
                                                 JOIN photos p ON p.id = f.photo_id
                                                 JOIN models m ON m.id = p.classifier
                           WHERE f.correction = c.id AND m.name = ?2)) AS is_known
        FROM corrections c WHERE c.made_at > ?1 GROUP BY coalesce(c.carried_from, c.id)
    ) WHERE NOT is_known";

/// A number with the noun in its form for it, such as "12 rejected boxes".
fn count(number: u64, thing: &str) -> String {
    let plural = match (number, thing.ends_with('x')) {
        (1, _) => "",
        (_, true) => "es",
        (_, false) => "s",
    };
    format!("{number} {thing}{plural}")
}

/// See [`Store::learning`](super::super::Store::learning).
pub(in super::super) fn of(db: &Connection) -> rusqlite::Result<Learning> {
    let state = State::now(db)?;
    let since = state.forgotten_at.unwrap_or(i64::MIN);
    let made: i64 = db
        .prepare_cached(
            "SELECT count(DISTINCT coalesce(carried_from, id)) FROM corrections
             WHERE made_at > ?",
        )?
        .query_row([since], |row| row.get(0))?;
    let classifier = corrected_faces::classifier(db, since)?.unwrap_or_default();
    let absent: i64 = db
        .prepare_cached(ABSENT)?
        .query_row(params![since, classifier], |row| row.get(0))?;
    let pending: i64 = match state.applied {
        None => 0,
        Some(applied) => db
            .prepare_cached("SELECT count(DISTINCT photo_id) FROM faces WHERE photo_id > ?")?
            .query_row([applied], |row| row.get(0))?,
    };
    let recounted: i64 = db
        .prepare_cached(
            "SELECT count(*) FROM faces WHERE network_human IS NOT NULL AND correction IS NULL",
        )?
        .query_row([], |row| row.get(0))?;
    let taught = state.corrections + state.rejections;
    Ok(Learning {
        is_on: state.is_on,
        corrections: state.corrections,
        unused: if state.is_on {
            (made as u64).saturating_sub(taught + absent as u64)
        } else {
            0
        },
        absent: if state.is_on { absent as u64 } else { 0 },
        held_out_loss: state.held_out_loss,
        is_in_force: state.in_force.emotions.is_some(),
        rejections: state.rejections,
        human_held_out_loss: state.human_held_out_loss,
        is_human_in_force: state.in_force.human.is_some(),
        recounted: recounted as u64,
        pending: pending as u64,
    })
}
