//! Reads negations, which say what photos must not show: `not sad`, `nobody smiling`, `without people`.

use super::{Length, Reader};
use crate::emotion::EmotionSet;

impl Reader<'_> {
    /// Reads a negation with the words that it negates. If no filter can express the negation, all
    /// these words are left out together: without the `not`, the rest would mean the opposite.
    pub(super) fn negation(&mut self, at: usize) -> Length {
        let is_nobody = self.is(at, "nobody");
        if !is_nobody && !self.is(at, "not") {
            return None;
        }
        // Words for people may stand between the negation and the emotion, as in
        // `none of the people smiling`.
        let mut end = at + 1;
        let mut of_people = is_nobody;
        while self.is_any(end, &["filler", "people", "somebody"]) {
            of_people |= self.is_any(end, &["people", "somebody"]);
            end += 1;
        }
        // `not sad and happy` negates only `sad`; `without sad and happy faces` negates both.
        let is_of_all = is_nobody || !matches!(self.lower(at), "not" | "nicht" | "never");
        let emotions = self.alternatives(&mut end, is_of_all);
        if !emotions.is_empty() {
            let filter = &mut self.understood.filter;
            filter.without = filter.without.iter().chain(emotions.iter()).collect();
            if self.is(end, "people") {
                end += 1;
            }
        } else if self.is(end, "alone") && self.lower(end) == "alone" {
            self.understood.filter.faces = Some(2..=u32::MAX);
            end += 1;
        } else if of_people && !self.is_any(end, &["everybody", "most"]) {
            self.understood.filter.faces = Some(0..=0);
        } else {
            end = self.end_of_unknown(end);
            self.leave_out(at, end - at);
        }
        Some(end - at)
    }

    /// Reads emotions that are joined by `or` or `nor` and, if `with_and` is set, also by `and`. Commas
    /// may join all but the last two.
    fn alternatives(&self, end: &mut usize, with_and: bool) -> EmotionSet {
        let joins = |at: usize| self.is_any(at, &["or", "nor"]) || (with_and && self.is(at, "and"));
        let mut all = EmotionSet::EMPTY;
        loop {
            let is_listed = self.lower(*end) == ","
                && !self.emotions(*end + 1).is_empty()
                && (joins(*end + 2) || self.lower(*end + 2) == ",");
            let next = if all.is_empty() {
                *end
            } else if joins(*end) || is_listed {
                *end + 1
            } else {
                return all;
            };
            let emotions = self.emotions(next);
            if emotions.is_empty() {
                return all;
            }
            all = all.iter().chain(emotions.iter()).collect();
            *end = next + 1;
        }
    }

    /// The end of the negated words that begin at `end`, if these are not emotions.
    fn end_of_unknown(&self, mut end: usize) -> usize {
        if self.is_any(end, &["everybody", "most"]) {
            end += 1;
            while self.is(end, "filler") {
                end += 1;
            }
            self.alternatives(&mut end, false);
            return end;
        }
        while self.is_any(end, &["in", "from", "to", "filler"]) {
            end += 1;
        }
        let length = self
            .length_of_date(end)
            .or_else(|| self.length_of_person(end))
            .or_else(|| self.length_of_place(end))
            .unwrap_or(1);
        (end + length).min(self.tokens.len())
    }
}
