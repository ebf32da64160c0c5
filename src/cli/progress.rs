//! The progress bar on standard error.

use std::fmt::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use super::interrupt::Interrupt;
use crate::pipeline::{IndexObserver, Summary};

/// Shows the number of photos processed, photos per second, and the remaining time.
pub(super) struct Progress {
    bar: ProgressBar,
    interrupt: Interrupt,
    planned: AtomicU64,
    done: AtomicU64,
}

impl Progress {
    /// A progress bar; hidden if standard error is not a terminal, or with `quiet`. The run stops at an
    /// `interrupt`.
    pub fn new(quiet: bool, interrupt: Interrupt) -> Self {
        Self {
            bar: if quiet {
                ProgressBar::hidden()
            } else {
                Self::bar()
            },
            interrupt,
            planned: AtomicU64::new(0),
            done: AtomicU64::new(0),
        }
    }

    fn bar() -> ProgressBar {
        let style = ProgressStyle::with_template(
            "{bar:30} {human_pos} of {human_len} photos, {rate}, {eta} left  {msg}",
        )
        .expect("the template is valid")
        .with_key("rate", |state: &ProgressState, out: &mut dyn Write| {
            // Writing to memory does not fail.
            let _ = out.write_str(&rate(state.per_sec()));
        });
        ProgressBar::no_length().with_style(style)
    }

    /// The numbers of files processed and to be processed, if the run was interrupted before its end.
    pub fn interrupted(&self) -> Option<(u64, u64)> {
        let (done, planned) = (&self.done, &self.planned);
        let (done, planned) = (
            done.load(Ordering::Relaxed),
            planned.load(Ordering::Relaxed),
        );
        (self.interrupt.is_set() && done < planned).then_some((done, planned))
    }

    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// A rate in words, in a unit in which it needs no fraction.
fn rate(per_second: f64) -> String {
    if per_second >= 2.0 {
        format!("{per_second:.0} a second")
    } else {
        format!("{:.0} a minute", 60.0 * per_second)
    }
}

impl IndexObserver for Progress {
    fn planned(&self, files: u64) {
        self.planned.store(files, Ordering::Relaxed);
        self.bar.set_length(files);
    }

    fn done(&self, _: &Path, so_far: &Summary) {
        self.done.fetch_add(1, Ordering::Relaxed);
        self.bar.set_message(format!("{} faces", so_far.faces));
        self.bar.inc(1);
    }

    fn is_stopped(&self) -> bool {
        self.interrupt.is_set()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_no_fraction() {
        assert_eq!(rate(12.34), "12 a second");
        assert_eq!(rate(0.75), "45 a minute");
        assert_eq!(rate(0.0), "0 a minute");
    }
}
