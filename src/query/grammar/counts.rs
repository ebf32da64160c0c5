//! Reads numbers of faces (`three happy people`) and of photos (`top 3`, `20 photos`).

use std::ops::RangeInclusive;

use super::{Length, Reader};
use crate::store::Order;

/// The largest number that counts faces or photos; larger ones are years.
const MAX_COUNT: u32 = 1000;

/// The counted noun must be among this many tokens after a number.
const MAX_NOUN_DISTANCE: usize = 5;

impl Reader<'_> {
    /// Reads a number with the noun that it counts.
    pub(super) fn count(&mut self, at: usize) -> Length {
        if self.is(at, "group") {
            let of = at + 1 + usize::from(self.is(at + 1, "photo"));
            if !matches!(self.lower(of), "of" | "with" | "von" | "mit") {
                return None;
            }
            let (range, length) = self.range(of + 1)?;
            self.count_faces(range);
            // In `group of five friends`, the number counts the friends.
            let end = of + 1 + length;
            if self.is(end, "kin") {
                self.counted.push(end);
            }
            return Some(end - at);
        }
        if self.is(at, "couple") && self.lower(at + 1) == "of" && self.counts_photos(at + 2) {
            return Some(2);
        }
        if self.is(at, "many") {
            self.counted_noun(at + 1)?;
            self.count_faces(3..=u32::MAX);
            return Some(1);
        }
        if let Some(length) = self.limit(at) {
            return Some(length);
        }
        let (range, length) = self.range(at)?;
        let next = at + length;
        if self.lower(next) == "of" && self.is(next + 1, "us") {
            self.count_faces(range);
            return Some(length + 2);
        }
        let is_plain = length == 1 && range.start() == range.end();
        if let Some(noun) = self.counted_noun(next) {
            self.counted.push(noun);
            // In `three people or more`, the limit follows the noun.
            let after = is_plain.then(|| self.limit_after(*range.start(), noun + 1));
            let (range, end) = after.flatten().unwrap_or((range, noun + 1));
            self.count_faces(range);
            self.done.extend(noun + 1..end);
            return Some(length);
        }
        // `family of four`
        if is_plain && at > 1 && self.lower(at - 1) == "of" && self.lower(at - 2) == "family" {
            self.count_faces(range);
            return Some(length);
        }
        if is_plain && self.counts_photos(next) {
            self.understood.filter.limit = Some(*range.start() as usize);
            return Some(length);
        }
        None
    }

    fn count_faces(&mut self, range: RangeInclusive<u32>) {
        self.understood.filter.faces = Some(range);
        self.counts = true;
    }

    /// Reads `top 10`, `latest 20`, `last 10 photos`.
    fn limit(&mut self, at: usize) -> Length {
        let is_last = self.is(at, "last") && self.is(at + 2, "photo");
        let is_latest = self.is(at, "latest") || is_last;
        if !is_latest && !self.is(at, "best") {
            return None;
        }
        let count = self.number(at + 1)?;
        let filter = &mut self.understood.filter;
        filter.limit = Some(count as usize);
        if is_latest {
            filter.order = Order::Date;
        }
        Some(2)
    }

    /// The range that `or more`, `minimum` or `at most`, from a token on, makes of the number before it, and the index
    /// after these words.
    fn limit_after(&self, count: u32, at: usize) -> Option<(RangeInclusive<u32>, usize)> {
        let word = |at: usize| self.lower(at);
        let (least, most) = (count..=u32::MAX, 1..=count);
        if self.is(at, "or") {
            return match word(at + 1) {
                "more" | "mehr" => Some((least, at + 2)),
                "less" | "fewer" | "weniger" => Some((most, at + 2)),
                _ => None,
            };
        }
        // The limit of another number, such as `90%`, is before that number.
        let is_of_next = self.number(at + 1).is_some()
            || self
                .lower(at + 1)
                .starts_with(|first: char| first.is_ascii_digit());
        if is_of_next {
            None
        } else if self.is(at, "at_least") || word(at) == "min" {
            Some((least, at + 1))
        } else if self.is(at, "at_most") || word(at) == "max" {
            Some((most, at + 1))
        } else {
            None
        }
    }

    /// The range that begins at a token and its number of tokens: `3`, `at least three`, `2 or 3`,
    /// `2 to 5`, `2-5`.
    fn range(&self, at: usize) -> Option<(RangeInclusive<u32>, usize)> {
        if self.is(at, "at_least") || self.lower(at) == "min" {
            let at = at + usize::from(self.lower(at + 1) == "of");
            return Some((self.number(at + 1)?..=u32::MAX, 2));
        }
        if self.is(at, "more_than") {
            return Some((self.number(at + 1)? + 1..=u32::MAX, 2));
        }
        if self.is(at, "less_than") {
            let count = self.number(at + 1)?;
            return (count > 1).then_some((1..=count - 1, 2));
        }
        if self.is(at, "at_most") || self.lower(at) == "max" {
            let at = at + usize::from(self.lower(at + 1) == "of");
            return Some((1..=self.number(at + 1)?, 2));
        }
        if self.is(at, "between") {
            let (first, last) = (self.number(at + 1)?, self.number(at + 3)?);
            let is_range = self.is_any(at + 2, &["and", "to"]) && first < last;
            return is_range.then_some((first..=last, 4));
        }
        if self.is(at, "exactly") {
            let count = self.number(at + 1)?;
            return Some((count..=count, 2));
        }
        if let Some((first, last)) = self.lower(at).split_once(['-', '–']) {
            let (first, last) = (first.parse().ok()?, last.parse().ok()?);
            return (first < last && last <= MAX_COUNT).then_some((first..=last, 1));
        }
        if let Some(least) = self.lower(at).strip_suffix('+') {
            return Some((least.parse().ok()?..=u32::MAX, 1));
        }
        let first = self.number(at)?;
        if self.is(at + 1, "or") && matches!(self.lower(at + 2), "more" | "mehr") {
            return Some((first..=u32::MAX, 3));
        }
        if self.is(at + 1, "or") && matches!(self.lower(at + 2), "fewer" | "less" | "weniger") {
            return Some((1..=first, 3));
        }
        if self.is_any(at + 1, &["or", "to"])
            && let Some(last) = self.number(at + 2).filter(|last| *last > first)
        {
            return Some((first..=last, 3));
        }
        Some((first..=first, 1))
    }

    /// The number at a token, in digits or in words.
    pub(super) fn number(&self, at: usize) -> Option<u32> {
        let token = self.token(at)?;
        let in_words = token.meanings().iter().find_map(|word| word.parse().ok());
        in_words
            .or_else(|| token.lower.parse().ok())
            .filter(|count| (1..=MAX_COUNT).contains(count))
    }

    /// The index of the noun for people or faces that a number before `at` counts.
    fn counted_noun(&self, at: usize) -> Option<usize> {
        (at..at + MAX_NOUN_DISTANCE)
            .take_while(|noun| *noun == at || self.is_modifier(noun - 1))
            .find(|noun| self.is_any(*noun, &["people", "kin"]))
    }

    /// Whether a number before `at` counts photos.
    fn counts_photos(&self, at: usize) -> bool {
        let mut nouns = (at..at + MAX_NOUN_DISTANCE)
            .take_while(|noun| *noun == at || self.is_modifier(noun - 1));
        // `10 happiest`, `3 saddest`, `5 traurigste`, `4 most surprised`
        let lower = self.lower(at);
        let is_superlative = lower.ends_with("iest")
            || self.is(at, "best")
            || (!self.emotions(at).is_empty()
                && ["est", "ste", "sten"]
                    .into_iter()
                    .any(|ending| lower.ends_with(ending)))
            || (lower == "most" && !self.emotions(at + 1).is_empty());
        nouns.any(|noun| self.is(noun, "photo")) || is_superlative
    }

    /// Whether a token may occur between a number and the noun that it counts.
    fn is_modifier(&self, at: usize) -> bool {
        !self.emotions(at).is_empty()
            || self.is_any(
                at,
                &["vague", "degree", "or", "and", "best", "latest", "random"],
            )
            || self.lower(at) == ","
    }
}
