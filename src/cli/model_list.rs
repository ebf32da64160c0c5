//! `fer-index model list`: which models there are, and which one reads faces.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::Outcome;
use super::context::Context;
use super::json::JsonPath;
use super::output::Stdout;
use crate::classify::BUILT_IN;
use crate::config;
use crate::error::{Error, Result};
use fer_train::dataset::Usage;
use fer_train::metrics::EpochMetrics;
use fer_train::weights::{self, ModelInfo};

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// The folder of training runs [default: runs, where there is one]
    folder: Option<PathBuf>,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

/// A model that can be chosen.
#[derive(Serialize)]
struct Listed {
    /// `None` for the one in the program.
    #[serde(flatten)]
    file: Option<JsonPath>,
    name: Option<String>,
    in_use: bool,
    /// The figures of the epoch that its weights are from.
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<EpochMetrics>,
    /// Whether the rows of these figures are among those it learned from.
    learned_validation: bool,
    /// Why the file cannot be read.
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
            learned_validation: info.has_learned(Usage::PublicTest),
            name: info.name,
            metrics: info.metrics,
            error,
        }
    }

    fn line(&self) -> String {
        let place = self.file.as_ref().map_or("built-in", JsonPath::text);
        if let Some(error) = &self.error {
            return format!("{place}  {error}");
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
            " of the rows it learned from"
        } else {
            ""
        };
        let in_use = if self.in_use { "  (in use)" } else { "" };
        let figures = figures.unwrap_or_default();
        format!("{place}  {name}{figures}{learned}{in_use}")
    }
}

pub(super) fn run(args: &ListArgs, context: &Context, out: &mut Stdout) -> Result<Outcome> {
    let used = &context.config().classifier.model;
    let (bytes, what) = BUILT_IN;
    let built_in = weights::describe(bytes, what);
    let mut models = vec![Listed::new(None, built_in, used.as_os_str().is_empty())];
    let mut files = kept()?;
    files.extend(trained(args.folder.as_deref())?);
    if !used.as_os_str().is_empty() && !files.contains(used) {
        files.push(used.clone());
    }
    models.extend(files.iter().map(|file| {
        let info = weights::describe_file(file);
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

/// The copies that `model use` has made.
fn kept() -> Result<Vec<PathBuf>> {
    let mut files = entries_if_any(&config::models_folder()?)?;
    files.retain(|file| file.extension().is_some_and(|e| e == "safetensors"));
    Ok(files)
}

/// The best weights of each training run in the folder, which only has to be there if it was named.
fn trained(folder: Option<&Path>) -> Result<Vec<PathBuf>> {
    let runs = match folder {
        Some(folder) => entries(folder),
        None => entries_if_any(Path::new("runs")),
    };
    let models = runs?.into_iter().map(|run| run.join("best.safetensors"));
    Ok(models.filter(|model| model.is_file()).collect())
}

/// What is in a folder, in order; nothing where there is no folder.
fn entries_if_any(folder: &Path) -> Result<Vec<PathBuf>> {
    if folder.exists() {
        entries(folder)
    } else {
        Ok(Vec::new())
    }
}

/// What is in a folder, in order.
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
