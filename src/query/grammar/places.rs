//! Reads the places where photos were taken: `in italy and france`, `at home`, or `rome` without a
//! preposition.

use super::super::common_words::is_name_or_thing;
use super::super::filters::{HOME, Near, UserFilter};
use super::super::gazetteer::{Gazetteer, Place, folded};
use super::{Length, Reader};

/// The maximum number of words in the name of a place.
const MAX_NAME_WORDS: usize = 4;

impl Reader<'_> {
    /// Reads one or more places, with or without a preposition.
    pub(super) fn place(&mut self, at: usize) -> Length {
        let mut start = at;
        let has_preposition = self.is_any(at, &["in", "from", "to"]);
        if has_preposition {
            start += 1;
        }
        if let Some(length) = self.home(start, has_preposition) {
            self.add_place(HOME.to_owned());
            return Some(start - at + length);
        }
        let (name, length) = self.name_of_place(start, has_preposition)?;
        let mut end = start + length;
        let mut names = vec![name];
        // A place after `and` needs no preposition.
        while self.is_any(end, &["and", "or"]) || self.lower(end) == "," {
            let next = end
                + 1
                + usize::from(self.lower(end) == "," && self.is_any(end + 1, &["and", "or"]));
            let Some((name, length)) = self.name_of_place(next, has_preposition) else {
                break;
            };
            names.push(name);
            end = next + length;
        }
        if names.len() == 1 && self.is_only_text(&names[0], has_preposition) {
            for at in start..end {
                if !self.is(at, "filler") && self.lower(at) != "," {
                    self.search_for(at);
                }
            }
        } else {
            for name in names {
                self.add_place(name);
            }
        }
        Some(end - at)
    }

    /// The number of tokens of the place that begins at a token.
    pub(super) fn length_of_place(&self, at: usize) -> Length {
        let (_, length) = self.name_of_place(at, true)?;
        Some(length)
    }

    /// Whether no photo was taken at a place, but photos have its name among their words, as in the name of a folder. A
    /// word of photos is not read as an unusual name of a city, unless a preposition precedes it.
    fn is_only_text(&self, name: &str, has_preposition: bool) -> bool {
        let text = UserFilter {
            text: Some(name.to_owned()),
            ..UserFilter::new()
        };
        let is_unusual = || !has_preposition && Gazetteer::get().is_unusual_name(&folded(name));
        !self.is_album_name
            && self.index.any_photo_meets(&text)
            && (is_unusual() || !self.has_photos_of(name))
    }

    /// Whether a photo was taken at a place.
    fn has_photos_of(&self, name: &str) -> bool {
        self.index.any_photo_meets(&UserFilter {
            near: Some(Near {
                places: vec![name.to_owned()],
                km: None,
            }),
            ..UserFilter::new()
        })
    }

    /// The place that may be meant by a word that differs from its name in one letter, if photos were taken there: of the
    /// many names in the world, one is nearly `grandma`, and one `stars`.
    pub(super) fn place_nearly(&self, word: &str) -> Option<&'static str> {
        let place = Gazetteer::get().country_nearly(word)?;
        self.has_photos_of(place).then_some(place)
    }

    fn add_place(&mut self, name: String) {
        let near = self.understood.filter.near.get_or_insert_default();
        near.places.push(name);
    }

    /// Reads `home` after a preposition, or a word such as `zuhause`, which needs none.
    fn home(&self, at: usize, has_preposition: bool) -> Length {
        let own = usize::from(matches!(self.lower(at), "my" | "our"));
        let is_home =
            self.is(at + own, "home") && (has_preposition || self.lower(at + own) != HOME);
        is_home.then_some(own + 1)
    }

    /// Whether a single token may be the name of a place. It may if it has no other meaning, or if it
    /// is an adjective after a preposition and no noun follows, as in `from Nice`.
    fn may_be_place(&self, at: usize, has_preposition: bool) -> bool {
        let token = &self.tokens[at];
        if is_name_or_thing(&token.lower) {
            let is_written_so = token.word.starts_with(char::is_uppercase);
            return has_preposition
                && at > 0
                && self.is(at - 1, "in")
                && self.lower(at - 1) != "at"
                && is_written_so;
        }
        let stands_alone = self
            .token(at + 1)
            .is_none_or(|next| !next.meanings().is_empty() || next.lower == ",");
        token.meanings().is_empty() || (has_preposition && token.is("vague") && stands_alone)
    }

    /// Whether a word has a capital letter that neither the beginning of the sentence nor the style of the whole
    /// sentence explains.
    fn is_written_as_name(&self, at: usize) -> bool {
        let is_capital = |at: usize| self.tokens[at].word.starts_with(char::is_uppercase);
        at > 0
            && is_capital(at)
            && self.tokens[..at]
                .iter()
                .any(|token| token.word.starts_with(char::is_lowercase))
    }

    /// The longest name of a place that begins at a token, as the user typed it, and its number of
    /// tokens.
    pub(super) fn name_of_place(
        &self,
        at: usize,
        has_preposition: bool,
    ) -> Option<(String, usize)> {
        let has_article = self.lower(at) == "the";
        let longest = MAX_NAME_WORDS.min(self.tokens.len().saturating_sub(at));
        (1..=longest).rev().find_map(|length| {
            let words = &self.tokens[at..at + length];
            let ends_in_comma = words.last().is_some_and(|token| token.lower == ",");
            let is_known = words.iter().all(|token| !token.meanings().is_empty());
            if ends_in_comma
                || (length == 1 && !self.may_be_place(at, has_preposition))
                || (length > 1 && is_known)
            {
                return None;
            }
            let gazetteer = Gazetteer::get();
            let mut name = String::new();
            for token in words {
                if !name.is_empty() && token.lower != "," {
                    name.push(' ');
                }
                name.push_str(&token.word);
            }
            if has_article
                && let Some(bare) = name.get("the ".len()..)
                && !is_name_or_thing(bare)
            {
                // Only countries and areas may lose their article: `the hague` is a city, but `the garden` is not the
                // city Garden.
                if let Some(Place::Country { .. } | Place::Area(_)) = gazetteer.find(bare) {
                    return Some((bare.to_owned(), length));
                }
            }
            let found = if has_preposition {
                gazetteer.find(&name)
            } else {
                gazetteer.find_without_preposition(&name, self.is_written_as_name(at))
            };
            found.map(|_| (name, length))
        })
    }
}
