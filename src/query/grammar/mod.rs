//! Free text as filters: `happy vacation photos in italy last summer`. `docs/query.md` is its
//! description.
//!
//! Words are read from left to right. At each one the readers of this module are asked in turn, and the
//! first that makes something of what stands there says how many words that was. No word is lost: what
//! none of them understands is looked for as text, and what cannot be looked for is left out; both are
//! told.

mod cameras;
mod counts;
mod negation;
mod places;
mod times;
mod tokens;

use jiff::civil::Date;

use super::filters::{AWAY, AskedFilter};
use super::gazetteer::Gazetteer;
use super::vocabulary::Vocabulary;
use crate::emotion::{Emotion, EmotionSet};
use crate::store::{Order, Who};
use times::Occasion;
use tokens::{Token, tokens};

/// What became of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Understood {
    /// The filter.
    pub filter: AskedFilter,
    /// Words that stand for nothing else and are looked for as text.
    pub as_text: Vec<String>,
    /// Words that nothing was made of.
    pub left_out: Vec<String>,
    /// Words that are one letter away from one with a meaning, and that one.
    pub suggestions: Vec<(String, String)>,
}

/// Reads a text as filters and adds them to those that are given.
pub fn understand(words: &[String], filter: AskedFilter, today: Date) -> Understood {
    let mut reader = Reader {
        tokens: tokens(&words.join(" ")),
        today,
        occasions: Vec::new(),
        asks_for_people: false,
        counted: Vec::new(),
        understood: Understood {
            filter,
            as_text: Vec::new(),
            left_out: Vec::new(),
            suggestions: Vec::new(),
        },
    };
    let mut at = 0;
    while at < reader.tokens.len() {
        at += reader.read(at).max(1);
    }
    reader.finish()
}

struct Reader {
    tokens: Vec<Token>,
    today: Date,
    /// Dates on which photos were taken.
    occasions: Vec<Occasion>,
    /// Whether a word for people was read that says nothing more of them.
    asks_for_people: bool,
    /// Numbers of the tokens that say what a number of faces counts.
    counted: Vec<usize>,
    understood: Understood,
}

/// How many tokens were read; `None` where there is nothing for the reader.
type Length = Option<usize>;

impl Reader {
    /// Reads what stands at a token; how many tokens that was.
    fn read(&mut self, at: usize) -> usize {
        const READERS: [fn(&mut Reader, usize) -> Length; 7] = [
            Reader::negation,
            Reader::count,
            Reader::time,
            Reader::camera,
            Reader::album,
            Reader::place,
            Reader::keyword,
        ];
        for reader in READERS {
            if let Some(length) = reader(self, at) {
                return length;
            }
        }
        self.text(at);
        1
    }

    fn finish(mut self) -> Understood {
        self.set_dates();
        let filter = &mut self.understood.filter;
        let is_of_people = filter.faces.is_some()
            || !filter.emotions.is_empty()
            || !filter.without.is_empty()
            || filter.who != Who::Any;
        if self.asks_for_people && !is_of_people {
            filter.faces = Some(1..=u32::MAX);
        }
        if !self.understood.as_text.is_empty() {
            let given = filter.text.take().into_iter();
            let texts: Vec<String> = given.chain(self.understood.as_text.clone()).collect();
            filter.text = Some(texts.join(" "));
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

    /// The emotions that a token names.
    fn emotions(&self, at: usize) -> EmotionSet {
        let meanings = self.token(at).map_or(&[][..], Token::meanings);
        meanings
            .iter()
            .filter_map(|meaning| meaning.parse::<Emotion>().ok())
            .collect()
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
        if token.meanings().is_empty() {
            let meant = Vocabulary::get().nearly(&token.lower);
            let meant = meant.or_else(|| Gazetteer::get().country_nearly(&token.lower));
            let suggestion = meant.map(|meant| (token.word.clone(), meant.to_owned()));
            self.understood.suggestions.extend(suggestion);
        }
        self.understood.as_text.push(token.word.clone());
    }

    /// `album NAME`, `the NAME album`.
    fn album(&mut self, at: usize) -> Length {
        let is_name = |token: &Token| {
            token.lower != "," && !token.is_any(&["filler", "photo", "in", "from", "this", "and"])
        };
        if self.is(at, "album") {
            let name = self.token(at + 1).filter(|token| is_name(token))?;
            self.understood.filter.album = Some(name.word.clone());
            return Some(2);
        }
        if !self.is(at + 1, "album") || self.token(at + 2).is_some_and(is_name) {
            return None;
        }
        let name = self.token(at).filter(|token| is_name(token))?;
        self.understood.filter.album = Some(name.word.clone());
        Some(2)
    }

    /// A token with a meaning of its own.
    fn keyword(&mut self, at: usize) -> Length {
        /// What joins words, and says nothing where nothing is joined.
        const JOINING: [&str; 10] = [
            "filler", "photo", "and", "or", "nor", "but", "in", "from", "to", "best",
        ];
        /// What would restrict the answer if it stood where it can be understood.
        const LOST: [&str; 19] = [
            "vague",
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
        // `show me` says nothing, `photos of me` does.
        let is_asker = at > 0 && matches!(self.lower(at - 1), "show" | "give" | "get" | "find");
        let are_last = self.is(at + 1, "photo");
        for meaning in self.tokens[at].meanings().to_vec() {
            let filter = &mut self.understood.filter;
            match meaning {
                "away" => filter.away = Some(AWAY),
                "everybody" => filter.who = Who::All,
                "most" => filter.who = Who::Most,
                "people" | "somebody" => self.asks_for_people = true,
                "kin" if self.counted.contains(&at) => self.leave_out(at, 1),
                "us" if is_asker => {}
                "us" => self.leave_out(at, 1),
                "alone" => filter.faces = Some(1..=1),
                "couple" => filter.faces = Some(2..=2),
                "group" => filter.faces = Some(3..=u32::MAX),
                "latest" => filter.order = Order::Date,
                "last" if are_last => filter.order = Order::Date,
                "this" => {}
                "random" => filter.order = Order::Random { seed: 0 },
                "one-per-burst" => filter.one_per_burst = true,
                meaning if JOINING.contains(&meaning) => {}
                meaning if LOST.contains(&meaning) => self.leave_out(at, 1),
                _ => continue,
            }
            return Some(1);
        }
        None
    }
}

#[cfg(test)]
mod tests;
