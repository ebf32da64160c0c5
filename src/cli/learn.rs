//! `fer-index learn`: adjusts the scores of all faces to a person's corrections, or restores the network's scores.

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::Outcome;
use super::context::Context;
use super::stdout::Stdout;
use crate::error::Result;
use crate::store::{Learning, Store};

#[derive(Debug, Args)]
pub(super) struct LearnArgs {
    #[command(subcommand)]
    command: Option<LearnCommand>,
    /// Print as JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum LearnCommand {
    /// Print whether the scores are adjusted to the corrections, with the held-out loss
    Status,
    /// Adjust the scores to the corrections if that improves held-out ones, which is the default
    On,
    /// Restore the scores of the network for all faces; the corrections stay
    Off,
    /// Discard what was learned from the corrections made so far; they are kept, and later ones are learned from
    Forget,
}

pub(super) fn run(args: &LearnArgs, context: &Context, out: &mut Stdout) -> Result<Outcome> {
    let mut store = Store::open_existing(&context.config().database)?;
    match args.command {
        Some(LearnCommand::Status) | None => {}
        Some(LearnCommand::On) => store.switch_learning(true)?,
        Some(LearnCommand::Off) => store.switch_learning(false)?,
        Some(LearnCommand::Forget) => store.forget_learning()?,
    }
    if !matches!(args.command, Some(LearnCommand::Status)) {
        follow(&mut store, context)?;
    }
    let learning = store.learning()?;
    if args.json {
        out.json(&JsonLearning::of(&learning))?;
    } else {
        out.line(&learning)?;
    }
    Ok(
        if learning.is_in_force || learning.is_human_in_force || args.command.is_some() {
            Outcome::Found
        } else {
            Outcome::Nothing
        },
    )
}

/// Updates the personal layer and the scores to the current corrections, with a progress bar if that takes long.
pub(super) fn follow(store: &mut Store, context: &Context) -> Result<()> {
    let bar = if context.quiet() {
        ProgressBar::hidden()
    } else {
        let style =
            ProgressStyle::with_template("{human_pos} photos follow your corrections, {per_sec}");
        ProgressBar::no_length().with_style(style.expect("the template is valid"))
    };
    let followed = store.learn(|photos| bar.inc(photos));
    bar.finish_and_clear();
    followed
}

/// The state of the personal layer.
#[derive(Debug, Serialize)]
pub(super) struct JsonLearning {
    on: bool,
    in_force: bool,
    corrections: u64,
    unused: u64,
    absent: u64,
    network_loss: Option<f64>,
    learned_loss: Option<f64>,
    rejections: u64,
    human_in_force: bool,
    human_network_loss: Option<f64>,
    human_learned_loss: Option<f64>,
    recounted: u64,
    pending: u64,
    sentence: String,
}

impl JsonLearning {
    pub fn of(learning: &Learning) -> Self {
        Self {
            on: learning.is_on,
            in_force: learning.is_in_force,
            corrections: learning.corrections,
            unused: learning.unused,
            absent: learning.absent,
            network_loss: learning
                .held_out_loss
                .map(|held_out_loss| held_out_loss.network),
            learned_loss: learning
                .held_out_loss
                .map(|held_out_loss| held_out_loss.layer),
            rejections: learning.rejections,
            human_in_force: learning.is_human_in_force,
            human_network_loss: learning
                .human_held_out_loss
                .map(|held_out_loss| held_out_loss.rejected.network),
            human_learned_loss: learning
                .human_held_out_loss
                .map(|held_out_loss| held_out_loss.rejected.layer),
            recounted: learning.recounted,
            pending: learning.pending,
            sentence: learning.to_string(),
        }
    }
}
