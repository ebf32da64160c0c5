//! `fer-index man`: prints the manual pages, which packages install.

use std::io;

use clap::{Args, CommandFactory as _};
use clap_mangen::Man;

use super::stdout::Stdout;
use super::{Cli, Outcome};
use crate::error::{Error, Result};

#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// The page, such as fer-index-query [default: fer-index]
    #[arg(value_name = "PAGE", conflicts_with = "list")]
    page: Option<String>,
    /// Print the names of all pages
    #[arg(long)]
    list: bool,
}

pub(super) fn run(args: &ManArgs, out: &mut Stdout) -> Result<Outcome> {
    let pages = pages();
    if args.list {
        for (name, _) in &pages {
            out.line(name)?;
        }
        return Ok(Outcome::Found);
    }
    let wanted = args.page.as_deref().unwrap_or("fer-index");
    let Some((_, command)) = pages.into_iter().find(|(name, _)| name == wanted) else {
        return Err(Error::Usage(format!(
            "there is no page {wanted}; fer-index man --list prints the names of all"
        )));
    };
    let page = roff(command).map_err(|error| Error::Internal(error.to_string()))?;
    out.with(|stdout| stdout.write_all(&page))?;
    Ok(Outcome::Found)
}

fn roff(command: clap::Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command).manual("fer-index").render(&mut page)?;
    Ok(page)
}

/// The commands that are not hidden, at every depth, by the names of their pages.
fn pages() -> Vec<(String, clap::Command)> {
    let mut root = Cli::command().disable_help_subcommand(true);
    root.build();
    let mut pages = Vec::new();
    collect(root, &mut pages);
    pages
}

fn collect(command: clap::Command, pages: &mut Vec<(String, clap::Command)>) {
    let inner: Vec<_> = command.get_subcommands().cloned().collect();
    let name = command.get_display_name().unwrap_or(command.get_name());
    pages.push((name.to_owned(), command));
    for command in inner.into_iter().filter(|inner| !inner.is_hide_set()) {
        collect(command, pages);
    }
}
