//! The answer to `fer-index status`, from the database and from the daemon if one runs.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::photo::{DateSource, Source};
use crate::store::Store;

/// The interval over which the throughput is averaged.
const THROUGHPUT_SPAN: Duration = Duration::from_mins(1);

/// How a root is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RootState {
    /// The system reports changes in it.
    Watching,
    /// It, or a part of it, is scanned at intervals.
    Polling,
    /// It is absent, or empty although the index has photos below it; their rows stay.
    Offline,
    /// No daemon follows it.
    Idle,
}

/// A root and how it is followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootStatus {
    /// Path of the folder, with replacement characters where it is not Unicode.
    pub path: String,
    /// How it is followed.
    pub state: RootState,
    /// When it was last reconciled (RFC 3339).
    pub reconciled_at: Option<String>,
    /// Since when it has been offline (RFC 3339).
    pub offline_since: Option<String>,
}

/// What the daemon is doing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    /// Its process ID.
    pub pid: u32,
    /// Its version.
    pub version: String,
    /// The roots that it follows, and how. Empty in a [`Status`], which merges them into its own roots.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roots: Vec<(String, Option<RootState>)>,
    /// Whether all roots were reconciled since it started.
    pub is_ready: bool,
    /// Number of files that are debounced, queued or in flight.
    pub queue: usize,
    /// Files done per second, averaged over the last minute.
    pub photos_per_second: f64,
    /// Number of folders that the system watches.
    pub watched_folders: usize,
    /// Number of folders that are polled.
    pub polled_folders: usize,
    /// The error that keeps it from proceeding, if there is one.
    pub trouble: Option<String>,
}

/// The answer to `fer-index status`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Whether a daemon runs.
    pub running: bool,
    /// What the daemon is doing, if one runs.
    pub daemon: Option<Activity>,
    /// The roots in the index, and those that the daemon follows.
    pub roots: Vec<RootStatus>,
    /// Number of files, skipped ones included.
    pub files: u64,
    /// Number of photos; files of the same content count once.
    pub photos: u64,
    /// Number of faces in them.
    pub faces: u64,
    /// Number of photos of which only a part could be decoded.
    #[serde(default)]
    pub incomplete: u64,
    /// Number of skipped files by reason.
    pub skipped: BTreeMap<String, u64>,
    /// Number of photos by the source of their date.
    pub dates: BTreeMap<DateSource, u64>,
    /// Number of photos by the source of their position.
    pub positions: BTreeMap<Source, u64>,
    /// The models that processed the photos.
    pub models: Vec<ModelsStatus>,
}

/// A detector and a classifier, and how many photos they processed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelsStatus {
    /// Name of the face detector.
    pub detector: String,
    /// Name of the emotion model.
    pub classifier: String,
    /// Number of photos.
    pub photos: u64,
}

impl Status {
    /// Combines the totals of the database with the activity of the daemon.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn of(store: &Store, mut daemon: Option<Activity>) -> Result<Self> {
        let totals = store.totals()?;
        let followed = daemon
            .as_mut()
            .map(|activity| std::mem::take(&mut activity.roots))
            .unwrap_or_default();
        let mut known = store.roots()?;
        // Earlier versions stored the paths of mistyped folders that were never there.
        known.retain(|root| {
            root.reconciled_at.is_some() || store.has_files_below(&root.path).unwrap_or(true)
        });
        let mut roots: Vec<RootStatus> = known
            .into_iter()
            .map(|root| RootStatus {
                state: if root.offline_since.is_some() || root.is_absent() {
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
        remove_nested(&mut roots);
        Ok(Self {
            running: daemon.is_some(),
            daemon,
            roots,
            files: totals.files,
            photos: totals.photos,
            faces: totals.faces,
            incomplete: totals.incomplete,
            skipped: totals
                .skipped
                .into_iter()
                .map(|(reason, count)| (reason.name().to_owned(), count))
                .collect(),
            dates: totals.dates,
            positions: totals.positions,
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

/// Removes the roots below a root that the daemon follows, since it follows them as part of that one; not those that it follows
/// by themselves.
fn remove_nested(roots: &mut Vec<RootStatus>) {
    let is_followed =
        |root: &&RootStatus| matches!(root.state, RootState::Watching | RootState::Polling);
    let followed: Vec<PathBuf> = roots
        .iter()
        .filter(is_followed)
        .map(|root| PathBuf::from(&root.path))
        .collect();
    roots.retain(|root| {
        let path = Path::new(&root.path);
        let is_below = |outer: &PathBuf| path != outer && path.starts_with(outer);
        is_followed(&root) || !followed.iter().any(is_below)
    });
}

/// Files done in the last minute: their number in each second, with the moment at which that second began.
#[derive(Debug, Default)]
pub(super) struct Throughput(VecDeque<(Instant, u32)>);

impl Throughput {
    /// Counts one file.
    pub fn count(&mut self, now: Instant) {
        match self.0.back_mut() {
            Some((second, count)) if now < *second + Duration::from_secs(1) => *count += 1,
            _ => self.0.push_back((now, 1)),
        }
    }

    /// The average per second over the last minute.
    pub fn per_second(&mut self, now: Instant) -> f64 {
        while self
            .0
            .front()
            .is_some_and(|(second, _)| now > *second + THROUGHPUT_SPAN)
        {
            self.0.pop_front();
        }
        let count: u32 = self.0.iter().map(|(_, count)| count).sum();
        f64::from(count) / THROUGHPUT_SPAN.as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_below_a_followed_root_are_removed() {
        let root = |path: &str, state| RootStatus {
            path: path.to_owned(),
            state,
            reconciled_at: None,
            offline_since: None,
        };
        let mut roots = vec![
            root("/a", RootState::Watching),
            root("/a/b", RootState::Idle),
            root("/a/.c", RootState::Watching),
            root("/ab", RootState::Idle),
            root("/c", RootState::Idle),
            root("/c/d", RootState::Idle),
            root("/e", RootState::Offline),
            root("/e/f", RootState::Polling),
        ];
        remove_nested(&mut roots);
        let left: Vec<_> = roots.iter().map(|root| root.path.as_str()).collect();
        assert_eq!(left, ["/a", "/a/.c", "/ab", "/c", "/c/d", "/e", "/e/f"]);
    }

    #[test]
    fn the_throughput_is_averaged_over_the_last_minute() {
        let (mut throughput, start) = (Throughput::default(), Instant::now());
        for ms in 0..600 {
            throughput.count(start + Duration::from_millis(100 * ms));
        }
        let rate = |throughput: &mut Throughput, second| {
            throughput.per_second(start + Duration::from_secs(second))
        };
        assert!((rate(&mut throughput, 59) - 10.0).abs() < 1e-9);
        assert!((rate(&mut throughput, 90) - 5.0).abs() < 0.4);
        assert!(rate(&mut throughput, 200).abs() < 1e-9);
    }
}
