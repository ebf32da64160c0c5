//! Handles Ctrl-C while photos are indexed: the photos in progress are finished and kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::stderr;
use crate::error::{Error, Result};

/// Becomes true at the first Ctrl-C (or SIGTERM).
#[derive(Debug, Clone, Default)]
pub(super) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Watches for Ctrl-C from now on. The second one ends the process immediately; committed results stay.
    ///
    /// # Errors
    /// If the system does not report signals.
    pub fn watch() -> Result<Self> {
        let interrupt = Self::default();
        let explain = |source| Error::Io {
            path: "the system's signals".into(),
            source,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(explain)?;
        let seen = interrupt.clone();
        // Registered before the first photo is read, so that no signal is missed.
        let mut signals = {
            let _guard = runtime.enter();
            Signals::new().map_err(explain)?
        };
        std::thread::Builder::new()
            .name("interrupt".into())
            .spawn(move || {
                runtime.block_on(async {
                    signals.recv().await;
                    seen.0.store(true, Ordering::Relaxed);
                    stderr::print(
                        "\nfer-index: stopping when the photos in progress are finished; Ctrl-C again stops at once",
                    );
                    signals.recv().await;
                    end_process();
                });
            })
            .map_err(explain)?;
        Ok(interrupt)
    }

    /// Whether the run should stop: after Ctrl-C or SIGTERM.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Ends the process without unwinding, as an uncaught signal does.
fn end_process() {
    #[cfg(unix)]
    {
        use rustix::process::{Signal, getpid, kill_process};
        let _ = kill_process(getpid(), Signal::KILL);
    }
    #[cfg(not(unix))]
    std::process::abort();
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn recv(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    #[allow(clippy::unnecessary_wraps, reason = "on Unix it can fail")]
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn recv(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
