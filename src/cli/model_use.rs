//! `fer-index model use`: sets the model that classifies faces from now on.

use std::path::PathBuf;

use clap::Args;

use super::Outcome;
use super::context::Context;
use super::stdout::Stdout;
use crate::classify::{Cnn, EmotionClassifier as _};
use crate::config;
use crate::error::{Error, Result};
use crate::output;

#[derive(Debug, Args)]
pub(super) struct UseArgs {
    /// The model file; it is copied into the data folder of fer-index.
    #[arg(required_unless_present = "built_in")]
    file: Option<PathBuf>,
    /// Use the built-in model again.
    #[arg(long, conflicts_with = "file")]
    built_in: bool,
}

pub(super) fn run(args: &UseArgs, context: &Context, out: &mut Stdout) -> Result<Outcome> {
    let (model, setting) = match &args.file {
        None => (Cnn::embedded()?, String::new()),
        Some(file) => {
            let bytes = std::fs::read(file).map_err(|source| Error::Io {
                path: file.clone(),
                source,
            })?;
            let model = Cnn::read(&bytes, &file.display().to_string())?;
            // Copied under the model's name, since the next training run may overwrite the file.
            let name = model.model().replace(' ', "-") + ".safetensors";
            let copy = config::models_folder()?.join(name);
            let Some(setting) = copy.to_str() else {
                return Err(Error::Config(format!(
                    "{} is not Unicode, so the settings file cannot hold it; use --model FILE instead",
                    copy.display()
                )));
            };
            output::write_unsealed(&copy, &bytes)?;
            (model, setting.to_owned())
        }
    };
    let file = context.effective().file();
    config::set(file, "classifier", "model", &setting)?;
    out.line(format_args!(
        "{} classifies faces from now on ({}); the next `fer-index index` processes all photos again",
        model.model(),
        file.display()
    ))?;
    Ok(Outcome::Found)
}
