//! Proposes a date for one that is not understood.

use jiff::civil::DateTime;

use super::{feasts, words};

/// Words of dates, and the letters in which a mistyped one may differ.
const WORDS: &[&str] = &[
    "today",
    "yesterday",
    "tomorrow",
    "last",
    "this",
    "next",
    "past",
    "week",
    "weekend",
    "month",
    "year",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "seconds",
    "minutes",
    "hours",
    "days",
    "weeks",
    "months",
    "years",
    "fortnight",
    "ago",
    "eve",
    "day",
    "two",
    "three",
    "seven",
    "eight",
];
const MAX_ERRORS: usize = 2;

/// The phrase nearest to these words that is a date: with mistyped words replaced, with what is missing added, or
/// without the words at one end. `None` if there is none.
pub(super) fn nearest(typed: &[&str], now: DateTime) -> Option<String> {
    let right: Vec<String> = typed.iter().map(|word| corrected(word)).collect();
    let right: Vec<&str> = right.iter().map(String::as_str).collect();
    let (month, year) = (
        now.strftime("%B").to_string().to_lowercase(),
        now.year().to_string(),
    );
    let in_month = ["of", month.as_str(), year.as_str()];
    let shorter = (1..right.len()).rev().flat_map(|length| {
        [
            right[..length].to_vec(),
            right[right.len() - length..].to_vec(),
        ]
    });
    [
        right.clone(),
        [&right[..], &["ago"]].concat(),
        [&right[..], &in_month].concat(),
    ]
    .into_iter()
    .chain(shorter)
    .find(|words| words::in_words(words, now).is_some())
    .map(|words| words.join(" "))
}

/// The word of dates as which the user probably meant this word, or the word itself.
fn corrected(word: &str) -> String {
    let word = word.to_lowercase();
    let known = WORDS.iter().copied().chain(feasts::words());
    let near = |known: &&str| {
        // Short words resemble too many others.
        let most = (word.chars().count() / 3).min(MAX_ERRORS);
        let errors = strsim::osa_distance(known, &word);
        (errors <= most).then_some(errors)
    };
    let best = known.filter_map(|known| Some((near(&known)?, known))).min();
    best.map_or(word.clone(), |(_, known)| known.to_owned())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_nearest_phrase_is_named() {
        let now = date(2026, 11, 24).at(15, 20, 30, 0);
        for (typed, proposed) in [
            ("fryday", Some("friday")),
            ("last sumer", Some("last summer")),
            ("yesterdya 18:00", Some("yesterday 18:00")),
            ("2 days", Some("2 days ago")),
            ("first monday", Some("first monday of november 2026")),
            ("last summer 18:00", Some("last summer")),
            ("monday tuesday", Some("monday")),
            ("3 weks ago", Some("3 weeks ago")),
            ("chrismas 2018", Some("christmas 2018")),
            ("at the beach", None),
            ("soon", None),
        ] {
            let words: Vec<&str> = typed.split(' ').collect();
            assert_eq!(nearest(&words, now).as_deref(), proposed, "{typed}");
        }
    }
}
