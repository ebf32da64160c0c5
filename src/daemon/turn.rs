//! A turn of the pipeline: from the moment the queue has something until it is empty. Between turns
//! nothing of it is left, and after a while not even the models.

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
use crate::pipeline::{Analyser, IndexOptions, Observer, Summary, look_at};
use crate::store::{Models, Store};
use fer_nn::allocator;

/// How long the models stay in memory without work.
const KEEP_MODELS: Duration = Duration::from_secs(20);

/// The pipeline and the models it works with.
#[derive(Default)]
pub(super) struct Turns {
    analyser: Option<Arc<Analyser>>,
    running: Option<JoinHandle<()>>,
    /// When the last one ended, while models are kept for the next.
    last: Option<Instant>,
}

impl Turns {
    /// Whether a turn is under way.
    pub const fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Starts a turn that goes on while there is something in the queue; with which models.
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
            again: false,
        };
        let database: PathBuf = database.to_owned();
        let (queue, messages) = (queue.clone(), messages.clone());
        let turn = move || {
            let teller = Teller(&messages);
            let work = AssertUnwindSafe(|| {
                let mut store = Store::open_existing(&database)?;
                look_at(&mut store, &analyser, queue, options, &teller).map(drop)
            });
            let result = catch_unwind(work)
                .unwrap_or_else(|_| Err(Error::Usage("the pipeline met a bug".into())));
            drop(analyser);
            let _ = messages.send(Message::TurnEnded(result));
        };
        let thread = thread::Builder::new().name("turn".into()).spawn(turn);
        self.running = Some(thread.map_err(|error| {
            Error::Usage(format!("the system gives no thread for the work: {error}"))
        })?);
        Ok(models)
    }

    /// A turn has told that it ended.
    pub fn ended(&mut self) {
        self.last = Some(Instant::now());
        if let Some(thread) = self.running.take() {
            let _ = thread.join();
        }
    }

    /// Lets go of the models if there was no work for a while.
    pub fn rest(&mut self) {
        if !self.is_running() && self.last.is_some_and(|last| last.elapsed() > KEEP_MODELS) {
            self.forget_models();
            allocator::trim();
        }
    }

    /// The next turn loads its models anew.
    pub fn forget_models(&mut self) {
        self.analyser = None;
        self.last = None;
    }
}

/// Tells the follower of each file that is committed.
struct Teller<'a>(&'a Sender<Message>);

impl Observer for Teller<'_> {
    fn planned(&self, _: u64) {}

    fn done(&self, path: &Path, _: &Summary) {
        let _ = self.0.send(Message::Done(path.to_path_buf()));
    }
}
