//! Runs the pipeline over the daemon's queue in batch runs. A run begins when the queue has files and ends when it is
//! empty. Between runs there are no worker threads, and [`KEEP_MODELS`] after a run the models are unloaded too.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;

use super::Setup;
use super::handle::Message;
use super::queue::Queue;
use crate::error::{Error, Result};
use crate::pipeline::{Analyser, IndexObserver, IndexOptions, Summary, index_files};
use crate::store::{Models, Store};
use fer_nn::allocator;

/// How long the models stay in memory after a batch run.
const KEEP_MODELS: Duration = Duration::from_secs(20);

/// Runs the pipeline over the queue, one batch run at a time, and caches the models between runs.
#[derive(Default)]
pub(super) struct BatchRunner {
    analyser: Option<Arc<Analyser>>,
    running: Option<JoinHandle<()>>,
    /// When the last run ended; `None` if none has ended since the models were last unloaded.
    last: Option<Instant>,
}

impl BatchRunner {
    /// Whether a batch run is in progress.
    pub const fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Starts a batch run, which ends when the queue is empty, and returns the names of its models. Loads the models
    /// unless they are still in memory.
    ///
    /// # Errors
    /// If the models cannot be loaded or the thread cannot be started.
    pub fn start(
        &mut self,
        database: &Path,
        setup: &Setup,
        queue: &Queue,
        messages: &Sender<Message>,
    ) -> Result<Models> {
        let analyser = match &self.analyser {
            Some(analyser) => Arc::clone(analyser),
            None => Arc::new((setup.load)()?),
        };
        self.analyser = Some(Arc::clone(&analyser));
        let models = analyser.models();
        let options = IndexOptions {
            threads: setup.threads,
            reanalyse: false,
        };
        let database: PathBuf = database.to_owned();
        let (queue, messages) = (queue.clone(), messages.clone());
        let batch_run = move || {
            let progress = Progress(&messages);
            let work = AssertUnwindSafe(|| {
                let mut store = Store::open_existing(&database)?;
                index_files(&mut store, &analyser, queue, options, &progress).map(drop)
            });
            let result = catch_unwind(work)
                .unwrap_or_else(|_| Err(Error::Internal("the pipeline panicked".into())));
            drop(analyser);
            let _ = messages.send(Message::BatchEnded(result));
        };
        let thread = thread::Builder::new()
            .name("batch run".into())
            .spawn(batch_run);
        self.running = Some(thread.map_err(|error| {
            Error::Daemon(format!("the system cannot start another thread: {error}"))
        })?);
        Ok(models)
    }

    /// Joins the thread of a run that has reported its end.
    pub fn ended(&mut self) {
        self.last = Some(Instant::now());
        if let Some(thread) = self.running.take() {
            let _ = thread.join();
        }
    }

    /// Unloads the models if the last run ended longer than [`KEEP_MODELS`] ago.
    pub fn unload_idle_models(&mut self) {
        if !self.is_running() && self.last.is_some_and(|last| last.elapsed() > KEEP_MODELS) {
            self.unload_models();
            allocator::trim();
        }
    }

    /// Unloads the models; the next run loads them again.
    pub fn unload_models(&mut self) {
        self.analyser = None;
        self.last = None;
    }
}

/// Reports each committed file to the follower.
struct Progress<'a>(&'a Sender<Message>);

impl IndexObserver for Progress<'_> {
    fn planned(&self, _: u64) {}

    fn done(&self, path: &Path, _: &Summary) {
        let _ = self.0.send(Message::Done(path.to_path_buf()));
    }
}
