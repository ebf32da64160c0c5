//! Splits a sentence into words and looks up their meanings.

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
        let length = vocabulary.phrase(&lower[at..]);
        let phrase = lower[at..at + length].join(" ");
        let (base, meanings) = base(&phrase, vocabulary);
        // `word` is printed only if it is unknown, so a known word may lose its `'s`.
        let word = words[at..at + length].join(" ");
        let word = match word.get(..base.len()) {
            Some(start) if base != phrase => start.to_owned(),
            _ => word,
        };
        let is_cut = phrase.len() > base.len();
        tokens.push(Token {
            word,
            is_possessive: is_cut && (phrase.ends_with("'s") || phrase.ends_with('\'')),
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
        } else if !bare.is_empty() {
            words.push(bare.to_owned());
        }
        if word.ends_with([',', ';']) {
            words.push(",".to_owned());
        }
    }
    words
}

/// Removes a possessive's ending from a word, and a plural's ending if the vocabulary contains only the
/// singular.
fn base(word: &str, vocabulary: &Vocabulary) -> (String, Vec<&'static str>) {
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
}
