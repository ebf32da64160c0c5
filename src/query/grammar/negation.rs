//! `not sad`, `nobody smiling`, `without people`: what photos must not show.

use super::{Length, Reader};
use crate::emotion::EmotionSet;

impl Reader {
    /// A negation and what it negates. One that cannot be asked for is left out with what it negates:
    /// without the `not` the answer would be its opposite.
    pub(super) fn negation(&mut self, at: usize) -> Length {
        let is_nobody = self.is(at, "nobody");
        if !is_nobody && !self.is(at, "not") {
            return None;
        }
        // `who are not all of the people smiling`: what stands between says of whom.
        let mut end = at + 1;
        let mut of_people = is_nobody;
        while self.is_any(end, &["filler", "people", "somebody"]) {
            of_people |= self.is_any(end, &["people", "somebody"]);
            end += 1;
        }
        let emotions = self.alternatives(&mut end);
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

    /// Emotions with `or` or `nor` between.
    fn alternatives(&self, end: &mut usize) -> EmotionSet {
        let mut all = EmotionSet::EMPTY;
        loop {
            let next = if all.is_empty() {
                *end
            } else if self.is_any(*end, &["or", "nor"]) {
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

    /// Where that ends which a negation at `end` negates and which is no emotion.
    fn end_of_unknown(&self, mut end: usize) -> usize {
        if self.is_any(end, &["everybody", "most"]) {
            end += 1;
            while self.is(end, "filler") {
                end += 1;
            }
            self.alternatives(&mut end);
            return end;
        }
        while self.is_any(end, &["in", "from", "to", "filler"]) {
            end += 1;
        }
        let length = self
            .length_of_date(end)
            .or_else(|| self.length_of_place(end))
            .unwrap_or(1);
        (end + length).min(self.tokens.len())
    }
}
