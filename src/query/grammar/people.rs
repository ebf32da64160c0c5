//! Reads the names of people whom photos of the index name: `of anna`, `with anna rossi and ben`.

use super::{Length, Reader};
use crate::store::words_of_name;

/// The maximum number of words in a person's name.
const MAX_NAME_WORDS: usize = 5;

impl Reader<'_> {
    /// Reads one or more people, who must be in a photo together. Without `of` or `with`, only a whole name or its
    /// first words are read; any other word of a name is found as text.
    pub(super) fn person(&mut self, at: usize) -> Length {
        let has_preposition = self.leads_to_person(at);
        let start = at + usize::from(has_preposition);
        let Some((first, length)) = self.name_of_person(start, has_preposition) else {
            if has_preposition {
                let other = self.other_person(start);
                self.understood.other_people.extend(other);
            }
            return None;
        };
        let mut names = vec![first];
        let mut end = start + length;
        loop {
            if self.is(end, "or")
                && let Some((_, length)) = self.name_of_person(end + 1, true)
            {
                // The filter would ask for both of them.
                self.leave_out(at, end + 1 + length - at);
                return Some(end + 1 + length - at);
            }
            let is_comma = self.lower(end) == ",";
            let is_joined = is_comma || self.is(end, "and") || self.leads_to_person(end);
            if !is_joined {
                break;
            }
            let next = end + 1 + usize::from(is_comma && self.is(end + 1, "and"));
            let Some((name, length)) = self.name_of_person(next, true) else {
                break;
            };
            names.push(name);
            end = next + length;
        }
        self.understood.filter.people.extend(names);
        Some(end - at)
    }

    /// The number of tokens of the name that begins at a token.
    pub(super) fn length_of_person(&self, at: usize) -> Length {
        let (_, length) = self.name_of_person(at, true)?;
        Some(length)
    }

    /// Whether a name is expected after a token.
    pub(super) fn leads_to_person(&self, at: usize) -> bool {
        matches!(self.lower(at), "of" | "with" | "von" | "mit")
    }

    /// The longest name of a person that begins at a token, as the user typed it, and its number of tokens.
    fn name_of_person(&self, at: usize, has_preposition: bool) -> Option<(String, usize)> {
        let longest = MAX_NAME_WORDS.min(self.tokens.len().saturating_sub(at));
        (1..=longest).rev().find_map(|length| {
            let tokens = &self.tokens[at..at + length];
            let name: Vec<&str> = tokens.iter().map(|token| token.word.as_str()).collect();
            let name = name.join(" ");
            let words = words_of_name(&name);
            let is_name = if has_preposition {
                self.index.people().has_person_named(&words)
            } else {
                self.index.people().has_first_name(&words)
            };
            // `Joy` is a person after `of`, and `joy` an emotion.
            let is_written_so = tokens
                .iter()
                .all(|token| token.word.starts_with(char::is_uppercase));
            let is_other = tokens.iter().all(|token| !token.meanings().is_empty());
            let may_be = is_name
                && tokens.iter().all(|token| token.lower != ",")
                && (!is_other
                    || (has_preposition
                        && (is_written_so || self.is_rather_a_name(at, length, &words))))
                && self.is_end_of_name(at + length, has_preposition);
            may_be.then_some((name, length))
        })
    }

    /// Whether words with another meaning are rather the first name of a person after `with` or `of`, as in `with june`:
    /// unless they name an emotion (`with joy`), or a date goes on behind them (`of may 2019`).
    fn is_rather_a_name(&self, at: usize, length: usize, words: &[String]) -> bool {
        let next = at + length;
        let goes_on = self
            .lower(next)
            .starts_with(|first: char| first.is_ascii_digit())
            || self.is_any(next, &["to", "until"])
            // `the month of june`
            || at > 1 && self.is_any(at - 2, &["month", "day"]);
        !goes_on
            && (at..next).all(|at| self.emotions(at).is_empty())
            && self.index.people().has_first_name(words)
    }

    /// The person whose first name begins at a token, if the words there are read as something else.
    fn other_person(&self, at: usize) -> Option<String> {
        let longest = MAX_NAME_WORDS.min(self.tokens.len().saturating_sub(at));
        (1..=longest).rev().find_map(|length| {
            let words = self.tokens[at..at + length]
                .iter()
                .map(|token| token.word.as_str());
            let name = words.collect::<Vec<_>>().join(" ");
            self.index
                .people()
                .with_first_name(&words_of_name(&name))
                .map(str::to_owned)
        })
    }

    /// Whether a name ends before a token: `anna` is not a name in `anna's birthday`, nor in `anna karenina` without
    /// `of`.
    fn is_end_of_name(&self, next: usize, has_preposition: bool) -> bool {
        let Some(token) = self.token(next) else {
            return true;
        };
        if self.tokens[next - 1].is_possessive {
            return !self.emotions(next).is_empty();
        }
        let is_word = token.meanings().is_empty() && token.lower.starts_with(char::is_alphabetic);
        has_preposition || !is_word || self.length_of_place(next).is_some()
    }
}
