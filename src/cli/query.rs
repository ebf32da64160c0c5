//! `fer-index query` and `fer-index find`: search the index by flags or by words.

use clap::Args;

use super::Outcome;
use super::context::Context;
use super::filter_args::FilterArgs;
#[cfg(unix)]
use super::fresh::FreshArgs;
use super::results::ResultArgs;
use super::stderr;
use super::stdout::Stdout;
use crate::error::{Error, Result};
use crate::query::{Defaults, IndexLookup, Understood, UserFilter, now, understand};
use crate::store::{Query, Store};

#[derive(Debug, Args)]
pub(super) struct QueryArgs {
    #[command(flatten)]
    filters: FilterArgs,
    #[command(flatten)]
    search: SearchArgs,
}

/// The options that `query` and `find` share besides the filters.
#[derive(Debug, Args)]
struct SearchArgs {
    #[cfg(unix)]
    #[command(flatten)]
    fresh: FreshArgs,
    /// Print only the number of photos found, regardless of --limit
    #[arg(long, conflicts_with_all = ["format", "null", "link_into", "copy_into", "contact_sheet"])]
    count: bool,
    #[command(flatten)]
    results: ResultArgs,
}

#[derive(Debug, Args)]
pub(super) struct FindArgs {
    /// What to find, such as: happy vacation photos in italy last summer. With -v, the equivalent query
    /// command is printed
    #[arg(value_name = "WORD", required = true)]
    words: Vec<String>,
    #[command(flatten)]
    filters: FilterArgs<true>,
    #[command(flatten)]
    search: SearchArgs,
}

pub(super) fn run(args: &QueryArgs, context: &Context, out: &mut Stdout) -> Result<Outcome> {
    let mut filter = args.filters.filter();
    let idle = args.filters.seed(&mut filter);
    answer(&filter, idle, &args.search, context, out)
}

pub(super) fn find(args: &FindArgs, context: &Context, out: &mut Stdout) -> Result<Outcome> {
    let config = context.config();
    let store = Store::open_existing(&config.database)?;
    let known = IndexLookup::of(&store, Defaults::from(&config.query))?;
    let mut understood = understand(&args.words, args.filters.given(), &known, now());
    let idle = args.filters.seed(&mut understood.filter);
    if let Some(near) = &understood.filter.near
        && near.places.is_empty()
    {
        let sentence = "--within needs a place, in the words or as --near";
        return Err(Error::Usage(sentence.to_owned()));
    }
    let arguments: Vec<String> = understood
        .filter
        .arguments()
        .iter()
        .map(|argument| quoted(argument))
        .collect();
    tracing::info!("fer-index query {}", arguments.join(" "));
    print_understood(&understood);
    answer(&understood.filter, idle, &args.search, context, out)
}

/// Prints how the words were understood, including those that became no filter.
fn print_understood(understood: &Understood) {
    let descriptions = understood.filter.descriptions();
    hint(format_args!(
        "understood: {}",
        if descriptions.is_empty() {
            "all photos".to_owned()
        } else {
            descriptions.join("; ")
        }
    ));
    if !understood.as_text.is_empty() {
        hint(format_args!(
            "searched as text in paths, descriptions and keywords: {}",
            understood.as_text.join(" ")
        ));
    }
    if !understood.left_out.is_empty() {
        let left_out: Vec<String> = understood
            .left_out
            .iter()
            .map(|words| format!("\"{words}\""))
            .collect();
        hint(format_args!("left out: {}", left_out.join(", ")));
    }
    for replaced in &understood.replaced {
        hint(format_args!(
            "--{} replaces what the words say: {}",
            replaced.by, replaced.argument
        ));
    }
    for album in &understood.other_albums {
        hint(format_args!(
            "there is an album of that name, too: fer-index find album {album}"
        ));
    }
    for person in &understood.other_people {
        hint(format_args!(
            "there is a person of that name, too: --person {}",
            quoted(person)
        ));
    }
    for (word, meant) in &understood.suggestions {
        hint(format_args!("\"{word}\": did you mean {meant}?"));
    }
}

/// Prints a message to standard error, unless `--quiet` was given.
pub(super) fn hint(words: std::fmt::Arguments<'_>) {
    if tracing::enabled!(tracing::Level::WARN) {
        stderr::print(words);
    }
}

fn answer(
    filter: &UserFilter,
    idle: Option<&'static str>,
    search: &SearchArgs,
    context: &Context,
    out: &mut Stdout,
) -> Result<Outcome> {
    let config = context.config();
    #[cfg(unix)]
    search.fresh.wait(config)?;
    let store = Store::open_existing(&config.database)?;
    let defaults = Defaults::from(&config.query);
    let query = filter.resolve(&store, defaults, Some(config.query.limit))?;
    let idle = idle.map(str::to_owned).into_iter();
    for sentence in filter.without_effect().into_iter().chain(idle) {
        hint(format_args!("{sentence}"));
    }
    if search.count {
        let total = store.total(&query)?;
        out.line(total)?;
        out.flush()?;
        print_undated(&query, &store)?;
        return Ok(if total > 0 {
            Outcome::Found
        } else {
            Outcome::Nothing
        });
    }
    let hits = store.query(&query)?;
    search.results.present(&hits, &store, context, out)?;
    if hits.is_empty() {
        tracing::warn!("no photo found");
        for reason in filter.why_empty(&store, defaults)? {
            hint(format_args!("{reason}"));
        }
        print_undated(&query, &store)?;
        return Ok(Outcome::Nothing);
    }
    out.flush()?;
    print_undated(&query, &store)?;
    if query.limit == Some(hits.len()) {
        let end = query.offset + hits.len();
        let total = store.total(&query)?;
        if total > end as u64 {
            let shown = match query.offset {
                0 => hits.len().to_string(),
                offset => format!("{} to {end}", offset + 1),
            };
            hint(format_args!("{shown} of {total}; --offset {end} for more"));
        }
    }
    Ok(Outcome::Found)
}

/// Prints how many photos a filter by date excluded only because they have no date of their own.
pub(super) fn print_undated(query: &Query, store: &Store) -> Result<()> {
    let undated = store.undated(query)?;
    if undated > 0 {
        let (are, them) = if undated == 1 {
            ("photo is", "it")
        } else {
            ("photos are", "them")
        };
        hint(format_args!(
            "{undated} more {are} dated only by the file; --file-dates includes {them}"
        ));
    }
    Ok(())
}

/// The text quoted for a shell, so that it is one argument.
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
    fn printed_flags_are_quoted_for_a_shell() {
        assert_eq!(quoted("--away=100"), "--away=100");
        assert_eq!(quoted("last summer"), "'last summer'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
