//! `fer-index query` and `fer-index find`.

use clap::Args;

use super::Outcome;
use super::context::Context;
use super::filter_args::FilterArgs;
#[cfg(unix)]
use super::fresh::FreshArgs;
use super::output::Stdout;
use super::results::ResultArgs;
use crate::error::Result;
use crate::query::{AskedFilter, today, understand};
use crate::store::Store;

#[derive(Debug, Args)]
pub(super) struct QueryArgs {
    #[command(flatten)]
    filters: FilterArgs,
    #[command(flatten)]
    ask: AskArgs,
}

/// When a question is put, and how its answer is given.
#[derive(Debug, Args)]
struct AskArgs {
    #[cfg(unix)]
    #[command(flatten)]
    fresh: FreshArgs,
    #[command(flatten)]
    results: ResultArgs,
}

#[derive(Debug, Args)]
pub(super) struct FindArgs {
    /// What to find: happy vacation photos in italy last summer; -v tells how it was understood
    #[arg(value_name = "WORD", required = true)]
    words: Vec<String>,
    #[command(flatten)]
    filters: FilterArgs,
    #[command(flatten)]
    ask: AskArgs,
}

pub(super) fn run(args: &QueryArgs, context: &Context, out: &mut Stdout) -> Result<Outcome> {
    answer(&args.filters.filter()?, &args.ask, context, out)
}

pub(super) fn find(args: &FindArgs, context: &Context, out: &mut Stdout) -> Result<Outcome> {
    let understood = understand(&args.words, args.filters.filter()?, today());
    let flags: Vec<String> = understood
        .filters
        .arguments()
        .iter()
        .map(|flag| quoted(flag))
        .collect();
    tracing::info!("fer-index query {}", flags.join(" "));
    if !understood.as_text.is_empty() {
        tracing::warn!(
            "looked for as text in paths, descriptions and keywords: {}",
            understood.as_text.join(" ")
        );
    }
    answer(&understood.filters, &args.ask, context, out)
}

fn answer(
    filter: &AskedFilter,
    ask: &AskArgs,
    context: &Context,
    out: &mut Stdout,
) -> Result<Outcome> {
    let config = context.config();
    #[cfg(unix)]
    ask.fresh.wait(config)?;
    let store = Store::open_existing(&config.database)?;
    let query = filter.resolve(&store, config.query.min_detection, Some(config.query.limit))?;
    let hits = store.query(&query)?;
    ask.results.present(&hits, &store, context, out)?;
    if hits.is_empty() {
        tracing::warn!("no photo matches");
        return Ok(Outcome::Nothing);
    }
    Ok(Outcome::Found)
}

/// As a shell takes it for one word.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_.,/=:".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_can_be_pasted_into_a_shell() {
        assert_eq!(quoted("--away=100"), "--away=100");
        assert_eq!(quoted("last summer"), "'last summer'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
