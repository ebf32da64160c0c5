//! Adjusts the scores of faces to people's corrections, in the background.

use std::path::Path;
use std::thread::{self, JoinHandle};

use crate::error::{Error, Result};
use crate::store::Store;

/// Learns on a thread of its own, one run at a time.
#[derive(Debug, Default)]
pub(super) struct Learner {
    /// The revision of the database that was looked at last.
    revision: Option<i64>,
    running: Option<JoinHandle<Result<()>>>,
}

impl Learner {
    /// Starts a run if something is to be learned, and returns the error of the last run.
    pub fn follow(&mut self, store: &Store) -> Result<()> {
        if let Some(running) = self.running.take_if(|running| running.is_finished()) {
            let panicked = |_| Err(Error::Internal("learning from corrections panicked".into()));
            running.join().unwrap_or_else(panicked)?;
        }
        let revision = store.revision()?;
        if self.running.is_some() || self.revision.replace(revision) == Some(revision) {
            return Ok(());
        }
        if !store.has_to_learn()? {
            return Ok(());
        }
        let path = store.path().to_owned();
        let thread = thread::Builder::new()
            .name("learner".into())
            .spawn(move || learn(&path));
        self.running = Some(thread.map_err(|error| {
            Error::Daemon(format!("the system cannot start another thread: {error}"))
        })?);
        Ok(())
    }
}

fn learn(database: &Path) -> Result<()> {
    Store::open_existing(database)?.learn(|_| ())
}
