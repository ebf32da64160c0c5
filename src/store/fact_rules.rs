//! Stores the settings for the facts of photos: clock offsets of cameras, and whether positions are estimated.
//!
//! The rows are a copy of the settings in the database, so that every process derives the same facts.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::query;
use crate::config::FactSettings;

/// The settings for facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactRules {
    /// Whether the positions of photos without one are estimated.
    pub estimate_places: bool,
    /// For each camera the seconds to be added to the times that its clock showed. Case does not matter.
    pub clock_offsets: BTreeMap<String, i32>,
}

const NO_ESTIMATES: &str = "no estimates";

const CLOCK: &str = "clock";

/// The seconds to be added to the times that a camera's clock showed.
pub(super) fn clock_offset(db: &Connection, camera: &str) -> rusqlite::Result<i32> {
    let seconds = db
        .prepare_cached("SELECT value FROM fact_rules WHERE kind = ? AND name = ?")?
        .query_row([CLOCK, &camera.to_lowercase()], |row| row.get(0))
        .optional()?;
    Ok(seconds.unwrap_or(0))
}

/// Whether positions are estimated.
pub(super) fn estimates(db: &Connection) -> rusqlite::Result<bool> {
    let is_off = db
        .prepare_cached("SELECT 1 FROM fact_rules WHERE kind = ?")?
        .exists([NO_ESTIMATES])?;
    Ok(!is_off)
}

/// The rules in force; cameras in lower case.
pub(super) fn get(db: &Connection) -> rusqlite::Result<FactRules> {
    Ok(FactRules {
        estimate_places: estimates(db)?,
        clock_offsets: db
            .prepare("SELECT name, value FROM fact_rules WHERE kind = ?")?
            .query_map([CLOCK], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?,
    })
}

/// Puts rules in force, and notes the photos whose facts they change.
pub(super) fn set(db: &Connection, rules: &FactRules) -> rusqlite::Result<()> {
    let before = get(db)?;
    db.execute("DELETE FROM fact_rules", [])?;
    let mut add = db.prepare("INSERT INTO fact_rules VALUES (?, ?, ?)")?;
    if !rules.estimate_places {
        add.execute(params![NO_ESTIMATES, "", 0])?;
    }
    for (camera, seconds) in &rules.clock_offsets {
        add.execute(params![CLOCK, camera, seconds])?;
    }
    if before.estimate_places != rules.estimate_places {
        db.execute(
            "INSERT INTO dirty_places SELECT id FROM photos
             WHERE (latitude IS NULL OR position_source = 'estimated') AND taken_local IS NOT NULL
             ON CONFLICT DO NOTHING",
            [],
        )?;
    }
    let offset = |rules: &FactRules, camera: &str| rules.clock_offsets.get(camera).copied();
    for camera in query::cameras(db)? {
        let lower = camera.to_lowercase();
        if offset(&before, &lower) != offset(rules, &lower) {
            db.execute(
                "INSERT INTO dirty_photos SELECT id FROM photos WHERE camera = ? ON CONFLICT DO NOTHING",
                [camera],
            )?;
        }
    }
    Ok(())
}

impl From<&FactSettings> for FactRules {
    fn from(settings: &FactSettings) -> Self {
        let clocks = settings.clock_offsets.iter();
        Self {
            estimate_places: settings.estimate_places,
            clock_offsets: clocks
                .map(|offset| (offset.camera.clone(), offset.seconds))
                .collect(),
        }
    }
}

impl FactRules {
    /// The rules as they are stored: cameras in lower case, and only those whose times are changed.
    pub(super) fn normal(&self) -> Self {
        let clocks = self.clock_offsets.iter();
        let wrong = clocks.filter(|(_, seconds)| **seconds != 0);
        Self {
            estimate_places: self.estimate_places,
            clock_offsets: wrong
                .map(|(camera, seconds)| (camera.to_lowercase(), *seconds))
                .collect(),
        }
    }
}
