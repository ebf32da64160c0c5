//! The training loop.

mod folder;
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

use super::average::Average;
use super::batch::{Batches, plain};
use super::checkpoint::Progress;
use super::dataset::{Dataset, Usage};
use super::metrics::{EpochMetrics, Measure, Tally};
use super::optimizer::Optimizer;
use super::random::{Purpose, rng};
use super::recipe::Recipe;
use super::sharpness::Sharpness;
use super::targets::Targets;
use super::teachers::{Asked, Teachers};
use super::weights::{self, model_error};
use crate::network::Network;
use fer_core::error::{Error, Result};

pub use folder::RunFolder;

/// Images in a validation step; any number gives the same figures.
const VALIDATION_BATCH: usize = 128;

/// Is told how a run goes on; each answer may end it.
pub trait Observer {
    /// One of so many runs begins: a fold, or a point of a sweep.
    fn run_started(&mut self, _name: &str, _runs: usize) {}

    /// An epoch (from 1) of so many images begins.
    fn epoch_started(&mut self, _epoch: usize, _images: usize) {}

    /// A batch is done. Ending here loses the epoch, as a crash would.
    fn batch_done(&mut self, _images: usize, _loss: f64) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// An epoch is done and saved; `best` if it is the best so far.
    fn epoch_done(&mut self, _metrics: &EpochMetrics, _best: bool) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// Looks away.
impl Observer for () {}

/// The rows that a run learns from and those it is judged by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    /// Rows to learn from; those with too few votes are left out of them.
    pub training: Vec<usize>,
    /// Rows to choose the best epoch by; where they are learned from too, the last one is kept.
    pub validation: Vec<usize>,
}

impl Rows {
    /// FER2013's own division: the parts that the recipe learns from, and `PublicTest`.
    fn of(recipe: &Recipe, dataset: &Dataset) -> Self {
        Self {
            training: recipe.training_rows(dataset),
            validation: dataset.indices(Usage::PublicTest),
        }
    }

    /// Whether the run learns from rows it should be judged by.
    fn overlap(&self) -> bool {
        let training: HashSet<usize> = self.training.iter().copied().collect();
        self.validation.iter().any(|row| training.contains(row))
    }
}

/// A training run.
pub struct Run<'a> {
    recipe: &'a Recipe,
    dataset: &'a Dataset,
    rows: Rows,
    /// Whether the validation rows can tell a better epoch.
    judged: bool,
    folder: RunFolder,
    targets: Targets,
    /// Those that are asked at each step.
    teachers: Option<Teachers>,
    weights: VarMap,
    network: Network,
    average: Option<Average>,
    optimizer: Optimizer,
    sharpness: Option<Sharpness>,
    progress: Progress,
}

impl<'a> Run<'a> {
    /// Starts a run by FER2013's own division, or takes up the one in `folder` where it was left.
    ///
    /// # Errors
    /// If recipe and data do not fit, or the folder holds the run of another recipe.
    pub fn new(recipe: &'a Recipe, dataset: &'a Dataset, folder: &Path) -> Result<Self> {
        Self::over(recipe, dataset, Rows::of(recipe, dataset), folder)
    }

    /// [`Run::new`] with a division of its own.
    ///
    /// # Errors
    /// As there.
    pub fn over(
        recipe: &'a Recipe,
        dataset: &'a Dataset,
        mut rows: Rows,
        folder: &Path,
    ) -> Result<Self> {
        Targets::retain_trainable(recipe.targets, dataset, &mut rows.training);
        if rows.training.is_empty() || rows.validation.is_empty() {
            return Err(Error::Usage(
                "the data set has no rows to train on or none to validate with".to_owned(),
            ));
        }
        let targets = Targets::new(
            recipe.targets,
            &recipe.network.heads,
            dataset,
            &rows.training,
        )?;
        let heads = &recipe.network.heads;
        let teachers = Teachers::load(&recipe.teachers, heads)?;
        let (before, teachers) = match teachers {
            Some(teachers) if teachers.asked() == Asked::Once => (Some(teachers), None),
            teachers => (None, teachers),
        };
        let answers = before.map(|teachers| teachers.answer(dataset, &rows.training));
        let targets = targets.taught_by(answers.transpose()?);
        let (weights, network) = weights::network(&recipe.network).map_err(model_error)?;
        let taken = recipe.start.apply(&weights, recipe.seed)?;
        if recipe.start.init.is_some() {
            tracing::info!("starting from {} weights of a model", taken.len());
        }
        let average = recipe
            .ema
            .map(|decay| Average::new(&recipe.network, &weights, decay))
            .transpose()
            .map_err(model_error)?;
        let mut trainable = weights::sorted(&weights);
        trainable.retain(|(name, _)| recipe.start.trains(name));
        let radius = recipe.optimizer.sharpness_radius;
        let sharpness = (radius > 0.0).then(|| {
            Sharpness::new(
                radius,
                variables(&weights::sorted(&weights)),
                variables(&trainable),
            )
        });
        let mut run = Self {
            recipe,
            dataset,
            judged: !rows.overlap(),
            rows,
            folder: RunFolder::new(folder),
            targets,
            teachers,
            network,
            average,
            weights,
            optimizer: Optimizer::new(recipe.optimizer, trainable).map_err(model_error)?,
            sharpness,
            progress: Progress::new(recipe),
        };
        run.resume()?;
        Ok(run)
    }

    fn resume(&mut self) -> Result<()> {
        let Some(checkpoint) = self.folder.load_checkpoint()? else {
            return Ok(());
        };
        // Parsed, because a later version may write more defaults.
        if Recipe::parse(&checkpoint.progress.recipe, &[])? != *self.recipe {
            return Err(Error::Usage(format!(
                "{} holds a run of another recipe; give another folder",
                self.folder.path().display()
            )));
        }
        checkpoint.restore(&self.state()).map_err(model_error)?;
        self.optimizer.set_steps(checkpoint.progress.steps);
        self.progress = checkpoint.progress;
        Ok(())
    }

    /// Trains to the end, or until the observer ends it.
    ///
    /// # Errors
    /// If the loss is no longer a number, a file cannot be written, or one that is not ours or that
    /// somebody changed is in the way; that is told before the first step where it is known then.
    pub fn fit(&mut self, observer: &mut dyn Observer) -> Result<()> {
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
                let weights = self
                    .average
                    .as_ref()
                    .map_or(&self.weights, Average::weights);
                self.folder.save_best(self.recipe, &metrics, weights)?;
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

    /// The epochs done so far.
    pub fn history(&self) -> &[EpochMetrics] {
        &self.progress.history
    }

    /// The best epoch so far, the earliest of equals; the last one where nothing can judge.
    pub fn best(&self) -> Option<&EpochMetrics> {
        let better = |a, b| if self.is_better(b, a) { b } else { a };
        self.history().iter().reduce(better)
    }

    /// Its files.
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

    /// Whether a later epoch is to be kept in place of an earlier one.
    fn is_better(&self, later: &EpochMetrics, earlier: &EpochMetrics) -> bool {
        !self.judged || self.score(later) > self.score(earlier)
    }

    /// The validation accuracy that epochs are compared by: that of the first head.
    fn score(&self, metrics: &EpochMetrics) -> f64 {
        let head = self.head_names().next();
        head.and_then(|name| metrics.validation.accuracy.get(name).copied())
            .unwrap_or(0.0)
    }

    fn head_names(&self) -> impl Iterator<Item = &str> {
        let heads = self.recipe.network.heads.iter();
        heads.map(|head| head.name.as_str())
    }

    /// Everything a checkpoint holds, by name.
    fn state(&self) -> Vec<(String, Var)> {
        let average = self.average.as_ref().map(Average::weights);
        [
            ("weights", weights::sorted(&self.weights)),
            ("optimizer", self.optimizer.state()),
            ("average", average.map(weights::sorted).unwrap_or_default()),
        ]
        .into_iter()
        .flat_map(|(part, variables)| {
            let named = variables.into_iter();
            named.map(move |(name, variable)| (format!("{part}.{name}"), variable))
        })
        .collect()
    }

    /// Trains and validates one epoch; `None` if the observer ends it.
    fn epoch(&mut self, observer: &mut dyn Observer) -> Result<Option<EpochMetrics>> {
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

    /// Takes the steps of an epoch (from 0); returns its figures and the last learning rate.
    fn train(&mut self, epoch: usize, observer: &mut dyn Observer) -> Result<Option<(Tally, f64)>> {
        let recipe = self.recipe;
        let losses: Vec<f64> = self.history().iter().map(|m| m.validation.loss).collect();
        let weights = self.targets.head_weights();
        let batches = Batches {
            dataset: self.dataset,
            rows: &self.rows.training,
            targets: &self.targets,
            augmentation: &recipe.augment,
            sampling: recipe.sampling,
            batch_size: recipe.batch_size,
            epochs: recipe.epochs,
            seed: recipe.seed,
        };
        let steps = batches.per_epoch();
        observer.epoch_started(epoch + 1, steps * batches.batch_len());
        let (network, average, optimizer) = (&self.network, &self.average, &mut self.optimizer);
        let sharpness = &self.sharpness;
        let (mut tally, mut learning_rate) = (Tally::default(), 0.0);
        thread::scope(|scope| {
            for (index, mut batch) in batches.spawn(epoch, scope).into_iter().enumerate() {
                if let Some(teachers) = &self.teachers {
                    teachers.teach(&mut batch);
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
                    if let Some(sharpness) = sharpness {
                        gradients = sharpness.gradients(&gradients, || forward()?.1.backward())?;
                    }
                    optimizer.step(&gradients, learning_rate)?;
                    if let Some(average) = average {
                        average.follow(optimizer.steps())?;
                    }
                    step::count(&mut tally, value, &logits, &batch)?;
                    Ok(value)
                };
                let loss = step().map_err(model_error)?;
                if !loss.is_finite() {
                    return Err(Error::Model(format!(
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

    fn validate(&self) -> candle_core::Result<Measure> {
        let network = self
            .average
            .as_ref()
            .map_or(&self.network, Average::network);
        let weights = self.targets.head_weights();
        let mut tally = Tally::default();
        for rows in self.rows.validation.chunks(VALIDATION_BATCH) {
            let batch = plain(self.dataset, &self.targets, rows);
            let logits = network.forward_eval(&step::images(&batch)?)?;
            let loss = step::scalar(&step::loss(self.recipe.loss, &weights, &logits, &batch)?)?;
            step::count(&mut tally, loss, &logits, &batch)?;
        }
        Ok(tally.finish(self.head_names()))
    }
}

fn variables(named: &[(String, Var)]) -> Vec<Var> {
    named.iter().map(|(_, variable)| variable.clone()).collect()
}
