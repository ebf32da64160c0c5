//! `fer-index train`: trains a network on a data set as a recipe describes.

use std::path::{Path, PathBuf};

use clap::Args;

use super::Outcome;
use super::epochs::{EpochProgress, summary};
use super::stdout::Stdout;
use crate::error::Result;
use fer_train::cross_validation::cross_validate;
use fer_train::dataset::Dataset;
use fer_train::{Recipe, Run};

/// Train a network as a recipe describes; an interrupted run continues after its last finished epoch.
#[derive(Debug, Args)]
pub(super) struct TrainArgs {
    #[command(flatten)]
    source: RecipeArgs,
    /// Folder of the run; by default runs/NAME, with the name of the recipe.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Cross-validation: divide the training rows into K folds, and for each fold train on the others.
    #[arg(long, value_name = "K")]
    folds: Option<usize>,
}

/// The recipe and the data set.
#[derive(Debug, Args)]
pub(super) struct RecipeArgs {
    /// The recipe, such as config/recipes/teacher-narrow.toml.
    #[arg(long, value_name = "FILE")]
    pub recipe: PathBuf,
    /// The data set, as `dataset import` writes it.
    #[arg(long, default_value = "fer2013.safetensors", value_name = "FILE")]
    pub data: PathBuf,
    /// Override a value of the recipe, such as `optimizer.learning_rate=0.05`.
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

/// The folder given on the command line, or `runs/NAME`.
pub(super) fn run_folder(given: Option<&Path>, name: &str) -> PathBuf {
    given.map_or_else(|| Path::new("runs").join(name), Path::to_owned)
}

pub(super) fn run(args: &TrainArgs, out: &mut Stdout) -> Result<Outcome> {
    let recipe = Recipe::load(&args.source.recipe, &args.source.set)?;
    let dataset = Dataset::load(&args.source.data)?;
    let folder = run_folder(args.out.as_deref(), &recipe.name);
    if let Some(k) = args.folds {
        return folds(&recipe, &dataset, k, &folder, out);
    }
    let mut run = Run::new(&recipe, &dataset, &folder)?;
    run.fit(&mut EpochProgress::new(out))?;
    let best = run.folder().best();
    out.line(format_args!("the best weights are in {}", best.display()))?;
    Ok(Outcome::Found)
}

fn folds(
    recipe: &Recipe,
    dataset: &Dataset,
    k: usize,
    folder: &Path,
    out: &mut Stdout,
) -> Result<Outcome> {
    let mut progress = EpochProgress::new(out);
    let best = cross_validate(recipe, dataset, k, folder, &mut progress)?;
    for (index, metrics) in best.iter().enumerate() {
        out.line(format_args!(
            "fold {} at epoch {}: {}",
            index + 1,
            metrics.epoch,
            summary(&metrics.validation)
        ))?;
    }
    for head in &recipe.network.heads {
        let values: Vec<f64> = best
            .iter()
            .filter_map(|metrics| metrics.validation.accuracy.get(&head.name).copied())
            .collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
        let deviation = (squares / (n - 1.0)).sqrt();
        out.line(format_args!(
            "{}: {:.1} % ± {:.1} (mean and standard deviation of {k} folds)",
            head.name,
            100.0 * mean,
            100.0 * deviation
        ))?;
    }
    Ok(Outcome::Found)
}
