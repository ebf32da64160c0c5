//! The folder of a run.

use std::path::{Path, PathBuf};

use candle_core::Var;
use candle_nn::VarMap;

use crate::checkpoint::{Checkpoint, Progress};
use crate::metrics::EpochMetrics;
use crate::plots::{Curves, Plot};
use crate::recipe::Recipe;
use crate::weights;
use fer_core::atomic;
use fer_core::classify;
use fer_core::error::{Error, Result};

/// `recipe.toml`, `metrics.jsonl`, `checkpoint.safetensors`, `best.safetensors` and plots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFolder(PathBuf);

impl RunFolder {
    /// The folder at `path`, which is made when the first file is written.
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The recipe with every default written out.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save_recipe(&self, recipe: &Recipe) -> Result<()> {
        atomic::write(&self.0.join("recipe.toml"), recipe.to_toml().as_bytes())
    }

    /// All that is needed to go on, then the metrics, one line for each epoch.
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
        atomic::write(&self.0.join("metrics.jsonl"), lines.as_bytes())
    }

    /// Loss and each head's accuracy as `loss.png`, `accuracy-NAME.svg` and so on.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn save_plots(&self, recipe: &Recipe, history: &[EpochMetrics]) -> Result<()> {
        let runs = [(String::new(), history)];
        Curves::loss(&runs).save(&self.0.join("loss"))?;
        recipe.network.heads.iter().try_for_each(|head| {
            let stem = self.0.join(format!("accuracy-{}", head.name));
            Curves::accuracy(&runs, &head.name).save(&stem)
        })
    }

    /// What [`RunFolder::save_progress`] saved last; `None` in a new folder.
    ///
    /// # Errors
    /// If the checkpoint is there and cannot be read.
    pub fn load_checkpoint(&self) -> Result<Option<Checkpoint>> {
        Checkpoint::load(&self.checkpoint())
    }

    /// The best weights so far, as a model file that describes itself.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save_best(
        &self,
        recipe: &Recipe,
        metrics: &EpochMetrics,
        weights: &VarMap,
    ) -> Result<()> {
        let metadata = [
            ("spec", json(&recipe.network)?),
            ("input", classify::input().to_string()),
            ("name", recipe.name.clone()),
            ("recipe", recipe.to_toml()),
            ("metrics", json(metrics)?),
        ]
        .map(|(key, value)| (key.to_owned(), value));
        let tensors = weights::sorted(weights)
            .into_iter()
            .map(|(name, variable)| (name, variable.as_detached_tensor()))
            .collect();
        weights::save(&self.best(), tensors, metadata)
    }

    /// Where the best weights are.
    pub fn best(&self) -> PathBuf {
        self.0.join("best.safetensors")
    }

    fn checkpoint(&self) -> PathBuf {
        self.0.join("checkpoint.safetensors")
    }
}

fn json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|e| Error::Model(format!("cannot write JSON: {e}")))
}
