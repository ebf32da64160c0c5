//! `fer-index complete`, hidden: proposes values of a flag for the scripts of `fer-index completions`.

use clap::Args;

use super::Outcome;
use super::context::Context;
use super::stdout::Stdout;
use crate::error::Result;
use crate::query::{FLAGS, Gazetteer, Kind};
use crate::store::Store;

/// The largest number of proposals: more would not fit on a screen.
const MAX_VALUES: usize = 100;

#[derive(Debug, Args)]
pub(super) struct CompleteArgs {
    /// The flag without its hyphens
    flag: String,
    /// The beginning of its value
    #[arg(default_value = "", allow_hyphen_values = true)]
    beginning: String,
}

pub(super) fn run(args: &CompleteArgs, context: &Context, out: &mut Stdout) -> Result<Outcome> {
    let kind = FLAGS.iter().find(|flag| flag.name == args.flag);
    let index = || Store::open_existing(&context.config().database);
    let values = match kind.map(|flag| flag.kind) {
        Some(Kind::Place) => Gazetteer::get().names(&args.beginning, MAX_VALUES),
        Some(Kind::Camera) => index()?.cameras()?,
        Some(Kind::Person) => index()?.people()?,
        Some(Kind::Word) => index()?.keywords()?,
        _ => Vec::new(),
    };
    let beginning = args.beginning.to_lowercase();
    let fits = |value: &String| value.to_lowercase().starts_with(&beginning);
    let mut outcome = Outcome::Nothing;
    for value in values.iter().filter(|value| fits(value)).take(MAX_VALUES) {
        out.line(value)?;
        outcome = Outcome::Found;
    }
    Ok(outcome)
}
