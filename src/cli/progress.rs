//! The progress bar on standard error.

use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};

use crate::pipeline::{IndexObserver, Summary};

/// Shows the number of photos processed, photos per second, and the remaining time.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// A progress bar; hidden if standard error is not a terminal, or with `quiet`.
    pub fn new(quiet: bool) -> Self {
        if quiet {
            return Self(ProgressBar::hidden());
        }
        let style = ProgressStyle::with_template(
            "{bar:30} {human_pos}/{human_len} photos, {per_sec:.1}, {eta} left  {msg}",
        )
        .expect("the template is valid");
        Self(ProgressBar::no_length().with_style(style))
    }

    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}

impl IndexObserver for Progress {
    fn planned(&self, files: u64) {
        self.0.set_length(files);
    }

    fn done(&self, _: &Path, so_far: &Summary) {
        self.0.set_message(format!("{} faces", so_far.faces));
        self.0.inc(1);
    }
}
