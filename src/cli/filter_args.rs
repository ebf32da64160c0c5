//! Makes command-line arguments of the filters in [`FLAGS`], for `query`, `find` and `export`.

use std::ffi::{OsStr, OsString};

use clap::builder::{
    OsStringValueParser, PossibleValue, PossibleValuesParser, StringValueParser, TypedValueParser,
};
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Args, Command, FromArgMatches, ValueHint};

use crate::emotion::Emotion;
use crate::query::{FLAGS, Flag, GivenFlags, Kind, UserFilter};
use crate::store::Order;

/// The name of the group of all filters, for flags that exclude them.
pub(super) const FILTERS: &str = "filters";

/// The filter that was given to a command. With a sentence (`WITH_WORDS`), no flag requires another one, since the
/// sentence may have the other filter.
#[derive(Debug)]
pub(super) struct FilterArgs<const WITH_WORDS: bool = false> {
    given: GivenFlags,
}

impl<const WITH_WORDS: bool> FilterArgs<WITH_WORDS> {
    /// The filter.
    pub fn filter(&self) -> UserFilter {
        self.given.filter.clone()
    }

    /// The flags that were given.
    pub const fn given(&self) -> &GivenFlags {
        &self.given
    }

    /// Shuffles by the given seed if the filter, without a seed, asks for a random order. Returns a sentence if the
    /// seed changes nothing.
    pub fn seed(&self, filter: &mut UserFilter) -> Option<&'static str> {
        let given = self.given.seed?;
        if let Order::Random { seed } = &mut filter.order {
            *seed = given;
            return None;
        }
        Some("--seed changes nothing without --order random")
    }
}

impl<const WITH_WORDS: bool> Args for FilterArgs<WITH_WORDS> {
    fn augment_args(command: Command) -> Command {
        let command = command.next_help_heading("Filters");
        let group = ArgGroup::new(FILTERS).multiple(true);
        command
            .args(FLAGS.iter().map(|flag| arg(flag, WITH_WORDS)))
            .group(group.args(FLAGS.iter().map(|flag| flag.name)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<const WITH_WORDS: bool> FromArgMatches for FilterArgs<WITH_WORDS> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut filter = UserFilter::new();
        let mut names = Vec::new();
        let mut seed = None;
        for flag in FLAGS {
            if matches.value_source(flag.name) == Some(ValueSource::CommandLine) {
                names.push(flag.name);
            }
            let mut set = |value: &OsStr| {
                flag.set(&mut filter, value)
                    .map_err(|sentence| clap::Error::raw(ErrorKind::ValueValidation, sentence))
            };
            if flag.value.is_none() {
                if matches.get_flag(flag.name) {
                    set(OsStr::new(""))?;
                }
                continue;
            }
            for value in matches
                .get_many::<OsString>(flag.name)
                .into_iter()
                .flatten()
            {
                set(value)?;
                if flag.name == "seed" {
                    seed = value.to_str().and_then(|value| value.parse().ok());
                }
            }
        }
        let given = GivenFlags {
            filter,
            names,
            seed,
        };
        Ok(Self { given })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn arg(flag: &'static Flag, with_words: bool) -> Arg {
    let mut arg = Arg::new(flag.name).long(flag.name).help(flag.help);
    if let Some(short) = flag.short {
        arg = arg.short(short);
    }
    if let Some(other) = flag.requires.filter(|_| !with_words) {
        arg = arg.requires(other);
    }
    if let Some(other) = flag.conflicts_with {
        arg = arg.conflicts_with(other);
    }
    let Some(value) = flag.value else {
        return arg.action(ArgAction::SetTrue);
    };
    if flag.kind == Kind::Folder {
        arg = arg.value_hint(ValueHint::DirPath);
    }
    arg = arg
        .value_name(value)
        .value_parser(Value(flag))
        // The help text of such flags lists the values itself.
        .hide_possible_values(flag.choices.is_empty())
        .allow_hyphen_values(flag.takes_negative);
    if let Some(value) = flag.default_value {
        arg = arg
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value(value);
    }
    if flag.is_repeatable {
        arg = arg.action(ArgAction::Append);
    }
    arg
}

/// Checks the value of a flag while clap parses it, so that an error names the flag.
#[derive(Debug, Clone, Copy)]
struct Value(&'static Flag);

impl TypedValueParser for Value {
    type Value = OsString;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<OsString, clap::Error> {
        let Self(flag) = *self;
        if !flag.choices.is_empty() {
            let choices = PossibleValuesParser::new(choices(flag));
            return choices.map(OsString::from).parse_ref(command, arg, value);
        }
        OsStringValueParser::new()
            .try_map(|value| {
                flag.set(&mut UserFilter::new(), &value)?;
                Ok::<_, String>(value)
            })
            .parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let Self(flag) = *self;
        // Only for completion scripts, since a value may also be a list or a synonym.
        if flag.kind == Kind::Emotion {
            return Some(Box::new(emotions()));
        }
        (!flag.choices.is_empty()).then(|| Box::new(choices(flag)) as Box<_>)
    }
}

/// Parses the name of one emotion; completions propose all of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct EmotionName;

impl TypedValueParser for EmotionName {
    type Value = Emotion;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Emotion, clap::Error> {
        StringValueParser::new()
            .try_map(|word| word.parse::<Emotion>())
            .parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(emotions()))
    }
}

/// The emotions, as values of a flag.
fn emotions() -> impl Iterator<Item = PossibleValue> {
    Emotion::ALL.iter().map(|emotion| emotion.name().into())
}

fn choices(flag: &'static Flag) -> impl Iterator<Item = PossibleValue> {
    let of = |(name, help): &(&'static str, &'static str)| PossibleValue::new(*name).help(*help);
    flag.choices.iter().map(of)
}
