//! The daemon: reconciles the roots with the index, then follows changes in them.
//!
//! tokio handles signals, timers and the socket on the main thread. The `follower` has a thread of its
//! own: it takes changes in order, decides which files have to be read, and queues them for the pipeline,
//! whose threads process them. A change is only a hint to check a path. What is done depends on the file
//! and on the index at the time of the check, so a hint that is lost, duplicated or late does no harm.
//!
//! ```text
//! album::watch ──changes──▶ follower ──queue──▶ pipeline ──▶ store
//!                  signals, socket ──messages──▲   └──done──▲
//! ```

mod batch;
mod follower;
mod handle;
mod learner;
mod lock;
mod mount_table;
mod queue;
mod roots;
pub mod service;
mod socket;
mod status;
mod waiters;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use crate::album::AlbumFilter;
use crate::error::{Error, Result};
use crate::pipeline::Analyser;
use crate::store::{FactRules, Models, Store};
use fer_nn::allocator;

use follower::Follower;
use handle::{Handle, Message};
use lock::Lock;

pub use socket::{activity, wait_until_fresh};
pub use status::{Activity, ModelsStatus, RootState, RootStatus, Status};

/// How long the photos in flight may take after a signal to stop.
const STOP_TIMEOUT: Duration = Duration::from_millis(4500);

/// The daemon's settings, read again on SIGHUP.
pub struct Setup {
    /// The database of the settings. The daemon keeps the one with which it started.
    pub database: PathBuf,
    /// Folders to follow, as absolute paths. Symbolic links in them are resolved anew whenever that may change something.
    pub roots: Vec<PathBuf>,
    /// Which files and folders are admitted by their names.
    pub filter: AlbumFilter,
    /// Number of worker threads.
    pub threads: NonZeroUsize,
    /// Maximum number of folders to watch; zero for half of the system's limit.
    pub max_watches: usize,
    /// How long a file must keep its size and time if no close is reported for it.
    pub debounce: Duration,
    /// Interval at which all roots are reconciled.
    pub rescan: Duration,
    /// Interval at which folders that cannot be watched are scanned.
    pub poll: Duration,
    /// Grace period after which a photo without a file is deleted from the index.
    pub keep: Duration,
    /// The settings that determine which facts of photos count.
    pub facts: FactRules,
    /// Names of the models in use; rows of other models are out of date.
    pub models: Models,
    /// Loads the models for a batch run.
    pub load: Box<dyn Fn() -> Result<Analyser> + Send>,
}

/// Reads the settings.
pub type Settings = Box<dyn Fn() -> Result<Setup> + Send>;

/// Follows the folders of the settings until SIGTERM or Ctrl-C, then waits up to 4.5 s for the photos in flight; a second
/// signal ends the wait. On SIGHUP it reads the settings again.
///
/// # Errors
/// If the daemon cannot start, because another one runs for this database, the settings are invalid, or a model file
/// cannot be used; and if the database is deleted or replaced while the daemon runs. Other errors are logged, and the
/// work is retried.
pub fn run(database: &Path, settings: Settings) -> Result<()> {
    allocator::use_one_arena();
    let database = std::path::absolute(database).map_err(|source| Error::Io {
        path: database.to_owned(),
        source,
    })?;
    let store = Store::open(&database)?;
    let lock = Arc::new(Lock::take(&database)?);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| cannot_start(&error))?;
    let result = runtime.block_on(async {
        let signals = Signals::new().map_err(|error| cannot_start(&error))?;
        let listener = socket::listen(&database)?;
        let follower = Follower::new(store, Arc::clone(&lock), settings)?;
        let handle = follower.handle();
        let (ended, end) = oneshot::channel();
        std::thread::Builder::new()
            .name("follower".into())
            .spawn(move || ended.send(follower.run()))
            .map_err(|error| cannot_start(&error))?;
        tokio::spawn(socket::serve(listener, handle.clone()));
        tokio::spawn(keep_supervisor_informed(handle.clone()));
        supervise(signals, &handle, end).await
    });
    // If the database was replaced, the socket may be that of another daemon.
    if lock.is_in_place() {
        socket::remove(&database);
    }
    runtime.shutdown_background();
    result
}

fn cannot_start(error: &std::io::Error) -> Error {
    Error::Daemon(format!("the system cannot start the daemon: {error}"))
}

struct Signals {
    stop: StopSignals,
    hang_up: Signal,
}

struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            stop: StopSignals {
                terminate: signal(SignalKind::terminate())?,
                interrupt: signal(SignalKind::interrupt())?,
            },
            hang_up: signal(SignalKind::hangup())?,
        })
    }
}

impl StopSignals {
    async fn recv(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Waits for signals, and for the end of the follower.
async fn supervise(
    mut signals: Signals,
    follower: &Handle,
    mut end: oneshot::Receiver<Result<()>>,
) -> Result<()> {
    loop {
        tokio::select! {
            ended = &mut end => return ended.map_err(|_| panicked()).flatten(),
            () = signals.stop.recv() => break,
            _ = signals.hang_up.recv() => {
                tracing::info!("reading the settings again");
                follower.send(Message::Reload);
            }
        }
    }
    tracing::info!("stopping");
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    follower.stop();
    tokio::select! {
        ended = end => ended.map_err(|_| panicked()).flatten(),
        () = signals.stop.recv() => Ok(()),
        () = tokio::time::sleep(STOP_TIMEOUT) => {
            tracing::info!("photos that took too long will be processed after the next start");
            Ok(())
        }
    }
}

fn panicked() -> Error {
    Error::Internal("the daemon's follower panicked".into())
}

/// Notifies systemd when all roots have been reconciled, and then serves its watchdog as long as the
/// follower is alive.
async fn keep_supervisor_informed(follower: Handle) {
    use sd_notify::NotifyState;
    follower.ready().await;
    let _ = sd_notify::notify(&[NotifyState::Ready]);
    tracing::info!("ready");
    let Some(limit) = sd_notify::watchdog_enabled() else {
        return;
    };
    let mut interval = tokio::time::interval(limit / 3);
    loop {
        interval.tick().await;
        if follower.is_alive(limit) {
            let _ = sd_notify::notify(&[NotifyState::Watchdog]);
        }
    }
}
