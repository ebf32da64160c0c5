//! Parses the filters in the page's requests.

use serde::{Deserialize, Serialize};

use super::api_error::ApiError;
use crate::query::{
    Defaults, FLAGS, GivenFlags, IndexLookup, Understood, UserFilter, now, understand,
};
use crate::store::{Query, Store, has_words};

/// The maximum number of photos in one answer.
const MAX_PHOTOS: usize = 500;

/// The value of `emotion` for photos that show any emotion or none, whatever the text says.
const ANY_EMOTION: &str = "any";

/// The flags that belong to the emotion, and are removed together with it.
const EMOTION_FLAGS: [&str; 4] = ["emotion", "who", "min-score", "all"];

/// The flags of a place. The page removes the distance when another place is chosen.
const PLACE_FLAGS: [&str; 2] = ["near", "within"];

/// Parameters that are not flags, or mean other flags than those of the same name.
const OTHER_PARAMETERS: [&str; 5] = ["text", "words", "limit", "offset", "most"];

/// The parameters of the page's address: the flags of `fer-index query` under their names, and in addition `text` (what
/// a person typed, in the grammar of `fer-index find`), `words` (the flag `--text`), `most` (the flag `--limit`) and
/// `min` (the minimum score in percent). The emotion [`ANY_EMOTION`] removes the one in the text. A missing parameter does not
/// restrict; unknown ones are ignored here.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct FilterParameters(Vec<(String, String)>);

/// Which of the photos that match the filters to return.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Page {
    #[serde(default)]
    pub offset: usize,
    limit: usize,
}

impl Page {
    pub fn limit(self) -> usize {
        self.limit.min(MAX_PHOTOS)
    }
}

/// The filters of a request after parsing.
#[derive(Debug)]
pub(super) struct Search {
    /// The query for the store, without a limit or offset.
    pub query: Query,
    /// The flags of `fer-index query` that the text was read as; empty where it is only words.
    pub read_as: Vec<String>,
    /// The same filter before places and dates were resolved.
    pub filter: UserFilter,
    /// The part of it that the controls set.
    pub of_controls: UserFilter,
    /// How the text was understood.
    pub understood: Interpretation,
    /// Whether the text asks for an emotion.
    pub has_typed_emotion: bool,
}

impl Search {
    /// The query for all photos of the grid.
    pub fn query_for_all(&self) -> Query {
        Query {
            limit: self.filter.limit,
            offset: 0,
            ..self.query.clone()
        }
    }

    /// The number of photos that were asked for (`top 3`), at most.
    pub fn max_photos(&self) -> usize {
        self.filter.limit.unwrap_or(usize::MAX)
    }
}

/// How a typed text was understood, in plain words.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Interpretation {
    /// The filters of the text as they are in force, one sentence each.
    filters: Vec<String>,
    /// The filters of the text that controls replace, one sentence each.
    replaced: Vec<String>,
    /// Words that are searched for as text.
    as_text: Vec<String>,
    /// Words that were ignored.
    left_out: Vec<String>,
    /// Words that are one letter away from a known word, each with that word.
    suggestions: Vec<(String, String)>,
    /// Albums whose names are in the text, but were read as something else.
    other_albums: Vec<String>,
    /// People whose names are in the text, but were read as something else.
    other_people: Vec<String>,
}

impl Interpretation {
    /// No sentence describes the order in force, since the page always shows it.
    fn of(understood: &Understood) -> Self {
        let replaced: Vec<_> = understood.replaced.iter().map(|old| old.flag).collect();
        let typed = understood.of_words.set_flags().into_iter();
        let in_force: Vec<_> = typed
            .map(|(flag, _)| flag.name)
            .filter(|name| *name != "order" && !replaced.contains(name))
            .collect();
        Self {
            filters: sentences(&understood.filter, &in_force),
            replaced: sentences(&understood.of_words, &replaced),
            as_text: understood.as_text.clone(),
            left_out: understood.left_out.clone(),
            suggestions: understood.suggestions.clone(),
            other_albums: understood.other_albums.clone(),
            other_people: understood.other_people.clone(),
        }
    }
}

/// The sentences that describe these flags of a filter.
fn sentences(filter: &UserFilter, flags: &[&str]) -> Vec<String> {
    // The sentences of these flags are included in those of others.
    let included = [("who", "emotion"), ("until", "since")];
    let is_of_flags = |name: &str| {
        flags.contains(&name)
            || (included.iter()).any(|(part, whole)| *whole == name && flags.contains(part))
    };
    let parts = filter.parts().into_iter();
    let parts = parts.filter(|(name, _)| is_of_flags(name));
    parts.map(|(_, words)| words).collect()
}

impl FilterParameters {
    /// Parses the parameters; `defaults` are the settings for what they do not state.
    ///
    /// The page's controls are added to the text, or replace what it says, as flags do with the words of `fer-index find`.
    pub fn read(&self, store: &Store, defaults: Defaults) -> Result<Search, ApiError> {
        let controls = self.controls()?;
        let words: Vec<String> = self.value("text").map(str::to_owned).into_iter().collect();
        let known = IndexLookup::of(store, defaults)?;
        let text = understand(&words, &controls, &known, now());
        let typed = &text.of_words;
        let is_just_words = (typed.set_flags().iter()).all(|(flag, _)| flag.name == "text");
        let read_as = if is_just_words {
            Vec::new()
        } else {
            typed.arguments()
        };
        let understood = Interpretation::of(&text);
        let has_typed_emotion = !typed.emotions.is_empty();
        let query = text.filter.resolve(store, defaults, Some(MAX_PHOTOS))?;
        Ok(Search {
            query,
            read_as,
            filter: text.filter,
            of_controls: controls.filter,
            understood,
            has_typed_emotion,
        })
    }

    /// The parameters that another place would leave; a place of the text stays in it.
    pub fn without_place(mut self) -> Self {
        self.0
            .retain(|(name, _)| !PLACE_FLAGS.contains(&name.as_str()));
        self
    }

    /// The first value of a parameter.
    fn value(&self, wanted: &str) -> Option<&str> {
        let mut named = self.0.iter().filter(|(name, _)| name == wanted);
        named.next().map(|(_, value)| value.as_str())
    }

    /// Refuses a parameter that lacks its value, such as `?since`.
    fn check_values(&self) -> Result<(), ApiError> {
        let placeholder = |name: &str| match name {
            "min" => Some("PERCENT"),
            "most" => Some("N"),
            _ if OTHER_PARAMETERS.contains(&name) => None,
            _ => {
                let flag = FLAGS.iter().find(|flag| flag.name == name)?;
                flag.value.filter(|_| flag.default_value.is_none())
            }
        };
        let mut lacking = self.0.iter().filter_map(|(name, value)| {
            let placeholder = placeholder(name).filter(|_| value.is_empty())?;
            Some(format!(
                "the parameter {name} has no value; write {name}={placeholder}, or leave it out"
            ))
        });
        lacking
            .next()
            .map_or(Ok(()), |sentence| Err(ApiError::Bad(sentence)))
    }

    /// The flags that the page's controls set.
    fn controls(&self) -> Result<GivenFlags, ApiError> {
        self.check_values()?;
        let min_score = self.value("min").map(min_score_flag).transpose()?;
        let words = self.value("words").filter(|words| !words.trim().is_empty());
        if let Some(words) = words
            && !has_words(words)
        {
            return Err(ApiError::Bad(format!(
                "there is no letter, digit or symbol in \"{words}\" to search for"
            )));
        }
        let is_emotion_removed = self.value("emotion") == Some(ANY_EMOTION);
        let flags = self.0.iter().filter(|(name, value)| {
            !(OTHER_PARAMETERS.contains(&name.as_str())
                || name == "emotion" && value == ANY_EMOTION)
        });
        let flags: Vec<_> = flags
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .chain(words.map(|words| ("text", words)))
            .chain(min_score.as_deref().map(|score| ("min-score", score)))
            .chain(self.value("most").map(limit_flag).transpose()?)
            .collect();
        let filter = UserFilter::read(&flags).map_err(ApiError::Bad)?;
        let is_given = |name: &str| {
            flags.iter().any(|(given, _)| *given == name)
                || is_emotion_removed && EMOTION_FLAGS.contains(&name)
        };
        let names = FLAGS.iter().map(|flag| flag.name);
        Ok(GivenFlags {
            filter,
            names: names.filter(|name| is_given(name)).collect(),
            seed: self.value("seed").and_then(|seed| seed.parse().ok()),
        })
    }
}

/// The number of photos as the flag `--limit`, if that accepts it.
fn limit_flag(number: &str) -> Result<(&str, &str), ApiError> {
    let explain = || {
        ApiError::Bad(format!(
            "\"{number}\" is no number of photos; write 1 or more"
        ))
    };
    let is_valid = number.parse::<usize>().is_ok_and(|number| number > 0);
    is_valid.then_some(("limit", number)).ok_or_else(explain)
}

/// Converts a minimum score in percent to a value of `--min-score`.
fn min_score_flag(percent: &str) -> Result<String, ApiError> {
    let explain = || ApiError::Bad(format!("\"{percent}\" is no percentage; write 0 to 100"));
    let percent: f32 = percent.parse().map_err(|_| explain())?;
    if !(0.0..=100.0).contains(&percent) {
        return Err(explain());
    }
    Ok((percent / 100.0).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_five_hundred_photos_at_most() {
        for (limit, expected) in [
            (0, 0),
            (499, 499),
            (500, 500),
            (501, 500),
            (usize::MAX, 500),
        ] {
            assert_eq!(Page { offset: 0, limit }.limit(), expected);
        }
    }
}
