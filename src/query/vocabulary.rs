//! Looks up the meanings of words. `assets/words/` contains one file for each language; a synonym is
//! another word in a file's row.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::emotion::Emotion;

/// The languages. A word that is in several has the meanings of the first language first.
const LANGUAGES: [&str; 2] = [
    include_str!("../../assets/words/en.tsv"),
    include_str!("../../assets/words/de.tsv"),
];

/// The maximum number of words in a phrase of the files.
const MAX_PHRASE_WORDS: usize = 4;

/// Meanings, besides emotions and feasts, for which a similar word is suggested.
const WORTH_SUGGESTING: [&str; 6] = ["people", "group", "couple", "away", "everybody", "nobody"];

/// The meanings of words in all languages.
#[derive(Debug)]
pub(super) struct Vocabulary {
    /// The meanings by word or phrase; the words of a phrase are separated by spaces.
    meanings: HashMap<String, Vec<&'static str>>,
}

impl Vocabulary {
    /// The vocabulary of all languages.
    pub fn get() -> &'static Self {
        static ALL: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::read(&LANGUAGES));
        &ALL
    }

    fn read(languages: &[&'static str]) -> Self {
        let mut meanings: HashMap<String, Vec<&'static str>> = HashMap::new();
        for language in languages {
            let mut endings: Vec<&str> = Vec::new();
            for line in language.lines().filter(|line| !line.starts_with('#')) {
                let mut fields = line.split('\t');
                let meaning = fields.next().unwrap_or_default();
                let words = fields.filter(|word| !word.is_empty());
                if meaning == "*" {
                    endings = words.collect();
                    continue;
                }
                for word in words {
                    let word = word.replace('_', " ");
                    let forms: Vec<String> = match word.strip_suffix('*') {
                        None => vec![word],
                        Some(stem) => {
                            let longer = endings.iter().map(|ending| format!("{stem}{ending}"));
                            longer.chain([stem.to_owned()]).collect()
                        }
                    };
                    for form in forms {
                        meanings.entry(form).or_default().push(meaning);
                    }
                }
            }
        }
        Self { meanings }
    }

    /// The meanings of a word or phrase in lower case.
    pub fn meanings(&self, words: &str) -> &[&'static str] {
        self.meanings.get(words).map_or(&[], Vec::as_slice)
    }

    /// The number of words in the longest phrase of the vocabulary with which `words` begins; 1 if there
    /// is none.
    pub fn longest_phrase(&self, words: &[&str]) -> usize {
        (2..=MAX_PHRASE_WORDS.min(words.len()))
            .rev()
            .find(|length| self.meanings.contains_key(&words[..*length].join(" ")))
            .unwrap_or(1)
    }

    /// A word of the vocabulary at an edit distance of 1 from `word`: one letter is added, missing or
    /// different, or two neighbours are swapped. Only words that restrict an answer are candidates.
    pub fn within_one_letter(&self, word: &str) -> Option<&str> {
        let is_worth = |meaning: &&str| {
            meaning.parse::<Emotion>().is_ok()
                || WORTH_SUGGESTING.contains(meaning)
                || super::dates::is_feast(meaning)
        };
        self.meanings
            .iter()
            .filter(|(known, meanings)| known.len() > 4 && meanings.iter().any(is_worth))
            .filter(|(known, _)| strsim::osa_distance(known, word) == 1)
            .map(|(known, _)| known.as_str())
            .min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_a_table() {
        let all = Vocabulary::get();
        for (word, meaning) in [
            ("laughing", "happy"),
            ("lachende", "happy"),
            ("traurigen", "sad"),
            ("all of us", "everybody"),
            ("juli", "july"),
        ] {
            assert!(all.meanings(word).contains(&meaning), "{word}");
        }
        assert_eq!(all.longest_phrase(&["all", "of", "us", "smiling"]), 3);
        assert_eq!(all.longest_phrase(&["all", "photos"]), 1);
        let other = Vocabulary::read(&["*\ta\to\nhappy\tcontent*\n"]);
        assert_eq!(other.meanings("contento"), ["happy"]);
    }

    #[test]
    fn every_emotion_has_words_in_every_language() {
        for language in LANGUAGES {
            let language = Vocabulary::read(&[language]);
            for emotion in Emotion::ALL {
                let mut meanings = language.meanings.values().flatten();
                assert!(meanings.any(|meaning| *meaning == emotion.name()));
            }
        }
    }

    #[test]
    fn one_letter_is_suggested() {
        let nearly = |word| Vocabulary::get().within_one_letter(word);
        assert_eq!(nearly("hapy"), Some("happy"));
        assert_eq!(nearly("smilling"), Some("smiling"));
        assert_eq!(nearly("chrismas"), Some("christmas"));
        for word in ["beach", "dog", "grandma", "hpy"] {
            assert_eq!(nearly(word), None, "{word}");
        }
    }
}
