//! Splits a sentence into words and looks up their meanings.

use super::super::dates::{is_month, year};
use super::super::vocabulary::Vocabulary;

/// A word, a phrase of the vocabulary, or a comma.
#[derive(Debug, Clone)]
pub(super) struct Token {
    /// The word as the user typed it, without the punctuation around it.
    pub word: String,
    /// The word in lower case.
    pub lower: String,
    /// Whether it ended in `'s` or an apostrophe, which it lost.
    pub is_possessive: bool,
    /// Whether it is the plural of a word of the vocabulary, and lost its `s`.
    pub is_plural: bool,
    meanings: Vec<&'static str>,
}

impl Token {
    /// Whether the vocabulary gives the word this meaning.
    pub fn is(&self, meaning: &str) -> bool {
        self.meanings.contains(&meaning)
    }

    /// Whether the vocabulary gives the word one of these meanings.
    pub fn is_any(&self, meanings: &[&str]) -> bool {
        meanings.iter().any(|meaning| self.is(meaning))
    }

    /// The meanings of the word, in the order of the languages.
    pub fn meanings(&self) -> &[&'static str] {
        &self.meanings
    }
}

/// Splits a sentence into tokens.
pub(super) fn tokens(sentence: &str) -> Vec<Token> {
    let words = words(&sentence.replace(['’', '‘'], "'"));
    let vocabulary = Vocabulary::get();
    let lower: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let length = vocabulary.longest_phrase(&lower[at..]);
        let phrase = lower[at..at + length].join(" ");
        let (base, meanings) = base_form(&phrase, vocabulary);
        // `word` is printed only if it is unknown, so a known word may lose its `'s`.
        let word = words[at..at + length].join(" ");
        let word = match word.get(..base.len()) {
            Some(start) if base != phrase => start.to_owned(),
            _ => word,
        };
        let is_cut = phrase.len() > base.len();
        let is_possessive = is_cut && (phrase.ends_with("'s") || phrase.ends_with('\''));
        tokens.push(Token {
            word,
            is_possessive,
            is_plural: is_cut && !is_possessive && phrase.ends_with('s'),
            lower: base,
            meanings,
        });
        at += length;
    }
    tokens
}

/// Splits a sentence into words without punctuation; commas are words of their own.
fn words(sentence: &str) -> Vec<String> {
    let mut words = Vec::new();
    for word in sentence.split_whitespace() {
        // `:)` means `happy`; other faces of marks are left out.
        let has_letters = word.contains(char::is_alphanumeric);
        let is_face = word.starts_with([':', ';', '=', '(', ')'])
            && word.len() > 1
            && (!has_letters || !Vocabulary::get().meanings(&word.to_lowercase()).is_empty());
        if is_face {
            words.push(word.to_owned());
            continue;
        }
        let is_mark = |c: char| matches!(c, '.' | ';' | '!' | '?' | '"' | '(' | ')' | ':' | ',');
        let bare = word.trim_matches(is_mark);
        // `-sad` means `not sad`, as in search engines.
        let bare = match bare.strip_prefix('-') {
            Some(rest) if rest.starts_with(char::is_alphabetic) => {
                words.push("not".to_owned());
                rest
            }
            _ => bare,
        };
        let bare = match prefix(bare) {
            Some((prefix, rest)) => {
                words.push(prefix.to_owned());
                rest
            }
            None => bare,
        };
        let alternatives: Vec<&str> = bare.split('/').collect();
        let are_words = alternatives
            .iter()
            .all(|word| word.len() > 1 && word.chars().all(char::is_alphabetic));
        if are_words {
            // `happy/sad` means `happy or sad`.
            for (index, word) in alternatives.into_iter().enumerate() {
                if index > 0 {
                    words.push("or".to_owned());
                }
                words.push(word.to_owned());
            }
        } else if let Some((first, last)) = joined_dates(bare) {
            // `winter 2019/20` is one winter, and `2019/20` two years.
            let is_season = words.last().is_some_and(|word| is_winter(word));
            words.push(first);
            if !is_season {
                words.extend(["to".to_owned(), last]);
            }
        } else if !bare.is_empty() {
            words.push(short_year(bare).unwrap_or_else(|| bare.to_owned()));
        }
        if word.ends_with([',', ';']) {
            words.push(",".to_owned());
        }
    }
    words
}

/// Splits a prefix with a hyphen from a word that it negates or from a year: `non-smiling`, `pre-2010`.
fn prefix(word: &str) -> Option<(&'static str, &str)> {
    const OF_YEARS: [&str; 5] = ["pre", "post", "early", "mid", "late"];
    let (prefix, rest) = word.split_once('-')?;
    let prefix = prefix.to_lowercase();
    if prefix == "non" && rest.starts_with(char::is_alphabetic) {
        return Some(("not", rest));
    }
    let is_year = rest.len() >= 4 && rest.starts_with(|c: char| c.is_ascii_digit());
    let known = OF_YEARS.into_iter().find(|known| *known == prefix)?;
    is_year.then_some((known, rest))
}

/// Splits a range of dates without spaces into its ends: two months (`jan-mar`), or a year and the next one
/// (`2019/20`, `2019/2020`). `2019/12` is a month.
fn joined_dates(word: &str) -> Option<(String, String)> {
    if let Some((first, last)) = word.split_once('/') {
        let year = year(first)?;
        let next = (year + 1).to_string();
        let is_next = last == next || (last == &next[2..] && year % 100 >= 12);
        return is_next.then(|| (first.to_owned(), next));
    }
    let (first, last) = word.split_once(['-', '–'])?;
    let is_month = |word: &str| {
        let meanings = Vocabulary::get().meanings(&word.to_lowercase());
        meanings.iter().any(|meaning| is_month(meaning))
    };
    (is_month(first) && is_month(last)).then(|| (first.to_owned(), last.to_owned()))
}

fn is_winter(word: &str) -> bool {
    let meanings = Vocabulary::get().meanings(&word.to_lowercase());
    meanings.contains(&"winter")
}

/// Writes out a year or decade of two digits after an apostrophe: `'98`, `'19`, `'90s`; and removes the apostrophe of
/// `1990's` and `90's`.
fn short_year(word: &str) -> Option<String> {
    let bare = word.strip_prefix('\'').unwrap_or(word);
    if let Some(decade) = bare.strip_suffix("'s")
        && matches!(decade.len(), 2 | 4)
        && decade.ends_with('0')
        && decade.bytes().all(|byte| byte.is_ascii_digit())
    {
        return Some(format!("{decade}s"));
    }
    let figures = word.strip_prefix('\'')?;
    if figures.ends_with('s') {
        return Some(figures.to_owned());
    }
    let year: u8 = figures.parse().ok().filter(|_| figures.len() == 2)?;
    let century = if year >= 30 { 19 } else { 20 };
    Some(format!("{century}{year:02}"))
}

/// Removes a possessive's ending from a word, and a plural's ending if the vocabulary contains only the
/// singular.
fn base_form(word: &str, vocabulary: &Vocabulary) -> (String, Vec<&'static str>) {
    let known = |word: &str| {
        let meanings = vocabulary.meanings(word);
        (!meanings.is_empty()).then(|| (word.to_owned(), meanings.to_vec()))
    };
    let unpossessed = word
        .strip_suffix("'s")
        .or_else(|| word.strip_suffix('\''))
        .unwrap_or(word);
    known(word)
        .or_else(|| known(unpossessed))
        .or_else(|| known(unpossessed.strip_suffix('s')?))
        .or_else(|| {
            // `happy-looking`, `sad-faced`
            let endings = ["-looking", "-faced"].into_iter();
            endings
                .filter_map(|ending| unpossessed.strip_suffix(ending))
                .find_map(known)
        })
        .unwrap_or_else(|| (unpossessed.to_owned(), Vec::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_and_endings_do_not_matter() {
        let lower: Vec<_> = tokens("Grandma’s \"birthday\", summers: NO ONE is sad!")
            .into_iter()
            .map(|token| token.lower)
            .collect();
        let expected = ["grandma", "birthday", ",", "summers", "no one", "is", "sad"];
        assert_eq!(lower, expected);
        assert!(tokens("anna's smiles")[1].is("happy"));
        assert_eq!(tokens("Zoë's cat")[0].word, "Zoë");
    }

    #[test]
    fn joined_words_are_split() {
        for (joined, split) in [
            ("non-smiling Non-fiction", "not smiling not fiction"),
            (
                "pre-2010 mid-2019 late-1990s pre-school",
                "pre 2010 mid 2019 late 1990s pre-school",
            ),
            ("Jan-Mar 2020, may–june", "jan to mar 2020 , may to june"),
            (
                "2019/20 2019/2020 2019/12 2011/12",
                "2019 to 2020 2019 to 2020 2019/12 2011/12",
            ),
            ("winter 2019/20 2019/21", "winter 2019 2019/21"),
            ("summer '98 '05 '90s", "summer 1998 2005 90s"),
            ("1990's 90's '80’s 2019's 95's", "1990s 90s 80s 2019 95"),
        ] {
            let tokens = tokens(joined);
            let words: Vec<&str> = tokens.iter().map(|token| &*token.lower).collect();
            assert_eq!(words.join(" "), split);
        }
    }
}
