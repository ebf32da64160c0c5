//! Starts learning from people's corrections in the background, so that the scores of other faces follow them.

use std::path::Path;
use std::thread::{self, JoinHandle};

use crate::error::{Error, Result};
use crate::store::Store;

/// Runs [`Store::learn`] on a thread of its own, one run at a time.
#[derive(Debug, Default)]
pub(super) struct Learner {
    /// Revision of the database when it was last checked for something to learn.
    revision: Option<i64>,
    running: Option<JoinHandle<Result<()>>>,
}

impl Learner {
    /// Starts a run if something is to be learned and no run is in progress.
    ///
    /// # Errors
    /// The error of a run that has ended since the last call; or if the database cannot be read or the thread cannot be
    /// started.
    pub fn start_if_due(&mut self, store: &Store) -> Result<()> {
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
