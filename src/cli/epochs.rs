//! How a training run is followed: a bar for the epoch, a line for each one done.

use std::ops::ControlFlow;

use indicatif::{ProgressBar, ProgressStyle};

use super::output::Stdout;
use fer_train::Observer;
use fer_train::metrics::{EpochMetrics, Measure};

/// Shows a bar on standard error and prints a line for each epoch.
pub(super) struct Epochs<'a> {
    of: usize,
    runs: usize,
    bar: ProgressBar,
    out: &'a mut Stdout,
}

impl<'a> Epochs<'a> {
    /// For runs of at most `epochs`.
    pub fn new(epochs: usize, out: &'a mut Stdout) -> Self {
        Self {
            of: epochs,
            runs: 0,
            out,
            bar: ProgressBar::hidden(),
        }
    }

    /// A reader that has gone is no reason to end a run of hours.
    fn print(&mut self, line: std::fmt::Arguments) {
        let told = self.out.line(line).and_then(|()| self.out.flush());
        if told.is_err() {
            tracing::debug!("nobody reads the epochs any more");
        }
    }
}

impl Observer for Epochs<'_> {
    fn run_started(&mut self, name: &str, runs: usize) {
        self.runs += 1;
        let run = self.runs;
        self.print(format_args!("run {run}/{runs}: {name}"));
    }

    fn epoch_started(&mut self, epoch: usize, images: usize) {
        let template = "{prefix} {wide_bar} {pos}/{len} images, {per_sec}, loss {msg}, {eta} left";
        self.bar = ProgressBar::new(images as u64)
            .with_prefix(format!("epoch {epoch}/{}", self.of))
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
            figures(&metrics.train),
            figures(&metrics.validation),
            if best { " *" } else { "" },
            metrics.images_per_second
        ));
        ControlFlow::Continue(())
    }
}

/// Loss and accuracies in a few words.
pub(super) fn figures(measure: &Measure) -> String {
    let heads = measure.accuracy.iter();
    let heads: Vec<String> = heads
        .map(|(name, accuracy)| format!("{name} {:.1} %", 100.0 * accuracy))
        .collect();
    format!("{:.3} {}", measure.loss, heads.join(" "))
}
