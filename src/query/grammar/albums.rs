//! Reads the names of albums: `album NAME`, `the NAME album`, and words that are the whole name of a folder.

use super::{Given, Length, Reader, Token, read};
use crate::store::words_of_name;

/// The maximum number of words in the name of an album.
const LONGEST: usize = 6;

impl Reader<'_> {
    /// Reads `album NAME` or `the NAME album`.
    pub(super) fn album(&mut self, at: usize) -> Length {
        let is_name = |token: &Token| {
            token.lower != "," && !token.is_any(&["filler", "photo", "in", "from", "this", "and"])
        };
        if self.is(at, "album") {
            if let Some((name, length)) = self.whole_name(at + 1) {
                self.understood.filter.album = Some(name);
                return Some(length + 1);
            }
            let name = self.token(at + 1).filter(|token| is_name(token))?;
            self.understood.filter.album = Some(name.word.clone());
            return Some(2);
        }
        if let Some((name, length)) = self.whole_name(at)
            && self.is(at + length, "album")
            && self.whole_name(at + length + 1).is_none()
        {
            self.understood.filter.album = Some(name);
            return Some(length + 1);
        }
        if !self.is(at + 1, "album") || self.token(at + 2).is_some_and(is_name) {
            return None;
        }
        let name = self.token(at).filter(|token| is_name(token))?;
        self.understood.filter.album = Some(name.word.clone());
        Some(2)
    }

    /// Reads words that are the whole name of a folder, if no photo matches their other meaning: `rome 2019` in an
    /// index without positions.
    pub(super) fn named_album(&mut self, at: usize) -> Length {
        if self.is_part || self.understood.filter.album.is_some() || self.given.has("album") {
            return None;
        }
        let start = at + usize::from(self.is_any(at, &["in", "from"]) || self.lower(at) == "of");
        let (name, length) = self.whole_name(start)?;
        if !self.has_unknown_word(start, length) {
            return None;
        }
        let words: Vec<String> = self.tokens[start..start + length]
            .iter()
            .map(|token| token.word.clone())
            .collect();
        let plain = read(&words, &Given::nothing(), self.known, self.now, true);
        // Words that are searched as text are found in the names of folders anyway.
        let is_text = plain
            .filter
            .set_flags()
            .iter()
            .all(|(flag, _)| flag.name == "text");
        if is_text || self.known.finds(&plain.filter) {
            return None;
        }
        self.understood.filter.album = Some(name);
        Some(start - at + length)
    }

    /// The names of albums in the sentence whose words were read as something else.
    pub(super) fn other_albums(&self) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        let mut at = 0;
        while at < self.tokens.len() {
            let Some((name, length)) = self.whole_name(at) else {
                at += 1;
                continue;
            };
            let is_text = (at..at + length).all(|at| self.text_at.contains(&at));
            let is_read = self.understood.filter.album.as_deref() == Some(name.as_str());
            if self.has_unknown_word(at, length) && !is_text && !is_read && !found.contains(&name) {
                found.push(name);
            }
            at += length;
        }
        found
    }

    /// Whether one of these words can only be a name.
    fn has_unknown_word(&self, at: usize, length: usize) -> bool {
        let mut tokens = self.tokens[at..at + length].iter();
        tokens.any(|token| token.meanings().is_empty() && token.lower.contains(char::is_alphabetic))
    }

    /// The longest name of an album that begins at a token, and its number of tokens.
    fn whole_name(&self, at: usize) -> Option<(String, usize)> {
        let longest = LONGEST.min(self.tokens.len().saturating_sub(at));
        (1..=longest).rev().find_map(|length| {
            let tokens = self.tokens[at..at + length].iter();
            let words: Vec<&str> = tokens.map(|token| token.word.as_str()).collect();
            let words = words_of_name(&words.join(" "));
            let name = self.known.album(&words).filter(|_| !words.is_empty())?;
            Some((name.to_owned(), length))
        })
    }
}
