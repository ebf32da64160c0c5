//! The files of a run in its folder.

use std::path::{Path, PathBuf};

use candle_core::Var;
use candle_nn::VarMap;

use crate::checkpoint::{Checkpoint, Progress};
use crate::metrics::EpochMetrics;
use crate::plots::{Plot, TrainingCurves, plot_files};
use crate::recipe::Recipe;
use crate::weights;
use fer_core::classify;
use fer_core::error::{Error, Result};
use fer_core::output::{self, Form};

/// A folder with `recipe.toml`, `metrics.jsonl`, `checkpoint.safetensors`, `best.safetensors` and plots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFolder(PathBuf);

impl RunFolder {
    /// The folder at `path`; the first file that is written creates it.
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// The path of the folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Checks, before any work, that every file of a run may be written.
    ///
    /// # Errors
    /// [`Error::Usage`] names a file in the way, which this program did not write or somebody changed.
    pub fn check(&self, recipe: &Recipe) -> Result<()> {
        let heads = recipe.network.heads.iter();
        let plots = heads
            .map(|head| self.accuracy(&head.name))
            .chain([self.loss()])
            .flat_map(|stem| plot_files(&stem));
        [
            self.recipe(),
            self.metrics(),
            self.checkpoint(),
            self.best(),
        ]
        .into_iter()
        .chain(plots)
        .try_for_each(|file| output::check(&file, "give the run another folder"))
    }

    /// Writes the recipe with every default.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save_recipe(&self, recipe: &Recipe) -> Result<()> {
        let text = recipe.to_toml();
        output::write(&self.recipe(), Form::Lines, text.as_bytes())
    }

    /// Writes a checkpoint, then the metrics with one line for each epoch.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn save_progress(&self, progress: &Progress, state: &[(String, Var)]) -> Result<()> {
        Checkpoint::save(&self.checkpoint(), progress, state)?;
        let lines: String = progress
            .history
            .iter()
            .map(|metrics| json(metrics).map(|line| line + "\n"))
            .collect::<Result<_>>()?;
        output::write(&self.metrics(), Form::Json, lines.as_bytes())
    }

    /// Draws loss and accuracy of each head as `loss.png`, `accuracy-NAME.svg` and so on.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn save_plots(&self, recipe: &Recipe, history: &[EpochMetrics]) -> Result<()> {
        let runs = [(String::new(), history)];
        TrainingCurves::loss(&runs).save(&self.loss())?;
        recipe.network.heads.iter().try_for_each(|head| {
            TrainingCurves::accuracy(&runs, &head.name).save(&self.accuracy(&head.name))
        })
    }

    /// Reads the last checkpoint of [`RunFolder::save_progress`]; `None` in a new folder.
    ///
    /// # Errors
    /// If the checkpoint exists and cannot be read.
    pub fn load_checkpoint(&self) -> Result<Option<Checkpoint>> {
        Checkpoint::load(&self.checkpoint())
    }

    /// Writes the best weights so far as a model file whose metadata have network, recipe, metrics and the hash of
    /// the data set, if it is known.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save_best(
        &self,
        recipe: &Recipe,
        dataset: Option<&str>,
        metrics: &EpochMetrics,
        weights: &VarMap,
    ) -> Result<()> {
        let metadata = [
            ("spec", json(&recipe.network)?),
            ("input", classify::input(recipe.network.pixels).to_string()),
            ("name", recipe.name.clone()),
            ("recipe", recipe.to_toml()),
            // Without times, so that the same training makes the same file: a model's name is the hash of its bytes.
            ("metrics", json(&metrics.without_times())?),
        ]
        .into_iter()
        .chain(dataset.map(|hash| ("dataset", hash.to_owned())))
        .map(|(key, value)| (key.to_owned(), value));
        let tensors = weights::sorted_variables(weights)
            .into_iter()
            .map(|(name, variable)| (name, variable.as_detached_tensor()))
            .collect();
        weights::save(&self.best(), tensors, metadata)
    }

    /// The model file of the best weights.
    pub fn best(&self) -> PathBuf {
        self.0.join("best.safetensors")
    }

    fn checkpoint(&self) -> PathBuf {
        self.0.join("checkpoint.safetensors")
    }

    fn recipe(&self) -> PathBuf {
        self.0.join("recipe.toml")
    }

    fn metrics(&self) -> PathBuf {
        self.0.join("metrics.jsonl")
    }

    /// The path of the loss plot without its extension.
    fn loss(&self) -> PathBuf {
        self.0.join("loss")
    }

    /// The path of a head's accuracy plot without its extension.
    fn accuracy(&self, head: &str) -> PathBuf {
        self.0.join(format!("accuracy-{head}"))
    }
}

fn json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|e| Error::Model(format!("cannot write JSON: {e}")))
}
