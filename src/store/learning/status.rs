//! What a person can see of learning.

use std::fmt;

use rusqlite::Connection;

use super::State;
use crate::personal::{FEWEST, Proof};

/// What the corrections have taught, and whether the scores follow them.
#[derive(Debug, Clone, PartialEq)]
pub struct Learning {
    /// Whether the scores may follow corrections.
    pub is_on: bool,
    /// How many corrections there were to learn from.
    pub corrections: u64,
    /// How many more cannot teach: their faces were read by a version that did not keep features, or by another model.
    pub unused: u64,
    /// How a layer that is learned from some of them does on the others; `None` if they are too few.
    pub proof: Option<Proof>,
    /// Whether the scores follow the corrections.
    pub is_in_force: bool,
    /// Number of photos whose scores are still to follow.
    pub pending: u64,
}

impl Learning {
    /// Whether a person has corrected the emotion of a face, or switched learning off.
    pub const fn has_corrections(&self) -> bool {
        self.corrections + self.unused > 0 || !self.is_on
    }
}

/// A sentence, such as "scores follow your 37 corrections".
impl fmt::Display for Learning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let corrections = match self.corrections {
            1 => "1 correction".to_owned(),
            more => format!("{more} corrections"),
        };
        match (self.is_on, self.is_in_force, &self.proof) {
            (false, ..) => write!(
                f,
                "scores do not follow corrections: learning is switched off"
            )?,
            (_, true, _) => write!(f, "scores follow your {corrections}")?,
            (.., Some(_)) => write!(
                f,
                "scores do not follow your {corrections}, since they tell too little about other faces"
            )?,
            (.., None) => write!(
                f,
                "scores do not follow corrections yet: {corrections} so far, {FEWEST} are needed"
            )?,
        }
        if self.unused > 0 {
            write!(
                f,
                "; {} more cannot teach until fer-index reindex has read their photos again",
                self.unused
            )?;
        }
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

/// See [`Store::learning`](super::super::Store::learning).
pub(in super::super) fn of(db: &Connection) -> rusqlite::Result<Learning> {
    let state = State::now(db)?;
    let made: i64 = db
        .prepare_cached(
            "SELECT count(DISTINCT coalesce(carried_from, id)) FROM corrections
             WHERE emotion IS NOT NULL AND made_at > ?",
        )?
        .query_row([state.forgotten_at.unwrap_or(i64::MIN)], |row| row.get(0))?;
    let pending: i64 = match state.applied {
        None => 0,
        Some(applied) => db
            .prepare_cached("SELECT count(DISTINCT photo_id) FROM faces WHERE photo_id > ?")?
            .query_row([applied], |row| row.get(0))?,
    };
    Ok(Learning {
        is_on: state.is_on,
        corrections: state.corrections,
        unused: if state.is_on {
            (made as u64).saturating_sub(state.corrections)
        } else {
            0
        },
        proof: state.proof,
        is_in_force: state.in_force.0.is_some(),
        pending: pending as u64,
    })
}
