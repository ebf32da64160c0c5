//! `fer-index model summary`, `calibrate`, `photo-head`, `export`, `average` and `pack`.

use std::path::{Path, PathBuf};
use std::slice::from_ref;

use clap::{Args, Subcommand};
use comfy_table::{CellAlignment, Table, presets};
use fer_train::Recipe;
use fer_train::architecture::{Layer, layers};
use fer_train::calibrate::{LogitShift, calibrate, calibrate_like};
use fer_train::dataset::Dataset;
use fer_train::onnx::{OPSET, export};
use fer_train::pack::pack;
use fer_train::photos::{PhotoFaces, PhotoHeadOptions, fit_photo_head};
use fer_train::weight_average::average;
use fer_train::weights;

use super::Outcome;
use super::context::Context;
use super::evaluate_album::print_expressions;
use super::force::ForceArgs;
use super::model_use::is_built_in;
use super::stdout::Stdout;
use crate::classify::BUILT_IN;
use crate::emotion::{Emotion, UnknownEmotion};
use crate::error::Result;
use crate::network::{ModelFile, NetworkSpec, read_spec};
use crate::output::{self, Form};

#[derive(Debug, Subcommand)]
pub(super) enum ToolCommand {
    /// Show layers, output shapes, parameters and multiplications of a model file or a recipe.
    Summary {
        /// A model (.safetensors), a recipe (.toml) or `built-in`.
        file: PathBuf,
    },
    /// Calibrate the probabilities of a model: fit a temperature for each head, and the ensemble
    /// weights of the album scores, to the validation rows.
    Calibrate {
        /// The model.
        file: PathBuf,
        /// The data set, as `dataset import` writes it.
        #[arg(long, default_value = "fer2013.safetensors", value_name = "FILE")]
        data: PathBuf,
        /// Store the weights as 16-bit floats, which halves the size.
        #[arg(long)]
        half: bool,
        /// Add this to the logit of an emotion in the label head, so that the head predicts the emotion
        /// more often (less often if negative).
        #[arg(long, value_name = "EMOTION=LOGIT", value_delimiter = ',', value_parser = shift)]
        shift: Vec<(Emotion, f32)>,
        /// Copy the calibration of another model instead of fitting one: for a model that was trained on
        /// the validation rows too.
        #[arg(long, value_name = "FILE", conflicts_with_all = ["data", "shift"])]
        like: Option<PathBuf>,
        /// Where to write the calibrated model.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        #[command(flatten)]
        force: ForceArgs,
    },
    /// Fit a head to faces of labelled photos, on a trained model's features; it gives the album scores from then on.
    PhotoHead(PhotoHeadArgs),
    /// Write a model as an ONNX file, which other programs can run: grey faces in, emotion scores out.
    Export {
        /// The model, or `built-in`.
        file: PathBuf,
        /// The file to write.
        #[arg(long, value_name = "FILE")]
        onnx: PathBuf,
        #[command(flatten)]
        force: ForceArgs,
    },
    /// Average the weights of two models that were trained on from the same weights.
    Average {
        /// The first model, whose metadata are kept.
        first: PathBuf,
        /// The second model.
        second: PathBuf,
        /// The weight of the second model in the mean, 0 to 1.
        #[arg(long, default_value_t = 0.5, value_name = "SHARE", value_parser = share)]
        share: f64,
        /// Where to write the mean, which must then be calibrated.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        #[command(flatten)]
        force: ForceArgs,
    },
    /// Write a model with 16-bit floats, sealed as a file of fer-index, after another program has changed it.
    Pack {
        /// The model.
        file: PathBuf,
        /// Where to write it.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        #[command(flatten)]
        force: ForceArgs,
    },
}

#[derive(Debug, Args)]
pub(super) struct PhotoHeadArgs {
    /// The model.
    file: PathBuf,
    /// Files of faces, as `dataset photos` writes them.
    #[arg(long, required = true, value_name = "FILE")]
    faces: Vec<PathBuf>,
    /// The data set, as `dataset import` writes it, with votes.
    #[arg(long, default_value = "fer2013.safetensors", value_name = "FILE")]
    data: PathBuf,
    /// Strength of the prior around the model's other heads.
    #[arg(long, default_value_t = 0.01, value_name = "N")]
    strength: f64,
    /// Exponent of the class weights: 0 weighs faces alike, 1 emotions.
    #[arg(long, default_value_t = 0.7, value_name = "N")]
    balance: f32,
    /// Share of each label that is spread over all emotions.
    #[arg(long, default_value_t = 0.02, value_name = "SHARE")]
    smoothing: f32,
    /// Changed copies of each face to learn from.
    #[arg(long, default_value_t = 4, value_name = "N")]
    views: usize,
    /// Leave out faces with these labels.
    #[arg(long, value_name = "EMOTION", value_delimiter = ',')]
    leave_out: Vec<Emotion>,
    /// Add this to the fitted logit of an emotion, so that it is found more often.
    #[arg(long, value_name = "EMOTION=LOGIT", value_delimiter = ',', value_parser = shift)]
    shift: Vec<(Emotion, f32)>,
    /// Store the weights as 16-bit floats, which halves the size.
    #[arg(long)]
    half: bool,
    /// Where to write the model with the head.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    force: ForceArgs,
}

pub(super) fn run(command: &ToolCommand, context: &Context, out: &mut Stdout) -> Result<Outcome> {
    match command {
        ToolCommand::Summary { file } => summary(&spec(file)?, out),
        ToolCommand::Calibrate {
            file,
            like: Some(like),
            half,
            out: to,
            force,
            ..
        } => {
            let rule = force.rule(context, [file.clone(), like.clone()]);
            rule.around(from_ref(to), || calibrate_like(file, like, *half, to))?;
            Ok(Outcome::Found)
        }
        ToolCommand::Calibrate {
            file,
            data,
            half,
            shift,
            like: None,
            out: to,
            force,
        } => {
            let shift: LogitShift = shift.iter().copied().collect();
            let rule = force.rule(context, [file.clone(), data.clone()]);
            let fitted = rule.around(from_ref(to), || {
                calibrate(file, &Dataset::load(data)?, &shift, *half, to)
            })?;
            for calibration in fitted.heads {
                let (head, temperature) = (calibration.head, calibration.temperature);
                out.line(format_args!("{head}: temperature {temperature:.3}"))?;
            }
            if let Some(ensemble) = fitted.ensemble {
                let weights: Vec<String> = ensemble
                    .heads
                    .iter()
                    .map(|head| format!("{:.2}", head.weight))
                    .collect();
                out.line(format_args!(
                    "ensemble weights {}, macro recall {:.3} by labels, {:.3} by votes",
                    weights.join(" and "),
                    ensemble.label_recall,
                    ensemble.vote_recall
                ))?;
            }
            Ok(Outcome::Found)
        }
        ToolCommand::PhotoHead(args) => photo_head(args, context, out),
        ToolCommand::Export { file, onnx, force } => {
            let model = if is_built_in(file) {
                ModelFile::parse(BUILT_IN.0, BUILT_IN.1)?
            } else {
                ModelFile::parse(&weights::read_bytes(file)?, &file.display().to_string())?
            };
            let content = export(&model)?;
            let rule = force.rule(context, [file.clone()]);
            rule.around(from_ref(onnx), || output::write(onnx, Form::Onnx, &content))?;
            out.line(format_args!(
                "written to {}, with ONNX's operators of version {OPSET}",
                onnx.display()
            ))?;
            Ok(Outcome::Found)
        }
        ToolCommand::Average {
            first,
            second,
            share,
            out: to,
            force,
        } => {
            let rule = force.rule(context, [first.clone(), second.clone()]);
            rule.around(from_ref(to), || average(first, second, *share, to))?;
            Ok(Outcome::Found)
        }
        ToolCommand::Pack {
            file,
            out: to,
            force,
        } => {
            let rule = force.rule(context, [file.clone()]);
            rule.around(from_ref(to), || pack(file, to))?;
            Ok(Outcome::Found)
        }
    }
}

fn photo_head(args: &PhotoHeadArgs, context: &Context, out: &mut Stdout) -> Result<Outcome> {
    let options = PhotoHeadOptions {
        strength: args.strength,
        balance: args.balance,
        smoothing: args.smoothing,
        views: args.views,
        leave_out: args.leave_out.clone(),
        shift: args.shift.iter().copied().collect(),
        half: args.half,
    };
    let inputs = args.faces.iter().chain([&args.file, &args.data]).cloned();
    let rule = args.force.rule(context, inputs);
    let fitted = rule.around(from_ref(&args.out), || {
        let faces = args.faces.iter().map(|file| PhotoFaces::load(file));
        let faces: Vec<PhotoFaces> = faces.collect::<Result<_>>()?;
        let data = Dataset::load(&args.data)?;
        fit_photo_head(&args.file, &faces, &data, &options, &args.out)
    })?;
    out.line(format_args!(
        "on people whom the head had not seen: the top emotion differs in {:.1} % of changed copies; the logits are \
         multiplied by {:.1}",
        100.0 * fitted.changed,
        fitted.sharpness
    ))?;
    if let Some(figures) = &fitted.figures {
        print_expressions(figures, out)?;
    }
    Ok(Outcome::Found)
}

/// Parses a number from 0 to 1.
fn share(text: &str) -> std::result::Result<f64, String> {
    let share: f64 = text.parse().map_err(|e| format!("{e}"))?;
    if (0.0..=1.0).contains(&share) {
        Ok(share)
    } else {
        Err("give a number from 0 to 1".to_owned())
    }
}

/// Parses `EMOTION=LOGIT`.
fn shift(text: &str) -> std::result::Result<(Emotion, f32), String> {
    let (emotion, logit) = text
        .split_once('=')
        .ok_or_else(|| "write EMOTION=LOGIT, such as sad=0.3".to_owned())?;
    let logit: f32 = logit.parse().map_err(|e| format!("{logit}: {e}"))?;
    if !logit.is_finite() {
        return Err(format!("{logit} is not a finite number"));
    }
    Ok((
        emotion.parse().map_err(|e: UnknownEmotion| e.to_string())?,
        logit,
    ))
}

/// The architecture of a recipe, a model file or the built-in model.
fn spec(file: &Path) -> Result<NetworkSpec> {
    if is_built_in(file) {
        let (bytes, what) = BUILT_IN;
        return read_spec(bytes, what);
    }
    if file
        .extension()
        .is_some_and(|extension| extension == "toml")
    {
        return Ok(Recipe::load(file, &[])?.network);
    }
    Ok(weights::load(file)?.spec().clone())
}

fn summary(spec: &NetworkSpec, out: &mut Stdout) -> Result<Outcome> {
    let layers = layers(spec);
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(["layer", "kind", "output", "parameters", "MMAC"]);
    for layer in &layers {
        let sides: Vec<String> = layer.output.iter().map(usize::to_string).collect();
        table.add_row([
            layer.name.clone(),
            layer.kind.clone(),
            sides.join(" × "),
            (layer.trainable + layer.fixed).to_string(),
            format!("{:.2}", layer.macs as f64 / 1e6),
        ]);
    }
    for column in [3, 4] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    out.line(&table)?;
    let sum = |part: fn(&Layer) -> usize| layers.iter().map(part).sum::<usize>();
    let (trainable, fixed) = (sum(|layer| layer.trainable), sum(|layer| layer.fixed));
    let macs: u64 = layers.iter().map(|layer| layer.macs).sum();
    out.line(format_args!(
        "{} parameters, {trainable} of them trainable; {:.1} MMAC a face",
        trainable + fixed,
        macs as f64 / 1e6
    ))?;
    Ok(Outcome::Found)
}
