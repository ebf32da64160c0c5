//! `fer-index model use`: sets the model that classifies faces from now on.

use std::path::{Path, PathBuf};

use clap::Args;

use super::Outcome;
use super::context::Context;
use super::stdout::Stdout;
use crate::classify::{Cnn, EmotionClassifier as _};
use crate::config::{self, Origin};
use crate::error::{Error, Result};
use crate::output;

/// The name of the built-in model, as `model list` prints it.
pub(super) const BUILT_IN_NAME: &str = "built-in";

#[derive(Debug, Args)]
pub(super) struct UseArgs {
    /// The model file, which is copied into the data folder of fer-index; or `built-in`
    #[arg(required_unless_present = "built_in")]
    file: Option<PathBuf>,
    /// Use the built-in model again.
    #[arg(long, conflicts_with = "file")]
    built_in: bool,
}

/// Whether the path is the name of the built-in model, and not that of a file.
pub(super) fn is_built_in(file: &Path) -> bool {
    file.as_os_str() == BUILT_IN_NAME && !file.exists()
}

pub(super) fn run(args: &UseArgs, context: &Context, out: &mut Stdout) -> Result<Outcome> {
    let file = args.file.as_deref().filter(|file| !is_built_in(file));
    let (model, setting) = match file {
        None => (Cnn::embedded()?, String::new()),
        Some(file) => {
            let bytes = std::fs::read(file).map_err(|source| Error::Io {
                path: file.to_owned(),
                source,
            })?;
            let model = Cnn::read(&bytes, &file.display().to_string())?;
            // Copied under the model's name, since the next training run may overwrite the file.
            let name = model.model().replace(' ', "-") + ".safetensors";
            let copy = config::models_folder()?.join(name);
            let setting = config::as_setting(&copy)?;
            let Some(setting) = setting.to_str() else {
                return Err(Error::Config(format!(
                    "{} is not Unicode, so the settings file cannot hold it; use --model FILE instead",
                    copy.display()
                )));
            };
            output::write_unsealed(&copy, &bytes)?;
            (model, setting.to_owned())
        }
    };
    let is_in_use = context
        .classifier()
        .is_ok_and(|before| before.model() == model.model());
    let file = context.effective().file();
    let written = config::set(file, "classifier", "model", &setting)?;
    let file = if written == file {
        file.display().to_string()
    } else {
        format!("{}, which {} links to", written.display(), file.display())
    };
    let name = model.model();
    out.line(match context.effective().origin("classifier.model") {
        Origin::Environment(variable) => format!(
            "set {name} in {file}, but the environment variable {variable} takes precedence; unset it for {name} to \
             classify faces"
        ),
        _ if is_in_use => {
            format!("{name} classifies faces from now on (set in {file}); as it did before")
        }
        _ => format!(
            "{name} classifies faces from now on (set in {file}); the next `fer-index index` processes all photos again"
        ),
    })?;
    Ok(Outcome::Found)
}
