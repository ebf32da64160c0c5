//! The training loop.

mod folder;
mod inputs;
mod run_lock;
mod step;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::Path;
use std::thread;
use std::time::Instant;

use candle_core::{Tensor, Var};
use candle_nn::VarMap;
use rand::Rng;

use super::batch::{Batches, unaugmented};
use super::checkpoint::Progress;
use super::dataset::{Dataset, Usage};
use super::ema::Ema;
use super::metrics::{EpochMetrics, PassMetrics, Tally};
use super::optimizer::Optimizer;
use super::random::{Purpose, rng};
use super::recipe::Recipe;
use super::sam::Sam;
use super::targets::Targets;
use super::teachers::{TeacherMode, Teachers};
use super::weights::{self, model_error};
use crate::network::Network;
use fer_core::error::{Error, Result};
use run_lock::RunLock;

pub use folder::RunFolder;
pub use inputs::RunInputs;

/// Images per validation step; the metrics do not depend on it.
const VALIDATION_BATCH: usize = 128;

/// Follows the progress of training; two of the methods can end the run.
pub trait TrainingObserver {
    /// One of `runs` runs begins: a fold of a cross-validation, or a combination of a sweep.
    fn run_started(&mut self, _name: &str, _runs: usize) {}

    /// The run was begun before and `epochs` of its epochs are done; if `finished`, none is left to train.
    fn run_resumed(&mut self, _epochs: usize, _finished: bool) {}

    /// Epoch `epoch` (from 1) of at most `epochs`, with `images` images, begins.
    fn epoch_started(&mut self, _epoch: usize, _epochs: usize, _images: usize) {}

    /// A batch is finished. Ending the run here loses the current epoch, as a crash does.
    fn batch_done(&mut self, _images: usize, _loss: f64) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// An epoch is finished and saved; `best` if it is the best so far.
    fn epoch_done(&mut self, _metrics: &EpochMetrics, _best: bool) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// Ignores everything.
impl TrainingObserver for () {}

/// The training rows and validation rows of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowSplit {
    /// Rows to train on; a run leaves out those with too few votes.
    pub training: Vec<usize>,
    /// Rows that choose the best epoch. If the run trains on some of them, it keeps the last epoch.
    pub validation: Vec<usize>,
}

impl RowSplit {
    /// FER2013's own division: the parts in the recipe's `train_on`, and `PublicTest` for validation.
    fn of(recipe: &Recipe, dataset: &Dataset) -> Self {
        Self {
            training: recipe.training_rows(dataset),
            validation: dataset.indices(Usage::PublicTest),
        }
    }

    /// Whether a row is both a training and a validation row.
    fn overlap(&self) -> bool {
        let training: HashSet<usize> = self.training.iter().copied().collect();
        self.validation.iter().any(|row| training.contains(row))
    }
}

/// A training run in its folder.
pub struct Run<'a> {
    recipe: &'a Recipe,
    dataset: &'a Dataset,
    rows: RowSplit,
    /// Whether no validation row is a training row, so that the validation accuracy can choose the best epoch.
    held_out: bool,
    folder: RunFolder,
    targets: Targets,
    /// Teachers that predict at each step; `None` for those that predict once before the run.
    teachers: Option<Teachers>,
    weights: VarMap,
    network: Network,
    ema: Option<Ema>,
    optimizer: Optimizer,
    sam: Option<Sam>,
    progress: Progress,
    _lock: RunLock,
}

impl<'a> Run<'a> {
    /// Prepares a run with FER2013's own division; an interrupted run in `folder` continues after its last
    /// finished epoch.
    ///
    /// # Errors
    /// If recipe and data do not fit, if another process trains in the folder, or if the folder has a run of another recipe
    /// or on other data, or one whose best weights are gone.
    pub fn new(recipe: &'a Recipe, dataset: &'a Dataset, folder: &Path) -> Result<Self> {
        Self::with_rows(recipe, dataset, RowSplit::of(recipe, dataset), folder)
    }

    /// [`Run::new`] with another division.
    ///
    /// # Errors
    /// As for [`Run::new`].
    pub fn with_rows(
        recipe: &'a Recipe,
        dataset: &'a Dataset,
        mut rows: RowSplit,
        folder: &Path,
    ) -> Result<Self> {
        Targets::check_votes(recipe.targets, &recipe.network.heads, dataset)?;
        Targets::retain_trainable(recipe.targets, dataset, &mut rows.training);
        if rows.training.is_empty() || rows.validation.is_empty() {
            return Err(Error::Usage(
                "the data set has no training rows or no validation rows; import one that has both"
                    .to_owned(),
            ));
        }
        let targets = Targets::new(
            recipe.targets,
            &recipe.network.heads,
            dataset,
            &rows.training,
        )?;
        let teachers = Teachers::load(&recipe.teachers, &recipe.network)?;
        // Before the checkpoint is read: a process that waited for its teachers would go on from one that is outdated.
        let lock = RunLock::take(folder)?;
        let (before, teachers) = match teachers {
            Some(teachers) if teachers.mode() == TeacherMode::Once => (Some(teachers), None),
            teachers => (None, teachers),
        };
        let predictions = before.map(|teachers| teachers.predict(dataset, &rows.training));
        let targets = targets.with_teacher_predictions(predictions.transpose()?);
        let inputs = RunInputs::new(recipe, dataset, &rows)?;
        let (weights, network) = weights::build_network(&recipe.network).map_err(model_error)?;
        let copied = recipe.start.apply(&weights, recipe.seed)?;
        if recipe.start.init.is_some() {
            tracing::info!("copied {} initial weights from a model", copied.len());
        }
        let ema = recipe
            .ema
            .map(|decay| Ema::new(&recipe.network, &weights, decay))
            .transpose()
            .map_err(model_error)?;
        let mut trainable = weights::sorted_variables(&weights);
        trainable.retain(|(name, _)| recipe.start.is_trained(name));
        let radius = recipe.optimizer.sharpness_radius;
        let sam = (radius > 0.0).then(|| {
            Sam::new(
                radius,
                variables(&weights::sorted_variables(&weights)),
                variables(&trainable),
            )
        });
        let mut run = Self {
            recipe,
            dataset,
            held_out: !rows.overlap(),
            rows,
            folder: RunFolder::new(folder),
            targets,
            teachers,
            network,
            ema,
            weights,
            optimizer: Optimizer::new(recipe.optimizer.clone(), trainable).map_err(model_error)?,
            sam,
            progress: Progress::new(recipe, inputs),
            _lock: lock,
        };
        run.resume()?;
        Ok(run)
    }

    /// Restores the checkpoint in the folder, if there is one.
    fn resume(&mut self) -> Result<()> {
        let Some(checkpoint) = self.folder.load_checkpoint()? else {
            return Ok(());
        };
        // Compares parsed recipes, because a later version may write more defaults.
        if Recipe::parse(&checkpoint.progress.recipe, &[])? != *self.recipe {
            return Err(Error::Usage(format!(
                "{} holds a run of another recipe; give another folder",
                self.folder.path().display()
            )));
        }
        let inputs = self.progress.inputs.take();
        if let (Some(before), Some(now)) = (&checkpoint.progress.inputs, &inputs) {
            before.check(now, self.folder.path())?;
        }
        checkpoint.restore(&self.state()).map_err(model_error)?;
        self.optimizer.set_steps(checkpoint.progress.steps);
        self.progress = checkpoint.progress;
        // Of a run of an earlier version nothing is known: it may continue, and belongs to these data from now on.
        self.progress.inputs = inputs;
        self.check_best()
    }

    /// Checks that the best weights so far are there, or can be written again because they are those of the checkpoint.
    fn check_best(&self) -> Result<()> {
        let (done, file) = (self.history().len(), self.folder.best());
        match self.best() {
            Some(best) if best.epoch != done && !file.exists() => Err(Error::Usage(format!(
                "{} with the weights of epoch {} is gone, and the checkpoint has only those of epoch {done}; put it back, \
                 or give another folder to train anew",
                file.display(),
                best.epoch
            ))),
            _ => Ok(()),
        }
    }

    /// Writes the best weights again if their file is gone and the last epoch was the best, whose weights the checkpoint
    /// has.
    fn restore_best(&self) -> Result<()> {
        match self.best() {
            Some(best) if best.epoch == self.history().len() && !self.folder.best().exists() => {
                self.save_best(best)
            }
            _ => Ok(()),
        }
    }

    /// Writes the weights of this moment as the best ones.
    fn save_best(&self, metrics: &EpochMetrics) -> Result<()> {
        let weights = self.ema.as_ref().map_or(&self.weights, Ema::weights);
        let dataset = self.progress.inputs.as_ref().map(RunInputs::dataset);
        self.folder
            .save_best(self.recipe, dataset, metrics, weights)
    }

    /// Trains to the end, or until the observer ends the run.
    ///
    /// # Errors
    /// If the loss is not finite, or a file cannot be written: because of the file system, or because a file that this
    /// program did not write or that somebody changed is in the way. Files that are in the way from the start are
    /// reported before the first step.
    pub fn fit(&mut self, observer: &mut dyn TrainingObserver) -> Result<()> {
        if !self.history().is_empty() {
            self.restore_best()?;
            observer.run_resumed(self.history().len(), self.finished());
        }
        if !self.finished() {
            self.folder.check(self.recipe)?;
            self.folder.save_recipe(self.recipe)?;
        }
        while !self.finished() {
            let Some(metrics) = self.epoch(observer)? else {
                break;
            };
            let best = self.is_best(&metrics);
            if best {
                self.save_best(&metrics)?;
            }
            self.progress.history.push(metrics.clone());
            self.progress.steps = self.optimizer.steps();
            self.folder.save_progress(&self.progress, &self.state())?;
            self.folder.save_plots(self.recipe, self.history())?;
            if observer.epoch_done(&metrics, best).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// The metrics of the finished epochs.
    pub fn history(&self) -> &[EpochMetrics] {
        &self.progress.history
    }

    /// The best epoch so far, the first of equal ones; the last epoch if no validation row is held out.
    pub fn best(&self) -> Option<&EpochMetrics> {
        let better = |a, b| if self.is_better(b, a) { b } else { a };
        self.history().iter().reduce(better)
    }

    /// The folder with its files.
    pub const fn folder(&self) -> &RunFolder {
        &self.folder
    }

    fn finished(&self) -> bool {
        let done = self.history().len();
        let waited = done - self.best().map_or(0, |metrics| metrics.epoch);
        done >= self.recipe.epochs || self.recipe.early_stopping.is_some_and(|n| waited > n)
    }

    fn is_best(&self, metrics: &EpochMetrics) -> bool {
        self.best().is_none_or(|best| self.is_better(metrics, best))
    }

    /// Whether the weights of a later epoch replace those of an earlier one.
    fn is_better(&self, later: &EpochMetrics, earlier: &EpochMetrics) -> bool {
        !self.held_out || self.score(later) > self.score(earlier)
    }

    /// The value by which epochs are compared: the validation accuracy of the first head.
    fn score(&self, metrics: &EpochMetrics) -> f64 {
        let head = self.head_names().next();
        head.and_then(|name| metrics.validation.accuracy.get(name).copied())
            .unwrap_or(0.0)
    }

    fn head_names(&self) -> impl Iterator<Item = &str> {
        let heads = self.recipe.network.heads.iter();
        heads.map(|head| head.name.as_str())
    }

    /// The variables of a checkpoint, by name.
    fn state(&self) -> Vec<(String, Var)> {
        let ema = self.ema.as_ref().map(Ema::weights);
        [
            ("weights", weights::sorted_variables(&self.weights)),
            ("optimizer", self.optimizer.state()),
            (
                "average",
                ema.map(weights::sorted_variables).unwrap_or_default(),
            ),
        ]
        .into_iter()
        .flat_map(|(part, variables)| {
            let named = variables.into_iter();
            named.map(move |(name, variable)| (format!("{part}.{name}"), variable))
        })
        .collect()
    }

    /// Trains and validates one epoch; `None` if the observer ends it.
    fn epoch(&mut self, observer: &mut dyn TrainingObserver) -> Result<Option<EpochMetrics>> {
        let start = Instant::now();
        let epoch = self.history().len();
        let Some((tally, learning_rate)) = self.train(epoch, observer)? else {
            return Ok(None);
        };
        let training_time = start.elapsed().as_secs_f64();
        let validation = self.validate().map_err(model_error)?;
        Ok(Some(EpochMetrics {
            epoch: epoch + 1,
            learning_rate,
            images_per_second: tally.rows() as f64 / training_time,
            train: tally.finish(self.head_names()),
            validation,
            seconds: start.elapsed().as_secs_f64(),
        }))
    }

    /// Takes the steps of an epoch (from 0); returns its tally and the last learning rate, or `None` if the
    /// observer ends it.
    fn train(
        &mut self,
        epoch: usize,
        observer: &mut dyn TrainingObserver,
    ) -> Result<Option<(Tally, f64)>> {
        let recipe = self.recipe;
        let losses: Vec<f64> = self.history().iter().map(|m| m.validation.loss).collect();
        let weights = self.targets.head_weights();
        let batches = Batches {
            dataset: self.dataset,
            rows: &self.rows.training,
            targets: &self.targets,
            augmentation: &recipe.augment,
            pixels: recipe.network.pixels,
            sampling: recipe.sampling,
            batch_size: recipe.batch_size,
            epochs: recipe.epochs,
            seed: recipe.seed,
        };
        let steps = batches.per_epoch();
        let images = steps * batches.batch_len();
        observer.epoch_started(epoch + 1, recipe.epochs, images);
        let (network, ema, optimizer) = (&self.network, &self.ema, &mut self.optimizer);
        let sam = &self.sam;
        let (mut tally, mut learning_rate) = (Tally::default(), 0.0);
        thread::scope(|scope| {
            for (index, mut batch) in batches.spawn(epoch, scope).into_iter().enumerate() {
                if let Some(teachers) = &self.teachers {
                    teachers.mix_predictions_into(&mut batch);
                }
                let time = epoch as f64 + (index + 1) as f64 / steps as f64;
                let factor = recipe.schedule.factor(time, recipe.epochs, &losses);
                learning_rate = recipe.optimizer.learning_rate * factor;
                let dropout = rng(recipe.seed, Purpose::Dropout, epoch, index as u64).random();
                let images = step::images(&batch).map_err(model_error)?;
                let forward = || -> candle_core::Result<(Vec<Tensor>, Tensor)> {
                    let logits = network.forward_train(&images, dropout)?;
                    let loss = step::loss(recipe.loss, &weights, &logits, &batch)?;
                    Ok((logits, loss))
                };
                let mut step = || -> candle_core::Result<f64> {
                    let (logits, loss) = forward()?;
                    let value = step::scalar(&loss)?;
                    let mut gradients = loss.backward()?;
                    if let Some(sam) = sam {
                        gradients = sam.gradients(&gradients, || forward()?.1.backward())?;
                    }
                    optimizer.step(&gradients, learning_rate)?;
                    if let Some(ema) = ema {
                        ema.update(optimizer.steps())?;
                    }
                    step::tally(&mut tally, value, &logits, &batch)?;
                    Ok(value)
                };
                let loss = step().map_err(model_error)?;
                if !loss.is_finite() {
                    return Err(Error::Diverged(format!(
                        "the loss became {loss} in epoch {}; try a lower learning rate",
                        epoch + 1
                    )));
                }
                if observer.batch_done(batch.len, loss).is_break() {
                    return Ok(None);
                }
            }
            Ok(Some((tally, learning_rate)))
        })
    }

    fn validate(&self) -> candle_core::Result<PassMetrics> {
        let network = self.ema.as_ref().map_or(&self.network, Ema::network);
        let weights = self.targets.head_weights();
        let mut tally = Tally::default();
        for rows in self.rows.validation.chunks(VALIDATION_BATCH) {
            let batch = unaugmented(
                self.dataset,
                &self.targets,
                self.recipe.network.pixels,
                rows,
            );
            let logits = network.forward_eval(&step::images(&batch)?)?;
            let loss = step::scalar(&step::loss(self.recipe.loss, &weights, &logits, &batch)?)?;
            step::tally(&mut tally, loss, &logits, &batch)?;
        }
        Ok(tally.finish(self.head_names()))
    }
}

fn variables(named: &[(String, Var)]) -> Vec<Var> {
    named.iter().map(|(_, variable)| variable.clone()).collect()
}
