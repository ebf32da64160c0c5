//! Parses free text such as `happy vacation photos in italy last summer` into a filter. The user
//! documentation is `docs/query.md`.
//!
//! The parser goes through the tokens from left to right. At each token it tries the readers of this
//! module in a fixed order; the first reader that recognises a phrase returns the number of tokens in
//! it. No word is dropped silently: a word that no reader recognises becomes a search word, a word that
//! cannot be searched for is left out, and [`Understood`] lists both.

mod albums;
mod cameras;
mod counts;
mod given;
mod measures;
mod negation;
mod people;
mod places;
mod shares;
mod times;
mod tokens;

use jiff::civil::DateTime;

use super::filters::{DEFAULT_AWAY_KM, UserFilter};
use super::index_lookup::IndexLookup;
use super::vocabulary::Vocabulary;
use crate::emotion::{Emotion, EmotionSet};
use crate::store::{Order, Who, has_words};
use times::{DatePhrase, Weekday};
use tokens::{Token, tokens};

pub use given::GivenFlags;

/// The result of parsing a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Understood {
    /// The filter that the text describes, with the flags that were given.
    pub filter: UserFilter,
    /// The filter that the text alone describes.
    pub of_words: UserFilter,
    /// Words without another meaning; they are searched for in paths, descriptions and keywords.
    pub as_text: Vec<String>,
    /// Words that the filter ignores.
    pub left_out: Vec<String>,
    /// Probable typing errors, each with the known word that differs from it by one letter.
    pub suggestions: Vec<(String, String)>,
    /// Albums whose whole names are in the text, but were read as something else, such as a place.
    pub other_albums: Vec<String>,
    /// People whose first names are in the text after `with` or `of`, but were read as something else, such as a month.
    pub other_people: Vec<String>,
    /// What the text says and a flag replaces.
    pub replaced: Vec<Replaced>,
}

/// A filter of a text that a given flag replaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    /// The name of its flag.
    pub flag: &'static str,
    /// The filter as an argument.
    pub argument: String,
    /// The name of the given flag.
    pub by: &'static str,
}

/// Parses a text and adds its filters to the given ones. `index` is the index in which it will be searched.
pub fn understand(
    words: &[String],
    given: &GivenFlags,
    index: &IndexLookup<'_>,
    now: DateTime,
) -> Understood {
    let mut understood = read(words, given, index, now, false);
    given.add_to(&mut understood);
    understood
}

/// Reads the words without the flags. In the name of an album (`is_album_name`), words are not looked up among the albums and
/// words of the index.
fn read(
    words: &[String],
    given: &GivenFlags,
    index: &IndexLookup<'_>,
    now: DateTime,
    is_album_name: bool,
) -> Understood {
    let mut reader = Reader {
        index,
        given,
        counts: false,
        is_album_name,
        tokens: tokens(&words.join(" ")),
        now,
        occasions: Vec::new(),
        weekdays: Vec::new(),
        asks_for_people: false,
        counted: Vec::new(),
        text_at: Vec::new(),
        done: Vec::new(),
        understood: Understood {
            filter: UserFilter::new(),
            of_words: UserFilter::new(),
            as_text: Vec::new(),
            left_out: Vec::new(),
            suggestions: Vec::new(),
            other_albums: Vec::new(),
            other_people: Vec::new(),
            replaced: Vec::new(),
        },
    };
    let mut at = 0;
    while at < reader.tokens.len() {
        at += reader.read(at).max(1);
    }
    reader.finish()
}

struct Reader<'a> {
    index: &'a IndexLookup<'a>,
    /// The flags beside the text.
    given: &'a GivenFlags,
    /// Whether a number of faces was read, which is more exact than `group` or `selfie`.
    counts: bool,
    /// Whether the text is the name of an album, which is read to find its other meaning.
    is_album_name: bool,
    tokens: Vec<Token>,
    now: DateTime,
    /// The dates and ranges of dates that were read so far, by phrase.
    occasions: Vec<Vec<DatePhrase>>,
    /// The weekdays among them.
    weekdays: Vec<Weekday>,
    /// Whether a word such as `people` was read, which only requires that there is a face.
    asks_for_people: bool,
    /// Indexes of the tokens that are nouns after a number of faces.
    counted: Vec<usize>,
    /// Indexes of the tokens that are searched for as text.
    text_at: Vec<usize>,
    /// Indexes of tokens that a phrase before them includes.
    done: Vec<usize>,
    understood: Understood,
}

/// The number of tokens that a reader has read; `None` if it does not recognise a phrase there.
type Length = Option<usize>;

impl Reader<'_> {
    /// Reads the phrase that begins at a token; returns its number of tokens.
    fn read(&mut self, at: usize) -> usize {
        if self.done.contains(&at) {
            return 1;
        }
        let readers: [fn(&mut Self, usize) -> Length; 12] = [
            Self::comparison,
            Self::negation,
            Self::share,
            Self::named_album,
            Self::measure,
            Self::count,
            Self::person,
            Self::time,
            Self::camera,
            Self::album,
            Self::place,
            Self::keyword,
        ];
        for reader in readers {
            if let Some(length) = reader(self, at) {
                return length;
            }
        }
        self.text(at);
        1
    }

    fn finish(mut self) -> Understood {
        self.set_dates();
        if !self.is_album_name {
            self.understood.other_albums = self.other_albums();
        }
        let filter = &mut self.understood.filter;
        let is_of_people = filter.faces.is_some()
            || !filter.emotions.is_empty()
            || !filter.without.is_empty()
            || filter.who != Who::Any
            || self.given.asks_for_faces();
        if self.asks_for_people && !is_of_people {
            filter.faces = Some(1..=u32::MAX);
        }
        if !self.understood.as_text.is_empty() {
            filter.text = Some(self.understood.as_text.join(" "));
        }
        self.understood
    }

    fn token(&self, at: usize) -> Option<&Token> {
        self.tokens.get(at)
    }

    fn lower(&self, at: usize) -> &str {
        self.token(at).map_or("", |token| &token.lower)
    }

    fn is(&self, at: usize, meaning: &str) -> bool {
        self.token(at).is_some_and(|token| token.is(meaning))
    }

    fn is_any(&self, at: usize, meanings: &[&str]) -> bool {
        self.token(at).is_some_and(|token| token.is_any(meanings))
    }

    /// The emotions that a token means.
    fn emotions(&self, at: usize) -> EmotionSet {
        let meanings = self.token(at).map_or(&[][..], Token::meanings);
        meanings
            .iter()
            .filter_map(|meaning| meaning.parse::<Emotion>().ok())
            .collect()
    }

    /// The number of tokens that a reader would read, without its effect on the filter.
    fn length_of(&mut self, reader: fn(&mut Self, usize) -> Length, at: usize) -> Length {
        let before = (
            self.understood.clone(),
            self.occasions.clone(),
            self.weekdays.clone(),
            self.text_at.clone(),
        );
        let length = reader(self, at);
        (self.understood, self.occasions, self.weekdays, self.text_at) = before;
        length
    }

    fn leave_out(&mut self, at: usize, length: usize) {
        let words = self.tokens[at..at + length].iter();
        let words: Vec<&str> = words.map(|token| token.word.as_str()).collect();
        self.understood.left_out.push(words.join(" "));
    }

    fn text(&mut self, at: usize) {
        let token = &self.tokens[at];
        if token.lower == "," {
            return;
        }
        if !has_words(&token.word) {
            self.leave_out(at, 1);
            return;
        }
        if token.meanings().is_empty() {
            let meant = Vocabulary::get().within_one_letter(&token.lower);
            let meant = meant.or_else(|| self.place_nearly(&token.lower));
            let has_preposition =
                at > 0 && (self.leads_to_person(at - 1) || self.is(at - 1, "and"));
            let meant = meant.or_else(|| {
                self.index
                    .people()
                    .within_one_letter(&token.lower)
                    .filter(|_| has_preposition)
            });
            let suggestion = meant.map(|meant| (token.word.clone(), meant.to_owned()));
            self.understood.suggestions.extend(suggestion);
        }
        self.search_for(at);
    }

    fn search_for(&mut self, at: usize) {
        self.understood.as_text.push(self.tokens[at].word.clone());
        self.text_at.push(at);
    }

    /// Reads a token whose meaning does not depend on the tokens around it.
    fn keyword(&mut self, at: usize) -> Length {
        /// Meanings of words that only connect others; they are ignored.
        const CONNECTIVES: [&str; 10] = [
            "filler", "photo", "and", "or", "nor", "but", "in", "from", "to", "best",
        ];
        /// Meanings that would restrict the answer in another position, where a reader recognises them;
        /// here they are left out.
        const LEFT_OUT: [&str; 22] = [
            "vague",
            "degree",
            "not_only",
            "backwards",
            "device",
            "lens",
            "album",
            "camera",
            "past",
            "last",
            "this",
            "next",
            "since",
            "until",
            "after",
            "before",
            "between",
            "older",
            "newer",
            "at_least",
            "more_than",
            "less_than",
        ];
        let emotions = self.emotions(at);
        let filter = &mut self.understood.filter;
        if !emotions.is_empty() {
            filter.emotions = filter.emotions.iter().chain(emotions.iter()).collect();
            return Some(1);
        }
        // `me` is ignored in `show me`, but listed as left out in `photos of me`.
        let is_asker = at > 0 && matches!(self.lower(at - 1), "show" | "give" | "get" | "find");
        let are_last = self.is(at + 1, "photo");
        for meaning in self.tokens[at].meanings().to_vec() {
            let filter = &mut self.understood.filter;
            match meaning {
                "away" => filter.away = Some(DEFAULT_AWAY_KM),
                "everybody" => filter.who = Who::All,
                "most" => filter.who = Who::Most,
                "people" | "somebody" => self.asks_for_people = true,
                "kin" if self.counted.contains(&at) => self.leave_out(at, 1),
                "us" if is_asker => {}
                "us" => self.leave_out(at, 1),
                // `group selfie`, `a portrait of three people`
                "alone" if filter.faces.is_some() => {}
                "couple" | "group" if self.counts => {}
                "alone" => filter.faces = Some(1..=1),
                "couple" => filter.faces = Some(2..=2),
                "group" => filter.faces = Some(3..=u32::MAX),
                "latest" => filter.order = Order::Date,
                "last" if are_last => filter.order = Order::Date,
                "this" => {}
                "random" => filter.order = Order::Random { seed: 0 },
                "one-per-burst" => filter.one_per_burst = true,
                meaning if CONNECTIVES.contains(&meaning) => {}
                meaning if LEFT_OUT.contains(&meaning) => self.leave_out(at, 1),
                _ => continue,
            }
            return Some(1);
        }
        None
    }
}

#[cfg(test)]
mod tests;
