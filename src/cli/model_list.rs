//! `fer-index model list`: lists the available models and marks the one in use.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::Outcome;
use super::context::Context;
use super::json::JsonPath;
use super::model_use::BUILT_IN_NAME;
use super::stdout::Stdout;
use crate::classify::BUILT_IN;
use crate::config;
use crate::error::{Error, Result};
use fer_train::dataset::Usage;
use fer_train::metrics::EpochMetrics;
use fer_train::model_info::ModelInfo;

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// The folder of training runs, or of one of them [default: runs, if it exists]
    folder: Option<PathBuf>,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

/// An entry of the list.
#[derive(Serialize)]
struct Listed {
    /// `None` for the built-in model.
    #[serde(flatten)]
    file: Option<JsonPath>,
    name: Option<String>,
    in_use: bool,
    /// The metrics of the epoch that the weights are from.
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<EpochMetrics>,
    /// Whether the model was trained on the validation rows of these metrics.
    learned_validation: bool,
    /// The error if the file cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Listed {
    fn new(file: Option<&Path>, info: Result<ModelInfo>, in_use: bool) -> Self {
        let (info, error) = match info {
            Ok(info) => (info, None),
            Err(error) => (ModelInfo::default(), Some(error.to_string())),
        };
        Self {
            file: file.map(JsonPath::of),
            in_use,
            learned_validation: info.was_trained_on(Usage::PublicTest),
            name: info.name,
            metrics: info.metrics,
            error,
        }
    }

    /// The entry as a line of text.
    fn line(&self) -> String {
        let file = self.file.as_ref().map_or(BUILT_IN_NAME, JsonPath::text);
        let in_use = if self.in_use { "  (in use)" } else { "" };
        if let Some(error) = &self.error {
            return format!("{file}  {error}{in_use}");
        }
        let name = self.name.as_deref().unwrap_or("no name");
        let figures = self.metrics.as_ref().map(|metrics| {
            let heads = metrics.validation.accuracy.iter();
            let heads: Vec<String> = heads
                .map(|(head, accuracy)| format!("{head} {:.1} %", 100.0 * accuracy))
                .collect();
            format!(" at epoch {}: {}", metrics.epoch, heads.join(", "))
        });
        let learned = if self.learned_validation && figures.is_some() {
            " on rows that it was trained on"
        } else {
            ""
        };
        let figures = figures.unwrap_or_default();
        format!("{file}  {name}{figures}{learned}{in_use}")
    }
}

pub(super) fn run(args: &ListArgs, context: &Context, out: &mut Stdout) -> Result<Outcome> {
    let used = &context.config().classifier.model;
    let (bytes, what) = BUILT_IN;
    let built_in = ModelInfo::parse(bytes, what);
    let mut models = vec![Listed::new(None, built_in, used.as_os_str().is_empty())];
    let mut files = kept()?;
    files.extend(trained(args.folder.as_deref())?);
    if !used.as_os_str().is_empty() && !files.contains(used) {
        files.push(used.clone());
    }
    models.extend(files.iter().map(|file| {
        let info = ModelInfo::read(file);
        Listed::new(Some(file), info, file == used)
    }));
    if args.json {
        out.json_array(models.iter())?;
    } else {
        for model in &models {
            out.line(model.line())?;
        }
    }
    Ok(Outcome::Found)
}

/// The copies that `model use` made.
fn kept() -> Result<Vec<PathBuf>> {
    let mut files = entries_if_any(&config::models_folder()?)?;
    files.retain(|file| file.extension().is_some_and(|e| e == "safetensors"));
    Ok(files)
}

/// Folders between that of all runs and that of a run: one of the recipe, and in it one for each run of a sweep or each
/// fold.
const DEPTH: usize = 2;

/// The best weights of each training run in `folder`, or in `runs` if that exists.
fn trained(folder: Option<&Path>) -> Result<Vec<PathBuf>> {
    let runs = match folder {
        Some(folder) => {
            entries(folder)?;
            folder
        }
        None => Path::new("runs"),
    };
    let mut models = Vec::new();
    add_best(runs, DEPTH, &mut models);
    Ok(models)
}

/// Adds the best weights of a run in `folder`, and of those up to `depth` folders deeper. A folder that cannot be read
/// hides its runs, not the other models.
fn add_best(folder: &Path, depth: usize, models: &mut Vec<PathBuf>) {
    let best = folder.join("best.safetensors");
    if best.is_file() {
        models.push(best);
    }
    if depth > 0 {
        for entry in entries(folder).unwrap_or_default() {
            if entry.is_dir() {
                add_best(&entry, depth - 1, models);
            }
        }
    }
}

/// The sorted entries of a folder; empty if it does not exist.
fn entries_if_any(folder: &Path) -> Result<Vec<PathBuf>> {
    if folder.exists() {
        entries(folder)
    } else {
        Ok(Vec::new())
    }
}

/// The sorted entries of a folder.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let io = |source| Error::Io {
        path: folder.to_owned(),
        source,
    };
    let entries = fs::read_dir(folder).map_err(io)?;
    let paths = entries.map(|entry| Ok(entry.map_err(io)?.path()));
    let mut paths = paths.collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}
