//! `fer-index config`.

use clap::{Args, Subcommand};

use super::Outcome;
use super::context::Context;
use super::output::Stdout;
use crate::config::user_file;
use crate::error::Result;

#[derive(Debug, Args)]
pub(super) struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum ConfigCommand {
    /// The settings in force, each with where it comes from
    Show,
    /// Where your own settings are looked for
    Path,
}

pub(super) fn run(args: &ConfigArgs, context: &Context, out: &mut Stdout) -> Result<Outcome> {
    match args.command {
        ConfigCommand::Show => out.line(context.effective().show().trim_end())?,
        ConfigCommand::Path => out.path(&user_file()?)?,
    }
    Ok(Outcome::Found)
}
