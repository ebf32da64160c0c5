//! The daemon: holds the folders against the index, then follows them.
//!
//! tokio drives what waits (signals, timers, the socket) on the main thread. The `follower` has a
//! thread of its own: it takes the changes in order, decides what is to be read and hands it to the
//! pipeline, whose threads do the work. A change is only a hint to look at a path; what is done
//! depends on what is there then and on what the index knows, so a hint that is lost, doubled or
//! late does no harm.
//!
//! ```text
//! album::watch ──changes──▶ follower ──queue──▶ pipeline ──▶ store
//!                  signals, socket ──requests──▲   └──done──▲
//! ```

mod follower;
mod handle;
mod lock;
mod queue;
mod roots;
pub mod service;
mod socket;
mod status;
mod turn;
mod waiters;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use crate::album::Filter;
use crate::error::{Error, Result};
use crate::pipeline::Analyser;
use crate::store::{Models, Store};
use fer_nn::allocator;

use follower::Follower;
use handle::{Handle, Request};
use lock::Lock;

pub use socket::{activity, wait_until_fresh};
pub use status::{Activity, ModelsStatus, RootState, RootStatus, Status};

/// How long the photos in flight may take after the daemon was told to stop.
const LAST_WORDS: Duration = Duration::from_millis(4500);

/// What the settings say; read again on SIGHUP.
pub struct Setup {
    /// Folders to follow, absolute.
    pub roots: Vec<PathBuf>,
    /// Which names count.
    pub filter: Filter,
    /// Worker threads.
    pub threads: NonZeroUsize,
    /// Most folders to watch; zero for half of what the system allows.
    pub max_watches: usize,
    /// For how long a file that nobody closed has to stay as it is.
    pub settle: Duration,
    /// Time between comparisons of the folders with the index.
    pub rescan: Duration,
    /// Time between looks at folders that cannot be watched.
    pub poll: Duration,
    /// For how long a photo that is gone is kept.
    pub keep: Duration,
    /// The models by which what is in the index is current.
    pub models: Models,
    /// Loads them, when there is work for them.
    pub load: Box<dyn Fn() -> Result<Analyser> + Send>,
}

/// Reads the settings.
pub type Settings = Box<dyn Fn() -> Result<Setup> + Send>;

/// Follows the folders of the settings until it is told to stop, with SIGTERM or Ctrl-C; a second
/// signal stops it at once. SIGHUP makes it read the settings again.
///
/// # Errors
/// What keeps it from starting: another daemon with this database, wrong settings, a file that is no
/// model. What goes wrong later it reports, and tries again.
pub fn run(database: &Path, settings: Settings) -> Result<()> {
    allocator::use_one_arena();
    let database = std::path::absolute(database).map_err(|source| Error::Io {
        path: database.to_owned(),
        source,
    })?;
    let store = Store::open(&database)?;
    let _lock = Lock::take(&database)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| cannot_start(&error))?;
    let result = runtime.block_on(async {
        let signals = Signals::new().map_err(|error| cannot_start(&error))?;
        let listener = socket::listen(&database)?;
        let follower = Follower::new(store, settings)?;
        let handle = follower.handle();
        let (ended, end) = oneshot::channel();
        std::thread::Builder::new()
            .name("follower".into())
            .spawn(move || {
                follower.run();
                ended.send(())
            })
            .map_err(|error| cannot_start(&error))?;
        tokio::spawn(socket::serve(listener, handle.clone()));
        tokio::spawn(keep_supervisor_informed(handle.clone()));
        supervise(signals, &handle, end).await
    });
    socket::remove(&database);
    runtime.shutdown_background();
    result
}

fn cannot_start(error: &std::io::Error) -> Error {
    Error::Usage(format!("the system does not let the daemon start: {error}"))
}

/// A file that belongs to the database: its name with another ending.
fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
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
    mut end: oneshot::Receiver<()>,
) -> Result<()> {
    loop {
        tokio::select! {
            ended = &mut end => return ended.map_err(|_| panicked()),
            () = signals.stop.recv() => break,
            _ = signals.hang_up.recv() => {
                tracing::info!("reading the settings again");
                follower.ask(Request::Reload);
            }
        }
    }
    tracing::info!("stopping");
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    follower.stop();
    tokio::select! {
        ended = end => ended.map_err(|_| panicked()),
        () = signals.stop.recv() => Ok(()),
        () = tokio::time::sleep(LAST_WORDS) => {
            tracing::info!("some photos took too long and are left for the next start");
            Ok(())
        }
    }
}

fn panicked() -> Error {
    Error::Usage("the daemon met a bug and stopped; please report what it logged".into())
}

/// Tells systemd when the folders have been held against the index, and then that the daemon is
/// alive, as long as the follower is.
async fn keep_supervisor_informed(follower: Handle) {
    use sd_notify::NotifyState;
    follower.ready().await;
    let _ = sd_notify::notify(&[NotifyState::Ready]);
    tracing::info!("ready");
    let Some(limit) = sd_notify::watchdog_enabled() else {
        return;
    };
    let mut pulse = tokio::time::interval(limit / 3);
    loop {
        pulse.tick().await;
        if follower.is_alive(limit) {
            let _ = sd_notify::notify(&[NotifyState::Watchdog]);
        }
    }
}
