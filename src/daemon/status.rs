//! What the daemon says of itself, and what the database tells while it does not run.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::store::Store;

/// Over how long the pace is taken.
const PACE_SPAN: Duration = Duration::from_mins(1);

/// How a root is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RootState {
    /// The system tells of changes.
    Watching,
    /// It, or a part of it, is looked at from time to time.
    Polling,
    /// It is away; what is known of it stays.
    Offline,
    /// No daemon follows it.
    Idle,
}

/// A folder and how it is followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootStatus {
    /// The folder, with replacement characters where it is not Unicode.
    pub path: String,
    /// How it is followed.
    pub state: RootState,
    /// When it was last held against the index (RFC 3339).
    pub reconciled_at: Option<String>,
    /// Since when it has been away (RFC 3339).
    pub offline_since: Option<String>,
}

/// What the daemon does right now.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    /// Its process.
    pub pid: u32,
    /// Its version.
    pub version: String,
    /// The folders that it follows, and how; in [`Status`] they are among the roots there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roots: Vec<(String, Option<RootState>)>,
    /// Whether all folders were held against the index since it started.
    pub is_ready: bool,
    /// Files that wait or are being looked at.
    pub queue: usize,
    /// Files done in the last minute, for each second.
    pub photos_per_second: f64,
    /// Folders that the system watches.
    pub watched_folders: usize,
    /// Folders that are polled.
    pub polled_folders: usize,
    /// What keeps it from working, if anything does.
    pub trouble: Option<String>,
}

/// The answer to `fer-index status`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Whether a daemon runs.
    pub running: bool,
    /// What it does, if it runs.
    pub daemon: Option<Activity>,
    /// The folders known to the index.
    pub roots: Vec<RootStatus>,
    /// Paths, skipped ones included.
    pub files: u64,
    /// Different photos.
    pub photos: u64,
    /// Faces in them.
    pub faces: u64,
    /// Files that were skipped, by reason.
    pub skipped: BTreeMap<String, u64>,
    /// Which models looked at the photos.
    pub models: Vec<ModelsStatus>,
}

/// Two models and how many photos they looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelsStatus {
    /// What found the faces.
    pub detector: String,
    /// What read them.
    pub classifier: String,
    /// Photos.
    pub photos: u64,
}

impl Status {
    /// Puts together what the database knows and what the daemon, if one runs, does.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn of(store: &Store, mut daemon: Option<Activity>) -> Result<Self> {
        let totals = store.totals()?;
        let followed = daemon
            .as_mut()
            .map(|activity| std::mem::take(&mut activity.roots))
            .unwrap_or_default();
        let mut roots: Vec<RootStatus> = store
            .roots()?
            .into_iter()
            .map(|root| RootStatus {
                state: if root.offline_since.is_some() {
                    RootState::Offline
                } else {
                    RootState::Idle
                },
                path: root.path.to_string_lossy().into_owned(),
                reconciled_at: root.reconciled_at.map(|moment| moment.to_string()),
                offline_since: root.offline_since.map(|moment| moment.to_string()),
            })
            .collect();
        for (path, state) in followed {
            match roots.iter_mut().find(|root| root.path == path) {
                Some(root) => root.state = state.unwrap_or(root.state),
                None => roots.push(RootStatus {
                    path,
                    state: state.unwrap_or(RootState::Idle),
                    reconciled_at: None,
                    offline_since: None,
                }),
            }
        }
        Ok(Self {
            running: daemon.is_some(),
            daemon,
            roots,
            files: totals.files,
            photos: totals.photos,
            faces: totals.faces,
            skipped: totals
                .skipped
                .into_iter()
                .map(|(reason, count)| (reason.name().to_owned(), count))
                .collect(),
            models: store
                .models()?
                .into_iter()
                .map(|(models, photos)| ModelsStatus {
                    detector: models.detector,
                    classifier: models.classifier,
                    photos,
                })
                .collect(),
        })
    }
}

/// Counts what was done, second by second.
#[derive(Debug, Default)]
pub(super) struct Pace(VecDeque<(Instant, u32)>);

impl Pace {
    /// One more.
    pub fn count(&mut self, now: Instant) {
        match self.0.back_mut() {
            Some((second, count)) if now < *second + Duration::from_secs(1) => *count += 1,
            _ => self.0.push_back((now, 1)),
        }
    }

    /// For each second of the last minute.
    pub fn per_second(&mut self, now: Instant) -> f64 {
        while self
            .0
            .front()
            .is_some_and(|(second, _)| now > *second + PACE_SPAN)
        {
            self.0.pop_front();
        }
        let count: u32 = self.0.iter().map(|(_, count)| count).sum();
        f64::from(count) / PACE_SPAN.as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_forgets_what_is_older_than_a_minute() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        for ms in 0..600 {
            pace.count(start + Duration::from_millis(100 * ms));
        }
        let rate = |pace: &mut Pace, second| pace.per_second(start + Duration::from_secs(second));
        assert!((rate(&mut pace, 59) - 10.0).abs() < 1e-9);
        assert!((rate(&mut pace, 90) - 5.0).abs() < 0.4);
        assert!(rate(&mut pace, 200).abs() < 1e-9);
    }
}
