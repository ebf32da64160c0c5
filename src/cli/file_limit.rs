//! A limit of the size of files (`ulimit -f`) fails a write, as a full disk does, instead of ending the process.

use rustix::process::Signal;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

/// Makes a write beyond the limit fail with an error from now on. It sends SIGXFSZ too, which ends a process without a word
/// unless it is handled, here by nothing at all.
pub(super) fn report() {
    // The handler stays when the runtime is gone. Without it the limit works as before.
    if let Ok(runtime) = Builder::new_current_thread().enable_io().build() {
        let _guard = runtime.enter();
        let _ = signal(SignalKind::from_raw(Signal::XFSZ.as_raw()));
    }
}
