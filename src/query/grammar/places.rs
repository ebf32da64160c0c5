//! Where photos were taken: `in italy and france`, `at home`, or a bare `rome`.

use super::super::filters::HOME;
use super::super::gazetteer::{Gazetteer, Place};
use super::{Length, Reader};

/// No name of a place has more words.
const LONGEST: usize = 4;

impl Reader {
    /// Places, with or without a preposition.
    pub(super) fn place(&mut self, at: usize) -> Length {
        let mut start = at;
        let is_led = self.is_any(at, &["in", "from", "to"]);
        if is_led {
            start += 1;
        }
        if let Some(length) = self.home(start, is_led) {
            self.go_near(HOME.to_owned());
            return Some(start - at + length);
        }
        let (name, length) = self.name_of_place(start, is_led)?;
        self.go_near(name);
        let mut end = start + length;
        // What follows an `and` needs no preposition of its own.
        while self.is_any(end, &["and", "or"]) || self.lower(end) == "," {
            let next = end
                + 1
                + usize::from(self.lower(end) == "," && self.is_any(end + 1, &["and", "or"]));
            let Some((name, length)) = self.name_of_place(next, is_led) else {
                break;
            };
            self.go_near(name);
            end = next + length;
        }
        Some(end - at)
    }

    /// How many tokens the place has that stands at a token.
    pub(super) fn length_of_place(&self, at: usize) -> Length {
        let (_, length) = self.name_of_place(at, true)?;
        Some(length)
    }

    fn go_near(&mut self, name: String) {
        let near = self.understood.filter.near.get_or_insert_default();
        near.places.push(name);
    }

    /// `home` after a preposition; `zuhause` without.
    fn home(&self, at: usize, is_led: bool) -> Length {
        let own = usize::from(matches!(self.lower(at), "my" | "our"));
        let is_home = self.is(at + own, "home") && (is_led || self.lower(at + own) != HOME);
        is_home.then_some(own + 1)
    }

    /// The longest name that begins at a token, as it was typed, and its length.
    fn name_of_place(&self, at: usize, is_led: bool) -> Option<(String, usize)> {
        let has_article = self.lower(at) == "the";
        let gazetteer = Gazetteer::get();
        let longest = LONGEST.min(self.tokens.len().saturating_sub(at));
        (1..=longest).rev().find_map(|length| {
            let words = &self.tokens[at..at + length];
            let ends_in_comma = words.last().is_some_and(|token| token.lower == ",");
            if ends_in_comma || (length == 1 && !words[0].meanings().is_empty()) {
                return None;
            }
            let mut name = String::new();
            for token in words {
                if !name.is_empty() && token.lower != "," {
                    name.push(' ');
                }
                name.push_str(&token.word);
            }
            if has_article && let Some(bare) = name.get("the ".len()..) {
                // `the hague` is a city; `the garden` of no city.
                if let Some(Place::Country { .. }) = gazetteer.find(bare) {
                    return Some((bare.to_owned(), length));
                }
            }
            let found = if is_led {
                gazetteer.find(&name)
            } else {
                gazetteer.find_bare(&name)
            };
            found.map(|_| (name, length))
        })
    }
}
