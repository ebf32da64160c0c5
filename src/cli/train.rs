//! `fer-index train`: fits a network to a data set by a recipe.

use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::Outcome;
use super::output::Stdout;
use crate::error::Result;
use crate::train::dataset::Dataset;
use crate::train::metrics::{EpochMetrics, Measure};
use crate::train::{Observer, Recipe, Run};

/// Train a network by a recipe; goes on where an interrupted run was left.
#[derive(Debug, Args)]
pub(super) struct TrainArgs {
    /// The recipe, such as config/recipes/first.toml.
    #[arg(long, value_name = "FILE")]
    recipe: PathBuf,
    /// The data set, as `dataset import` writes it.
    #[arg(long, default_value = "fer2013.safetensors", value_name = "FILE")]
    data: PathBuf,
    /// Folder of the run; by default runs/ and the recipe's name.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Change a value of the recipe, such as `optimizer.learning_rate=0.05`.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

pub(super) fn run(args: &TrainArgs, out: &mut Stdout) -> Result<Outcome> {
    let recipe = Recipe::load(&args.recipe, &args.set)?;
    let dataset = Dataset::load(&args.data)?;
    let folder = args
        .out
        .clone()
        .unwrap_or_else(|| PathBuf::from("runs").join(&recipe.name));
    let mut run = Run::new(&recipe, &dataset, &folder)?;
    let done = run.history().len();
    if done > 0 {
        out.line(format_args!("going on after epoch {done}"))?;
    }
    run.fit(&mut Progress::new(recipe.epochs, out))?;
    out.line(format_args!(
        "the best weights are {}",
        folder.join("best.safetensors").display()
    ))?;
    Ok(Outcome::Found)
}

/// Shows a bar for the epoch and prints a line for each one done.
struct Progress<'a> {
    epochs: usize,
    bar: ProgressBar,
    out: &'a mut Stdout,
}

impl<'a> Progress<'a> {
    fn new(epochs: usize, out: &'a mut Stdout) -> Self {
        Self {
            epochs,
            out,
            bar: ProgressBar::hidden(),
        }
    }
}

impl Observer for Progress<'_> {
    fn epoch_started(&mut self, epoch: usize, images: usize) {
        let template = "{prefix} {wide_bar} {pos}/{len} images, {per_sec}, loss {msg}, {eta} left";
        self.bar = ProgressBar::new(images as u64)
            .with_prefix(format!("epoch {epoch}/{}", self.epochs))
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
        let told = self.out.line(format_args!(
            "epoch {:>3}  rate {:.4}  train {}  validation {}{}  {:.0} images/s",
            metrics.epoch,
            metrics.learning_rate,
            figures(&metrics.train),
            figures(&metrics.validation),
            if best { " *" } else { "" },
            metrics.images_per_second
        ));
        // A reader that has gone is no reason to end a run of hours.
        if told.and_then(|()| self.out.flush()).is_err() {
            tracing::debug!("nobody reads the epochs any more");
        }
        ControlFlow::Continue(())
    }
}

fn figures(measure: &Measure) -> String {
    let heads = measure.accuracy.iter();
    let heads: Vec<String> = heads
        .map(|(name, accuracy)| format!("{name} {:.1} %", 100.0 * accuracy))
        .collect();
    format!("{:.3} {}", measure.loss, heads.join(" "))
}
