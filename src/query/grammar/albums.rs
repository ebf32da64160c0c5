//! Reads the names of albums: `album NAME`, `the NAME album`, and words that are the whole name of a folder.

use super::super::filters::UserFilter;
use super::{GivenFlags, Length, Reader, Token, read};
use crate::store::words_of_name;

/// The maximum number of words in the name of an album.
const MAX_NAME_WORDS: usize = 6;

/// The flags that words for dates set.
const DATES: [&str; 3] = ["since", "until", "taken"];

/// Whether a filter sets no other flags than these.
fn sets_only(filter: &UserFilter, flags: &[&str]) -> bool {
    let set = filter.set_flags();
    set.iter().all(|(flag, _)| flags.contains(&flag.name))
}

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
        if self.is_album_name || self.understood.filter.album.is_some() || self.given.has("album") {
            return None;
        }
        let start = at + usize::from(self.is_any(at, &["in", "from"]) || self.lower(at) == "of");
        let (name, length) = self.whole_name(start)?;
        let plain = self.plain_meaning(start, length);
        if !self.has_unknown_word(start, length) && !sets_only(&plain, &DATES) {
            return None;
        }
        // Words that are searched as text are found in the names of folders anyway.
        if sets_only(&plain, &["text"]) || self.index.any_photo_meets(&plain) {
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
            let is_name = !is_text && !is_read && !found.contains(&name);
            if is_name && (self.has_unknown_word(at, length) || self.is_occasion(at, length)) {
                found.push(name);
            }
            at += length;
        }
        found
    }

    /// What words mean that are no name of an album.
    fn plain_meaning(&self, at: usize, length: usize) -> UserFilter {
        let words: Vec<String> = self.tokens[at..at + length]
            .iter()
            .map(|token| token.word.clone())
            .collect();
        read(&words, &GivenFlags::none(), self.index, self.now, true).filter
    }

    /// Whether these words are a date by which people name albums, such as `christmas 2017`, and not just a year.
    fn is_occasion(&self, at: usize, length: usize) -> bool {
        let mut tokens = self.tokens[at..at + length].iter();
        length > 1
            && tokens.any(|token| token.lower.contains(char::is_alphabetic))
            && sets_only(&self.plain_meaning(at, length), &DATES)
    }

    /// Whether one of these words can only be a name.
    fn has_unknown_word(&self, at: usize, length: usize) -> bool {
        let mut tokens = self.tokens[at..at + length].iter();
        tokens.any(|token| token.meanings().is_empty() && token.lower.contains(char::is_alphabetic))
    }

    /// The longest name of an album that begins at a token, and its number of tokens.
    fn whole_name(&self, at: usize) -> Option<(String, usize)> {
        let longest = MAX_NAME_WORDS.min(self.tokens.len().saturating_sub(at));
        (1..=longest).rev().find_map(|length| {
            let tokens = self.tokens[at..at + length].iter();
            let words: Vec<&str> = tokens.map(|token| token.word.as_str()).collect();
            let words = words_of_name(&words.join(" "));
            let name = self.index.album(&words).filter(|_| !words.is_empty())?;
            Some((name.to_owned(), length))
        })
    }
}
