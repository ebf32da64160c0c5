//! `fer-index completions`: prints a completion script for a shell.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::stdout::Stdout;
use super::{Cli, Outcome};
use crate::error::Result;

#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

pub(super) fn run(args: &CompletionsArgs, out: &mut Stdout) -> Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "fer-index", &mut script);
    out.with(|stdout| stdout.write_all(&script))?;
    Ok(Outcome::Found)
}
