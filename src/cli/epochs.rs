//! Shows the progress of training: a bar for the current epoch, a line for each finished one.

use std::ops::ControlFlow;

use indicatif::{ProgressBar, ProgressStyle};

use super::stdout::Stdout;
use fer_train::TrainingObserver;
use fer_train::metrics::{EpochMetrics, PassMetrics};

/// Shows a bar on standard error and prints a line for each epoch.
pub(super) struct EpochProgress<'a> {
    /// Runs started.
    runs: usize,
    bar: ProgressBar,
    out: &'a mut Stdout,
}

impl<'a> EpochProgress<'a> {
    /// Progress of runs that print to `out`.
    pub fn new(out: &'a mut Stdout) -> Self {
        Self {
            runs: 0,
            out,
            bar: ProgressBar::hidden(),
        }
    }

    /// Prints a line. A closed standard output must not end a run of hours.
    fn print(&mut self, line: std::fmt::Arguments) {
        let printed = self.out.line(line).and_then(|()| self.out.flush());
        if printed.is_err() {
            tracing::debug!("standard output is closed; the epoch is not printed");
        }
    }
}

impl TrainingObserver for EpochProgress<'_> {
    fn run_started(&mut self, name: &str, runs: usize) {
        self.runs += 1;
        let run = self.runs;
        self.print(format_args!("run {run}/{runs}: {name}"));
    }

    fn run_resumed(&mut self, epochs: usize, finished: bool) {
        if finished {
            self.print(format_args!(
                "the run is finished after epoch {epochs}; nothing was trained"
            ));
        } else {
            self.print(format_args!("continuing after epoch {epochs}"));
        }
    }

    fn epoch_started(&mut self, epoch: usize, epochs: usize, images: usize) {
        let template = "{prefix} {wide_bar} {pos}/{len} images, {per_sec}, loss {msg}, {eta} left";
        self.bar = ProgressBar::new(images as u64)
            .with_prefix(format!("epoch {epoch}/{epochs}"))
            .with_style(
                ProgressStyle::with_template(template)
                    .unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
    }

    fn batch_done(&mut self, images: usize, loss: f64) -> ControlFlow<()> {
        self.bar.set_message(format!("{loss:.3}"));
        self.bar.inc(images as u64);
        ControlFlow::Continue(())
    }

    fn epoch_done(&mut self, metrics: &EpochMetrics, best: bool) -> ControlFlow<()> {
        self.bar.finish_and_clear();
        self.print(format_args!(
            "epoch {:>3}  rate {:.4}  train {}  validation {}{}  {:.0} images/s",
            metrics.epoch,
            metrics.learning_rate,
            summary(&metrics.train),
            summary(&metrics.validation),
            if best { " *" } else { "" },
            metrics.images_per_second
        ));
        ControlFlow::Continue(())
    }
}

/// Loss and accuracies in one line.
pub(super) fn summary(metrics: &PassMetrics) -> String {
    let heads = metrics.accuracy.iter();
    let heads: Vec<String> = heads
        .map(|(name, accuracy)| format!("{name} {:.1} %", 100.0 * accuracy))
        .collect();
    format!("{:.3} {}", metrics.loss, heads.join(" "))
}
