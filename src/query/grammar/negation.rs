//! Reads negations, which say what photos must not show: `not sad`, `nobody smiling`, `without people`,
//! `outside italy`.

use super::{Length, Reader};
use crate::emotion::EmotionSet;

impl Reader<'_> {
    /// Reads a negation with the words that it negates. If no filter can express the negation, all
    /// these words are left out together: without the `not`, the rest would mean the opposite.
    pub(super) fn negation(&mut self, at: usize) -> Length {
        if self.is(at, "outside") {
            return Some(self.outside(at));
        }
        let is_nobody = self.is(at, "nobody");
        if !is_nobody && !self.is(at, "not") && !self.is_zero(at) {
            return None;
        }
        // Words for people may be between the negation and the emotion, as in `none of the people smiling`.
        let mut end = at + 1;
        let mut of_people = is_nobody;
        if self.is(end, "photo") && matches!(self.lower(end + 1), "of" | "with" | "showing") {
            end += 1;
        }
        while self.is_any(end, &["filler", "degree", "people", "somebody"])
            && !(of_people && self.begins_activity(end))
        {
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
        } else if of_people && self.begins_activity(end) {
            // `nobody wearing glasses` does not ask for photos without people.
            end += 1;
            while self.is_text(end) || self.is(end, "us") {
                end += 1;
            }
            self.leave_out(at, end - at);
        } else if of_people && !self.is_any(end, &["everybody", "most"]) {
            self.understood.filter.faces = Some(0..=0);
        } else {
            end = self.end_of_unknown(end);
            self.leave_out(at, end - at);
        }
        Some(end - at)
    }

    /// Whether a token is a `0` of faces or of an emotion: `zero people`, `0 smiles`.
    fn is_zero(&self, at: usize) -> bool {
        matches!(self.lower(at), "0" | "zero" | "null")
            && (self.is(at + 1, "people") || !self.emotions(at + 1).is_empty())
    }

    /// Whether a token begins an activity or an exception, for which there is no filter: `wearing glasses`, `looking at
    /// the camera`, `but me`.
    fn begins_activity(&self, at: usize) -> bool {
        let lower = self.lower(at);
        let is_participle = self.is_text(at) && lower.len() > 4 && lower.ends_with("ing");
        let is_exception = matches!(lower, "but" | "except" | "außer")
            && self.token(at + 1).is_some_and(|next| next.lower != ",")
            && self.emotions(at + 1).is_empty();
        self.is(at, "lens") || is_participle || is_exception
    }

    /// Whether a token is a word without a meaning.
    fn is_text(&self, at: usize) -> bool {
        self.token(at)
            .is_some_and(|token| token.meanings().is_empty() && token.lower != ",")
    }

    /// Leaves out `outside italy` and `far from rome` whole, since no filter excludes a place. Of `outside the museum`,
    /// the museum may be in the photo's description.
    fn outside(&mut self, at: usize) -> usize {
        let mut end = at + 1;
        while self.is_any(end, &["in", "from", "filler"]) {
            end += 1;
        }
        let length = self
            .length_of_place(end)
            .map_or(1, |place| end + place - at);
        self.leave_out(at, length);
        length
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
    fn end_of_unknown(&mut self, mut end: usize) -> usize {
        if self.is_any(end, &["everybody", "most"]) {
            end += 1;
            while self.is(end, "filler") {
                end += 1;
            }
            self.alternatives(&mut end, false);
            return end;
        }
        while self.is(end, "photo") {
            end += 1;
        }
        // A list of dates or places is negated as a whole, with its preposition.
        if self.is_any(end, &["in", "from", "to"])
            && let Some(length) = self.length_of(Self::place, end)
        {
            return self.end_of_places(end + length);
        }
        while self.is_any(end, &["in", "from", "to", "filler"]) && !self.is(end, "more_than") {
            end += 1;
        }
        let end = self.end_of_words(end);
        self.end_of_places(end)
    }

    /// The end of the time, the person or the place that begins at `at`, or else of the word there.
    pub(super) fn end_of_words(&mut self, at: usize) -> usize {
        let length = self
            .length_of(Self::time, at)
            .or_else(|| self.length_of_person(at))
            .or_else(|| self.length_of_place(at))
            .unwrap_or(1);
        (at + length).min(self.tokens.len())
    }

    /// The end of the places that are joined by `or` to the one that ends at `end`: `not in italy or france` excludes
    /// both.
    fn end_of_places(&mut self, mut end: usize) -> usize {
        while self.is_any(end, &["or", "nor"])
            && let Some(length) = self.length_of_place(end + 1)
        {
            end += 1 + length;
        }
        end
    }
}
