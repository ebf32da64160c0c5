//! Gives photos to decoding processes, starts them when they are needed, and again after one has died.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::client::{Failure, Process};
use super::message::{Confinement, Request};
use super::pool::Launch;
use super::weights::SharedWeights;
use crate::error::{Error, Result, Skip, SkipReason};
use crate::imaging::Limits;

/// How many times the longest decoding time a process may take: that time is CPU time, and the process
/// may have to share its core with others.
const CPU_TIME_FACTOR: u32 = 5;

/// How processes of one kind are started, and those that are idle. They end when this is dropped.
#[derive(Debug)]
pub(super) struct Attempts {
    launch: Launch,
    /// The first message to each, and the model file that comes with it.
    first: Request,
    model: Vec<u8>,
    /// The weights that they share, from the second process on.
    weights: Option<SharedWeights>,
    /// Whether a process was started.
    has_started: AtomicBool,
    /// The time for the start of a process.
    timeout_margin: Duration,
    /// The time for each step of its work.
    time: Duration,
    /// The longest CPU time for decoding.
    max_time: Duration,
    idle: Mutex<Vec<Process>>,
}

impl Attempts {
    pub fn new(
        launch: Launch,
        first: Request,
        model: Vec<u8>,
        limits: &Limits,
        timeout_margin: Duration,
    ) -> Self {
        let decoding = limits.max_time.saturating_mul(CPU_TIME_FACTOR);
        Self {
            launch,
            first,
            model,
            weights: None,
            has_started: AtomicBool::new(false),
            timeout_margin,
            time: decoding.saturating_add(timeout_margin),
            max_time: limits.max_time,
            idle: Mutex::default(),
        }
    }

    /// The same, of processes that share these weights.
    pub fn with_weights(self, weights: Option<SharedWeights>) -> Self {
        Self { weights, ..self }
    }

    /// Starts the first process, and returns the restrictions in force for it.
    pub fn start(&self) -> Result<Confinement> {
        let first = self.new_process().map_err(|error| cannot_start(&error))?;
        let confinement = first.confinement;
        self.keep(first);
        Ok(confinement)
    }

    /// Keeps a process for the next photo; ends one that has weights of its own if others share theirs.
    pub fn keep(&self, process: Process) {
        let weights = self.weights.as_ref();
        if process.shares_weights || !weights.is_some_and(SharedWeights::are_written) {
            self.lock_idle().push(process);
        }
    }

    /// Does `work` with a process, and once more with a new process if the first one dies during it. Begins with
    /// `first`, or with one that is idle.
    pub fn attempt<T>(
        &self,
        first: Option<Process>,
        mut work: impl FnMut(&mut Process) -> Result<T, Failure>,
    ) -> Result<(Process, T), Skip> {
        let mut next = first.or_else(|| self.lock_idle().pop());
        let mut is_second = false;
        loop {
            let mut process = match next.take() {
                Some(process) => process,
                None => self.new_process().map_err(|error| {
                    Skip::new(SkipReason::Unreadable, cannot_start(&error).to_string())
                })?,
            };
            let before = process.cpu_time();
            match work(&mut process) {
                Ok(done) => return Ok((process, done)),
                Err(Failure::Skipped(skip)) => {
                    self.keep(process);
                    return Err(skip);
                }
                Err(Failure::TooSlow) => {
                    let spent = process.cpu_time().zip(before);
                    return Err(
                        self.too_slow(spent.map(|(now, before)| now.saturating_sub(before)))
                    );
                }
                Err(Failure::Died(error)) => {
                    let end = process.end();
                    tracing::debug!(%error, "a process that decoded a photo {end}");
                    if is_second {
                        return Err(end.skip());
                    }
                    is_second = true;
                }
            }
        }
    }

    /// Why a photo is skipped whose process has not answered in time, and has taken so much CPU time. If that is less than
    /// decoding may take, other programs have had the processor: the photo is not at fault, and the next run tries it again.
    fn too_slow(&self, spent: Option<Duration>) -> Skip {
        let seconds = self.time.as_secs_f32();
        let ended =
            format!("the process that decoded it was ended after {seconds} s without an answer");
        match spent {
            Some(spent) if spent < self.max_time => Skip::new(
                SkipReason::Unreadable,
                format!(
                    "{ended}, in which it had {:.1} s of CPU time; the machine is too busy, the next run tries it again",
                    spent.as_secs_f32()
                ),
            ),
            _ => Skip::new(SkipReason::TimedOut, ended),
        }
    }

    fn new_process(&self) -> io::Result<Process> {
        let is_first = !self.has_started.swap(true, Ordering::Relaxed);
        let weights = self.weights.as_ref().filter(|_| !is_first);
        Process::start(
            &self.launch,
            &self.first,
            &self.model,
            weights.and_then(|weights| weights.memory(&self.model)),
            self.timeout_margin,
            self.time,
        )
    }

    fn lock_idle(&self) -> MutexGuard<'_, Vec<Process>> {
        // A panic cannot leave the list of processes half changed.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn cannot_start(error: &io::Error) -> Error {
    Error::Config(format!(
        "a process that decodes photos cannot be started: {error}; with `limits.isolate = false` in the settings, \
         fer-index decodes them itself"
    ))
}
