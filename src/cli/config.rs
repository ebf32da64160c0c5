//! `fer-index config`: prints the settings in effect, or the path of the settings file.

use clap::{Args, Subcommand};

use super::Outcome;
use super::context::Context;
use super::stdout::Stdout;
use crate::config::user_file;
use crate::error::Result;

#[derive(Debug, Args)]
pub(super) struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum ConfigCommand {
    /// Print all settings in effect, each with its origin
    Show,
    /// Print the path where your settings file is expected
    Path,
}

pub(super) fn run(args: &ConfigArgs, context: &Context, out: &mut Stdout) -> Result<Outcome> {
    match args.command {
        ConfigCommand::Show => out.line(context.effective().show().trim_end())?,
        ConfigCommand::Path => out.path(&user_file()?)?,
    }
    Ok(Outcome::Found)
}
