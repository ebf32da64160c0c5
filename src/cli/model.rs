//! `fer-index model`: lists, inspects and chooses emotion models.

use clap::{Args, Subcommand};

use super::Outcome;
use super::context::Context;
#[cfg(feature = "train")]
use super::model_list::{self, ListArgs};
#[cfg(feature = "train")]
use super::model_tools::{self, ToolCommand};
use super::model_use::{self, UseArgs};
use super::stdout::Stdout;
use crate::error::Result;

/// List, inspect and choose emotion models
#[derive(Debug, Args)]
pub(super) struct ModelArgs {
    #[command(subcommand)]
    command: ModelCommand,
}

#[derive(Debug, Subcommand)]
enum ModelCommand {
    #[cfg(feature = "train")]
    #[command(flatten)]
    Tool(ToolCommand),
    /// Use a model for all commands from now on: sets classifier.model in your settings file.
    Use(UseArgs),
    /// List the available models: the built-in one, those chosen before with `model use`, those of training runs.
    #[cfg(feature = "train")]
    List(ListArgs),
}

pub(super) fn run(args: &ModelArgs, context: &Context, out: &mut Stdout) -> Result<Outcome> {
    match &args.command {
        #[cfg(feature = "train")]
        ModelCommand::Tool(command) => model_tools::run(command, context, out),
        ModelCommand::Use(args) => model_use::run(args, context, out),
        #[cfg(feature = "train")]
        ModelCommand::List(args) => model_list::run(args, context, out),
    }
}
