//! Reads `only happy people` and `both smiling`, which apply to all the faces of a photo, and leaves out comparisons,
//! which no filter expresses.

use super::{Length, Reader};
use crate::store::Who;

impl Reader<'_> {
    /// Leaves out `happier than sad`, `more happy than angry`.
    pub(super) fn comparison(&mut self, at: usize) -> Length {
        let degree = usize::from(matches!(
            self.lower(at),
            "more" | "less" | "mehr" | "weniger"
        ));
        let than = at + degree + 1;
        if self.emotions(at + degree).is_empty() || !matches!(self.lower(than), "than" | "als") {
            return None;
        }
        let mut end = than + 1;
        while self.is_any(end, &["filler", "degree", "in", "from"]) {
            end += 1;
        }
        let end = self.end_of_words(end);
        self.leave_out(at, end - at);
        Some(end - at)
    }

    /// Reads `only happy people` (all faces show it) and `both smiling` (two faces, and both).
    pub(super) fn share(&mut self, at: usize) -> Length {
        if self.is(at, "only") {
            self.only(at);
        } else if self.is(at, "both") {
            self.both(at);
        } else {
            return None;
        }
        Some(1)
    }

    fn only(&mut self, at: usize) {
        let mut next = at + 1;
        while self.is_any(next, &["filler", "degree"]) {
            next += 1;
        }
        let is_people = |at: usize| self.is_any(at, &["people", "somebody"]);
        let is_of_next = !self.emotions(next).is_empty();
        // `happy people only`
        let is_of_last = at > 0
            && (is_people(at - 1) || !self.emotions(at - 1).is_empty())
            && !self.understood.filter.emotions.is_empty()
            && self.token(next).is_none_or(|token| token.lower == ",");
        if is_of_next || is_of_last {
            self.understood.filter.who = Who::All;
        } else if is_people(next) || at + 1 == self.tokens.len() {
            self.leave_out(at, 1);
        }
        // `only photos from 2019`, `only two people`: `only` adds nothing, since every filter excludes other photos.
    }

    fn both(&mut self, at: usize) {
        let mut next = at + 1;
        while self.is_any(next, &["filler", "people", "kin", "us", "degree"]) {
            next += 1;
        }
        let is_alone = !self.is_any(next + 1, &["and", "or"]) || self.emotions(next + 2).is_empty();
        if !self.emotions(next).is_empty() && is_alone {
            if !self.counts {
                self.understood.filter.faces = Some(2..=2);
            }
            self.understood.filter.who = Who::All;
            // `both of us laughing`
            let counted = (at + 1..next).filter(|at| self.is_any(*at, &["us", "kin"]));
            let counted: Vec<usize> = counted.collect();
            self.done.extend(counted);
        } else if self.length_of_person(at + 1).is_none() {
            // No filter asks for two places, dates or emotions at once.
            self.leave_out(at, 1);
        }
    }
}
