//! The training loop.

use std::collections::HashMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use candle_core::{Device, Tensor, Var};
use candle_nn::VarMap;
use rand::Rng;

use super::atomic;
use super::average::Average;
use super::batch::{Batch, Batches, plain};
use super::checkpoint::{Checkpoint, Progress};
use super::dataset::{Dataset, Usage};
use super::metrics::{EpochMetrics, Measure, Tally};
use super::optimizer::Optimizer;
use super::random::{Purpose, rng};
use super::recipe::Recipe;
use super::targets::Targets;
use super::weights;
use crate::classify::FACE_SIDE;
use crate::classify::network::{Network, initialise, is_trainable};
use crate::error::{Error, Result};

/// Images in a validation step; any number gives the same figures.
const VALIDATION_BATCH: usize = 128;

/// Is told how a run goes on; each call may end it.
pub trait Observer {
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

/// A run in its folder:
/// `recipe.toml`, `metrics.jsonl`, `checkpoint.safetensors` and `best.safetensors`.
pub struct Run<'a> {
    recipe: &'a Recipe,
    dataset: &'a Dataset,
    folder: PathBuf,
    targets: Targets,
    training: Vec<usize>,
    validation: Vec<usize>,
    weights: VarMap,
    network: Network,
    average: Option<Average>,
    optimizer: Optimizer,
    progress: Progress,
}

impl<'a> Run<'a> {
    /// Starts a run, or takes up the one in `folder` where it was left.
    ///
    /// # Errors
    /// If recipe and data do not fit, or the folder holds the run of another recipe.
    pub fn new(recipe: &'a Recipe, dataset: &'a Dataset, folder: &Path) -> Result<Self> {
        let targets = Targets::new(recipe.targets, &recipe.network.heads, dataset)?;
        let training = targets.rows(dataset, Usage::Training);
        let validation = dataset.indices(Usage::PublicTest);
        if training.is_empty() || validation.is_empty() {
            return Err(Error::Usage(
                "the data set has no rows to train on or none to validate with".to_owned(),
            ));
        }
        let (weights, network) = weights::network(&recipe.network).map_err(model)?;
        initialise(&weights, recipe.seed).map_err(model)?;
        let average = recipe
            .ema
            .map(|decay| Average::new(&recipe.network, &weights, decay))
            .transpose()
            .map_err(model)?;
        let mut trainable = weights::sorted(&weights);
        trainable.retain(|(name, _)| is_trainable(name));
        let optimizer = Optimizer::new(recipe.optimizer, trainable).map_err(model)?;
        let mut run = Self {
            recipe,
            dataset,
            folder: folder.to_owned(),
            targets,
            training,
            validation,
            weights,
            network,
            average,
            optimizer,
            progress: Progress {
                recipe: recipe.to_toml(),
                ..Progress::default()
            },
        };
        run.resume()?;
        Ok(run)
    }

    /// Trains to the end, or until the observer ends it.
    ///
    /// # Errors
    /// If the loss is no longer a number, or a file cannot be written.
    pub fn fit(&mut self, observer: &mut dyn Observer) -> Result<()> {
        fs::create_dir_all(&self.folder).map_err(|source| Error::Io {
            path: self.folder.clone(),
            source,
        })?;
        atomic::write(
            &self.folder.join("recipe.toml"),
            self.progress.recipe.as_bytes(),
        )?;
        while !self.finished() {
            let Some(metrics) = self.epoch(observer)? else {
                break;
            };
            let best = self.is_best(&metrics);
            self.progress.history.push(metrics.clone());
            if best {
                self.save_best()?;
            }
            self.save()?;
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

    fn finished(&self) -> bool {
        let done = self.history().len();
        let waited = done - self.best_epoch().unwrap_or(0);
        done >= self.recipe.epochs || self.recipe.early_stopping.is_some_and(|n| waited > n)
    }

    /// Trains and validates one epoch; `None` if the observer ends it.
    fn epoch(&mut self, observer: &mut dyn Observer) -> Result<Option<EpochMetrics>> {
        let start = Instant::now();
        let epoch = self.history().len();
        let batches = Batches {
            dataset: self.dataset,
            rows: &self.training,
            targets: &self.targets,
            augmentation: &self.recipe.augment,
            batch_size: self.recipe.batch_size,
            epochs: self.recipe.epochs,
            seed: self.recipe.seed,
        };
        let losses: Vec<f64> = self.history().iter().map(|m| m.validation.loss).collect();
        let per_epoch = batches.per_epoch();
        observer.epoch_started(
            epoch + 1,
            per_epoch * self.recipe.batch_size.min(self.training.len()),
        );
        let (mut tally, mut images, mut learning_rate) = (Tally::default(), 0, 0.0);
        let (network, average) = (&self.network, self.average.as_ref());
        let (recipe, targets, optimizer) = (self.recipe, &self.targets, &mut self.optimizer);
        let ended = thread::scope(|scope| -> Result<bool> {
            for (index, batch) in batches.spawn(epoch, scope).into_iter().enumerate() {
                let time = epoch as f64 + (index + 1) as f64 / per_epoch as f64;
                let factor = recipe.schedule.factor(time, recipe.epochs, &losses);
                learning_rate = recipe.optimizer.learning_rate * factor;
                let dropout = rng(recipe.seed, Purpose::Dropout, epoch, index as u64).random();
                let x = images_tensor(&batch).map_err(model)?;
                let logits = network.forward_train(&x, dropout).map_err(model)?;
                let loss = loss(recipe, targets, &logits, &batch).map_err(model)?;
                let value = scalar(&loss).map_err(model)?;
                if !value.is_finite() {
                    return Err(Error::Model(format!(
                        "the loss became {value} in epoch {}; try a lower learning rate",
                        epoch + 1
                    )));
                }
                let gradients = loss.backward().map_err(model)?;
                optimizer.step(&gradients, learning_rate).map_err(model)?;
                if let Some(average) = average {
                    average.follow(optimizer.steps()).map_err(model)?;
                }
                add(&mut tally, value, &logits, &batch).map_err(model)?;
                images += batch.len;
                if observer.batch_done(batch.len, value).is_break() {
                    return Ok(true);
                }
            }
            Ok(false)
        })?;
        if ended {
            return Ok(None);
        }
        let training_time = start.elapsed().as_secs_f64();
        let validation = self.validate().map_err(model)?;
        Ok(Some(EpochMetrics {
            epoch: epoch + 1,
            learning_rate,
            train: tally.finish(self.head_names()),
            validation,
            images_per_second: images as f64 / training_time,
            seconds: start.elapsed().as_secs_f64(),
        }))
    }

    fn validate(&self) -> candle_core::Result<Measure> {
        let network = self
            .average
            .as_ref()
            .map_or(&self.network, Average::network);
        let mut tally = Tally::default();
        for rows in self.validation.chunks(VALIDATION_BATCH) {
            let batch = plain(self.dataset, &self.targets, rows);
            let logits = network.forward_eval(&images_tensor(&batch)?)?;
            let loss = scalar(&loss(self.recipe, &self.targets, &logits, &batch)?)?;
            add(&mut tally, loss, &logits, &batch)?;
        }
        Ok(tally.finish(self.head_names()))
    }

    fn head_names(&self) -> impl Iterator<Item = &str> {
        self.recipe
            .network
            .heads
            .iter()
            .map(|head| head.name.as_str())
    }

    /// The validation accuracy that epochs are compared by: that of the first head.
    fn score(&self, metrics: &EpochMetrics) -> f64 {
        let head = self.head_names().next();
        head.and_then(|name| metrics.validation.accuracy.get(name).copied())
            .unwrap_or(0.0)
    }

    /// The best epoch (from 1), the earliest of equals.
    fn best_epoch(&self) -> Option<usize> {
        let scores = self.history().iter().map(|metrics| self.score(metrics));
        let best = scores
            .enumerate()
            .reduce(|a, b| if b.1 > a.1 { b } else { a });
        best.map(|(index, _)| index + 1)
    }

    fn is_best(&self, metrics: &EpochMetrics) -> bool {
        let mut earlier = self.history().iter().map(|earlier| self.score(earlier));
        let score = self.score(metrics);
        earlier.all(|earlier| score > earlier)
    }

    fn checkpoint_path(&self) -> PathBuf {
        self.folder.join("checkpoint.safetensors")
    }

    /// Everything a checkpoint holds, by name.
    fn state(&self) -> Vec<(String, Var)> {
        let average = self.average.as_ref().map(|average| {
            let variables = weights::sorted(average.weights());
            ("average", variables)
        });
        [
            ("weights", weights::sorted(&self.weights)),
            ("optimizer", self.optimizer.state()),
        ]
        .into_iter()
        .chain(average)
        .flat_map(|(part, variables)| {
            variables
                .into_iter()
                .map(move |(name, variable)| (format!("{part}.{name}"), variable))
        })
        .collect()
    }

    fn save(&mut self) -> Result<()> {
        self.progress.steps = self.optimizer.steps();
        Checkpoint::save(&self.checkpoint_path(), &self.progress, &self.state())?;
        let lines: String = self
            .history()
            .iter()
            .filter_map(|metrics| serde_json::to_string(metrics).ok())
            .map(|line| line + "\n")
            .collect();
        atomic::write(&self.folder.join("metrics.jsonl"), lines.as_bytes())
    }

    fn resume(&mut self) -> Result<()> {
        let path = self.checkpoint_path();
        let Some(checkpoint) = Checkpoint::load(&path)? else {
            return Ok(());
        };
        if checkpoint.progress.recipe != self.progress.recipe {
            return Err(Error::Usage(format!(
                "{} holds a run of another recipe; give another folder",
                self.folder.display()
            )));
        }
        checkpoint.restore(&self.state()).map_err(model)?;
        self.optimizer.set_steps(checkpoint.progress.steps);
        self.progress = checkpoint.progress;
        Ok(())
    }

    fn save_best(&self) -> Result<()> {
        let weights = self
            .average
            .as_ref()
            .map_or(&self.weights, Average::weights);
        let json = |value: serde_json::Result<String>| {
            value.map_err(|e| Error::Model(format!("cannot describe the model: {e}")))
        };
        let metadata = [
            ("spec", json(serde_json::to_string(&self.recipe.network))?),
            ("name", self.recipe.name.clone()),
            ("recipe", self.progress.recipe.clone()),
            (
                "metrics",
                json(serde_json::to_string(&self.history().last()))?,
            ),
        ];
        let metadata: HashMap<String, String> = metadata
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
        let tensors = weights::sorted(weights)
            .into_iter()
            .map(|(name, variable)| (name, variable.as_detached_tensor()))
            .collect();
        weights::save(&self.folder.join("best.safetensors"), tensors, metadata)
    }
}

/// What candle cannot do with a model.
#[allow(clippy::needless_pass_by_value)] // as `map_err` wants it
fn model(error: candle_core::Error) -> Error {
    Error::Model(error.to_string())
}

fn images_tensor(batch: &Batch) -> candle_core::Result<Tensor> {
    let shape = (batch.len, FACE_SIDE, FACE_SIDE, 1);
    Tensor::from_slice(&batch.images, shape, &Device::Cpu)
}

fn scalar(tensor: &Tensor) -> candle_core::Result<f64> {
    Ok(f64::from(tensor.to_scalar::<f32>()?))
}

/// The heads' losses, weighted and added.
fn loss(
    recipe: &Recipe,
    targets: &Targets,
    logits: &[Tensor],
    batch: &Batch,
) -> candle_core::Result<Tensor> {
    let mut total = Tensor::zeros((), candle_core::DType::F32, &Device::Cpu)?;
    for ((logits, values), weight) in logits.iter().zip(&batch.targets).zip(targets.weights()) {
        let values = Tensor::from_slice(values, logits.shape(), &Device::Cpu)?;
        total = (total + (recipe.loss.loss(logits, &values)? * weight)?)?;
    }
    Ok(total)
}

fn add(tally: &mut Tally, loss: f64, logits: &[Tensor], batch: &Batch) -> candle_core::Result<()> {
    let heads = logits
        .iter()
        .zip(&batch.targets)
        .map(|(logits, targets)| Ok((logits.flatten_all()?.to_vec1()?, targets.as_slice())))
        .collect::<candle_core::Result<Vec<_>>>()?;
    tally.add(batch.len, loss, &heads);
    Ok(())
}
